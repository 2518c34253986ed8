"""What is shown of a model's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.render.view import Column, Facts, Table, count, pairs_of
from scaleplan.units import format_flops, format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records.shapes import ModelShape, Transformer
    from scaleplan.render.view import Block

_ACCOUNTINGS = {
    "6nd": "6 x active parameters",
    "causal": "every product, attention's causal half",
    "full": "every product, attention's full matrix",
    "kaplan": "without embeddings and logits (Kaplan et al. 2020)",
    "chinchilla": "as its table A4 (Hoffmann et al. 2022)",
    "megatron": "72 L h^2 (1 + s/6h + V/12Lh) (Narayanan et al. 2021)",
}


def shape_blocks(shape: ModelShape | None) -> tuple[Block, ...]:
    """Return the shape, and where it was asked for the FLOP under every accounting."""
    if shape is None:
        return ()
    title = "Transformer, assumed" if shape.origin == "assumed" else f"Transformer: {shape.origin}"
    facts = Facts(title=title, pairs=shape_pairs(shape))
    if shape.origin == "assumed" and shape.accounting == "6nd":
        return (facts,)
    return facts, _flops(shape)


def shape_pairs(shape: ModelShape) -> tuple[tuple[str, str], ...]:
    """Return layers, sizes and counts as lines."""
    model, params = shape.transformer, shape.params
    exact = f"{params.total:,}"
    if shape.asked_params is not None:
        away = params.total / shape.asked_params - 1.0
        exact += (
            f", {format_percent(abs(away), 2)} {'above' if away > 0 else 'below'} what is asked"
        )
    active = f"{params.active:,}" if params.active != params.total else ""
    causal, full = (
        next(found.over_6nd for found in shape.flops if found.accounting == name)
        for name in ("causal", "full")
    )
    return pairs_of(
        (
            ("layers", f"{model.layers} of width {model.width}"),
            ("attention", _attention(model)),
            ("feed-forward", _feed_forward(model)),
            ("vocabulary", f"{model.vocabulary}{', tied to the output' if model.tied else ''}"),
            ("exact parameters", exact),
            ("active parameters", active),
            ("without embeddings", f"{params.non_embedding:,}"),
            (
                "attention scores",
                f"{format_percent(shape.attention_share, 2)} of 6ND at {shape.sequence_length} "
                f"tokens a sequence; every product counted is "
                f"{format_significant(causal, 3)} x 6ND, {format_significant(full, 3)} with the "
                "masked half of them",
            ),
            ("source", shape.source),
        )
    )


def _attention(model: Transformer) -> str:
    window = ""
    if model.window:
        window = f", {model.window_layers} layers see {model.window} tokens"
    if model.latent is not None:
        latent = model.latent
        return f"{model.heads} heads, keys and values of rank {latent.key_value_rank}{window}"
    shared = "" if model.kv_heads == model.heads else f", {model.kv_heads} of keys and values"
    return f"{model.heads} heads of {model.head_width}{shared}{window}"


def _feed_forward(model: Transformer) -> str:
    kind = "gated" if model.gated else "two matrices"
    experts = model.experts
    if experts is None:
        return f"{model.ffn_width}, {kind}"
    shared = f", {experts.shared_width} shared" if experts.shared_width else ""
    dense = f", {experts.dense_layers} layers of {model.ffn_width} without experts"
    return (
        f"{experts.active} of {experts.count} experts of {experts.width}{shared}, {kind}"
        f"{dense if experts.dense_layers else ''}"
    )


def _flops(shape: ModelShape) -> Table:
    return Table(
        title=f"FLOP of one token at {shape.sequence_length} tokens a sequence",
        columns=(
            Column(name="count", kind="name"),
            Column(name="forward"),
            Column(name="training"),
            Column(name="over 6ND"),
            Column(name="used", kind="name", rank=2),
            Column(name="what it counts", kind="text", rank=3),
        ),
        rows=tuple(
            (
                found.accounting, format_flops(found.forward), format_flops(found.training),
                format_significant(found.over_6nd, 3),
                "yes" if found.accounting == shape.accounting else "",
                _ACCOUNTINGS[found.accounting],
            )
            for found in shape.flops
        ),
        footer=f"6ND: 6 x {count(shape.params.active)} active parameters; "
        "--flop-count takes another",
    )  # fmt: skip
