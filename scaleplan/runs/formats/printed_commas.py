"""Commas in the numbers of printed logs: marks of decimals, or of thousands."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats.printed_lines import axis
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn, RawTable

_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")


def with_commas(table: RawTable) -> RawTable:
    """Return a log with what its commas are; refuse one whose commas may be read in two ways.

    Args:
        table: The log, before its cells that hold commas are read.

    Raises:
        InputError: If it is unclear what the number of a cell is.
    """
    cells = [
        (name, code, text.rstrip(" %"))
        for name, column in table.columns.items()
        if describe(name) is not None or axis(name) is not None
        for code, text in enumerate(column.vocabulary) if "," in text
    ]  # fmt: skip
    pointed = any(map(_has_fractions, table.columns.values()))
    ungrouped = any(_GROUPED.fullmatch(text) is None for _, _, text in cells)
    decimal = table.decimal_comma or (ungrouped and not pointed)
    for name, code, text in cells:
        if decimal:
            # Steps are whole: 1,000 would be a thousand where 3,6 is less than four.
            unclear = axis(name) in {"step", "tokens"}
        else:
            unclear = ungrouped or (describe(name) is not None and not pointed)
        if unclear:
            raise _error(
                table, name, text, int(np.flatnonzero(table.columns[name].codes == code)[0])
            )
    return replace(table, decimal_comma=decimal)


def _has_fractions(column: RawColumn) -> bool:
    """Tell whether a point stands in some number, which commas then only group."""
    plain = column.numbers[(column.codes < 0) & np.isfinite(column.numbers)]
    return bool((plain % 1.0 != 0.0).any()) or any("." in text for text in column.vocabulary)


def _error(table: RawTable, name: str, text: str, row: int) -> InputError:
    return InputError(
        f"{name} {text}: the comma may mark decimals or thousands, and the other numbers of the "
        "log do not settle it",
        file=table.file, line=int(table.lines[row]) or None,
        hint="Write decimals with a point (LC_ALL=C), for example with "
        r"sed -E 's/([0-9]),([0-9])/\1.\2/g'.",
    )  # fmt: skip
