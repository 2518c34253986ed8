"""Training on more tokens than there are: how often they are repeated, and what that risks."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import Note, Plan, Severity
from scaleplan.units import format_count, format_percent, format_significant

# Up to 4 epochs repeats are nearly fresh, at 16 they fade, at 40 they bring nothing.
_NEGLIGIBLE, _FADING, _NOTHING = 4.0, 16.0, 40.0
_SOURCE = "Muennighoff et al. 2023, arXiv 2305.16264"


def repeated_data(plan: Plan) -> Iterator[Note]:
    """Say how often a plan repeats its data, by the answer to --unique-tokens."""
    found = next((answer for answer in plan.answers if answer.id == "repeats"), None)
    if found is None:
        return
    numbers = {item.name: item.value for item in found.items if isinstance(item.value, float)}
    epochs = numbers["epochs"]
    if epochs <= _NEGLIGIBLE:
        return
    severity: Severity = "error" if epochs > _NOTHING else "warning" if epochs > _FADING else "info"
    worth = numbers["worth of the last repeat against a fresh token"]
    effective = numbers["all tokens are worth fresh ones"]
    yield Note(
        id="REPEAT", severity=severity,
        text=f"The data are seen {format_significant(epochs, 3)} times: the last repeat is worth "
        f"{format_percent(worth, 2)} of a fresh token, and all "
        f"{format_count(plan.tokens)} tokens are worth {format_count(effective)} fresh ones.",
        action="Collect more data, or train a smaller model on fewer epochs.",
        numbers=(("epochs", epochs), ("marginal_worth", worth), ("effective_tokens", effective)),
        source=_SOURCE,
    )  # fmt: skip
    best = numbers["best size for one epoch"]
    size = plan.forecast.points[0].params or plan.active_params  # as the law counts it
    if size > best:
        yield Note(
            id="REPEAT_MAY_HARM", severity="warning",
            text=f"{format_count(size)} parameters are more than the best size for "
            f"one epoch over these data ({format_count(best)}). The law of repeated data cannot "
            "rise with repeats; large models on repeated data do get worse.",
            action="Watch validation loss, use more weight decay, or take a smaller model.",
            numbers=(("params", size), ("best_params", best)), source=_SOURCE,
        )  # fmt: skip
