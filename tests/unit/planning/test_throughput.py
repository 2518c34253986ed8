import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.catalog import accelerator, planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.throughput import (
    choose_batch,
    cluster_efficiency,
    sharded_assumptions,
    sharded_knee,
    throughput_assumptions,
    useful_accelerators,
    useful_batch,
)
from scaleplan.planning.utilisation import base_utilisation, run_band, run_utilisation

H100 = accelerator("h100")
A100 = accelerator("a100")
COUNTS = st.integers(1, 10_000_000)
SIZES = st.floats(1e5, 1e14)


def test_half_the_speed_is_lost_at_200_tokens_a_step_and_900_for_experts():
    assert cluster_efficiency(1000, batch_tokens=200_000, moe=False) == pytest.approx(0.5)
    assert cluster_efficiency(1000, batch_tokens=900_000, moe=True) == pytest.approx(0.5)


def test_chips_of_a_torus_lose_little_at_few_tokens():
    """PaLM 540B: 4M tokens on 6,144 chips, where a GPU would keep 77%."""
    tpu, gpu = (
        cluster_efficiency(6144, batch_tokens=4e6, moe=False, accelerator=accelerator(name))
        for name in ("tpu_v4", "h100")
    )
    assert tpu > 0.95
    assert gpu < 0.8


def test_llama_405b_slows_down_as_published():
    # 430 to 400 TFLOP/s from 8,192 to 16,384 GPUs at 16.8M tokens (arXiv 2407.21783, table 4).
    few, many = (cluster_efficiency(g, batch_tokens=16.8e6, moe=False) for g in (8192, 16384))
    assert many / few == pytest.approx(400 / 430, rel=0.02)


@given(COUNTS, COUNTS, st.floats(1, 1e9), st.booleans())
def test_more_accelerators_are_less_efficient_but_faster_together(one, other, batch, moe):
    few, many = sorted((one, other))
    low = cluster_efficiency(few, batch_tokens=batch, moe=moe)
    high = cluster_efficiency(many, batch_tokens=batch, moe=moe)
    assert 0 < high <= low <= 1
    assert many * high >= few * low * (1 - 1e-12)


def fixed_cost(name, params, *, cluster=False):
    # 20M parameters at the 312e3 / 2039 FLOP/B of an A100 80GB, 100M on clusters of GPUs.
    part = accelerator(name)
    balance = part.peak_tflops * 1e3 / part.memory_bandwidth_gbs
    return 1 + (100e6 if cluster else 20e6) * balance / (312e3 / 2039) / params


def test_the_fixed_cost_of_a_token_is_bytes_of_memory():
    """A part of twice the FLOP for a byte loses the work of twice as many parameters."""
    fast = dataclasses.replace(A100, peak_tflops=624.0)
    for part, lost in ((A100, 100e6), (fast, 200e6)):
        few, many = (
            base_utilisation(part, active_params=params, moe=False) / params**0.05
            for params in (1e8, 1e11)
        )
        assert few / many == pytest.approx((1 + lost / 1e11) / (1 + lost / 1e8), rel=1e-6)
    unknown = dataclasses.replace(fast, memory_bandwidth_gbs=None)
    assert base_utilisation(unknown, active_params=1e8, moe=False) == pytest.approx(
        base_utilisation(A100, active_params=1e8, moe=False)
    )


def test_the_reference_points_of_each_class():
    """At 10B parameters and 80 GiB only the fixed cost of a token is left."""
    # An H200 is as much faster in long trainings as in single steps.
    h200 = 0.27 / 0.43 / (1 / 0.43 + 0.0023 * (989e3 / 4800 - 989e3 / 3350))
    for name, expected in (("a100", 0.41), ("h100", 0.27), ("h200", h200), ("tpu_v5p", 0.36)):
        use = base_utilisation(accelerator(name), active_params=1e10, moe=False)
        lost = fixed_cost(name, 1e10, cluster=not name.startswith("tpu"))
        assert use == pytest.approx(expected / lost), name


def test_a_part_without_runs_is_scaled_by_its_matmul_efficiency():
    part = accelerator("mi300x")
    use = base_utilisation(part, active_params=1e10, moe=False)
    balance = part.peak_tflops * 1e3 / part.memory_bandwidth_gbs
    known = 0.27 / 0.43 / (1 / 0.43 + 0.0023 * (balance - 989e3 / 3350))
    assert use == pytest.approx(known * 0.514 / 0.80 / fixed_cost("mi300x", 1e10, cluster=True))
    unmeasured = dataclasses.replace(accelerator("mi300x"), matmul_efficiency=None)
    use = base_utilisation(unmeasured, active_params=1e10, moe=False)
    assert use == pytest.approx(known / fixed_cost("mi300x", 1e10, cluster=True))


def test_experts_cost_a_fifth_of_the_utilisation():
    dense, sparse = (base_utilisation(H100, active_params=2e10, moe=moe) for moe in (False, True))
    assert sparse / dense == pytest.approx(0.8)


def test_less_memory_is_slower_and_more_than_80_gib_is_not_faster():
    half = dataclasses.replace(A100, memory_gib=40.0)
    a40 = base_utilisation(half, active_params=1e10, moe=False)
    assert a40 / base_utilisation(A100, active_params=1e10, moe=False) == pytest.approx(0.5**0.2)
    large = dataclasses.replace(A100, memory_gib=800.0)
    assert base_utilisation(large, active_params=1e10, moe=False) == base_utilisation(
        A100, active_params=1e10, moe=False
    )


LONG = 1e26  # FLOP that take any part more than 10,000 hours


def small(name, gpus, **changes):
    options = {"active_params": 1e9, "moe": False, "node": 8, "flops": 0.0} | changes
    return run_utilisation(accelerator(name), gpus=gpus, **options)


@pytest.mark.parametrize(("name", "steady"), [("a100", 0.50), ("h100", 0.43), ("l40s", 0.383)])
def test_a_short_run_inside_a_node_is_as_fast_as_its_steps(name, steady):
    part = accelerator(name)
    expected = steady / fixed_cost(name, 1e9) * (part.memory_gib / 80) ** 0.2
    if name == "l40s":
        assert part.utilisation_class == "other"
        expected *= (part.matmul_efficiency or 0.80) / 0.80
    assert small(name, 1) == small(name, 8) == pytest.approx(expected, rel=1e-3)
    assert small(name, 16, node=16) == small(name, 8)


def test_what_waits_for_memory_lowers_the_mfu_of_single_steps():
    """1/u is on the line through A100 (153 FLOP/B) and H100 (295) for parts without a class."""
    for name, steady in (("a100", 0.50), ("h100", 0.43)):
        part = dataclasses.replace(
            accelerator(name), utilisation_class="other", matmul_efficiency=None
        )
        found = run_utilisation(part, active_params=1e9, moe=False, gpus=1, node=8, flops=0.0)
        assert found == pytest.approx(steady / fixed_cost(name, 1e9), rel=2e-3)
    # BERT Large on one card, 384 tokens a sequence (github.com/lambdal/deeplearning-benchmark,
    # 0551cb7): sequences a second, 6 x 334M FLOP a token; 0.56, 0.43, 0.34 and 0.26 of the peak.
    rates = {"rtx_3090": 52, "rtx_4090": 93, "rtx_a6000": 68, "a10": 42}
    measured, predicted = [], []
    for name, rate in rates.items():
        part = accelerator(name)
        measured.append(rate * 384 * 6 * 334e6 / (part.peak_tflops * 1e12))
        predicted.append(small(name, 1, active_params=334e6) / (part.memory_gib / 80) ** 0.2)
    assert measured == sorted(measured, reverse=True)
    assert predicted[0] > 1.1 * predicted[1] > 1.1 * predicted[2] > predicted[3]


def test_more_bandwidth_makes_a_part_of_a_class_faster():
    """Llama 3.1 8B by torchtitan: 10,938 tokens/s on H200, 8,532 on H100 of 2,400 GB/s."""
    slow = dataclasses.replace(H100, memory_bandwidth_gbs=2400.0)
    use = {"active_params": 8e9, "moe": False, "gpus": 8, "node": 8, "flops": 0.0}
    h200 = run_utilisation(accelerator("h200"), **use)
    assert h200 / run_utilisation(slow, **use) == pytest.approx(10_938 / 8_532, rel=0.06)
    assert h200 > run_utilisation(H100, **use) > run_utilisation(accelerator("h100_pcie"), **use)
    large = use | {"gpus": 4096, "active_params": 1e12, "flops": LONG}
    few, many = (
        run_utilisation(accelerator("h200"), **each) / run_utilisation(H100, **each)
        for each in (use | {"active_params": 1e12}, large)
    )
    assert few == pytest.approx(many, rel=1e-3)
    assert few > 1.05


def test_between_a_node_and_eight_the_mfu_of_a_small_model_falls_evenly_with_each_doubling():
    found = [small("h100", gpus, flops=LONG) for gpus in (8, 16, 32, 64, 4096)]
    assert found[3] == found[4]
    assert found[3] == pytest.approx(base_utilisation(H100, active_params=1e9, moe=False))
    steps = [after / before for before, after in itertools.pairwise(found[:4])]
    assert steps == pytest.approx([(found[3] / found[0]) ** (1 / 3)] * 3)
    assert steps[0] < 1


def test_with_the_hours_of_its_steps_the_mfu_falls_to_that_of_long_trainings():
    """From 100 to 10,000 hours of an H100 at 0.43 / (1 + 38.7M / 7B) of 989 TFLOP/s."""
    step = small("h100", 8, active_params=7e9)
    long = small("h100", 8, active_params=7e9, flops=LONG)
    for hours, share in ((50, 0.0), (100, 0.0), (1e3, 0.5), (1e4, 1.0), (1e6, 1.0)):
        found = small("h100", 8, active_params=7e9, flops=hours * 3600 * 989e12 * step)
        assert found == pytest.approx(step ** (1 - share) * long**share)
    assert long / step == pytest.approx(0.27 / 0.43 * 0.7**0.05)


@given(st.floats(1e17, 1e27), st.sampled_from(["h100", "a100", "b200", "mi300x", "tpu_v5e"]))
def test_counts_of_one_plan_differ_by_no_more_than_one_program_measured(flops, name):
    """From 8 to 64 and 128 GPUs one program kept 0.96 to 1.00 of its speed (7B and more)."""
    few, many, most = (
        small(name, gpus, active_params=7e9, flops=flops) for gpus in (8, 64, 512)
    )  # fmt: skip
    assert 0.95 * few <= many == most <= few


def test_a_tpu_loses_no_more_on_clusters():
    for name in ("tpu_v4", "tpu_v3"):
        assert small(name, 1) == small(name, 4096)


@pytest.mark.parametrize(("params", "published"), [
    (16e9, (120, 117, 117, 115, 111, 108)), (32e9, (132, 128, 126, 125, 123, 119)),
    (64e9, (118, 112, 110, 108, 105, 99)), (128e9, (110, 110, 108, 104, 100, 91)),
])  # fmt: skip
def test_steps_on_tpu_v5e_are_those_of_maxtext(params, published):
    """TFLOP/s a chip on 256 to 8,192 (github.com/AI-Hypercomputer/maxtext, MaxText/configs/v5e)."""
    found = small("tpu_v5e", 256, active_params=params) * 197
    assert all(0.95 < rate / found < 1.55 for rate in published)


def test_a_v100_is_on_the_line_of_single_steps_and_clusters_of_it_are_slower():
    # 1 / (1/0.43 + 0.0023 (125e3 / 900 - 989e3 / 3350)) at 1B, on 32 of 80 GiB.
    steady = (
        1 / (1 / 0.43 + 0.0023 * (125e3 / 900 - 989e3 / 3350)) / fixed_cost("v100", 1e9) * 0.4**0.2
    )
    assert small("v100", 1) == small("v100", 8) == pytest.approx(steady, rel=1e-3)
    assert small("v100", 8) > small("v100", 32) > small("v100", 64) == small("v100", 4096)
    large = 0.25 * 0.1**0.05 / fixed_cost("v100", 1e9, cluster=True) * 0.4**0.2
    assert small("v100", 64, flops=LONG) == pytest.approx(large)


@pytest.mark.parametrize(("name", "gpus", "high"), [
    ("v100", 8, "time_band_high"), ("v100", 9, "time_band_high_v100"),
    ("a100", 512, "time_band_high"), ("tpu_v3", 512, "time_band_high"),
])  # fmt: skip
def test_clusters_of_v100_and_tpu_have_an_end_of_the_band_of_their_own(name, gpus, high):
    found = run_band(accelerator(name), active_params=5e9, gpus=gpus, node=8)
    assert found == ("time_band_low_tpu" if name == "tpu_v3" else "time_band_low", high)


def test_mixtures_with_few_active_parameters_have_an_end_of_their_own():
    found = run_band(H100, active_params=3e9, gpus=8, node=8, moe=1.0)
    assert found == ("time_band_low_small", "time_band_high_moe_small")
    assert planning_default(found[1]).value > planning_default("time_band_high_small").value
    large = run_band(H100, active_params=5e9, gpus=8, node=8, moe=1.0)
    assert large == ("time_band_low", "time_band_high")


def test_small_models_have_a_wider_band():
    few, many = (run_band(A100, active_params=size, gpus=512, node=8) for size in (4.9e9, 5e9))
    assert few == ("time_band_low_small", "time_band_high_small")
    wide, narrow = ([planning_default(end).value for end in ends] for ends in (few, many))
    assert wide[0] < narrow[0] < 1 < narrow[1] < wide[1]
    v100 = run_band(accelerator("v100"), active_params=1e9, gpus=96, node=8)
    assert v100 == ("time_band_low_small", "time_band_high_v100")


def test_a_small_model_loses_more_on_a_cluster_than_in_a_node():
    """(N + 20M b) / (N + 100M b) at eight nodes; SmolLM 135M took 24 hours on 64 H100."""
    for name in ("a100", "h100"):
        for params in (1.35e8, 1.7e9):
            node, cluster = (small(name, gpus, active_params=params) for gpus in (8, 64))
            lost = fixed_cost(name, params) / fixed_cost(name, params, cluster=True)
            assert cluster / node == pytest.approx(lost, rel=2e-3)
    flops = 6 * 135e6 * 600e9
    hours = flops / (small("h100", 64, active_params=135e6, flops=flops) * 989e12 * 64 * 3600)
    low, high = (
        planning_default(end).value
        for end in run_band(H100, active_params=135e6, gpus=64, node=8)
    )  # fmt: skip
    assert low * hours < 24 < high * hours


def test_a_model_smaller_than_the_published_ones_loses_no_more_on_a_cluster():
    shares = {
        small("h100", 64, active_params=size) / small("h100", 8, active_params=size)
        for size in (1e6, 1e7, 7e7)
    }
    assert max(shares) == pytest.approx(min(shares))
    tpu = accelerator("tpu_v4")  # nor does a part of large clusters only
    few, many = (
        base_utilisation(tpu, active_params=size, moe=False) / size**0.05 for size in (1e8, 1e11)
    )
    assert few / many == pytest.approx(fixed_cost("tpu_v4", 1e11) / fixed_cost("tpu_v4", 1e8))


def test_a_vision_transformer_does_not_lose_to_little_memory():
    for gpus in (1, 4096):
        language, vision = (small("rtx_3090", gpus, vision=kind) for kind in (False, True))
        assert vision / language == pytest.approx((32 / 80) ** -0.2)


def test_little_memory_is_held_at_the_least_of_published_runs():
    cards = [dataclasses.replace(A100, memory_gib=gib) for gib in (16.0, 32.0, 40.0)]
    used = [base_utilisation(card, active_params=1e10, moe=False) for card in cards]
    assert used[0] == used[1] < used[2]


@given(SIZES, st.booleans(), st.integers(1, 10_000), st.integers(1, 10_000))
def test_fewer_accelerators_never_have_less_mfu_nor_finish_sooner(size, moe, one, other):
    few, many = sorted((one, other))
    found = [small("h100", gpus, active_params=size, moe=moe) for gpus in (few, many)]
    assert found[0] >= found[1] * (1 - 1e-12)
    assert many * found[1] >= few * found[0] * (1 - 1e-12)


@given(SIZES, SIZES, st.booleans())
def test_a_larger_model_never_takes_less_time_for_the_same_tokens(one, other, moe):
    small, large = sorted((one, other))
    times = [n / base_utilisation(H100, active_params=n, moe=moe) for n in (small, large)]
    assert times[0] <= times[1] * (1 + 1e-12)


@pytest.mark.parametrize(
    ("tokens", "batch"), [(1e9, 0.39e6), (20e9, 1.6e6), (300e9, 5.7e6), (1e12, 10e6), (15e12, 36e6)]
)
def test_the_critical_batch_of_zhang_2024(tokens, batch):
    assert useful_batch(tokens) == pytest.approx(batch, rel=0.03)


@given(st.floats(1, 1e14), st.integers(1, 1_000_000))
def test_the_chosen_batch_is_between_a_sequence_and_the_data(tokens, length):
    batch = choose_batch(tokens, sequence_length=length, asked=None)
    assert min(length, tokens) <= batch <= tokens
    assert batch <= max(useful_batch(tokens), length)


def test_the_users_batch_wins():
    assert choose_batch(1e12, sequence_length=4096, asked=64e6) == 64e6


@pytest.mark.parametrize(("asked", "found"), [(2e9, "more than"), (1000, "less than a sequence")])
def test_an_impossible_batch_is_refused(asked, found):
    with pytest.raises(UsageError, match=found):
        choose_batch(1e9, sequence_length=4096, asked=asked)


def test_assumptions_name_what_was_used_and_nothing_else():
    def names(**changes):
        use = {
            "active_params": 7e9, "moe": False, "measured": False, "batch_given": False,
            "most_nodes": 8, "vision": False, "sequence_length": 4096,
        } | changes  # fmt: skip
        parts = use.pop("parts", (H100, accelerator("mi300x")))
        found = throughput_assumptions(parts, **use)
        return " | ".join(item.name for item in found)

    assert "H100 class" in names()
    assert "no run published" in names()
    assert "A100 class" not in names()
    assert "matmul efficiency" in names()
    assert "mixture of experts" in names(moe=True)
    assert "whole-run MFU" not in names(measured=True)
    assert "MFU of single steps (other classes)" in names()
    assert "accelerator-hours up to which" in names()
    assert "MFU of single steps" not in names(measured=True)
    assert "at which an MFU of 6ND holds" in names()
    assert "at which an MFU of 6ND holds" not in names(sequence_length=None)
    assert "time of attention" not in names()
    assert "time of attention" in names(sequence_length=32768)
    assert "20% overhead" not in names(batch_given=True)
    assert "less than 80 GiB" in names()
    assert "less than 80 GiB" not in names(vision=True)
    assert "(V100, more than a node)" not in names()
    assert "that cost on clusters" in names()
    assert "that cost on clusters" not in names(most_nodes=1)
    assert "that cost on clusters" not in names(parts=(accelerator("tpu_v4"),))
    assert "below 5B" in names(active_params=1e9)
    assert "below 5B" not in names()
    both = (H100, accelerator("v100"))
    assert "(V100, more than a node)" in names(parts=both)
    assert "(V100, more than a node)" not in names(parts=both, most_nodes=1)


def test_the_knee_of_full_sharding_on_a100():
    """Narayanan et al. 2021, table 2: ZeRO-3 at 144, 88 and 44 of 312 TFLOP/s, full recompute."""
    knee = sharded_knee(accelerator("a100"), full_recompute=True, mfu=144 / 312)
    assert knee == pytest.approx(6600, rel=0.02)
    for gpus, measured in ((384, 144), (768, 88), (1536, 44)):
        predicted = 144 * min(1.0, 3145728 / gpus / knee)
        assert predicted == pytest.approx(measured, rel=0.03)


def test_the_knee_of_full_sharding_on_h100():
    """Fernandez et al. 2024: 7B at about 8,192 tokens each keeps 63% on 2,048 H100."""
    knee = sharded_knee(accelerator("h100"), full_recompute=False)
    assert 8192 / knee == pytest.approx(0.63, abs=0.01)


def test_a_part_without_a_known_network_has_an_assumed_one():
    part = accelerator("l40s")
    assert part.inter_node_gbs is None
    names = {item.name for item in sharded_assumptions((part,))}
    assert "network of a device where the catalogue has none" in names
    assert sharded_knee(part, full_recompute=False) > 0


def test_accelerators_stop_paying_at_a_thousand_tokens_each():
    assert useful_accelerators(4e6) == 4000
