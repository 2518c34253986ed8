"""Metrics that stand beside others: a detector's precision, an agent's reward, means over runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.metric_names import DETECTION
from scaleplan.runs.metrics import Candidate, describe, of_no_metric, spelling
from scaleplan.runs.raw_table import RawColumn
from scaleplan.runs.text import fold, listed, words

# What an agent is judged by, and words that do not make another thing of it.
_REWARD = frozenset({"eprewmean", "reward", "rewards", "rew", "return", "ret"})
_OF_EPISODES = frozenset({"episode", "ep", "episodic", "rollout", "env", "sampler", "runners",
                          "returns", "test", "eval", "objective", "rlhf"})  # fmt: skip
_HELD_OUT = frozenset({"validation", "test"})
# What is counted or timed of an evaluation, and how it is set up.
_NO_READING = frozenset(
    {"runtime", "sample", "samples", "second", "seconds", "sec", "batch", "batches", "size",
     "epoch", "epochs", "iter", "iters", "interval", "every", "freq", "frequency", "set", "split",
     "data", "dataset", "n", "num", "number", "examples", "tokens", "flops", "mem", "memory", "lr",
     "speed", "start", "end", "index", "ratio", "fraction", "seed", "images", "rows", "fps"}
)  # fmt: skip


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


def rewarded(columns: Sequence[str]) -> Candidate | None:
    """Return the reward of an agent's episodes where its losses are those of training batches.

    Args:
        columns: Names of columns that could be the metric.
    """
    found = [c for c in map(describe, columns) if c is not None]
    if any(c.kind == "loss" and c.split in {"validation", "test"} for c in found):
        return None
    rewards = [c for c in found if _is_reward(c)]
    return min(rewards, key=lambda c: c.order, default=None)


def _is_reward(found: Candidate) -> bool:
    said = set(words(found.column))
    odd = set(found.qualifiers) - _OF_EPISODES
    return found.kind == "score" and bool(said & _REWARD) and not odd and "min" not in said


def choice_notes(chosen: Candidate, columns: Mapping[str, RawColumn]) -> tuple[Note, ...]:
    """Say what might have been the metric: a loss, or a reading of held-out data.

    Args:
        chosen: The metric, which was guessed.
        columns: All there are.
    """
    names = list(columns)
    return (
        *parts_note(chosen, names), *_reward_note(chosen, names),
        *_unknown_note(chosen, columns),
    )  # fmt: skip


def _unknown_note(chosen: Candidate, columns: Mapping[str, RawColumn]) -> tuple[Note, ...]:
    """Say that readings of held-out data are not used, since their names say nothing."""
    if chosen.split in _HELD_OUT:
        return ()
    found = []
    for name, column in columns.items():
        said = set(spelling(name))
        if not said & _HELD_OUT or said & _NO_READING or of_no_metric(name):
            continue
        if describe(name) is not None or column.is_text:
            continue
        known = column.numbers[np.isfinite(column.numbers)]
        if known.size and known.min() < known.max():
            found.append(name)
    if not found:
        return ()
    one = len(found) == 1
    return (
        Note(
            id="VALIDATION_UNKNOWN", severity="warning",
            text=f"{listed(found, 5)} {'says' if one else 'say'} by {'its' if one else 'their'} "
            "name to be measured on held-out data, but not what it is, and "
            f"{'is' if one else 'are'} not used; the metric is {chosen.column}.",
            action=f"Name it with --metric {found[0]!r}.",
            numbers=(("columns", float(len(found))),),
        ),
    )  # fmt: skip


def _reward_note(chosen: Candidate, columns: Sequence[str]) -> tuple[Note, ...]:
    losses = [c.column for c in map(describe, columns) if c is not None and c.kind == "loss"]
    if not _is_reward(chosen) or not losses:
        return ()
    return (
        Note(
            id="JUDGED_BY_REWARD", severity="info",
            text=f"{chosen.column} is the metric; {listed(losses, 5)} "
            f"{'is a loss' if len(losses) == 1 else 'are losses'} of training batches, which do "
            "not say how well an agent acts.",
            action=f"Choose another one with --metric NAME, for example --metric {losses[0]!r}.",
        ),
    )  # fmt: skip


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
