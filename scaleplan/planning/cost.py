"""What a training run costs: money, energy and carbon."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.catalog import PlanningDefault, grid_intensity, planning_default
from scaleplan.records import Accelerator, Assumption
from scaleplan.records.base import Record

_WATTS_PER_KILOWATT = 1e3
_GRAMS_PER_TONNE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Prices(Record):
    """US dollars per accelerator and hour; None where the catalogue has no price."""

    low: float | None
    expected: float | None
    high: float | None


def prices(accelerator: Accelerator, usd_per_hour: float | None) -> Prices:
    """Return the prices to plan with: the user's, which has no band, or the catalogue's."""
    if usd_per_hour is not None:
        return Prices(low=usd_per_hour, expected=usd_per_hour, high=usd_per_hour)
    return Prices(
        low=accelerator.usd_low, expected=accelerator.usd_per_hour, high=accelerator.usd_high
    )


def power_share(accelerator: Accelerator) -> PlanningDefault:
    """Return the power drawn as a multiple of the accelerator's TDP, where it was not measured."""
    tpu = accelerator.utilisation_class == "tpu"
    return planning_default("power_fraction_tpu" if tpu else "power_fraction")


def energy_kwh(accelerator: Accelerator, gpu_hours: float, *, pue: float | None) -> float | None:
    """Return accelerator-hours x power x PUE in kWh, None where no power is known.

    Args:
        accelerator: Its measured power in W, or its TDP, a share of which is drawn.
        gpu_hours: Accelerator-hours.
        pue: Power usage effectiveness of the data centre; None takes the default.
    """
    watts = accelerator.power_w
    if watts is None:
        if accelerator.tdp_w is None:
            return None
        watts = accelerator.tdp_w * power_share(accelerator).value
    if pue is None:
        pue = planning_default("pue").value
    return gpu_hours * watts * pue / _WATTS_PER_KILOWATT


def carbon_tonnes(kwh: float, *, country: str | None) -> float:
    """Return the tonnes of CO2 equivalent of an energy, by the grid of a country.

    Args:
        kwh: Energy at the meter.
        country: Three-letter code or name; None is the world's mean.

    Raises:
        UsageError: If the country is not in the catalogue.
    """
    return kwh * grid_intensity(country).value / _GRAMS_PER_TONNE


def cost_assumptions(
    accelerators: tuple[Accelerator, ...],
    *,
    usd_per_hour: float | None,
    pue: float | None,
    country: str | None,
) -> tuple[Assumption, ...]:
    """Return what money, energy and carbon rest on.

    Args:
        accelerators: Those that are planned with.
        usd_per_hour: The user's price, None for the catalogue's.
        pue: The user's PUE, None for the default.
        country: The user's country, None for the world.
    """
    found = [_price(part) for part in accelerators if usd_per_hour is None]
    if usd_per_hour is not None:
        found = [Assumption(name="price", value=usd_per_hour, unit="$/h", source="given")]
    ruled = [part for part in accelerators if part.power_w is None]
    shares = {power_share(part).name: power_share(part) for part in ruled}
    found += [share.assumption() for share in shares.values()]
    found += [
        Assumption(
            name=f"power of {part.id}", value=part.power_w, unit="W with its share of the host",
            source=part.power_source + (", unverified" if "power_w" in part.unverified else ""),
        )
        for part in accelerators if part.power_w is not None
    ]  # fmt: skip
    effectiveness = planning_default("pue")
    found.append(
        effectiveness.assumption()
        if pue is None
        else Assumption(name=effectiveness.name, value=pue, unit="ratio", source="given")
    )
    return (*found, grid_intensity(country).assumption())


def _price(accelerator: Accelerator) -> Assumption:
    if accelerator.usd_per_hour is None:
        source = "none in the catalogue; give --price"
        return Assumption(
            name=f"price of {accelerator.id}", value="unknown", unit="$/h", source=source
        )
    source = (
        f"on demand, {accelerator.usd_low:g} to {accelerator.usd_high:g}: "
        f"{accelerator.price_source} ({accelerator.price_date})"
    )
    return Assumption(
        name=f"price of {accelerator.id}", value=accelerator.usd_per_hour, unit="$/h",
        source=source,
    )  # fmt: skip
