"""Every law and objective on the same runs, at one target: how far the advice is apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from scaleplan.errors import FitError, InputError, UsageError
from scaleplan.fitting.api import fit
from scaleplan.fitting.interval import decades_beyond
from scaleplan.fitting.recipe import DEFAULT, OBJECTIVES, Recipe
from scaleplan.laws import LinearLaw, get_law
from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.forecast import forecast_at
from scaleplan.planning.samples import check_compute, knows_compute
from scaleplan.records import Candidate, ComparedLaw, Fit, LawComparison, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scaleplan.records import Objective
    from scaleplan.runs.table import Runs

_OF_TWO_INPUTS = ("chinchilla", "coupled", "kaplan")
_OF_ONE_INPUT = ("power_floor", "power", "log_linear", "linear")
_FURTHER = 10.0  # the default target lies this far beyond the largest run
_NAMES = {
    "huber": "Huber of log residuals", "log": "least squares of log residuals",
    "raw": "least squares of the metric",
}  # fmt: skip
_CHOSEN_FIRST = ("chosen", "admissible", "not judged", "rejected", "refused")
_FAR_APART = 0.04  # relative: smaller differences rarely decide anything (Choshen et al. 2024)


def compare_laws(
    runs: Runs,
    *,
    laws: Sequence[str] = (),
    objectives: Sequence[Objective] = OBJECTIVES,
    target: Mapping[str, float] | None = None,
    level: float = 0.9,
    on_progress: Callable[[int, int], None] | None = None,
    on_fit: Callable[[str, str, Fit], None] | None = None,
) -> LawComparison:
    """Fit each law under each objective and forecast the same target.

    Args:
        runs: Cleaned runs.
        laws: Names of laws; empty takes those that the columns allow.
        objectives: What is minimised.
        target: By role, in base units: params and tokens, or flops, or the single input. None
            takes ten times the compute (or the single input) of the largest run.
        level: Level of the intervals.
        on_progress: Called with (done, all) fits.
        on_fit: Called with a law, its objective in words, and its fit, for those that can be
            fitted.

    Raises:
        FitError: If no law can be fitted.
        InputError: If no column can serve as an input.
        UsageError: If a name is not a law's, or the target is not one that these runs allow.
    """
    chosen = fit(runs, resamples=0, level=level)
    # What fit would use is compared whatever it is: the S-curve of a score is no usual candidate.
    names = tuple(get_law(name).name for name in laws) or (chosen.law, *_laws_for(runs))
    pairs = [
        (name, objective)
        for name in dict.fromkeys(names)
        for objective in (("raw",) if isinstance(get_law(name), LinearLaw) else objectives)
    ]
    at, why = (dict(target), "asked for") if target else _default_target(chosen)
    at = _completed(chosen, at)
    rows = []
    for done, (name, objective) in enumerate(pairs, start=1):
        row, found = _row(runs, name, objective, at, chosen, level)
        rows.append(row)
        if found is not None and on_fit is not None:
            on_fit(row.law, row.objective, found)
        if on_progress is not None:
            on_progress(done, len(pairs))
    rows.sort(key=lambda row: _CHOSEN_FIRST.index(row.verdict))
    if all(row.verdict == "refused" for row in rows):
        raise FitError(
            f"none of these laws can be fitted to these runs; {rows[0].law}: {rows[0].reason}",
            hint="See `scaleplan laws`, or choose the columns with --columns and --input.",
        )
    if chosen.cleaning is None:  # pragma: no cover - a fit of runs says how they were cleaned
        raise TypeError(chosen.name)
    return LawComparison(
        metric=chosen.metric, target=tuple(at.items()), target_reason=why,
        decades_beyond_data=decades_beyond(chosen.ranges, at), rows=tuple(rows),
        interval=chosen.interval, cleaning=chosen.cleaning,
        notes=(*runs.notes, *_spread(rows)), assumptions=chosen.assumptions,
    )  # fmt: skip


def _laws_for(runs: Runs) -> tuple[str, ...]:
    """Return the laws that the columns of these runs allow."""
    both = runs.has("params") and runs.has("tokens") and not runs.has("input")
    return (*_OF_TWO_INPUTS, *_OF_ONE_INPUT) if both else (*_OF_ONE_INPUT, "shifted", "m3")


def _default_target(chosen: Fit) -> tuple[dict[str, float], str]:
    """Return ten times the largest run, split as the chosen law would."""
    ranges = {known.role: known.high for known in chosen.ranges}
    if has_optimum(chosen) and "flops" in ranges:
        return (
            {"flops": _FURTHER * ranges["flops"]},
            f"{_FURTHER:g} times the compute of the largest run, at the optimum of the chosen law",
        )
    grown = {role: _FURTHER * ranges[role] for role in chosen.inputs}
    return grown, f"{_FURTHER:g} times the largest {' and '.join(chosen.input_columns)}"


def _completed(chosen: Fit, at: dict[str, float]) -> dict[str, float]:
    """Add what follows from C = k N D, and the chosen law's split where only compute is given."""
    k = chosen.flops_per_param_token
    known = set(at)
    if "flops" in known and chosen.inputs != ("flops",):
        check_compute(chosen)
    if known == {"flops"} and has_optimum(chosen):
        params, tokens = optimal_split(chosen, at["flops"])
        return {"params": params, "tokens": tokens, "flops": at["flops"]}
    if {"params", "tokens"} <= known and knows_compute(chosen):
        return {"flops": k * at["params"] * at["tokens"], **at}
    if {"params", "flops"} <= known:
        return {"tokens": at["flops"] / (k * at["params"]), **at}
    if {"tokens", "flops"} <= known:
        return {"params": at["flops"] / (k * at["tokens"]), **at}
    return at


def _row(
    runs: Runs, name: str, objective: Objective, at: dict[str, float], chosen: Fit, level: float
) -> tuple[ComparedLaw, Fit | None]:  # fmt: skip
    """Return a law's line of the table, and its fit unless it is refused."""
    judged = next((c for c in chosen.candidates if c.law == name), None)
    try:
        found = fit(
            runs, law=name, recipe=Recipe(objective=objective), resamples=0, level=level,
            alone=True,
        )  # fmt: skip
    except (FitError, InputError) as error:
        refused = ComparedLaw(
            law=name, objective=_NAMES[objective], formula="", parameters=(), rmse_log=None,
            backtest_rmse_log=None, value=None, low=None, high=None, params=None, tokens=None,
            verdict="refused", reason=error.message,
        )  # fmt: skip
        return refused, None
    point = forecast_at(found, at) if all(role in at for role in found.inputs) else None
    size = None
    if has_optimum(found) and "flops" in at:
        size = optimal_split(found, at["flops"])
    own = found.candidates[0]
    row = ComparedLaw(
        law=name, objective=_NAMES[objective], formula=found.formula,
        parameters=found.parameters, rmse_log=own.rmse_log,
        backtest_rmse_log=own.backtest_rmse_log,
        value=None if point is None else point.value,
        low=None if point is None else point.low, high=None if point is None else point.high,
        params=None if size is None else size[0], tokens=None if size is None else size[1],
        inputs=found.input_columns,
        **_verdict(judged, found, at, objective),
    )  # fmt: skip
    return row, found


class _Verdict(TypedDict):
    verdict: str
    reason: str


def _verdict(
    judged: Candidate | None, found: Fit, at: Mapping[str, float], objective: Objective
) -> _Verdict:
    """Return the verdict of `--law auto` on this law, and why."""
    if judged is None:
        return _Verdict(verdict="not judged", reason="not among the laws that auto compares")
    if judged.inputs != found.input_columns:
        columns = " and ".join(judged.inputs)
        return _Verdict(verdict="not judged", reason=f"auto compares it as a law of {columns}")
    reason = judged.reason
    if objective != DEFAULT.objective and not isinstance(get_law(found.law), LinearLaw):
        reason = f"under {_NAMES[DEFAULT.objective]}: {reason}"
    unknown = [role for role in found.inputs if role not in at]
    if unknown:
        reason += f"; the target gives no {' or '.join(unknown)}"
    return _Verdict(verdict=judged.verdict, reason=reason)


def _spread(rows: Sequence[ComparedLaw]) -> tuple[Note, ...]:
    """Warn where laws that are not rejected predict the target differently."""
    usable = [r for r in rows if r.verdict in {"chosen", "admissible"} and r.value is not None]
    values = [r.value for r in usable if r.value is not None and r.value > 0.0]
    if len(values) < 2 or max(values) <= (1.0 + _FAR_APART) * min(values):
        return ()
    low, high = min(values), max(values)
    return (
        Note(
            id="FORMS_APART", severity="warning",
            text=f"Laws that the data do not reject predict from {low:.4g} to {high:.4g} at the "
            f"target, {100.0 * (high / low - 1.0):.2g}% apart.",
            action="Train a run between the data and the target; the data cannot choose.",
            numbers=(("low", low), ("high", high)),
            source="4% as the error that decides: Choshen et al. 2024, arXiv 2410.11840",
        ),
    )  # fmt: skip


def check_target(target: Mapping[str, float]) -> None:
    """Refuse a target that says the same thing twice, or not enough.

    Raises:
        UsageError: If params, tokens and flops are all given.
    """
    if {"params", "tokens", "flops"} <= set(target):
        message = "--params, --tokens and --flops together say the same thing twice"
        raise UsageError(message, hint="Give any two of them; the third follows from C = k N D.")
