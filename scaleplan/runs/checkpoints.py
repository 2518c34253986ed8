"""Folders of checkpoints: the last one holds the history of all."""

from __future__ import annotations

from pathlib import Path


def only_last_checkpoints(files: list[Path]) -> list[Path]:
    """Return files without the trainer states of all but the last checkpoint of each run.

    Each checkpoint repeats the history of those before it.

    Args:
        files: As they were found.
    """
    states: dict[Path, list[Path]] = {}
    for file in files:
        if file.name == "trainer_state.json":
            folder = file.parent
            run = folder.parent if is_checkpoint(folder) else folder
            states.setdefault(run, []).append(file)
    dropped: set[Path] = set()
    for run, found in states.items():
        whole = run / "trainer_state.json"
        kept = whole if whole in found else max(found, key=lambda f: _checkpoint(f.parent))
        dropped |= set(found) - {kept}
    return [file for file in files if file not in dropped]


def is_checkpoint(folder: Path) -> bool:
    """Tell whether a folder is one of the checkpoints of a run."""
    return _checkpoint(folder) >= 0


def _checkpoint(folder: Path) -> int:
    """Return the step of a folder named `checkpoint-STEP`, -1 for any other."""
    name, _, step = folder.name.rpartition("-")
    return int(step) if name == "checkpoint" and step.isdecimal() else -1
