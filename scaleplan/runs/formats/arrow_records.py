"""Columns of records in tables of pyarrow: each field of a record is a column of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_DEEPEST = 8  # as in documents of JSON


def opened_fields(schema: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - of pyarrow
    """Return name and type of each column once records are opened, nested names joined by `/`.

    Args:
        schema: Of a table.
    """
    return [found for field in schema for found in _opened(field.name, field.type, 1)]


def opened_columns(table: Any) -> Iterator[Any]:  # noqa: ANN401 - of pyarrow
    """Yield the columns that `opened_fields` names; a field of a record that is null is null.

    Args:
        table: Of the schema.
    """
    for column in table.columns:
        yield from _parts(column, 1)


def _opened(name: str, kind: Any, depth: int) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if not _is_opened(kind, depth):
        yield name, kind
        return
    for field in kind:
        yield from _opened(f"{name}/{field.name}", field.type, depth + 1)


def _parts(column: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401
    if not _is_opened(column.type, depth):
        yield column
        return
    for part in column.flatten():
        yield from _parts(part, depth + 1)


def _is_opened(kind: Any, depth: int) -> bool:  # noqa: ANN401
    import pyarrow as pa

    return bool(pa.types.is_struct(kind)) and kind.num_fields > 0 and depth < _DEEPEST
