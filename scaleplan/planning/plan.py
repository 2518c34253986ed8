"""One row of a plan for each accelerator and count: time, memory, money and energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scaleplan.catalog import grid_intensity, planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.compute import accelerator_hours
from scaleplan.planning.cost import carbon_tonnes, cost_assumptions, energy_kwh, prices
from scaleplan.planning.goodput import goodput, goodput_assumptions
from scaleplan.planning.memory import choose_layout, memory_assumptions
from scaleplan.planning.shape import Shape, guess_shape, shape_assumptions
from scaleplan.planning.throughput import (
    base_utilisation,
    choose_batch,
    cluster_efficiency,
    throughput_assumptions,
)
from scaleplan.records import Accelerator, Assumption, PlanRow

_HOURS_PER_DAY = 24.0
# More than all accelerators of any cluster; a larger count is a slip of the keyboard.
_MOST_GPUS = 10_000_000
_STEPS_AROUND = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What every row of a plan shares."""

    params: float
    active_params: float
    flops: float
    batch_tokens: float
    sequence_length: int
    shape: Shape
    mfu: float | None
    mfu_gpus: int
    usd_per_hour: float | None
    country: str | None
    pue: float | None

    @property
    def moe(self) -> bool:
        return self.active_params < self.params


def plan_rows(
    *,
    params: float,
    active_params: float,
    tokens: float,
    flops: float,
    accelerators: Sequence[Accelerator],
    gpus: Sequence[int],
    mfu: float | None,
    usd_per_hour: float | None,
    batch_tokens: float | None,
    sequence_length: int,
    country: str | None,
    pue: float | None,
    mfu_gpus: int | None = None,
    shape: Shape | None = None,
) -> tuple[tuple[PlanRow, ...], tuple[Assumption, ...]]:
    """Plan a training run on each accelerator and each number of them.

    Without `mfu` the time is that of whole published runs, failures included, and the band holds
    80% of them. With `mfu`, a steady-state value measured on `mfu_gpus` accelerators, other counts
    follow E(g) / E(mfu_gpus), and failures and checkpoints are taken off on top.

    Args:
        params: Parameters of the model, all of them.
        active_params: Parameters per token; fewer than `params` for a mixture of experts.
        tokens: Training tokens.
        flops: Training compute, FLOP.
        accelerators: Parts to plan with; one row each for every count.
        gpus: Numbers of accelerators.
        mfu: The user's steady-state model-FLOP utilisation, above 0 and at most 1.
        usd_per_hour: The user's price of an accelerator-hour.
        batch_tokens: The user's global batch in tokens.
        sequence_length: Tokens per sequence.
        country: Where the power comes from: three-letter code or name.
        pue: Power usage effectiveness of the data centre, at least 1.
        mfu_gpus: On how many accelerators `mfu` was measured; None is the first of `gpus`.
        shape: The transformer, for memory; None assumes one of `active_params`.

    Returns:
        The rows, counts within accelerators, and every number they rest on.

    Raises:
        UsageError: If a value is not allowed.
    """
    amounts = {"params": params, "active params": active_params, "tokens": tokens, "flops": flops}
    _check_amounts(amounts)
    _check_options(mfu=mfu, usd_per_hour=usd_per_hour, batch_tokens=batch_tokens, pue=pue)
    counts = _check_counts(gpus)
    if active_params > params:
        message = f"{active_params:g} active parameters are more than all {params:g}"
        raise UsageError(message, hint="Active parameters are those one token passes through.")
    if sequence_length < 1:
        message = f"a sequence length of {sequence_length} is not allowed"
        raise UsageError(message, hint="Give the tokens per sequence, for example 4096.")
    grid_intensity(country)  # an unknown country is refused even where no power is known
    batch = choose_batch(tokens, sequence_length=sequence_length, asked=batch_tokens)
    run = _Run(
        params=params, active_params=active_params, flops=flops, batch_tokens=batch,
        sequence_length=sequence_length, shape=shape or guess_shape(active_params), mfu=mfu,
        mfu_gpus=counts[0] if mfu_gpus is None else _check_counts([mfu_gpus])[0],
        usd_per_hour=usd_per_hour, country=country, pue=pue,
    )  # fmt: skip
    rows = tuple(_row(run, part, count) for part in accelerators for count in counts)
    return rows, _assumptions(run, tuple(accelerators), batch_given=batch_tokens is not None)


def gpu_counts_around(count: int) -> tuple[int, ...]:
    """Return counts from an eighth to four times the one asked for, whole nodes above one node.

    Args:
        count: The count asked for; it is always among them.

    Raises:
        UsageError: If it is no count of accelerators.
    """
    (asked,) = _check_counts([count])
    node = int(planning_default("node_size").value)
    found = {asked}
    for step in _STEPS_AROUND:
        near = asked * step
        whole = round(near / node) * node if near > node else round(near)
        if 1 <= whole <= _MOST_GPUS:
            found.add(whole)
    return tuple(sorted(found))


def _check_amounts(amounts: dict[str, float]) -> None:
    for name, value in amounts.items():
        if not math.isfinite(value) or value <= 0.0:
            message = f"{name} is {value:g}; it must be a finite number above 0"
            raise UsageError(message, hint="For example 10B, 1.4T or 1e22.")


def _check_options(
    *, mfu: float | None, usd_per_hour: float | None, batch_tokens: float | None, pue: float | None
) -> None:
    if mfu is not None and not 0.0 < mfu <= 1.0:
        message = f"an MFU of {mfu:g} is not allowed; it must be above 0 and at most 1"
        hint = "It is a share of the dense peak: 0.4 or 40%, not 40."
        raise UsageError(message, hint=hint)
    if usd_per_hour is not None and not 0.0 < usd_per_hour < math.inf:
        message = f"a price of {usd_per_hour:g} $/h is not allowed; it must be above 0"
        hint = "Leave --price out for the catalogue's price, or give your own cost per hour."
        raise UsageError(message, hint=hint)
    if batch_tokens is not None and not 0.0 < batch_tokens < math.inf:
        message = f"a batch of {batch_tokens:g} tokens is not allowed; it must be above 0"
        raise UsageError(message, hint="Give the global batch in tokens, for example 4M.")
    if pue is not None and not 1.0 <= pue < math.inf:
        message = f"a PUE of {pue:g} is not allowed; it must be at least 1"
        raise UsageError(message, hint="Power of the whole site over that of the machines.")


def _check_counts(gpus: Sequence[int]) -> tuple[int, ...]:
    if not gpus:
        message = "no number of accelerators was given"
        raise UsageError(message, hint="For example --gpus 8 or --gpus 64,256,1000.")
    for count in gpus:
        # NaN and infinity fail the comparison before they are made whole.
        if isinstance(count, bool) or not 1 <= count <= _MOST_GPUS or count != int(count):
            message = (
                f"{count} accelerators are not allowed; it must be a whole number from 1 to "
                f"{_MOST_GPUS:,}"
            )
            raise UsageError(message, hint="For example --gpus 8 or --gpus 64,256,1000.")
    return tuple(int(count) for count in gpus)


def _row(run: _Run, accelerator: Accelerator, gpus: int) -> PlanRow:
    efficiency = cluster_efficiency(gpus, batch_tokens=run.batch_tokens, moe=run.moe)
    mfu, low, high = _utilisation(run, accelerator, gpus, efficiency)
    hours = accelerator_hours(run.flops, peak_tflops=accelerator.peak_tflops, utilisation=mfu)
    ideal = accelerator_hours(run.flops, peak_tflops=accelerator.peak_tflops, utilisation=1.0)
    price = prices(accelerator, run.usd_per_hour)
    energy = energy_kwh(accelerator, hours, pue=run.pue)
    memory = choose_layout(
        run.params, shape=run.shape, gpus=gpus, batch_tokens=run.batch_tokens,
        sequence_length=run.sequence_length, memory_gib=accelerator.memory_gib,
    )  # fmt: skip
    days = hours / gpus / _HOURS_PER_DAY
    return PlanRow(
        gpus=gpus, gpu=accelerator.id, mfu=mfu, efficiency=efficiency,
        ideal_days=ideal / gpus / _HOURS_PER_DAY,
        days_low=days * low, days=days, days_high=days * high, gpu_hours=hours,
        usd=None if price.expected is None else hours * price.expected,
        usd_low=None if price.low is None else hours * low * price.low,
        usd_high=None if price.high is None else hours * high * price.high,
        energy_kwh=energy,
        tco2=None if energy is None else carbon_tonnes(energy, country=run.country),
        memory_gib_per_gpu=memory.gib, fits=memory.fits, layout=memory.layout.write(gpus),
        batch_tokens=run.batch_tokens,
    )  # fmt: skip


def _utilisation(
    run: _Run, accelerator: Accelerator, gpus: int, efficiency: float
) -> tuple[float, float, float]:
    """Return the whole-run MFU, and the factors on the time at the ends of its band."""
    if run.mfu is None:
        base = base_utilisation(accelerator, active_params=run.active_params, moe=run.moe)
        low, high = planning_default("time_band_low"), planning_default("time_band_high")
        return base * efficiency, low.value, high.value
    there = cluster_efficiency(run.mfu_gpus, batch_tokens=run.batch_tokens, moe=run.moe)
    steady = min(1.0, run.mfu * efficiency / there)
    kept = goodput(gpus)
    low, high = planning_default("realised_low"), planning_default("realised_high")
    # At best nothing is lost; at worst what published runs lost, or what failures alone cost.
    return steady * kept, kept / high.value, max(1.0, kept / low.value)


def _assumptions(
    run: _Run, accelerators: tuple[Accelerator, ...], *, batch_given: bool
) -> tuple[Assumption, ...]:
    batch = Assumption(
        name="global batch", value=run.batch_tokens, unit="tokens",
        source="given" if batch_given else "largest batch with at most 20% overhead",
    )  # fmt: skip
    measured: tuple[Assumption, ...] = ()
    if run.mfu is not None:
        steady = Assumption(
            name=f"steady MFU on {run.mfu_gpus} accelerators", value=run.mfu,
            unit="share of dense peak", source="given",
        )  # fmt: skip
        band = (planning_default(name).assumption() for name in ("realised_low", "realised_high"))
        measured = (steady, *band, *goodput_assumptions())
    throughput = throughput_assumptions(
        accelerators, moe=run.moe, measured=run.mfu is not None, batch_given=batch_given
    )
    cost = cost_assumptions(
        accelerators, usd_per_hour=run.usd_per_hour, pue=run.pue, country=run.country
    )
    shape = shape_assumptions(run.shape, sequence_length=run.sequence_length)
    return (batch, *measured, *throughput, *memory_assumptions(), *shape, *cost)
