"""Limits of a plan are said: memory, thin steps, duration, models too small for 6ND."""

from __future__ import annotations

import pytest
from records_for_tests import BESIROGLU

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator, default_accelerator
from scaleplan.planning.assemble import assemble_plan
from scaleplan.records import TrainingSetup


def plan_of(**changes):
    options = {
        "params": 1e10, "active_params": None, "tokens": 2e11, "flops": None, "ratio": None,
        "accelerators": [default_accelerator()], "gpus": [64, 256], "mfu": None,
        "usd_per_hour": None, "batch_tokens": None, "sequence_length": 4096, "country": None,
        "pue": None,
    }  # fmt: skip
    return assemble_plan(BESIROGLU, **{**options, **changes})


def ids_of(**changes):
    plan = plan_of(**changes)
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


def test_a_batch_far_above_the_critical_one():
    note = ids_of(batch_tokens=4.694e7)["LARGE_BATCH"]
    # Ten times the batch with 20% overhead: (1 + 2) / (1 + 0.2).
    assert dict(note.numbers)["tokens_factor"] == pytest.approx(2.5, rel=1e-3)
    assert "LARGE_BATCH" not in ids_of(batch_tokens=8e6)


def test_an_mfu_that_nobody_has_published():
    assert "UNLIKELY_MFU" in ids_of(mfu=0.9)
    assert "UNLIKELY_MFU" not in ids_of(mfu=0.55)


def test_weights_shared_between_copies_wait_for_the_network():
    part = {"accelerators": [accelerator("rtx_4090")], "params": 3e9, "tokens": 6e10}
    # Whether the user asked for it or nothing else fits, the time contains it.
    for asked in ({"tensor": 1, "pipeline": 1}, {"node_size": 1}, {"fsdp_only": True}):
        setup = TrainingSetup(zero=3, **asked)
        plan = plan_of(**part, gpus=[512], setup=setup, batch_tokens=4e6)
        asked_row = next(row for row in plan.rows if row.gpus == 512)
        assert asked_row.sharded
        assert asked_row.useful_gpus is not None
        note = ids_of(**part, gpus=[512], setup=setup, batch_tokens=1.5e6)["SHARDED_ALONE"]
        assert dict(note.numbers)["tokens_per_gpu_step"] < 13_000
        assert "which the time contains" in note.text
    setup = TrainingSetup(node_size=1, pipeline=1)
    found = ids_of(**{**part, "params": 9e9}, gpus=[512], setup=setup, batch_tokens=1.5e6)
    assert dict(found["SHARDED_ALONE"].numbers)["tokens_per_gpu_step"] < 13_000


def test_the_mfu_that_falls_with_the_nodes_is_told_apart_from_efficiency():
    note = ids_of(params=1e9, tokens=2e10, gpus=[8, 512])["FEW_NODES"]
    small, large = plan_of(params=1e9, tokens=2e10, gpus=[8, 512]).rows
    assert dict(note.numbers)["share"] == pytest.approx(
        large.mfu / large.efficiency * small.efficiency / small.mfu
    )
    assert "on 8 and" in note.text
    for other in ({"gpus": [512, 1024]}, {"gpus": [1, 8]}, {"gpus": [8, 512], "mfu": 0.4}):
        assert "FEW_NODES" not in ids_of(params=1e9, tokens=2e10, **other)


def test_recomputation_is_told_and_counts_around_the_asked_one_are_not_judged():
    note = ids_of(params=7e9, gpus=[8], setup=TrainingSetup(recompute="full"))["RECOMPUTED"]
    assert "8 FLOP" in note.text
    assert "RECOMPUTED" not in ids_of(params=7e9, gpus=[8])
    few = {row.gpus for row in plan_of(params=7e9, gpus=[8]).rows if not row.fits}
    assert few  # one accelerator is too small
    assert "DOES_NOT_FIT" not in ids_of(params=7e9, gpus=[8])
    assert "DOES_NOT_FIT" in ids_of(params=7e9, gpus=sorted({*few, 8}))


def test_a_pipeline_of_fewer_micro_batches_than_stages_is_said():
    shallow = {"params": 7e9, "tokens": 1.4e11, "gpus": [64], "batch_tokens": 32 * 4096}
    found = ids_of(**shallow, setup=TrainingSetup(tensor=1, pipeline=8))["EMPTY_STAGES"]
    assert found.severity == "warning"
    assert "each of 8 stages" in found.text
    assert "4.00 micro-batches" in found.text
    assert dict(found.numbers) == {"gpus": 64.0, "share": pytest.approx(16 / 35)}
    enough = ids_of(**shallow, setup=TrainingSetup(tensor=2, pipeline=8))
    assert "EMPTY_STAGES" not in enough


def test_layers_split_over_slow_links_are_said():
    card = {"accelerators": [accelerator("rtx_4090")], "params": 7e9, "tokens": 1.4e11}
    plan = plan_of(**card, gpus=[8, 16])
    note = ids_of(**card, gpus=[8, 16])["SLOW_LINKS"]
    split = next(row for row in plan.rows if row.gpus == 16)
    assert f"{1 / split.links_share:.3g} times as long on 16" in note.text
    assert "31.5 GB/s" in note.text
    assert dict(note.numbers)["links_share"] == split.links_share
    # On NVLink nothing is slower.
    assert "SLOW_LINKS" not in ids_of(params=7e10, tokens=1.4e12, gpus=[64])


def test_what_the_mfu_of_few_nodes_leaves_is_what_the_row_shows():
    """The MFU of the note, times all shares that a row shows, is the MFU of the row."""
    card = {"accelerators": [accelerator("rtx_4090")], "params": 1e9, "tokens": 2e10}
    note = ids_of(**card, gpus=[8, 64])["FEW_NODES"]
    few, many = plan_of(**card, gpus=[8, 64]).rows
    left = [row.mfu / row.efficiency / row.links_share / row.recompute_share for row in (few, many)]
    assert f"reaches {100 * left[0]:.3g}%" in note.text.replace(".0%", "%")
    assert dict(note.numbers)["share"] == pytest.approx(left[1] / left[0])


def test_a_layout_for_more_accelerators_than_there_are_is_no_want_of_memory():
    setup = TrainingSetup(tensor=8, pipeline=16)
    found = ids_of(params=7e9, gpus=[64], setup=setup)
    assert "DOES_NOT_FIT" not in found
    note = found["LAYOUT_TAKES_MORE"]
    assert note.severity == "error"
    assert "128 accelerators" in note.text
    assert dict(note.numbers) == {"needs_gpus": 128.0, "gpus": 64.0}
    assert (
        ids_of(params=7e9, gpus=[64, 128], setup=setup)["LAYOUT_TAKES_MORE"].severity == "warning"
    )


def test_checkpoints_that_take_much_of_the_time():
    large = {"params": 1e12, "tokens": 2e13, "gpus": [60_000, 120_000], "mfu": 0.35}
    note = ids_of(**large)["SLOW_CHECKPOINTS"]
    assert "stands still for 1.00 min" in note.text
    assert dict(note.numbers)["stop_seconds"] == pytest.approx(60)
    waits = ids_of(**large, setup=TrainingSetup(checkpoint_seconds=700.0))["SLOW_CHECKPOINTS"]
    assert "stands still for 11.7 min" in waits.text
    for setup in (TrainingSetup(checkpoint_seconds=1.0), TrainingSetup(storage_gbs=20_000.0)):
        assert "SLOW_CHECKPOINTS" not in ids_of(**large, setup=setup)
    assert "SLOW_CHECKPOINTS" not in ids_of(**large | {"mfu": None})
