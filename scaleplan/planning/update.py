"""What an old fit predicted for new runs, and what changes once it is made again with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, InputError
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.forms import ADDITIVE, COUPLED, coupling_p
from scaleplan.laws import get_law
from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.forecast import forecast_at, forecast_interval
from scaleplan.planning.update_logs import keys_of
from scaleplan.records import Change, Cleaning, Fit, FitUpdate, JudgedRun, Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import FloatArray
    from scaleplan.records.updates import Verdict
    from scaleplan.runs.table import Runs

# The coupled form takes over if it fits better by more than the parameter it has more, as Akaike's
# criterion has it: 2 ln(likelihood ratio) > 2, the p of which is 0.157. `fit --law auto` asks for
# more, because most logs hardly tell the two apart; runs that `next` planned do. With 0.05 instead,
# the error of forecasts of a coupled truth after runs no smaller than the old ones was 1.14 times a
# ladder's, with this rule 0.91 times (tests/benchmark/next_runs.py --reps 60 --smaller 1, 2026).
COUPLED_BELOW = 0.157
_SPARE_RUNS = 3
_DOUBT = 0.05  # probability below which so many runs outside are no chance
_FEWEST = 3  # new runs; of two even both may lie outside a 90% interval once in a hundred plans


def judge(fit: Fit, runs: Runs, *, known: Runs | None) -> tuple[JudgedRun, ...]:
    """Return the new runs beside what the old fit predicted for them, smallest first.

    Args:
        fit: The old fit.
        runs: The new runs; those that are also among the old ones are left out.
        known: The old runs, None where they could not be read.

    Raises:
        InputError: If no run is new or none has all inputs of the law.
    """
    for role in fit.inputs:
        runs.column(role)  # the error names the columns that there are
    seen = set() if known is None else set(keys_of(fit, known))
    names = runs.labels.get("run")
    judged = []
    complete = 0
    for at, key in enumerate(keys_of(fit, runs)):
        if not all(map(math.isfinite, key)):
            continue
        complete += 1
        if key in seen:
            continue
        name = names[at] if names is not None and names[at] else f"row {at + 1}"
        judged.append(_judged(fit, runs, at, name))
    if not judged:
        what = (
            "has all inputs of the law" if not complete else "is new: they are among the old ones"
        )
        raise InputError(
            f"none of the {len(runs)} runs {what}",
            hint="Give the log of the new runs, with their results filled in.",
        )
    return tuple(sorted(judged, key=lambda run: [value for _, value in run.inputs]))


def _judged(fit: Fit, runs: Runs, at: int, name: str) -> JudgedRun:
    point = {
        role: float(values[at])
        for role, values in runs.columns.items()
        if role != "value" and math.isfinite(values[at])
    }
    found, observed = forecast_at(fit, point), float(runs.value[at])
    z = inside = None
    if found.low is not None and found.high is not None:
        inside = found.low <= observed <= found.high
        level = fit.interval.level if fit.interval is not None else 0.9
        z = _z(fit, observed, found.low, found.high, level)
    return JudgedRun(
        name=name, inputs=tuple((role, point[role]) for role in fit.inputs), observed=observed,
        predicted=found.value, low=found.low, high=found.high, z=z, inside=inside,
        decades_beyond_data=found.decades_beyond_data,
    )  # fmt: skip


def _z(fit: Fit, observed: float, low: float, high: float, level: float) -> float | None:
    """Return how many standard deviations of its forecast a run lies above the middle.

    The law of a complement has its errors in 1 - metric; above means a higher metric all the same.
    """
    sign = 1.0
    if fit.complement:
        sign, observed, low, high = -1.0, 1.0 - observed, 1.0 - high, 1.0 - low
    if fit.main.residual == "log":
        if min(observed, low) <= 0.0:
            return None
        observed, low, high = math.log(observed), math.log(low), math.log(high)
    factor = t_quantile(0.5 + 0.5 * level, float(max(1, fit.main.dof)))
    spread = 0.5 * (high - low) / factor
    return sign * (observed - 0.5 * (low + high)) / spread if spread > 0.0 else None


def coverage(runs: Sequence[JudgedRun], level: float) -> tuple[int | None, float | None, Verdict]:
    """Return how many runs lie inside, how likely so few would be, and what follows.

    Args:
        runs: The new runs.
        level: Level of their intervals.
    """
    known = [run.inside for run in runs if run.inside is not None]
    if not known:
        return None, None, "too few runs to say"
    inside, count = sum(known), len(known)
    p = math.fsum(
        math.comb(count, k) * level**k * (1.0 - level) ** (count - k) for k in range(inside + 1)
    )
    if count < _FEWEST:
        return inside, p, "too few runs to say"
    return inside, p, "in doubt" if p < _DOUBT else "holds"


def law_for(fit: Fit, runs: Runs) -> tuple[str, str]:
    """Return the law to fit to old and new runs together, and why.

    Args:
        fit: The old fit.
        runs: All runs.
    """
    if fit.law not in {ADDITIVE, COUPLED}:
        return fit.law, "the law of the old fit"
    inputs, values = inputs_and_values(fit, runs)
    fewest = len(get_law(COUPLED).parameters) + _SPARE_RUNS
    if values.size < fewest or values.min() <= 0.0:
        return ADDITIVE, f"fewer than {fewest} runs cannot tell the coupled form from it"
    try:
        additive, coupled = (fit_law(get_law(name), inputs, values) for name in (ADDITIVE, COUPLED))
    except FitError:
        return fit.law, "the law of the old fit"
    p = coupling_p(additive, coupled)
    k = float(coupled.theta[-1])
    if p < COUPLED_BELOW:
        return COUPLED, f"the runs show a coupling: k = {k:.2f} (p = {p:.2g} for k = 1)"
    return ADDITIVE, f"no sign of a coupling (p = {p:.2g} for k = 1)"


def inputs_and_values(fit: Fit, runs: Runs) -> tuple[FloatArray, FloatArray]:
    """Return params and tokens of the runs that have both, (2, n), and what a law is fitted to.

    Args:
        fit: The old fit, which tells whether its law is of the metric or of 1 - metric.
        runs: The runs.
    """
    rows = np.isfinite(runs.column("params")) & np.isfinite(runs.column("tokens"))
    inputs = np.stack([runs.column("params")[rows], runs.column("tokens")[rows]])
    return inputs, 1.0 - runs.value[rows] if fit.complement else runs.value[rows]


def changes(old: Fit, new: Fit) -> tuple[Change, ...]:
    """Return what changed from the old fit to the new one."""
    after = {parameter.symbol: parameter for parameter in new.parameters}
    found = []
    if old.law == new.law:
        found = [
            Change(
                name=p.symbol, unit=p.unit, before=p.value, after=after[p.symbol].value,
                low_before=p.low, high_before=p.high, low_after=after[p.symbol].low,
                high_after=after[p.symbol].high,
            )
            for p in old.parameters
            if p.symbol in after
        ]  # fmt: skip
    if has_optimum(old) and has_optimum(new):
        for flops in [row.flops for row in old.optimum]:
            found += _optimum(old, new, flops)
    return tuple(found)


def _optimum(old: Fit, new: Fit, flops: float) -> list[Change]:
    """Return the changes of N*, D* and the loss there, at one compute in FLOP."""
    sizes = [optimal_split(fit, flops) for fit in (old, new)]
    at = f"at {flops:.3g} FLOP"
    found = [
        Change(name=f"{name}* {at}", unit=unit, before=sizes[0][k], after=sizes[1][k])
        for k, (name, unit) in enumerate((("N", "params"), ("D", "tokens")))
    ]
    # One and the same run, the new optimum, so that the forecasts can be compared.
    params, tokens = sizes[1]
    point = {"params": params, "tokens": tokens, "flops": flops}
    before, after = (forecast_at(fit, point) for fit in (old, new))
    found.append(
        Change(
            name=f"{new.metric.name} {at}", unit=new.metric.unit, before=before.value,
            after=after.value, low_before=before.low, high_before=before.high,
            low_after=after.low, high_after=after.high,
        )
    )  # fmt: skip
    return found


def update_of(
    old: Fit,
    judged: tuple[JudgedRun, ...],
    new: Fit | None,
    *,
    cleaning: Cleaning,
    among_old: int,
    law_reason: str,
    notes: Sequence[Note],
) -> FitUpdate:
    """Return the record of an update.

    Args:
        old: The old fit.
        judged: The new runs.
        new: The fit to all runs, None if it could not be made.
        cleaning: What became of the rows of the new logs.
        among_old: How many of their runs are old ones.
        law_reason: Why its law.
        notes: What there is to say so far.
    """
    level = old.interval.level if old.interval is not None else 0.9
    inside, p, verdict = coverage(judged, level)
    said = list(notes)
    if verdict == "in doubt" and inside is not None and p is not None:
        said.append(
            Note(
                id="LAW_IN_DOUBT", severity="warning",
                text=f"Only {inside} of {len(judged)} new runs lie inside the {100 * level:g}% "
                f"interval of the old fit (p = {p:.2g} if they were independent).",
                action="Trust the new fit only as far as its own runs, and look for what changed: "
                "data, tokenizer, schedule, learning rate.",
                numbers=(("inside", float(inside)), ("runs", float(len(judged))), ("p", p)),
            )
        )  # fmt: skip
    return FitUpdate(
        fit_name=old.name, metric=old.metric, runs=judged, inside=inside, level=level, p=p,
        verdict=verdict, law_before=old.law, law_after="" if new is None else new.law,
        law_reason=law_reason, changes=() if new is None else changes(old, new), fit=new,
        interval=forecast_interval(old), notes=tuple(said), assumptions=old.assumptions,
        cleaning=cleaning, among_old=among_old,
    )  # fmt: skip
