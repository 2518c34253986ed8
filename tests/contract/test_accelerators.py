"""Every entry of data/accelerators.yaml keeps the promises of `Accelerator`."""

import dataclasses
import re

import pytest

from scaleplan import catalog
from scaleplan.catalog import accelerator, accelerators, planning_default
from scaleplan.planning.utilisation import base_utilisation
from scaleplan.records import Accelerator

PARTS = pytest.mark.parametrize("part", accelerators(), ids=lambda part: part.id)
_FIELDS = {field.name for field in dataclasses.fields(Accelerator)}


def test_ids_and_names_are_unique():
    ids = [part.id for part in accelerators()]
    names = [catalog._plain(part.name) for part in accelerators()]
    assert len(set(ids)) == len(ids) >= 30
    assert len(set(names)) == len(names)


def test_no_alias_hides_an_id_or_a_name():
    written = catalog._read("accelerators.yaml").entry("aliases").values
    taken = {
        catalog._plain(text): part.id for part in accelerators() for text in (part.id, part.name)
    }
    for alias, target in written.items():
        assert taken.get(catalog._plain(alias), target) == target, alias
        assert accelerator(alias).id == target


def test_no_key_is_misspelt():
    known = (_FIELDS - {"usd_low", "usd_high", "source"}) | {"usd_band", "sources"}
    for entry in catalog._read("accelerators.yaml").entries("accelerators"):
        assert set(entry.values) <= known, entry.name


@PARTS
def test_found_by_id_and_by_name(part):
    assert accelerator(part.id) == part
    assert accelerator(part.name.upper()) == part


@PARTS
def test_rate_and_bandwidth_are_of_one_order(part):
    # Dense bf16 rates of accelerators take 20 to 500 FLOP a byte of memory bandwidth (GB/s against
    # TFLOP/s); outside, one of the two has slipped by a power of ten or counts sparsity.
    assert part.memory_bandwidth_gbs is not None
    assert 20 < part.peak_tflops * 1e3 / part.memory_bandwidth_gbs < 600
    assert 10 < part.peak_tflops < 3000


@pytest.mark.parametrize(
    ("name", "dense"),
    [
        ("v100", 125), ("a100", 312), ("h100", 989), ("h200", 989), ("h100_pcie", 756),
        ("b200", 2250), ("mi300x", 1307), ("tpu_v4", 275), ("tpu_v5p", 459), ("l40s", 362),
    ],
)  # fmt: skip
def test_the_peak_is_the_dense_one(name, dense):
    """The makers' data sheets print twice these for sparse matrices."""
    assert accelerator(name).peak_tflops == dense


@PARTS
def test_the_figures_are_physical(part):
    assert 8 <= part.memory_gib <= 512
    assert part.year is not None
    assert 2015 < part.year < 2030
    assert part.tdp_w is None or 50 <= part.tdp_w <= 2000
    assert part.matmul_efficiency is None or 0.3 < part.matmul_efficiency < 1
    for bandwidth in (part.inter_node_gbs, part.intra_node_gbs):
        assert bandwidth is None or 0 < bandwidth < part.memory_bandwidth_gbs


@PARTS
def test_a_price_has_a_band_a_date_and_a_source(part):
    if part.usd_per_hour is None:
        assert (part.usd_low, part.usd_high, part.price_date) == (None, None, "")
    else:
        assert 0 < part.usd_low <= part.usd_per_hour <= part.usd_high < 50
        assert re.fullmatch(r"20\d\d-\d\d", part.price_date)
        assert part.price_source


@PARTS
def test_it_says_where_it_was_read_and_what_was_not(part):
    assert part.source
    assert set(part.unverified) <= _FIELDS


@PARTS
def test_it_has_a_utilisation(part):
    assert 0 < planning_default(f"utilisation_{part.utilisation_class}").value < 1
    for moe in (False, True):
        for params in (1e6, 1e9, 1e13):
            assert 0 < base_utilisation(part, active_params=params, moe=moe) < 0.65
