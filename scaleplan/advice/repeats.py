"""Training on more tokens than there are: how often they are repeated, and what that risks."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.catalog import published_law
from scaleplan.laws import get_law
from scaleplan.planning.repeats import Repeats, best_size_for_unique, repeats_of
from scaleplan.records import Fit, Forecast, Note, Plan, Severity
from scaleplan.units import format_count, format_percent, format_significant

# Up to 4 epochs repeats are nearly fresh, at 16 they fade, at 40 they bring nothing.
_NEGLIGIBLE, _FADING, _NOTHING = 4.0, 16.0, 40.0
# Kaplan's own limit of what too small a data set may cost, and a choice for more than twice that.
_SMALL_PENALTY, _LARGE_PENALTY = 0.02, 0.05
_ENDLESS = 1e40  # tokens
_SOURCE = "Muennighoff et al. 2023, arXiv 2305.16264"


def repeated_data(plan: Plan) -> Iterator[Note]:
    """Say how often a plan repeats its data, by the answer to --unique-tokens."""
    found = next((answer for answer in plan.answers if answer.id == "repeats"), None)
    if found is None:
        return
    numbers = {item.name: item.value for item in found.items if isinstance(item.value, float)}
    repeats = Repeats(
        epochs=numbers["epochs"],
        marginal=numbers["worth of the last repeat against a fresh token"],
        effective_tokens=numbers["all tokens are worth fresh ones"], decay=numbers["decay R_D"],
    )  # fmt: skip
    if repeats.epochs <= _NEGLIGIBLE:
        return
    yield _repeated(repeats, plan.tokens)
    size, counted = plan.active_params, ""
    if plan.shape is not None:
        size, counted = float(plan.shape.params.non_embedding), " without embeddings"
    yield from _small_data_set(size, numbers["unique tokens"], counted)
    size = plan.forecast.points[0].params or plan.active_params  # as the law counts it
    yield from _may_harm(size, numbers["best size for one epoch"])


def repeated_points(forecast: Forecast, fit: Fit) -> Iterator[Note]:
    """Say how often the runs of a forecast repeat their data, if it knows how many there are.

    Args:
        forecast: The forecast.
        fit: The fit it was made from.
    """
    for point in forecast.points:
        unique = dict(point.others).get("unique_tokens")
        if fit.law != "data_constrained" or unique is None or point.tokens is None:
            continue
        repeats = repeats_of(fit, point.tokens, unique)
        if repeats.epochs <= _NEGLIGIBLE:
            continue
        yield _repeated(repeats, point.tokens)
        if point.params is not None:
            yield from _small_data_set(point.params, unique)
            yield from _may_harm(point.params, best_size_for_unique(fit, unique))


def _repeated(repeats: Repeats, tokens: float) -> Note:
    """Say how often tokens are repeated, and what that is worth."""
    epochs = repeats.epochs
    severity: Severity = "error" if epochs > _NOTHING else "warning" if epochs > _FADING else "info"
    worth = format_percent(repeats.marginal, 2)
    return Note(
        id="REPEAT", severity=severity,
        text=f"The data are seen {format_significant(epochs, 3)} times: the last repeat is worth "
        f"{worth} of a fresh token, and all {format_count(tokens)} tokens are worth "
        f"{format_count(repeats.effective_tokens)} fresh ones.",
        action="Collect more data, or train a smaller model on fewer epochs.",
        numbers=(
            ("epochs", epochs), ("marginal_worth", repeats.marginal),
            ("effective_tokens", repeats.effective_tokens),
        ),
        source=_SOURCE,
    )  # fmt: skip


def _may_harm(size: float, best: float) -> Iterator[Note]:
    """Say that a model is larger than is best for one epoch over its data."""
    if size <= best:
        return
    yield Note(
        id="REPEAT_MAY_HARM", severity="warning",
        text=f"{format_count(size)} parameters are more than the best size for "
        f"one epoch over these data ({format_count(best)}). The law of repeated data cannot "
        "rise with repeats; large models on repeated data do get worse.",
        action="Watch validation loss, use more weight decay, or take a smaller model.",
        numbers=(("params", size), ("best_params", best)), source=_SOURCE,
    )  # fmt: skip


def _small_data_set(size: float, unique_tokens: float, counted: str = "") -> Iterator[Note]:
    """Say what so few unique tokens cost a model that is trained on them until it is at its best.

    L(N, U) / L(N, infinity) - 1, Kaplan et al. 2020, arXiv 2001.08361, equations 1.5 and 4.2.
    """
    published = published_law("kaplan_nd")
    law, theta = get_law(published.law), list(published.theta)
    loss, endless = (float(law.evaluate(theta, [size, u])) for u in (unique_tokens, _ENDLESS))
    penalty = loss / endless - 1.0
    if penalty <= _SMALL_PENALTY:
        return
    yield Note(
        id="DATA_SET_SMALL", severity="error" if penalty > _LARGE_PENALTY else "warning",
        text=f"Trained on such data until it is at its best, a model of {format_count(size)} "
        f"parameters{counted} ends {format_percent(penalty, 2)} above its loss with endless data, "
        f"as on WebText2: {format_count(unique_tokens)} unique tokens are few for it.",
        action="Collect more data, or train a smaller model; beyond the best checkpoint it "
        "overfits.",
        numbers=(("penalty", penalty), ("params", size), ("unique_tokens", unique_tokens)),
        source=published.source,
    )  # fmt: skip
