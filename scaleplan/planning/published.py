"""A published law as a fit, so that it is forecast and planned with like one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaleplan import __version__
from scaleplan.fitting.interval import PRIOR_SHARE
from scaleplan.laws import get_law
from scaleplan.records import (
    Assumption,
    Fit,
    Interval,
    LawFit,
    Note,
    Parameter,
    PublishedLaw,
    Widening,
)

_SYMBOLS = {
    "params": "N", "tokens": "D", "flops": "C", "active_params": "N_active", "unique_tokens": "U",
}  # fmt: skip
# Without a published count of runs a t quantile has no degrees of freedom to use.
_NO_RUNS = 0


def fit_from_published(published: PublishedLaw) -> Fit:
    """Return a published law as a fit.

    Args:
        published: An entry of the catalogue.
    """
    law = get_law(published.law)
    inputs = law.inputs if law.inputs != ("x",) else (published.input or "params",)
    known = published.covariance is not None and published.runs is not None
    main = LawFit(
        law=law.name, theta=published.theta, covariance=published.covariance,
        noise=published.noise, dof=max(0, (published.runs or _NO_RUNS) - len(published.theta)),
        residual=law.residual,
    )  # fmt: skip
    parameters = tuple(
        Parameter(
            symbol=spec.symbol, meaning=spec.meaning, value=value, low=None, high=None,
            unit=published.metric.unit if spec.unit == "metric" else spec.unit,
        )
        for spec, value in zip(law.parameters, published.theta, strict=True)
    )  # fmt: skip
    symbols = [_SYMBOLS.get(role, role) for role in inputs]
    left = "L" if published.metric.kind == "loss" else published.metric.name
    return Fit(
        name=published.id, source=published.source, law=law.name,
        formula=law.write(published.theta, metric=left, names=symbols),
        inputs=inputs, input_columns=inputs, metric=published.metric, complement=False,
        main=main, alternatives=(), parameters=parameters,
        interval=Interval(
            level=0.9, n=published.runs or 0,
            method="published parameters, covariance of resampled runs, t quantile; plus run noise "
            "and an error of the form that grows beyond the data",
        ) if known else None,
        quality=None, optimum=(), candidates=(), objectives=(),
        # A published law carries no back-test: its form is trusted like an untested one.
        widening=Widening(
            share=PRIOR_SHARE, change=_change_per_decade(published, inputs), weights=(1.0,),
            decades_tested=0.0, cuts=0, errors=0, median_error=None,
        ),
        ranges=published.ranges, flops_per_param_token=published.flops_per_param_token,
        cleaning=None, notes=_notes(published),
        assumptions=(
            Assumption(
                name="scaling law", value=published.id, source=published.source,
            ),
            Assumption(
                name="loss refers to", value=published.params_convention, source=published.source
            ),
        ),
        fingerprint="", seed=None, version=__version__,
    )  # fmt: skip


def _notes(published: PublishedLaw) -> tuple[Note, ...]:
    notes = [
        Note(
            id="PUBLISHED_LAW", severity="info",
            text=f"The loss comes from a published law ({published.id}: "
            f"{published.params_convention}), not from your runs.",
            action="Fit your own runs (scaleplan fit RUNS -o fit.yaml) and pass --fit fit.yaml.",
        )
    ]  # fmt: skip
    if published.historical:
        notes.append(
            Note(
                id="HISTORICAL_LAW", severity="warning",
                text=f"{published.id} is kept for comparison: {published.note}",
                action="Plan with the default law or with a fit of your own runs.",
                source=published.source,
            )
        )  # fmt: skip
    return tuple(notes)


def _change_per_decade(published: PublishedLaw, inputs: Sequence[str]) -> float:
    """Return how much the metric changes in a decade of scale, over the published ranges.

    In log units for laws of relative errors, else in metric units; 0 where no range is given.
    """
    law, known = get_law(published.law), {r.role: r for r in published.ranges}
    if any(role not in known or known[role].low <= 0.0 for role in inputs):
        return 0.0
    decades = math.fsum(math.log10(known[role].high / known[role].low) for role in inputs)
    ends = [
        float(law.evaluate(list(published.theta), [getattr(known[role], end) for role in inputs]))
        for end in ("low", "high")
    ]
    if decades <= 0.0 or (law.residual == "log" and min(ends) <= 0.0):
        return 0.0
    small, large = map(math.log, ends) if law.residual == "log" else ends
    return abs(small - large) / decades
