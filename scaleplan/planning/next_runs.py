"""Which runs to train next so that the forecast of a target gets sharp for the least compute."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import PlanError
from scaleplan.laws import get_law
from scaleplan.planning.active import active_share
from scaleplan.planning.forecast import forecast_at, forecast_interval
from scaleplan.planning.next_runs_anchor import ANCHOR_SHARES, choose_runs
from scaleplan.planning.next_runs_beliefs import Form, beliefs_at, form_of
from scaleplan.planning.next_runs_candidates import RunSet, candidates, naive_sets, runs_of
from scaleplan.planning.next_runs_expected import expected_fit, half_widths
from scaleplan.planning.next_runs_names import own_columns
from scaleplan.planning.next_runs_notes import DESIGN, cluster_notes, next_notes
from scaleplan.planning.next_runs_rows import Cluster, next_rows, row_assumptions
from scaleplan.planning.next_runs_target import (
    Least,
    Request,
    check_fit,
    check_target,
    compute_budget,
    least_run,
    target_of,
)
from scaleplan.planning.samples import samples_of
from scaleplan.records import Alternative, Assumption, Fit, NextRuns
from scaleplan.units import format_flops, format_usd

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

# Dollars of a run over its compute, as a power at most: over two decades of work the MFU falls from
# that of steps to that of long trainings, 0.43 to 0.27 at 10B and less for small models.
_DOLLAR_RISE = 1.25
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
    samples = samples_of(fit)
    cluster = replace(cluster, active_share=active_share(fit), tokens=not samples)
    check_fit(fit, request, cluster)
    k = fit.flops_per_param_token
    compute = compute_budget(request, cluster)
    params, tokens, reason = target_of(fit, request, compute)
    target = {"params": params, "tokens": tokens, "flops": k * params * tokens}
    check_target(fit, target)
    ratio = tokens / params
    dearest = min(request.dearest or math.inf, _BELOW_TARGET * target["flops"])
    least = least_run(fit, request, compute)
    _check_room(least, request, compute, dearest)
    forms = _forms(fit, params, tokens)
    pool, anchors = _pool(request, compute, least, dearest, ratio, k)
    cost, budget = _cost(pool, request, cluster)
    _check_budget(cost, budget, request)
    beliefs = beliefs_at(
        forms, pool.params, pool.tokens, target=(params, tokens),
        seed=request.seed,
    )  # fmt: skip
    anchor, chosen = choose_runs(
        beliefs, cost, budget, anchors=anchors, fewest=request.fewest, most=request.most
    )
    rise = 1.0 if request.flops is not None else _DOLLAR_RISE
    runs = _with_rest(pool, chosen, anchor, cost / budget, rise, dearest, k)
    without = [
        half_widths(
            expected_fit(fit, runs.take([r for r in range(len(runs)) if r != at])), params, tokens
        ).law
        for at in range(len(runs))
    ]  # fmt: skip
    rows = next_rows(
        runs, anchor=None if anchor is None else chosen.index(anchor), without=without,
        cluster=cluster, first=fit.last_planned + 1, samples=samples,
    )  # fmt: skip
    now = forecast_at(fit, target)
    before = half_widths(fit, params, tokens)
    after = half_widths(expected_fit(fit, runs), params, tokens)
    spent = float(runs.flops.sum())
    return NextRuns(
        fit_name=fit.name, law=fit.law, metric=fit.metric, target_params=params,
        target_tokens=tokens, target_flops=target["flops"], target_reason=reason,
        value=now.value, half_width_before=before.run, half_width_after=after.run,
        law_half_width_before=before.law, law_half_width_after=after.law,
        budget_flops=request.flops, budget_usd=request.usd, gpu=cluster.accelerator.id,
        gpus=cluster.gpus, runs=rows,
        alternatives=_alternatives(fit, spent, (params, tokens), dearest, now.value),
        interval=forecast_interval(fit),
        notes=(
            *next_notes(fit, rows, compute, target["flops"], request.fewest),
            *cluster_notes(cluster, cluster.working(runs)),
        ),
        assumptions=(
            *fit.assumptions,
            *_assumptions(least, None if anchor is None else cost[anchor] / budget),
            *row_assumptions(cluster, samples=samples),
        ),
        samples=samples, columns=own_columns(fit),
    )  # fmt: skip


def _check_room(least: Least, request: Request, compute: float, dearest: float) -> None:
    """Refuse a budget, a target or --dearest that leaves no room for a run."""
    if request.flops is not None and compute < least.flops:
        raise PlanError(
            f"the budget of {format_flops(compute)} FLOP is below the cheapest run of "
            f"{format_flops(least.flops)} FLOP" + ("" if request.cheapest else f", {least.reason}"),
            hint="Raise the budget, or allow smaller runs with --cheapest FLOP.",
        )
    if dearest < least.flops:
        raise PlanError(
            f"no run lies between the cheapest ({format_flops(least.flops)} FLOP) and "
            f"{format_flops(dearest)} FLOP, the most that one may take here: half of the target's "
            "compute, or --dearest",
            hint="Give a larger target, a smaller --cheapest or a larger --dearest.",
        )


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
    request: Request, compute: float, least: Least, dearest: float, ratio: float, k: float
) -> tuple[RunSet, list[int]]:
    """Return the candidates, and which of them may be the anchor, the largest first."""
    most = max(least.flops, min(dearest, compute))
    pool = candidates(
        cheapest=least.flops, dearest=most, ratio=ratio, count=request.candidates,
        flops_per_param_token=k, least=(least.params, least.tokens),
    )  # fmt: skip
    sizes = [max(least.flops, min(share * compute, dearest)) for share in ANCHOR_SHARES]
    sizes = list(dict.fromkeys(sizes))
    anchors = runs_of(np.array(sizes), np.full(len(sizes), ratio), k)
    return pool.joined(anchors), [len(pool) + place for place in range(len(sizes))]


def _cost(pool: RunSet, request: Request, cluster: Cluster) -> tuple[FloatArray, float]:
    """Return what each candidate costs, and the budget in the same unit."""
    if request.flops is not None:
        return pool.flops, request.flops
    return cluster.gpu_hours(pool) * (cluster.price or 1.0), request.usd or 0.0


def _with_rest(
    pool: RunSet, chosen: list[int], anchor: int | None, shares: FloatArray, rise: float,
    dearest: float, k: float,
) -> RunSet:  # fmt: skip
    """Return the chosen runs, the anchor enlarged by what the others have left of the budget."""
    runs = pool.take(chosen)
    if anchor is None:
        return runs
    spare = 1.0 - float(shares[chosen].sum())
    # A little is kept back.
    more = 1.0 + 0.99 * spare / float(shares[anchor])
    flops = float(pool.flops[anchor]) * more ** (1.0 / rise)
    ratio = pool.tokens[anchor] / pool.params[anchor]
    larger = runs_of(np.array([min(flops, dearest)]), np.array([ratio]), k)
    if larger.flops[0] <= pool.flops[anchor]:
        return runs
    place = chosen.index(anchor)
    rest = runs.take([at for at in range(len(runs)) if at != place])
    return RunSet(
        *(
            np.insert(one, place, new)
            for one, new in (
                (rest.params, larger.params), (rest.tokens, larger.tokens),
                (rest.flops, larger.flops),
            )
        )
    )  # fmt: skip


def _check_budget(cost: FloatArray, budget: float, request: Request) -> None:
    least = float(cost.min())
    if budget < least:
        write = format_flops if request.flops is not None else format_usd
        unit = " FLOP" if request.flops is not None else ""
        raise PlanError(
            f"the budget of {write(budget)}{unit} is below the cheapest run of "
            f"{write(least)}{unit}",
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
    found = []
    if samples_of(fit):
        sets = sets[:1]  # the others go by the tokens per parameter of language models
    for name, what, runs in sets:
        after = half_widths(expected_fit(fit, runs), *target)
        found.append(
            Alternative(
                name=name, what=what, runs=len(runs), flops=float(runs.flops.sum()), value=value,
                half_width=after.run, law_half_width=after.law,
            )
        )  # fmt: skip
    return tuple(found)


def _assumptions(least: Least, share: float | None) -> tuple[Assumption, ...]:
    anchor = Assumption(
        name="least share of the budget for the anchor run, the largest that tells as much",
        value=round(share or 0.0, 3), unit="share", source=DESIGN,
    )  # fmt: skip
    return (
        *(() if share is None else (anchor,)),
        Assumption(
            name="cheapest run", value=format_flops(least.flops), unit="FLOP",
            source=least.reason,
        ),
    )  # fmt: skip
