"""Training on more tokens than there are: what repeats are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scaleplan.catalog import published_law
from scaleplan.errors import PlanError
from scaleplan.laws import get_law
from scaleplan.records import Assumption, Fit
from scaleplan.records.base import Record

_REPEATED = "data_constrained"
_PUBLISHED = "muennighoff_2023_repeats"
_R_D, _R_N = 5, 6  # places of the decays in its parameters


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Repeats(Record):
    """Epochs over the unique tokens, and what they are worth.

    Args:
        epochs: Tokens over unique tokens.
        marginal: What the last repeated token is worth of a fresh one, exp(-(e - 1) / R_D).
        effective_tokens: Fresh tokens that are worth as much, D'.
        decay: R_D.
    """

    epochs: float
    marginal: float
    effective_tokens: float
    decay: float


def with_repeats(fit: Fit) -> Fit:
    """Return a fit that knows what repeated tokens are worth.

    A Chinchilla law gets the decays that Muennighoff et al. 2023 published; a fit of the law of
    repeated data has its own.

    Args:
        fit: A law of params and tokens.

    Raises:
        PlanError: If the law has no such form.
    """
    if fit.law == _REPEATED:
        return fit
    if fit.law != "chinchilla":
        raise PlanError(
            f"what repeats are worth is known for the chinchilla and {_REPEATED} laws, and "
            f"{fit.name} is a {fit.law} law",
            hint=f"Fit with --law chinchilla, or with --law {_REPEATED} a log of repeated data; or "
            "leave --unique-tokens out.",
        )
    published = published_law(_PUBLISHED)
    decays = published.theta[_R_D:]
    # The order of parameters is that of the law with repeats: E, A, alpha, B, beta, R_D, R_N.
    main = replace(fit.main, law=_REPEATED, theta=(*fit.main.theta, *decays))
    if main.covariance is not None:
        square = [[*row, 0.0, 0.0] for row in main.covariance] + [[0.0] * (len(main.theta))] * 2
        main = replace(main, covariance=tuple(tuple(row) for row in square))
    law = get_law(_REPEATED)
    symbol = "L" if fit.metric.kind == "loss" else fit.metric.name
    assumptions = (
        *fit.assumptions,
        *(
            Assumption(name=name, value=value, unit="repeats",
                       source=f"{published.source}; not fitted to these runs")
            for name, value in zip(("decay of repeated tokens R_D",
                                    "decay of excess parameters R_N"), decays, strict=True)
        ),
    )  # fmt: skip
    return replace(
        fit, law=_REPEATED, main=main, alternatives=(),
        inputs=(*fit.inputs, "unique_tokens"), input_columns=(*fit.input_columns, "unique_tokens"),
        formula=law.write(list(main.theta), metric=symbol, names=("N", "D", "U")),
        widening=replace(fit.widening, weights=(1.0,)), assumptions=assumptions,
    )  # fmt: skip


def knowing(fit: Fit, others: Mapping[str, float]) -> Fit:
    """Return a fit that knows what repeated tokens are worth, if the unique ones are given.

    Args:
        fit: Any fit.
        others: Inputs that are given besides its main ones, by role.

    Raises:
        PlanError: If the law has no such form.
    """
    if "unique_tokens" not in others or "unique_tokens" in fit.inputs:
        return fit
    return with_repeats(fit)


def repeats_of(fit: Fit, tokens: float, unique_tokens: float) -> Repeats:
    """Return what training on so many tokens drawn from so many unique ones is worth.

    D' = U + U R_D (1 - exp(-(D/U - 1) / R_D)); Muennighoff et al. 2023, arXiv 2305.16264, eq. 5.

    Args:
        fit: A fit of the law of repeated data.
        tokens: Training tokens.
        unique_tokens: Different ones among them.
    """
    decay = fit.main.theta[_R_D]
    epochs = tokens / unique_tokens
    over = max(0.0, epochs - 1.0)
    worth = unique_tokens * (1.0 + decay * -math.expm1(-over / decay))
    return Repeats(
        epochs=epochs, marginal=math.exp(-over / decay),
        effective_tokens=worth if epochs > 1.0 else tokens, decay=decay,
    )  # fmt: skip


def best_size_for_unique(fit: Fit, unique_tokens: float) -> float:
    """Return N_opt(U), the compute-optimal size for one epoch over the unique tokens.

    Args:
        fit: A fit of the law of repeated data.
        unique_tokens: U.
    """
    size, alpha, data, beta = fit.main.theta[1:5]
    return float((alpha * size * unique_tokens**beta / (beta * data)) ** (1.0 / alpha))
