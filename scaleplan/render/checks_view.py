"""What is shown of the checks of a fit: its design, isoFLOP minima, and influential runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import (
    UNKNOWN,
    Block,
    Column,
    Facts,
    Table,
    band,
    count,
    level_text,
    number,
    pairs_of,
)
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import (
        AllocationApproach,
        Fit,
        Identifiability,
        Influence,
        PureError,
    )

_METHODS = {1: "1 lower envelope", 2: "2 isoFLOP minima", 3: "3 fitted law"}
_SHOWN = 12
_ROUNDING = 1e-6


def design_facts(found: Identifiability) -> Facts:
    """Say over how much the runs spread, and how well that fixes the exponents."""
    spans = ", ".join(
        f"{role.replace('_per_param', '/param')} {format_significant(decades, 2)}"
        for role, decades in found.decades
    )
    worst = ""
    if found.relative_error is not None:
        worst = f"{format_percent(found.relative_error, 2)} ({found.relative_error_of})"
    apart = "" if found.starts_objective is None else _share(found.starts_objective)
    if found.starts_params is not None:
        apart += f" in the objective, {_share(found.starts_params)} in N*"
    return Facts(
        title="What the design of the runs tells",
        pairs=pairs_of(
            (
                ("decades spanned", spans),
                (
                    "correlation of log inputs",
                    "" if found.correlation is None else f"{round(found.correlation, 3) + 0.0:.3f}",
                ),
                ("worst standard error of an exponent", worst),
                ("best three starts apart", apart),
            )
        ),
    )


def _share(value: float) -> str:
    """Write a relative difference; what is below a millionth is rounding, and reads so."""
    return "less than 0.0001%" if value < _ROUNDING else format_percent(value, 2)


def replicates_text(found: PureError | None) -> str:
    """Say how far replicates scatter and whether the law misses more; empty without any."""
    if found is None:
        return ""
    scatter = format_percent(found.scatter) if found.relative else format_significant(found.scatter)
    p = "" if found.lack_of_fit_p is None else f", lack of fit p = {found.lack_of_fit_p:.2g}"
    return f"{scatter} in {found.groups} groups{p}"


def isoflop_blocks(fit: Fit) -> list[Block]:
    """Show the minima of isoFLOP sweeps and the three approaches side by side."""
    if not fit.isoflop:
        return []
    return [_minima(fit), _approaches(fit)]


def _minima(fit: Fit) -> Table:
    more = len(fit.isoflop) - _SHOWN
    return Table(
        title="IsoFLOP cross-check: minima",
        columns=(
            Column(name="FLOP"),
            Column(name="runs"),
            Column(name="near", rank=1),
            Column(name="params"),
            Column(name="tokens"),
            Column(name=f"1 - {fit.metric.name}" if fit.complement else fit.metric.name),
            Column(name="status", kind="text"),
        ),
        rows=tuple(
            (
                format_flops(m.budget_flops),
                str(m.runs),
                str(m.near) if m.near else UNKNOWN,
                count(m.params),
                count(m.tokens),
                number(m.value),
                m.status,
            )
            for m in fit.isoflop[-_SHOWN:]
        ),
        footer="runs within 10% of a budget; parabola in ln N through those within a factor of 4 "
        "of the minimum" + (f"; the {_SHOWN} largest of {len(fit.isoflop)}" if more > 0 else ""),
    )


def _approaches(fit: Fit) -> Table:
    sizes = fit.approaches[0].sizes if fit.approaches else ()
    return Table(
        title="IsoFLOP cross-check: approaches",
        columns=(
            Column(name="approach", kind="name"),
            Column(name="points", rank=1),
            Column(name="exponent of N*"),
            Column(name=f"{level_text(fit.interval)} range", rank=2),
            Column(name="exponent of D*"),
            *(Column(name=f"params at {format_flops(size.flops)}") for size in sizes),
        ),
        rows=tuple(_approach(one) for one in fit.approaches),
    )


def _approach(one: AllocationApproach) -> tuple[str, ...]:
    low, high = one.params_exponent_low, one.params_exponent_high
    return (
        _METHODS[one.approach],
        str(one.points),
        format_significant(one.params_exponent, 3),
        band(
            UNKNOWN if low is None else format_significant(low, 3),
            UNKNOWN if high is None else format_significant(high, 3),
        ),
        format_significant(one.tokens_exponent, 3),
        *(count(size.params) for size in one.sizes),
    )


def influence_table(influences: tuple[Influence, ...]) -> Table:
    """List the runs without which the optimal size is another one."""
    first = influences[0]
    more = len(influences) - _SHOWN
    return Table(
        title="Runs that move the optimal size",
        columns=(
            Column(name="without", kind="text"),
            Column(name="runs", rank=1),
            Column(name="params"),
            Column(name="change"),
        ),
        rows=tuple(
            (
                one.without,
                str(one.runs),
                count(one.params_without),
                UNKNOWN
                if one.params_without is None
                else format_percent(one.params_without / one.params - 1.0, 2),
            )
            for one in influences[:_SHOWN]
        ),
        footer=f"at {format_flops(first.at_flops)} FLOP, {count(first.params)} parameters with all "
        "runs; those that the rest misses by more than chance and that move it by a factor of over "
        "1.25, refitted without each"
        + (f"; and {more} more, see --format json" if more > 0 else ""),
    )
