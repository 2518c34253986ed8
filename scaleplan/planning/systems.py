"""Systems side by side: compute multipliers, crossings, and whether their curves are alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, InputError, UsageError
from scaleplan.fitting.allocation import allocation_note
from scaleplan.fitting.axes import metric_symbol
from scaleplan.fitting.levels import named
from scaleplan.fitting.systems import (
    SystemAlone,
    SystemFits,
    correlation_of_inputs,
    fewest_runs,
    fit_alone,
    fit_systems,
)
from scaleplan.laws import get_law
from scaleplan.planning.systems_fits import Compared, compared
from scaleplan.planning.systems_notes import systems_notes
from scaleplan.planning.systems_records import (
    crossing_rows,
    multiplier_rows,
    system_record,
)
from scaleplan.records.advice import Note
from scaleplan.records.cleaned import Cleaning
from scaleplan.records.fits import Interval
from scaleplan.records.systems import FormTest, SystemsComparison
from scaleplan.runs.splitting import NO_VALUE, without_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scaleplan.laws import Law
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

_MOST_SYSTEMS = 30  # the joint fit of more takes minutes: its parameters are two a system
REJECTED = 0.05  # tail probability of the F test below which the shared form is given up
LAWS = ("chinchilla", "power_floor")
# Runs nearly on one ray leave the split open; along it the loss against compute is one curve.
_NEARLY_ONE_RAY = 0.95
_NAMES = {"flops": "training compute"}
_SINGLE = ("input", "flops", "tokens", "params")  # what systems are compared along, compute first


def compare_systems(
    runs: Mapping[str, Runs],
    *,
    reference: str | None = None,
    by: str = "",
    law: str | None = None,
    target_loss: float | None = None,
    target_flops: float | None = None,
    resamples: int = 1000,
    level: float = 0.9,
    seed: int = 0,
    cleaning: Cleaning | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[SystemsComparison, Compared]:
    """Say how many times the compute of each system the reference needs for the same metric.

    Args:
        runs: Cleaned runs by the name of their system.
        reference: Which one the others are measured by; the first by default.
        by: The column that tells them apart, if one does.
        law: `chinchilla` or `power_floor`; None takes the first that the runs can carry.
        target_loss: A metric at which to compare besides.
        target_flops: A compute of the reference at which to compare besides.
        resamples: Bootstrap resamples, drawn inside each system.
        level: Level of the intervals.
        seed: Seed of the resamples.
        cleaning: What reading did, where all systems came from one log.
        on_progress: Called with (done, all) resamples.

    Returns:
        The comparison, and the fits behind it.

    Raises:
        FitError: If fewer than two systems can be fitted, or the reference cannot.
        InputError: If there is one system only, or their metrics are of different kinds.
        UsageError: If the law or the reference is not known.
    """
    ordered = _ordered(runs, reference, by)
    chosen, role, notes = _law_for(ordered, law)
    alone, refused = _fitted(ordered, chosen, role)
    fits = fit_systems(alone, resamples=resamples, seed=seed, on_progress=on_progress)
    rejected = fits.shared.p < REJECTED
    found = compared(
        fits, {system.name: ordered[system.name] for system in alone}, rejected=rejected
    )
    first = ordered[alone[0].name]
    split = _split_notes(alone, role)
    complement = alone[0].axes.complement
    if complement and target_loss is not None:
        target_loss = 1.0 - target_loss
    result = SystemsComparison(
        reference=alone[0].name, by=by, metric=first.metric,
        complement=complement, law=chosen.name,
        resource=_resource(alone[0], role), form=found.answers,
        test=_test(fits, first, rejected),
        systems=tuple(system_record(found, k, level=level) for k in range(len(alone))),
        multipliers=multiplier_rows(
            found, target_loss=target_loss, target_flops=target_flops, level=level
        ),
        crossings=crossing_rows(found, level=level),
        interval=Interval(
            level=level, method=fits.method, n=sum(s.fitted.values.size for s in alone)
        ),
        cleaning=cleaning if cleaning is not None else _joined([r.cleaning for r in runs.values()]),
        notes=(), assumptions=first.assumptions,
    )  # fmt: skip
    unnamed = () if not by or NO_VALUE not in runs else (without_value(by, len(runs[NO_VALUE])),)
    said = (*unnamed, *notes, *refused, *split, *systems_notes(result, found, level=level))
    return replace(result, notes=said), found


def _ordered(runs: Mapping[str, Runs], reference: str | None, by: str) -> dict[str, Runs]:
    """Return the systems with the reference first, or say why they are none to compare."""
    names = list(runs)
    if len(names) < 2:
        what = f"all runs have {by} = {names[0]}" if by else f"there is one system only, {names[0]}"
        raise InputError(
            f"{what}; two or more are compared",
            hint="Name another column with --by, or give one more log.",
        )
    if len(names) > _MOST_SYSTEMS:
        raise InputError(
            f"{by or 'there'} {'has' if by else 'are'} {len(names)} "
            f"{'values' if by else 'systems'}: at most {_MOST_SYSTEMS} are compared together",
            hint="Keep the runs of those that matter, or name a column of few values with --by.",
        )
    if reference is not None and reference not in runs:
        from difflib import get_close_matches

        near = get_close_matches(reference, names, n=1, cutoff=0.4)
        raise UsageError(
            f"there is no system {reference!r}; there are {', '.join(names)}",
            hint=f"Did you mean --reference {near[0]}?" if near else "Give one of these.",
        )
    if len({each.metric.kind for each in runs.values()}) > 1:
        kinds = ", ".join(f"{name}: {each.metric.kind}" for name, each in runs.items())
        raise InputError(
            f"the systems have metrics of different kinds ({kinds})",
            hint="Choose one that all of them log, with --metric.",
        )
    first = names[0] if reference is None else reference
    return {first: runs[first], **{name: each for name, each in runs.items() if name != first}}


def _law_for(
    runs: Mapping[str, Runs], law: str | None
) -> tuple[Law, str | None, tuple[Note, ...]]:  # fmt: skip
    """Return the law of all systems, the role it is fitted against, and why if not the first."""
    if law is not None:
        found = get_law(law)
        if found.name not in LAWS:
            raise UsageError(
                f"systems are not compared by the {found.name} law; allowed are {', '.join(LAWS)}",
                hint="Leave --law out, or give one of these.",
            )
        return found, None if found.name == "chinchilla" else _single_role(runs), ()
    two = get_law("chinchilla")
    along = get_law("power_floor")
    if all(each.has("input") for each in runs.values()):
        return along, "input", ()
    enough = {name: each for name, each in runs.items() if len(each) >= fewest_runs(two)}
    if len(enough) > 1 and next(iter(runs)) in enough:
        runs = enough  # the others are left out, and so decide nothing
    lacking = [n for n, r in runs.items() if not (r.has("params") and r.has("tokens"))]
    if lacking:
        single = _single_role(runs)
        why = f"{lacking[0]} gives no parameters and tokens of its runs"
        return along, single, (_along(why, single),)
    for name, each in runs.items():
        near = correlation_of_inputs(each, two)
        if near > _NEARLY_ONE_RAY and each.has("flops"):
            why = f"{name}: parameters and tokens move together (correlation {near:.3f})"
            return along, "flops", (_along(why, "flops"),)
    return two, None, ()


def _single_role(runs: Mapping[str, Runs]) -> str:
    """Return the role that all systems have and can be compared along, compute before others.

    Raises:
        InputError: If they share none.
    """
    first = next(iter(runs.values()))
    for role in _SINGLE:
        if all(each.has(role) for each in runs.values()) and _varies(first.column(role)):
            return role
    raise InputError(
        f"the systems share no size of their runs: each must give {', '.join(_SINGLE[1:-1])} or "
        f"{_SINGLE[-1]}, with several values",
        hint="Name one with --columns flops=COLUMN, or compare along any other with --input "
        "COLUMN.",
    )


def _varies(column: FloatArray) -> bool:
    return np.unique(column[np.isfinite(column)]).size > 1


def _along(why: str, role: str) -> Note:
    what = "compute as it was spent" if role == "flops" else f"{role} alone"
    action = "Log both sizes of every run to compare best against best."
    if role == "flops":
        action = "Train runs at other ratios of tokens to parameters to compare best against best."
    return Note(
        id="SYSTEMS_ALONG_COMPUTE", severity="info",
        text=f"{why}, so that losses are compared along {what}, not at the best split between "
        "parameters and tokens.", action=action,
    )  # fmt: skip


def _fitted(
    runs: Mapping[str, Runs], law: Law, role: str | None
) -> tuple[list[SystemAlone], tuple[Note, ...]]:
    """Return the systems that can be fitted, and a note on each that cannot."""
    found: list[SystemAlone] = []
    refusals: list[tuple[str, FitError]] = []
    for name, each in runs.items():
        try:
            found.append(fit_alone(name, each, law, role=role))
        except FitError as error:
            if not found:  # nothing can be measured by a reference without a fit
                raise
            refusals.append((name, error))
    if len(found) < 2:
        raise refusals[0][1]
    notes = tuple(
        Note(id="GROUP_REFUSED", severity="warning", text=error.message, action=error.hint)
        for _, error in refusals
    )
    return found, notes


def _resource(first: SystemAlone, role: str | None) -> str:
    return first.axes.columns[0] if role not in {None, "flops"} else _NAMES["flops"]


def _test(fits: SystemFits, first: Runs, rejected: bool) -> FormTest:
    shared, axes = fits.shared, fits.systems[0].axes
    text = shared.law.write(
        [float(v) for v in shared.theta], metric=metric_symbol(first, complement=axes.complement),
        names=[*axes.symbols, "level"],
    )  # fmt: skip
    return FormTest(
        statistic=shared.statistic, extra=shared.extra, spare=shared.spare, p=shared.p,
        weight=shared.weight, rejected=rejected,
        formula=named(text, [system.name for system in fits.systems], "level"),
    )  # fmt: skip


def _split_notes(systems: Sequence[SystemAlone], role: str | None) -> tuple[Note, ...]:
    """Say where a system's runs leave the split open, on which its best loss depends."""
    if role is not None:
        return ()
    found = [(system.name, allocation_note(system.fitted)) for system in systems]
    return tuple(
        replace(note, severity="warning", text=f"{name}: {note.text}")
        for name, note in found
        if note is not None and note.severity == "error"
    )


def _joined(cleanings: Sequence[Cleaning]) -> Cleaning:
    """Return what reading did to several logs as one."""
    return Cleaning(
        files=tuple(dict.fromkeys(file for one in cleanings for file in one.files)),
        rows_read=sum(one.rows_read for one in cleanings),
        rows_used=sum(one.rows_used for one in cleanings),
        dropped=tuple(note for one in cleanings for note in one.dropped),
        changed=tuple(note for one in cleanings for note in one.changed),
        columns=tuple(dict.fromkeys(use for one in cleanings for use in one.columns)),
    )  # fmt: skip
