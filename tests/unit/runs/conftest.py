"""Logs written on the spot, and read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scaleplan.runs.reading import load_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.runs.table import Runs


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runs]:
    """Write a file named `name` (or several by name) and read it: `load("a,b\\n1,2\\n")`."""
    monkeypatch.chdir(tmp_path)

    def read(content: str | bytes | dict[str, str | bytes], name: str = "runs.csv", **options):
        files = content if isinstance(content, dict) else {name: content}
        for file, text in files.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_runs(options.pop("sources", list(files)), **options)

    return read


@pytest.fixture
def note_ids() -> Callable[[Runs], list[str]]:
    """Return the ids of the notes of some runs."""
    return lambda runs: [note.id for note in runs.notes]


@pytest.fixture
def reasons() -> Callable[[Runs], list[tuple[int | None, str]]]:
    """Return line and reason of each dropped row."""
    return lambda runs: [(note.line, note.reason) for note in runs.cleaning.dropped]


@pytest.fixture
def log(tmp_path: Path) -> Callable[[str], str]:
    """Write a printed log and return its path."""

    def write(text: str) -> str:
        path = tmp_path / "train.log"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write
