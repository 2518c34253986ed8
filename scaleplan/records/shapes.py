"""Shapes of models, and what they count to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

Norm = Literal["rms", "layer", "plain", "none"]
Positions = Literal["rotary", "learned", "relative"]
Biases = Literal["none", "qkv", "all"]
Accounting = Literal["6nd", "causal", "full", "kaplan", "chinchilla", "megatron"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Experts(Record):
    """A mixture of experts in the feed-forward blocks.

    Args:
        count: Routed experts of a layer.
        active: Routed experts that a token passes through.
        width: Inner width of one routed expert.
        shared_width: Inner widths of the experts that every token passes through, together.
        dense_layers: Layers that keep one feed-forward block instead.
    """

    count: int
    active: int
    width: int
    shared_width: int = 0
    dense_layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class LatentAttention(Record):
    """Attention whose keys and values are kept as one low-rank vector (DeepSeek's MLA).

    Args:
        query_rank: Rank of the queries; 0 projects them in one step.
        key_value_rank: Width of the vector that keys and values are made from.
        rotary_width: Width of the part of a key that carries the position, shared by all heads.
        plain_width: Width of the part of each head's key without position.
        value_width: Width of each head's value.
    """

    query_rank: int
    key_value_rank: int
    rotary_width: int
    plain_width: int
    value_width: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Transformer(Record):
    """A transformer, decoder-only unless it is a vision one.

    Args:
        layers: Transformer layers.
        width: Width of the residual stream.
        heads: Query heads.
        kv_heads: Heads of keys and values; fewer than `heads` for grouped queries, 1 for one shared
            head.
        head_width: Width of a head.
        ffn_width: Inner width of the feed-forward block.
        gated: Whether the block has a third matrix (SwiGLU, GeGLU).
        vocabulary: Entries of the embedding table.
        context: Longest sequence, tokens.
        tied: Whether the output head is the embedding table.
        biases: Where matrices have biases: none, queries, keys and values only, or all.
        norm: Weights of a normalisation: width (`rms`, `plain`), twice that (`layer`) or none.
        norms: Normalisations of a layer.
        positions: `learned` adds a table of context x width, `relative` a width x width matrix to
            each layer (Transformer-XL).
        experts: The mixture of experts, if it is one.
        latent: Latent attention, if it has it; kv_heads and head_width then count nothing.
        window: Tokens that a layer with sliding-window attention looks back; 0 for all.
        window_layers: Layers with that window.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int
    ffn_width: int
    vocabulary: int
    context: int
    gated: bool = True
    tied: bool = False
    biases: Biases = "none"
    norm: Norm = "rms"
    norms: int = 2
    positions: Positions = "rotary"
    experts: Experts | None = None
    latent: LatentAttention | None = None
    window: int = 0
    window_layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ParameterCount(Record):
    """Parameters of a transformer, exactly.

    Args:
        total: All of them, a tied table once.
        active: Those that one token uses: without the experts it is not sent to.
        embedding: The table of input embeddings, and of positions if it is learned.
        head: The output head; 0 if it is tied.
        attention: Projections of all layers.
        feed_forward: Feed-forward blocks, experts and routers of all layers.
        other: Normalisations.
    """

    total: int
    active: int
    embedding: int
    head: int
    attention: int
    feed_forward: int
    other: int

    @property
    def non_embedding(self) -> int:
        """Return the parameters without input embedding, positions and output head."""
        return self.total - self.embedding - self.head


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class FlopCount(Record):
    """FLOP of one token at a sequence length, under one accounting.

    `forward` is one forward pass, `training` forward and backward; `over_6nd` is `training` over
    6 x active parameters.
    """

    accounting: Accounting
    forward: float
    training: float
    over_6nd: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ModelShape(Record):
    """A transformer with its counts.

    Args:
        transformer: The shape.
        origin: Where it comes from: `assumed`, `--shape`, a file or a published model.
        params: Its exact parameters.
        asked_params: The parameters it was chosen for; None if it was given.
        sequence_length: Tokens per sequence that the FLOP are counted at.
        flops: FLOP per token, one entry an accounting.
        accounting: The accounting that the plan uses.
        attention_share: Attention scores (causal) over 6 x active parameters.
        source: Where a published shape stands; may be empty.
    """

    transformer: Transformer
    origin: str
    params: ParameterCount
    asked_params: float | None
    sequence_length: int
    flops: tuple[FlopCount, ...]
    accounting: Accounting
    attention_share: float
    source: str = ""

    @property
    def flops_per_param_token(self) -> float:
        """Return the FLOP per active parameter and token of the accounting that is used."""
        used = next(count for count in self.flops if count.accounting == self.accounting)
        return used.training / self.params.active

    @property
    def over_6nd(self) -> float:
        """Return the FLOP of the accounting that is used over 6ND."""
        return next(count.over_6nd for count in self.flops if count.accounting == self.accounting)
