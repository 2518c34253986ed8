"""`predict --then`: a second fit takes the forecast further."""

from __future__ import annotations

import json

import pytest

IMAGES = "sample_runs/images/epochs.csv"


@pytest.fixture
def fits(invoke, tmp_path):
    loss, link = tmp_path / "loss.yaml", tmp_path / "link.yaml"
    invoke("fit", IMAGES, "--metric", "val_loss", "--input", "images", "--resamples", "0",
           "-q", "-o", loss)  # fmt: skip
    invoke("fit", IMAGES, "--metric", "val_accuracy", "--input", "val_loss", "--resamples", "0",
           "-q", "-o", link)  # fmt: skip
    return loss, link


def test_joint_interval_holds_both_parts(invoke, fits):
    loss, link = fits
    result = invoke("predict", loss, "--at", "2000,60000", "--then", link, "--format", "json")
    document = json.loads(result.stdout)
    assert document["then"]["metric"]["name"] == "val_accuracy"
    for point in document["points"]:
        then = point["then"]
        assert 0.0 <= then["low"] <= then["first_low"] <= then["value"]
        assert then["value"] <= then["first_high"] <= then["high"] <= 1.0
        assert then["low"] <= then["second_low"] <= then["second_high"] <= then["high"]
    near, far = document["points"]
    assert near["then"]["decades_beyond_data"] == 0.0 < far["then"]["decades_beyond_data"]
    assert "CHAIN_EXTRAPOLATED" in {note["id"] for note in document["notes"]}


def test_without_then_nothing_is_added(invoke, fits):
    result = invoke("predict", fits[0], "--at", "2000", "--format", "csv", "-q")
    assert "then" not in result.stdout


def test_second_fit_of_something_else_is_refused(invoke, fits):
    loss, _ = fits
    result = invoke("predict", loss, "--at", "2000", "--then", loss)
    assert result.exit_code == 2
    assert "is against images" in result.stderr


def test_other_units_are_refused(invoke, tmp_path):
    header = "images,val_loss,accuracy\n"
    rows = "".join(
        f"{n},{0.5 + 3 / n**0.3:.5f},{0.9 - 1 / n**0.3:.5f}\n"
        for n in (100, 300, 1e3, 3e3, 1e4, 3e4)
    )
    plain = tmp_path / "runs.csv"
    plain.write_text(header.replace("val_loss", "val_bpb") + rows, encoding="utf-8")
    loss, link = tmp_path / "a.yaml", tmp_path / "b.yaml"
    invoke("fit", plain, "--metric", "val_bpb", "--input", "images", "-q", "-o", loss)
    invoke("fit", plain, "--metric", "accuracy", "--input", "val_bpb", "-q", "-o", link)
    assert "input_unit: bits/byte" in link.read_text(encoding="utf-8")
    link.write_text(
        link.read_text(encoding="utf-8").replace("input_unit: bits/byte", "input_unit: nats/token"),
        encoding="utf-8",
    )
    result = invoke("predict", loss, "--at", "2000", "--then", link)
    assert result.exit_code == 2
    assert "in bits/byte, the second takes it in nats/token" in result.stderr


def test_a_log_is_no_second_fit(invoke, fits):
    result = invoke("predict", fits[0], "--at", "2000", "--then", IMAGES)
    assert result.exit_code == 2
    assert "takes a saved fit" in result.stderr
