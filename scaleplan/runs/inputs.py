"""What may be the single input of a law where no column has the name of a size."""

from __future__ import annotations

import re

import numpy as np

from scaleplan.records import Note
from scaleplan.runs.frame import Frame
from scaleplan.runs.metrics import describe, is_reading
from scaleplan.runs.roles import rank
from scaleplan.runs.shares import is_share
from scaleplan.runs.text import fold, listed, split_unit, words

# Bookkeeping of a tracker; neither an input nor something that tells two rows apart.
TIMING_WORDS = frozenset(
    {"seconds", "time", "timestamp", "runtime", "wall", "date", "created", "duration", "minutes",
     "hours", "sec"}
)  # fmt: skip
# What is watched along a run, or set for its evaluation, and is no size of it.
_WATCHED = frozenset({"grad", "gradient", "norm", "mfu", "throughput", "fewshot", "shots"})
# No sizes either: readings and what they were read on, settings, and what training took.
_READINGS = frozenset(
    {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "mean", "avg", "average",
     "std", "median", "variance", "entropy", "kl", "kappa", "mcc", "jaccard", "hmean", "ssim",
     "lpips", "nmi", "ari", "fbeta", "rougelsum", "cider", "spice", "comet", "bertscore",
     "spearman", "pearson", "corr", "correlation", "r2", "tp", "fp", "fn", "tn", "tpr", "fpr",
     "tnr", "fnr", "eer", "ap", "ar", "positive", "negative", "positives", "negatives",
     "prec", "return"}
)  # fmt: skip
_SETTINGS = frozenset(
    {"dropout", "decay", "wd", "momentum", "beta", "beta1", "beta2", "betas", "eps", "epsilon",
     "warmup", "temperature", "gamma", "lambda", "alpha", "smoothing", "patience", "clip",
     "clipping", "ema", "lr", "threshold", "interval", "coef"}
)  # fmt: skip
_TAKEN = frozenset(
    {"gpu", "cpu", "mem", "memory", "ram", "vram", "util", "utilization", "power", "watts",
     "energy", "cost", "price", "usd", "latency", "fps", "speed", "eta", "elapsed", "remaining",
     "second", "tps", "percent", "percentage", "pct", "progress"}
)  # fmt: skip
_CLOCK = frozenset(
    {"time", "timestamp", "elapsed", "remaining", "eta", "runtime", "duration", "wall", "walltime"}
)
# Names, folded, of numbers that only tell rows apart.
_INDEX = frozenset(
    {"fold", "kfold", "cvfold", "foldid", "split", "rank", "index", "idx", "no", "row", "line",
     "rep", "repeat", "repetition", "replicate", "version", "attempt", "worker", "checkpoint",
     "ckpt", "batch", "batchidx", "batchindex", "job", "jobid", "slurmjobid", "session", "restart",
     "trial", "trialid", "trialnumber", "node", "process", "pid"}
)  # fmt: skip
_NUMBERED = re.compile(r"lr\d+|(?:m?ap|ar|f|rouge|bleu|hits|hit|top|acc|r|p)(?:@?\d+|l)")


def may_be_input(frame: Frame, name: str) -> bool:
    """Tell whether a column is a number that varies, and no metric, time or step."""
    numbers = frame.columns[name].numbers
    known = numbers[np.isfinite(numbers)]
    unnamed = name.startswith(("column ", "_", "Unnamed: "))
    odd = describe(name) is not None or bool((TIMING_WORDS | _WATCHED) & set(words(name)))
    counted = any(rank(role, name) is not None for role in ("learning_rate", "step", "epoch"))
    odd = odd or is_reading(name) or counted
    varies = known.size > 0 and (known.size == 1 or float(known.min()) < float(known.max()))
    return varies and not unnamed and not odd


def is_clock(name: str) -> bool:
    """Tell whether a name is that of a time or a duration, which text writes as 1:23:45."""
    return bool(_CLOCK & set(words(name)))


def could_be_size(name: str) -> bool:
    """Tell whether a name is none of those of scores, settings, indices and resources."""
    parts = words(split_unit(name)[0])
    told = (_READINGS | _SETTINGS | _TAKEN) & set(parts)
    last = fold(re.split(r"[/.]", name)[-1])
    return not (told or is_share(name) or last in _INDEX or any(map(_NUMBERED.fullmatch, parts)))


def could_be_setting(name: str) -> bool:
    """Tell whether a name may be that of a number chosen before a run, no reading or cost."""
    parts = set(words(split_unit(name)[0]))
    measured = describe(name) is not None or is_reading(name)
    last = fold(re.split(r"[/.]", name)[-1])
    return not (measured or (TIMING_WORDS | _READINGS | _TAKEN) & parts or last in _INDEX)


def taken_note(column: str) -> Note:
    """Say that the only other number of a log is taken as its size."""
    return Note(
        id="INPUT_GUESSED", severity="info",
        text=f"No column has the name of a size (params, tokens, flops): {column}, the only other "
        "number that may be one, is taken as the input of a law.",
        action="Name another one with --input COLUMN or --columns params=COLUMN.",
    )  # fmt: skip


def no_size_note(others: list[str]) -> Note:
    """Say that nothing gives the size of a run.

    Args:
        others: The columns that may be asked for instead.
    """
    return Note(
        id="NO_SIZE", severity="warning",
        text="No column for the size of a run (params, tokens, flops) was found"
        + (f"; other numbers are {listed(others)}." if others else "."),
        action="Name it with --columns params=COLUMN or --input COLUMN." if others
        else "Give it with --set params=124M, or --set RUN:params=124M for each run; --columns "
        "params=COLUMN names a column that holds it.",
    )  # fmt: skip
