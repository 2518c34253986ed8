"""What a format of log files is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaleplan.errors import InputError
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


def missing(file: str, library: str, extra: str) -> InputError:
    """Return what is raised where a format needs a library that is not installed.

    Args:
        file: What messages call the file.
        library: The library.
        extra: Which extra installs it.
    """
    return InputError(
        f"needs {library} to be read, which is not installed", file=file,
        hint=f"pip install 'scaleplan[{extra}]'",
    )  # fmt: skip
