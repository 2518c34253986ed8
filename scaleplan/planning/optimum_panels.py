"""Panels of the compute-optimal size: isoFLOP curves with their minima, clouds of resamples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.isoflop import BUDGET_TOLERANCE
from scaleplan.laws import HasOptimum, get_law
from scaleplan.planning.picture_parts import NAMES, Row, axis_label, metric_label
from scaleplan.records import Fit, Panel, Trace
from scaleplan.units import format_flops

if TYPE_CHECKING:
    from scaleplan.fitting.resampling import Resamples

_MOST_CURVES = 6  # that can be told apart; evenly over the budgets
_MOST_DRAWS = 400
_MIDDLE = 0.98  # share of the resamples that are drawn: a stray one would stretch the axes


def isoflop_panel(fit: Fit, rows: Sequence[Row]) -> Panel | None:
    """Return the metric over the size for each budget, with its best size; None without a sweep.

    Args:
        fit: The fit, with the minima that were found.
        rows: Its runs.
    """
    size = "active_params" if "active_params" in fit.inputs else "params"
    minima = [m for m in fit.isoflop if m.status != "few sizes"]
    kept = _evenly(len(minima), _MOST_CURVES)
    traces, marks = [], []
    for minimum in (minima[index] for index in kept):
        near = sorted(
            (given[size], value) for given, value in rows
            if size in given and abs(math.log(given.get("flops", math.inf) / minimum.budget_flops))
            <= math.log1p(BUDGET_TOLERANCE)
        )  # fmt: skip
        if not near:
            continue
        traces.append(Trace(
            name=f"{format_flops(minimum.budget_flops)} FLOP", look="sweep",
            x=tuple(n for n, _ in near), y=tuple(v for _, v in near),
        ))  # fmt: skip
        if minimum.status == "used" and minimum.params is not None and minimum.value is not None:
            value = 1.0 - minimum.value if fit.complement else minimum.value
            marks.append((minimum.params, value))
    if not traces:
        return None
    if marks:
        best = "maximum" if fit.complement else "minimum"
        traces.append(Trace(name=best, look="mark", x=tuple(n for n, _ in marks),
                            y=tuple(v for _, v in marks)))  # fmt: skip
    left = len(minima) - len(kept)
    return Panel(
        title="IsoFLOP curves" + (f" ({len(kept)} of {len(minima)} budgets)" if left else ""),
        x_label=NAMES[size], y_label=metric_label(fit), x_scale="log",
        y_scale="linear" if fit.metric.kind in {"accuracy", "score"} else "log",
        traces=tuple(traces),
    )  # fmt: skip


def _evenly(count: int, most: int) -> list[int]:
    """Return at most `most` of `count` places, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})


def cloud_panel(fit: Fit, draws: Resamples | None) -> Panel | None:
    """Return what the resamples say about the optimum of each budget; None without resamples.

    Args:
        fit: The fit, with its table of optima.
        draws: Resampled parameters.
    """
    law = get_law(fit.law)
    if draws is None or not fit.optimum or not isinstance(law, HasOptimum):
        return None
    parts = [np.asarray(draws.theta[:, k]) for k in range(draws.theta.shape[1])]
    k, traces = fit.flops_per_param_token, []
    for row in fit.optimum:
        with np.errstate(all="ignore"):  # a degenerate resample gives nan, which is left out
            sizes, _ = law.optimum(parts, np.asarray(row.flops), k)
        known = np.sort(sizes[np.isfinite(sizes) & (sizes > 0.0)])
        cut = int(0.5 * (1.0 - _MIDDLE) * known.size)
        middle = known[cut : known.size - cut]
        shown = middle[_evenly(middle.size, _MOST_DRAWS)]
        traces.append(Trace(
            name=f"{format_flops(row.flops)} FLOP", look="cloud", x=tuple(shown.tolist()),
            y=tuple((row.flops / k / shown).tolist()),
        ))  # fmt: skip
    traces.append(Trace(
        name="fit", look="runs", x=tuple(r.params for r in fit.optimum),
        y=tuple(r.tokens for r in fit.optimum),
    ))  # fmt: skip
    size = "active_params" if "active_params" in fit.inputs else "params"
    return Panel(
        title=f"Resamples of the optimum (middle {100.0 * _MIDDLE:.0f}%)",
        x_label=f"optimal {NAMES[size]}", y_label=f"optimal {axis_label(fit, 'tokens')}",
        x_scale="log", y_scale="log", traces=tuple(traces),
    )  # fmt: skip
