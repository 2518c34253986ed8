"""Mixtures of experts under laws of dense models: between which two their loss lies."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.laws import get_law
from scaleplan.records import Fit, Forecast, Note
from scaleplan.units import format_count, format_significant


def mixture_as_dense(forecast: Forecast, fit: Fit, whole: float) -> Iterator[Note]:
    """Say that the prediction is that of a dense model of the active parameters.

    Args:
        forecast: Of the active parameters.
        fit: The law, which knows dense models only.
        whole: All parameters.
    """
    for point in forecast.points:
        if point.params is None or point.tokens is None:
            continue
        others = dict(point.others)
        sizes = {**others, "params": whole, "tokens": point.tokens}
        value = float(
            get_law(fit.law).evaluate(list(fit.main.theta), [sizes[role] for role in fit.inputs])
        )
        value = 1.0 - value if fit.complement else value
        name = fit.metric.name
        yield Note(
            id="MIXTURE_AS_DENSE", severity="info",
            text=f"{fit.name} is a law of dense models, evaluated at the "
            f"{format_count(point.params)} active parameters. A mixture of experts does better "
            f"than a dense model of those ({name} {format_significant(point.value)}, "
            f"{format_significant(point.tokens / point.params, 3)} tokens per active parameter) "
            f"and worse than one of all {format_count(whole)} ({name} "
            f"{format_significant(value)}, {format_significant(point.tokens / whole, 3)} tokens "
            "per parameter), also in how large it is for its data.",
            action="Plan with a law fitted to mixtures: a log with active_params and experts.",
            numbers=(("at_active", point.value), ("at_all", value)),
            source="Clark et al. 2022, arXiv 2202.01169",
        )  # fmt: skip
