"""Fits of the groups of one log, and the files they are kept in."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from scaleplan.cli.sources import fit_runs, read_groups, refuse_overwriting
from scaleplan.errors import FitError, UsageError
from scaleplan.records import GroupFit, GroupFits, Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.cli.options import Fitting, Reading

PLACE = "{group}"


def fit_groups(
    sources: Sequence[str], reading: Reading, fitting: Fitting, by: str,
    *, resamples: int, level: float, seed: int, flops: Sequence[float],
) -> GroupFits:  # fmt: skip
    """Fit the runs of each group apart.

    Raises:
        FitError: If no group can be fitted; the first one's reason.
    """
    from scaleplan.runs.splitting import NO_VALUE, without_value

    cleaning, runs_by_name = read_groups(sources, reading, by)
    groups: list[GroupFit] = []
    refusals: list[FitError] = []
    for name, runs in runs_by_name:
        try:
            fit = fit_runs(
                runs, fitting=fitting, resamples=resamples, level=level, seed=seed, flops=flops,
                quiet=reading.quiet,
            )  # fmt: skip
        except FitError as error:
            refusals.append(error)
            groups.append(
                GroupFit(
                    name=name, runs=len(runs), fit=None, refusal=error.message, remedy=error.hint
                )
            )
            continue
        named = replace(fit, name=f"{fit.name}, {by} = {name}")
        groups.append(GroupFit(name=name, runs=len(runs), fit=named, refusal="", remedy=""))
    if len(refusals) == len(groups):
        first = refusals[0]
        message = f"none of the {len(groups)} groups can be fitted; {groups[0].name}: {first}"
        raise FitError(message, hint=first.hint)
    notes = _notes(groups)
    unnamed = dict(runs_by_name).get(NO_VALUE)
    if unnamed is not None:
        notes = (without_value(by, len(unnamed)), *notes)
    return GroupFits(by=by, cleaning=cleaning, groups=tuple(groups), notes=notes)


def _notes(groups: Sequence[GroupFit]) -> tuple[Note, ...]:
    """Return what holds for every group once, and the rest under the group's name."""
    fits = [(group.name, group.fit) for group in groups if group.fit is not None]
    seen = [{(note.id, note.text) for note in fit.notes} for _, fit in fits]
    shared = set.intersection(*seen)
    notes = [note for note in fits[0][1].notes if (note.id, note.text) in shared]
    for name, fit in fits:
        notes += [
            replace(note, text=f"{name}: {note.text}")
            for note in fit.notes
            if (note.id, note.text) not in shared
        ]
    notes += [
        Note(
            id="GROUP_REFUSED", severity="warning", text=f"{group.name}: {group.refusal}",
            action=group.remedy,
        )
        for group in groups
        if group.fit is None
    ]  # fmt: skip
    return tuple(notes)


def check_place(output: str) -> None:
    """Refuse a file name that all groups would share.

    Raises:
        UsageError: If the place for the group's name is missing.
    """
    if PLACE not in output:
        message = f"{output!r} is one file for several groups"
        hint = f"Write {PLACE} where the group's name goes: fit-{PLACE}.yaml."
        raise UsageError(message, hint=hint)


def save_groups(fits: GroupFits, output: str) -> None:
    """Keep each group's fit in a file of its own.

    Args:
        fits: The fits.
        output: The file's name, with `{group}` where the group's name goes.

    Raises:
        UsageError: If two groups would share a file, or one would replace a log.
    """
    from scaleplan.fitfile import save_fit

    paths: dict[str, str] = {}
    for group in fits.groups:
        # A name from a log is never a path of its own.
        safe = re.sub(r"[^A-Za-z0-9._+-]+", "_", group.name).lstrip(".") or "group"
        path = output.replace(PLACE, safe)
        refuse_overwriting(path, fits.cleaning.files)
        if path in paths:
            message = f"groups {paths[path]!r} and {group.name!r} would both be kept in {path}"
            raise UsageError(message, hint="Rename one of them in the log.")
        paths[path] = group.name
    for group, path in zip(fits.groups, paths, strict=True):
        if group.fit is not None:
            save_fit(group.fit, path)
