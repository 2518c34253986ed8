"""Limits of a plan are said: memory, thin steps, duration, models too small for 6ND."""

from __future__ import annotations

import pytest
from records_for_tests import BESIROGLU

from scaleplan.advice import plan_notes
from scaleplan.catalog import default_accelerator
from scaleplan.planning.assemble import assemble_plan


def ids_of(**changes):
    options = {
        "params": 1e10, "active_params": None, "tokens": 2e11, "flops": None, "ratio": None,
        "accelerators": [default_accelerator()], "gpus": [64, 256], "mfu": None,
        "usd_per_hour": None, "batch_tokens": None, "sequence_length": 4096, "country": None,
        "pue": None,
    }  # fmt: skip
    plan = assemble_plan(BESIROGLU, **{**options, **changes})
    return {note.id: note for note in plan_notes(plan, BESIROGLU)}


def test_a_sound_plan_is_called_balanced_and_nothing_else():
    assert ids_of().keys() == {"BALANCED"}


def test_a_model_that_fits_nowhere_is_an_error():
    assert ids_of(params=1e12, tokens=2e13, gpus=[1, 2])["DOES_NOT_FIT"].severity == "error"


def test_a_model_that_fits_on_more_is_a_warning_with_the_count():
    note = ids_of(params=7e10, tokens=1.4e12, gpus=[8, 512])["DOES_NOT_FIT"]
    assert note.severity == "warning"
    # 70B take 16 bytes a parameter: two nodes of H100, with full recomputation.
    assert note.action == "It fits on 16 h100_sxm_80gb; or use larger accelerators."
    assert dict(note.numbers)["fitting_gpus"] == 16


def test_thin_steps():
    note = ids_of(batch_tokens=1e6, gpus=[64, 8192])["THIN_STEPS"]
    assert "8192" in note.text
    assert dict(note.numbers)["tokens_per_gpu_step"] == pytest.approx(1e6 / 8192, rel=0.01)


def test_longer_than_a_year():
    assert "LONGER_THAN_A_YEAR" in ids_of(params=7e10, tokens=1.4e12, gpus=[16, 32])


def test_tiny_models():
    assert "TINY_MODEL" in ids_of(params=2e7, tokens=4e8, gpus=[1, 2])


def test_a_plan_on_too_little_data_is_called_so():
    assert "DATA_LIMITED" in ids_of(tokens=1e10)
    assert "CAPACITY_LIMITED" in ids_of(tokens=1e13)
