"""Files of one run that hold a point of it each: `metrics_epoch_0.json`, `metrics_epoch_1.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.raw import RawTable, text_column
from scaleplan.runs.roles import rank, text_role
from scaleplan.runs.text import clean_text

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>\d+)(?P<behind>\D*)")
_AXES = ("step", "epoch")


def with_points_of_files(
    tables: Sequence[RawTable], paths: Sequence[Path | None]
) -> list[RawTable]:
    """Say in the columns which files are points of one run.

    Files of one folder with one row each whose names differ in a number alone, by which their step
    or epoch goes on as well.

    Args:
        tables: As they were read.
        paths: Where each lies, if that is known.
    """
    groups: dict[tuple[str, str], dict[int, int]] = {}
    for i, (table, path) in enumerate(zip(tables, paths, strict=True)):
        match = None if path is None else _NUMBERED.fullmatch(path.name)
        named = any(text_role(name) == "run" for name in table.columns)
        if path is not None and match is not None and len(table) == 1 and not named:
            alike = f"{match['before']}*{match['behind']}"
            groups.setdefault((str(path.parent), alike), {}).setdefault(int(match["number"]), i)
    result = list(tables)
    for (folder, name), members in groups.items():
        if not _go_on(tables, members):
            continue
        others = sum(other == folder and _go_on(tables, m) for (other, _), m in groups.items()) > 1
        run = clean_text(f"{folder}/{name.replace('*', '')}" if others else folder)
        for i in members.values():
            columns = {"run": text_column([run]), **tables[i].columns}
            result[i] = replace(tables[i], columns=columns, point=True)
        last = members[max(members)]
        files = [Path(tables[members[n]].file).name for n in (min(members), max(members))]
        note = _note(run, files, len(members))
        result[last] = replace(result[last], notes=(*result[last].notes, note))
    return result


def _go_on(tables: Sequence[RawTable], members: Mapping[int, int]) -> bool:
    """Tell whether steps or epochs differ from file to file as the numbers of the names do."""
    for axis in _AXES:
        at = [_at(tables[i], axis) for i in members.values()]
        apart = np.array(at) - np.array(list(members))
        if len(members) > 1 and np.isfinite(apart).all():
            return bool((apart == apart[0]).all())
    return False


def _at(table: RawTable, axis: str) -> float:
    names = [name for name in table.columns if rank(axis, name) is not None]
    return float(table.columns[names[0]].numbers[0]) if names else np.nan


def _note(run: str, files: Sequence[str], count: int) -> Note:
    return Note(
        id="POINTS_OF_FILES", severity="info",
        text=f"{files[0]} to {files[1]} are {count} points of one run ({run}): the numbers in "
        "their names go on as their steps or epochs do.",
        action="If they are runs of their own, read each alone, or add a column named run.",
        numbers=(("files", float(count)),),
    )  # fmt: skip
