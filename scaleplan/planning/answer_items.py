"""The answers of a plan, each with its numbers."""

from __future__ import annotations

from scaleplan.errors import PlanError
from scaleplan.fitting.valley import valley_label
from scaleplan.planning.family import Model
from scaleplan.planning.repeats import best_size_for_unique, repeats_of
from scaleplan.records import Answer, AnswerItem, Fit, OptimumRow, Plan, PlanRow
from scaleplan.units import format_days, format_usd

_INFERENCE_FLOPS_PER_PARAM_TOKEN = 2.0  # forward pass; Kaplan et al. 2020, table 1


def _item(name: str, value: float | str | None, unit: str = "") -> AnswerItem:
    return AnswerItem(name=name, value=value, unit=unit)


def deadline_answer(plan: Plan, days: float) -> Answer:
    """Say which rows meet a deadline.

    Args:
        plan: A plan with its rows.
        days: The deadline.

    Raises:
        PlanError: If none does.
    """
    fitting = [row for row in plan.rows if row.fits]
    meeting = [row for row in fitting if row.days <= days]
    if not meeting:
        least = min(fitting or plan.rows, key=lambda row: row.days)
        raise PlanError(
            f"no row of this plan ends within {format_days(days)}: the fastest that fits, "
            f"{least.gpus:,} x {least.gpu}, takes {format_days(least.days)}",
            hint=f"Allow {format_days(least.days)}, or leave --gpus out to find the smallest "
            "cluster that is fast enough.",
        )
    first = min(meeting, key=lambda row: row.gpus)
    surely = [row for row in meeting if row.days_high <= days]
    sure = min(surely, key=lambda row: row.gpus) if surely else None
    return Answer(
        id="deadline", title=f"Deadline of {format_days(days)}",
        items=(
            _item("deadline", days, "days"),
            _item("smallest cluster in time", first.gpus, "gpus"),
            _item("accelerator", first.gpu),
            _item("expected time", first.days, "days"),
            _item("time at the high end", first.days_high, "days"),
            _item("smallest in time at the high end too", None if sure is None else sure.gpus,
                  "gpus"),
        ),
    )  # fmt: skip


def money_answer(max_usd: float, row: PlanRow, *, binds: str | None = None) -> Answer:
    """Say what of the money the cheapest way to train takes.

    Args:
        max_usd: The money.
        row: The row that is paid for.
        binds: What keeps the model from being larger, where it is not the money.

    Raises:
        PlanError: If it costs more.
    """
    if row.usd is None or row.usd > max_usd * (1.0 + 1e-6):
        cost = format_usd(row.usd)
        raise PlanError(
            f"this model costs {cost} on {row.gpus:,} x {row.gpu}, more than {format_usd(max_usd)}",
            hint="Leave --tokens or --flops out to see how much training the money buys, or find a "
            "lower --price.",
        )
    return Answer(
        id="money", title=f"Budget of {format_usd(max_usd)}",
        items=(
            _item("money", max_usd, "usd"),
            _item("expected cost", row.usd, "usd"),
            *(() if binds is None else (_item("what binds", binds),)),
            _item("cost at the low end", row.usd_low, "usd"),
            _item("cost at the high end", row.usd_high, "usd"),
            _item("accelerator", row.gpu),
            _item("accelerators", row.gpus, "gpus"),
            _item("expected time", row.days, "days"),
        ),
    )  # fmt: skip


def target_answer(target: float, model: Model, fit: Fit, *, how: str) -> Answer:
    """Say what reaches a target.

    Args:
        target: The metric.
        model: The model that reaches it.
        fit: The law.
        how: What the size and tokens were chosen by.
    """
    return Answer(
        id="target", title=f"Target {fit.metric.name} {target:g}",
        items=(
            _item("target", target, "metric"),
            _item("params", model.params, "params"),
            _item("tokens", model.tokens, "tokens"),
            _item("compute", model.flops, "flop"),
            _item("chosen as", how),
        ),
    )  # fmt: skip


def lifetime_answer(fit: Fit, model: Model, best: Model, inference_tokens: float) -> Answer:
    """Say which size costs least over training and inference, against the planned one.

    Args:
        fit: The law.
        model: The planned model.
        best: The one of least compute over its life, for the same metric.
        inference_tokens: Tokens after training.
    """

    def total(one: Model) -> float:
        per_token = _INFERENCE_FLOPS_PER_PARAM_TOKEN * one.active_params
        return one.flops + per_token * inference_tokens

    return Answer(
        id="lifetime", title="Training and inference together",
        items=(
            _item("inference tokens", inference_tokens, "tokens"),
            _item("size of least compute", best.params, "params"),
            _item("its tokens", best.tokens, "tokens"),
            _item("its training compute", best.flops, "flop"),
            _item("its compute over all", total(best), "flop"),
            _item("the planned model's over all", total(model), "flop"),
            _item("planned over least", total(model) / total(best), "ratio"),
            _item("same", fit.metric.name),
        ),
    )  # fmt: skip


def repeats_answer(fit: Fit, model: Model, unique_tokens: float) -> Answer:
    """Say how often the data are repeated, and what that is worth.

    Args:
        fit: A fit of the law of repeated data.
        model: The planned model.
        unique_tokens: Different tokens.
    """
    found = repeats_of(fit, model.tokens, unique_tokens)
    return Answer(
        id="repeats", title="Repeated data",
        items=(
            _item("unique tokens", unique_tokens, "tokens"),
            _item("epochs", found.epochs, "ratio"),
            _item("worth of the last repeat against a fresh token", found.marginal, "share"),
            _item("all tokens are worth fresh ones", found.effective_tokens, "tokens"),
            _item("decay R_D", found.decay, "ratio"),
            _item("best size for one epoch", best_size_for_unique(fit, unique_tokens), "params"),
        ),
    )  # fmt: skip


def valley_answer(row: OptimumRow, unit: str) -> Answer:
    """Say which sizes reach next to the best at the same compute.

    Args:
        row: The compute-optimal model.
        unit: The metric's unit, which decides what is next to the best.
    """
    return Answer(
        id="valley", title=f"Sizes within {valley_label(unit)} of the best at this compute",
        items=(
            _item("optimal params", row.params, "params"),
            _item("smallest", row.params_valley_low, "params"),
            _item("largest", row.params_valley_high, "params"),
        ),
    )  # fmt: skip
