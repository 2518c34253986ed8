"""The main table of a JSON document as CSV: raw SI numbers, one header line."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from scaleplan.render.text import plain_text
from scaleplan.runs.text import inert

# Schema -> the key of its main table; a table that is a mapping gets its key as first column.
_MAIN = {
    "scaleplan.backtest/1": ("points", ""),
    "scaleplan.fit/1": ("parameters", "symbol"),
    "scaleplan.comparison/1": ("laws", ""),
    "scaleplan.fits/1": ("parameters", ""),
    "scaleplan.forecast/1": ("points", ""),
    "scaleplan.next/1": ("runs", ""),
    "scaleplan.plan/1": ("rows", ""),
    "scaleplan.explanations/1": ("explanations", ""),
    "scaleplan.sizes/1": ("rows", ""),
    "scaleplan.check/1": ("runs", ""),
    "scaleplan.runs/1": ("runs", ""),
    "scaleplan.tuning/1": ("groups", ""),
    "scaleplan.update/1": ("runs", ""),
    "scaleplan.systems/1": ("multipliers", ""),
    "scaleplan.laws/1": ("laws", ""),
    "scaleplan.gpus/1": ("accelerators", ""),
}
# Those whose rows hold values of the metric, which the row names with its unit: a loss may be the
# logarithm of a logged perplexity.
_OF_METRIC = {
    "scaleplan.forecast/1", "scaleplan.sizes/1", "scaleplan.backtest/1", "scaleplan.update/1",
}  # fmt: skip


def render_csv(document: dict[str, Any]) -> str:
    """Return the document's main table as CSV.

    Args:
        document: A document of json_document.py; `days: {low: 1}` becomes the column `days_low`.
    """
    key, name = _MAIN[document["schema"]]
    table = document[key]
    if isinstance(table, dict):
        table = [{name: symbol, **row} for symbol, row in table.items()]
    if document["schema"] in _OF_METRIC:
        named = _metric(document, "") | _metric(document.get("then") or {}, "then_")
        table = [{**row, **named} for row in table]
    rows = [_flat(row) for row in table]
    header = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row.get(column, "") for column in header] for row in rows)
    return text.getvalue()


def _metric(document: dict[str, Any], prefix: str) -> dict[str, str]:
    """Return the columns that name the metric of a document and its unit."""
    metric = document.get("metric")
    if metric is None:
        return {}
    return {f"{prefix}metric": metric["name"], f"{prefix}unit": metric["unit"]}


def _flat(row: dict[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}_{inner}": _cell(one) for inner, one in value.items()}
        else:
            flat[key] = _cell(value)
    return flat


def _cell(value: object) -> str:
    if isinstance(value, float):  # most are
        return str(value) if math.isfinite(value) else ""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return "; ".join(_cell(one) for one in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={_cell(one)}" for key, one in value.items())
    text = plain_text(str(value))
    # A spreadsheet takes text that begins like this for a formula; numbers are no text.
    return inert(text) if isinstance(value, str) else text
