"""A transformer near a given size, where only the number of parameters is known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.records import Assumption

# Weights of a layer in units of width^2: 4 for attention, 8 for a feed-forward of 4 x width.
_LAYER_WEIGHTS = 12.0
# The vocabulary's part of the parameters stays below this, or a small model would be nothing else.
_LARGEST_VOCABULARY_SHARE = 0.5
# From here on layers come in eights, so that they can be cut into pipeline stages.
_LAYERS_IN_STAGES = 16
_STAGE_LAYERS = 8
# From here on the width is a whole number of heads.
_HEADS_IN_WIDTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A decoder-only transformer: layers, width, heads and vocabulary."""

    layers: int
    width: int
    heads: int
    vocabulary: int

    @property
    def params(self) -> float:
        """Return 12 L d^2 + V d: the layers and the output head, without the input embedding."""
        return _LAYER_WEIGHTS * self.layers * self.width**2 + self.vocabulary * self.width


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


def shape_assumptions(shape: Shape, *, sequence_length: int) -> tuple[Assumption, ...]:
    """Return the shape as a plan states it."""
    aspect = planning_default("shape_aspect")
    text = (
        f"{shape.layers} layers, width {shape.width}, {shape.heads} heads, "
        f"vocabulary {shape.vocabulary}"
    )
    return (
        Assumption(name="assumed transformer (memory only)", value=text, source=aspect.source),
        Assumption(name="sequence length", value=sequence_length, unit="tokens", source="option"),
    )
