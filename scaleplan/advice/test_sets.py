"""What a log says about the test behind its accuracies: how many classes, how many examples."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from scaleplan.records import Assumption
from scaleplan.runs.table import Runs
from scaleplan.units import parse_count

_COUNTS = ("", "n", "num", "number of", "count of")
_CLASSES = ("classes", "labels", "categories")
_EXAMPLES = tuple(
    f"{part} {what}"
    for part in ("test", "eval", "evaluation", "val", "validation")
    for what in ("examples", "samples", "images")
)
# Fewer are folds or batches, not examples.
_FEWEST_CLASSES, _FEWEST_EXAMPLES = 2, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTest:
    """What is known of the test behind an accuracy.

    Args:
        classes: How many equally likely ones; None if that is not known.
        test_examples: How many; None if that is not known.
        assumptions: What of it the log says, and where.
    """

    classes: int | None
    test_examples: int | None
    assumptions: tuple[Assumption, ...]


def logged_test(runs: Runs, *, classes: int | None, test_examples: int | None) -> KnownTest:
    """Return the numbers of classes and of test examples: what was given, else what runs log.

    Args:
        runs: The runs of an accuracy or error rate; what counts is what all of them say.
        classes: What was given.
        test_examples: What was given.
    """
    logged_classes = _logged(runs, _CLASSES, _FEWEST_CLASSES) if classes is None else None
    logged_examples = _logged(runs, _EXAMPLES, _FEWEST_EXAMPLES) if test_examples is None else None
    return KnownTest(
        classes=logged_classes[0] if logged_classes else classes,
        test_examples=logged_examples[0] if logged_examples else test_examples,
        assumptions=tuple(
            Assumption(name=what, value=float(found[0]), source=f"{found[1]} of the log")
            for what, found in (("classes", logged_classes), ("test examples", logged_examples))
            if found
        ),
    )  # fmt: skip


def _logged(runs: Runs, what: Iterable[str], fewest: int) -> tuple[int, str] | None:
    """Return the one number that a log has under some names, and that name."""
    names = {f"{count} {one}".strip() for count in _COUNTS for one in what}
    found = {
        (value, name)
        for name, values in _numbers(runs)
        if _spelt(name) in names
        for value in values
    }
    if len({value for value, _ in found}) != 1:
        return None
    value, name = min(found)
    return (int(value), name) if value.is_integer() and value >= fewest else None


def _numbers(runs: Runs) -> Iterable[tuple[str, list[float]]]:
    """Yield what columns and comments say in numbers, NaN where they say something else."""
    for name, column in runs.extra.items():
        yield name, np.unique(column[~np.isnan(column)]).tolist()
    for name, text in runs.metadata.items():
        try:
            yield name, [parse_count(text)]
        except (ValueError, OverflowError):
            yield name, [math.nan]


def _spelt(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").replace("/", " ").casefold().split())
