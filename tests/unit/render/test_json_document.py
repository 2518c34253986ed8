from __future__ import annotations

import json

import pytest

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.render.formats import document_of
from scaleplan.render.json_document import error_document, note_document, write_document


def strict(text: str):
    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def document(record):
    return strict(write_document(document_of(record)))


def test_every_document_has_the_common_keys(make):
    for record, schema, command in (
        (make.fit(), "scaleplan.fit/1", "fit"),
        (make.forecast(), "scaleplan.forecast/1", "predict"),
        (make.plan(), "scaleplan.plan/1", "budget"),
    ):
        made = document(record)
        assert made["schema"] == schema
        assert made["command"] == command
        assert made["version"]
        assert made["assumptions"][0] == {
            "name": "FLOP per token", "value": 6.0, "unit": "FLOP", "source": "Kaplan 2020",
        }  # fmt: skip
        assert made["notes"][0]["id"] == "FEW_RUNS"
        assert made["notes"][0]["severity"] == "warning"
        assert made["notes"][0]["runs"] == 30.0


def test_fit_document_follows_the_contract(make):
    made = document(make.fit())
    assert made["parameters"]["E"] | {"meaning": "", "at_bound": False, "fixed": False} == {
        "value": 1.817, "low": 1.75, "high": 1.88, "unit": "nats/token", "meaning": "",
        "at_bound": False, "fixed": False, "method": "case bootstrap, 1000 resamples", "n": 30,
    }  # fmt: skip
    assert made["parameters"]["A"]["low"] is None
    assert made["parameters"]["A"]["method"] == "profile likelihood"
    assert made["interval"] == {
        "level": 0.9, "method": "case bootstrap, 1000 resamples", "n": 30,
    }  # fmt: skip
    assert made["quality"]["runs"] == 30
    assert made["quality"]["rmse_log"] == 0.0031
    assert made["quality"]["objective"] == 0.01
    assert made["cleaning"]["rows_read"] == 45
    assert made["cleaning"]["rows_used"] == 30
    assert len(made["cleaning"]["dropped"]) == 15
    assert made["cleaning"]["dropped"][0] == {
        "file": "runs.csv", "line": 2, "reason": "loss is -1", "run": "run2",
    }  # fmt: skip
    assert made["optimum"][0] == {
        "flops": 1e21, "params": 2.6e9, "params_low": 2e9, "params_high": 3.4e9, "tokens": 6.4e10,
        "tokens_low": 4.9e10, "tokens_high": 8.3e10, "tokens_per_param": 6.4e10 / 2.6e9,
        "tokens_per_param_low": 14.4, "tokens_per_param_high": 41.7, "value": 2.31, "low": 2.28,
        "high": 2.35, "params_valley_low": 1.5e9, "params_valley_high": 4.4e9,
        "params_forms_low": None, "params_forms_high": None,
    }  # fmt: skip
    assert made["optimum_interval"] == made["interval"]
    for key in ("law", "formula", "inputs", "metric", "fingerprint"):
        assert key in made


def test_forecast_document_follows_the_contract(make):
    made = document(make.forecast())
    assert made["points"] == [
        {
            "params": 1e10, "tokens": 2e11, "flops": 1.2e22, "input_value": None,
            "value": 2.1234567, "low": 2.05, "high": 2.2, "decades_beyond_data": 0.824,
            "mean_low": 2.1, "mean_high": 2.15,
        }
    ]  # fmt: skip
    assert made["interval"]["level"] == 0.9


def test_plan_document_follows_the_contract(make):
    made = document(make.plan())
    assert made["model"] == {
        "params": 1e10, "active_params": 1e10, "tokens": 2e11, "flops": 1.2e22,
    }  # fmt: skip
    assert made["forecast"]["value"] == 2.1234567
    assert made["forecast"]["low"] == 2.05
    assert made["rows"][1]["days"] == {"low": 0.31, "expected": 0.37, "high": 0.52}
    assert set(made["rows"][0]) >= {
        "gpus", "gpu", "mfu", "efficiency", "days", "gpu_hours", "usd", "energy_kwh", "tco2",
        "memory_gib_per_gpu", "fits", "layout",
    }  # fmt: skip


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_becomes_null(make, value):
    made = document(make.forecast(points=(make.point(value=value, low=value),)))
    assert made["points"][0]["value"] is None
    assert made["points"][0]["low"] is None


def test_control_characters_are_escaped(make):
    evil = "a\x1b[31m\x7f\x9b\u202e\ud800"
    text = write_document(document_of(make.forecast(fit_name=evil)))
    assert text.isascii()
    assert not any((ord(c) < 32 and c != "\n") or ord(c) == 127 for c in text)
    assert strict(text)["fit"] == evil


def test_a_note_whose_number_would_hide_its_text_is_refused():
    note = Note(id="X", severity="info", text="t", numbers=(("text", 1.0),))
    with pytest.raises(ValueError, match="text cannot name a number"):
        note_document(note)


def test_error_document():
    made = error_document(InputError("loss is -1", hint="Drop it.", file="runs.csv", line=7))
    assert made | {"version": ""} == {
        "schema": "scaleplan.error/1", "version": "", "error": "loss is -1", "hint": "Drop it.",
        "exit_code": 3, "file": "runs.csv", "line": 7,
    }  # fmt: skip
