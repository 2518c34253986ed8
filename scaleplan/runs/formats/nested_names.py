"""Documents of runs by two names: `{model: {size: {loss: ...}}}`."""

from __future__ import annotations

from collections.abc import Mapping

from scaleplan.records import Note
from scaleplan.runs.formats.records import Found, Record, Value
from scaleplan.runs.metrics import describe
from scaleplan.runs.roles import NUMBER_ROLES, TEXT_ROLES, rank
from scaleplan.runs.text import clean_text, listed
from scaleplan.units import parse_count

_FEWEST = 2


def nested_records(document: Mapping[str, Value]) -> Found | None:
    """Return the runs of a document that names them twice, None if it does not.

    Args:
        document: Mappings by model, then by size or data set, of what was measured.

    Returns:
        Runs named by both; a second name that is a count (125M) is their size if nothing else is.
    """
    runs = [
        (outer, inner, run)
        for outer, group in document.items() if isinstance(group, Mapping)
        for inner, run in group.items()
    ]  # fmt: skip
    groups = [group for group in document.values() if isinstance(group, Mapping)]
    if len(groups) < len(document) or len(runs) < _FEWEST or not all(groups):
        return None
    if not all(isinstance(run, Mapping) and run for _, _, run in runs):
        return None
    if any(_is_field(name) for outer, inner, _ in runs for name in (outer, inner)):
        return None
    shared = set.intersection(*(set(run) for _, _, run in runs if isinstance(run, Mapping)))
    if not shared:
        return None
    counted = all(_is_count(inner) for _, inner, _ in runs)
    sized = counted and not any(rank("params", name) is not None for name in shared)
    records: list[Value] = []
    for outer, inner, run in runs:
        record = Record({"run": f"{outer}/{inner}", "family": outer})
        if sized:
            record["params"] = inner
        if isinstance(run, Mapping):
            record.update(run)
        records.append(record)
    return Found(records=records, shared={}, notes=(_note(document, runs[0], sized=sized),))


def _is_field(name: str) -> bool:
    """Tell whether a name is that of something a run has, not of a run."""
    if describe(name) is not None or name.casefold() in {"config", "summary", "metrics", "results"}:
        return True
    roles = (*NUMBER_ROLES, *TEXT_ROLES)
    return any(rank(role, name) is not None for role in roles)


def _is_count(name: str) -> bool:
    try:
        return parse_count(name) > 0.0
    except (ValueError, OverflowError):
        return False


def _note(document: Mapping[str, Value], first: tuple[str, str, Value], *, sized: bool) -> Note:
    outer, inner, _ = first
    text = (
        f"Runs stand below two names ({listed(map(clean_text, document), 4)}, and what is below "
        f"them): each is called by both, such as {clean_text(outer)}/{clean_text(inner)}"
    )
    text += "; the second one is read as params." if sized else "."
    return Note(
        id="NESTED_RUNS", severity="info", text=text,
        action="Give each run its params in a field of its own if that is wrong.",
    )  # fmt: skip
