"""Numbers of a plan that are allowed and yet hardly meant: prices, PUE, idle accelerators."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaleplan.catalog import planning_default
from scaleplan.planning.given import given_in
from scaleplan.records import Note, Plan
from scaleplan.units import format_percent, format_significant, format_usd

# On-demand prices of one part differ by up to three times between sellers; a choice.
_DEARER = 3.0
# The mean of the 2025 Uptime survey is 1.54; sites that draw over twice of what their machines do
# are small rooms, not clusters.
_HIGHEST_PUE = 2.5
_IDLE = 0.5


def unlikely_price(plan: Plan) -> Iterator[Note]:
    """Say when the user's own price is far above what the accelerator is rented for."""
    price = given_in(plan.assumptions, "price")
    known = [part for part in plan.accelerators if part.usd_high is not None]
    if price is None or not known or len(known) < len(plan.accelerators):
        return
    part = max(known, key=lambda one: one.usd_high or 0.0)
    times = price / (part.usd_high or price)
    if times > _DEARER:
        yield Note(
            id="UNLIKELY_PRICE", severity="warning",
            text=f"{format_usd(price)} an accelerator-hour is {format_significant(times, 3)} times "
            f"the highest price of a {part.id} in the catalogue, {format_usd(part.usd_high)}.",
            action="Give --price for one accelerator and one hour, in US dollars.",
            numbers=(("usd_per_hour", price), ("over_catalogue", times)), source=part.price_source,
        )  # fmt: skip


def unlikely_pue(plan: Plan) -> Iterator[Note]:
    """Say when the user's own PUE is above that of any data centre for clusters."""
    default = planning_default("pue")
    pue = given_in(plan.assumptions, default.name)
    if pue is not None and pue > _HIGHEST_PUE:
        yield Note(
            id="UNLIKELY_PUE", severity="warning",
            text=f"A PUE of {format_significant(pue, 3)} means that the site draws that many times "
            "what its machines do; data centres have 1.1 to 2.",
            action="Give the power of the whole site over that of the machines, such as 1.2.",
            numbers=(("pue", pue),), source=default.assumption().source,
        )  # fmt: skip


def mostly_idle(plan: Plan) -> Iterator[Note]:
    """Say at which counts less than half of the accelerators have work."""
    for row in plan.rows:
        used = row.gpus if row.used_gpus is None else row.used_gpus
        if used >= _IDLE * row.gpus:
            continue
        yield Note(
            id="MOSTLY_IDLE", severity="warning",
            text=f"Of {row.gpus:,} {row.gpu} only {used:,} have work, "
            f"{format_percent(used / row.gpus, 2)}: a step has too few sequences for more. All of "
            "them are paid for.",
            action=f"Plan with {used:,} or fewer, or a larger --batch if the training allows it.",
            numbers=(("gpus", float(row.gpus)), ("used_gpus", float(used))),
        )  # fmt: skip


UNLIKELY_RULES: tuple[Callable[[Plan], Iterator[Note]], ...] = (
    unlikely_price,
    unlikely_pue,
    mostly_idle,
)
