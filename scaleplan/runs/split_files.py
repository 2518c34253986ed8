"""Files of one run that differ by what they measured on: `learn_error.tsv` and `test_error.tsv`.

The word may be their folder's: `train/loss.tsv` and `val/loss.tsv`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn, RawTable, text_column
from scaleplan.runs.request import Request
from scaleplan.runs.roles import rank, text_role
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import clean_text, fold, listed

# CatBoost calls the training `learn`.
SPLIT_WORDS = {
    "learn": "train", "train": "train", "training": "train", "test": "test", "val": "val",
    "valid": "val", "validation": "val", "eval": "val", "evaluation": "val", "dev": "val",
    "validate": "val", "testing": "test",
}  # fmt: skip
# Columns, folded, that say the same row by row.
_SPLIT_NAMES = frozenset(
    {
        "split",
        "phase",
        "stage",
        "mode",
        "subset",
        "context",
        "contextsubset",
        "runcontext",
        "partition",
        "datasplit",
    }
)
# Aim's `{'subset': 'val'}`.
_IN_BRACES = re.compile(r"""\{\s*['"]?\w+['"]?\s*[:=]\s*['"]?(?P<split>\w+)['"]?\s*\}""")
_WORD = re.compile(r"[A-Za-z]+")


def with_splits_of_names(
    tables: Sequence[RawTable], paths: Sequence[Path | None], request: Request
) -> list[RawTable]:
    """Say in the columns what their files' names say: on which data a metric was measured.

    Files of one folder whose names differ in that word alone, and which have the same columns and
    steps in common, are one run.

    Args:
        tables: As they were read.
        paths: Where each lies, if that is known.
        request: What was asked for; a metric that is given by its column stays as it is called.
    """
    groups: dict[tuple[tuple[str, str], frozenset[str]], dict[str, int]] = {}
    for i, (table, path) in enumerate(zip(tables, paths, strict=True)):
        found = None if path is None else _split(path)
        if found is not None and not set(request.roles.values()) & _plain(table):
            split, rest = found
            groups.setdefault((rest, frozenset(table.columns)), {}).setdefault(split, i)
    joined = {
        rest: members for (rest, _), members in groups.items()
        if len(members) > 1 and "train" in members
        and _one_run([tables[i] for i in members.values()])
    }  # fmt: skip
    result = list(tables)
    for rest, members in joined.items():
        folder, name = rest
        alone = sum(other == folder for other, _ in joined) == 1
        run = folder if alone else f"{folder}/{Path(name.replace('*', '')).stem.strip('_-. ')}"
        for split, i in members.items():
            result[i] = _told(tables[i], split, clean_text(run))
        last = result[max(members.values())]
        files = [_shown(Path(tables[i].file), name) for i in members.values()]
        note = _note(run, files, list(members))
        result[max(members.values())] = replace(last, notes=(*last.notes, note))
    return result


def _shown(file: Path, name: str) -> str:
    """Return a file's name, with its folder if that is what tells it from the others."""
    return f"{file.parent.name}/{file.name}" if name.startswith("*/") else file.name


def _note(run: str, files: Sequence[str], splits: Sequence[str]) -> Note:
    """Say that files are read as one run."""
    return Note(
        id="SPLITS_OF_FILES", severity="info",
        text=f"{listed(files)} are one run ({run}), measured on different data as their names "
        f"say: {listed(splits)}.",
        action="If they are runs of their own, read each alone, or add a column named run.",
    )  # fmt: skip


def _split(path: Path) -> tuple[str, tuple[str, str]] | None:
    """Return what a file's name says that it measured on, and the name without that."""
    found = [match for match in _WORD.finditer(path.stem) if match[0].casefold() in SPLIT_WORDS]
    folder = path.parent.name.casefold()
    if not found and folder in SPLIT_WORDS:  # DVCLive's train/loss.tsv and val/loss.tsv
        return SPLIT_WORDS[folder], (str(path.parent.parent), f"*/{path.name}")
    if len(found) != 1:
        return None
    start, end = found[0].span()
    return SPLIT_WORDS[found[0][0].casefold()], (
        str(path.parent), f"{path.stem[:start]}*{path.stem[end:]}{path.suffix}"
    )  # fmt: skip


def _plain(table: RawTable) -> set[str]:
    """Return the metrics of a table that do not say themselves what they were measured on."""
    found = [describe(name) for name in table.columns]
    return {c.column for c in found if c is not None and c.split == "plain"}


def _steps(table: RawTable) -> FloatArray:
    """Return the steps or epochs of a table, empty unless they rise from row to row."""
    for role in ("step", "epoch"):
        for name, column in table.columns.items():
            if rank(role, name) is not None and bool((np.diff(column.numbers) > 0.0).all()):
                return column.numbers
    return np.empty(0)


def _one_run(tables: Sequence[RawTable]) -> bool:
    """Tell whether tables are one run each time measured on other data."""
    metrics = [{n for n in table.columns if describe(n) is not None} for table in tables]
    named = any(text_role(name) == "run" for table in tables for name in table.columns)
    plain = all(found == _plain(table) for found, table in zip(metrics, tables, strict=True))
    common = set(_steps(tables[0]).tolist())
    for table in tables[1:]:
        common &= set(_steps(table).tolist())
    return plain and not named and bool(common)


def _told(table: RawTable, split: str, run: str) -> RawTable:
    plain = _plain(table)
    columns = {f"{split}/{n}" if n in plain else n: c for n, c in table.columns.items()}
    return replace(table, columns={"run": text_column([run] * len(table)), **columns})


def is_split(name: str, column: RawColumn) -> bool:
    """Tell whether a column says on what data each row was measured: train, val, test."""
    texts = [text for text in column.vocabulary if text]
    return (
        fold(name) in _SPLIT_NAMES and bool(np.isnan(column.numbers).all())
        and bool(texts) and None not in map(split_said, texts)
    )  # fmt: skip


def split_said(text: str) -> str | None:
    """Return the split that a cell names, alone or as the only entry of a mapping; None for none.

    Args:
        text: `val`, `Validation`, `{'subset': 'val'}`.
    """
    match = _IN_BRACES.fullmatch(text.strip()) if text.startswith("{") else None
    return SPLIT_WORDS.get((text if match is None else match["split"]).casefold())


def on_split(name: str, split: str) -> str:
    """Return the name of a metric with what it was measured on, unless it says so itself."""
    found = describe(name)
    told = found is not None and found.split != "plain"
    return name if told else f"{split_said(split)}/{name}"
