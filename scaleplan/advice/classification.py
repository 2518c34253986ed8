"""Accuracies at chance, at the ceiling, or lost in the noise of the test set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from scaleplan.errors import UsageError
from scaleplan.records import Fit, Note
from scaleplan.units import format_percent

_ERRORS = 2.0  # standard errors: about 95%
_RULE_OF_THREE = 3.0  # no error seen among n examples leaves up to 3 / n (95%)
_SOURCE = "binomial standard error sqrt(p (1 - p) / n)"


def classification_notes(
    fit: Fit, values: Sequence[float], *, classes: int | None, test_examples: int | None
) -> Iterator[Note]:
    """Yield what a number of classes and of test examples says about the runs behind a fit.

    Args:
        fit: A fit of an accuracy or error rate.
        values: The metric of every run, shares of 1.
        classes: Number of equally likely classes; None if it is not known.
        test_examples: Number of test examples behind each value; None if it is not known.

    Raises:
        UsageError: If the metric is no accuracy or error rate.
    """
    if classes is None and test_examples is None:
        return
    if fit.metric.kind not in {"accuracy", "error"}:
        message = f"--classes and --test-examples do not apply to {fit.metric.name}, "
        message += f"which is a {fit.metric.kind}"
        raise UsageError(message, hint="Name an accuracy or error rate with --metric.")
    known = [v for v in values if math.isfinite(v)]
    right = [1.0 - v if fit.metric.kind == "error" else v for v in known]
    if not right:
        return
    if classes is not None:
        yield from _at_chance(right, 1.0 / classes, test_examples)
    if test_examples is not None:
        yield from _at_ceiling(right, test_examples)
        yield from _test_noise(fit, right, test_examples)


def _standard_error(share: float, examples: int) -> float:
    return math.sqrt(max(0.0, share * (1.0 - share)) / examples)


def _at_chance(right: list[float], chance: float, examples: int | None) -> Iterator[Note]:
    margin = 0.0 if examples is None else _ERRORS * _standard_error(chance, examples)
    low = [v for v in right if v <= chance + margin]
    if low:
        yield Note(
            id="CHANCE_LEVEL", severity="warning",
            text=f"{len(low)} of {len(right)} runs lie at chance (accuracy up to "
            f"{format_percent(chance + margin, 3)}): they tell nothing about the slope, and pull "
            "it down. They are kept.",
            action="Fit larger runs only, or a law with a chance level (--law saturating).",
            numbers=(("runs", float(len(low))), ("chance", chance)), source=_SOURCE,
        )  # fmt: skip


def _at_ceiling(right: list[float], examples: int) -> Iterator[Note]:
    high = [
        v for v in right
        if 1.0 - v <= max(_ERRORS * _standard_error(v, examples), _RULE_OF_THREE / examples)
    ]  # fmt: skip
    if high:
        yield Note(
            id="CEILING_REACHED", severity="warning",
            text=f"{len(high)} of {len(right)} runs lie at the ceiling of a test of {examples} "
            "examples: what is left cannot be told from nothing.",
            action="Use a harder or larger test set.",
            numbers=(("runs", float(len(high))), ("test_examples", float(examples))),
            source=_SOURCE,
        )  # fmt: skip


def _test_noise(fit: Fit, right: list[float], examples: int) -> Iterator[Note]:
    if fit.main.noise is None:
        return
    middle = median(right)
    noise = _standard_error(middle, examples)
    # A law of logs is fitted to the error; its scatter is relative to that.
    fitted = (1.0 - middle) if fit.main.residual == "log" else 1.0
    scatter = fit.main.noise * fitted
    if noise < scatter:
        return
    yield Note(
        id="TEST_NOISE", severity="warning",
        text=f"With {examples} test examples an accuracy of {format_percent(middle, 3)} is known "
        f"to +-{format_percent(noise, 2)} only; runs scatter around the law by "
        f"{format_percent(scatter, 2)}. Differences between runs are noise of the test set.",
        action="Use more test examples; averages over seeds on the same test do not help.",
        numbers=(("standard_error", noise), ("scatter", scatter),
                 ("test_examples", float(examples))),
        source=_SOURCE,
    )  # fmt: skip
