"""A transformer near a given size, where only the number of parameters is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.planning.transformer import (
    expert_params,
    kept_values,
    key_value_width,
    score_width,
)
from scaleplan.records import Assumption
from scaleplan.records.base import Record
from scaleplan.records.shapes import Experts, ModelShape, Transformer

# Weights of a layer in units of width^2: 4 for attention, 8 for a feed-forward of 4 x width.
_LAYER_WEIGHTS = 12.0
# The vocabulary's part of the parameters stays below this, or a small model would be nothing else.
_LARGEST_VOCABULARY_SHARE = 0.5
# From here on layers come in eights, so that they can be cut into pipeline stages.
_LAYERS_IN_STAGES = 16
_STAGE_LAYERS = 8
# From here on the width is a whole number of heads.
_HEADS_IN_WIDTH = 8
# Keys and values are shared as in Llama 3 and Mistral 7B: eight heads, from a dozen heads on.
_KV_HEADS, _GROUPED = 8, 12
# Inner widths come in 64s where there are enough of them for it not to matter.
_FFN_STEP, _FFN_STEPS = 64, 16
# A token of the assumed mixture goes to 2 or some of few experts (Mixtral) or 8 of many
# (DeepSeek-V3); few is less than 8 times as many as are active.
_FEW, _ACTIVE, _NEAR = 8.0, (2, 4, 8), 0.01


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Shape(Record):
    """What memory needs of a decoder-only transformer: layers, width, heads and vocabulary.

    `origin` says where it comes from; empty where it is assumed. `layer_bytes` is what a token
    keeps in a layer's attention and feed-forward block, None where only the width is known.
    `key_value_width` are the widths of all keys and values together, and `score_width` those of all
    heads' keys and values, which make the FLOP of attention; None where they are assumed.
    `experts` is how many a layer has, None if it has none or that is not known, and
    `expert_params` the parameters in all of them. `transformer` is the whole of it, None where
    it is guessed.
    """

    layers: int
    width: int
    heads: int
    vocabulary: int
    origin: str = ""
    layer_bytes: float | None = None
    key_value_width: int | None = None
    score_width: int | None = None
    experts: int | None = None
    expert_params: float = 0.0
    transformer: Transformer | None = None

    @property
    def params(self) -> float:
        """Return 12 L d^2 + V d: the layers and the output head, without the input embedding."""
        return _LAYER_WEIGHTS * self.layers * self.width**2 + self.vocabulary * self.width

    @property
    def attention_widths(self) -> tuple[float, float]:
        """Return the widths of keys and values, as they are kept and as all heads use them."""
        used = self.score_width or 2.0 * self.width
        shared = _KV_HEADS / self.heads if self.heads >= _GROUPED else 1.0
        return self.key_value_width or shared * used, used


def guess_shape(params: float) -> Shape:
    """Return a GPT-like transformer of about so many parameters.

    Width is 128 times the layers, as in GPT-3 and Llama 3, then adjusted so that
    12 L d^2 + V d meets the parameters.

    Args:
        params: Parameters without the input embedding.
    """
    aspect = planning_default("shape_aspect").value
    vocabulary = _vocabulary(params, aspect)
    # 12 L d^2 with d = aspect x L leaves L from a cube root; the head's weights come off first.
    in_layers = max(params - vocabulary * _width(params, 1.0, aspect), params / 2)
    layers = _whole_layers(_cube_root(in_layers / (_LAYER_WEIGHTS * aspect**2)))
    # 12 L d^2 + V d = N solved for d.
    width = (math.sqrt(vocabulary**2 + 4 * _LAYER_WEIGHTS * layers * params) - vocabulary) / (
        2 * _LAYER_WEIGHTS * layers
    )
    head = planning_default("head_width").value
    heads = max(1, round(width / head))
    # Rounding to whole heads of the usual width would change a narrow model's size too much.
    rounded = heads * head if heads >= _HEADS_IN_WIDTH else width
    if heads >= _GROUPED:
        # Heads in eights, which share eight heads of keys; their widths need not add up to width.
        heads = round(heads / _KV_HEADS) * _KV_HEADS
    return Shape(layers=layers, width=max(1, round(rounded)), heads=heads, vocabulary=vocabulary)


def _width(params: float, share: float, aspect: float) -> float:
    """Return the width of a model that has this share of its parameters in its layers."""
    return max(1.0, aspect * _cube_root(share * params / (_LAYER_WEIGHTS * aspect**2)))


def _cube_root(value: float) -> float:
    return math.exp(math.log(value) / 3.0)


def _vocabulary(params: float, aspect: float) -> int:
    largest = _LARGEST_VOCABULARY_SHARE * params / _width(params, 0.5, aspect)
    return max(1, int(min(planning_default("vocabulary").value, largest)))


def _whole_layers(layers: float) -> int:
    step = _STAGE_LAYERS if layers >= _LAYERS_IN_STAGES else 1
    return max(1, round(layers / step) * step)


def shape_for_memory(model: ModelShape | None) -> Shape | None:
    """Return what memory needs of a shape, None where it was only guessed from a size.

    Args:
        model: The shape of a plan, None without one.
    """
    if model is None or model.asked_params is not None:
        return None
    return memory_shape(model.transformer, origin=model.source or model.origin)


def memory_shape(model: Transformer, *, origin: str) -> Shape:
    """Return what memory needs of a given transformer.

    Args:
        model: The shape.
        origin: Where it comes from.
    """
    return Shape(
        layers=model.layers, width=model.width, heads=model.heads, vocabulary=model.vocabulary,
        origin=origin, layer_bytes=2.0 * kept_values(model),
        key_value_width=key_value_width(model), score_width=score_width(model),
        experts=None if model.experts is None else model.experts.count,
        expert_params=float(expert_params(model)), transformer=model,
    )  # fmt: skip


def guess_transformer(
    params: float, *, active_params: float | None = None, context: int
) -> Transformer:
    """Return a Llama-like transformer of about so many parameters in all.

    Layers, width and vocabulary are those of `guess_shape`; the inner width of the feed-forward
    block (SwiGLU) takes up the rest, so that the exact count meets `params`.

    Args:
        params: All parameters.
        active_params: Those a token uses; fewer than `params` makes it a mixture of experts.
        context: Tokens per sequence.
    """
    active = params if active_params is None else active_params
    base = guess_shape(active)
    heads, width = base.heads, base.width
    kv_heads = _KV_HEADS if heads >= _GROUPED else heads
    usual = int(planning_default("head_width").value)
    head_width = usual if heads >= _HEADS_IN_WIDTH else max(1, round(width / heads))
    tied = params <= planning_default("tied_params").value
    rest = base.vocabulary * width * (1 if tied else 2) + width
    rest += base.layers * (2 * width * head_width * (heads + kv_heads) + 2 * width)
    # Weights of one unit of inner width, over all layers.
    unit = 3 * width * base.layers
    step = _FFN_STEP if active > rest + unit * _FFN_STEP * _FFN_STEPS else 1
    inner = max(1, round((active - rest) / unit / step) * step)
    experts = None
    if active < params:
        experts = _experts(params, active, rest=rest, unit=unit)
        inner = experts.width * experts.active
    return Transformer(
        layers=base.layers, width=width, heads=heads, kv_heads=kv_heads, head_width=head_width,
        ffn_width=inner, vocabulary=base.vocabulary, context=context, tied=tied, experts=experts,
    )  # fmt: skip


def _experts(params: float, active: float, *, rest: float, unit: float) -> Experts:
    """Return experts that make up all and active parameters; routers are too small to count."""
    used = max(active - rest, unit)
    ratio = max(1.0, (params - rest) / used)

    def miss(chosen: int) -> float:
        count = max(chosen, round(ratio * chosen))
        return abs(rest + used * count / chosen - params) / params

    # The fewest active experts whose whole number of experts meets the size, else the nearest.
    choices = _ACTIVE if ratio < _FEW else _ACTIVE[-1:]
    near = [chosen for chosen in choices if miss(chosen) < _NEAR]
    chosen = near[0] if near else min(choices, key=miss)
    return Experts(
        count=max(chosen, round(ratio * chosen)), active=chosen,
        width=max(1, round(used / unit / chosen)),
    )  # fmt: skip


def shape_assumptions(shape: Shape, *, sequence_length: int) -> tuple[Assumption, ...]:
    """Return the shape as a plan states it."""
    aspect = planning_default("shape_aspect")
    text = (
        f"{shape.layers} layers, width {shape.width}, {shape.heads} heads, "
        f"vocabulary {shape.vocabulary}"
    )
    name = "transformer" if shape.origin else "assumed transformer (memory and attention only)"
    return (
        Assumption(name=name, value=text, source=shape.origin or aspect.source),
        Assumption(name="sequence length", value=sequence_length, unit="tokens", source="option"),
    )
