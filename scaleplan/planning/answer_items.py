"""The answers of a plan, each with its numbers."""

from __future__ import annotations

from scaleplan.errors import PlanError
from scaleplan.fitting.valley import valley_label
from scaleplan.planning.family import Model
from scaleplan.planning.lifetime import total_flops
from scaleplan.planning.repeats import best_size_for_unique, repeats_of
from scaleplan.records import Answer, AnswerItem, Fit, OptimumRow, PlanRow
from scaleplan.units import format_usd


def item_of(name: str, value: float | str | None, unit: str = "") -> AnswerItem:
    """Return one number of an answer; see there."""
    return AnswerItem(name=name, value=value, unit=unit)


def money_answer(
    max_usd: float, row: PlanRow, *, binds: str | None = None, sized_for: str | None = None
) -> Answer:  # fmt: skip
    """Say what of the money the cheapest way to train takes.

    Args:
        max_usd: The money.
        row: The row that is paid for.
        binds: What keeps the model from being larger, where it is not the money.
        sized_for: The time that was assumed for it, where fewer accelerators would cost less.

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
            item_of("money", max_usd, "usd"),
            item_of("expected cost", row.usd, "usd"),
            *(() if binds is None else (item_of("what binds", binds),)),
            *(() if sized_for is None else (item_of("cluster sized for", sized_for),)),
            item_of("cost at the low end", row.usd_low, "usd"),
            item_of("cost at the high end", row.usd_high, "usd"),
            item_of("accelerator", row.gpu),
            item_of("accelerators", row.gpus, "gpus"),
            item_of("expected time", row.days, "days"),
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
            item_of("target", target, "metric"),
            item_of("params", model.params, "params"),
            item_of("tokens", model.tokens, "tokens"),
            item_of("compute", model.flops, "flop"),
            item_of("chosen as", how),
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
    planned, least = (total_flops(one, inference_tokens) for one in (model, best))
    return Answer(
        id="lifetime", title="Training and inference together",
        items=(
            item_of("inference tokens", inference_tokens, "tokens"),
            item_of("size of least compute", best.params, "params"),
            item_of("its tokens", best.tokens, "tokens"),
            item_of("its training compute", best.flops, "flop"),
            item_of("its compute over all", least, "flop"),
            item_of("the planned model's over all", planned, "flop"),
            item_of("planned over least", planned / least, "ratio"),
            item_of("same", fit.metric.name),
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
            item_of("unique tokens", unique_tokens, "tokens"),
            item_of("epochs", found.epochs, "ratio"),
            item_of("worth of the last repeat against a fresh token", found.marginal, "share"),
            item_of("all tokens are worth fresh ones", found.effective_tokens, "tokens"),
            item_of("decay R_D", found.decay, "ratio"),
            item_of("best size for one epoch", best_size_for_unique(fit, unique_tokens), "params"),
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
            item_of("optimal params", row.params, "params"),
            item_of("smallest", row.params_valley_low, "params"),
            item_of("largest", row.params_valley_high, "params"),
        ),
    )  # fmt: skip
