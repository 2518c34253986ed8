"""New runs smaller than any of the old fit: whether the law that all would share holds for them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import get_law
from scaleplan.planning.next_runs_target import cheapest_of
from scaleplan.planning.update import inputs_and_values, law_for
from scaleplan.records import Fit, Note, RowNote
from scaleplan.units import format_number_of, format_significant

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import BoolArray, FloatArray
    from scaleplan.runs.table import Runs

# Runs below the old ones are left out if so bad a fit to them would come by chance so seldom. Where
# the law was right the error of the forecast stayed at about half of a ladder's or less; where
# neither form was, without the test it was twice a ladder's, with it 0.8 to 0.95 times
# (tests/benchmark/next_runs.py --reps 60, seeds 1 and 2, 2026). With 0.05 more of the right laws
# lost their smallest runs.
SMALL_RUNS_BELOW = 0.01
_SPARE_RUNS = 3
_CLIP_SIGMAS = 6.0
_ROUNDING = 1e-6  # of the compute: sizes that were rounded when they were written


def small_runs_p(whole: Fitted, upper: Fitted, small: BoolArray) -> float:
    """Return the p-value of one law for all: an F test of how well it foresees the smaller runs.

    Chow's predictive test (Chow 1960, Econometrica 28): the squared residuals that the smaller runs
    add, for each of them, against those of the others. Single ones are clipped and the largest is
    left out, so that a run that failed does not speak for all.

    Args:
        whole: The law fitted to all runs.
        upper: The law of the others, fitted to them alone.
        small: Shape (n,), which of all runs are the smaller ones.
    """
    rest = float((upper.residuals() ** 2).sum())
    count = int(small.sum())
    if rest <= 0.0 or not count:
        return 1.0
    limit = _CLIP_SIGMAS * math.sqrt(rest / upper.dof)
    squares = np.clip(whole.residuals(), -limit, limit) ** 2
    added = float(squares.sum()) - rest
    if count > 1:
        added, count = added - float(squares[small].max()), count - 1
    return f_tail(added / count / (rest / upper.dof), float(count), float(upper.dof))


def runs_to_fit(old: Fit, runs: Runs, *, law: str) -> tuple[Runs, str, str, tuple[Note, ...]]:
    """Return the runs that are fitted together, by which law, why, and what there is to say.

    Runs smaller than any of the old fit are what `next` proposes to make the law sharp: they do so
    if the law holds there, and mislead it if it bends. They stay only where the law of all runs
    fits them as well as the others.

    Args:
        old: The old fit.
        runs: All runs, the old and the new.
        law: The law that was asked for, or `auto`.
    """
    chosen, reason = _law(old, runs, law)
    if get_law(chosen).inputs != ("params", "tokens"):
        return runs, chosen, reason, ()
    for small in _smaller(old, runs):
        kept = runs.take(np.flatnonzero(~small))
        other, other_reason = _law(old, kept, law)
        p = _p(old, runs, kept, (chosen, other), small)
        if p < SMALL_RUNS_BELOW:
            note = _note(int(small.sum()), p)
            return _without(runs, small, kept), other, other_reason, (note,)
    return runs, chosen, reason, ()


def _p(old: Fit, runs: Runs, kept: Runs, laws: tuple[str, str], small: BoolArray) -> float:
    """Return the p-value of one law for all, 1 where the other runs are too few to carry theirs."""
    if len(kept) < len(get_law(laws[1]).parameters) + _SPARE_RUNS:
        return 1.0
    try:
        whole, upper = (
            fit_law(get_law(name), *inputs_and_values(old, those))
            for name, those in zip(laws, (runs, kept), strict=True)
        )
    except FitError:
        return 1.0
    return small_runs_p(whole, upper, small[np.isfinite(_compute(old, runs))])


def _law(old: Fit, runs: Runs, law: str) -> tuple[str, str]:
    return (law, "asked for") if law != "auto" else law_for(old, runs)


def smaller(
    params: FloatArray, tokens: FloatArray, flops: FloatArray, least: tuple[float, float, float]
) -> tuple[BoolArray, ...]:
    """Return which runs are smaller than any old one, shape (n,): first by compute, then by all.

    Compute alone leaves the others more runs, for a sharper test; sizes and tokens below the old
    ones at a compute among theirs may be where the law bends too. A way that finds none is left
    out.

    Args:
        params: Shape (n,).
        tokens: Shape (n,).
        flops: Shape (n,), training compute, FLOP.
        least: Fewest params and tokens and least compute of the old runs.
    """
    with np.errstate(invalid="ignore"):
        below = [
            np.asarray(values < low * (1.0 - _ROUNDING))
            for values, low in zip((flops, params, tokens), (least[2], *least[:2]), strict=True)
        ]
    ways = (below[0], below[0] | below[1] | below[2])
    return tuple(way for way in ways if way.any())


def _smaller(old: Fit, runs: Runs) -> tuple[BoolArray, ...]:
    low = {one.role: one.low for one in old.ranges}
    if not {"params", "tokens"} <= set(low) or not (runs.has("params") and runs.has("tokens")):
        return ()
    least = (low["params"], low["tokens"], cheapest_of(old))
    return smaller(runs.column("params"), runs.column("tokens"), _compute(old, runs), least)


def _compute(old: Fit, runs: Runs) -> FloatArray:
    """Return the compute of each run, FLOP, the logged one where the old fit knows its range."""
    compute = old.flops_per_param_token * runs.column("params") * runs.column("tokens")
    if not runs.has("flops") or all(one.role != "flops" for one in old.ranges):
        return compute
    logged = runs.column("flops")
    return np.where(np.isfinite(logged) & np.isfinite(compute), logged, compute)


def _without(runs: Runs, small: BoolArray, kept: Runs) -> Runs:
    """Return the runs that are kept, the others listed among those that were dropped."""
    names = runs.labels.get("run")
    lost = []
    for at in np.flatnonzero(small):
        file, line = runs.origins[int(at)]
        lost.append(
            RowNote(
                file=file, line=line, run="" if names is None else names[at],
                reason="smaller than any run of the old fit, and the law does not hold for it",
            )
        )  # fmt: skip
    cleaning = runs.cleaning
    return replace(
        kept,
        cleaning=replace(
            cleaning, rows_used=cleaning.rows_used - len(lost),
            dropped=(*cleaning.dropped, *lost),
        ),
    )  # fmt: skip


def _note(count: int, p: float) -> Note:
    return Note(
        id="SMALL_RUNS_LEFT_OUT", severity="warning",
        text=f"{format_number_of(count, 'run')} with fewer params, tokens or FLOP than any old one "
        f"{'does' if count == 1 else 'do'} not lie on one law with the others (p = "
        f"{format_significant(p, 2)}), so the new fit leaves {'it' if count == 1 else 'them'} out.",
        action="A law that bends at small sizes says little from there about large ones; spend on "
        "larger runs, scaleplan next --cheapest FLOP. To fit them all the same: scaleplan fit "
        "OLD NEW.",
        numbers=(("runs", float(count)), ("p", p)),
    )  # fmt: skip
