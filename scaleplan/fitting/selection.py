"""Comparing the laws of one input on the same runs: which are admissible, which are rejected.

Criteria that pick a single winner cost more than they gain (own simulation, 2026), so the default
is the power law with a floor, the others are tested against it, and whatever stays admissible
widens the intervals. A straight line is offered, tested, and rejected out loud.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.backtest import BackTest, back_test
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.fitted import Fitted, fit_law
from scaleplan.fitting.form_tests import (
    AICC_ADMISSIBLE,
    BACKTEST_ADMISSIBLE,
    CURVES_AWAY,
    EXACT_LOG,
    NOT_RANDOM,
    ON_LARGER_RUNS,
    SIGNIFICANT,
    STRAIGHT,
    aicc,
    curvature_p,
    definition_rejection,
    is_exact,
    log_rss,
    p_text,
    runs_test,
)
from scaleplan.fitting.identifiability import check_design, check_fit
from scaleplan.fitting.picking import CEILING, best_of, least_bad_of, without_floor
from scaleplan.fitting.scores import (
    NAMES,
    SATURATING,
    SIGMOID,
    beyond_range,
    larger_runs_speak_against,
    with_seen_cuts,
)
from scaleplan.laws import LAWS, Law, LinearLaw
from scaleplan.records import Candidate
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.recipe import Recipe
    from scaleplan.laws.base import FloatArray

_FLOOR_SIGNIFICANT = 0.05
# A line that reaches 0 within these decades beyond the largest run is no forecast. Plans go about
# as far beyond their sweeps. On the sets of one input in the choosing half of
# tests/benchmark/coverage.py 1 and 2 had larger interval scores, 4 a smaller one in one set of four
# and the same in the others (2026).
_REACH, _STEPS = 3.0, 61
_BACKTEST_REJECTS = 2.0  # ... and to the power family's, for straight lines


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """One law fitted to some columns; `fitted` is None, with a `remedy`, where it could not be."""

    law: Law
    fitted: Fitted | None
    test: BackTest | None
    refusal: str
    columns: tuple[str, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All candidates with their verdicts, and the chosen one; `tried` are the laws behind them."""

    chosen: Tried | None
    admissible: tuple[Tried, ...]
    candidates: tuple[Candidate, ...]
    tried: tuple[Tried, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether the chosen law passes, and is not only the least bad."""
        return any(t is self.chosen for t in self.admissible)


def one_input_laws() -> tuple[Law, ...]:
    """Return the laws of a single input that are compared without being asked for."""
    return tuple(law for law in LAWS if law.inputs == ("x",) and law.parameters and law.automatic)


def try_law(
    law: Law, names: tuple[str, ...], inputs: FloatArray, values: FloatArray,
    *, scale: FloatArray, recipe: Recipe, falling: bool,
) -> Tried:  # fmt: skip
    """Fit and back-test one law, or say why it cannot be fitted.

    Args:
        law: The law.
        names: The columns behind its inputs.
        inputs: Shape (inputs, n).
        values: Shape (n,).
        scale: Shape (n,), what orders the runs for the back-test.
        recipe: What is minimised, and which parameters are held.
        falling: Whether the metric falls as models improve.
    """
    if not falling and any(spec.is_floor for spec in law.parameters):
        return Tried(law, None, None, "a floor under a rising metric has no meaning", names)
    refusal = check_design(law, names, inputs, held=sum(recipe.fixed(law)))
    if refusal is not None:
        return Tried(law, None, None, refusal.reason, names, refusal.remedy)
    fitted = fit_law(law, inputs, values, recipe=recipe)
    refusal = check_fit(fitted, names)
    if refusal is not None:
        return Tried(law, None, None, refusal.reason, names, refusal.remedy)
    return Tried(law, fitted, back_test(fitted, scale), "", names)


def compare(
    tried: Sequence[Tried], *, prefer: str, falling: bool, score: bool = False
) -> Comparison:
    """Judge laws fitted to the same runs.

    Args:
        tried: The fitted laws.
        prefer: The law to choose while it is admissible.
        falling: Whether the metric falls as models improve, and can be no less than 0.
        score: Whether they are fitted to an error that can be no more than 1.
    """
    tried = with_seen_cuts(tried) if score else tried
    criteria = {t.law.name: aicc(t.fitted) for t in tried if t.fitted is not None}
    spared = {SATURATING} if SIGMOID in criteria else set()
    errors = {t.law.name: t.test.rmse_log for t in tried if t.test is not None}
    own = {
        t.law.name: _own_test(t, t.fitted, tried, errors, falling, score=score)
        for t in tried
        if t.fitted
    }
    # What its own test rejects is no measure for others: of few runs AICc prefers it all the same,
    # and a law with a parameter too many may forecast one run by luck.
    sound = [n for n in criteria if not own[n]]
    known = [c for n in sound if n not in spared and (c := criteria[n]) is not None]
    best = min(known, default=None)
    rivals = {n: errors[n] for n in sound if n in errors}
    reasons = {
        t.law.name: _rejection(
            t, tried, own.get(t.law.name, ""), criteria.get(t.law.name), best, rivals
        )
        or (beyond_range(t.fitted) if score and t.fitted is not None else "")
        for t in tried
    }
    admissible = tuple(t for t in tried if not reasons[t.law.name])
    # Its further exponent is hardly ever known: beside the sigmoid it is the other form only, and
    # where it alone passes none of those that may be chosen does.
    passing = tuple(t for t in admissible if t.law.name not in spared)
    among = passing or tuple(t for t in tried if t.law.name not in spared)
    usable = [t for t in among if t.fitted is not None]
    unpassed = ""
    chosen: Tried | None
    if passing:
        chosen = best_of(usable, criteria, prefer, falling=falling, score=score)
    else:
        chosen, unpassed = least_bad_of(usable, criteria, falling=falling, score=score)
    candidates = tuple(
        _candidate(t, chosen, unpassed, reasons[t.law.name], criteria, best, errors) for t in tried
    )
    return Comparison(chosen, admissible, candidates, tuple(tried))


def _candidate(
    t: Tried, chosen: Tried | None, unpassed: str, reason: str,
    criteria: dict[str, float | None], best: float | None, errors: dict[str, float | None],
) -> Candidate:  # fmt: skip
    name = t.law.name
    residuals = None if t.fitted is None else t.fitted.log_residuals()
    rmse = None if residuals is None else float(np.sqrt(np.mean(residuals**2)))
    value = criteria.get(name)
    relative = None if value is None or best is None else value - best
    if chosen is not None and name == chosen.law.name:
        why = "the default while it is admissible"
        if name != "power_floor":
            why = "smallest AICc among the admissible laws that can be extrapolated"
        return Candidate(
            law=name, rmse_log=rmse, aicc=relative, backtest_rmse_log=errors.get(name),
            verdict="rejected" if reason else "chosen",
            reason=f"{unpassed}{reason}" if reason else why, inputs=t.columns,
        )  # fmt: skip
    return Candidate(
        law=name, rmse_log=rmse, aicc=relative, backtest_rmse_log=errors.get(name),
        verdict="rejected" if reason else "admissible",
        reason=reason or "the data do not reject it", inputs=t.columns,
    )  # fmt: skip


def _rejection(
    t: Tried, tried: Sequence[Tried], own: str, criterion: float | None, best: float | None,
    rivals: dict[str, float | None],
) -> str:  # fmt: skip
    """Return why a law is rejected; empty if it is admissible."""
    if t.fitted is None:
        return t.refusal
    if criterion is None:
        return "it leaves the range of the metric among the fitted runs"
    if own or not t.law.parameters:
        return own
    if best is not None and criterion - best > AICC_ADMISSIBLE:
        return f"AICc is {criterion - best:.1f} above the best law's"
    if t.law.name in NAMES:
        return larger_runs_speak_against(t, tried)
    return _worse_on_larger_runs(rivals.get(t.law.name), rivals)


def _worse_on_larger_runs(own: float | None, errors: dict[str, float | None]) -> str:
    """Return why a back-test error speaks against a law, beside those of all; empty if not."""
    others = [e for e in errors.values() if e is not None]
    if own is not None and others and own > BACKTEST_ADMISSIBLE * min(others) + EXACT_LOG:
        return f"{ON_LARGER_RUNS}{own / min(others):.1f} times the best law's"
    return ""


def _own_test(
    t: Tried, fitted: Fitted, tried: Sequence[Tried], errors: dict[str, float | None],
    falling: bool, *, score: bool,
) -> str:  # fmt: skip
    """Return what the test that belongs to this law says against it."""
    if not t.law.parameters:
        return definition_rejection(fitted)
    if isinstance(t.law, LinearLaw):
        found = _straight_line_rejection(t, tried, errors)
        return found or (_reaches_zero(fitted, tried, score=score) if falling else "")
    if t.law.name == "power":
        return _power_rejection(t, tried)
    if without_floor(t):
        return "its floor is 0: it is the power law with a parameter too many"
    return ""


def _straight_line_rejection(
    t: Tried, tried: Sequence[Tried], errors: dict[str, float | None]
) -> str:
    fitted = t.fitted
    if fitted is None or is_exact(fitted):
        return ""
    curvature = curvature_p(fitted)
    if curvature is not None and curvature < STRAIGHT:
        return f"{CURVES_AWAY} from a straight line ({p_text(curvature)})"
    signs = runs_test(fitted.residuals(), fitted.inputs[0])
    if signs is not None and signs < STRAIGHT:
        return f"{NOT_RANDOM} (runs test, {p_text(signs)})"
    family = [
        errors.get(o.law.name) for o in tried
        if o.law.name in {"power", "power_floor"} and o.fitted is not None
    ]  # fmt: skip
    known = [e for e in family if e is not None]
    own = errors.get(t.law.name)
    if own is not None and known and own > _BACKTEST_REJECTS * min(known) + EXACT_LOG:
        best = min(known)
        # Exact data leave the power law no error to be a multiple of.
        if best <= 0.0:
            return f"on larger runs its error is {own:.2g} where the power law has none"
        return f"on larger runs its error is {own / best:.1f} times the power law's"
    return ""


def _reaches_zero(line: Fitted, tried: Sequence[Tried], *, score: bool) -> str:
    """Return why a falling line is no forecast: it soon says less than nothing, and need not be.

    Whether few runs bend hardly shows, so AICc alone took lines for forecasts that no metric can
    reach; where the runs do curve away from a power law, only they say how. A share of 1 curves
    away from one on its way from chance, and to its limit afterwards: of it a line says nothing.
    """
    power = next((o.fitted for o in tried if o.law.name == "power"), None)
    if power is None or is_exact(line):
        return ""
    largest = float(line.inputs[0].max())
    beyond = np.logspace(0.0, _REACH, _STEPS)
    negative = line.predict(largest * beyond[None, :]) <= 0.0
    curvature = curvature_p(power)
    curved = curvature is not None and curvature < SIGNIFICANT and not score
    if not negative.any() or curved:
        return ""
    factor = format_significant(float(beyond[negative][0]), 2)
    return f"it would reach 0 at {factor} times the largest input, as no run can"


def _power_rejection(t: Tried, tried: Sequence[Tried]) -> str:
    """Return why the data ask for a limit, a floor by an F test: halved, as none is below 0.

    The likelihood ratio against chi-squares knows no degrees of freedom: of six runs it called a
    floor certain that three parameters had made up (Self & Liang 1987 for the halving).
    """
    floor = next((o.fitted for o in tried if o.law.name == "power_floor" and o.fitted), None)
    plain = t.fitted
    if plain is None or is_exact(plain):
        return ""
    if any(o.law.name == CEILING for o in tried):
        curvature = curvature_p(plain)
        if curvature is None or curvature >= SIGNIFICANT:
            return ""
        return f"the runs curve away from a power law ({p_text(curvature)})"
    if floor is None or floor.dof < 1:
        return ""
    gained = math.expm1(max(0.0, log_rss(plain) - log_rss(floor)))
    p = 0.5 * f_tail(gained * floor.dof, 1.0, float(floor.dof))
    if p < _FLOOR_SIGNIFICANT:
        return f"the runs flatten towards a floor ({p_text(p)})"
    return ""
