"""Files beside a log that say more about its runs: `runs.yaml`, and settings of the training.

`runs.yaml` names runs and gives their sizes. `hparams.yaml` (Lightning) and `config.yaml` hold the
settings of the one run whose log lies beside them; only what plays a role is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.formats.yaml_file import YAML
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawTable
from scaleplan.runs.roles import text_role
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text

RUNS_FILE = "runs.yaml"
SETTINGS = ("hparams.yaml", "config.yaml")
_LARGEST = 1 << 20  # bytes; settings are small

Values = tuple[tuple[str, str, str], ...]


def values_beside(folder: Path, keep_text: KeepText, *, logs: set[Path]) -> Values:
    """Return what a `runs.yaml` in a folder says of its runs, as (run, column, text).

    Args:
        folder: Where a log lies.
        keep_text: Tells by name which columns are text.
        logs: Files that are read as logs themselves.

    Raises:
        InputError: If the file is damaged.
    """
    path = folder / RUNS_FILE
    if path.resolve() in logs or not path.is_file():
        return ()
    table = _read(path, lambda name: True)
    named = next((name for name in table.columns if text_role(name) == "run"), None)
    if named is None or any(describe(name) is not None for name in table.columns):
        return ()  # a log of that name, not what this is about
    found = []
    for row in range(len(table)):
        run = table.columns[named].text(row)
        found += [
            (run, name, column.text(row)) for name, column in table.columns.items()
            if name != named and column.text(row)
        ]  # fmt: skip
    return tuple(found)


def with_settings(table: RawTable, path: Path, keep_text: KeepText) -> RawTable:
    """Add the settings that lie beside a log to what it says about all of its rows.

    Args:
        table: The log.
        path: Where it lies.
        keep_text: Tells by name which columns are text.
    """
    for name in SETTINGS:
        beside = path.parent / name
        if beside == path or not beside.is_file():
            continue
        try:
            settings = _read(beside, keep_text)
        except InputError as error:
            note = Note(
                id="SETTINGS_UNREAD", severity="info",
                text=f"Settings beside {table.file} cannot be read: {error}.",
                action="Give sizes with --set.",
            )  # fmt: skip
            return replace(table, notes=(*table.notes, note))
        said = {
            # Weights & Biases puts each setting under `value`.
            key.removesuffix("/value"): column.text(0)
            for key, column in settings.columns.items() if len(settings) == 1
        }  # fmt: skip
        shared = {**said, **settings.shared, **table.shared}
        return replace(table, shared=shared)
    return table


def _read(path: Path, keep_text: Callable[[str], bool]) -> RawTable:
    name = clean_text(str(path))
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError("is too large for a file of settings", file=name)
        with path.open("rb") as stream:
            return YAML.read(TextSource(name, stream), keep_text)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=name) from error
