"""Bounded scores: errors and accuracies, which bend away from chance and towards a limit.

A power law knows no chance level: followed down to small sizes it says errors above 1. Where enough
runs show both ends, the S-curves do better; where they do not, a free chance level makes forecasts
run off, which the back-test over scale then shows.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.form_tests import (
    AICC_ADMISSIBLE,
    BACKTEST_ADMISSIBLE,
    EXACT_LOG,
    RUNS_A_PARAMETER,
    aicc_of,
)
from scaleplan.fitting.recipe import Limit
from scaleplan.laws import get_law
from scaleplan.records import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.recipe import Recipe
    from scaleplan.fitting.selection import Comparison, Tried
    from scaleplan.laws import Law
    from scaleplan.runs.table import Runs

SIGMOID, SATURATING = "sigmoid", "saturating"
NAMES = (SIGMOID, SATURATING)
OF_LOSS = "loss_to_accuracy"
_SPARE_RUNS = 3  # below this a t interval says nothing
_SPARE_SIZES = 2  # distinct inputs beyond the parameters: repeats at few sizes show no bend
_CHANCE = "e0"


def is_score(runs: Runs) -> bool:
    """Tell whether the metric lies between 0 and 1 by definition, and does so in these runs."""
    if not runs.metric.bounded:
        return False
    values = runs.column("value")
    values = values[np.isfinite(values)]
    return bool(values.size) and float(values.min()) >= 0.0 and float(values.max()) <= 1.0


def score_laws(inputs: Sequence[float] | np.ndarray, *, of_loss: bool = False) -> tuple[Law, ...]:
    """Return the S-curves that so many runs at these inputs, shape (n,), can carry.

    Args:
        inputs: What the score is a law of.
        of_loss: Whether that is a loss, with which an error rises; the other curves fall.
    """
    column = np.asarray(inputs)
    sizes = np.unique(column).size
    return tuple(
        law for law in map(get_law, (OF_LOSS,) if of_loss else NAMES)
        if column.size >= len(law.parameters) + _SPARE_RUNS
        and sizes >= len(law.parameters) + _SPARE_SIZES
    )  # fmt: skip


def below_one(recipe: Recipe) -> Recipe:
    """Return the recipe with the chance level of an S-curve held to at most 1."""
    return replace(recipe, limits=(Limit(symbol=_CHANCE, low=0.0, high=1.0),))


def beyond_range(fitted: Fitted) -> str:
    """Return why a law of an error says more than there can be; empty if it does not.

    One standard deviation of a run is allowed above 1, which the fitted errors stay below.
    """
    largest = float(fitted.predict(fitted.inputs).max())
    scatter = float(np.exp(fitted.noise)) if fitted.residual == "log" else 1.0 + fitted.noise
    if largest <= scatter:
        return ""
    return f"it says an error of {largest:.3g} for one of the runs; there is none above 1"


def with_seen_cuts(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """Return the laws, S-curves back-tested only from where they would have been chosen.

    Where the runs below a cut show no bend, both levels are guesses, and whoever had to forecast
    from those runs would not have taken such a law.

    Args:
        tried: The laws that are compared, fitted to the same runs.
    """
    rivals = [_by_cut(t) for t in tried if t.law.name not in NAMES]

    def seen(t: Tried) -> Tried:
        if t.test is None or t.law.name not in NAMES:
            return t
        cuts = [
            cut for cut, (criterion, _) in _by_cut(t).items()
            if any(cut in r for r in rivals)
            and criterion + AICC_ADMISSIBLE < min(r[cut][0] for r in rivals if cut in r)
        ]  # fmt: skip
        return replace(t, test=t.test.rows(np.isin(t.test.cut, cuts)))

    return tuple(seen(t) for t in tried)


def larger_runs_speak_against(curve: Tried, others: Sequence[Tried]) -> str:
    """Return why forecasts of larger runs speak against an S-curve; empty if they do not.

    Args:
        curve: The S-curve, back-tested from the cuts where it would have been chosen.
        others: The laws that it is compared with.
    """
    rivals = [_by_cut(t) for t in others if t.law.name not in NAMES]
    errors = [
        (error, min(r[cut][1] for r in rivals if cut in r))
        for cut, (_, error) in _by_cut(curve).items() if any(cut in r for r in rivals)
    ]  # fmt: skip
    if not errors:
        return ""
    # Cut by cut: in logarithms of the error one cut with a limit guessed as 0 would outweigh all.
    ratios = [math.log((mine + EXACT_LOG) / (theirs + EXACT_LOG)) for mine, theirs in errors]
    ratio = math.exp(sum(ratios) / len(ratios))
    if ratio <= BACKTEST_ADMISSIBLE:
        return ""
    return f"on larger runs its error is {ratio:.1f} times the best law's"


def proven(curve: Tried, forms: Sequence[Tried]) -> bool:
    """Tell whether an S-curve of compute may stand in for the laws of params and tokens.

    It has forecast larger runs from cuts where it would have been chosen, and there are so many
    runs that the choice is no luck; or the others say what no error can be.
    """
    if curve.test is not None and curve.test.error.size:
        most = max(len(t.law.parameters) for t in forms)
        runs = 0 if curve.fitted is None else curve.fitted.values.size
        if runs >= RUNS_A_PARAMETER * most:
            return True
    return all(t.fitted is None or bool(beyond_range(t.fitted)) for t in forms)


def _by_cut(t: Tried) -> dict[int, tuple[float, float]]:
    """Return (AICc of the runs below, rms log error above) of each cut of scale."""
    test = t.test
    found: dict[int, tuple[float, float]] = {}
    if test is None or t.fitted is None or t.fitted.residual != "log":
        return found
    for cut in np.unique(test.cut):
        rows = test.cut == cut
        dof, free = int(test.dof[rows][0]), t.fitted.free
        error = float(np.sqrt(np.mean(test.log_error[rows] ** 2)))
        if dof > 1 and np.isfinite(error):
            count = dof + free
            squares = float(test.noise[rows][0]) ** 2 * dof + count * EXACT_LOG**2
            found[int(cut)] = (aicc_of(math.log(squares), count, free), error)
    return found


def compute_note(comparison: Comparison, axes: Axes, instead_of: str) -> Note:
    """Return the note that a law of compute stands in for the one of params and tokens."""
    reason = next(c.reason for c in comparison.candidates if c.law == instead_of)
    used = "" if comparison.chosen is None else comparison.chosen.law.name
    return Note(
        id="SCORE_LAW_OF_COMPUTE", severity="info",
        text=f"The {instead_of} law of parameters and tokens does not describe this score: "
        f"{reason}. The {used} law of {axes.columns[0]} alone is given instead; no compute-optimal "
        "size follows from it.",
        action=f"Add --law {instead_of} to fit the law of both sizes all the same.",
    )  # fmt: skip
