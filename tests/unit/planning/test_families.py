import math
from dataclasses import replace

import pytest

from scaleplan.catalog import accelerator, planning_default
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.architectures import architecture
from scaleplan.planning.families import by_flops, by_patches, plan_family
from scaleplan.planning.image_models import (
    counted_network,
    patch_count,
    residual_network,
    vision_transformer,
)
from scaleplan.planning.recommender import example_seconds, recommender_model

A100 = accelerator("a100")
H100 = accelerator("h100")
RESNET, _ = by_flops(4.1e9, macs=True, params=25.6e6, family="cnn")


def plan(model=RESNET, **changes):
    use = {
        "examples": 1.28e6, "epochs": 90, "accelerators": [A100], "gpus": [8], "batch": None,
        "mfu": None, "usd_per_hour": None, "country": None, "pue": None,
    }  # fmt: skip
    return plan_family(model, **(use | changes))


def test_resnet_50_on_imagenet():
    found = plan()
    # 3 x 8.2 GFLOP x 1.28M x 90, as the notes have it: 2.8e18.
    assert found.flops == pytest.approx(2.83e18, rel=0.002)
    (row,) = found.rows
    # NVIDIA's own table: 16,621 images/s on 8 A100, three hours for 90 epochs.
    assert row.examples_per_second == pytest.approx(16621, rel=0.15)
    assert row.bound == "bandwidth"
    assert row.memory_gib_per_gpu is None
    assert row.fits is None


def test_multiply_adds_are_two_flop_and_who_says_flop_is_reminded():
    model, notes = by_flops(4.1e9, macs=False, params=None, family="cnn")
    assert model.forward_flops * 2 == RESNET.forward_flops
    assert [note.id for note in notes] == ["MACS_OR_FLOPS"]
    assert by_flops(1, macs=True, params=None, family="other")[1] == ()


def test_a_users_own_utilisation_is_used():
    (row,) = plan(mfu=0.3, gpus=[1]).rows
    # A whole run keeps 0.93 of it.
    assert row.mfu == pytest.approx(0.93 * 0.3, rel=0.02)


def test_few_examples_for_each_accelerator_cost_time_and_are_told():
    rows = plan(gpus=[8, 64, 256], batch=2048).rows
    assert rows[0].mfu > 1.03 * rows[1].mfu > 1.1 * rows[2].mfu
    assert not any(note.id == "FEW_EXAMPLES_A_STEP" for note in plan(gpus=[64], batch=2048).notes)
    (note,) = (n for n in plan(gpus=[256], batch=2048).notes if n.id == "FEW_EXAMPLES_A_STEP")
    assert note.numbers == (("examples_per_gpu_step", 8.0),)
    with pytest.raises(PlanError, match="a step has 2,048 examples"):
        plan(gpus=[8, 4096], batch=2048)


def test_counts_around_the_asked_one_are_shown_and_not_judged():
    found = plan(gpus=[128], around=[16, 64, 128, 256, 512], batch=256, mfu=0.2)
    assert [row.gpus for row in found.rows] == [16, 64, 128, 256]  # 512 would have no work
    assert [note.id for note in found.notes if note.id == "FEW_EXAMPLES_A_STEP"] != []
    wide = plan(gpus=[8], around=[1, 8, 64], batch=256)
    assert not any(note.id == "FEW_EXAMPLES_A_STEP" for note in wide.notes)
    # The user's own use is that of the count asked for.
    of_asked = plan(gpus=[128], batch=256, mfu=0.2).rows[0]
    assert found.rows[2].mfu == of_asked.mfu


def test_bands_say_on_what_they_rest():
    names = {item.name for item in plan(gpus=[8]).assumptions}
    assert "published over predicted time, 90th percentile (CNN)" in names
    other, _ = by_flops(8.2e9, macs=False, params=1e9, family="other")
    names = {item.name for item in plan(other, gpus=[8]).assumptions}
    assert any("vision transformers and others" in name for name in names)
    assert not any(name.startswith("published over predicted") for name in names)


def test_depthwise_networks_take_as_long_as_what_they_write():
    """EfficientNet-B0: 2,489 images/s on one A100 (DeepLearningExamples), as many as ResNet-50."""
    deep = architecture("efficientnet-b0")
    model = counted_network(deep.shape, image=None, origin=deep.id, source=deep.source)
    (row,) = plan(model, gpus=[1]).rows
    assert row.examples_per_second == pytest.approx(2489, rel=0.55)
    assert row.bound == "bandwidth"
    assert row.fits
    assert not any(note.id == "ACTIVATIONS_ASSUMED" for note in plan(model, gpus=[1]).notes)
    # Its FLOP alone make it ten times as fast, and that is told.
    known, _ = by_flops(0.386e9, macs=True, params=5.3e6, family="cnn")
    told = plan(known, gpus=[1])
    assert told.rows[0].examples_per_second > 5 * row.examples_per_second
    (note,) = (n for n in told.notes if n.id == "ACTIVATIONS_ASSUMED")
    assert note.severity == "warning"
    given, _ = by_flops(0.386e9, macs=True, params=5.3e6, family="cnn", activations=6.75e6)
    assert plan(given, gpus=[1]).rows[0].days == pytest.approx(row.days, rel=1e-3)
    assert not any(n.id == "ACTIVATIONS_ASSUMED" for n in plan(known, mfu=0.3).notes)


def test_plain_networks_are_bound_by_their_products():
    plain = architecture("vgg-16")
    model = counted_network(plain.shape, image=None, origin=plain.id, source="")
    part = accelerator("rtx_3090")
    (row,) = plan(model, accelerators=[part], gpus=[1]).rows
    assert row.bound == "compute"
    assert row.examples_per_second == pytest.approx(546, rel=0.25)


def test_counted_networks_grow_with_the_area_of_the_image():
    small, large = (
        counted_network("macs=1G,activations=2M,image=100", image=size, origin="x", source="")
        for size in (None, 200)
    )
    assert small.params is None
    assert (large.forward_flops, large.activations) == (8e9, 8e6)
    assert large.activation_bytes == 4 * 8e6


@pytest.mark.parametrize(
    "text", ["macs=1G", "activations=2M", "macs=x,activations=1M", "macs=1G,activations=1M,L=3"]
)
def test_counts_that_are_no_network(text):
    with pytest.raises(UsageError):
        counted_network(text, image=None, origin="x", source="")


def test_examples_and_epochs_only_matter_as_a_product():
    one, other = plan(epochs=90).rows[0], plan(examples=1.28e6 * 90, epochs=1).rows[0]
    assert one == other


def test_a_vision_transformer_takes_the_table_of_language_runs():
    model = vision_transformer(
        "L=12,d=768,heads=12,ffn=3072", image=None, patch=None, origin="x", source=""
    )
    found = plan(model, gpus=[1, 64])
    assert found.flops == pytest.approx(3 * 35.16e9 * 1.28e6 * 90, rel=1e-3)
    assert found.rows[1].efficiency < found.rows[0].efficiency <= 1
    assert all(row.fits for row in found.rows)
    low, high = (planning_default(f"family_band_{end}").value for end in ("low", "high"))
    assert found.rows[0].days_low == pytest.approx(low * found.rows[0].days)
    assert found.rows[0].days_high == pytest.approx(high * found.rows[0].days)


def test_times_that_rest_on_language_models_are_said_to_be_rough():
    model = vision_transformer(
        "L=12,d=768,heads=12,ffn=3072", image=None, patch=None, origin="x", source=""
    )
    (note,) = [note for note in plan(model).notes if note.id == "ROUGH"]
    assert note.severity == "info"
    assert "1.2 to 1.9 times" in note.text
    assert not any(note.id == "ROUGH" for note in plan(model, mfu=0.4).notes)


def test_a_vision_transformer_loses_nothing_to_a_card_of_little_memory():
    model = vision_transformer(
        "L=12,d=768,heads=12,ffn=3072", image=None, patch=None, origin="x", source=""
    )
    card = accelerator("rtx_3090")
    small = replace(card, memory_gib=card.memory_gib / 2)
    one, other = (plan(model, accelerators=[part]).rows[0].mfu for part in (card, small))
    assert one == other
    # 11 rates on this card (tests/benchmark/published_trainings.yaml): 0.58 of its peak for the
    # base size, 393 images a second of 3 x 35.2 GFLOP.
    assert one == pytest.approx(393 * 3 * 35.16e9 / (card.peak_tflops * 1e12), rel=0.2)


def test_six_n_times_patches():
    assert patch_count(224, 16) == 196
    assert patch_count(518, 14) == 37**2
    assert by_patches(1e9, 256).forward_flops == 2 * 1e9 * 256
    with pytest.raises(UsageError, match="larger than an image"):
        patch_count(8, 16)


def test_an_image_twice_as_wide():
    small, large = (
        residual_network("blocks=3-4-6-3", image=size, origin="x", source="") for size in (224, 448)
    )
    assert large.params == small.params
    assert large.forward_flops == pytest.approx(4 * small.forward_flops, rel=0.001)


@pytest.mark.parametrize(
    "text",
    ["blocks=3-4-6", "blocks=3-4-6-x", "blocks=3-4-6-3,block=odd", "L=3", "", "blocks=0-1-1-1"],
)
def test_shapes_that_are_no_residual_network(text):
    with pytest.raises(UsageError):
        residual_network(text, image=None, origin="x", source="")


def test_a_recommender_by_hand():
    model = recommender_model(1e7, rows=1e9, width=128, lookups=40)
    seconds = example_seconds(1e7, model.embeddings, H100, gpus=16, dense=0.15)
    assert seconds["compute"] == pytest.approx(6e7 / (989e12 * 0.15))
    assert seconds["bandwidth"] == pytest.approx(40 * 128 * 4 * 3 / (3350e9 * 0.5))
    network = 2 * 40 * 128 * 4 * 15 / 16 / (H100.inter_node_gbs * 1e9 * 0.65)
    assert seconds["network"] == pytest.approx(network)
    assert "network" not in example_seconds(1e7, model.embeddings, H100, gpus=1, dense=0.15)


def test_the_slowest_part_of_a_recommender_decides_and_tables_are_no_compute():
    small = recommender_model(1e7, rows=1e6, width=128, lookups=40)
    large = recommender_model(1e7, rows=1e9, width=128, lookups=40)
    use = {"examples": 4e9, "epochs": 1, "accelerators": [H100], "gpus": [16]}
    one, other = plan(small, **use), plan(large, **use)
    assert one.flops == other.flops == 6 * 1e7 * 4e9
    assert one.rows[0].days == other.rows[0].days
    assert other.rows[0].bound == "network"
    grown = other.rows[0].memory_gib_per_gpu - one.rows[0].memory_gib_per_gpu
    assert grown == pytest.approx((1e9 - 1e6) * (128 + 1) * 4 / 16 / 2**30)
    assert any(note.id == "ROUGH" for note in other.notes)
    dense = recommender_model(1e9, rows=1e6, width=8, lookups=1)
    assert plan(dense, **use).rows[0].bound == "compute"


def test_the_dlrm_of_nvidia_is_in_the_band():
    """4.2 billion examples in 1.44 h on a V100 (github.com/NVIDIA/DeepLearningExamples, 23a6382).

    Layers 13-512-256-128 and 479-1024-1024-512-256-1; 26 tables of width 128, of which the rows do
    not change the time.
    """
    model = recommender_model(2.37e6, rows=28e6, width=128, lookups=26)
    (row,) = plan(
        model, examples=4.195e9, epochs=1, accelerators=[accelerator("v100")], gpus=[1],
        batch=32768,
    ).rows  # fmt: skip
    assert row.days_low * 24 < 1.44 < row.days_high * 24
    assert 1.44 / (row.days * 24) == pytest.approx(1.5, rel=0.05)
    assert row.bound == "compute"


def test_tables_that_do_not_fit():
    model = recommender_model(1e7, rows=1e10, width=128, lookups=40)
    found = plan(model, accelerators=[H100], gpus=[8, 1024])
    assert [row.fits for row in found.rows] == [False, True]
    assert any(note.id == "DOES_NOT_FIT" and note.severity == "warning" for note in found.notes)


def test_work_that_overflows():
    with pytest.raises(UsageError, match="finite"):
        plan(examples=1e300, epochs=1e300)
    assert math.isfinite(plan(examples=1e30).rows[0].days)


def test_trainings_that_no_one_has_done_are_called_so():
    model = RESNET
    long = plan(model, examples=1.28e6, epochs=1e6, accelerators=[H100], gpus=[8])
    assert {"EPOCHS_UNSEEN", "LONGER_THAN_A_YEAR"} <= {note.id for note in long.notes}
    usual = plan(model, examples=1.28e6, epochs=300, accelerators=[H100], gpus=[8])
    assert not {"EPOCHS_UNSEEN", "LONGER_THAN_A_YEAR"} & {note.id for note in usual.notes}


def test_a_step_holds_no_more_than_the_data():
    with pytest.raises(UsageError, match="more than the 1,000"):
        plan(
            RESNET, examples=1000, epochs=30, accelerators=[H100], gpus=[8],
            batch=4096,
        )  # fmt: skip


def test_a_recommender_whose_speed_was_measured_is_no_rough_plan():
    model = recommender_model(1e7, rows=1e6, width=128, lookups=40)
    use = {"examples": 4e9, "epochs": 1, "accelerators": [H100], "gpus": [16]}
    severities = [
        {note.id: note.severity for note in plan(model, **use, mfu=mfu).notes}
        for mfu in (None, 0.2)
    ]
    assert [one["ROUGH"] for one in severities] == ["warning", "info"]
