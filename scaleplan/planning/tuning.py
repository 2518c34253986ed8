"""Laws of the best learning rate and batch size from a grid of both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, InputError, UsageError
from scaleplan.fitting.remarks import unused_note
from scaleplan.planning.tuning_laws import BATCH, RATE, SYMBOLS, law_notes, law_of, leverage_notes
from scaleplan.planning.tuning_minima import minimum_of
from scaleplan.records import Note, TunedGroup, Tuning
from scaleplan.runs.inputs import TIMING_WORDS
from scaleplan.runs.text import listed, words
from scaleplan.units import format_number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import BoolArray, Runs

_FEWEST_RUNS = 4  # of one size: a parabola and a run to spare


def tune(
    runs: Runs,
    *,
    sequence_length: float | None = None,
    target: Mapping[str, float] | None = None,
    level: float = 0.9,
) -> Tuning:
    """Find the best settings for each size, and the power laws through them.

    A size is a model and its training tokens, or the compute where the log gives no more.

    Args:
        runs: All runs of a grid, diverged ones too.
        sequence_length: Tokens per sequence, to turn batches of sequences into tokens.
        target: By role what to predict the settings for: params and tokens, or flops.
        level: Level of the intervals.

    Raises:
        InputError: If the log has no learning rates, or no size.
        FitError: If no group of runs has a usable minimum.
        UsageError: If the target is not of the sizes that the log gives.
    """
    if not runs.has(RATE):
        raise InputError(
            "the log gives no learning rate",
            hint=f"Name the column with --columns {RATE}=COLUMN.",
        )
    sizes = _sizes(runs)
    if target and set(target) != set(sizes):
        raise UsageError(
            f"the settings of this grid are laws of {' and '.join(sizes)}"
            f"{', which go together' if len(sizes) > 1 else ''}; {listed(target)} was given",
            hint="Give " + " and ".join(f"--{size}" for size in sizes) + ".",
        )
    batch, unit = _batch(runs, sequence_length)
    falling = runs.metric.kind in {"loss", "error"}
    values = runs.value if falling else -runs.value
    groups = _groups(runs, sizes, values, batch, falling=falling)
    good = [group for group in groups if not group.flag]
    large = [group for group in groups if group.runs >= _FEWEST_RUNS]
    if not good:
        raise FitError(
            f"no group of runs has a minimum that can be used: {large[0].flag}" if large
            else f"no group of equal {listed(sizes)} has {_FEWEST_RUNS} runs",
            hint="Extend the grid to both sides of the best setting, a factor of 4 at least.",
        )  # fmt: skip
    settings = (RATE,) if batch is None else (RATE, BATCH)
    laws = [law_of(setting, good, target, level) for setting in settings]
    return Tuning(
        metric=runs.metric, batch_unit=unit, level=level, groups=tuple(groups),
        laws=tuple(laws), target=tuple(target.items()) if target else None, cleaning=runs.cleaning,
        notes=(*(n for n in runs.notes if n.id not in _NOT_HERE),
               *unused_note(runs, _timings(runs), action=_NAME_IT),
               *_lacking(_usable(runs, sizes, values, batch)[1], (*sizes, *settings)),
               *law_notes(groups, laws),
               *leverage_notes(good, laws, level)),
        assumptions=runs.assumptions,
    )  # fmt: skip


# What a reader of grids says about fits of losses, and which a grid of settings is made for.
_NOT_HERE = {"BEST_OF_PROPOSED", "POSSIBLY_DIVERGED"}
_NAME_IT = "Name a setting among them with --columns batch_size=COLUMN or learning_rate=COLUMN."


def _timings(runs: Runs) -> tuple[str, ...]:
    """Return the columns of time that runs took, which is no setting."""
    return tuple(name for name in runs.extra if TIMING_WORDS & set(words(name)))


def _batch(runs: Runs, length: float | None) -> tuple[FloatArray | None, str]:
    """Return the batch of each run, and its unit; None if there is none or it does not vary."""
    if runs.has("batch_tokens"):
        values, unit = runs.column("batch_tokens"), "tokens"
    elif runs.has("batch_size"):
        values, unit = runs.column("batch_size"), "sequences"
        if length is not None:
            values, unit = values * length, "tokens"
    else:
        return None, ""
    known = values[np.isfinite(values) & (values > 0.0)]
    return (values, unit) if np.unique(known).size > 1 else (None, "")


def _sizes(runs: Runs) -> tuple[str, ...]:
    """Return what tells the groups of a grid apart: params and tokens, else compute, else one.

    Raises:
        InputError: If there is none of them.
    """
    known = [role for role in ("params", "tokens") if runs.has(role)]
    if len(known) < 2 and runs.has("flops"):
        known = ["flops"]
    if not known:
        raise InputError(
            "the log gives no params, tokens or flops",
            hint="Name their columns with --columns params=COLUMN,tokens=COLUMN.",
        )
    return tuple(known)


def _usable(
    runs: Runs, roles: tuple[str, ...], values: FloatArray, batch: FloatArray | None
) -> tuple[FloatArray, BoolArray]:
    """Return sizes, settings and the metric, shape (k, n), and which runs have all of them."""
    columns = [*(runs.column(role) for role in roles), runs.column(RATE)]
    columns += [] if batch is None else [batch]
    stacked = np.stack([*columns, values])
    known = np.isfinite(stacked).all(axis=0) & (stacked[:-1] > 0.0).all(axis=0)
    return stacked, np.asarray(known)


def _lacking(usable: BoolArray, needed: tuple[str, ...]) -> list[Note]:
    """Return what there is to say of runs without a size or a setting, which no group holds."""
    count = int((~usable).sum())
    if not count:
        return []
    what = " or ".join(name.replace("_", " ") for name in needed)
    return [
        Note(
            id="SETTING_MISSING", severity="warning",
            text=f"{count} of {format_number_of(usable.size, 'run')} "
            f"{'lacks' if count == 1 else 'lack'} {what}, and "
            f"{'stands' if count == 1 else 'stand'} in no group.",
            action="Give what is missing with --set, or leave them out of the log.",
            numbers=(("lacking", float(count)), ("runs", float(usable.size))),
        )
    ]  # fmt: skip


def _groups(
    runs: Runs, roles: tuple[str, ...], values: FloatArray, batch: FloatArray | None,
    *, falling: bool,
) -> list[TunedGroup]:  # fmt: skip
    """Return the minimum of each size, the smallest first."""
    stacked, usable = _usable(runs, roles, values, batch)
    sizes = np.round(np.log(stacked[: len(roles), usable]), 6).T
    found = []
    for size in np.unique(sizes, axis=0):
        rows = np.flatnonzero(usable)[(sizes == size).all(axis=1)]
        at = dict.fromkeys(SYMBOLS) | {
            role: float(stacked[k, rows[0]]) for k, role in enumerate(roles)
        }
        if rows.size < _FEWEST_RUNS:
            best = float(values[rows].min())
            found.append(
                TunedGroup(
                    params=at["params"], tokens=at["tokens"], flops=at["flops"],
                    runs=int(rows.size), used=0, best_value=best if falling else -best,
                    learning_rate=None, learning_rate_error=None, batch=None, batch_error=None,
                    flag=f"{format_number_of(rows.size, 'run')}; {_FEWEST_RUNS} are needed",
                )
            )  # fmt: skip
            continue
        rate = minimum_of(np.log(runs.column(RATE)[rows]), values[rows], "learning rate")
        size_of_step = None
        if batch is not None and np.unique(batch[rows]).size > 1:
            size_of_step = minimum_of(np.log(batch[rows]), values[rows], "batch")
        best = float(values[rows].min())
        # At the edge of one setting the other is best for a setting that is not.
        flags = [one.flag for one in (rate, size_of_step) if one is not None and one.flag]
        found.append(
            TunedGroup(
                params=at["params"], tokens=at["tokens"], flops=at["flops"],
                runs=int(rows.size), used=rate.used, best_value=best if falling else -best,
                learning_rate=None if rate.at is None else math.exp(rate.at),
                learning_rate_error=rate.error,
                batch=None if size_of_step is None or size_of_step.at is None
                else math.exp(size_of_step.at),
                batch_error=None if size_of_step is None else size_of_step.error,
                flag="; ".join(flags),
            )
        )  # fmt: skip
    return found
