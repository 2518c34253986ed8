"""What is shown of the answers of a plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.view import UNKNOWN, Block, Column, Facts, Table, count, number
from scaleplan.units import (
    format_days,
    format_flops,
    format_percent,
    format_significant,
    format_usd,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.records import AnswerItem, Plan


def _flop(value: float) -> str:
    return f"{format_flops(value)} FLOP"


_WRITE: dict[str, Callable[[float], str]] = {
    "params": lambda v: f"{count(v)} parameters", "tokens": lambda v: f"{count(v)} tokens",
    "flop": _flop, "gpus": lambda v: f"{int(v):,}", "days": format_days, "usd": format_usd,
    "metric": format_significant, "share": lambda v: format_percent(v, 3),
    "ratio": lambda v: format_significant(v, 3),
}  # fmt: skip


def answer_blocks(plan: Plan) -> list[Block]:
    """Return a block for each answer, and the tables behind them."""
    blocks: list[Block] = [
        Facts(title=answer.title, pairs=tuple((item.name, _text(item)) for item in answer.items))
        for answer in plan.answers
    ]
    if plan.offers:
        blocks.append(_offers(plan))
    if plan.lifetime:
        blocks.append(_lifetime(plan))
    return blocks


def _text(item: AnswerItem) -> str:
    if item.value is None:
        return UNKNOWN
    return item.value if isinstance(item.value, str) else _WRITE[item.unit](float(item.value))


def _offers(plan: Plan) -> Table:
    """Return what each accelerator makes of the limits, the best model first."""
    falls = plan.forecast.metric.kind in {"loss", "error"}
    known = [offer for offer in plan.offers if offer.value is not None]
    known.sort(key=lambda o: (o.value or 0.0) if falls else -(o.value or 0.0))
    rows: list[tuple[str, ...]] = [
        (
            o.gpu, UNKNOWN if o.gpus is None else f"{o.gpus:,}", count(o.params), count(o.tokens),
            number(o.value), UNKNOWN if o.days is None else format_days(o.days),
            format_usd(o.usd), "",
        )
        for o in known
    ]  # fmt: skip
    rows += [(o.gpu, *[UNKNOWN] * 6, o.reason) for o in plan.offers if o.value is None]
    return Table(
        title="What each accelerator makes of it",
        columns=(
            Column(name="GPU", kind="name"), Column(name="GPUs"), Column(name="params"),
            Column(name="tokens"), Column(name=plan.forecast.metric.name), Column(name="time"),
            Column(name="cost", rank=1), Column(name="why not", kind="text", rank=2),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _lifetime(plan: Plan) -> Table:
    return Table(
        title="Sizes that reach the same, with inference",
        columns=(
            Column(name="params"), Column(name="tokens"), Column(name="training FLOP"),
            Column(name="inference FLOP"), Column(name="all FLOP"), Column(name="", kind="name"),
        ),
        rows=tuple(
            (
                count(row.params), count(row.tokens), format_flops(row.training_flops),
                format_flops(row.inference_flops), format_flops(row.total_flops),
                "least" if row.best else "",
            )
            for row in plan.lifetime
        ),
    )  # fmt: skip


def answers_document(plan: Plan) -> dict[str, Any]:
    """Return the answers for JSON: numbers by question and name, in SI units and days."""
    return {
        "answers": {
            answer.id: {item.name.replace(" ", "_"): item.value for item in answer.items}
            for answer in plan.answers
        },
        "offers": [asdict(offer) for offer in plan.offers],
        "lifetime": [asdict(row) for row in plan.lifetime],
    }
