"""The metric that a person names with --metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scaleplan.runs.metrics import UNKNOWN, Candidate, describe
from scaleplan.runs.named_columns import find_column, unknown_column
from scaleplan.runs.text import fold, split_unit


def named_metric(name: str, columns: Sequence[str]) -> Candidate:
    """Return the metric that a person asked for by its column's name, or by the end of it.

    `recall@10` is `valid recall@10` where there is no other, before `test recall@10`.

    Raises:
        UsageError: If there is no such column.
    """
    column = find_column(name, columns) or _of_a_split(name, columns)
    if column is None:
        raise unknown_column("metric", name, columns, "--metric")
    found = describe(column)
    if found is not None:
        return found
    return Candidate(
        column=column, kind="score", preference=UNKNOWN, split="plain", qualifiers=(), neutral=0,
        unit=split_unit(column)[1],
    )  # fmt: skip


def _of_a_split(name: str, columns: Sequence[str]) -> str | None:
    """Return the column that says what a metric was measured on, where a person did not."""
    asked = describe(name)
    if asked is None or asked.split != "plain":
        return None
    alike = [
        c for c in map(describe, columns)
        if c is not None and replace(c, split="plain").meaning == asked.meaning
        and fold(c.column).endswith(fold(name))
    ]  # fmt: skip
    return min(alike, key=lambda c: c.order).column if alike else None
