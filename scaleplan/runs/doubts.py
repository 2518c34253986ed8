"""What is doubtful in numbers whose columns are known: units, sizes, and which way is better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.records import Metric, Note
from scaleplan.runs.factors import unknown_unit
from scaleplan.runs.raw import RawColumn
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import fold, split_unit, words
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.runs.columns import Assignment

# No sweep has a largest run below these: counts that are were written in thousands or more.
_LEAST = {"params": 1e4, "active_params": 1e4, "tokens": 1e5, "flops": 1e9}
# What nobody wants more of; whoever logs the distance that a robot walks says it is a score.
_LOWER = frozenset(
    {"cost", "costs", "regret", "regrets", "distance", "distances", "latency", "latencies",
     "penalty", "penalties"}
)  # fmt: skip
# What grows as training goes on; the metric gets better along the one it follows most.
_GROWING = ("flops", "params", "active_params", "tokens", "input", "step", "epoch")
_FOLLOWS = 0.3  # rank correlation
_FALLS = 0.7  # the same, of a score that falls throughout
_ROUNDING = 1e-3  # of sizes in a log, which have a few digits
# A value at most 1 among percentages that others are so many times as large as.
_FAR_BELOW = 10.0


def unit_doubts(chosen: Assignment) -> Iterator[Note]:
    """Warn of units of sizes that are not understood, and say which params leave out something."""
    for role, names in chosen.numbers.items():
        for name in names:
            if role == "params" and "nonembed" in fold(split_unit(name)[1]):
                yield without_embeddings(name)
            unit = unknown_unit(role, name)
            if unit:
                yield Note(
                    id="UNIT_UNKNOWN", severity="warning",
                    text=f"The unit {unit!r} of {name} is not understood; its numbers are used as "
                    "they stand.",
                    action=f"Write a known one (K, M, B, 1e6, PFLOP-days), or none if they count "
                    f"single {role}.",
                )  # fmt: skip


def without_embeddings(columns: str) -> Note:
    """Say that params are counted without embeddings.

    Args:
        columns: Which columns they are.
    """
    return Note(
        id="PARAMS_CONVENTION", severity="info",
        text=f"params are counted without embeddings ({columns}): the log gives no total.",
        action="Count the planned model in the same way.",
    )  # fmt: skip


def size_doubts(roles: Mapping[str, RawColumn], chosen: Assignment) -> Iterator[Note]:
    """Warn of sizes that are too small for what they count."""
    for role, least in _LEAST.items():
        if role not in roles or (role == "tokens" and chosen.counts_samples):
            continue
        numbers = roles[role].numbers
        known = numbers[np.isfinite(numbers)]
        if not known.size or not 0.0 < float(known.max()) < least:
            continue
        largest = format_significant(float(known.max()))
        yield Note(
            id="SMALL_COUNTS", severity="warning",
            text=f"The largest {role} is {largest}: that is hardly a count of single {role}.",
            action="Say in the name what they count, for example Params (M), or scale them.",
            numbers=(("largest", float(known.max())),),
        )  # fmt: skip
    yield from _more_active(roles, chosen)


def _more_active(roles: Mapping[str, RawColumn], chosen: Assignment) -> Iterator[Note]:
    """Warn of runs of which a token uses more parameters than they have."""
    if not {"params", "active_params"} <= set(roles):
        return
    every, active = (roles[role].numbers for role in ("params", "active_params"))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = active / every
    more = times[np.isfinite(times) & (times > 1.0 + _ROUNDING)]
    if not more.size:
        return
    names = [", ".join(chosen.numbers[role]) for role in ("params", "active_params")]
    yield Note(
        id="ACTIVE_MORE_THAN_ALL", severity="warning",
        text=f"{more.size} of {every.size} rows have more {names[1]} than {names[0]}, up to "
        f"{format_significant(float(more.max()), 3)} times as many: the two are not counted alike, "
        "and no share of active parameters follows from them.",
        action="Count embeddings and experts in both or in neither, or name the column that is the "
        f"size with --columns params={names[1]}.",
        numbers=(("rows", float(more.size)), ("largest", float(more.max()))),
    )  # fmt: skip


def directed(metric: Metric, roles: Mapping[str, RawColumn]) -> tuple[Metric, Note]:
    """Decide whether a metric of an unknown name gets better by falling or rising.

    A word for what costs something decides; else the values do.

    Args:
        metric: The metric, taken as a score so far.
        roles: The numbers by role.

    Returns:
        The metric, as a loss where it falls, and what to say about it.
    """
    value = roles["value"].numbers
    found = [(_correlation(value, roles[role].numbers), role) for role in _GROWING if role in roles]
    strength, role = max(found, key=lambda pair: abs(pair[0]), default=(0.0, ""))
    name = metric.name
    other = (
        f"Say --columns loss={name!r} if lower is better, --columns score={name!r} if higher is."
    )
    said = next((word for word in words(split_unit(name)[0]) if word in _LOWER), None)
    if said is not None:
        return replace(metric, kind="loss"), Note(
            id="METRIC_DIRECTION", severity="info",
            text=f"{name} is taken as a loss, lower is better, for the word {said} in its name.",
            action=other, numbers=(("correlation", strength),),
        )  # fmt: skip
    if abs(strength) < _FOLLOWS:
        return metric, Note(
            id="METRIC_DIRECTION", severity="warning",
            text=f"The name {name} does not say whether higher or lower is better, and its values "
            "do not either; it is taken as a score, higher is better.",
            action=other, numbers=(("correlation", strength),),
        )  # fmt: skip
    falls = strength < 0.0
    kind = "a loss, lower is better" if falls else "a score, higher is better"
    moves = "falls" if falls else "rises"
    note = Note(
        id="METRIC_DIRECTION", severity="info",
        text=f"The name {name} does not say which way is better; it {moves} as {role} "
        f"grows and is taken as {kind}.",
        action=other, numbers=(("correlation", strength),),
    )  # fmt: skip
    return (replace(metric, kind="loss") if falls else metric), note


def falling_score(metric: Metric, roles: Mapping[str, RawColumn]) -> tuple[Note, ...]:
    """Doubt that higher is better where a metric is just called a score, and falls all along.

    Args:
        metric: The metric.
        roles: The numbers by role.
    """
    if metric.kind != "score" or {"score", "scores"}.isdisjoint(words(split_unit(metric.name)[0])):
        return ()
    value = roles["value"].numbers
    role = next((role for role in ("step", "epoch", "tokens") if role in roles), "")
    strength = _correlation(value, roles[role].numbers) if role else 0.0
    if strength > -_FALLS:
        return ()
    return (
        Note(
            id="METRIC_DIRECTION", severity="warning",
            text=f"{metric.name} is taken as a score, higher is better, for its name alone; it "
            f"falls as {role} grows.",
            action=f"Say --columns loss={metric.name!r} if lower is better.",
            numbers=(("correlation", strength),),
        ),
    )  # fmt: skip


def mixed_shares(name: str, numbers: FloatArray) -> tuple[Note, ...]:
    """Warn of values among percentages that look like shares.

    Args:
        name: The metric.
        numbers: Shape (n,), what is taken for percentages.
    """
    low, high = numbers[(numbers > 0.0) & (numbers <= 1.0)], numbers[numbers > 1.0]
    if not low.size or not high.size or float(high.min()) < _FAR_BELOW * float(low.max()):
        return ()
    beside = [format_significant(value) for value in (float(low.max()), float(high.min()))]
    return (
        Note(
            id="METRIC_MIXED", severity="warning",
            text=f"{low.size} of {numbers.size} values of {name} are at most 1 among percentages "
            f"({beside[0]} beside {beside[1]} and more): if they are shares, they are now a "
            "hundred times too small.",
            action="Write all of them in one unit.",
            numbers=(("values", float(low.size)),),
        ),
    )  # fmt: skip


def _correlation(value: FloatArray, along: FloatArray) -> float:
    """Return the rank correlation over the rows that have both, 0 if one of them never varies."""
    known = np.isfinite(value) & np.isfinite(along)
    one, other = (_ranks(numbers[known]) for numbers in (value, along))
    if one.size < 3 or not np.ptp(one) or not np.ptp(other):
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(numbers: FloatArray) -> FloatArray:
    """Return the ranks of numbers, equal ones alike."""
    _, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - 0.5 * (counts - 1.0))[place], dtype=np.float64)
