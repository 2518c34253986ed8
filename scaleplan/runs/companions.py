"""Files that lie beside a log and say the same again, or parts of it: no runs of their own.

Hugging Face's Trainer saves `train_results.json`, `eval_results.json` and `all_results.json` beside
`trainer_state.json`; lm-evaluation-harness saves every question with its answer beside the results.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.checkpoints import is_checkpoint
from scaleplan.runs.formats.json_file import JSON
from scaleplan.runs.frame import stack
from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import settle
from scaleplan.runs.roles import rank
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text

if TYPE_CHECKING:
    from scaleplan.runs.formats.base import KeepText
    from scaleplan.runs.raw import RawTable

_STATE = "trainer_state.json"
_OF_TRAINER = frozenset(
    {"all_results.json", "train_results.json", "eval_results.json", "predict_results.json"}
)
# What is saved with a model and its tokenizer: settings, and vocabularies of many megabytes.
_OF_MODEL = frozenset(
    {"generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
     "special_tokens_map.json", "added_tokens.json", "preprocessor_config.json"}
)  # fmt: skip
_LAST_EVALUATION = "eval_results.json"
_LARGEST = 1 << 20  # bytes; a result is small


def without_companions(files: list[Path]) -> list[Path]:
    """Return files without those that only repeat what a log beside them says.

    Args:
        files: As they were found.
    """
    trained = {_run_folder(file) for file in files if file.name == _STATE}
    boosted = {file.parent for file in files if file.name == "learn_error.tsv"}
    evaluated = {
        (file.parent, file.stem.removeprefix("results")) for file in files
        if file.name.startswith("results_") and file.suffix == ".json"
    }  # fmt: skip
    return [
        file for file in files
        if not (file.name in _OF_TRAINER and file.parent in trained)
        and not (file.name in _OF_MODEL and _run_folder(file) in trained)
        and not _is_detail(file, evaluated)
        and not _of_catboost(file) & boosted
    ]  # fmt: skip


def _of_catboost(file: Path) -> set[Path]:
    """Return the folders of CatBoost of whose tables a file repeats the metrics."""
    if file.name == "catboost_training.json":
        return {file.parent}
    return {file.parent.parent} if file.name.startswith("events.out.tfevents") else set()


def _is_detail(file: Path, evaluated: set[tuple[Path, str]]) -> bool:
    """Tell whether a file is `samples_TASK_TIME.jsonl` beside the `results_TIME.json` of it."""
    if not file.name.startswith("samples_") or file.suffix != ".jsonl":
        return False
    return (file.parent, f"_{file.stem.rpartition('_')[2]}") in evaluated


def with_last_evaluation(table: RawTable, path: Path, keep_text: KeepText) -> RawTable:
    """Add the evaluation after the training to a Trainer's log that has none.

    Args:
        table: The log.
        path: Where it lies.
        keep_text: Tells by name which columns are text.
    """
    if path.name != _STATE or any(_validates(name) for name in table.columns):
        return table
    beside = _run_folder(path) / _LAST_EVALUATION
    step = next((name for name in table.columns if rank("step", name) is not None), None)
    if step is None or not beside.is_file():
        return table
    name = clean_text(str(beside))
    try:
        if beside.stat().st_size > _LARGEST:
            raise InputError("is too large for the result of an evaluation", file=name)
        with beside.open("rb") as stream:
            last = settle(JSON.read(TextSource(name, stream), keep_text), keep_text)
    except (InputError, OSError) as error:
        note = Note(
            id="SETTINGS_UNREAD", severity="info",
            text=f"The evaluation beside {table.file} cannot be read: {error}.",
            action="Give its loss in a table of runs.",
        )  # fmt: skip
        return replace(table, notes=(*table.notes, note))
    if len(last) != 1 or not any(_validates(column) for column in last.columns):
        return table
    at = table.columns[step].take(np.array([np.nanargmax(table.columns[step].numbers)]))
    added = {**last.columns, step: at}
    columns = {
        column: stack([table.columns.get(column), added.get(column)], [len(table), 1])
        for column in dict.fromkeys((*table.columns, *added))
    }
    return replace(table, columns=columns, lines=np.append(table.lines, 0))


def _run_folder(file: Path) -> Path:
    """Return the folder of the run that a file belongs to: its own, or that of its checkpoint."""
    return file.parent.parent if is_checkpoint(file.parent) else file.parent


def _validates(column: str) -> bool:
    found = describe(column)
    return found is not None and found.split in {"validation", "test"}
