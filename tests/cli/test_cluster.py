"""`scaleplan budget` with a cluster of one's own: options and a file, valid and hostile."""

from __future__ import annotations

import json

import pytest

PLAN = ("budget", "--gpus", "64,128", "--params", "1e10")


def rows(invoke, *arguments):
    result = invoke(*PLAN, *arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["rows"]


@pytest.fixture
def cluster(tmp_path):
    def write(text):
        (tmp_path / "cluster.yaml").write_text(text, encoding="utf-8")
        return str(tmp_path / "cluster.yaml")

    return write


def test_a_file_gives_accelerators_price_mfu_and_place(invoke, cluster):
    file = cluster(
        "accelerators:\n  ours:\n    like: h100\n    memory_gib: 96GiB\n    usd_per_hour: $1.8\n"
        "mfu: 42%\nmfu_gpus: 64\ncountry: FRA\nnode_size: 4\nmtbf_gpu_hours: 2e4\n"
    )
    found = rows(invoke, "--cluster", file)
    assert [row["gpu"] for row in found] == ["ours", "ours"]
    assert found[0]["usable_gib"] == pytest.approx(0.9 * 96)
    assert found[0]["usd"] == pytest.approx(1.8 * found[0]["gpu_hours"])
    assert found[0]["mfu"] == pytest.approx(0.93 * 0.42 * found[0]["goodput"])
    assert found[0]["tco2"] == pytest.approx(found[0]["energy_kwh"] * 56e-6)
    assert found[0]["failure_hours"] == pytest.approx(20_000 / 64)
    # The command line comes before the file, and the file's part before the catalogue's.
    found = rows(invoke, "--cluster", file, "--price", "2", "--gpu", "ours,h100")
    assert {row["gpu"] for row in found} == {"ours", "h100_sxm_80gb"}
    assert all(row["usd"] == pytest.approx(2 * row["gpu_hours"]) for row in found)


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("", "Patterson et al. 2021"),
        ("power_w: 350", "cluster file"),
        ("tdp_w: 350", None),
    ],
)
def test_the_power_of_a_part_of_ones_own_has_its_source(invoke, cluster, power, said):
    file = cluster(f"accelerators:\n  ours:\n    like: v100\n    {power}\n")
    plan = (*PLAN, "--cluster", file, "--gpu", "ours", "--format", "json")
    found = {item["name"]: item for item in json.loads(invoke(*plan).stdout)["assumptions"]}
    if said is None:
        assert "power of ours" not in found
        assert "power drawn over TDP" in found
    else:
        assert said in found["power of ours"]["source"]
        assert found["power of ours"]["source"].endswith("unverified") == (not power)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accelerators: {h: {peak_tflops: 1979, memory_gib: 80}}", "dense bf16 rate is 989"),
        ("accelerators: {h: {like: b200, peak_tflops: 4500}}", "sparse matrices or fp8"),
        ("accelerators: {h: {like: h100, peak_tflops: 989e12}}", "more than any accelerator"),
        ("accelerators: {h: {peak_tflops: 500}}", "needs peak_tflops and memory_gib"),
        ("accelerators: {h: {like: h101}}", "h100"),
        ("accelerators: {h: {peak_tflop: 5}}", "Did you mean peak_tflops?"),
        ("accelerators: {h: {like: h100, memory_gib: 80000}}", "memory_gib of 80000"),
        ("accelerators: {h: {like: h100, dense: maybe}}", "not true or false"),
        ('accelerators: {"[red]x": {like: h100}}', "no name for an accelerator"),
        ("accelerators: [h100]", "a list is not used here"),
        ("mfu: .nan", "mfu"), ("mfu: 4", "at most 1"), ("usd_per_hour: 0", "above 0"),
        ("pue: 0.5", "at least 1"), ("country: XX", "Known: WORLD"),
        ("contry: FRA", "Did you mean country?"), ("mfu: 0.4\nmfu: 0.5", "there twice"),
        ("node_size: 1.5", "whole number"), ("mfu: {a: 1}", "not a single value"),
        ("", "is empty"), ("{}", "says nothing"), ("h100", "not keys and values"),
        ("a: &a [*a]", "a list is not used"), ("a: " + "[" * 5000, "not YAML"),
        ("pue: &p 1.2\nmfu: *p", "YAML alias"), ("x" * 200_000, "larger than"),
        ('!!python/object/apply:os.system ["true"]', "a list is not used here"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say(invoke, cluster, text, said):
    result = invoke(*PLAN, "--cluster", cluster(text))
    assert result.exit_code == 3
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_dense_rate_that_looks_sparse_can_be_vouched_for(invoke, cluster):
    file = cluster("accelerators: {h: {like: h100, peak_tflops: 1979, dense: true}}")
    assert rows(invoke, "--cluster", file)[0]["gpu"] == "h"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("--layout", "tp=16"), 2, "more than the 8 accelerators of a node"),
        (("--layout", "tp=8,foo"), 2, "'foo' is not tp, pp, dp, ep or cp"),
        (("--layout", "tp=8,tp=4"), 2, "once"), (("--layout", "pp=0"), 2, "0 is not allowed"),
        (("--optimizer", "adamz"), 2, "adamw"), (("--precision", "fp64"), 2, "mixed"),
        (("--zero", "4"), 2, "'4' is not one of"), (("--recompute", "half"), 2, "selective"),
        (("--mtbf", "0"), 2, "above 0"), (("--storage", "nan"), 2, "nan"),
        (("--cluster", "absent.yaml"), 3, "absent.yaml"),
    ],
)  # fmt: skip
def test_options_that_are_not_allowed(invoke, arguments, exit_code, said):
    result = invoke(*PLAN, *arguments)
    assert result.exit_code == exit_code
    assert said in result.stderr


def test_a_million_accelerators(invoke):
    result = invoke("budget", "--gpus", "1000000", "--params", "1e10")
    assert result.exit_code == 5
    assert "cannot all have work" in result.stderr


def test_a_forced_layout_is_used_and_said(invoke):
    for written in ("tp=8,pp=2", "TP8 x PP2", "tp8,pp2"):
        found = rows(invoke, "--layout", written, "--optimizer", "adafactor", "--zero", "2")
        assert found[0]["layout"].startswith("TP8 x PP2 x DP4, ZeRO-2")
        assert found[0]["layout_reason"].startswith("as asked")


def test_less_is_kept_by_smaller_optimizers_and_precisions(invoke):
    def states(*arguments):
        return rows(invoke, "--layout", "tp=1,pp=1", "--zero", "0", *arguments)[0]["states_gib"]

    full = states()
    assert full == pytest.approx(16e10 / 2**30)
    assert states("--optimizer", "adamw_8bit") == pytest.approx(full * 10 / 16)
    assert states("--precision", "bf16") == pytest.approx(full * 8 / 16)
    assert states("--gradients", "fp32") == pytest.approx(full * 18 / 16)


def test_full_sharding_alone_waits_for_the_network_below_its_knee(invoke):
    few, many = (
        rows(invoke, "--layout", "fsdp", "--batch", batch)[1]["efficiency"]
        for batch in ("4M", "800k")
    )
    assert few > 0.99
    # 800k / 128 = 6,250 tokens each against a knee of 6 x 989e12 x 0.43 / (6 x 32.5e9) = 13,085.
    assert many == pytest.approx(6250 / 13_085, rel=0.01)


def test_failures_change_a_measured_mfu_and_others_where_they_cost_more_than_usual(invoke):
    base, worse = (
        rows(invoke, "--mfu", "0.4", "--mtbf", hours)[1]["days"]["expected"]
        for hours in ("50000", "2000")
    )
    assert worse > base
    usual, given = rows(invoke)[1], rows(invoke, "--mtbf", "2000")[1]
    assert rows(invoke, "--mtbf", "50000")[1]["days"] == usual["days"]
    assert rows(invoke, "--mtbf", "1e6")[1]["days"] == usual["days"]
    assert given["days"]["expected"] / usual["days"]["expected"] == pytest.approx(worse / base)
    assert given["failure_share"] == pytest.approx(base / worse)


def test_storage_is_said(invoke):
    result = invoke(*PLAN, "--tokens", "1T", "--storage", "10", "--format", "json")
    storage = json.loads(result.stdout)["storage"]
    assert storage["checkpoint_bytes"] == pytest.approx(14e10)
    assert storage["write_seconds"] == storage["stop_seconds"] == pytest.approx(14)
    assert storage["dataset_bytes"] == pytest.approx(4e12)


def test_all_accelerators_are_ranked_by_what_they_cost(invoke):
    result = invoke(
        "budget", "--gpus", "64", "--params", "7B", "--gpu", "all", "--format", "json"
    )  # fmt: skip
    found = json.loads(result.stdout)["rows"]
    order = [(not row["fits"], row["usd"] is None, row["usd"] or row["days"]["expected"])
             for row in found]  # fmt: skip
    assert order == sorted(order)


def test_one_count_of_several_accelerators_has_its_neighbours(invoke):
    result = invoke(
        "budget", "--gpus", "64", "--params", "7B", "--gpu", "a100,h100", "--format", "json"
    )  # fmt: skip
    counts = [row["gpus"] for row in json.loads(result.stdout)["rows"]]
    assert counts == 2 * [8, 16, 32, 64, 128, 256]
