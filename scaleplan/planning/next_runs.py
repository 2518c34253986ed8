"""Which runs to train next so that the forecast of a target gets sharp for the least compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import PlanError
from scaleplan.laws import get_law
from scaleplan.planning.forecast import forecast_at, forecast_interval
from scaleplan.planning.next_runs_beliefs import Form, beliefs_at, form_of
from scaleplan.planning.next_runs_candidates import RunSet, candidates, naive_sets, runs_of
from scaleplan.planning.next_runs_design import greedy
from scaleplan.planning.next_runs_expected import expected_fit, half_width
from scaleplan.planning.next_runs_rows import Cluster, next_rows, row_assumptions
from scaleplan.planning.next_runs_target import (
    Request,
    cheapest_of,
    check_fit,
    check_target,
    compute_budget,
    target_of,
)
from scaleplan.records import Alternative, Assumption, Fit, NextRuns, Note
from scaleplan.units import format_flops, format_usd

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

ANCHOR_SHARE = 0.4  # of the budget, on one run at the target's tokens per parameter
_DESIGN = "own simulation, tests/benchmark/next_runs.py (2026)"
_BELOW_TARGET = 0.5  # of the target's compute; a run as large as the target needs no forecast


def plan_next(fit: Fit, request: Request, cluster: Cluster) -> NextRuns:
    """Choose the runs whose results are expected to narrow the interval at a target most.

    Args:
        fit: A fit of a law of params and tokens, or a prior.
        request: Budget, target and limits.
        cluster: What the runs are trained on, for hours and dollars.

    Raises:
        FitError: If the fit cannot say how surely it knows its parameters.
        PlanError: If the budget pays for no run, or the target needs none.
    """
    check_fit(fit)
    k = fit.flops_per_param_token
    compute = compute_budget(request, cluster)
    params, tokens, reason = target_of(fit, request, compute)
    target = {"params": params, "tokens": tokens, "flops": k * params * tokens}
    check_target(fit, target)
    ratio = tokens / params
    cheapest = request.cheapest or cheapest_of(fit)
    dearest = min(request.dearest or math.inf, _BELOW_TARGET * target["flops"])
    if dearest < cheapest:
        raise PlanError(
            f"no run lies between the cheapest ({format_flops(cheapest)} FLOP) and "
            f"{format_flops(dearest)} FLOP, the most that one may take here",
            hint="Give a smaller --cheapest, or a larger target.",
        )
    forms = _forms(fit, params, tokens)
    pool, anchor = _pool(request, compute, cheapest, dearest, ratio, k, cluster)
    cost, budget = _cost(pool, request, cluster)
    _check_budget(cost, budget, cheapest, request)
    beliefs = beliefs_at(
        forms, pool.params, pool.tokens, target=(params, tokens),
        wander=(fit.widening.share * fit.widening.change) ** 2, seed=request.seed,
    )  # fmt: skip
    first = anchor if cost[anchor] <= budget else None
    chosen = greedy(
        beliefs, cost, budget, anchor=first, usable=cost <= budget, fewest=request.fewest,
        most=request.most,
    )  # fmt: skip
    runs = pool.take(chosen)
    without = [
        half_width(expected_fit(fit, runs.take([r for r in range(len(runs)) if r != at])),
                   params, tokens)
        for at in range(len(runs))
    ]  # fmt: skip
    rows = next_rows(
        runs, anchor=chosen.index(first) if first is not None else None, without=without,
        cluster=cluster,
    )  # fmt: skip
    now = forecast_at(fit, target)
    spent = float(runs.flops.sum())
    return NextRuns(
        fit_name=fit.name, law=fit.law, metric=fit.metric, target_params=params,
        target_tokens=tokens, target_flops=target["flops"], target_reason=reason,
        value=now.value, half_width_before=half_width(fit, params, tokens),
        half_width_after=half_width(expected_fit(fit, runs), params, tokens),
        budget_flops=request.flops, budget_usd=request.usd, gpu=cluster.accelerator.id,
        gpus=cluster.gpus, runs=rows,
        alternatives=_alternatives(fit, spent, (params, tokens), dearest, now.value),
        interval=forecast_interval(fit), notes=_notes(fit, request, compute, target["flops"], rows),
        assumptions=(*fit.assumptions, *_assumptions(cheapest, request), *row_assumptions(cluster)),
    )  # fmt: skip


def _forms(fit: Fit, params: float, tokens: float) -> list[Form]:
    """Return the law and the admissible others, each as sure as it is of its parameters."""
    fits = (fit.main, *fit.alternatives)
    weights = fit.widening.weights
    weights = weights if len(weights) == len(fits) else (1.0,) * len(fits)
    value = float(get_law(fit.law).evaluate(list(fit.main.theta), [params, tokens]))
    # A form that the back-test disfavours may still be the right one: equal parts of both.
    even = 1.0 / len(fits)
    found = [
        form_of(one, value=value, weight=0.5 * weight + 0.5 * even)
        for one, weight in zip(fits, weights, strict=True)
        if get_law(one.law).inputs == ("params", "tokens")
    ]
    return [form for form in found if form is not None]


def _pool(
    request: Request, compute: float, cheapest: float, dearest: float, ratio: float, k: float,
    cluster: Cluster,
) -> tuple[RunSet, int]:  # fmt: skip
    """Return the candidates, and which of them is the anchor."""
    most = max(cheapest, min(dearest, compute))
    pool = candidates(
        cheapest=cheapest, dearest=most, ratio=ratio, count=request.candidates,
        flops_per_param_token=k,
    )  # fmt: skip
    at = max(cheapest, min(ANCHOR_SHARE * compute, dearest))
    anchor = runs_of(np.array([at]), np.array([ratio]), k)
    return pool.joined(anchor), len(pool)


def _cost(pool: RunSet, request: Request, cluster: Cluster) -> tuple[FloatArray, float]:
    """Return what each candidate costs, and the budget in the same unit."""
    if request.flops is not None:
        return pool.flops, request.flops
    return cluster.gpu_hours(pool) * (cluster.price or 1.0), request.usd or 0.0


def _check_budget(cost: FloatArray, budget: float, cheapest: float, request: Request) -> None:
    least = float(cost.min())
    if budget < least:
        write = format_flops if request.flops is not None else format_usd
        unit = " FLOP" if request.flops is not None else ""
        raise PlanError(
            f"the budget of {write(budget)}{unit} is below the cheapest run of "
            f"{write(least)}{unit} ({format_flops(cheapest)} FLOP, as small as the smallest run "
            "that is known to follow the law)",
            hint="Raise the budget, or allow smaller runs with --cheapest FLOP.",
        )


def _alternatives(
    fit: Fit, budget: float, target: tuple[float, float], dearest: float, value: float
) -> tuple[Alternative, ...]:
    """Return what the same compute would be expected to do in other ways."""
    sets = naive_sets(
        budget, ratio=target[1] / target[0], flops_per_param_token=fit.flops_per_param_token,
        dearest=dearest,
    )  # fmt: skip
    return tuple(
        Alternative(
            name=name,
            what=what,
            runs=len(runs),
            flops=float(runs.flops.sum()),
            value=value,
            half_width=half_width(expected_fit(fit, runs), *target),
        )
        for name, what, runs in sets
    )


def _notes(
    fit: Fit, request: Request, compute: float, target_flops: float, rows: tuple[object, ...]
) -> tuple[Note, ...]:
    found = list(fit.notes)
    found.append(
        Note(
            id="IF_THE_FORM_HOLDS", severity="info",
            text="The half-width after the runs is what is expected if the form of the law holds "
            "and the runs scatter as the fitted ones do.",
            action="Fit old and new runs together (scaleplan fit old.csv new.csv); plan again.",
            source=_DESIGN,
        )
    )  # fmt: skip
    if compute >= target_flops:
        found.append(
            Note(
                id="BUDGET_REACHES_TARGET", severity="warning",
                text=f"The budget pays for the target run itself, {compute / target_flops:.2g} "
                "times over.",
                action="Train the target, or give a larger one.",
                numbers=(("budget_flops", compute), ("target_flops", target_flops)),
            )
        )  # fmt: skip
    if len(rows) < request.fewest:
        found.append(
            Note(
                id="FEW_RUNS", severity="warning",
                text=f"The budget pays for {len(rows)} runs of at least the cheapest size; a law "
                f"of five parameters takes {request.fewest}.",
                action="Raise the budget, or allow smaller runs with --cheapest.",
                numbers=(("runs", float(len(rows))),),
            )
        )  # fmt: skip
    return tuple(found)


def _assumptions(cheapest: float, request: Request) -> tuple[Assumption, ...]:
    return (
        Assumption(
            name="share of the budget for the anchor run", value=ANCHOR_SHARE, unit="share",
            source=_DESIGN,
        ),
        Assumption(
            name="cheapest run", value=format_flops(cheapest), unit="FLOP",
            source="given" if request.cheapest is not None else "the cheapest run that was fitted",
        ),
    )  # fmt: skip
