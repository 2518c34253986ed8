"""The names of the columns of logs, for whoever only has to choose among them."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.errors import ScaleplanError
from scaleplan.runs.formats import EXTENSIONS
from scaleplan.runs.locating import Located, locate
from scaleplan.runs.opening import read_all
from scaleplan.runs.request import read_request

_LARGEST = 5_000_000  # bytes: more is not read while somebody waits for a choice


def column_names(sources: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of those logs that are small and can be read, as they name them.

    Args:
        sources: Files, patterns and folders; standard input is left alone.
    """
    found: dict[str, None] = {}
    for source in sources:
        if source != "-":
            found |= dict.fromkeys(_names(source))
    return tuple(found)


def _names(source: str) -> list[str]:
    """Return the columns of one source; none of one that is large or no log."""
    request = read_request(None, None, None)
    try:
        located = [each for each in locate([source], EXTENSIONS) if _small(each)]
        tables = read_all(located, request, None, None)[0] if located else []
    except ScaleplanError:
        return []  # the command says what is wrong with it
    return [name for table in tables for name in table.columns]


def _small(each: Located) -> bool:
    return each.path is not None and each.path.is_file() and each.path.stat().st_size <= _LARGEST
