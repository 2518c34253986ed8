"""Exact parameters and FLOP of a transformer."""

from __future__ import annotations

from scaleplan.planning.compute import FLOPS_PER_PARAM_TOKEN
from scaleplan.records.shapes import (
    Accounting,
    Experts,
    FlopCount,
    LatentAttention,
    ModelShape,
    ParameterCount,
    Transformer,
)

ACCOUNTINGS: tuple[Accounting, ...] = (
    "6nd", "causal", "full", "kaplan", "chinchilla", "megatron",
)  # fmt: skip
# Weights of one normalisation in units of the width: scale alone, or scale and shift.
_NORM_WEIGHTS = {"rms": 1, "plain": 1, "layer": 2, "none": 0}
# Backward costs twice forward: gradients of inputs and of weights (Kaplan et al. 2020, sec. 2.1).
_TRAINING_OVER_FORWARD = 3.0


def count_params(model: Transformer) -> ParameterCount:
    """Count the parameters of a transformer exactly.

    Args:
        model: The shape.
    """
    attention = model.layers * _attention_params(model)
    dense, routed, used = _feed_forward_params(model)
    norm = _NORM_WEIGHTS[model.norm] * model.width
    # One more normalisation stands before the output head.
    other = norm * (model.norms * model.layers + 1) + _latent_norms(model)
    embedding = model.vocabulary * model.width
    head = 0 if model.tied else embedding
    if model.positions == "learned":
        embedding += model.context * model.width
    always = attention + dense + other + embedding + head
    return ParameterCount(
        total=always + routed, active=always + used, embedding=embedding, head=head,
        attention=attention, feed_forward=dense + routed, other=other,
    )  # fmt: skip


def _attention_params(model: Transformer) -> int:
    """Return the weights of one layer's projections."""
    if model.latent is not None:
        return _latent_params(model, model.latent)
    queries, keys = model.heads * model.head_width, model.kv_heads * model.head_width
    weights = model.width * (2 * queries + 2 * keys)
    if model.positions == "relative":
        weights += model.width * queries
    if model.biases != "none":
        weights += queries + 2 * keys
    return weights + (model.width if model.biases == "all" else 0)


def _latent_params(model: Transformer, latent: LatentAttention) -> int:
    """Return the weights of latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1)."""
    key = latent.plain_width + latent.rotary_width
    if latent.query_rank:
        queries = latent.query_rank * (model.width + model.heads * key)
    else:
        queries = model.width * model.heads * key
    compressed = model.width * (latent.key_value_rank + latent.rotary_width)
    expanded = latent.key_value_rank * model.heads * (latent.plain_width + latent.value_width)
    return queries + compressed + expanded + model.heads * latent.value_width * model.width


def _latent_norms(model: Transformer) -> int:
    """Return the weights that normalise the two low-rank vectors of latent attention."""
    if model.latent is None:
        return 0
    return model.layers * (model.latent.query_rank + model.latent.key_value_rank)


def _feed_forward_params(model: Transformer) -> tuple[int, int, int]:
    """Return the weights every token uses, those of routed experts, and those a token uses."""
    experts = model.experts
    if experts is None:
        return model.layers * _block(model, model.ffn_width), 0, 0
    sparse = model.layers - experts.dense_layers
    router = model.width * experts.count
    shared = _block(model, experts.shared_width) if experts.shared_width else 0
    always = experts.dense_layers * _block(model, model.ffn_width) + sparse * (router + shared)
    one = sparse * _block(model, experts.width)
    return always, one * experts.count, one * experts.active


def _block(model: Transformer, inner: int) -> int:
    """Return the weights of one feed-forward block."""
    weights = (3 if model.gated else 2) * model.width * inner
    if model.biases == "all":
        weights += inner * (2 if model.gated else 1) + model.width
    return weights


def score_flops(model: Transformer, sequence_length: int, *, causal: bool) -> float:
    """Return the forward FLOP per token of attention scores and their weighted sum.

    2 x attended tokens x heads x (width of keys + width of values); a token attends to s/2 others
    on average where the masked half is skipped, to s for the full matrix, and to no more than the
    window (w - w^2 / 2s causally).

    Args:
        model: The shape.
        sequence_length: Tokens per sequence s.
        causal: Whether the masked half is skipped, as FlashAttention does.
    """
    length = float(sequence_length)
    window = min(float(model.window or sequence_length), length)
    narrow = min(model.window_layers, model.layers)
    if causal:
        attended = (model.layers - narrow) * length / 2
        attended += narrow * (window - window * window / (2 * length))
    else:
        attended = (model.layers - narrow) * length + narrow * window
    return 2.0 * attended * score_width(model)


def score_width(model: Transformer) -> int:
    """Return the widths of all heads' keys and values together."""
    if model.latent is None:
        return 2 * model.heads * model.head_width
    latent = model.latent
    return model.heads * (latent.plain_width + latent.rotary_width + latent.value_width)


def key_value_width(model: Transformer) -> int:
    """Return the widths of the keys and values of a token, which its attention to others needs.

    Those of latent attention are passed on as all heads use them, or as the vector they are made
    from, whichever is less.

    Args:
        model: The shape.
    """
    if model.latent is None:
        return 2 * model.kv_heads * model.head_width
    return model.latent.key_value_rank + model.latent.rotary_width


def kept_values(model: Transformer) -> float:
    """Return the values of a token that an average layer's matrices keep for the backward pass.

    Of attention the queries, keys, values and its result; of a block its inner widths before and
    after the activation, and their product if it is gated. A token that is sent to experts is
    copied to each, and so is what comes back. GPT's 2 bytes of each are the 24 bytes of width that
    tensor parallelism splits (Korthikanti et al. 2022, arXiv 2205.05198, section 4.1).

    Args:
        model: The shape.
    """
    heads = model.heads * model.head_width
    attention = 2.0 * heads + 2.0 * model.kv_heads * model.head_width
    if model.latent is not None:
        latent = model.latent
        attention = 2.0 * model.heads * (
            latent.plain_width + latent.rotary_width + latent.value_width
        )  # fmt: skip
        attention += latent.query_rank + latent.key_value_rank
    inner = 3.0 if model.gated else 2.0
    experts = model.experts
    if experts is None:
        return attention + inner * model.ffn_width
    routed = experts.active * (inner * experts.width + 2.0 * model.width)
    sparse = (model.layers - experts.dense_layers) / model.layers
    return (
        attention
        + sparse * (routed + inner * experts.shared_width)
        + (1.0 - sparse) * inner * model.ffn_width
    )


def expert_params(model: Transformer) -> int:
    """Return the parameters of all routed experts, which expert parallelism spreads.

    Args:
        model: The shape.
    """
    return _feed_forward_params(model)[1]


def matrix_params(model: Transformer) -> int:
    """Return the active parameters that multiply a token: without the input embedding.

    The output head counts, also where it is the embedding table.

    Args:
        model: The shape.
    """
    params = count_params(model)
    head = model.vocabulary * model.width
    # The matrix of relative positions multiplies positions, once for all sequences of a batch.
    positions = model.layers * model.width * model.heads * model.head_width
    unused = positions if model.positions == "relative" else 0
    return params.active - params.embedding - params.head - params.other - unused + head


def count_flops(model: Transformer, sequence_length: int, accounting: Accounting) -> FlopCount:
    """Count the FLOP of one token under one accounting.

    - `6nd`: 6 x active parameters, embeddings included, as most papers state them.
    - `causal`, `full`: every matrix product, output head included and input embedding not, plus
      the attention scores of the causal half or of the full matrix.
    - `kaplan`: 2 N + 2 L s d_attn forward, N without embeddings (Kaplan et al. 2020, table 1).
    - `chinchilla`: projections, feed-forward, scores 4 s d_attn and softmax 3 H s; not the
      embedding and the logits, although the text of Hoffmann et al. 2022, appendix F lists them:
      only without them do the ratios of its table A4 follow.
    - `megatron`: 72 L h^2 (1 + s/6h + V/12Lh) for training, which takes every layer for 12 h^2
      weights (Narayanan et al. 2021, eq. 3; 96 and V/16Lh there recompute all activations).

    Args:
        model: The shape.
        sequence_length: Tokens per sequence.
        accounting: Which of them.
    """
    params = count_params(model)
    products = 2.0 * matrix_params(model)
    head = 2.0 * model.vocabulary * model.width
    full = score_flops(model, sequence_length, causal=False)
    softmax = 3.0 * model.layers * model.heads * sequence_length
    layer = 24.0 * model.width**2 + 4.0 * sequence_length * model.width
    counts: dict[Accounting, float] = {
        "6nd": 2.0 * params.active,
        "causal": products + score_flops(model, sequence_length, causal=True),
        "full": products + full,
        "kaplan": products - head + full / 2.0,
        "chinchilla": products - head + full + softmax,
        "megatron": model.layers * layer + head,
    }
    forward = counts[accounting]
    training = _TRAINING_OVER_FORWARD * forward
    over = training / (FLOPS_PER_PARAM_TOKEN * params.active)
    return FlopCount(accounting=accounting, forward=forward, training=training, over_6nd=over)


def measure(
    model: Transformer, *, origin: str, sequence_length: int, accounting: Accounting = "6nd",
    asked_params: float | None = None, source: str = "",
) -> ModelShape:  # fmt: skip
    """Return a transformer with all its counts.

    Args:
        model: The shape.
        origin: Where it comes from.
        sequence_length: Tokens per training sequence.
        accounting: The accounting that the plan uses.
        asked_params: The parameters it was chosen for, if it was.
        source: Where a published shape stands.
    """
    params = count_params(model)
    scores = _TRAINING_OVER_FORWARD * score_flops(model, sequence_length, causal=True)
    return ModelShape(
        transformer=model, origin=origin, params=params, asked_params=asked_params,
        sequence_length=sequence_length, accounting=accounting, source=source,
        flops=tuple(count_flops(model, sequence_length, name) for name in ACCOUNTINGS),
        attention_share=scores / (FLOPS_PER_PARAM_TOKEN * params.active),
    )  # fmt: skip


def expert_share(experts: Experts, tokens: float) -> float:
    """Return the share of experts that at least one of some tokens is sent to.

    1 - (1 - k/E)^n for tokens that choose evenly.

    Args:
        experts: The mixture.
        tokens: Tokens of one step n.
    """
    return float(1.0 - (1.0 - experts.active / experts.count) ** tokens)
