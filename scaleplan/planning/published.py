"""A published law as a fit, so that it is forecast and planned with like one."""

from __future__ import annotations

from scaleplan import __version__
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

_SYMBOLS = {"params": "N", "tokens": "D", "flops": "C"}
# The same model-error floor that a fit to the user's own runs gets; a published law carries no
# back-test, so nothing else widens it.
_FLOOR_LOG = 0.005
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
        noise=published.noise, dof=(published.runs or _NO_RUNS) - len(published.theta),
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
    return Fit(
        name=published.id, source=published.source, law=law.name,
        formula=law.write(published.theta, metric="L", names=symbols),
        inputs=inputs, input_columns=inputs, metric=published.metric, complement=False,
        main=main, alternatives=(), parameters=parameters,
        interval=Interval(
            level=0.9, n=published.runs or 0,
            method="published parameters, covariance of resampled runs, t quantile; plus run noise "
            "and a model-error floor of 0.5% per decade beyond the data",
        ) if known else None,
        quality=None, optimum=(), candidates=(), objectives=(),
        widening=Widening(
            kappa0=1.0, kappa1=0.0, floor_log=_FLOOR_LOG, decades_tested=0.0, errors=0,
            median_error=None,
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
