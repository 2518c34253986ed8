"""Local files with one row a line: their heads, where their rows stand, and rows read again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats import read_table
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.formats.heading import heading_of
from scaleplan.runs.large.expression import Kind
from scaleplan.runs.large.line_index import LineIndex
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.locating import Located
from scaleplan.runs.numbers import settle
from scaleplan.runs.raw import RawColumn, RawTable
from scaleplan.runs.source import TextSource
from scaleplan.runs.table import IntArray

_HEAD = 1 << 18  # bytes that are looked at before the engine reads the file
HEAD_LINES = 1000  # the same, of files elsewhere
_WORTH_CUTTING = 16 << 20  # bytes; below this one thread is done before two are at work


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes of a file from the start of a line to the end of one.

    Args:
        path: The file.
        start: Its first byte.
        end: The byte after its last.
        line: Lines of the file before it.
    """

    path: Path
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """The beginning of a file.

    Args:
        table: Its first rows.
        skipped: Lines before the first row.
        delimiter: What stands between cells; empty for JSON Lines.
    """

    table: RawTable
    skipped: int
    delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextFiles:
    """Files of one kind and the same columns.

    Args:
        located: The files.
        head: The beginning of the first; all are alike in its columns.
        indexes: Where their lines stand.
        starts: Shape (files + 1,), rows before each file, and in all, if each line is a row.
        keep_text: Tells by name which columns are text.
    """

    located: tuple[Located, ...]
    head: Head
    indexes: tuple[LineIndex, ...]
    starts: IntArray
    keep_text: KeepText

    def file_of(self, row: int) -> int:
        """Return the place of the file that holds a row."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Read some rows again, in our own way.

        Raises:
            Unsuited: If they are not read as the head was.
        """
        wanted = np.sort(np.array(rows, dtype=np.int64))
        bounds = np.searchsorted(wanted, self.starts)
        return [
            self._table(i, wanted[low:high] - self.starts[i] + self.head.skipped)
            for i, (low, high) in enumerate(pairwise(bounds))
        ]

    def _table(self, file: int, lines: IntArray) -> RawTable:
        first = self.head.table
        if not lines.size:
            none = np.empty(0, dtype=np.int64)
            columns = {name: column.take(none) for name, column in first.columns.items()}
            return replace(first, file=self.located[file].name, columns=columns, lines=none)
        before = list(range(self.head.skipped))
        text = b"\n".join(
            line.rstrip(b"\r\n") for line in self.indexes[file].read([*before, *lines.tolist()])
        )
        table = _parsed(self.located[file], text + b"\n", self.keep_text)
        if len(table) != lines.size or (
            self.head.delimiter and list(table.columns) != list(first.columns)
        ):
            raise Unsuited(f"rows of {self.located[file].name} are not read like its first ones")
        return replace(table, lines=lines + 1)

    def preview_with(self, rows: Sequence[int | None]) -> RawTable:
        """Return the first rows, and some more of the first file.

        Raises:
            Unsuited: If they are of another file.
        """
        more = {row for row in rows if row is not None}
        if not more:
            return self.head.table
        if max(more) >= self.starts[1]:
            raise Unsuited("keys are not in the first file")
        return self.tables(sorted({*range(len(self.head.table)), *more}))[0]

    def pieces(self, parts: int) -> list[tuple[int, list[Piece]]]:
        """Cut the rows of all files into parts of about the same number of bytes.

        Args:
            parts: At most so many.

        Returns:
            For each part the rows before it, and its pieces in order.
        """
        total = sum(index.size for index in self.indexes)
        most = max(1, min(parts, total // _WORTH_CUTTING))
        limits = [total * (i + 1) / most for i in range(most)]
        result: list[tuple[int, list[Piece]]] = []
        part: list[Piece] = []
        done, row = 0, 0
        for start, index in zip(self.starts[:-1].tolist(), self.indexes, strict=True):
            at, line = _after(index, self.head.skipped), self.head.skipped
            while done + index.size > limits[len(result)] and len(result) < most - 1:
                cut, above = index.cut(int(limits[len(result)] - done))
                if cut > at:
                    part.append(Piece(path=index.path, start=at, end=cut, line=line))
                    at, line = cut, above
                result.append((row, part))
                row, part = start + line - self.head.skipped, []
            part.append(Piece(path=index.path, start=at, end=index.size, line=line))
            done += index.size
        result.append((row, part))
        kept = [(r, [p for p in each if p.start < p.end]) for r, each in result]
        return [(r, each) for r, each in kept if each]

    def check(self, rows: int) -> None:
        """Refuse files in which lines are not rows.

        Raises:
            Unsuited: If the engine saw another number of rows.
        """
        if int(self.starts[-1]) != rows:
            raise Unsuited("some lines are blank, or some cells have more than one line")


def open_text(located: Sequence[Located], keep_text: KeepText) -> TextFiles:
    """Look at the heads of files, and count their lines.

    Raises:
        Unsuited: If the files are not plain, or differ in their columns.
    """
    first = alike([_head(each, keep_text) for each in located])
    indexes = tuple(LineIndex.of(each.path) for each in located if each.path is not None)
    rows = [index.lines - first.skipped for index in indexes]
    return TextFiles(
        located=tuple(located), head=first, indexes=indexes, keep_text=keep_text,
        starts=np.cumsum(np.array([0, *rows], dtype=np.int64)),
    )  # fmt: skip


def alike(heads: Sequence[Head]) -> Head:
    """Return the first of the beginnings of files, which the others are like.

    Raises:
        Unsuited: If they are not.
    """
    first = heads[0]
    if first.delimiter and any(_shape(head) != _shape(first) for head in heads):
        raise Unsuited("the files differ in their columns")
    if any(head.table.shared != first.table.shared for head in heads):
        raise Unsuited("the files differ in what they say about all of their rows")
    return first


def later_keys(names: Sequence[str], preview: RawTable) -> str:
    """Return what to select from `log` for the first rows of the columns that the head lacks.

    Args:
        names: The columns, which are `c0` and so on in `log`.
        preview: The first rows.
    """
    return ", ".join(
        f"min(case when c{i} is not null then row end) as c{i}"
        for i, name in enumerate(names) if name not in preview.columns
    )  # fmt: skip


def kind_of_column(column: RawColumn, name: str, keep_text: KeepText) -> Kind:
    """Return whether a column holds numbers or text.

    Raises:
        Unsuited: If it holds something between them.
    """
    if keep_text(name) or column.is_text:
        return "text"
    if any(text.lower() != "nan" for text in column.vocabulary):
        raise Unsuited(f"{name} holds cells that are no plain numbers")
    return "number"


def parsed_head(each: Located, whole: bytes, keep_text: KeepText) -> Head:
    """Return the beginning of a file from its first whole lines.

    Raises:
        Unsuited: If they are not plain.
    """
    if b"\r" in whole.replace(b"\r\n", b"\n"):
        raise Unsuited("lines end in an unusual way")
    table = _parsed(each, whole, keep_text)
    if not table.lines.size or table.decimal_comma:
        raise Unsuited("its first rows are not plain")
    skipped = int(table.lines[0]) - 1
    if each.extension not in {".csv", ".tsv"}:
        return Head(table=table, skipped=skipped, delimiter="")
    lines = whole.decode("utf-8", errors="replace").splitlines()[skipped - 1 : skipped + 40]
    return Head(table=table, skipped=skipped, delimiter=heading_of(lines, "").delimiter)


def _head(each: Located, keep_text: KeepText) -> Head:
    assert each.path is not None
    try:
        with each.path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise InputError(
            f"cannot be opened: {error.strerror or error}", file=each.name,
            hint="Check the path and its rights.",
        ) from None  # fmt: skip
    whole = head[: head.rfind(b"\n") + 1] if len(head) == _HEAD else head
    return parsed_head(each, whole, keep_text)


def _parsed(each: Located, text: bytes, keep_text: KeepText) -> RawTable:
    source = TextSource(each.name, io.BytesIO(text))
    table = settle(read_table(source, each.extension, keep_text), keep_text)
    if table.dropped or table.notes:
        raise Unsuited("its first rows are not plain")
    return table


def _shape(head: Head) -> tuple[tuple[str, ...], int, str]:
    return tuple(head.table.columns), head.skipped, head.delimiter


def _after(index: LineIndex, lines: int) -> int:
    """Return the byte after so many lines."""
    return sum(map(len, index.read(range(min(lines, index.lines)))))
