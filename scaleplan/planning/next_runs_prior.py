"""A published law as a prior: what may be believed of a recipe before any of its runs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import UsageError
from scaleplan.fitting.interval import PRIOR_SHARE
from scaleplan.laws import HasOptimum, get_law
from scaleplan.planning.next_runs_candidates import CHINCHILLA_RATIO
from scaleplan.planning.published import fit_from_published
from scaleplan.records import Assumption, Fit, Interval, Note, PublishedLaw, Range, Widening

if TYPE_CHECKING:
    from collections.abc import Sequence

# How far another recipe's law may lie from the published one: the standard deviation over eight
# fits of the five-parameter law (Hoffmann et al. 2022, Besiroglu et al. 2024, Muennighoff et al.
# 2023, Ludziejewski et al. 2025 for dense models, and three refits of the runs of Gadre et al.
# 2024), rounded up: E 0.17, exponents 0.065 and 0.06. Sizes of the terms also depend on the
# tokenizer and the data; 0.4 in logarithms is a factor of 1.5 either way.
_FLOOR_SPREAD = 0.2
_EXPONENT_SPREAD = 0.07
_TERM_SPREAD = 0.4
_NOISE = 0.005  # log units; what notes on seed-to-seed scatter and residuals of sweeps agree on
_CHANGE = 0.1  # log units of loss a decade of scale, where the published ranges do not say
_MANY = 100  # degrees of freedom of a prior: its quantiles are the normal ones


def prior_fit(published: PublishedLaw, *, centre: tuple[float, float]) -> Fit:
    """Return a published law as what is believed of another recipe before it has any runs.

    Args:
        published: A law of E, A, alpha, B and beta.
        centre: Params and tokens of a run in the middle of the sweep, where the sizes of the terms
            are known apart from the exponents.

    Raises:
        UsageError: If the law has another form.
    """
    if published.law != "chinchilla":
        raise UsageError(
            f"{published.id} is a {published.law} law; a prior for the first runs has the form "
            "E + A / N^alpha + B / D^beta",
            hint="Use --prior besiroglu_2024, hoffmann_2022 or muennighoff_2023_c4.",
        )
    fit = fit_from_published(published)
    noise = published.noise or _NOISE
    main = replace(
        fit.main, covariance=_covariance(published.theta, centre), noise=noise, dof=_MANY
    )
    change = fit.widening.change or _CHANGE
    held = "; ".join(
        (f"E +- {_FLOOR_SPREAD:g}", f"exponents +- {_EXPONENT_SPREAD:g}",
         f"terms at {centre[0]:.3g} params and {centre[1]:.3g} tokens +- {_TERM_SPREAD:g} in logs")
    )  # fmt: skip
    at_centre = {
        "params": centre[0], "tokens": centre[1],
        "flops": fit.flops_per_param_token * centre[0] * centre[1],
    }  # fmt: skip
    return replace(
        fit, main=main,
        interval=Interval(level=0.9, method="prior spread of published laws; no runs yet", n=0),
        widening=Widening(
            share=PRIOR_SHARE, change=change, weights=(1.0,), decades_tested=0.0, cuts=0,
            errors=0, median_error=None,
        ),
        ranges=tuple(Range(role=role, low=v, high=v) for role, v in at_centre.items()),
        notes=(
            Note(
                id="PRIOR_ONLY", severity="info",
                text=f"There are no runs yet: the sweep is planned with {published.id} as a prior, "
                "spread as far as published laws lie apart.",
                action="Train the runs, fit them (scaleplan fit), and plan the next ones with "
                "that fit.",
            ),
        ),
        assumptions=(
            *fit.assumptions,
            Assumption(
                name="spread of the prior", value=held,
                source="standard deviations over eight published fits, rounded up",
            ),
            Assumption(name="noise of one run", value=noise, unit="log units",
                       source=published.source if published.noise else "usual residual of sweeps"),
        ),
    )  # fmt: skip


def sweep_centre(published: PublishedLaw, cheapest: float, compute: float) -> tuple[float, float]:
    """Return params and tokens in the middle of a sweep of runs up to a compute, FLOP.

    Args:
        published: The prior, for its optimal split.
        cheapest: Least compute of one run.
        compute: Compute of all runs together.
    """
    law = get_law(published.law)
    middle = math.sqrt(cheapest * compute)
    if isinstance(law, HasOptimum):
        return law.optimum(list(published.theta), middle, published.flops_per_param_token)
    params = math.sqrt(middle / (published.flops_per_param_token * CHINCHILLA_RATIO))
    return params, CHINCHILLA_RATIO * params


def _covariance(
    theta: Sequence[float], centre: tuple[float, float]
) -> tuple[tuple[float, ...], ...]:
    """Return the covariance of (E, A, alpha, B, beta) for independent terms and exponents.

    ln A = ln(term) + alpha ln N0, so that A moves with alpha and the term at N0 does not.
    """
    _, size, _, data, _ = theta
    change = np.zeros((5, 5))
    change[0, 0] = _FLOOR_SPREAD
    for first, scale, at in ((1, size, centre[0]), (3, data, centre[1])):
        change[first, first] = scale * _TERM_SPREAD
        change[first, first + 1] = scale * math.log(at) * _EXPONENT_SPREAD
        change[first + 1, first + 1] = _EXPONENT_SPREAD
    return tuple(tuple(float(v) for v in row) for row in change @ change.T)
