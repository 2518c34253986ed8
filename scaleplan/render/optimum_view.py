"""What is shown of the compute-optimal size, and of what other objectives would make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.fitting.valley import valley_label
from scaleplan.planning.forecast import forecast_interval
from scaleplan.render.view import (
    UNKNOWN,
    Column,
    Table,
    band,
    count,
    interval_text,
    level_text,
    number,
)
from scaleplan.units import format_flops, format_significant

if TYPE_CHECKING:
    from scaleplan.records import Fit, ObjectiveRow, OptimumRow


def objectives_table(fit: Fit) -> Table:
    """Return the same law under other objectives: how much the advice depends on that choice."""
    first = fit.objectives[0]
    sizes = first.flops is not None
    return Table(
        title="Under other objectives",
        columns=(
            Column(name="minimised", kind="text"),
            *((Column(name="params"), Column(name="tokens/param")) if sizes else ()),
            Column(name=fit.metric.name),
        ),
        rows=tuple(
            (
                f"{row.objective} (used)" if row.used else row.objective,
                *_size(row),
                number(1.0 - row.value if fit.complement and row.value is not None else row.value),
            )
            for row in fit.objectives
        ),
        footer=f"the compute-optimal model at {format_flops(first.flops)} FLOP"
        if first.flops is not None
        else f"at {first.input_value:g} times the largest fitted inputs",
    )


def _size(row: ObjectiveRow) -> tuple[str, ...]:
    if row.flops is None:
        return ()
    if row.params is None or row.tokens is None:
        return UNKNOWN, UNKNOWN
    return count(row.params), format_significant(row.tokens / row.params, 3)


def optimum_table(fit: Fit) -> Table:
    """Return the compute-optimal size for each budget, with its intervals and its valley."""
    level = level_text(fit.interval)
    near = valley_label(fit.metric.unit)
    return Table(
        title="Compute-optimal size",
        columns=(
            Column(name="FLOP"),
            Column(name="params"),
            Column(name="params range", rank=2),
            Column(name=f"params within {near}", rank=5),
            Column(name="tokens"),
            Column(name="tokens range", rank=4),
            Column(name="tokens/param", rank=1),
            Column(name="tokens/param range", rank=3),
            Column(name=fit.metric.name),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
        ),
        rows=tuple(_optimum_row(row) for row in fit.optimum),
        footer=f"ranges: {interval_text(fit.optimum_interval)}{_forms_text(fit)}; within {near}: "
        f"sizes whose {fit.metric.name} is that close to the best at this budget; "
        f"{fit.metric.name}: {interval_text(forecast_interval(fit))}, for one new run",
    )


def _forms_text(fit: Fit) -> str:
    """Return where the forms that forecast together put the largest optimum; empty for one."""
    last = fit.optimum[-1]
    if last.params_forms_low is None or last.params_forms_high is None:
        return ""
    names = " and ".join(law.law for law in (fit.main, *fit.alternatives))
    between = band(count(last.params_forms_low), count(last.params_forms_high))
    return f", without the spread over forms ({names}: {between} at {format_flops(last.flops)})"


def _optimum_row(row: OptimumRow) -> tuple[str, ...]:
    return (
        format_flops(row.flops),
        count(row.params),
        band(count(row.params_low), count(row.params_high)),
        band(count(row.params_valley_low), count(row.params_valley_high)),
        count(row.tokens),
        band(count(row.tokens_low), count(row.tokens_high)),
        format_significant(row.tokens_per_param, 3),
        band(_ratio(row.tokens_per_param_low), _ratio(row.tokens_per_param_high)),
        number(row.value),
        number(row.low),
        number(row.high),
    )


def _ratio(value: float | None) -> str:
    return UNKNOWN if value is None else format_significant(value, 3)
