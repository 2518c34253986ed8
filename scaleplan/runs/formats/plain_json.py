"""Plain blocks of JSON Lines: one flat object a line; read whole, not object by object.

A block that holds anything else is left to the reader of lines, so that the table is the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from scaleplan.runs.formats.arrow_arrays import floats_of, places_of
from scaleplan.runs.formats.plain_blocks import Ahead, finite, lines_of
from scaleplan.runs.growing import Kind
from scaleplan.runs.raw import TableBuilder, Words
from scaleplan.runs.table import FloatArray

_OPENING, _CLOSING, _NEWLINE, _RETURN = b"{}\n\r"
# How pyarrow says that a column holds something else than was asked for.
_CHANGED = re.compile(r"Column\(/(.*)\) changed from (\w+) to (\w+)", re.DOTALL)
_TRUTHS = ("false", "true")


def is_read_whole() -> bool:
    """Tell whether there is an engine that reads blocks."""
    return find_spec("pyarrow") is not None


def read_ahead(kinds: Mapping[str, Kind], block: bytes) -> Ahead:
    """Read a block before the rows above it are added.

    Args:
        kinds: What columns hold as far as is known.
        block: The bytes of whole lines.
    """
    count = lines_of(block)
    plain = count > 0 and "mixed" not in kinds.values() and _is_plain(block)
    return Ahead(count=count, known=kinds, found=_read(block, count, kinds) if plain else None)


def add_plain(builder: TableBuilder, block: bytes, first_line: int, ahead: Ahead | None) -> int:
    """Add the rows of a block if it is plain.

    Args:
        builder: Takes the rows.
        block: The bytes of whole lines.
        first_line: The number of its first line.
        ahead: What was read of it before; read again if columns hold something else by now.

    Returns:
        How many lines it has; 0 if it is not plain and nothing was added.
    """
    kinds = builder.kinds()
    if ahead is None or ahead.known != kinds:
        ahead = read_ahead(kinds, block)
    if ahead.found is None:
        return 0
    builder.add_read(ahead.found, np.arange(first_line, first_line + ahead.count, dtype=np.int64))
    return ahead.count


def _is_plain(block: bytes) -> bool:
    """Tell whether each line begins and ends as an object does, in UTF-8."""
    seen = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(seen == _NEWLINE)
    if not block.endswith(b"\n"):
        ends = np.append(ends, seen.size)
    starts = np.append(0, ends[:-1] + 1)
    before = ends - 1
    before = np.where(seen[before] == _RETURN, before - 1, before)  # an empty line finds no end
    if not ((seen[starts] == _OPENING).all() and (seen[before] == _CLOSING).all()):
        return False
    try:
        return block.isascii() or bool(block.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _read(
    block: bytes, count: int, kinds: Mapping[str, Kind]
) -> Mapping[str, FloatArray | Words] | None:
    """Return the columns of a block of so many lines; None if it is not plain."""
    types = {name: "number" if kind == "number" else "string" for name, kind in kinds.items()}
    table = None
    for _ in range(len(types) + 1):
        try:
            table = _arrow_table(block, types)
            break
        except ValueError as error:  # what pyarrow raises is one
            changed = _CHANGED.search(str(error))
            if changed is None or not _taken_for(types, kinds, changed[1], changed[3]):
                return None
    if table is None or table.num_rows != count:
        return None
    found: dict[str, FloatArray | Words] = {}
    for name, kind in types.items():
        column = table.column(name)
        if kind == "number":
            if not finite(column):
                return None  # `NaN` and `Infinity` keep their text
            found[name] = floats_of(column.chunk(0))
            continue
        one = column.chunk(0).dictionary_encode()
        said = one.dictionary.to_pylist()
        different = [_TRUTHS[cell] if kind == "boolean" else str(cell) for cell in said]
        found[name] = Words(different, places_of(one.indices))
    return found


def _taken_for(
    types: dict[str, str], kinds: Mapping[str, Kind], name: str, found: str
) -> bool:  # fmt: skip
    """Take a column for what it turned out to hold, in place; tell whether that can be read.

    Args:
        types: What each column was taken for.
        kinds: What columns hold as far as is known.
        name: The column.
        found: What pyarrow found in it.
    """
    was = types.get(name)
    if was is None:
        return False
    if found == "boolean" or (was == "number" and found == "string"):
        types[name] = found
        return True
    if was == "string" and found == "number" and kinds[name] == "names":
        types[name] = "integer"
        return True
    return False


def _arrow_table(block: bytes, types: Mapping[str, str]) -> Any:  # noqa: ANN401 - a table of pyarrow
    """Read columns of given types.

    Raises:
        ValueError: If an object has other keys, or a value is of another type.
    """
    import pyarrow as pa
    from pyarrow import json

    known = {
        "number": pa.float64(), "string": pa.string(), "boolean": pa.bool_(), "integer": pa.int64()
    }  # fmt: skip
    return json.read_json(
        pa.BufferReader(block),
        read_options=json.ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=json.ParseOptions(
            explicit_schema=pa.schema([(name, known[kind]) for name, kind in types.items()]),
            unexpected_field_behavior="error",
        ),
    )
