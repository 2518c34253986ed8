"""From what was asked to a plan: which model, on how many accelerators, and the answer in words.

Modules of single questions are imported when one is asked: a plain plan pays for none of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.active import with_share
from scaleplan.planning.assemble import assemble_plan, counted, default_model
from scaleplan.planning.cluster_size import ASSUMED_DEADLINE, assumed_deadline, sized_cluster
from scaleplan.planning.family import Family, Model
from scaleplan.planning.wish import Machines, Wish, check_found, check_wish
from scaleplan.records import (
    Accelerator,
    Answer,
    Fit,
    LifetimeRow,
    Offer,
    Plan,
    PlanRow,
)


@dataclass(slots=True, kw_only=True)
class _Found:
    """What has been decided: the model, the counts, and the answers so far."""

    model: Model
    gpus: tuple[int, ...]
    accelerators: tuple[Accelerator, ...]
    answers: list[Answer] = field(default_factory=list)
    offers: tuple[Offer, ...] = ()
    lifetime: tuple[LifetimeRow, ...] = ()
    binds: str | None = None
    size_limit: str = ""


def answer_plan(
    fit: Fit, wish: Wish, cluster: Machines, *, others: Mapping[str, float] | None = None
) -> Plan:
    """Find the model and the cluster that answer a question, and plan its training.

    Args:
        fit: What predicts the metric.
        wish: Sizes, limits and targets.
        cluster: Accelerators, their number, prices and set-up.
        others: Further inputs of the law, by role.

    Returns:
        The plan, with an answer for each question.

    Raises:
        UsageError: If the options contradict each other or leave nothing to plan.
        PlanError: If nothing meets the limits; with what would.
    """
    check_wish(wish)
    fit, _ = counted(fit, cluster.shape)
    given = dict(others or {})
    if wish.unique_tokens is not None:
        from scaleplan.planning.repeats import with_repeats

        fit = with_repeats(fit)
        given["unique_tokens"] = wish.unique_tokens
    asked = fit
    if wish.params is not None and wish.active_params is not None:
        asked = with_share(fit, wish.active_params / wish.params)
    found = _decide(asked, wish, cluster, given)
    model = found.model
    plan = assemble_plan(
        fit, params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=None, ratio=None, accelerators=found.accelerators, gpus=found.gpus,
        mfu=cluster.mfu, mfu_gpus=cluster.mfu_gpus or min(cluster.gpus or found.gpus),
        usd_per_hour=cluster.usd_per_hour, batch_tokens=cluster.batch_tokens,
        sequence_length=cluster.sequence_length, country=cluster.country, pue=cluster.pue,
        others=given, setup=cluster.setup, ranked=cluster.ranked,
        tokens_from=model.how, shape=cluster.shape,
    )  # fmt: skip
    answers = [*found.answers, *_more_answers(asked, wish, cluster, found, plan)]
    assumed = () if cluster.gpus or wish.days is not None else (assumed_deadline(),)
    return replace(
        plan, answers=tuple(answers), offers=found.offers, lifetime=found.lifetime,
        size_limit=found.size_limit, assumptions=(*plan.assumptions, *assumed),
    )  # fmt: skip


def _more_answers(
    fit: Fit, wish: Wish, cluster: Machines, found: _Found, plan: Plan
) -> list[Answer]:
    """Return the answers that follow from the plan itself."""
    from scaleplan.planning.answer_items import repeats_answer, valley_answer

    made = []
    if wish.days is not None:
        from scaleplan.planning.deadline import deadline_answer

        binds = found.binds if wish.max_usd is None else None
        made.append(
            deadline_answer(
                _paid_for(plan, wish, cluster), wish.days, found.model, cluster, binds=binds
            )
        )
    if wish.unique_tokens is not None:
        made.append(repeats_answer(fit, found.model, wish.unique_tokens))
    if plan.optimum is not None and wish.params is None:
        made.append(valley_answer(plan.optimum, fit.metric.unit))
    return made


def _paid_for(plan: Plan, wish: Wish, cluster: Machines) -> Plan:
    """Return a plan without the counts beside that which the money does not pay for."""
    if wish.max_usd is None or cluster.gpus:
        return plan
    rows = [row for row in plan.rows if row.asked or (row.usd or math.inf) <= wish.max_usd]
    return replace(plan, rows=tuple(rows))


def _family(fit: Fit, wish: Wish, others: Mapping[str, float]) -> Family:
    if wish.active_params is not None and wish.params is None:
        raise UsageError(
            "--active-params needs --params", hint="Give all parameters and the active ones."
        )
    share = None
    if wish.params is not None and wish.active_params is not None:
        share = wish.active_params / wish.params
        if share > 1.0:
            raise UsageError(
                f"--active-params {wish.active_params:g} is more than --params {wish.params:g}",
                hint="Active parameters are those one token passes through.",
            )
    return Family(
        fit=fit, params=wish.params, active_share=share,
        tokens=None if wish.params is not None else wish.tokens,
        ratio=wish.ratio if wish.params is None and wish.tokens is None else None, others=others,
    )  # fmt: skip


def _decide(fit: Fit, wish: Wish, cluster: Machines, others: Mapping[str, float]) -> _Found:
    family = _family(fit, wish, others)
    determined = wish.flops is not None or (
        wish.params is not None and (wish.tokens is not None or wish.ratio is not None)
    )
    buys = wish.max_usd is not None or (wish.days is not None and bool(cluster.gpus))
    if wish.target is not None:
        return _for_target(fit, wish, cluster, family)
    if buys and not determined:
        from scaleplan.planning.limits import best_purchase

        bought = best_purchase(wish, cluster, family)
        check_found(bought.model)
        found = _Found(
            model=bought.model, gpus=cluster.gpus or (bought.row.gpus,),
            accelerators=(bought.part,), offers=bought.offers, binds=bought.binds,
            size_limit=bought.sized_by,
        )  # fmt: skip
        if wish.max_usd is not None:
            from scaleplan.planning.answer_items import money_answer

            assumed = None if cluster.gpus or wish.days is not None else ASSUMED_DEADLINE
            found.answers.append(
                money_answer(wish.max_usd, bought.row, binds=bought.binds, sized_for=assumed)
            )
        if wish.inference_tokens is not None:
            _add_lifetime(fit, found, family.value(bought.model), wish.inference_tokens)
        return found
    if wish.params is None and wish.flops is None:
        raise UsageError(
            "there is no model to plan: no size, compute, target, money or time was given",
            hint="For example --params 10B, --flops 1e24, --target-loss 2.0 or --max-usd 1M.",
        )
    model = default_model(
        fit, params=wish.params, active_params=wish.active_params, tokens=wish.tokens,
        flops=wish.flops, ratio=wish.ratio, others=others,
    )  # fmt: skip
    found = _on_cluster(wish, cluster, model)
    if wish.inference_tokens is not None:
        value = family.value(model)
        _add_lifetime(fit, found, value, wish.inference_tokens)
    if wish.max_usd is not None:
        from scaleplan.planning.answer_items import money_answer

        row = _cheapest(wish, cluster, found)
        found.answers.append(money_answer(wish.max_usd, row, binds=found.binds))
    return found


def _for_target(fit: Fit, wish: Wish, cluster: Machines, family: Family) -> _Found:
    from scaleplan.planning.answer_items import target_answer
    from scaleplan.planning.lifetime import lifetime_model
    from scaleplan.planning.target import model_for_target

    target = wish.target
    if target is None:  # pragma: no cover - asked by the caller
        raise TypeError("target")
    if wish.inference_tokens is not None:
        model = lifetime_model(fit, target, wish.inference_tokens)
    else:
        model = model_for_target(family, target)
    found = _on_cluster(wish, cluster, model)
    how = family.says if wish.inference_tokens is None else model.how
    found.answers.append(target_answer(target, model, fit, how=how))
    if wish.inference_tokens is not None:
        _add_lifetime(fit, found, target, wish.inference_tokens)
    return found


def _add_lifetime(fit: Fit, found: _Found, target: float, inference_tokens: float) -> None:
    from scaleplan.planning.answer_items import lifetime_answer
    from scaleplan.planning.lifetime import lifetime_limit, lifetime_model, lifetime_rows

    best = lifetime_model(fit, target, inference_tokens)
    found.lifetime = lifetime_rows(fit, target, inference_tokens, best)
    found.answers.append(lifetime_answer(fit, found.model, best, inference_tokens))
    found.size_limit = found.size_limit or lifetime_limit(found.model, best, inference_tokens)


def _on_cluster(wish: Wish, cluster: Machines, model: Model) -> _Found:
    """Return a model with the counts to plan for: those given, or the smallest in time."""
    check_found(model)
    if cluster.gpus:
        return _Found(model=model, gpus=cluster.gpus, accelerators=cluster.accelerators)
    rows: list[tuple[Accelerator, PlanRow]] = []
    failed = None
    for part in cluster.accelerators:
        try:
            row = sized_cluster(
                cluster.row_at(model, part), wish.days, model, node=cluster.node, thin=True
            )
            rows.append((part, row))
        except PlanError as error:
            failed = error
    if not rows and failed is not None:
        raise failed
    rows, binds = _paid(wish, cluster, model, rows)
    parts = tuple(part for part, _ in rows)
    return _Found(
        model=model, gpus=tuple(sorted({row.gpus for _, row in rows})), accelerators=parts,
        binds=binds,
    )  # fmt: skip


def _paid(
    wish: Wish, cluster: Machines, model: Model, rows: list[tuple[Accelerator, PlanRow]]
) -> tuple[list[tuple[Accelerator, PlanRow]], str | None]:
    """Return clusters that the money pays for where none of those in time is, and why."""
    priced = [(part, row) for part, row in rows if row.usd is not None]
    costs = [row.usd for _, row in priced if row.usd is not None]
    if wish.max_usd is None or not costs or min(costs) <= wish.max_usd:
        return rows, None
    from scaleplan.planning.paying import TooDearError, dearer_in_time, paid_cluster

    paid, failed = [], []
    for part, row in priced:
        try:
            paid.append((part, paid_cluster(wish, cluster, model, part, row)))
        except TooDearError as error:
            failed.append(error)
    if not paid:
        raise min(failed, key=lambda error: error.usd)
    cheapest = min(priced, key=lambda one: one[1].usd or 0.0)
    return paid, dearer_in_time(wish, cheapest[1])


def _cheapest(wish: Wish, cluster: Machines, found: _Found) -> PlanRow:
    """Return the cheapest row of a model that is determined already, of those in time."""
    rows: Sequence[PlanRow] = [
        cluster.row(found.model, part, count)
        for part in found.accelerators for count in found.gpus
    ]  # fmt: skip
    priced = [row for row in rows if row.usd is not None]
    if not priced:
        raise PlanError("no accelerator of this plan has a price", hint="Give --price.")
    days = math.inf if wish.days is None else wish.days
    return min(priced, key=lambda row: (not row.fits, row.days > days, row.usd or 0.0))
