"""The picture of systems side by side: runs, frontiers, and the multiplier over the loss."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.planning.frontiers import central, multiplier
from scaleplan.planning.systems_fits import Compared, compute_of
from scaleplan.records.pictures import Panel, Picture, Trace

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray
    from scaleplan.records.systems import SystemsComparison

_POINTS = 60
_BEYOND = 30.0  # times the largest run that curves are drawn
_MOST_BANDS = 4  # more of them hide each other
_MOST_RATIO = 1e3  # beyond, a multiplier only flattens the picture


def systems_picture(comparison: SystemsComparison, compared: Compared) -> Picture:
    """Return the runs with the frontier of each system, and the multipliers over the loss.

    Args:
        comparison: The comparison.
        compared: Its fits.
    """
    reference = comparison.reference
    others = [name for name in compared.names if name != reference]
    return Picture(
        title=f"{', '.join(others)} against {reference}",
        panels=(_curves(comparison, compared), _multipliers(comparison, compared)),
    )


def _label(comparison: SystemsComparison) -> str:
    name, unit = comparison.metric.name, comparison.metric.unit
    shown = f"1 - {name}" if comparison.complement else name
    return f"{shown} ({unit})" if unit else shown


def _curves(comparison: SystemsComparison, compared: Compared) -> Panel:
    spans = [compute_of(system) for system in compared.fits.systems]
    low, high = min(float(s.min()) for s in spans), max(float(s.max()) for s in spans)
    ends = [row.flops for row in comparison.crossings if row.flops < _BEYOND**2 * high]
    xs = np.geomspace(low, max([_BEYOND * high, *(2.0 * end for end in ends)]), _POINTS)
    level = comparison.interval.level
    banded = len(spans) <= _MOST_BANDS
    traces: list[Trace] = []
    for k, compute in enumerate(spans):
        values = compared.fits.systems[k].axes.values
        traces.append(
            Trace(name="", look="cloud", x=_floats(compute), y=_floats(values), group=k)
        )  # fmt: skip
    for k, name in enumerate(compared.names):
        draws = compared.free_draws[k]
        drawn = np.stack([draws.loss(float(x)) for x in xs], axis=1)
        tail = 50.0 * (1.0 - level)
        bottom, top = np.nanpercentile(drawn, [tail, 100.0 - tail], axis=0)
        line = Trace(
            name=f"{name}, {100.0 * level:g}%" if banded else name, look="law", x=_floats(xs),
            y=_floats(compared.free[k].loss(xs)), group=k,
        )  # fmt: skip
        traces.append(replace(line, low=_floats(bottom), high=_floats(top)) if banded else line)
    shown = [row for row in comparison.crossings if row.flops <= float(xs[-1])]
    if shown:
        traces.append(
            Trace(name="crossing", look="mark", x=tuple(row.flops for row in shown),
                  y=tuple(row.value for row in shown))
        )  # fmt: skip
    unit = " (FLOP)" if comparison.resource == "training compute" else ""
    best = "at the best split" if comparison.law == "chinchilla" else "along the runs"
    return Panel(
        title=f"Each system's own fit {best}", x_label=f"{comparison.resource}{unit}",
        y_label=_label(comparison), x_scale="log", y_scale="log", traces=tuple(traces),
    )  # fmt: skip


def _multipliers(comparison: SystemsComparison, compared: Compared) -> Panel:
    """Return the multiplier of each system over the loss, of the form that answers."""
    traces: list[Trace] = []
    losses = [row.value for row in comparison.multipliers if row.answer.value is not None]
    span = (min(losses), max(losses)) if losses else (1.0, 2.0)
    xs = np.geomspace(*span, _POINTS)
    for k in range(1, len(compared.names)):
        line = _line(comparison, compared, k, xs)
        traces += [line] if line.x else []
    traces.append(Trace(name="no difference", look="limit", x=span, y=(1.0, 1.0)))
    form = "shared exponents and floor" if compared.answers == "shared" else "each system's own fit"
    return Panel(
        title=f"Multiplier over {comparison.reference}: {form}", x_label=_label(comparison),
        y_label="times the compute", x_scale="log", y_scale="log", traces=tuple(traces),
    )  # fmt: skip


def _line(comparison: SystemsComparison, compared: Compared, k: int, xs: FloatArray) -> Trace:
    """Return the multiplier of a system over losses, where it is known."""
    pair, drawn = compared.of_answer, compared.answer_draws
    rows: list[tuple[float, float, float, float]] = []
    for x in map(float, xs):
        value = float(multiplier(pair[k], pair[0], x))
        with np.errstate(divide="ignore"):
            found = central(np.log(multiplier(drawn[k], drawn[0], x)), comparison.interval.level)
        if found is None or not 1.0 / _MOST_RATIO < value < _MOST_RATIO:
            continue
        low, high = (min(max(math.exp(e), 1.0 / _MOST_RATIO), _MOST_RATIO) for e in found)
        rows.append((x, value, low, high))
    line = Trace(
        name=compared.names[k], look="law", x=tuple(r[0] for r in rows),
        y=tuple(r[1] for r in rows), group=k,
    )  # fmt: skip
    if len(compared.names) > _MOST_BANDS:
        return line
    return replace(line, low=tuple(r[2] for r in rows), high=tuple(r[3] for r in rows))


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
