"""Files that are exact copies of others: what they say is counted once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.raw_table import RawColumn, RawTable
from scaleplan.runs.text import listed

_BLOCK = 1 << 20  # bytes
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Distinct:
    """Tables without the copies among them, where each lies, and what there is to say."""

    tables: list[RawTable]
    paths: list[Path | None]
    notes: tuple[Note, ...]


def without_copies(tables: Sequence[RawTable], paths: Sequence[Path | None]) -> Distinct:
    """Return tables without those of files that hold the bytes of another one.

    A file of one row is none: two runs may come to the same number. Neither is one whose settings,
    or whose name, say something else.

    Args:
        tables: As they were read, with what lies beside them.
        paths: Where each lies, if that is known.
    """
    kept: list[int] = []
    copies: dict[int, list[int]] = {}
    by_size: dict[int, list[int]] = {}
    hashes: dict[int, bytes] = {}
    for i, (table, path) in enumerate(zip(tables, paths, strict=True)):
        size = _size(path) if len(table) > 1 and not table.point else 0
        alike = by_size.setdefault(size, []) if size else []
        first = next(
            (j for j in alike if _same(tables[j], table) and _equal(i, j, paths, hashes)), None
        )
        if first is None:
            kept.append(i)
            alike.append(i)
        else:
            copies.setdefault(first, []).append(i)
    return Distinct(
        [tables[i] for i in kept], [paths[i] for i in kept],
        tuple(_note(tables, first, others) for first, others in copies.items()),
    )  # fmt: skip


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None and path.is_file() else 0
    except OSError:
        return 0


def _same(one: RawTable, other: RawTable) -> bool:
    """Tell whether two tables say the same in every cell."""
    return (
        len(one) == len(other)
        and list(one.columns) == list(other.columns)
        and one.shared == other.shared
        and all(map(_same_cells, one.columns.values(), other.columns.values()))
    )


def _same_cells(one: RawColumn, other: RawColumn) -> bool:
    return (
        one.vocabulary == other.vocabulary
        and np.array_equal(one.codes, other.codes)
        and np.array_equal(one.numbers, other.numbers, equal_nan=True)
    )


def _equal(i: int, j: int, paths: Sequence[Path | None], hashes: dict[int, bytes]) -> bool:
    """Tell whether two files hold the same bytes."""
    for place in (i, j):
        path = paths[place]
        if path is not None and place not in hashes:
            hashes[place] = _hash(path)
    return bool(hashes[i]) and hashes[i] == hashes[j]


def _hash(path: Path) -> bytes:
    made = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                made.update(block)
    except OSError:
        return b""
    return made.digest()


def _note(tables: Sequence[RawTable], first: int, others: Sequence[int]) -> Note:
    names = listed([tables[i].file for i in others], _NAMED)
    verb = "is an exact copy" if len(others) == 1 else "are exact copies"
    return Note(
        id="COPIED_FILES", severity="info",
        text=f"{names} {verb} of {tables[first].file}: what stands in them is counted once.",
        action="If it is another run that came to the same numbers, say so in a column.",
        numbers=(("files", float(len(others))),),
    )  # fmt: skip
