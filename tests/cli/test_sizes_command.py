from __future__ import annotations

import json

import pytest

IMAGES = "sample_runs/images/epochs.csv"
LANGUAGE = "sample_runs/language/runs.csv"


def test_sizes_of_the_language_runs(invoke):
    result = invoke("sizes", LANGUAGE, "--max-gap", "5%", "--format", "json", "-q")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.sizes/1"
    assert document["max_gap"] == {"value": 0.05, "relative": True}
    low, high = (document["recommended"][key] for key in ("params_low", "params_high"))
    for row in document["rows"]:
        gap_too_large = row["gap"] > 0.05 * row["value"]
        assert row["verdict"].endswith("overfit") == gap_too_large
        assert gap_too_large == (row["params"] > high)
        assert (row["marginal_ratio"] > 2.0) == (row["params"] < low)


def test_a_larger_data_set_carries_a_larger_model(invoke):
    ends = []
    for images in ("1000", "4000"):
        result = invoke(
            "sizes", IMAGES, "--unique-tokens", images, "--max-gap", "0.2", "--format", "json", "-q"
        )
        ends.append(json.loads(result.stdout)["recommended"]["params_high"])
    assert ends[0] < ends[1]


def test_a_number_that_would_change_nothing_is_refused(invoke):
    result = invoke("sizes", LANGUAGE, "--unique-tokens", "1M")
    assert result.exit_code == 2
    assert "--unique-tokens would change nothing" in result.stderr
    assert "params and tokens" in result.stderr
    assert invoke("sizes", LANGUAGE, "--tokens", "8M", "-q").exit_code == 0
    assert invoke("sizes", IMAGES, "--unique-tokens", "4000", "-q").exit_code == 0


def test_strict_stops_a_script(invoke):
    assert invoke("sizes", IMAGES, "--strict", "-q").exit_code == 6


@pytest.mark.parametrize("gap", ["0", "-1", "nan", "200%", "x"])
def test_impossible_limits_are_refused(invoke, gap):
    result = invoke("sizes", LANGUAGE, "--max-gap", gap)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_without_training_values_sizes_are_judged_by_underfit_only(invoke, tmp_path):
    log = tmp_path / "runs.csv"
    rows = [
        f"{n:g},{t:g},{1.7 + 400 / n**0.34 + 400 / t**0.28}"
        for n in (1e7, 1e8, 1e9) for t in (1e9, 1e10, 1e11)
    ]  # fmt: skip
    log.write_text("params,tokens,val_loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("sizes", str(log))
    assert result.exit_code == 0
    assert "GAP_UNKNOWN" in result.stdout
    assert "not known without a gap" in result.stdout


def test_explain_lists_and_explains(invoke):
    assert "CAPACITY_LIMITED" in invoke("explain").stdout
    one = invoke("explain", "no_good_size")
    assert "rule" in one.stdout
    assert invoke("explain", "nonsense").exit_code == 2
    document = json.loads(invoke("explain", "REPEAT", "--format", "json").stdout)
    assert [entry["id"] for entry in document["explanations"]] == ["REPEAT"]


def test_fit_takes_classes_and_test_examples(invoke):
    asked = ("fit", IMAGES, "--metric", "val_accuracy", "--resamples", "0", "-q")
    plain = invoke(*asked)
    told = invoke(*asked, "--classes", "3", "--test-examples", "1000")
    assert "CHANCE_LEVEL" in told.stdout
    assert "CHANCE_LEVEL" not in plain.stdout
    assert invoke("fit", LANGUAGE, "--classes", "10", "-q").exit_code == 2
