"""What is asked of the next runs: budget, target and limits, and why they are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, PlanError, UsageError
from scaleplan.fitting.interval import decades_beyond
from scaleplan.planning.allocation import has_optimum, optimal_split
from scaleplan.planning.next_runs_candidates import runs_of
from scaleplan.planning.samples import check_compute, samples_of
from scaleplan.units import format_count

if TYPE_CHECKING:
    from scaleplan.planning.next_runs_rows import Cluster
    from scaleplan.records import Fit

# FLOP; ten thousand years of all computers there are (about 1e22 FLOP/s in 2026, own estimate).
_MOST_FLOPS = 1e34
# Of the cheapest fitted run, of the fewest params and tokens: how much smaller a run may be. Many
# small runs show the form of the law: with them the error of the forecast by the form that the runs
# show is half of a ladder's, without them 0.7 to 0.9 of it (tests/benchmark/next_runs.py --seed 1,
# 2026). On public sweeps runs of the decade below those that were there made forecasts of larger
# ones better more often than not (tests/benchmark/smaller_runs.py).
SMALLER = 0.1
# Of the budget: what costs less adds runs to train that decide nothing.
LEAST_SHARE = 1e-4
LEAST_SHARE_OF_PRIOR = 1e-3
_FLOPS_A_DOLLAR = 1e18  # an H100 at full speed for $3 an hour, rounded
_DEFAULT_REACH = 100.0  # times the budget: the target where none is given
_USUAL_RATIO, _USUAL_MFU = 20.0, 0.3  # from where the compute that dollars buy is iterated


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Args:
        flops: The compute that may be spent, FLOP; None where dollars are given.
        usd: The dollars that may be spent.
        target_params: The model to forecast, with `target_tokens`; None for the optimal one.
        target_tokens: Its training tokens.
        target_flops: Its training compute, split as the law would.
        cheapest: Least compute of one run, FLOP; None for that of the cheapest fitted run.
        dearest: Most compute of one run, FLOP; None for the budget.
        fewest: Fewest runs, if the budget allows.
        most: Most runs.
        candidates: About how many candidates are looked at.
        seed: Seed of the draws of parameters.
    """

    flops: float | None
    usd: float | None
    target_params: float | None
    target_tokens: float | None
    target_flops: float | None
    cheapest: float | None
    dearest: float | None
    fewest: int
    most: int
    candidates: int
    seed: int


def check_fit(fit: Fit, request: Request, cluster: Cluster) -> None:
    """Refuse a fit that no design can be made from.

    Raises:
        FitError: With the reason.
        UsageError: If nobody knows what dollars buy of what it counts.
    """
    sweep = "Plan a first sweep that can: scaleplan next --budget FLOP --prior besiroglu_2024."
    if fit.inputs[:2] != ("params", "tokens") or len(fit.inputs) != 2:
        raise FitError(
            f"the {fit.law} law of this fit is of {' and '.join(fit.input_columns)}: which sizes "
            "and tokens to train next cannot follow from it",
            hint=f"Fit a law of params and tokens, such as chinchilla. {sweep}",
        )
    check_compute(fit)
    if samples_of(fit) and request.usd is not None and cluster.mfu is None:
        message = f"how fast a model of {samples_of(fit)} trains is not known, so dollars buy no "
        message += "known compute"
        raise UsageError(message, hint="Give --budget in FLOP, or your own --mfu.")
    refused = next((note for note in fit.notes if note.id == "ALLOCATION_REFUSED"), None)
    if refused is not None:
        raise FitError(
            f"the fitted runs do not tell parameters from tokens: {refused.text.rstrip('.')}",
            hint=sweep,
        )
    if fit.main.covariance is None or fit.main.noise is None or fit.main.dof < 1:
        raise FitError(
            "the fit does not say how surely its parameters are known: "
            + ("a published law without a covariance" if fit.quality is None
               else "its runs leave none to spare"),
            hint=sweep,
        )  # fmt: skip
    if fit.main.noise <= 0.0:
        raise FitError(
            "the runs lie on the law exactly, so no run would make the forecast any surer",
            hint="Real runs scatter; check that the losses are measured ones.",
        )


def compute_budget(request: Request, cluster: Cluster) -> float:
    """Return the budget in FLOP; what dollars buy is a first guess, at the size of large runs."""
    if (request.flops is None) == (request.usd is None):
        raise UsageError(
            "exactly one of a compute budget and a budget in dollars is needed",
            hint="Give --budget 1e20, or --budget-usd 5000 with --gpu and --gpus.",
        )
    params, tokens = request.target_params or 1.0, request.target_tokens or 1.0
    asked = (
        request.flops, request.target_flops, request.cheapest, request.dearest, params, tokens,
        params * tokens, (request.usd or 0.0) * _FLOPS_A_DOLLAR,
    )  # fmt: skip
    for flops in asked:
        if flops is not None and flops > _MOST_FLOPS:
            raise UsageError(
                f"a budget or target of {flops:.3g} FLOP is more than anybody can compute",
                hint=f"Compute is counted in FLOP, up to {_MOST_FLOPS:g}.",
            )
    if request.flops is not None:
        return request.flops
    price = cluster.price
    if price is None:
        raise UsageError(
            f"no price of {cluster.accelerator.id} is known", hint="Give --price, for example 2.5."
        )
    hours = (request.usd or 0.0) / price
    flops = hours * cluster.accelerator.peak_tflops * 1e12 * 3600.0 * _USUAL_MFU
    for _ in range(8):  # utilisation changes slowly with size
        run = runs_of(np.array([flops]), np.array([_USUAL_RATIO]), 6.0)
        flops *= hours / float(cluster.gpu_hours(run)[0])
    return flops


def target_of(fit: Fit, request: Request, compute: float) -> tuple[float, float, str]:
    """Return params and tokens of the target, and where they come from."""
    params, tokens, flops = request.target_params, request.target_tokens, request.target_flops
    k = fit.flops_per_param_token
    given = [value for value in (params, tokens, flops) if value is not None]
    if len(given) > 2:
        raise UsageError(
            "--target-params, --target-tokens and --target-flops together say the same thing twice",
            hint="Give any two of them, or --target-flops alone.",
        )
    if params is not None and tokens is not None:
        return params, tokens, "given"
    if params is not None and flops is not None:
        return params, flops / (k * params), "given; tokens follow from C = k N D"
    if tokens is not None and flops is not None:
        return flops / (k * tokens), tokens, "given; params follow from C = k N D"
    if params is not None or tokens is not None:
        name = "--target-tokens" if params is not None else "--target-params"
        raise UsageError(f"the target lacks {name}", hint=f"Give {name} or --target-flops.")
    if not has_optimum(fit):
        raise UsageError(
            f"no compute-optimal size follows from this {fit.law} fit",
            hint="Give --target-params and --target-tokens.",
        )
    if flops is not None:
        return (*optimal_split(fit, flops), "compute-optimal for the compute that was given")
    flops = _DEFAULT_REACH * compute
    reason = f"compute-optimal for {_DEFAULT_REACH:g} times the budget; none was given"
    return (*optimal_split(fit, flops), reason)


def check_target(fit: Fit, target: dict[str, float]) -> None:
    """Refuse a target that the fitted runs surround.

    Raises:
        PlanError: If it lies inside the ranges of params, tokens and compute of the fitted runs.
    """
    if fit.quality is not None and decades_beyond(fit.ranges, target) == 0.0:
        raise PlanError(
            f"the target, {format_count(target['params'])} params and "
            f"{format_count(target['tokens'])} tokens, lies inside the fitted runs: no further "
            "run is needed to forecast it",
            hint="scaleplan predict gives its interval; give a larger target to plan runs for.",
        )


def cheapest_of(fit: Fit) -> float:
    """Return the compute of the cheapest fitted run, FLOP."""
    known = {one.role: one.low for one in fit.ranges}
    if "flops" in known:
        return known["flops"]
    return fit.flops_per_param_token * known["params"] * known["tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """The least that a proposed run may be, and why.

    Args:
        flops: Compute.
        params: Parameters.
        tokens: Tokens.
        reason: Where they come from.
    """

    flops: float
    params: float
    tokens: float
    reason: str


def least_run(fit: Fit, request: Request, compute: float) -> Least:
    """Return the least that a run may be, whatever the target leaves room for.

    Below the fitted runs nobody knows that the law holds; `fit --update` tests it there. Of a prior
    there are no runs that smaller ones could be tested against.

    Args:
        fit: The fit, or a prior.
        request: What is asked for.
        compute: The budget, FLOP.
    """
    if request.cheapest is not None:
        return Least(flops=request.cheapest, params=0.0, tokens=0.0, reason="given")
    if fit.quality is None:
        return Least(
            flops=max(cheapest_of(fit), LEAST_SHARE_OF_PRIOR * compute), params=0.0, tokens=0.0,
            reason="the least that the prior was fitted to, or "
            f"{LEAST_SHARE_OF_PRIOR:g} of the budget if that is more",
        )  # fmt: skip
    low = {one.role: SMALLER * one.low for one in fit.ranges}
    return Least(
        flops=max(SMALLER * cheapest_of(fit), LEAST_SHARE * compute), params=low["params"],
        tokens=low["tokens"],
        reason=f"{SMALLER:g} of the cheapest fitted run, or {LEAST_SHARE:g} of the budget if that "
        "is more",
    )  # fmt: skip
