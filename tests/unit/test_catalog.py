from pathlib import Path

import pytest

from scaleplan import catalog
from scaleplan.catalog import (
    accelerator,
    accelerators,
    default_accelerator,
    grid_intensity,
    planning_default,
    published_law,
    published_laws,
)
from scaleplan.errors import InputError, UsageError


@pytest.fixture
def data_file(tmp_path, monkeypatch):
    """Return a function that puts a text in the place of one data file."""

    def replace(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")

    for file in Path(catalog._DATA).glob("*.yaml"):
        replace(file.name, file.read_text(encoding="utf-8"))
    monkeypatch.setattr(catalog, "_DATA", tmp_path)
    _forget()
    yield replace
    monkeypatch.undo()
    _forget()


def _forget():
    for cached in (
        catalog._read, accelerators, published_laws, planning_default, catalog.grid_intensity,
        catalog.planning_choice,
    ):  # fmt: skip
        cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("h100", "h100_sxm_80gb"),
        ("H100", "h100_sxm_80gb"),
        ("h100_sxm_80gb", "h100_sxm_80gb"),
        ("a100", "a100_sxm_80gb"),
        ("A100-40GB", "a100_sxm_40gb"),
        ("a100 40gb", "a100_sxm_40gb"),
        ("NVIDIA A100-SXM4-80GB", "a100_sxm_80gb"),
        ("NVIDIA H100 80GB HBM3", "h100_sxm_80gb"),
        ("Tesla V100-SXM2-32GB", "v100_sxm_32gb"),
        ("NVIDIA GeForce RTX 4090", "rtx_4090"),
        ("rtx4090", "rtx_4090"),
        ("4090", "rtx_4090"),
        ("h200", "h200_sxm"),
        ("b200", "b200_sxm"),
        ("v100", "v100_sxm_32gb"),
        ("tpu-v4", "tpu_v4"),
        ("TPUv4", "tpu_v4"),
        ("mi300x", "mi300x"),
        ("AMD Instinct MI300X", "mi300x"),
        ("Tesla T4", "t4"),
        ("A10G", "a10g"),
        ("RTX 3080", "rtx_3080"),
        ("v100-16gb", "v100_sxm_16gb"),
    ],
)
def test_accelerator_names_as_people_write_them(name, expected):
    assert accelerator(name).id == expected


def test_the_default_accelerator_is_the_h100():
    part = default_accelerator()
    assert (part.id, part.peak_tflops, part.memory_gib) == ("h100_sxm_80gb", 989.0, 80.0)


@pytest.mark.parametrize(
    ("name", "near"), [("h1000", "h100"), ("a1000", "a100"), ("mi300xx", "mi300x")]
)
def test_an_unknown_accelerator_is_refused_with_near_names(name, near):
    with pytest.raises(UsageError) as caught:
        accelerator(name)
    assert name in caught.value.message
    assert near in caught.value.hint
    assert "scaleplan gpus" in caught.value.hint


@pytest.mark.parametrize("name", ["", "nvidia", "---", "\x1b[31m", "x" * 10_000])
def test_nonsense_is_no_accelerator(name):
    with pytest.raises(UsageError) as caught:
        accelerator(name)
    assert len(caught.value.message) < 300


def test_published_laws_by_id_and_alias():
    law = published_law("Besiroglu")
    assert law.id == "besiroglu_2024"
    assert law.covariance is not None
    assert len(law.covariance) == len(law.theta) == 5
    assert published_law("chinchilla") == law
    assert published_law("hoffmann-2022").historical


def test_an_unknown_law_is_refused_with_near_names():
    with pytest.raises(UsageError) as caught:
        published_law("hofmann")
    assert "hoffmann" in caught.value.hint
    assert "scaleplan laws" in caught.value.hint


def test_every_published_law_has_a_positive_range_and_a_source():
    for law in published_laws():
        assert law.source
        assert law.ranges
        assert all(0 < bounds.low < bounds.high for bounds in law.ranges), law.id


def test_grid_by_code_and_name():
    assert grid_intensity().value == 475
    assert grid_intensity("fra") == grid_intensity("France")
    assert grid_intensity("FRA").value == 56
    assert "France" in grid_intensity("FRA").name


def test_an_unknown_country_is_refused_with_near_names():
    with pytest.raises(UsageError, match="Frence") as caught:
        grid_intensity("Frence")
    assert "Did you mean France?" in caught.value.hint


def test_a_default_becomes_an_assumption_with_source_and_date():
    default = planning_default("pue")
    assumption = default.assumption()
    assert (assumption.value, assumption.unit) == (1.1, "ratio")
    assert default.date in assumption.source


def test_every_default_is_complete():
    for name in catalog._read("planning.yaml").entry("defaults").values:
        default = planning_default(name)
        assert default.name
        assert default.unit
        assert default.source
        assert default.value != 0, name


def test_a_default_that_does_not_exist_is_an_error_that_names_it():
    with pytest.raises(InputError, match="no_such_default"):
        planning_default("no_such_default")


def test_an_exponent_without_a_point_is_text_to_yaml_and_refused(data_file):
    data_file(
        "planning.yaml", "date: '1'\ndefaults: {pue: {name: n, value: 1e18, unit: u, source: s}}"
    )
    with pytest.raises(InputError) as caught:
        planning_default("pue")
    assert caught.value.file == "planning.yaml"
    assert "defaults.pue" in caught.value.message
    assert "'1e18'" in caught.value.message
    assert "1.0e+18" in caught.value.hint


_PART = """
default: a
sources: {s: somewhere}
aliases: {}
accelerators:
  - {id: a, name: A, vendor: V, year: 2020, peak_tflops: 100, memory_gib: 80,
     utilisation_class: other, sources: [s]}
"""


def test_a_part_needs_no_price(data_file):
    data_file("accelerators.yaml", _PART)
    part = accelerator("A")
    assert (part.usd_per_hour, part.usd_low, part.usd_high, part.price_date) == (None,) * 3 + ("",)
    assert part.source == "somewhere"


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("memory_gib: 80,", "memory_gib: true,", "memory_gib is True"),
        ("memory_gib: 80,", "", "memory_gib is missing"),
        ("peak_tflops: 100", "peak_tflops: '100'", "peak_tflops is '100'"),
        ("sources: [s]", "sources: [1]", "sources is [1]"),
        ("sources: [s]", "sources: [t]", "t is missing"),
        ("name: A", "name: 5", "name is 5"),
        ("- {id: a", "- 5 #", "accelerators is [5]"),
        ("sources: [s]", "sources: [s], usd_per_hour: 1, usd_band: [2, 1]", "usd_band is [2, 1]"),
        ("sources: [s]", "sources: [s], usd_per_hour: 1, usd_band: []", "usd_band is []"),
        ("sources: [s]", "sources: [s], usd_per_hour: 1", "usd_band is missing"),
    ],
)
def test_a_wrong_type_names_file_and_entry(data_file, good, bad, found):
    assert good in _PART
    text = _PART.replace(good, bad)
    data_file("accelerators.yaml", text if "#" not in bad else text.split(" #")[0])
    with pytest.raises(InputError) as caught:
        accelerators()
    assert caught.value.file == "accelerators.yaml"
    assert found in caught.value.message


_LAW = """
laws:
  - id: one
    law: power
    title: t
    theta: [1.0, -0.1]
    covariance: [[1.0, 0.0], [0.0, 1.0]]
    metric: {name: loss, kind: loss, unit: nats}
    ranges: {params: [1, 2]}
    flops_per_param_token: 6
    params_convention: all
    source: s
    historical: false
    aliases: [uno]
"""


def test_a_law_with_a_covariance(data_file):
    data_file("published_laws.yaml", _LAW)
    assert published_law("UNO").covariance == ((1.0, 0.0), (0.0, 1.0))
    assert published_law("uno").input is None


@pytest.mark.parametrize(
    ("good", "bad", "found"),
    [
        ("[[1.0, 0.0], [0.0, 1.0]]", "[[1.0, 0.0], [0.0]]", "covariance is"),
        ("[[1.0, 0.0], [0.0, 1.0]]", "3", "covariance is 3"),
        ("kind: loss", "kind: speed", "kind is 'speed'"),
        ("[1, 2]", "[2, 1]", "params is [2, 1]"),
        ("[1, 2]", "[1]", "params is [1]"),
        ("historical: false", "historical: 0", "historical is 0"),
        ("theta: [1.0, -0.1]", "theta: [1e-3, -0.1]", "theta is ['1e-3', -0.1]"),
        ("ranges: {params: [1, 2]}", "ranges: 5", "ranges is 5"),
    ],
)
def test_a_wrong_law_names_file_and_entry(data_file, good, bad, found):
    assert good in _LAW
    data_file("published_laws.yaml", _LAW.replace(good, bad))
    with pytest.raises(InputError) as caught:
        published_laws()
    assert caught.value.file == "published_laws.yaml"
    assert "one" in caught.value.message
    assert found in caught.value.message


def test_a_file_that_is_no_mapping(data_file):
    data_file("accelerators.yaml", "- 1\n- 2\n")
    with pytest.raises(InputError, match="a mapping"):
        accelerators()
