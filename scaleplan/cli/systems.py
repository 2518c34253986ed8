"""`scaleplan compare` of two or more systems: logs of their own, or values of one column."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.cli import options, plotting
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.records.cleaned import Cleaning
    from scaleplan.runs.table import Runs

# Options of laws side by side that mean nothing here, and those that mean nothing there.
_OF_LAWS = {"params": "", "tokens": "", "flops": "Give --target-flops.", "at": "", "objective": ""}

_FEWEST_RESAMPLES = 100  # of which 5 lie beyond each end of a 90% interval


def compare_sources(
    sources: Sequence[str],
    reading: options.Reading,
    output: options.Output,
    *,
    by: str | None,
    reference: str | None,
    laws: Sequence[str],
    target_loss: float | None,
    target_flops: float | None,
    resamples: int,
    level: float,
    seed: int,
    plot: str | None,
) -> None:
    """Read systems, compare them, and write the result.

    Args:
        sources: One a system; or logs that `by` splits.
        reading: How logs are read.
        output: What the command line said about the output.
        by: The column whose values name systems, if one does.
        reference: What the others are measured by.
        laws: What `--law` names; one at most.
        target_loss: A metric to compare at besides.
        target_flops: A compute of the reference to compare at besides.
        resamples: Bootstrap resamples.
        level: Level of the intervals.
        seed: Seed of the resamples.
        plot: Where the picture goes.

    Raises:
        UsageError: If several laws are named, resamples are too few, or a source is given twice.
    """
    from scaleplan.cli.output import emit
    from scaleplan.cli.progress import progress
    from scaleplan.planning.systems import compare_systems

    if len(laws) > 1:
        message = f"systems are compared by one law, not by {len(laws)}"
        raise UsageError(message, hint="Give one to --law, or leave it out.")
    if resamples < _FEWEST_RESAMPLES:
        raise UsageError(
            f"{resamples} resamples are too few for the interval of a multiplier",
            hint=f"Give --resamples {_FEWEST_RESAMPLES} or more; the default is 1000.",
        )
    cleaning, systems = _read(sources, reading, by)
    with progress("resample", quiet=reading.quiet) as shown:
        result, found = compare_systems(
            systems, reference=reference, by=by or "", law=laws[0] if laws else None,
            target_loss=target_loss, target_flops=target_flops, resamples=resamples, level=level,
            seed=seed, cleaning=cleaning, on_progress=shown,
        )  # fmt: skip
    below = ""
    if plot is not None:
        from scaleplan.planning.systems_picture import systems_picture

        below = plotting.write_plot(systems_picture(result, found), plot)
    emit(result, output, below)


def check_options(*, systems: bool, **given: object) -> None:
    """Refuse options of the other kind of comparison.

    Args:
        systems: Whether systems are compared, not laws.
        **given: Options by name; None where one was not given.

    Raises:
        UsageError: If one plays no part.
    """
    for name, value in given.items():
        if value is None or (name in _OF_LAWS) != systems:
            continue
        option = f"--{name.replace('_', '-')}"
        if systems:
            raise UsageError(
                f"{option} plays no part where systems are compared",
                hint=_OF_LAWS[name] or "It is for laws side by side, on one log.",
            )
        raise UsageError(
            f"{option} is for systems side by side, and there is one log",
            hint="Give two or more logs, or --by COLUMN.",
        )


def _read(
    sources: Sequence[str], reading: options.Reading, by: str | None
) -> tuple[Cleaning | None, dict[str, Runs]]:
    """Return the runs of each system by name, in the order typed."""
    from scaleplan.cli.sources import read_groups, read_runs

    if by is not None:
        cleaning, groups = read_groups(sources, reading, by)
        return cleaning, dict(groups)
    seen: dict[str, str] = {}
    for source in sources:
        key = source if source == "-" else os.path.realpath(source)
        if key in seen:
            raise UsageError(
                f"{source} is given twice: a system compared with itself says nothing",
                hint="Give two different logs.",
            )
        seen[key] = source
    names = _names(sources)
    found = {
        name: read_runs([source], reading) for name, source in zip(names, sources, strict=True)
    }
    prints = {name: runs.fingerprint for name, runs in found.items()}
    for name, print_ in prints.items():
        twin = next((other for other, same in prints.items() if same == print_), name)
        if twin != name:
            raise UsageError(
                f"{twin} and {name} hold the same runs: a system compared with itself says nothing",
                hint="Give logs of different systems.",
            )
    return None, found


def _names(sources: Sequence[str]) -> list[str]:
    """Return a name for each source: the shortest end of its path that no other has."""
    paths = [_parts(source) for source in sources]
    names = []
    for parts in paths:
        size = 1
        while size < len(parts) and sum(p[-size:] == parts[-size:] for p in paths) > 1:
            size += 1
        names.append("/".join(parts[-size:]))
    if len(set(names)) < len(names):
        return [f"{name} ({i})" for i, name in enumerate(names, start=1)]
    return names


def _parts(source: str) -> tuple[str, ...]:
    """Return the parts of a path, without the ending of a file."""
    if source == "-":
        return ("standard input",)
    path = Path(source)
    if glob.has_magic(source) and not path.exists():
        return (source,)
    shown = path if path.is_dir() else path.with_suffix("")
    return tuple(part for part in shown.resolve().parts if part != os.sep)
