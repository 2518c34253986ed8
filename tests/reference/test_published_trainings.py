"""The held-out trainings; tests/benchmark/published_trainings.py prints the table."""

import importlib.util
from pathlib import Path

import pytest
import yaml

from scaleplan.catalog import accelerator

_FILE = Path(__file__).resolve().parents[1] / "benchmark" / "published_trainings.py"
_SPEC = importlib.util.spec_from_file_location("published_trainings", _FILE)
published_trainings = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(published_trainings)
_DATA = yaml.safe_load(_FILE.with_suffix(".yaml").read_text(encoding="utf-8"))


def test_every_training_has_a_source_and_every_source_a_training():
    assert {one["source"] for one in _DATA["trainings"]} == set(_DATA["sources"])


def test_names_are_used_once():
    names = [one["name"] for one in _DATA["trainings"]]
    assert len(names) == len(set(names))


_LANGUAGE = [one for one in _DATA["trainings"] if one["kind"] != "image"]


@pytest.mark.parametrize("training", _LANGUAGE, ids=lambda one: one["name"])
def test_no_training_is_faster_than_its_accelerators(training):
    # 6 FLOP a parameter and token: a figure copied wrongly would mostly pass the peak.
    active = float(training.get("active", training["params"]))
    peak = accelerator(training["part"]).peak_tflops * 1e12
    if "hours" in training:
        tokens = float(training["tokens"])
        rate = tokens / (float(training["hours"]) * 3600 * training["gpus"])
    else:
        rate = float(training["rate"])
    assert 0.01 < 6 * active * rate / peak < 0.70


def test_a_half_is_the_parity_of_the_first_byte():
    # sha256("falcon") begins with an even byte and sha256("phi") with an odd one.
    assert published_trainings.half("falcon") == "choosing"
    assert published_trainings.half("phi") == "scoring"


def test_the_time_is_that_of_the_plan():
    # 7B on 8 A100: the ratio halves when twice the hours were predicted, that is twice the tokens,
    # of trainings so long that more hours no longer lower the MFU.
    training = {
        "name": "a", "source": "b", "kind": "whole", "params": 7e9, "tokens": 1e13, "batch": 5e5,
        "part": "a100_sxm_80gb", "gpus": 8, "hours": 100,
    }  # fmt: skip
    one, _ = published_trainings.ratio(training)
    other, _ = published_trainings.ratio(training | {"tokens": 2e13})
    assert one == pytest.approx(2 * other)


def test_a_file_of_one_training_is_printed(tmp_path, capsys):
    file = tmp_path / "some.yaml"
    file.write_text(
        "trainings:\n  - {name: mine, source: falcon, kind: whole, params: 7.0e+9,\n"
        "     tokens: 1.0e+12, batch: 4.0e+6, part: a100_sxm_80gb, gpus: 256, hours: 5000}\n",
        encoding="utf-8",
    )
    assert published_trainings.main([str(file)]) == 0
    out = capsys.readouterr().out
    assert "choosing  whole trainings, over 8      1" in out
    assert "outside, choosing: mine" in out


def test_what_an_examiner_gathered_is_a_part_of_its_own(tmp_path, capsys):
    assert set(_DATA["examined"]) < set(_DATA["sources"])
    file = tmp_path / "some.yaml"
    file.write_text(
        "examined: [falcon]\n"
        "trainings:\n  - {name: mine, source: falcon, kind: whole, params: 7.0e+9,\n"
        "     tokens: 1.0e+12, batch: 4.0e+6, part: a100_sxm_80gb, gpus: 256, hours: 5000}\n",
        encoding="utf-8",
    )
    assert published_trainings.main([str(file)]) == 0
    out = capsys.readouterr().out
    assert "examined  whole trainings, over 8      1" in out
    assert "choosing  whole" not in out
