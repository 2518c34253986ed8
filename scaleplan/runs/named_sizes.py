"""Sizes whose names end in what they count: `llm_params`, `finetune_examples`, `env_interactions`.

The names of roles are lists; these are what is left where no column has one of them.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.factors import unknown_unit
from scaleplan.runs.frame import Frame
from scaleplan.runs.model_sizes import are_models
from scaleplan.runs.roles import SAMPLE_NAMES, rank, spellings
from scaleplan.runs.text import split_unit, words

_PARAMS = frozenset({"params", "parameters"})
# Parts of models, and models beside the one that is trained.
_PARTS = frozenset(
    {"embedding", "embeddings", "embed", "emb", "active", "activated", "expert", "experts",
     "dense", "sparse", "shared", "encoder", "decoder", "head", "lora", "adapter", "frozen",
     "attention", "attn", "mlp", "ffn", "router", "teacher", "reward", "rm", "critic", "draft",
     "optimizer", "hyper", "per"}
)  # fmt: skip
_TOKENS = frozenset({"tokens"})
_SAMPLES = frozenset(
    {"examples", "samples", "images", "pairs", "sentences", "chars", "characters", "interactions",
     "sequences", "documents", "docs", "instances", "demonstrations", "demos", "trajectories",
     "transitions", "frames", "videos", "clips", "molecules", "structures", "ratings", "points"}
)  # fmt: skip
# Of a batch or a sequence, of what a model is measured on or writes, or of a part of the data.
_OTHER_DATA = frozenset(
    {"batch", "minibatch", "per", "step", "iter", "sec", "second", "eval", "evaluation", "val",
     "valid", "validation", "test", "dev", "holdout", "heldout", "seq", "sequence", "context",
     "max", "min", "length", "vocab", "vocabulary", "warmup", "prompt", "new", "generated",
     "output", "special", "pad", "padding", "cache", "fewshot", "shot", "shots", "bad", "unique",
     "removed", "dropped", "register", "mask", "masked", "visual", "vision", "repeat", "repeated",
     "float", "floating", "way", "negative", "negatives", "budget", "thinking", "reasoning",
     "inference", "loading", "prep", "processing"}
)  # fmt: skip
_HOURS = frozenset({"hours", "hrs", "minutes"})
_RECORDED = frozenset({"audio", "speech", "recordings", "recorded", "transcribed", "labelled",
                       "labeled", "data", "video", "music"})  # fmt: skip
_LEAST = 10.0  # fewer are classes, shots or ways
_WHAT = {"params": "the parameters of the models", "tokens": "the data that the runs were given"}


def named_sizes(
    frame: Frame, roles: Collection[str], taken: Collection[str]
) -> list[tuple[str, str, Note]]:
    """Return the roles that columns have by the last word of their names, with what to say of it.

    Data is looked for beside params only, and where nothing else tells how much of it there was.

    Args:
        frame: The rows.
        roles: Those that are known.
        taken: The columns that have one.
    """
    free = [name for name in frame.columns if name not in taken]
    known = set(roles)
    found = []
    if not {"input", "params", "active_params", "embedding_params", "dense_params"} & known:
        models = [
            name for name in free
            if _ends_in(name, _PARAMS, _PARTS) and not unknown_unit("params", name)
            and are_models(frame, name)
        ]  # fmt: skip
        found += [("params", name, _note("params", name)) for name in models if len(models) == 1]
    sized = bool(found) or bool({"params", "flops"} & known)
    told = {"input", "tokens", "unique_tokens", "epochs", "step", "epoch"} & known
    if sized and not told and not ({"flops", "params"} <= known or (found and "flops" in known)):
        data = [
            name for name in free
            if (_ends_in(name, _TOKENS | _SAMPLES, _OTHER_DATA) or _is_recorded(name))
            and not unknown_unit("tokens", name) and _varies(frame, name)
        ]  # fmt: skip
        found += [("tokens", name, _note("tokens", name)) for name in data if len(data) == 1]
    return found


def called_samples(name: str) -> bool:
    """Tell whether a column counts samples of some kind: by its name, or the last word of it."""
    known = bool(set(spellings(name)) & set(SAMPLE_NAMES))
    return known or _last(name) in _SAMPLES or _is_recorded(name)


def _note(role: str, column: str) -> Note:
    return Note(
        id="INPUT_GUESSED", severity="info",
        text=f"No column has the name of {role}: {column}, the only one whose name ends so, is "
        f"taken as {_WHAT[role]}.",
        action="If it counts something else, name the inputs with --columns or --input.",
    )  # fmt: skip


def _last(name: str) -> str:
    parts = words(split_unit(name)[0])
    return parts[-1] if parts else ""


def _ends_in(name: str, counted: frozenset[str], others: frozenset[str]) -> bool:
    return _last(name) in counted and not others & set(words(name))


def _is_recorded(name: str) -> bool:
    """Tell whether a column counts hours of recordings, as sets of speech are measured."""
    parts = set(words(split_unit(name)[0]))
    return bool(parts & _HOURS and parts & _RECORDED) and not parts & _OTHER_DATA


def _varies(frame: Frame, name: str) -> bool:
    column = frame.columns[name]
    known = column.numbers[np.isfinite(column.numbers)]
    return bool(known.size) and float(known.min()) >= _LEAST and float(np.ptp(known)) > 0.0


def sizes_in_words(frame: Frame, name: str) -> bool:
    """Tell whether a column is one of sizes called small, medium and large."""
    named = rank("params", name) is not None and "param" not in name.casefold()
    return named and frame.columns[name].is_words
