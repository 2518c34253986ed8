import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaleplan.catalog import accelerator
from scaleplan.errors import UsageError
from scaleplan.planning.layout_checks import check_layout
from scaleplan.planning.layout_choice import choose_layout
from scaleplan.planning.layouts import (
    largest_cluster,
    layout_assumptions,
    most_accelerators,
    smallest_fitting,
)
from scaleplan.planning.memory import Layout, memory_model
from scaleplan.planning.shape import guess_shape
from scaleplan.planning.speed import Work, pace_of
from scaleplan.records import TrainingSetup

USABLE = 0.9


def model(params, batch=4e6, length=4096, setup=None, active=None):
    return memory_model(
        params, active_params=active or params, shape=guess_shape(active or params),
        batch_tokens=batch, sequence_length=length, setup=setup or TrainingSetup(),
    )  # fmt: skip


def pace(made, use, batch=4e6, part="h100"):
    """Return the speed in each layout on parts with NVLink."""
    work = Work(
        active_params=made.params, model=made, moe=made.experts > 1, batch_tokens=batch, mfu=None,
        mfu_gpus=1, setup=use,
    )  # fmt: skip
    return pace_of(work, accelerator(part))


def choose(params, gpus, memory, batch=4e6, length=4096, active=None, **setup):
    use = TrainingSetup(**setup)
    made = model(params, batch, length, use, active)
    return choose_layout(made, gpus=gpus, memory_gib=memory, setup=use, pace=pace(made, use, batch))


def layout(tensor=1, pipeline=1, data=1, zero=0, recompute="none"):
    return Layout(tensor=tensor, pipeline=pipeline, data=data, zero=zero, recompute=recompute)


def test_a_small_model_needs_no_tricks():
    use = choose(1e8, 1, 24)
    assert use.fits
    assert use.layout == layout()
    assert use.reason.endswith("; nothing need be split")


def test_ten_billion_on_a_node_of_h100_share_the_optimiser_and_two_the_layers():
    use = choose(1e10, 8, 80)
    assert use.fits
    assert use.layout == layout(tensor=2, data=4, zero=1)
    simpler = choose(1e10, 8, 800, tensor=1)
    assert use.reason == f"{use.gib:.1f} of 72.0 GiB; TP1 x PP1 needs {simpler.gib:.1f}"


def test_ten_billion_do_not_fit_on_one():
    use = choose(1e10, 1, 80)
    assert not use.fits
    assert use.gib > 16e10 / 2**30
    assert use.layout.recompute == "full"
    assert use.reason == f"nothing fits: at least {use.gib:.0f} of 72.0 GiB"


def test_the_smallest_cluster_that_fits_is_found():
    for params, memory in ((1e10, 80), (7e10, 80), (4e11, 80), (7e9, 24)):
        least = smallest_fitting(model(params), memory_gib=memory, setup=TrainingSetup())
        assert choose(params, least, memory).fits
        below = least - (1 if least <= 8 else 8)
        assert not choose(params, below, memory).fits


def test_no_cluster_is_large_enough_for_activations_that_cannot_be_split():
    setup = TrainingSetup(tensor=1, pipeline=1)
    assert smallest_fitting(model(7e10, setup=setup), memory_gib=16, setup=setup) is None


@pytest.mark.parametrize(
    ("params", "gpus", "memory"), [(175e9, 32, 80), (405e9, 64, 80), (70e9, 8, 80), (7e9, 1, 80)]
)
def test_states_alone_forbid_too_few(params, gpus, memory):
    assert not choose(params, gpus, memory).fits


@settings(deadline=None)
@given(
    st.floats(1e6, 1e13), st.integers(1, 100_000), st.floats(8, 300), st.floats(1, 4),
    st.floats(1e3, 1e8), st.sampled_from([128, 2048, 8192, 131072]),
)  # fmt: skip
def test_more_memory_never_turns_a_fit_into_none(params, gpus, memory, factor, batch, length):
    small = choose(params, gpus, memory, batch, length)
    large = choose(params, gpus, memory * factor, batch, length)
    assert large.fits or not small.fits
    for use, limit in ((small, memory), (large, memory * factor)):
        assert use.fits == (use.gib <= USABLE * limit)
        assert 1 <= use.layout.accelerators <= gpus
        assert use.layout.data <= max(1, batch / length)


def test_a_layout_that_uses_the_cluster_comes_before_a_simpler_one_that_idles():
    # 1,024 sequences cannot feed 8,192 copies of two accelerators each.
    use = choose(1e10, 16384, 80, batch=1024 * 4096)
    assert use.layout.accelerators == 16384
    assert use.layout.tensor * use.layout.pipeline == 16


@settings(deadline=None)
@given(st.floats(1e9, 1e12), st.integers(1, 4096))
def test_a_cluster_with_enough_sequences_is_kept_busy(params, gpus):
    use = choose(params, 8 * gpus, 1e6, batch=4096 * 8 * gpus)
    assert use.layout.accelerators >= 0.95 * 8 * gpus


def test_what_was_asked_for_is_kept():
    use = choose(175e9, 1024, 80, tensor=8, pipeline=12)
    assert (use.layout.tensor, use.layout.pipeline, use.layout.data) == (8, 12, 10)
    assert use.reason.startswith("as asked: ")
    assert choose(1e9, 8, 80, tensor=2, data=4).layout.accelerators == 8
    # What was not said is searched: more stages give work to more of 64.
    more = choose(1e9, 64, 80, tensor=2, data=4).layout
    assert (more.tensor, more.data) == (2, 4)
    assert more.accelerators > 8
    assert choose(1e9, 64, 80, zero=2).layout.zero == 2
    assert choose(1e9, 64, 80, recompute="selective").layout.recompute == "selective"
    alone = choose(1e10, 64, 80, fsdp_only=True).layout
    assert (alone.zero, alone.tensor, alone.pipeline, alone.data) == (3, 1, 1, 64)


def test_a_layout_for_more_accelerators_than_there_are_does_not_fit():
    use = choose(1e9, 16, 80, tensor=8, pipeline=4)
    assert not use.fits
    assert use.reason.endswith("but on 32 accelerators")
    assert smallest_fitting(model(1e9), memory_gib=80, setup=TrainingSetup(tensor=8, data=3)) == 24


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ({"tensor": 16}, "tp=16 is more than the 8"), ({"pipeline": 500}, "pp=500 is more than"),
        ({"expert": 2}, "ep=2 is more than the 1"), ({"micro_batch": 5000}, None),
        ({"expert": 4, "data": 6, "experts": 8}, "ep=4 does not divide dp=6"),
    ],
)  # fmt: skip
def test_layouts_that_contradict_themselves(setup, message):
    use = TrainingSetup(**setup)
    active = 1e10 if "experts" in setup else None
    if message is None:
        # The batch grows to one micro-batch.
        assert model(1e11, setup=use).sequences == 5000
        return
    with pytest.raises(UsageError, match=message):
        check_layout(model(1e11, setup=use, active=active), use)


def test_larger_nodes_allow_more_tensor_parallelism():
    check_layout(model(1e11), TrainingSetup(tensor=16, node_size=16))
    assert choose(405e9, 32, 80, node_size=32).layout.tensor > 8


def test_no_more_accelerators_have_work_than_the_batch_has_sequences():
    """g <= (B / s) x TP x PP."""
    found = most_accelerators(model(1e10, batch=100 * 4096), layout(tensor=8, pipeline=2, data=9))
    assert found == 100 * 16
    most = largest_cluster(model(1e10, batch=100 * 4096), TrainingSetup())
    assert most == 100 * 8 * guess_shape(1e10).layers


def test_a_mixture_of_experts_spreads_its_experts():
    use = choose(671e9, 2048, 80, batch=6e7, active=37e9)
    assert use.fits
    assert use.layout.expert > 1
    assert use.layout.data % use.layout.expert == 0


def test_its_assumptions_are_named():
    shape = guess_shape(7e9)
    setup = TrainingSetup(tensor=8, zero=0)
    values = {item.name: item.value for item in layout_assumptions(setup, shape)}
    assert values["layout"] == "tp 8, ZeRO 0"
    assert values["accelerators in a node"] == 8
    assert layout_assumptions(TrainingSetup(node_size=4), shape)[0].value == 4


def test_heads_that_a_layout_does_not_divide_are_said_where_they_are_assumed():
    shape = guess_shape(7e9)
    assert shape.heads == 32
    found = {item.name: item.value for item in layout_assumptions(TrainingSetup(tensor=7), shape)}
    assert found["heads"] == "a multiple of tp=7, not the 32 assumed"
    assert "heads" not in [item.name for item in layout_assumptions(TrainingSetup(tensor=4), shape)]


def test_tensor_parallelism_splits_heads_and_no_more():
    tiny = choose(1e6, 64, 80, batch=8 * 4096)
    assert tiny.layout.tensor <= guess_shape(1e6).heads


def test_copies_that_share_nothing_help_no_more_than_the_pipeline_allows():
    setup = TrainingSetup(tensor=8, pipeline=12, zero=0, recompute="full", gradient_bytes=4.0)
    use = model(175e9, setup=setup)
    assert smallest_fitting(use, memory_gib=80, setup=setup) == 96
    assert smallest_fitting(use, memory_gib=32, setup=setup) is None


def test_a_single_copy_is_measured_against_simpler_splits():
    use = choose(175e9, 96, 40, batch=3.1e6, length=2048)
    assert use.fits
    assert use.layout.data == 1
    assert "; TP" in use.reason


CARDS = ("rtx_4090", "l40s", "a100_pcie_80gb", "h100")


@pytest.mark.parametrize("part", CARDS)
@pytest.mark.parametrize("gpus", [4, 6, 8, 16, 20])
def test_no_other_layout_that_fits_is_faster(part, gpus):
    """Every layout is tried by hand, with the copies that have work."""
    made, card = model(7e9), accelerator(part)
    speed = pace(made, TrainingSetup(), part=part)
    use = choose_layout(
        made, gpus=gpus, memory_gib=card.memory_gib, setup=TrainingSetup(), pace=speed
    )
    layers = made.shape.layers
    fitting = [
        Layout(tensor=t, pipeline=p, data=gpus // (t * p), zero=z, recompute=r)
        for t in (1, 2, 4, 8) for p in range(1, layers + 1) for z in (1, 3)
        for r in ("none", "full") if layers % p == 0 and t * p <= gpus and not (z == 3 and p > 1)
    ]  # fmt: skip
    fitting = [
        one for one in fitting
        if made.use(one).total <= USABLE * card.memory_gib and not (one.zero == 3 and one.data == 1)
    ]  # fmt: skip
    assert use.fits == bool(fitting)
    if fitting:
        assert speed(use.layout) == pytest.approx(max(map(speed, fitting)))


def test_slow_links_make_stages_of_layers_rather_than_split_them():
    made = model(3e9, batch=2.67e6)
    card = accelerator("rtx_4090")
    found = {}
    for part in ("rtx_4090", "h100"):
        found[part] = choose_layout(
            made, gpus=8, memory_gib=card.memory_gib, setup=TrainingSetup(),
            pace=pace(made, TrainingSetup(), 2.67e6, part),
        )  # fmt: skip
    assert found["rtx_4090"].layout == layout(pipeline=4, data=2, zero=1)
    assert found["h100"].layout == layout(tensor=2, data=4, zero=1)
    assert "TP2 x PP1 takes 1.16 times as long" in found["rtx_4090"].reason


def test_a_simpler_layout_that_leaves_hardly_more_idle_is_named():
    use = choose(1e12, 60_000, 80, batch=3.97e7)
    assert use.layout.accelerators == 60_000
    assert "leaves" in use.reason
    assert "more idle" in use.reason


def test_a_layout_that_takes_more_than_there_are_says_how_many():
    use = choose(7e9, 64, 80, tensor=8, pipeline=16)
    assert not use.fits
    assert use.layout == layout(tensor=8, pipeline=16)
    assert use.reason.endswith("but on 128 accelerators")


def test_a_simpler_layout_is_named_by_all_that_sets_it_apart():
    # A whole copy of 7B over 8 cards of 24 GiB fits in stages only if it is computed twice.
    made, setup = model(7e9), TrainingSetup()
    use = choose_layout(
        made, gpus=8, memory_gib=24, setup=setup, pace=pace(made, setup, part="rtx_4090")
    )
    assert use.layout == layout(pipeline=8, recompute="full")
    assert use.reason.endswith("; TP4 x PP2 without recompute takes 1.02 times as long")
