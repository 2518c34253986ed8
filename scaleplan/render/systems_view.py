"""What is shown of systems side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import (
    Block,
    Column,
    Facts,
    Listing,
    Table,
    View,
    band,
    interval_text,
    level_text,
    metric_text,
    number,
)
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records.fits import Parameter
    from scaleplan.records.systems import (
        FormTest,
        Multiplier,
        Ratio,
        System,
        SystemCrossing,
        SystemsComparison,
    )

_SHORT = 3
# What goes first where a terminal is narrow; E and gamma say most.
_RANKS = {"alpha": 4, "beta": 3, "E": 1}
_AT = {
    "common": "reached by both", "between": "between them", "target_loss": "--target-loss",
    "target_flops": "--target-flops",
}  # fmt: skip


def systems_view(comparison: SystemsComparison) -> View:
    """Return what `scaleplan compare` shows of systems."""
    blocks: list[Block] = [
        *reading_blocks(comparison.cleaning), _systems(comparison), _shared(comparison),
        _multipliers(comparison),
    ]  # fmt: skip
    if comparison.crossings:
        blocks.append(_crossings(comparison))
    blocks.append(
        Listing(
            title="Fits of each system",
            lines=tuple((f"{one.name}:", one.formula) for one in comparison.systems),
        )
    )
    return View(
        title=f"scaleplan compare: {len(comparison.systems)} systems, "
        f"{metric_text(comparison.metric)}",
        blocks=tuple(blocks), notes=comparison.notes, assumptions=comparison.assumptions,
    )  # fmt: skip


def _name_of_value(comparison: SystemsComparison) -> str:
    name = comparison.metric.name
    return f"1 - {name}" if comparison.complement else name


def _systems(comparison: SystemsComparison) -> Table:
    symbols = [p.symbol for p in comparison.systems[0].parameters if p.symbol not in {"A", "B"}]
    if len(symbols) == 3:  # along one input gamma is alpha
        symbols.remove("gamma")
    return Table(
        title=f"Systems, each fitted by {comparison.law}",
        columns=(
            Column(name=comparison.by or "system", kind="name"),
            Column(name="runs"),
            Column(name=comparison.resource, rank=5),
            Column(name=_name_of_value(comparison), rank=6),
            *(Column(name=symbol, rank=_RANKS.get(symbol, 0)) for symbol in symbols),
            Column(name="scatter", rank=2),
        ),
        rows=tuple(_system(one, symbols) for one in comparison.systems),
        footer="in brackets: " + interval_text(comparison.interval)
        + ("" if len(symbols) == 2 else "; gamma: exponent of compute at the best split"),
    )  # fmt: skip


def _system(one: System, symbols: list[str]) -> tuple[str, ...]:
    known = {p.symbol: p for p in one.parameters}
    return (
        one.name,
        str(one.runs),
        band(format_flops(one.flops_low), format_flops(one.flops_high)),
        band(number(one.value_low), number(one.value_high)),
        *(_with_interval(known[symbol]) for symbol in symbols),
        format_percent(one.noise),
    )


def _with_interval(one: Parameter | Ratio) -> str:
    if one.value is None:
        return number(None)
    value = format_significant(one.value, _SHORT)
    if one.low is None or one.high is None:
        return value
    low, high = (format_significant(end, _SHORT) for end in (one.low, one.high))
    return f"{value} ({low} to {high})"


def _shared(comparison: SystemsComparison) -> Facts:
    test = comparison.test
    worth = "; ".join(
        f"{one.name} " + ", ".join(f"{p.symbol} {_with_interval(p)}" for p in one.worth)
        for one in comparison.systems[1:]
    )
    verdict = "rejected: each system's own fit answers" if test.rejected else (
        "not rejected: the shared form answers"
    )  # fmt: skip
    return Facts(
        title="Shared exponents and floor",
        pairs=(
            ("fit", test.formula),
            ("worth", worth),
            ("F test", f"{test.words}; {verdict}"),
        ),
    )


def _multipliers(comparison: SystemsComparison) -> Table:
    name, level = comparison.reference, level_text(comparison.interval)
    several = len(comparison.systems) > 2
    return Table(
        title=f"Multiplier of {comparison.resource} over {name}",
        columns=(
            *((Column(name=comparison.by or "system", kind="name"),) if several else ()),
            Column(name=f"at {_name_of_value(comparison)}"),
            Column(name="which is", kind="name", rank=3),
            Column(name=f"{name} needs", rank=4),
            Column(name="system needs" if several else f"{comparison.systems[1].name} needs",
                   rank=4),
            Column(name="multiplier"),
            Column(name=f"{level} low"),
            Column(name=f"{level} high"),
            Column(name="shared", rank=2),
            Column(name="free", rank=1),
            Column(name="decades beyond", rank=5),
            Column(name="verdict", kind="name"),
        ),
        rows=tuple(_multiplier(row, several=several) for row in comparison.multipliers),
        footer=f"multiplier: {comparison.resource} that {name} needs over what the other needs for "
        "the same metric, each at its best; above 1 the other is better; "
        + interval_text(comparison.interval),
    )  # fmt: skip


def _multiplier(row: Multiplier, *, several: bool) -> tuple[str, ...]:
    return (
        *((row.system,) if several else ()),
        number(row.value),
        _AT[row.at],
        format_flops(row.reference_flops),
        format_flops(row.flops),
        format_significant(row.answer.value, _SHORT),
        format_significant(row.answer.low, _SHORT),
        format_significant(row.answer.high, _SHORT),
        _with_interval(row.shared),
        _with_interval(row.free),
        format_significant(row.decades_beyond_data, 2),
        row.verdict,
    )


def _crossings(comparison: SystemsComparison) -> Table:
    level = level_text(comparison.interval)
    return Table(
        title=f"Where the free curves cross that of {comparison.reference}",
        columns=(
            Column(name=comparison.by or "system", kind="name"),
            Column(name=comparison.resource),
            Column(name=f"{level} low", rank=1),
            Column(name=f"{level} high", rank=1),
            Column(name=_name_of_value(comparison)),
            Column(name="better below", kind="name"),
            Column(name="better above", kind="name"),
            Column(name="where", kind="text", rank=2),
            Column(name="supported", kind="name", rank=2),
        ),
        rows=tuple(
            (
                row.system, format_flops(row.flops),
                "no end" if row.flops_low is None else format_flops(row.flops_low),
                "no end" if row.flops_high is None else format_flops(row.flops_high),
                number(row.value), row.better_below, row.better_above,
                "inside the data" if row.decades_beyond_data == 0.0 else
                f"{format_significant(row.decades_beyond_data, 2)} decades beyond",
                _support(row, comparison.test),
            )
            for row in comparison.crossings
        ),
        footer=f"{level}: where the interval of the difference of both curves holds zero",
    )  # fmt: skip


def _support(row: SystemCrossing, test: FormTest) -> str:
    if row.supported:
        return "yes"
    if test.rejected:
        return "no: the curves are told apart nowhere"
    return "no: parallel curves are not rejected"


def systems_document(comparison: SystemsComparison) -> dict[str, Any]:
    """Return `scaleplan.systems/1`."""
    return {
        **head("systems", "compare"),
        "reference": comparison.reference,
        "by": comparison.by,
        "metric": asdict(comparison.metric),
        "complement": comparison.complement,
        "law": comparison.law,
        "resource": comparison.resource,
        "form": comparison.form,
        "test": asdict(comparison.test),
        "systems": [_system_document(one) for one in comparison.systems],
        "multipliers": [_multiplier_document(row) for row in comparison.multipliers],
        "crossings": [asdict(row) for row in comparison.crossings],
        "interval": asdict(comparison.interval),
        "cleaning": cleaning_document(comparison.cleaning),
        **tail(comparison.assumptions, comparison.notes),
    }


def _system_document(one: System) -> dict[str, Any]:
    document = asdict(one)
    for key in ("parameters", "worth"):
        document[key] = {
            p["symbol"]: {k: p[k] for k in ("value", "low", "high", "meaning")}
            for p in document[key]
        }
    return document


def _multiplier_document(row: Multiplier) -> dict[str, Any]:
    flat = asdict(row)
    answer = flat.pop("answer")
    return {
        "system": flat.pop("system"),
        "at": flat.pop("at"),
        "metric_value": flat.pop("value"),
        "multiplier": answer["value"],
        "low": answer["low"],
        "high": answer["high"],
        **flat,
    }
