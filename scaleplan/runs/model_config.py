"""The `config.json` that model hubs keep beside weights: it gives the parameters of a run.

Counting them is planning's business; who reads logs hands the counter in with the request.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.checkpoints import is_checkpoint
from scaleplan.runs.roles import rank
from scaleplan.runs.text import clean_text
from scaleplan.units import format_count

if TYPE_CHECKING:
    from scaleplan.runs.raw import RawTable
    from scaleplan.runs.request import CountConfig

CONFIG_FILE = "config.json"
_SIZES = ("params", "active_params", "non_embedding_params")


def with_model_config(table: RawTable, path: Path, count: CountConfig | None) -> RawTable:
    """Add the parameters that a model's config beside a log says, if the log has none.

    Args:
        table: The log.
        path: Where it lies; of a checkpoint's log the folder of the whole run is looked at too.
        count: Counts the parameters of a config; None leaves configs alone.
    """
    if count is None or any(
        rank(role, name) is not None for role in _SIZES for name in (*table.columns, *table.shared)
    ):
        return table
    folders = (path.parent, path.parent.parent) if is_checkpoint(path.parent) else (path.parent,)
    for folder in folders:
        config = folder / CONFIG_FILE
        if config != path and config.is_file():
            return _counted(table, config, count)
    return table


def _counted(table: RawTable, config: Path, count: CountConfig) -> RawTable:
    file = clean_text(str(config))
    try:
        total, active, remark = count(str(config))
    except InputError as error:
        note = Note(
            id="SETTINGS_UNREAD", severity="info",
            text=f"The parameters of {table.file} cannot be counted: {error}.",
            action="Give them with --set params=124M.",
        )  # fmt: skip
        return replace(table, notes=(*table.notes, note))
    said = {"params": str(total)}
    if active != total:
        said["active_params"] = str(active)
    note = Note(
        id="PARAMS_FROM_CONFIG", severity="info",
        text=f"{format_count(float(total))} parameters, embeddings among them, are counted from "
        f"{file}" + (f"; {remark}" if remark else "") + ".",
        action="If the run counts them otherwise, say so with --set params=124M.",
        numbers=(("params", float(total)), ("active_params", float(active))),
    )  # fmt: skip
    return replace(table, shared={**said, **table.shared}, notes=(*table.notes, note))
