import dataclasses

import pytest

from scaleplan.catalog import accelerator
from scaleplan.planning.cost import carbon_tonnes, cost_assumptions, energy_kwh, prices

H100 = accelerator("h100")


def test_energy_of_an_h100_hour():
    # OLMo 3 reported 624 and 649 W an H100-hour.
    assert energy_kwh(H100, 1.0, pue=None) * 1e3 == pytest.approx(655, abs=1)
    assert energy_kwh(H100, 1.0, pue=1.0) * 1e3 == pytest.approx(595)


def test_a_tpu_draws_more_than_its_chip():
    # 326 W were measured for a v4 chip with its system.
    assert energy_kwh(accelerator("tpu_v4"), 1.0, pue=1.0) * 1e3 == pytest.approx(326, rel=0.02)


def test_no_tdp_no_energy():
    assert energy_kwh(accelerator("tpu_v5p"), 1.0, pue=None) is None


def test_carbon_by_country():
    assert carbon_tonnes(1e6, country=None) == pytest.approx(475)
    assert carbon_tonnes(1e6, country="SWE") == pytest.approx(41)


def test_prices_of_the_catalogue_and_of_the_user():
    listed = prices(H100, None)
    assert (listed.low, listed.expected, listed.high) == (1.99, 3.0, 5.0)
    own = prices(H100, 2.2)
    assert (own.low, own.expected, own.high) == (2.2, 2.2, 2.2)
    unknown = prices(
        dataclasses.replace(H100, usd_per_hour=None, usd_low=None, usd_high=None), None
    )
    assert (unknown.low, unknown.expected, unknown.high) == (None, None, None)


def _by_name(parts, **changes):
    use = {"usd_per_hour": None, "pue": None, "country": None} | changes
    return {item.name: item for item in cost_assumptions(parts, **use)}


def test_assumptions_of_the_catalogue():
    parts = ("mi250x", "tpu_v4", "tpu_v5e")
    found = _by_name((H100, *map(accelerator, parts)))
    price = found["price of h100_sxm_80gb"]
    assert (price.value, price.unit) == (3.0, "$/h")
    assert "1.99 to 5" in price.source
    assert "2026-05" in price.source
    assert found["price of mi250x"].value == "unknown"
    assert found["power drawn over TDP"].value == 0.85
    assert found["power drawn over TDP (TPU, host included)"].value == 1.9
    assert found["power of tpu_v4"].value == 326
    assert found["power usage effectiveness"].value == 1.1
    assert found["carbon intensity of the grid (World)"].value == 475


def test_measured_power_comes_before_the_rule():
    """GPT-3: 3,552,000 V100-hours at 330 W and a PUE of 1.1 (Patterson et al. 2021): 1,287 MWh."""
    found = energy_kwh(accelerator("v100"), 3_552_000, pue=1.1)
    assert found == pytest.approx(1_287_000, rel=0.01)
    assert found > 1.2 * 3_552_000 * 0.3 * 0.85 * 1.1


def test_a_measured_power_says_where_it_was_read():
    found = _by_name(tuple(map(accelerator, ("v100", "tpu_v4"))))
    assert "arXiv 2104.10350, unverified" in found["power of v100_sxm_32gb"].source
    assert found["power of tpu_v4"].source.startswith("measured per chip")


def test_assumptions_of_the_user():
    found = _by_name((H100,), usd_per_hour=2.2, pue=1.5, country="fra")
    assert (found["price"].value, found["price"].source) == (2.2, "given")
    assert found["power usage effectiveness"].value == 1.5
    assert found["power usage effectiveness"].source == "given"
    assert found["carbon intensity of the grid (France)"].value == 56
    assert not any("h100" in name for name in found)
