"""How good forecasts from smaller runs would have been for the larger ones, by law and distance."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, ScaleplanError
from scaleplan.fitting.api import fit
from scaleplan.fitting.axes import Axes, axes_for, single_roles
from scaleplan.fitting.backtest import BackTest, back_test
from scaleplan.fitting.choice import PRODUCT
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.fitting.selection import try_law
from scaleplan.fitting.trials import FALLING
from scaleplan.laws import get_law
from scaleplan.planning.forecast import forecast_at
from scaleplan.records import Backtest, BacktestPoint, BacktestRow, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

AUTO = "auto"
_OF_TWO_INPUTS = ("chinchilla", "coupled")
_OF_ONE_INPUT = ("power_floor", "power", "shifted")
_LEVEL = 0.9
_CUTS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # quantiles of scale, as in fitting/backtest.py
_EDGES = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf)  # decades
_FEWEST_RUNS = 5
_DIGITS = 9  # of a distance in decades


def backtest(
    runs: Runs,
    *,
    laws: Sequence[str] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast the larger runs from the smaller ones, by each law and as `fit` would have done.

    Args:
        runs: Cleaned runs.
        laws: Names of laws; empty takes `auto` and those that the columns allow.
        on_progress: Called with (done, all) steps.

    Raises:
        FitError: If no law could forecast any run.
        UsageError: If a name is not a law's.
    """
    names = [AUTO if name == AUTO else get_law(name).name for name in laws] or _laws_for(runs)
    names = list(dict.fromkeys(names))
    points: list[BacktestPoint] = []
    rows = []
    for done, name in enumerate(names, start=1):
        found, refusal = _as_fit_would(runs) if name == AUTO else _by_law(runs, name)
        points += found
        rows.append(_row(name, found, refusal))
        if on_progress is not None:
            on_progress(done, len(names))
    if not points:
        raise FitError(
            f"no forecast of a larger run from smaller ones is possible: {rows[0].refusal}",
            hint="A back-test needs a few runs more than a law has parameters below a cut of "
            "scale, and runs above it.",
        )
    rows.sort(key=lambda row: math.inf if row.rms_error is None else row.rms_error)
    return Backtest(
        metric=runs.metric, level=_LEVEL, laws=tuple(rows),
        distances=tuple(_distances(names, points)), points=tuple(points), cleaning=runs.cleaning,
        notes=(*runs.notes, *_notes(rows)), assumptions=runs.assumptions,
    )  # fmt: skip


def _laws_for(runs: Runs) -> list[str]:
    """Return the laws that the columns of these runs allow."""
    both = runs.has("params") and runs.has("tokens") and not runs.has("input")
    product = (PRODUCT,) if both and runs.metric.kind == "score" else ()
    return [AUTO, *product, *(_OF_TWO_INPUTS if both else ()), *_OF_ONE_INPUT]


def _by_law(runs: Runs, name: str) -> tuple[list[BacktestPoint], str]:
    """Return one law's forecasts with the textbook's interval, or why there are none."""
    law = get_law(name)
    try:
        axes = axes_for(runs, law)
        tried = try_law(
            law, axes.columns, axes.inputs, axes.values, scale=axes.scale, recipe=DEFAULT,
            falling=runs.metric.kind in FALLING,
        )  # fmt: skip
    except ScaleplanError as error:
        return [], error.message
    if tried.fitted is None:
        return [], tried.refusal
    test = back_test(tried.fitted, axes.scale)
    if not test.error.size:
        return [], "too few runs below every cut of scale"
    below = _below(axes.scale)
    values = tried.fitted.values
    scale = axes.scale
    return [
        _point(name, test, k, values, scale, below, axes, log=tried.fitted.residual == "log")
        for k in range(test.error.size)
    ], ""


def _below(scale: FloatArray) -> list[int]:
    """Return how many runs lie below each cut."""
    logs = np.log10(scale)
    cuts = sorted({float(q) for q in np.quantile(logs, _CUTS, method="lower")})
    return [int((logs <= cut + 1e-12).sum()) for cut in cuts]


def _point(
    name: str, test: BackTest, k: int, values: FloatArray, scale: FloatArray, below: list[int],
    axes: Axes, *, log: bool,
) -> BacktestPoint:  # fmt: skip
    """Return one forecast of a law: delta method and run noise, nothing for the form."""
    run, observed = int(test.run[k]), float(values[test.run[k]])
    spread = float(test.noise[k]) * math.sqrt(1.0 + min(float(test.leverage[k]), 1e12))
    spread *= t_quantile(0.5 + 0.5 * _LEVEL, float(max(1, test.dof[k])))
    if log:
        error = min(max(float(test.error[k]), -50.0), 50.0)
        spread = min(spread, 50.0)
        predicted = observed * math.exp(error)
        low, high = predicted * math.exp(-spread), predicted * math.exp(spread)
    else:
        predicted = observed + float(test.error[k])
        low, high = predicted - spread, predicted + spread
    if axes.complement:
        observed, predicted, low, high = 1.0 - observed, 1.0 - predicted, 1.0 - high, 1.0 - low
    cut = int(test.cut[k])
    return BacktestPoint(
        law=name, cut=cut + 1, runs_below=below[cut] if cut < len(below) else 0,
        scale=float(scale[run]), decades=float(test.decades[k]), observed=observed,
        predicted=predicted, low=low, high=high,
    )  # fmt: skip


def _as_fit_would(runs: Runs) -> tuple[list[BacktestPoint], str]:
    """Return what `scaleplan fit` and `predict` would have said at each cut, law and interval."""
    roles = ["params", "tokens"]
    if runs.has("input") or not all(map(runs.has, roles)):
        roles = [single_roles(runs)[0]]
    columns = np.stack([runs.column(role) for role in roles])
    known = np.flatnonzero(np.isfinite(columns).all(axis=0) & (columns > 0.0).all(axis=0))
    usable = runs.own_order[np.isin(runs.own_order, known)]
    if usable.size < _FEWEST_RUNS:
        return [], f"{usable.size} runs have all inputs"
    sizes = np.log10(columns).sum(axis=0)
    if len(roles) == 1 and axes_for(runs, get_law("power"), roles[0]).of_loss:
        sizes = -sizes  # a larger run has a smaller loss
    logs = sizes[usable]
    found: list[BacktestPoint] = []
    refusal = "too few runs below every cut of scale"
    for number, cut in enumerate(
        sorted({float(q) for q in np.quantile(logs, _CUTS, method="lower")}), start=1
    ):
        below, above = usable[logs <= cut + 1e-12], usable[logs > cut + 1e-12]
        if not above.size:
            continue
        try:
            made = fit(runs.take(below), resamples=0, level=_LEVEL)
        except ScaleplanError as error:
            refusal = error.message
            continue
        for at in above:
            point = {
                role: float(values[at])
                for role, values in runs.columns.items()
                if role != "value" and math.isfinite(values[at])
            }
            if any(role not in point for role in made.inputs):
                continue
            said = forecast_at(made, point)
            found.append(
                BacktestPoint(
                    law=AUTO, cut=number, runs_below=int(below.size),
                    scale=float(10.0 ** sizes[at]),
                    decades=said.decades_beyond_data, observed=float(runs.value[at]),
                    predicted=said.value, low=said.low, high=said.high,
                )
            )  # fmt: skip
    return found, "" if found else refusal


def _row(
    name: str, points: Sequence[BacktestPoint], refusal: str = "",
    edges: tuple[float, float] | None = None,
) -> BacktestRow:  # fmt: skip
    """Return how good forecasts were."""
    errors = [math.log(p.predicted / p.observed) for p in points if p.predicted > 0.0 < p.observed]
    known = [
        (p.low, p.observed, p.high) for p in points if p.low is not None and p.high is not None
    ]
    inside = [low <= observed <= high for low, observed, high in known]
    whole = bool(errors) and len(errors) == len(points)
    far = [p.decades for p in points] or [0.0]
    low, high = edges or (min(far), max(far))
    return BacktestRow(
        law=name, decades_low=low, decades_high=high if math.isfinite(high) else max(far),
        forecasts=len(points), cuts=len({p.cut for p in points}),
        median_error=float(np.median(np.abs(errors))) if whole else None,
        rms_error=float(np.sqrt(np.mean(np.square(errors)))) if whole else None,
        bias=float(np.mean(errors)) if whole else None,
        inside=sum(inside) / len(inside) if inside else None, refusal=refusal,
    )  # fmt: skip


def _distances(names: Sequence[str], points: Sequence[BacktestPoint]) -> list[BacktestRow]:
    """Return the forecasts by law and distance."""
    found = []
    for name in names:
        own = [point for point in points if point.law == name]
        for low, high in itertools.pairwise(_EDGES):
            # Rounded: runs of one distance differ in the last digit of their logarithms.
            within = [point for point in own if low <= round(point.decades, _DIGITS) < high]
            if within:
                found.append(_row(name, within, edges=(low, high)))
    return found


def _notes(rows: Sequence[BacktestRow]) -> list[Note]:
    """Say where the textbook's intervals failed, and that forecasts above one cut are not many."""
    found = [
        Note(
            id="BACKTEST_CORRELATED", severity="info",
            text="Forecasts above one cut come from one fit: their errors go together, and few "
            "cuts say less than many forecasts seem to.",
        )
    ]  # fmt: skip
    auto = next((row for row in rows if row.law == AUTO and row.inside is not None), None)
    if auto is not None and auto.inside is not None and auto.inside < 2 * _LEVEL - 1:
        found.append(
            Note(
                id="INTERVALS_TOO_NARROW", severity="warning",
                text=f"Of the larger runs {100 * auto.inside:.0f}% lay inside the "
                f"{100 * _LEVEL:g}% interval that fit would have given.",
                action="Plan with wider margins than the intervals say.",
                numbers=(("inside", auto.inside),),
            )
        )  # fmt: skip
    return found
