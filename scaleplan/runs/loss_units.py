"""Losses whose values do not look like nats per token: asked about, never converted unasked."""

from __future__ import annotations

import numpy as np

from scaleplan.records import Metric, Note
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.metrics import describe
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_significant

# A uniform guess among 163,000 tokens costs 12 nats; vocabularies are smaller, and trained models
# are far better than a guess.
_MOST_NATS = 12.0
# The best published language models reach 1.6 nats a token; bits per byte and nats per character
# of text lie between about 0.5 and 1.1.
_FEWEST_NATS = 1.1
_LEAST_BITS = 0.3
_NO_ENTROPY = 7  # the preference among losses from which they are no cross-entropy: squared errors
_GAP = 1.5  # two units in one file leave a gap of at least this factor between their values
_FEWEST, _SHARE = 3, 0.1  # runs, and share of runs, on either side of it
_ASK = (
    "Say which unit it is: name the column bits_per_byte, perplexity or loss (nats/token), or add "
    "loss_unit to the log's metadata."
)


def loss_unit_notes(rows: Gathered, metric: Metric) -> tuple[Note, ...]:
    """Ask about the unit of a loss where its values do not suit nats per token.

    Args:
        rows: Cleaned rows in their roles.
        metric: What `value` is; a unit that the log or the column's name gives is believed.
    """
    values = rows.roles["value"].numbers
    values = values[np.isfinite(values) & (values > 0.0)]
    if metric.kind != "loss" or metric.unit not in {"as logged", "nats/token"} or not values.size:
        return ()
    named = describe(metric.column)
    if named is not None and (named.kind == "error" or named.preference >= _NO_ENTROPY):
        return ()  # an error without a bound, of which a note says so: no loss of a language model
    low, high = float(values.min()), float(values.max())
    span = f"{format_significant(low)} to {format_significant(high)}"
    numbers = (("low", low), ("high", high))
    mixture = _mixture(rows)
    if mixture is not None:
        return (mixture,)
    middle = float(np.median(values))
    sized = any(role in rows.roles for role in ("params", "tokens", "flops"))
    if middle > _MOST_NATS and sized:
        return (
            Note(
                id="LOSS_UNIT", severity="warning",
                text=f"{metric.name} runs from {span}; over {_MOST_NATS:g} nats a token is worse "
                "than a guess. Is it a perplexity? It is fitted as it stands, and laws of the loss "
                "do not hold for its exponential.",
                action=_ASK, numbers=numbers,
            ),
        )  # fmt: skip
    if low >= _LEAST_BITS and high <= _FEWEST_NATS and _is_of_language(rows):
        return (
            Note(
                id="LOSS_UNIT", severity="info",
                text=f"{metric.name} runs from {span}, below what language models reach in nats a "
                "token. Is it in bits per byte, or per character? It is fitted as it stands: N* "
                "and D* do not depend on the unit, comparisons with published losses do.",
                action=_ASK, numbers=numbers,
            ),
        )  # fmt: skip
    return ()


def _is_of_language(rows: Gathered) -> bool:
    """Tell whether runs count tokens: other losses have ranges of their own."""
    return "tokens" in rows.roles and "token" in rows.names["tokens"].casefold()


def _mixture(rows: Gathered) -> Note | None:
    """Warn when values fall into two groups far apart that the sizes of the runs do not explain."""
    values = rows.roles["value"].numbers
    sizes = next((rows.roles[r].numbers for r in ("flops", "params", "tokens", "input")
                  if r in rows.roles), None)  # fmt: skip
    if sizes is None:
        return None
    known = np.flatnonzero(np.isfinite(values) & (values > 0.0) & np.isfinite(sizes))
    order = known[np.argsort(values[known], kind="stable")]
    fewest = max(_FEWEST, int(_SHARE * order.size))
    if order.size < 2 * fewest:
        return None
    logs = np.log(values[order])
    gaps = np.diff(logs)[fewest - 1 : order.size - fewest]
    place = int(np.argmax(gaps)) + fewest
    if gaps[place - fewest] < np.log(_GAP) or not _alike(
        sizes[order[:place]], sizes[order[place:]]
    ):
        return None
    below, above = float(values[order[place - 1]]), float(values[order[place]])
    names = rows.names["value"]
    return Note(
        id="LOSS_UNITS_MIXED", severity="warning",
        text=f"{names} is at most {format_significant(below)} in {place} runs and at least "
        f"{format_significant(above)} in {order.size - place} runs of about the same sizes, with "
        "nothing between. Are these two units (nats and bits, a loss and a perplexity), or did "
        "runs diverge? They are fitted together as they stand.",
        action="Bring them to one unit, or fit them apart.",
        numbers=(("below", below), ("above", above), ("runs_above", float(order.size - place))),
    )  # fmt: skip


def _alike(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether the middle of either group's sizes lies within the other's range."""
    first, second = float(np.median(one)), float(np.median(other))
    return bool(other.min() <= first <= other.max() and one.min() <= second <= one.max())
