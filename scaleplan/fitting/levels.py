"""The names of a label's levels in the place of their numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from scaleplan.records import Parameter


def named(text: str, levels: Sequence[str], column: str) -> str:
    """Return a text of a law with levels, such as its formula, with their names.

    Args:
        text: For example `worth of a token, level 2 over level 1`.
        levels: The name of each level, the first the reference.
        column: What the formula calls the label.
    """

    def name(match: re.Match[str]) -> str:
        number = int(match[1])
        return levels[number - 1] if 1 <= number <= len(levels) else match[0]

    return re.sub(rf"\b(?:level|{re.escape(column)}) (\d+)\b", name, text)


def named_parameters(
    parameters: Sequence[Parameter], levels: Sequence[str]
) -> tuple[Parameter, ...]:
    """Return parameters whose meanings say the names of the levels."""
    return tuple(replace(p, meaning=named(p.meaning, levels, "level")) for p in parameters)
