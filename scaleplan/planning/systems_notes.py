"""What there is to say about systems side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.planning.frontiers import central
from scaleplan.records.advice import Note
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scaleplan.planning.systems_fits import Compared
    from scaleplan.records.systems import SystemsComparison
    from scaleplan.runs.table import Runs

_FAR, _VERY_FAR = 0.5, 1.5  # decades beyond the runs, as for forecasts
_RATIOS_APART = 1.5  # between the median tokens per parameter of systems on rays
_COUNTED_APART = 1.1  # between their FLOP for a parameter and token
# What runs of one comparison must share for their losses to mean the same.
_CONVENTIONS = ("tokenizer", "dataset", "task", "split", "unit")


def systems_notes(
    comparison: SystemsComparison, compared: Compared, *, level: float
) -> tuple[Note, ...]:
    """Return the notes of a comparison.

    Args:
        comparison: Its tables.
        compared: Its fits.
        level: Level of the intervals.
    """
    return (
        _form(comparison),
        *_of_runs(compared),
        *_not_comparable(comparison, compared),
        *_floors(compared, level),
        *_no_overlap(comparison),
        *_ratios(compared),
        *_not_reached(comparison),
        *_extrapolated(comparison),
        *_crossings(comparison),
    )


def _form(comparison: SystemsComparison) -> Note:
    test = comparison.test
    numbers = (("p", test.p), ("statistic", test.statistic))
    facts = test.words
    source = "F test of nested fits; Akaike weights: Burnham & Anderson 2002"
    if test.rejected:
        return Note(
            id="SHARED_FORM_REJECTED", severity="warning",
            text=f"The runs reject curves that differ by a factor of compute only ({facts}): the "
            "multiplier depends on the loss. Answers are those of each system's own fit.",
            action="Compare at the loss or the compute that matters: --target-loss or "
            "--target-flops.",
            numbers=numbers, source=source,
        )  # fmt: skip
    return Note(
        id="SHARED_FORM_HOLDS", severity="info",
        text=f"The runs do not reject shared exponents and a shared floor ({facts}): the answer is "
        f"that form's, its interval made of {100.0 * test.weight:.0f}% of its resamples and "
        f"{100.0 * (1.0 - test.weight):.0f}% of those of the free fits.",
        numbers=(*numbers, ("weight", test.weight)), source=source,
    )  # fmt: skip


def _of_runs(compared: Compared) -> tuple[Note, ...]:
    """Return what was said about the runs: of all systems once, else under the system's name."""
    each = {name: runs.notes for name, runs in compared.runs.items()}
    seen = [{(note.id, note.text) for note in notes} for notes in each.values()]
    everywhere = set.intersection(*seen)
    found = [
        (name, note)
        for place, (name, notes) in enumerate(each.items())
        for note in notes
        if place == 0 or (note.id, note.text) not in everywhere
    ]
    return tuple(
        note if (note.id, note.text) in everywhere else Note(
            id=note.id, severity=note.severity, text=f"{name}: {note.text}", action=note.action,
            numbers=note.numbers, source=note.source,
        )
        for name, note in found
    )  # fmt: skip


def _not_comparable(comparison: SystemsComparison, compared: Compared) -> Iterator[Note]:
    reasons = []
    first = compared.runs[compared.names[0]]
    for name, runs in list(compared.runs.items())[1:]:
        if runs.metric.name != first.metric.name:
            reasons.append(f"{name} reports {runs.metric.name}, not {first.metric.name}")
        units = {first.metric.unit, runs.metric.unit} - {"as logged", ""}
        if len(units) > 1:
            reasons.append(f"{name} is in {runs.metric.unit}, not {first.metric.unit}")
        reasons += [
            f"{name} has {role} {', '.join(sorted(own))}, not {', '.join(sorted(other))}"
            for role in _CONVENTIONS
            if role != comparison.by
            and (own := _values(runs, role)) and (other := _values(first, role)) and own != other
        ]  # fmt: skip
        one, two = (r.flops_per_param_token or 6.0 for r in (first, runs))
        if max(one, two) > _COUNTED_APART * min(one, two):
            reasons.append(f"{name} counts {two:.3g} FLOP a parameter and token, not {one:.3g}")
    if reasons:
        yield Note(
            id="SYSTEMS_NOT_COMPARABLE", severity="warning",
            text=f"The systems may not be measured alike: {'; '.join(reasons)}.",
            action="Evaluate all of them on one set, with one tokenizer and in one unit.",
            numbers=(("differences", float(len(reasons))),),
        )  # fmt: skip


def _values(runs: Runs, role: str) -> set[str]:
    declared = runs.metadata.get(role, "")
    return {text for text in (*runs.labels.get(role, ()), declared) if text}


def _floors(compared: Compared, level: float) -> Iterator[Note]:
    """Warn where floors differ by more than their uncertainty: then no multiplier holds far on."""
    reference = compared.names[0]
    for k, name in enumerate(compared.names[1:], start=1):
        apart = compared.free_draws[k].floor - compared.free_draws[0].floor
        found = central(apart, level)
        if compared.answers == "shared" or found is None or found[0] <= 0.0 <= found[1]:
            continue
        own, other = float(compared.free[k].floor), float(compared.free[0].floor)
        higher, floor = (name, own) if own > other else (reference, other)
        ahead = reference if higher == name else name
        yield Note(
            id="FLOORS_DIFFER", severity="warning",
            text=f"The floors of {name} ({format_significant(own)}) and {reference} "
            f"({format_significant(other)}) differ by more than their uncertainty "
            f"({100.0 * level:g}%: {format_significant(found[0], 3)} to "
            f"{format_significant(found[1], 3)}): the advantage of {ahead} grows without bound "
            f"towards {format_significant(floor)}, below which {higher} never comes.",
            action="Quote a multiplier only together with its loss.",
            numbers=(("low", found[0]), ("high", found[1])),
        )  # fmt: skip


def _no_overlap(comparison: SystemsComparison) -> Iterator[Note]:
    for name in dict.fromkeys(row.system for row in comparison.multipliers if row.at == "between"):
        yield Note(
            id="SYSTEMS_DO_NOT_OVERLAP", severity="warning",
            text=f"No loss was reached by runs of both {name} and {comparison.reference}: their "
            "multiplier rests on an extrapolation of one of them.",
            action="Train runs of both over one range of losses.",
        )  # fmt: skip


def _ratios(compared: Compared) -> Iterator[Note]:
    """Warn where curves along compute are of different tokens per parameter."""
    if compared.fits.law.name == "chinchilla":
        return
    medians = {}
    for name, runs in compared.runs.items():
        if runs.has("params") and runs.has("tokens"):
            medians[name] = float(np.nanmedian(runs.column("tokens") / runs.column("params")))
    if len(medians) < 2 or max(medians.values()) <= _RATIOS_APART * min(medians.values()):
        return
    shown = ", ".join(f"{name} {format_significant(v, 3)}" for name, v in medians.items())
    yield Note(
        id="SYSTEMS_OF_OTHER_RATIOS", severity="warning",
        text=f"The systems were trained at different tokens per parameter ({shown}): part of the "
        "multiplier is what these ratios are worth.",
        action="Train them at one ratio, or over several so that the best split is known.",
        numbers=(("factor", max(medians.values()) / min(medians.values())),),
    )  # fmt: skip


def _not_reached(comparison: SystemsComparison) -> Iterator[Note]:
    for row in comparison.multipliers:
        short = [
            f"{name} in {format_percent(1.0 - share)}"
            for name, share in (
                (comparison.reference, row.reference_reaches), (row.system, row.system_reaches),
            )
            if share < 1.0
        ]  # fmt: skip
        if not short or row.verdict not in {"not reached", "reached by it alone"}:
            continue
        yield Note(
            id="LOSS_NOT_REACHED", severity="warning",
            text=f"{format_significant(row.value)} may never be reached: it is at or below the "
            f"floor of {' and of '.join(short)} of the resamples.",
            action="Ask for a loss above the floors of both.",
            numbers=(("metric_value", row.value),),
        )  # fmt: skip


def _extrapolated(comparison: SystemsComparison) -> Iterator[Note]:
    answered = [r.decades_beyond_data for r in comparison.multipliers if r.answer.value is not None]
    farthest = max(answered, default=0.0)
    if farthest > _FAR:
        yield Note(
            id="MULTIPLIER_EXTRAPOLATED",
            severity="warning" if farthest > _VERY_FAR else "info",
            text=f"Multipliers are given up to {format_significant(farthest, 2)} decades of "
            f"{comparison.resource} beyond the runs; their intervals say how well parameters are "
            "known, not whether the law goes on.",
            action="Train a run of each system nearer to there.",
            numbers=(("decades", farthest),),
        )  # fmt: skip


def _crossings(comparison: SystemsComparison) -> Iterator[Note]:
    for row in comparison.crossings:
        if not row.supported:
            continue
        low, high = (None if end is None else format_flops(end)
                     for end in (row.flops_low, row.flops_high))  # fmt: skip
        span = f"{low} to {high}" if low and high else f"{low} or more" if low else (
            f"{high} or less"
        )  # fmt: skip
        yield Note(
            id="CURVES_CROSS", severity="warning" if row.decades_beyond_data == 0.0 else "info",
            text=f"{row.better_below} is better below {format_flops(row.flops)} of "
            f"{comparison.resource} and {row.better_above} above it (the crossing is at {span}, "
            f"{100.0 * comparison.interval.level:g}%).",
            action="Choose by the compute of the run that is planned, not by these runs.",
            numbers=(("flops", row.flops), ("value", row.value)),
        )  # fmt: skip
