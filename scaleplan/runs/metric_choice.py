"""Metrics that stand beside others: a detector's precision, and the mean over a whole training."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scaleplan.records import Note
from scaleplan.runs.metrics import DETECTION, Candidate, describe
from scaleplan.runs.text import fold, listed


def detection(columns: Sequence[str]) -> Candidate | None:
    """Return the precision that a detector is judged by where its losses have no total.

    Args:
        columns: Names of columns that could be the metric.
    """
    scores = [
        c for c in map(describe, columns)
        if c is not None and (c.kind, c.preference) == ("score", DETECTION) and c.split != "train"
    ]  # fmt: skip
    plain = [c for c in scores if not c.qualifiers] or scores
    return plain[0] if len(plain) == 1 and _parts(columns) else None


def parts_note(chosen: Candidate, columns: Sequence[str]) -> tuple[Note, ...]:
    """Say that a detector is judged by its precision, if its losses have no total.

    Args:
        chosen: The metric, which was guessed.
        columns: All there are.
    """
    held = _parts(columns)
    if (chosen.kind, chosen.preference) != ("score", DETECTION) or not held:
        return ()
    return (
        Note(
            id="LOSS_IN_PARTS", severity="info",
            text=f"{listed(held)} are parts of a loss whose total is not there; the metric is "
            f"{chosen.column}.",
            action=f"Choose another one with --metric NAME, for example --metric {held[0]!r}.",
        ),
    )  # fmt: skip


def _parts(columns: Sequence[str]) -> list[str]:
    """Return the losses that were not read from training batches."""
    losses = [c for c in map(describe, columns) if c is not None and c.kind == "loss"]
    return [c.column for c in losses if c.split in {"validation", "test"}]


def of_whole_runs(columns: Sequence[str]) -> set[str]:
    """Return the columns of a mean over the whole training, where readings stand beside it.

    Hugging Face's Trainer ends a run with `train_loss` and `train_runtime`.
    """
    last = {name: fold(re.split(r"[/.]", name)[-1]) for name in columns}
    if "trainruntime" not in last.values():
        return set()
    means = {name for name, said in last.items() if said == "trainloss"}
    readings = [
        c for c in map(describe, columns) if c is not None and c.column not in means
        and c.kind == "loss" and not c.qualifiers and c.split in {"train", "plain"}
    ]  # fmt: skip
    return means if readings else set()
