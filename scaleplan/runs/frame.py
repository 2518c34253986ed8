"""All inputs as one table: rows one below the other, columns united by their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.table import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """The rows of all inputs.

    Args:
        files: The inputs.
        file_of: Shape (n,), index into `files`.
        lines: Shape (n,), line in the file, 0 where it is not known.
        columns: By name.
        present: The files that each column is in.
        used: Shape (n,), the rows that have the metric; None while that is not known.
    """

    files: tuple[str, ...]
    file_of: IntArray
    lines: IntArray
    columns: Mapping[str, RawColumn]
    present: Mapping[str, frozenset[int]]
    used: BoolArray | None = None

    def __len__(self) -> int:
        return int(self.lines.size)

    def rows_in(self, files: Collection[int]) -> BoolArray:
        """Return the rows that stand in some of the files, shape (n,)."""
        named = np.zeros(len(self.files), dtype=bool)
        named[list(files)] = True
        # There may be ten million rows, most often of one file.
        return np.ones(len(self), dtype=bool) if named.all() else named[self.file_of]


def join(tables: Sequence[RawTable]) -> Frame:
    """Put tables one below the other; a column that a table lacks is empty there."""
    names = dict.fromkeys(name for table in tables for name in table.columns)
    sizes = [len(table) for table in tables]
    return Frame(
        files=tuple(table.file for table in tables),
        file_of=np.repeat(np.arange(len(tables), dtype=np.int64), sizes)
        if len(tables) > 1 else np.zeros(sizes[0], dtype=np.int64),
        lines=np.concatenate([t.lines for t in tables]) if len(tables) > 1 else tables[0].lines,
        columns={
            name: stack([t.columns.get(name) for t in tables], sizes) for name in names
        },
        present={
            name: frozenset(i for i, t in enumerate(tables) if name in t.columns) for name in names
        },
    )  # fmt: skip


def stack(parts: Sequence[RawColumn | None], sizes: Sequence[int]) -> RawColumn:
    """Put columns one below the other; None stands for a column of empty cells."""
    if len(parts) == 1 and parts[0] is not None:
        return parts[0]
    vocabulary: dict[str, int] = {}
    numbers: list[FloatArray] = []
    codes = []
    for part, size in zip(parts, sizes, strict=True):
        if part is None:
            numbers.append(np.full(size, np.nan))
            codes.append(np.full(size, -1, dtype=np.int32))
            continue
        renumbered = [vocabulary.setdefault(t, len(vocabulary)) for t in part.vocabulary]
        # The last place is what code -1 finds.
        table = np.array([*renumbered, -1], dtype=np.int32)
        numbers.append(part.numbers)
        codes.append(table[part.codes])
    return RawColumn(np.concatenate(numbers), np.concatenate(codes), tuple(vocabulary))


def with_metric(frame: Frame, names: Sequence[str]) -> Frame:
    """Return the rows with those marked that have the metric.

    Args:
        frame: The rows.
        names: The columns of the metric.
    """
    return replace(frame, used=~coalesce(frame, names).blank)


def column_of_files(frame: Frame, names: Sequence[str]) -> tuple[str | None, ...]:
    """Return which of some columns counts in each file, None in a file that has none of them.

    It is the first, unless another one has a value in more than twice as many rows with a metric:
    a table may head a group of its rows with a nominal size, and give the exact one in each.

    Args:
        frame: The rows.
        names: Columns of one meaning, the preferred first.
    """
    held = [[name for name in names if i in frame.present[name]] for i in range(len(frame.files))]
    if frame.used is None or all(len(having) < 2 for having in held):
        return tuple(having[0] if having else None for having in held)
    counts = {
        name: np.bincount(
            frame.file_of[frame.used & ~frame.columns[name].blank], minlength=len(frame.files)
        )
        for name in names
    }
    result: list[str | None] = []
    for file, having in enumerate(held):
        most = max((int(counts[name][file]) for name in having), default=0)
        result.append(next((n for n in having if 2 * int(counts[n][file]) >= most), None))
    return tuple(result)


def coalesce(frame: Frame, names: Sequence[str]) -> RawColumn:
    """Return the cells of the column that counts in the file of each row."""
    if len(names) == 1:
        return frame.columns[names[0]]
    counts = np.bincount(frame.file_of, minlength=len(frame.files))
    starts = np.concatenate([[0], np.cumsum(counts)])
    parts: list[RawColumn | None] = []
    for file, name in enumerate(column_of_files(frame, names)):
        rows = np.arange(starts[file], starts[file + 1])
        parts.append(None if name is None else frame.columns[name].take(rows))
    return stack(parts, [int(c) for c in counts])
