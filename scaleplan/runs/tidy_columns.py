"""Which columns of a table name the metric of each row, and hold its value."""

from __future__ import annotations

import math

import numpy as np

from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawTable
from scaleplan.runs.request import Request
from scaleplan.runs.roles import NUMBER_ROLES, rank
from scaleplan.runs.text import fold, words

# Columns, folded, that name the metric of each row, and those that may name something else.
_SURE = (
    "metric",
    "metricname",
    "metrickey",
    "metrics",
    "tag",
    "measure",
    "variable",
    "key",
    "attribute",
    "attributepath",
)
_MAYBE = ("name", "field", "quantity", "statistic", "series", "item", "type")
# Columns of its value, and those that are one only beside a column that is sure.
_VALUE = ("value", "metricvalue", "values", "val", "floatvalue")
_MAYBE_VALUE = ("score", "result", "estimate", "mean", "y")
# Spreads of the value.
_SPREADS = frozenset(
    {"std", "stderr", "err", "se", "sem", "sd", "ci", "low", "high", "lower", "upper", "var"}
)


def columns_found(table: RawTable, request: Request) -> tuple[str, str] | None:
    """Return the columns of the names and the values, None if the rows are no single metrics.

    Args:
        table: Any table.
        request: What was asked for.
    """
    folded = {name: fold(name) for name in table.columns}
    names = [name for word in (*_SURE, *_MAYBE) for name in folded if folded[name] == word]
    values = [name for word in (*_VALUE, *_MAYBE_VALUE) for name in folded if folded[name] == word]
    asked = {*request.roles.values(), request.input_column, request.metric}
    for named in names:
        sure = folded[named] in _SURE
        value = next((v for v in values if v != named and (sure or folded[v] in _VALUE)), None)
        if value is None or asked & {named, value}:
            continue
        others = [name for name in table.columns if name not in {named, value}]
        if any(_is_metric(name) and not is_spread(name) for name in others):
            continue
        if _names_metrics(table, named, value, request, sure=sure and folded[value] in _VALUE):
            return named, value
    return None


def _is_metric(name: str) -> bool:
    return describe(name) is not None


def is_spread(name: str) -> bool:
    """Tell whether a column is named as the spread of a value."""
    return bool(_SPREADS & set(words(name)))


def _names_metrics(
    table: RawTable, named: str, value: str, request: Request, *, sure: bool
) -> bool:  # fmt: skip
    """Tell whether a column names metrics, and another has their numbers.

    Args:
        table: The table.
        named: The column that may name them.
        value: That of their values.
        request: What was asked for.
        sure: Whether the names of both columns alone say so; if not, most of the names have to be
            known, and one that stands in several rows tells that they are no names of runs.
    """
    column = table.columns[named]
    if not np.isnan(column.numbers).all() and not column.is_text:
        return False
    metrics = [text for text in column.vocabulary if _is_metric(text)]
    if sure:
        repeated = len(column.vocabulary) > 1 and not _is_metric(value)
        asked = request.metric in column.vocabulary
        return (bool(metrics) or asked or repeated) and _mostly_numbers(table, named, value)
    known = [text for text in column.vocabulary if _is_metric(text) or is_number_role(text)]
    least = len(column.vocabulary) / (2 if fold(named) in _SURE else 1)
    if not metrics or len(known) < least:
        return False
    several = int(np.count_nonzero(column.codes >= 0)) > len(column.vocabulary)
    return (several or len(table.columns) == 2) and _mostly_numbers(table, named, value)


def is_number_role(name: str) -> bool:
    """Tell whether a name is that of a size, a setting or a count."""
    return any(rank(role, name) is not None for role in NUMBER_ROLES)


def _mostly_numbers(table: RawTable, named: str, value: str) -> bool:
    """Tell whether most values of what is no word are numbers."""
    column, names = table.columns[value], table.columns[named]
    metric = np.array([_is_metric(text) for text in names.vocabulary] or [False], dtype=bool)
    counted = metric[names.codes] & (names.codes >= 0) if metric.any() else names.codes >= 0
    read = [read_number(t, decimal_comma=table.decimal_comma) for t in column.vocabulary]
    is_number = ~np.isnan(column.numbers) | ~np.isnan(np.array([*read, math.nan])[column.codes])
    return 2 * int(is_number[counted].sum()) > int((~column.blank[counted]).sum())
