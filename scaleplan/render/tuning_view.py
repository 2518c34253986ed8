"""What is shown of the best learning rates and batch sizes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.fit_view import reading_blocks
from scaleplan.render.json_document import cleaning_document, head, tail
from scaleplan.render.view import UNKNOWN, Column, Table, View, count, metric_text, number
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import Exponent, TunedGroup, Tuning

_SYMBOLS = {"params": "N", "tokens": "D", "flops": "C"}
_UNITS = {"params": "params", "tokens": "tokens", "flops": "FLOP"}


def tuning_view(tuning: Tuning) -> View:
    """Return what `scaleplan tune` shows."""
    return View(
        title=f"scaleplan tune: {metric_text(tuning.metric)}",
        blocks=(*reading_blocks(tuning.cleaning), _laws(tuning), _groups(tuning)),
        notes=tuning.notes, assumptions=tuning.assumptions,
    )  # fmt: skip


def _laws(tuning: Tuning) -> Table:
    shown = _roles(tuning)
    target = () if tuning.target is None else (
        Column(
            name="at " + ", ".join(f"{count(size)} {_UNITS[role]}" for role, size in tuning.target),
            rank=1,
        ),
        Column(name=f"{100 * tuning.level:g}% interval there", kind="name", rank=2),
    )  # fmt: skip
    rows = []
    for law in tuning.laws:
        row = [
            law.formula, *(_exponent(getattr(law, role)) for role in shown), str(law.groups),
            format_percent(law.rms_log, 2),
        ]  # fmt: skip
        if tuning.target is not None and law.prediction is not None:
            write = count if law.setting == "batch" else number
            at = law.prediction
            row += [write(at.value), UNKNOWN if at.low is None else
                    f"{write(at.low)} to {write(at.high)}"]  # fmt: skip
        rows.append((*row, law.reason))
    unit = f"; B: batch, {tuning.batch_unit}" if tuning.batch_unit else ""
    return Table(
        title="Laws of the best settings",
        columns=(
            Column(name="law", kind="name"),
            *(
                Column(name=f"exponent of {_SYMBOLS[role]}", kind="name", rank=rank)
                for rank, role in enumerate(shown, start=5)
            ),
            Column(name="minima", rank=4),
            Column(name="scatter", rank=3),
            *target, Column(name="why these exponents", kind="text", rank=7),
        ),
        rows=tuple(rows),
        footer=f"lr: learning rate{unit}; {100 * tuning.level:g}% intervals, t quantiles of least "
        "squares through the minima",
    )  # fmt: skip


def _roles(tuning: Tuning) -> list[str]:
    """Return the sizes that tell the groups apart."""
    first = tuning.groups[0]
    return [role for role in _SYMBOLS if getattr(first, role) is not None]


def _exponent(exponent: Exponent | None) -> str:
    if exponent is None:
        return UNKNOWN
    value = format_significant(exponent.value, 3)
    if exponent.low is None or exponent.high is None:
        return value
    return f"{value} ({exponent.low:.2f} to {exponent.high:.2f})"


def _groups(tuning: Tuning) -> Table:
    return Table(
        title="Minima",
        columns=(
            *(Column(name=_UNITS[role]) for role in _roles(tuning)),
            Column(name="runs", rank=2),
            Column(name="near", rank=3),
            Column(name=f"best {tuning.metric.name}"), Column(name="learning rate"),
            Column(name="batch", rank=1), Column(name="left out because", kind="text"),
        ),
        rows=tuple(_row(group, _roles(tuning)) for group in tuning.groups),
        footer="of parabolas in the logarithms, each learning rate at its best batch and each "
        "batch at its best learning rate; near: learning rates used; +-: standard error, "
        "not known where three levels make the parabola",
    )  # fmt: skip


def _row(group: TunedGroup, roles: list[str]) -> tuple[str, ...]:
    return (
        *(count(getattr(group, role)) for role in roles), str(group.runs), str(group.used),
        number(group.best_value),
        _with_error(group.learning_rate, group.learning_rate_error, digits=3),
        _with_error(group.batch, group.batch_error, digits=3), group.flag,
    )  # fmt: skip


def _with_error(value: float | None, error: float | None, *, digits: int) -> str:
    if value is None:
        return UNKNOWN
    shown = count(value) if value >= 1.0 else format_significant(value, digits)
    return shown if error is None else f"{shown} +- {format_percent(error, 2)}"


def tuning_document(tuning: Tuning) -> dict[str, Any]:
    """Return `scaleplan.tuning/1`."""
    return {
        **head("tuning", "tune"),
        "metric": asdict(tuning.metric),
        "batch_unit": tuning.batch_unit,
        "level": tuning.level,
        "target": None if tuning.target is None else dict(tuning.target),
        "laws": [asdict(law) for law in tuning.laws],
        "groups": [asdict(group) for group in tuning.groups],
        "cleaning": cleaning_document(tuning.cleaning),
        **tail(tuning.assumptions, tuning.notes),
    }
