"""Parquet files, by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats.arrow_arrays import numbers_of, places_of
from scaleplan.runs.formats.arrow_records import opened_columns, opened_fields
from scaleplan.runs.formats.base import KeepText, missing
from scaleplan.runs.formats.repeated_names import distinct, repeated_names
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, Words, numeric_column, refuse_wide
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import clean_text

_LARGEST_ROWS = 50_000_000
_COLUMN = "column"  # what a column that is read by itself is called while it is
_ROWS_TOGETHER = 1_000_000


def read_parquet(path: Path, name: str, keep_text: KeepText) -> RawTable:
    """Read a Parquet file.

    Args:
        path: The file.
        name: What messages call it.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If pyarrow is missing, or the file is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise missing(name, "pyarrow", "large") from None
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > _LARGEST_ROWS:
                message = f"has {file.metadata.num_rows} rows, more than {_LARGEST_ROWS}"
                raise InputError(message, file=name, hint="Keep the rows that a plan needs.")
            texts = [
                field.name for field in file.schema_arrow
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            ]  # fmt: skip
        # Names of runs repeat by the million: they are never written out one by one.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            opened = opened_fields(file.schema_arrow)
            refuse_wide(name, len(opened), file.metadata.num_rows)
            named = [clean_text(column) for column, _ in opened]
            kinds = [kind for _, kind in opened]
            columns = _read_columns(file, distinct(named), kinds, keep_text, name)
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"is no Parquet file that can be read: {clean_text(str(error))[:200]}", file=name,
            hint="A file that was cut off has lost its end, where the columns are described.",
        ) from error  # fmt: skip
    return RawTable(
        file=name, columns=columns, lines=np.zeros(rows, dtype=np.int64), shared={}, dropped=(),
        notes=repeated_names(name, named), decimal_comma=False,
    )  # fmt: skip


def _read_columns(
    file: Any,  # noqa: ANN401 - a file of pyarrow
    names: Sequence[str],
    kinds: Sequence[Any],
    keep_text: KeepText,
    name: str,
) -> dict[str, RawColumn]:
    """Read a file some row groups at a time, so that no more of it is held twice."""
    rows = file.metadata.num_rows
    filled = {
        column: np.empty(rows)
        for column, kind in zip(names, kinds, strict=True)
        if _is_number(kind) and not keep_text(column)
    }
    builders = {
        column: TableBuilder(name, keep_text=_always(keep_text(column)), rows=rows)
        for column in names if column not in filled
    }  # fmt: skip
    start = 0
    for table in _tables_of(file):
        for column, cells in zip(names, opened_columns(table), strict=True):
            if column in filled:
                _fill(filled[column], start, cells)
            else:
                _add(builders[column], cells)
        start += table.num_rows
    for builder in builders.values():
        if not rows:
            builder.add({_COLUMN: []}, [])
    return {
        column: numeric_column(filled[column]) if column in filled
        else builders[column].build({}).columns[_COLUMN]
        for column in names
    }  # fmt: skip


def _tables_of(file: Any) -> Iterator[Any]:  # noqa: ANN401 - of pyarrow
    """Yield the rows of a file some row groups at a time, the next of them read meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        ahead: Future[Any] | None = None
        for groups in _groups_of_rows(file):
            # By one thread, which is less work in all.
            following = pool.submit(file.read_row_groups, groups, use_threads=False)
            if ahead is not None:
                yield ahead.result()
            ahead = following
        if ahead is not None:
            yield ahead.result()


def _always(text: bool) -> KeepText:
    return lambda _: text


def _groups_of_rows(file: Any) -> Iterator[list[int]]:  # noqa: ANN401 - a file of pyarrow
    """Yield row groups that are read together: one large one, or several small ones."""
    groups: list[int] = []
    rows = 0
    for group in range(file.metadata.num_row_groups):
        groups.append(group)
        rows += file.metadata.row_group(group).num_rows
        if rows >= _ROWS_TOGETHER:
            yield groups
            groups, rows = [], 0
    if groups:
        yield groups


def _is_number(kind: Any) -> bool:  # noqa: ANN401 - a type of pyarrow
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _fill(numbers: FloatArray, start: int, column: Any) -> None:  # noqa: ANN401 - of pyarrow
    """Write the numbers of a column into an array, from a place on."""
    import pyarrow as pa

    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64(), safe=False)
    for chunk in column.chunks:
        numbers[start : start + len(chunk)] = numbers_of(chunk)  # above 2^53 they are rounded
        start += len(chunk)


def _add(builder: TableBuilder, column: Any) -> None:  # noqa: ANN401 - an arrow column
    """Add the cells of a column."""
    import pyarrow as pa

    for chunk in column.chunks:
        try:
            # Of equal cells one is read.
            one = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        except pa.ArrowException:  # lists and records have none
            cells = ["" if value is None else str(value) for value in chunk.to_pylist()]
            builder.add({_COLUMN: cells}, [0] * len(cells))
            continue
        builder.add_read({_COLUMN: _words(one)}, len(chunk))


def _words(encoded: Any) -> Words:  # noqa: ANN401 - an arrow array
    """Return the cells of a dictionary array, its words in the order in which they appear.

    The dictionary of a file may hold words twice, or that no row has, and in any order.
    """
    import pyarrow as pa

    which = places_of(encoded.indices.cast(pa.int32()))
    words = ["" if word is None else str(word) for word in encoded.dictionary.to_pylist()]
    # Written from the last row to the first, each word keeps the place where it appears first; rows
    # that say the same as those before them, as with names of runs, tell nothing.
    new = np.flatnonzero(np.r_[True, which[1:] != which[:-1]])[: which.size][::-1]
    first = np.full(len(words) + 1, which.size)
    first[which[new]] = new
    order = np.argsort(first[:-1], kind="stable")
    codes = np.full(len(words) + 1, -1, dtype=np.int32)  # the last is for empty cells, -1
    different: dict[str, int] = {}
    for place in order[first[order] < which.size].tolist():
        codes[place] = different.setdefault(words[place], len(different))
    return Words(list(different), codes[which])
