"""Names of runs that a spreadsheet took for numbers and wrote back with fewer digits."""

from __future__ import annotations

import re

from scaleplan.records import Note
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.text import listed, shown

# As Excel and LibreOffice write a long number into a narrow cell: 2.80497E+06, 1E+10.
_ROUNDED = re.compile(r"\d(?:[.,](?P<decimals>\d+))?E\+(?P<exponent>\d{2,3})")
_SHOWN = 3


def spoiled_notes(rows: Gathered) -> tuple[Note, ...]:
    """Warn of names that are rounded numbers: names that began alike have become one.

    Args:
        rows: The rows of all inputs in their roles.
    """
    run = rows.labels.get("run")
    if run is None:
        return ()
    found = [name for name in run.vocabulary if _is_rounded(name)]
    if not found:
        return ()
    one = len(found) == 1
    return (
        Note(
            id="NAMES_ROUNDED", severity="warning",
            text=f"{'1 name' if one else f'{len(found)} names'} of runs "
            f"({listed(map(shown, found), _SHOWN)}) {'is' if one else 'are'} as a spreadsheet "
            "writes a number whose digits it left out: runs whose names began alike are one here.",
            action="Export the log again, or set that column to text before opening it.",
            numbers=(("names", float(len(found))),),
        ),
    )  # fmt: skip


def _is_rounded(name: str) -> bool:
    """Tell whether a name is a number with fewer digits than it stands for."""
    match = _ROUNDED.fullmatch(name)
    return match is not None and int(match["exponent"]) > len(match["decimals"] or "")
