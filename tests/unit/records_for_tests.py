"""Hand-made fits for tests of what reads them."""

from __future__ import annotations

from dataclasses import replace

from scaleplan.catalog import published_law
from scaleplan.planning.published import fit_from_published
from scaleplan.records import Candidate, Fit, LawFit, Metric, Parameter, Quality, Range, Widening

BESIROGLU: Fit = fit_from_published(published_law("besiroglu_2024"))


def fit_like(**changes) -> Fit:
    """Return a fit to 240 runs, changed as asked."""
    quality = Quality(
        runs=240, objective_name="sum of Huber(delta=0.001) of log residuals", objective=1e-3,
        rmse_log=0.007, noise=0.0064, starts=5, starts_agreeing=5, condition=30.0,
    )  # fmt: skip
    parameters = tuple(
        replace(p, low=p.value * 0.9, high=p.value * 1.1) for p in BESIROGLU.parameters
    )
    base = replace(
        BESIROGLU, name="fit of runs.csv", quality=quality, parameters=parameters, notes=(),
        widening=Widening(
            share=0.1, change=0.15, weights=(1.0,), decades_tested=2.0, cuts=6, errors=300,
            median_error=0.01,
        ),
    )  # fmt: skip
    return replace(base, **changes)


def score_fit() -> Fit:
    """Return the article's line P = 0.1 S + 0.5."""
    return fit_like(
        law="linear", formula="P = 0.1 * S + 0.5", inputs=("input",), input_columns=("S",),
        metric=Metric(name="P", kind="score", unit="score"),
        main=LawFit(
            law="linear", theta=(0.1, 0.5), covariance=((0.0, 0.0), (0.0, 0.0)), noise=0.0, dof=5,
            residual="raw",
        ),
        parameters=(
            Parameter(symbol="a", meaning="slope", value=0.1, low=0.1, high=0.1, unit=""),
            Parameter(symbol="b", meaning="at 0", value=0.5, low=0.5, high=0.5, unit=""),
        ),
        ranges=(Range(role="input", low=1.0, high=50.0),),
        candidates=(
            Candidate(
                law="linear", rmse_log=0.0, aicc=0.0, backtest_rmse_log=0.0, verdict="chosen",
                reason="exact",
            ),
        ),
    )  # fmt: skip
