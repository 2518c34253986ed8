"""What attention adds to the time of a token as sequences grow.

6ND counts no attention, and the MFU of published runs was read with 6ND at sequences of 2,048 to
8,192 tokens. A token of a sequence of s takes

    a(s) = (2 N + S(s)) / (2 N + S(2048))

times that of one of 2,048, where S are the products of the full matrix of scores.
"""

from __future__ import annotations

from scaleplan.catalog import planning_default
from scaleplan.planning.shape import Shape
from scaleplan.planning.transformer import score_flops

FORWARD_FLOPS = 2.0  # a parameter and token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1)
# Scores and their weighted sum: 2 FLOP each for queries by keys and weights by values.
_SCORE_FLOPS = 4.0


def attention_growth(shape: Shape, *, active_params: float, sequence_length: float) -> float:
    """Return the time of a token over that of one in a sequence of 2,048 tokens.

    FlashAttention skips the masked half of the matrix, but works slower than large products and
    computes scores again in the backward pass: in tables of one model at many lengths an operation
    of the full matrix takes 1.1 (A100) to 1.6 times (H100) that of a product
    (tests/benchmark/long_sequences.py).

    Args:
        shape: The transformer; one that is only guessed attends over all tokens in all layers.
        active_params: Parameters per token N.
        sequence_length: Tokens per sequence s.
    """
    usual = planning_default("attention_length").value
    return _growth(shape, active_params, sequence_length, usual, weight=1.0)


def attention_excess(shape: Shape, *, active_params: float, sequence_length: float) -> float:
    """Return how much longer a token may take, where attention is as slow as in the slowest tables.

    Args:
        shape: The transformer.
        active_params: Parameters per token.
        sequence_length: Tokens per sequence; up to those of published trainings, whose band
            contains it, there is none.
    """
    most = planning_default("attention_length_high").value
    if sequence_length <= most:
        return 1.0
    slow = planning_default("attention_weight_high").value
    slowest, expected = (
        _growth(shape, active_params, sequence_length, most, weight=weight)
        for weight in (slow, 1.0)
    )
    return slowest / expected


def _growth(shape: Shape, active: float, length: float, usual: float, *, weight: float) -> float:
    products = FORWARD_FLOPS * active
    long, short = (weight * attention_flops(shape, each) for each in (length, usual))
    return (products + long) / (products + short)


def attention_flops(shape: Shape, length: float) -> float:
    """Return the forward FLOP of a token with the full matrix of scores.

    Args:
        shape: The transformer.
        length: Tokens per sequence.
    """
    if shape.transformer is not None:
        return score_flops(shape.transformer, int(length), causal=False)
    return _SCORE_FLOPS * shape.layers * shape.width * length
