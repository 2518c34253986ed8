"""Column names that a table has more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scaleplan.records import Note
from scaleplan.runs.text import listed


def distinct(names: Sequence[str]) -> list[str]:
    """Return names of which each stands once: the second `loss` is `loss #2`.

    Args:
        names: As the table has them.
    """
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return result


def repeated_names(where: str, names: Sequence[str]) -> tuple[Note, ...]:
    """Return a note on the names that stand more than once, if any.

    Args:
        where: The file, and the line if there is one.
        names: As the table has them.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if not repeated:
        return ()
    return (
        Note(
            id="DUPLICATE_COLUMN", severity="warning",
            text=f"{where} names {listed(repeated)} more than once; the first column of a name is "
            "used.",
            action="Give each column its own name.",
        ),
    )  # fmt: skip
