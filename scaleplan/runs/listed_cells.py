"""Cells that hold lists: the history of a metric in one cell is the curve of the run of its row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.metrics import KIND_WORDS, describe
from scaleplan.runs.named_columns import find_column
from scaleplan.runs.raw import RawColumn, RawTable, numeric_column, text_column
from scaleplan.runs.request import Request
from scaleplan.runs.roles import rank, text_role
from scaleplan.runs.table import BoolArray, FloatArray, IntArray
from scaleplan.runs.text import listed, words

_LIST = re.compile(r"\[[^\[\]\"']*\]")
_SHORT = 8  # numbers that are shown as they stand
# Lists of one value a class, a bin of a histogram or a layer are no history.
_NO_HISTORY = frozenset(
    {"class", "classes", "bin", "bins", "layer", "layers", "head", "heads", "sample", "samples",
     "example", "examples", "label", "labels", "fold", "folds", "seed", "seeds", "hist", "stats"}
)  # fmt: skip
_AXES = ("step", "epoch")


def without_lists(table: RawTable, request: Request) -> RawTable:
    """Return a table whose cells hold no lists.

    Args:
        table: One input.
        request: What was asked for: a metric whose cells are lists is read as curves, and so is
            one that no plain number gives.

    Returns:
        The table itself if it has none; else its rows as the points of curves, numbered as epochs,
        or with lists that are shortened to how many values they have.
    """
    lists = {name: found for name, column in table.columns.items() if (found := _lists_of(column))}
    if not lists:
        return table
    main = _main(table, lists, request)
    columns = {
        name: _shortened(column) if name in lists else column
        for name, column in table.columns.items()
    }
    plain = replace(table, columns=columns)
    return plain if main is None else _Exploded(table, plain, lists, main, request).table()


def _lists_of(column: RawColumn) -> dict[int, FloatArray]:
    """Return the numbers of cells that are lists, by the code of their text."""
    found = {}
    for code, text in enumerate(column.vocabulary):
        if text.startswith("[") and _LIST.fullmatch(text):
            try:
                found[code] = np.array(
                    [float(one) for one in text[1:-1].split(",") if one.strip()], dtype=np.float64
                )
            except ValueError:
                continue
    return {code: numbers for code, numbers in found.items() if numbers.size > 1}


def _shortened(column: RawColumn) -> RawColumn:
    """Return a column whose long lists say how many values they have."""
    texts = tuple(
        f"[{text.count(',') + 1} values]" if text.startswith("[") and text.count(",") >= _SHORT
        else text
        for text in column.vocabulary
    )  # fmt: skip
    if len(set(texts)) == len(texts):
        return replace(column, vocabulary=texts)
    different = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([*(different[text] for text in texts), -1], dtype=np.int32)
    return RawColumn(column.numbers, codes[column.codes], tuple(different))


def _main(
    table: RawTable, lists: Mapping[str, Mapping[int, FloatArray]], request: Request
) -> str | None:
    """Return the metric whose lists are curves; None if the rows are runs as they stand."""
    kind = request.metric if request.metric in KIND_WORDS - table.columns.keys() else None
    if request.metric is not None and kind is None:
        name = find_column(request.metric, list(table.columns))
        return name if name in lists else None
    metrics = [
        c for name in lists if not _NO_HISTORY & set(words(name))
        for c in [describe(name)] if c is not None and kind in {None, c.kind}
    ]  # fmt: skip
    if not metrics:
        return None
    best = min(metrics, key=lambda c: c.order)
    if request.curves:
        return best.column
    plain = [
        c for name, column in table.columns.items() if name not in lists and not column.is_text
        for c in [describe(name)] if c is not None and kind in {None, c.kind}
    ]  # fmt: skip
    beaten = any(c.order < best.order or c.meaning == best.meaning for c in plain)
    return None if beaten else best.column


@dataclass(frozen=True, slots=True)
class _Exploded:
    """Rows whose lists become points.

    Args:
        read: The table with its lists.
        plain: The same with shortened lists.
        lists: The numbers of each list, by column and code.
        main: The metric.
        request: What was asked for.
    """

    read: RawTable
    plain: RawTable
    lists: Mapping[str, Mapping[int, FloatArray]]
    main: str
    request: Request

    def table(self) -> RawTable:
        """Return the points of all rows."""
        cells = {name: self._cells(name) for name in self.lists}
        counts = np.array([1 if one is None else one.size for one in cells[self.main]])
        rows = np.repeat(np.arange(counts.size), counts)
        ends = np.cumsum(counts)
        within = np.arange(rows.size) - np.repeat(ends - counts, counts)
        columns: dict[str, RawColumn] = {}
        curves = []
        for name, column in self.plain.columns.items():
            beside = cells.get(name)
            if beside is not None and _side_by_side(beside, cells[self.main]):
                columns[name] = _joined(self.read.columns[name], beside, counts)
                curves.append(name)
            elif any(rank(axis, name) is not None for axis in _AXES):
                continue  # of the end of the run: it does not count these points
            elif name not in self.lists and describe(name) is not None:
                if not self.request.curves:  # a result belongs to the end of its run
                    columns[name] = _at(column.take(rows), within == counts[rows] - 1)
            else:
                columns[name] = column.take(rows)
        if not any(rank(axis, name) is not None for name in columns for axis in _AXES):
            columns["epoch"] = numeric_column(within + 1.0)
        columns |= self._names(rows)
        note = Note(
            id="LISTS_AS_CURVES", severity="info",
            text=f"Cells of {listed(curves, 5)} hold lists: each is read as the curve of one run, "
            "its values as epochs 1, 2, 3 and so on.",
            action="Log the step of each value if they are no epochs.",
        )  # fmt: skip
        return replace(
            self.plain, columns=columns, lines=self.plain.lines[rows],
            notes=(*self.plain.notes, note),
        )  # fmt: skip

    def _cells(self, name: str) -> list[FloatArray | None]:
        """Return the list in each row; None where there is none."""
        found = self.lists[name]
        return [found.get(int(code)) for code in self.read.columns[name].codes]

    def _names(self, rows: IntArray) -> dict[str, RawColumn]:
        """Return names of runs where rows have none, or share one."""
        if len(self.plain) < 2:
            return {}
        named = next((name for name in self.plain.columns if text_role(name) == "run"), None)
        texts = [
            "" if named is None else self.plain.columns[named].text(row)
            for row in range(len(self.plain))
        ]
        if len(set(texts)) == len(texts):
            return {}
        own = [f"{text} #{row + 1}".strip() for row, text in enumerate(texts)]
        return {named or "run": text_column(own).take(rows)}


def _side_by_side(cells: list[FloatArray | None], main: list[FloatArray | None]) -> bool:
    """Tell whether a column's lists are as long as those of the metric, row by row."""
    pairs = [(a, b) for a, b in zip(cells, main, strict=True) if a is not None and b is not None]
    return bool(pairs) and all(a.size == b.size for a, b in pairs)


def _joined(column: RawColumn, cells: list[FloatArray | None], counts: IntArray) -> RawColumn:
    """Return the lists one below the other; a cell that is none stands at the end of its row."""
    numbers, lost = [], []
    for row, (cell, count) in enumerate(zip(cells, counts.tolist(), strict=True)):
        alone = np.r_[np.full(count - 1, np.nan), column.numbers[row]]
        numbers.append(alone if cell is None else cell)
        lost.append(np.zeros(count, dtype=bool) if cell is None else np.isnan(cell))
    # A nan in a list is a reading that was lost, not a gap.
    codes = np.where(np.concatenate(lost), 0, -1).astype(np.int32)
    return RawColumn(np.concatenate(numbers), codes, ("nan",))


def _at(column: RawColumn, kept: BoolArray) -> RawColumn:
    """Return a column that is empty but at some rows."""
    return RawColumn(
        np.where(kept, column.numbers, np.nan),
        np.where(kept, column.codes, -1).astype(np.int32), column.vocabulary,
    )  # fmt: skip
