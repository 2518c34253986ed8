"""`scaleplan fit --update`: new runs against the fit that was made before them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.errors import InputError, ScaleplanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.cli.options import Fitting, Reading
    from scaleplan.cli.update_names import Names
    from scaleplan.records import Fit, FitUpdate, Note
    from scaleplan.runs.table import Runs


def updated(
    file: str,
    sources: Sequence[str],
    old_logs: Sequence[str],
    reading: Reading,
    fitting: Fitting,
    *,
    resamples: int,
    level: float,
    seed: int,
    flops: Sequence[float],
) -> FitUpdate:
    """Judge new runs by the old fit, and fit the old and the new ones together.

    A fit file keeps no runs, only which logs they came from and their fingerprint: the old runs are
    read again from there, or from `old_logs`.

    Args:
        file: The old fit.
        sources: Logs of the new runs.
        old_logs: Logs of the old runs; empty for those that the fit names.
        reading: How logs are read.
        fitting: How they are fitted.
        resamples: Bootstrap resamples.
        level: Level of the new intervals.
        seed: Seed of the resampling.
        flops: Budgets for the table of the new fit.

    Raises:
        InputError: If the fit is that of a published law, or the logs of the old runs were asked
            for and are not those of the fit.
    """
    from scaleplan.cli.sources import fit_runs, read_runs, saved_fit
    from scaleplan.cli.update_names import names_for
    from scaleplan.planning.update import judge, update_of
    from scaleplan.planning.update_logs import new_cleaning, of_other_ratios
    from scaleplan.planning.update_small import runs_to_fit

    old = saved_fit(file)
    if old.cleaning is None:
        raise InputError(
            "is no fit of runs", file=file, hint="Give one kept by scaleplan fit RUNS -o fit.yaml."
        )
    ways = names_for(old, reading)
    old_files = list(old_logs) or list(old.cleaning.files)
    known, names, why = _old_runs(old, old_files, ways, asked=bool(old_logs))
    typed = sys.stdin.buffer.read() if "-" in sources and sys.stdin is not None else None
    new_runs = read_runs(sources, names.new, stdin=typed)
    judged = judge(old, new_runs, known=known)
    cleaning, among_old = new_cleaning(old, new_runs, known=known)
    off = of_other_ratios(old, new_runs)
    if known is None:
        return update_of(
            old, judged, None, cleaning=cleaning, among_old=among_old, law_reason="",
            notes=(*off, *new_runs.notes, _no_refit(why, old_files)),
        )  # fmt: skip
    apart = [one for one in old_files if not _among(one, sources)]
    runs = read_runs([*apart, *sources], names.both(new_runs), stdin=typed)
    runs, law, reason, apart_notes = runs_to_fit(old, runs, law=fitting.law)
    fit = fit_runs(
        runs, fitting=replace(fitting, law=law), resamples=resamples, level=level, seed=seed,
        flops=flops, quiet=reading.quiet,
    )  # fmt: skip
    return update_of(
        old, judged, fit, cleaning=cleaning, among_old=among_old, law_reason=reason,
        notes=(*off, *apart_notes, *fit.notes),
    )  # fmt: skip


def _among(one: str, sources: Sequence[str]) -> bool:
    return any(Path(s).exists() and Path(one).exists() and Path(s).samefile(one) for s in sources)


def _old_runs(
    old: Fit, files: list[str], ways: Sequence[Names], *, asked: bool
) -> tuple[Runs | None, Names, str]:
    """Return the runs of the old fit and the way to read them, or why they cannot be had."""
    from scaleplan.cli.sources import read_runs

    missing = [one for one in files if one == "-" or not Path(one).exists()]
    if missing and not asked:
        return None, ways[0], f"{missing[0]} is not there any more"
    refused: ScaleplanError | None = None
    differ = False
    for names in ways:
        try:
            runs = read_runs(files, names.old)
        except ScaleplanError as error:
            refused = refused or error
            continue
        if runs.fingerprint == old.fingerprint:
            return runs, names, ""
        differ = True
    why = f"they cannot be read: {refused}"
    if differ or refused is None:
        why = "they are not those that the fit was made from: a row, a column or the metric differs"
        refused = InputError(why, file=files[0], hint="Give the logs as they were fitted.")
    if asked:
        raise refused
    return None, ways[0], why


def _no_refit(why: str, files: list[str]) -> Note:
    from scaleplan.records import Note

    return Note(
        id="OLD_RUNS_MISSING", severity="warning",
        text=f"The new runs are judged, but nothing is fitted again: a fit file keeps no runs, and "
        f"of the old ones ({', '.join(files)}) {why}.",
        action="Give their logs with --old, as they were fitted.",
    )  # fmt: skip
