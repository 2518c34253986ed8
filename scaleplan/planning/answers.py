"""From what was asked to a plan: which model, on how many accelerators, and the answer in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.answer_items import (
    deadline_answer,
    lifetime_answer,
    money_answer,
    repeats_answer,
    target_answer,
    valley_answer,
)
from scaleplan.planning.assemble import assemble_plan, default_model
from scaleplan.planning.buying import most_compute
from scaleplan.planning.cluster_size import smallest_cluster
from scaleplan.planning.family import Family, Model
from scaleplan.planning.lifetime import lifetime_model, lifetime_rows
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.repeats import with_repeats
from scaleplan.planning.target import model_for_target
from scaleplan.records import (
    Accelerator,
    Answer,
    Fit,
    LifetimeRow,
    Offer,
    Plan,
    PlanRow,
    TrainingSetup,
)

# Days that a cluster is sized for where neither a deadline nor a count is given: most published
# runs took one to three months; a choice.
DEFAULT_DAYS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for; None is left open."""

    params: float | None = None
    active_params: float | None = None
    tokens: float | None = None
    ratio: float | None = None
    flops: float | None = None
    target: float | None = None
    days: float | None = None
    max_usd: float | None = None
    inference_tokens: float | None = None
    unique_tokens: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What it is trained on; no counts means that one is to be found."""

    accelerators: tuple[Accelerator, ...]
    gpus: tuple[int, ...] = ()
    mfu: float | None = None
    mfu_gpus: int | None = None
    usd_per_hour: float | None = None
    batch_tokens: float | None = None
    sequence_length: int = 4096
    country: str | None = None
    pue: float | None = None
    setup: TrainingSetup | None = None
    ranked: bool = False

    def row(self, model: Model, part: Accelerator, gpus: int) -> PlanRow:
        """Return the plan's row of a model on so many of one accelerator."""
        rows, _ = plan_rows(
            params=model.params, active_params=model.active_params, tokens=model.tokens,
            flops=model.flops, accelerators=[part], gpus=[gpus], mfu=self.mfu,
            mfu_gpus=self.mfu_gpus or (self.gpus[0] if self.gpus else gpus), setup=self.setup,
            usd_per_hour=self.usd_per_hour, batch_tokens=self.batch_tokens,
            sequence_length=self.sequence_length, country=self.country, pue=self.pue,
        )  # fmt: skip
        return rows[0]


@dataclass(slots=True, kw_only=True)
class _Found:
    """What has been decided: the model, the counts, and the answers so far."""

    model: Model
    gpus: tuple[int, ...]
    accelerators: tuple[Accelerator, ...]
    answers: list[Answer] = field(default_factory=list)
    offers: tuple[Offer, ...] = ()
    lifetime: tuple[LifetimeRow, ...] = ()


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
    _check(wish)
    given = dict(others or {})
    if wish.unique_tokens is not None:
        fit = with_repeats(fit)
        given["unique_tokens"] = wish.unique_tokens
    found = _decide(fit, wish, cluster, given)
    model = found.model
    plan = assemble_plan(
        fit, params=model.params, active_params=model.active_params, tokens=model.tokens,
        flops=None, ratio=None, accelerators=found.accelerators, gpus=found.gpus,
        mfu=cluster.mfu, mfu_gpus=cluster.mfu_gpus or (cluster.gpus or found.gpus)[0],
        usd_per_hour=cluster.usd_per_hour, batch_tokens=cluster.batch_tokens,
        sequence_length=cluster.sequence_length, country=cluster.country, pue=cluster.pue,
        others=given, setup=cluster.setup, ranked=cluster.ranked, tokens_from=model.how,
    )  # fmt: skip
    answers = [*found.answers, *_more_answers(fit, wish, found, plan)]
    return replace(plan, answers=tuple(answers), offers=found.offers, lifetime=found.lifetime)


def _more_answers(fit: Fit, wish: Wish, found: _Found, plan: Plan) -> list[Answer]:
    """Return the answers that follow from the plan itself."""
    made = []
    if wish.days is not None:
        made.append(deadline_answer(plan, wish.days))
    if wish.unique_tokens is not None:
        made.append(repeats_answer(fit, found.model, wish.unique_tokens))
    if plan.optimum is not None and wish.params is None:
        made.append(valley_answer(plan.optimum, fit.metric.unit))
    return made


def _check(wish: Wish) -> None:
    sized = [
        name for name, value in (
            ("--tokens", wish.tokens), ("--ratio", wish.ratio), ("--flops", wish.flops)
        ) if value is not None
    ]  # fmt: skip
    if wish.params is not None and len(sized) > 1:
        raise UsageError(
            f"{' and '.join(sized)} contradict each other",
            hint="With --params give at most one of them.",
        )
    if wish.target is not None and wish.flops is not None:
        raise UsageError(
            "--target-loss and --flops say the same thing twice",
            hint="The target determines the compute; give one of them.",
        )
    if wish.target is not None and wish.params is not None and sized:
        raise UsageError(
            f"--target-loss, --params and {sized[0]} say the same thing twice",
            hint="Any two of them determine the model.",
        )
    if wish.inference_tokens is not None and (wish.params is not None and wish.target is not None):
        raise UsageError(
            "--inference-tokens chooses the size for a target, and --params gives one",
            hint="Leave --params out.",
        )
    if wish.max_usd is not None and wish.target is not None:
        raise UsageError(
            "--max-usd and --target-loss both determine the model",
            hint="Give one; the plan of a target shows what it costs.",
        )


def _family(fit: Fit, wish: Wish, others: Mapping[str, float]) -> Family:
    if wish.active_params is not None and wish.params is None:
        raise UsageError(
            "--active-params needs --params", hint="Give all parameters and the active ones."
        )
    share = 1.0
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
        return _for_limits(wish, cluster, family)
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
        found.answers.append(money_answer(wish.max_usd, _cheapest(cluster, found)))
    return found


def _for_target(fit: Fit, wish: Wish, cluster: Machines, family: Family) -> _Found:
    target = wish.target
    if target is None:  # pragma: no cover - asked by the caller
        raise TypeError("target")
    if wish.inference_tokens is not None:
        model = lifetime_model(fit, target, wish.inference_tokens)
    else:
        model = model_for_target(family, target)
    found = _on_cluster(wish, cluster, model)
    found.answers.append(target_answer(target, model, fit, how=family.says))
    if wish.inference_tokens is not None:
        _add_lifetime(fit, found, target, wish.inference_tokens)
    return found


def _add_lifetime(fit: Fit, found: _Found, target: float, inference_tokens: float) -> None:
    best = lifetime_model(fit, target, inference_tokens)
    found.lifetime = lifetime_rows(fit, target, inference_tokens, best)
    found.answers.append(lifetime_answer(fit, found.model, best, inference_tokens))


def _on_cluster(wish: Wish, cluster: Machines, model: Model) -> _Found:
    """Return a model with the counts to plan for: those given, or the smallest in time."""
    if cluster.gpus:
        return _Found(model=model, gpus=cluster.gpus, accelerators=cluster.accelerators)
    days = wish.days or DEFAULT_DAYS
    rows, failed = _smallest(cluster, model, days, asked=wish.days is not None)
    if not rows and failed is not None:
        raise failed
    parts = tuple(part for part, _ in rows)
    return _Found(
        model=model, gpus=tuple(sorted({row.gpus for _, row in rows})), accelerators=parts
    )


def _smallest(
    cluster: Machines, model: Model, days: float, *, asked: bool
) -> tuple[list[tuple[Accelerator, PlanRow]], PlanError | None]:
    """Return the smallest cluster of each accelerator that meets a deadline, and the last refusal.

    A deadline that nobody asked for gives way to the largest useful cluster.
    """
    rows, failed = [], None
    for part in cluster.accelerators:
        try:
            row = smallest_cluster(lambda g, p=part: cluster.row(model, p, g), days, model)
        except PlanError as error:
            failed = error
            if asked:
                continue
            first = cluster.row(model, part, 1)
            most = max(1, int(min(first.useful_gpus or 1, first.most_gpus or 1)))
            row = cluster.row(model, part, most)
        rows.append((part, row))
    return rows, failed


def _for_limits(wish: Wish, cluster: Machines, family: Family) -> _Found:
    """Return the best model that money and time buy, on the accelerator that buys most."""
    bought: list[tuple[Accelerator, Model, PlanRow]] = []
    offers: list[Offer] = []
    failed: PlanError | None = None
    for part in cluster.accelerators:
        try:
            found = most_compute(
                family, lambda model, p=part: _best_row(wish, cluster, model, p),
                lambda row: _used(wish, cluster, row),
            )  # fmt: skip
        except PlanError as error:
            failed = error
            offers.append(_no_offer(part, error.message))
            continue
        bought.append((part, found.model, found.row))
        offers.append(_offer(part, family, found.model, found.row))
    if not bought:
        raise failed if failed is not None else PlanError("nothing can be bought", hint="")
    part, model, row = min(bought, key=lambda one: family.badness(one[1].flops))
    how = f"the most that the limits buy, {family.says}"
    result = _Found(
        model=replace(model, how=how), gpus=cluster.gpus or (row.gpus,), accelerators=(part,),
        offers=tuple(offers) if len(offers) > 1 else (),
    )  # fmt: skip
    if wish.max_usd is not None:
        result.answers.append(money_answer(wish.max_usd, row))
    return result


def _best_row(wish: Wish, cluster: Machines, model: Model, part: Accelerator) -> PlanRow:
    """Return the row that uses least of the limits: of the counts given, or the smallest in time.

    Raises:
        PlanError: If the accelerator has no price, or no cluster is fast enough.
    """
    if wish.max_usd is not None and cluster.usd_per_hour is None and part.usd_per_hour is None:
        raise PlanError(
            f"{part.id} has no price in the catalogue", hint="Give --price, or another --gpu."
        )
    if not cluster.gpus:
        row_at = _row_at(cluster, model, part)
        try:
            return smallest_cluster(row_at, wish.days or DEFAULT_DAYS, model)
        except PlanError:
            if wish.days is not None:
                raise
            first = row_at(1)
            return row_at(max(1, int(min(first.useful_gpus or 1, first.most_gpus or 1))))
    rows = [cluster.row(model, part, count) for count in cluster.gpus]
    fitting = [row for row in rows if row.fits]
    if not fitting:
        raise PlanError(
            f"{model.params:.3g} parameters do not fit on {max(cluster.gpus)} x {part.id}",
            hint="Take more or larger accelerators.",
        )
    return min(fitting, key=lambda row: _used(wish, cluster, row))


def _row_at(cluster: Machines, model: Model, part: Accelerator):  # noqa: ANN202 - a closure
    return lambda gpus: cluster.row(model, part, gpus)


def _used(wish: Wish, cluster: Machines, row: PlanRow) -> float:
    """Return the largest share of a limit that a row uses."""
    shares = []
    if wish.max_usd is not None and row.usd is not None:
        shares.append(row.usd / wish.max_usd)
    if wish.days is not None:
        shares.append(row.days / wish.days if cluster.gpus else 0.0)
    return max(shares)


def _offer(part: Accelerator, family: Family, model: Model, row: PlanRow) -> Offer:
    return Offer(
        gpu=part.id, gpus=row.gpus, params=model.params, tokens=model.tokens, flops=model.flops,
        value=family.value(model), days=row.days, usd=row.usd,
    )  # fmt: skip


def _no_offer(part: Accelerator, reason: str) -> Offer:
    return Offer(
        gpu=part.id, gpus=None, params=None, tokens=None, flops=None, value=None, days=None,
        usd=None, reason=reason,
    )  # fmt: skip


def _cheapest(cluster: Machines, found: _Found) -> PlanRow:
    """Return the cheapest row of a model that is determined already."""
    rows: Sequence[PlanRow] = [
        cluster.row(found.model, part, count)
        for part in found.accelerators for count in found.gpus
    ]  # fmt: skip
    priced = [row for row in rows if row.usd is not None]
    if not priced:
        raise PlanError("no accelerator of this plan has a price", hint="Give --price.")
    return min(priced, key=lambda row: (not row.fits, row.usd or 0.0))
