"""What a format of log files is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaleplan.runs.raw import RawTable
from scaleplan.runs.source import TextSource

KeepText = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Args:
        name: What it is called.
        extensions: File extensions that mean it, lower case with their dot.
        recognises: Tells from the beginning of a text whether it is in this format.
        read: Reads a text into a table.
    """

    name: str
    extensions: tuple[str, ...]
    recognises: Callable[[str], bool]
    read: Callable[[TextSource, KeepText], RawTable]
