"""Tables with a row for each step and split (`epoch,phase,loss`): a column for each split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.dividing import combine
from scaleplan.runs.inputs import is_clock
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawTable
from scaleplan.runs.request import Request
from scaleplan.runs.roles import rank, text_role
from scaleplan.runs.row_keys import codes_of, counts_points, scattered
from scaleplan.runs.split_files import is_split, on_split, split_said
from scaleplan.runs.table import IntArray
from scaleplan.runs.text import listed, shown

_SIZES = ("params", "active_params", "non_embedding_params", "flops", "learning_rate", "seed")


def with_splits_of_rows(table: RawTable, request: Request) -> RawTable:
    """Return a table with the rows of one step that were measured on different data as one.

    Args:
        table: Any table.
        request: What was asked for; a column that it names stays as it is.

    Returns:
        The same table unless its rows are told apart by steps and by the data, training among it.
    """
    found = None if table.printed or not len(table) else _split_column(table)
    if found is None or found in request.roles.values():
        return table
    metrics = [n for n in table.columns if (c := describe(n)) is not None and c.split == "plain"]
    metrics = [n for n in metrics if _on_several(table, n, found)]
    keys = [n for n in table.columns if n not in {found, *metrics} and _tells_apart(n)]
    asked = {request.metric, request.input_column, *request.roles.values()} & set(metrics)
    if not metrics or asked or not any(map(counts_points, keys)):
        return table
    group = combine([codes_of(table.columns[name]) for name in keys])
    split = table.columns[found].codes.astype(np.int64)
    if np.unique(combine([group, split])).size < len(table):
        return table  # several runs that nothing tells apart
    return _joined(table, found, metrics, group)


def _split_column(table: RawTable) -> str | None:
    """Return the column that says on what data a row was measured, one of them the training's."""
    for name, column in table.columns.items():
        if is_split(name, column) and bool((column.codes >= 0).all()):
            said = set(map(split_said, column.vocabulary))
            if len(said) == len(column.vocabulary) > 1 and "train" in said:
                return name
    return None


def _on_several(table: RawTable, metric: str, split: str) -> bool:
    """Tell whether a metric was measured on the training's data and on other data."""
    column, on = table.columns[metric], table.columns[split]
    if column.is_text:
        return False
    measured = set(np.unique(on.codes[~column.blank]).tolist())
    said = [split_said(on.vocabulary[code]) for code in measured if code >= 0]
    return "train" in said and len(said) > 1


def _tells_apart(name: str) -> bool:
    """Tell whether a column tells runs and their points apart."""
    known = counts_points(name) or any(rank(role, name) is not None for role in _SIZES)
    return known or (text_role(name) is not None and not is_clock(name))


def _joined(table: RawTable, found: str, metrics: list[str], group: IntArray) -> RawTable:
    """Return a table with one row for each group.

    Args:
        table: The table.
        found: The column of splits.
        metrics: The columns that were measured on them.
        group: Shape (n,), which rows are of one step.
    """
    first = np.unique(group, return_index=True)[1]
    ranks = np.argsort(first, kind="stable")
    to = np.empty_like(ranks)
    to[ranks] = np.arange(ranks.size)
    place, first = to[group], first[ranks]
    splits = table.columns[found]
    columns = {
        name: column.take(first) for name, column in table.columns.items()
        if name not in {found, *metrics}
    }  # fmt: skip
    for metric in metrics:
        for code, split in enumerate(splits.vocabulary):
            rows = np.flatnonzero(splits.codes == code)
            columns[on_split(metric, split)] = scattered(
                table.columns[metric], rows, place[rows], first.size
            )
    note = Note(
        id="SPLITS_OF_ROWS", severity="info",
        text=f"{table.file} has a row for each of {listed(map(shown, splits.vocabulary))} in "
        f"{found}: its {len(table)} rows became {first.size} with the metrics of each, such as "
        f"{on_split(metrics[0], splits.vocabulary[0])}.",
        action="If they are runs of their own, call that column run.",
        numbers=(("rows", float(first.size)),),
    )  # fmt: skip
    return replace(table, columns=columns, lines=table.lines[first], notes=(*table.notes, note))
