"""What is shown of the reasons behind notes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan.render.json_document import head, tail
from scaleplan.render.view import Column, Facts, Table, View

if TYPE_CHECKING:
    from scaleplan.records import Explanation, Explanations


def explanations_view(explanations: Explanations) -> View:
    """Return what `scaleplan explain` shows."""
    if not explanations.brief:
        return View(
            title="scaleplan explain", blocks=tuple(_facts(one) for one in explanations.entries)
        )
    table = Table(
        title="Notes",
        columns=(
            Column(name="id", kind="name"),
            Column(name="stage", kind="name", rank=1),
            Column(name="says", kind="text"),
        ),
        rows=tuple((one.id, one.stage, one.says) for one in explanations.entries),
        footer="`scaleplan explain ID` gives the rule, the reason and the source",
    )
    return View(title="scaleplan explain", blocks=(table,))


def _facts(one: Explanation) -> Facts:
    return Facts(
        title=f"{one.id} ({one.stage})",
        pairs=(
            ("says", one.says), ("rule", one.rule), ("reason", one.reason),
            ("what to do", one.action), ("source", one.source),
        ),
    )  # fmt: skip


def explanations_document(explanations: Explanations) -> dict[str, Any]:
    """Return `scaleplan.explanations/1`."""
    return {
        **head("explanations", "explain"),
        "explanations": [asdict(one) for one in explanations.entries],
        **tail((), ()),
    }
