"""Advice: rules that turn records into notes, each with its numbers and what to do.

Rules of a stage are imported with it: a plan does not pay for those of fits.
"""

from __future__ import annotations

from dataclasses import replace

from scaleplan.advice.concerns import concerning
from scaleplan.advice.critical_size import critical_size
from scaleplan.advice.extrapolation import point_notes
from scaleplan.advice.fitness import fitness_notes
from scaleplan.advice.floor import floor_reached, forms_spread
from scaleplan.advice.hull import outside_hull
from scaleplan.planning.active import seen_as_dense
from scaleplan.records import Fit, Forecast, Note, Plan

__all__ = ["concerning", "fit_notes", "forecast_notes", "plan_notes"]


def fit_notes(fit: Fit) -> tuple[Note, ...]:
    """Return what there is to say about a fit, beyond the notes it carries.

    Args:
        fit: The fit.
    """
    from scaleplan.advice.design import DESIGN_RULES
    from scaleplan.advice.fit_quality import FIT_RULES
    from scaleplan.advice.influence import INFLUENCE_RULES
    from scaleplan.advice.isoflop import ISOFLOP_RULES
    from scaleplan.advice.saturation import SATURATION_RULES

    rules = (*FIT_RULES, *DESIGN_RULES, *INFLUENCE_RULES, *ISOFLOP_RULES, *SATURATION_RULES)
    return tuple(note for rule in rules for note in rule(fit))


def forecast_notes(
    forecast: Forecast, fit: Fit, *, whole: float | None = None, size_limit: str = ""
) -> tuple[Note, ...]:
    """Return what there is to say about forecasts from a fit.

    Args:
        forecast: The forecast.
        fit: The fit it was made from.
        whole: All parameters of a mixture of which those of the forecast are the active ones.
        size_limit: What keeps the model smaller than the optimum of its compute for good reason.
    """
    notes: list[Note] = []
    for point in forecast.points:
        notes += point_notes(point, fit)
        notes += (*floor_reached(point, fit), *forms_spread(point, fit))
        if point.params is not None and point.tokens is not None:
            notes += outside_hull(fit, point.params, point.tokens)
            notes += fitness_notes(
                fit, point.params, point.tokens, metric_value=point.value,
                others=dict(point.others), whole=whole, size_limit=size_limit,
            )  # fmt: skip
            notes += critical_size(fit, point.params, metric_value=point.value)
    return _first_of_each(notes)


def plan_notes(plan: Plan, fit: Fit) -> tuple[Note, ...]:
    """Return what there is to say about a plan and the fit behind it.

    Args:
        plan: The plan.
        fit: The fit that predicted its performance.
    """
    from scaleplan.advice.plan_limits import PLAN_RULES
    from scaleplan.advice.shape_limits import SHAPE_RULES
    from scaleplan.advice.unlikely import UNLIKELY_RULES

    if plan.forecast.law != fit.law:  # the plan knows what repeated tokens are worth
        from scaleplan.planning.repeats import with_repeats

        fit = with_repeats(fit)
    whole = plan.params if seen_as_dense(fit, plan.params, plan.active_params) else None
    notes = list(forecast_notes(plan.forecast, fit, whole=whole, size_limit=plan.size_limit))
    if whole is not None:
        from scaleplan.advice.mixtures import mixture_as_dense

        notes += mixture_as_dense(plan.forecast, fit, whole)
    # Counts around the one that was asked for are shown, not judged.
    rows = tuple(row for row in plan.rows if row.asked)
    judged = replace(plan, rows=rows) if rows else plan
    for rule in (*PLAN_RULES, *UNLIKELY_RULES, *SHAPE_RULES):
        notes += rule(judged)
    return _first_of_each(notes)


def _first_of_each(notes: list[Note]) -> tuple[Note, ...]:
    """Keep one note of each id and text: several points often say the same."""
    return tuple({(note.id, note.text): note for note in notes}.values())
