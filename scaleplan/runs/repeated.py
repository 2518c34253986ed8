"""Runs that share their sizes: sweeps of a setting, of which the best run counts, or replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scaleplan.errors import UsageError
from scaleplan.records import Metric, Note, RowNote
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.hashing import row_hashes
from scaleplan.runs.named_columns import find_column
from scaleplan.runs.table import FloatArray, IntArray
from scaleplan.runs.text import listed, near, words
from scaleplan.units import format_percent, format_significant

# Losses under different values of these are not comparable.
CONVENTIONS = ("unit", "tokenizer", "dataset", "task", "split", "optimizer", "schedule", "metric")
# What laws take beside params and tokens, and what changes a run at the same params and tokens.
FURTHER_SIZES = (
    "experts", "granularity", "bits", "weight_bits", "activation_bits", "kv_cache_bits",
)  # fmt: skip
_SIZE_ROLES = ("params", "active_params", "tokens", "unique_tokens", "epochs")
TUNED_ROLES = ("learning_rate", "batch_tokens", "batch_size")
# Words of the settings that are tuned for one size rather than scaled with it.
_TUNED_WORDS = frozenset(
    {"lr", "wd", "decay", "warmup", "momentum", "dropout", "clip", "clipping", "beta", "beta1",
     "beta2", "betas", "eps", "epsilon", "init", "initialisation", "initialization", "batch",
     "learning"}
)  # fmt: skip
# Steps times batch gives 99,999,154,176 tokens where 1e11 was asked for.
_SAME_SIZE = 0.001
_SPREAD = 0.01  # runs of one size this far apart shift a law; closer ones are as good as replicates


@dataclass(frozen=True, slots=True, eq=False)
class SameSize:
    """Rows in groups of one size.

    Args:
        group: Shape (n,), a number a group.
        count: Shape (groups,), rows in each.
        names: The columns that rows of a group share.
    """

    group: IntArray
    count: IntArray
    names: tuple[str, ...]

    @property
    def repeated(self) -> IntArray:
        """Return the groups of more than one row."""
        return np.flatnonzero(self.count > 1)


def is_tuned(column: str) -> bool:
    """Tell whether a column's name is that of a setting that is tuned, such as a weight decay."""
    return bool(_TUNED_WORDS & set(words(column)))


def same_size(rows: Gathered, each: Sequence[str] = ()) -> SameSize | None:
    """Group rows that share sizes and conventions; None if the log has no sizes.

    Args:
        rows: The rows.
        each: Further columns that tell groups apart.

    Raises:
        UsageError: If one of `each` is no column.
    """
    roles = [r for r in _SIZE_ROLES if r in rows.roles]
    if "input" in rows.roles:
        roles = ["input"]
    elif not {"params", "tokens"} <= set(roles) and "flops" in rows.roles:
        roles.append("flops")
    if not roles:
        return None
    if "input" not in roles:
        roles += [role for role in FURTHER_SIZES if role in rows.roles]
    keys = [_near_equal(rows.roles[r].numbers) for r in roles]
    keys += [rows.labels[r].codes.astype(np.float64) for r in CONVENTIONS if r in rows.labels]
    for name in each:
        keys += _key(rows, name)
    _, group, count = np.unique(row_hashes(keys), return_inverse=True, return_counts=True)
    return SameSize(group.ravel(), count, tuple(dict.fromkeys(rows.names[r] for r in roles)))


def _key(rows: Gathered, name: str) -> list[FloatArray]:
    """Return a column, by its name or role, as keys."""
    known = {**rows.extra, **rows.labels, **rows.roles}
    known |= {column: rows.roles[role] for role, column in rows.names.items()}
    found = find_column(name, list(known))
    if found is None:
        alike = near(name, known)
        raise UsageError(
            f"the log has no column {name!r} to tell groups apart; it has {listed(known)}",
            hint=f"Did you mean {' or '.join(alike)}?" if alike else "Give the name of a column.",
        )
    return [known[found].numbers, known[found].codes.astype(np.float64)]


def _near_equal(numbers: FloatArray) -> FloatArray:
    """Return numbers with those within 0.1% of each other made equal.

    Where they do not fall into such groups, as in a cloud of random sizes, they stay as they are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(numbers)
    known = np.flatnonzero(np.isfinite(logs))
    if not known.size:
        return numbers
    order = known[np.argsort(logs[known], kind="stable")]
    ordered = logs[order]
    cluster = np.cumsum(np.r_[False, np.diff(ordered) > _SAME_SIZE])
    first = np.searchsorted(cluster, np.arange(int(cluster[-1]) + 1))
    last = np.r_[first[1:], ordered.size] - 1
    if float((ordered[last] - ordered[first]).max()) > 2.0 * _SAME_SIZE:
        return numbers
    result = numbers.copy()
    result[order] = numbers[order[first]][cluster]
    return result


def best_of(
    rows: Gathered, metric: Metric, each: Sequence[str]
) -> tuple[Gathered, tuple[RowNote, ...], tuple[Note, ...]]:
    """Keep the best run of each size.

    Args:
        rows: Cleaned rows.
        metric: What `value` is: losses and errors are best when low.
        each: Further columns that tell groups apart.

    Returns:
        The rows that are left, those dropped with the reason, and what there is to say.

    Raises:
        UsageError: If one of `each` is no column.
    """
    same = same_size(rows, each)
    if same is None or not same.repeated.size:
        note = Note(
            id="BEST_OF_NOTHING", severity="info",
            text="No two runs share their sizes, so there was no best run to choose (--best-of).",
        )  # fmt: skip
        return rows, (), (note,)
    values = rows.roles["value"].numbers
    order = np.lexsort((_badness(values, metric), same.group))
    best = order[np.searchsorted(same.group[order], np.arange(same.count.size))]
    kept = np.sort(best)
    shared = " and ".join((*same.names, *each))
    dropped = []
    for row in np.setdiff1d(np.arange(len(rows)), kept).tolist():
        winner = int(best[same.group[row]])
        origin = rows.row_note(winner, "")
        place = f"line {origin.line}" if origin.line is not None else origin.run
        dropped.append(
            rows.row_note(
                row,
                f"{metric.name} is {format_significant(float(values[row]))}; the best of "
                f"{int(same.count[same.group[row]])} runs with the same {shared} is "
                f"{format_significant(float(values[winner]))} ({place})",
            )
        )
    said = Note(
        id="BEST_OF", severity="info",
        text=f"{kept.size} runs are the best of their {shared}; {len(dropped)} others were left "
        "out (--best-of).",
        action="The best of few settings is worse than a tuned run, and best by luck as well: "
        "read the scatter with that in mind.",
        numbers=(("kept", float(kept.size)), ("left_out", float(len(dropped)))),
    )  # fmt: skip
    return rows.take(kept), tuple(dropped), (said,)


def _badness(values: FloatArray, metric: Metric) -> FloatArray:
    return values if metric.kind in {"loss", "error"} else -values


def repeated_notes(rows: Gathered, metric: Metric) -> tuple[Note, ...]:
    """Return the notes on runs that share their sizes: sweeps of a setting, and replicates.

    Args:
        rows: Cleaned rows in their roles.
        metric: What `value` is.
    """
    same = same_size(rows)
    if same is None or not same.repeated.size:
        return ()
    tuned = {rows.names[r]: rows.roles[r].numbers for r in TUNED_ROLES if r in rows.roles}
    tuned |= {n: c.numbers for n, c in rows.extra.items() if is_tuned(n)}
    varying = {name: _varies(column, same) for name, column in tuned.items()}
    swept = np.zeros(same.count.size, dtype=bool)
    for groups in varying.values():
        swept |= groups
    notes = []
    if swept.any():
        names = [name for name, groups in varying.items() if groups.any()]
        notes.append(_proposal(rows, metric, same, np.flatnonzero(swept), names))
    plain = np.flatnonzero((same.count > 1) & ~swept)
    if plain.size:
        runs = int(same.count[plain].sum())
        notes.append(
            Note(
                id="REPLICATES", severity="info",
                text=f"{runs} runs share their {', '.join(same.names)} with another one "
                f"({plain.size} groups); all are kept as replicates.",
                action="If they differ in a setting such as the learning rate, keep the best ones "
                "(--best-of).",
                numbers=(("runs", float(runs)), ("groups", float(plain.size))),
            )
        )  # fmt: skip
    return tuple(notes)


def _varies(column: FloatArray, same: SameSize) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Tell for each group whether a column takes several values in it."""
    known = np.isfinite(column)
    low = np.full(same.count.size, np.inf)
    high = np.full(same.count.size, -np.inf)
    np.minimum.at(low, same.group[known], column[known])
    np.maximum.at(high, same.group[known], column[known])
    return np.asarray(high > low)


def _proposal(
    rows: Gathered, metric: Metric, same: SameSize, swept: IntArray, names: Sequence[str]
) -> Note:
    """Propose to keep the best run of each size, with how far the runs of a size are apart."""
    values = rows.roles["value"].numbers
    low = np.full(same.count.size, np.inf)
    high = np.full(same.count.size, -np.inf)
    np.minimum.at(low, same.group, values)
    np.maximum.at(high, same.group, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.median((high - low)[swept] / np.abs(low)[swept]))
    runs = int(same.count[swept].sum())
    wide = not spread <= _SPREAD
    return Note(
        id="BEST_OF_PROPOSED", severity="warning" if wide else "info",
        text=f"{runs} runs in {swept.size} groups share their {' and '.join(same.names)} and "
        f"differ in {listed(names, 5)}; the median spread of {metric.name} in a group is "
        f"{format_percent(spread, 2)}. All are fitted together.",
        action="Use --best-of to fit the best run of each group: a law of size is one of tuned "
        "runs.",
        numbers=(
            ("runs", float(runs)), ("groups", float(swept.size)), ("median_spread", spread),
        ),
    )  # fmt: skip
