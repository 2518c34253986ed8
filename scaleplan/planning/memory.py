"""What a training run takes of each accelerator's memory in a given layout."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.planning.shape import Shape
from scaleplan.planning.states import ParamBytes, param_bytes, state_bytes
from scaleplan.records import Assumption, Recompute, TrainingSetup
from scaleplan.records.base import Record

_GIB = 2.0**30
# Bytes of a layer per token and width in layer norms and dropouts (Korthikanti et al., eq. 2).
_BETWEEN = 10.0
# 2 bytes of a key or value and 2 of its gradient, one block that comes and one that goes.
_RING_BYTES = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Layout(Record):
    """How a model is spread: over tp x pp accelerators, in dp x cp copies that may share states.

    Args:
        tensor: Accelerators that share each layer.
        pipeline: Stages, each with an equal part of the layers.
        data: Copies that each see another part of the batch.
        expert: Copies that share one set of experts; it divides `data`.
        zero: ZeRO stage: 0 shares nothing between copies, 1 the optimiser, 2 gradients too,
            3 weights too.
        recompute: Which activations are computed again in the backward pass: none, those of the
            attention scores, or all of a layer but its input.
        context: Accelerators that share each sequence; each holds the weights of its part of the
            model, as other copies do.
    """

    tensor: int
    pipeline: int
    data: int
    zero: int
    recompute: Recompute = "none"
    expert: int = 1
    context: int = 1

    @property
    def accelerators(self) -> int:
        """Return how many accelerators have work."""
        return self.tensor * self.pipeline * self.data * self.context

    @property
    def copies(self) -> int:
        """Return how many accelerators hold the same weights, and may share states."""
        return self.data * self.context

    @property
    def model_accelerators(self) -> int:
        """Return how many accelerators hold one copy of the model."""
        return self.tensor * self.pipeline

    def write(self, gpus: int, *, micro_batch: int = 1) -> str:
        """Return it as people write it, with what is left idle or missing of `gpus`."""
        sequences = f" x CP{self.context}" if self.context > 1 else ""
        parts = f"TP{self.tensor}{sequences} x PP{self.pipeline} x DP{self.data}"
        experts = f" (EP{self.expert})" if self.expert > 1 else ""
        sharing = f"ZeRO-{self.zero}" if self.zero else "no ZeRO"
        recompute = f"{'no' if self.recompute == 'none' else self.recompute} recompute"
        idle = gpus - self.accelerators
        rest = f", {idle} idle" if idle > 0 else ""
        rest = f", needs {self.accelerators}" if idle < 0 else rest
        return f"{parts}{experts}, {sharing}, {recompute}, micro-batch {micro_batch}{rest}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MemoryParts(Record):
    """What the fullest accelerator holds, in GiB."""

    states: float
    activations: float
    runtime: float

    @property
    def total(self) -> float:
        """Return all of it."""
        return self.states + self.activations + self.runtime


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MemoryModel(Record):
    """A model and how it is trained: all that its memory depends on but the layout.

    Args:
        params: Parameters of the whole model.
        dense_params: Those outside the experts; all of them for a dense model.
        experts: Experts of a layer, 1 for a dense model.
        shape: The transformer.
        sequence_length: Tokens per sequence.
        sequences: Sequences in the global batch.
        micro_batch: Sequences that pass through the model at once.
        kept: Bytes of a parameter.
        flash_attention: Whether attention scores are never kept.
        sequence_parallel: Whether tensor-parallel accelerators share what lies between the matrix
            products.
    """

    params: float
    dense_params: float
    experts: int
    shape: Shape
    sequence_length: int
    sequences: int
    micro_batch: int
    kept: ParamBytes
    flash_attention: bool
    sequence_parallel: bool

    def micro_batches(self, layout: Layout) -> float:
        """Return the micro-batches of a step in each copy of the model."""
        return max(1.0, self.sequences / (layout.data * self.micro_batch))

    def micro_tokens(self, layout: Layout) -> float:
        """Return the tokens of a micro-batch that one accelerator has at once."""
        return float(self.sequence_length * self.micro_batch) / layout.context

    def states(self, layout: Layout) -> float:
        """Return the bytes of weights, gradients and optimiser on one accelerator."""
        split = layout.model_accelerators
        # A stage holds a whole table of the vocabulary, however few layers that leaves it.
        table = float(self.shape.vocabulary * self.shape.width) / layout.tensor
        held = state_bytes(
            max(self.dense_params / split, table if layout.pipeline > 1 else 0.0),
            zero=layout.zero, copies=layout.copies, kept=self.kept,
        )  # fmt: skip
        in_experts = self.params - self.dense_params
        if in_experts > 0.0:
            held += state_bytes(
                in_experts / (split * layout.expert), zero=layout.zero,
                copies=layout.copies // layout.expert, kept=self.kept,
            )  # fmt: skip
        if layout.zero >= 3:
            # The layer at work is gathered whole, and the next one meanwhile.
            whole = self.dense_params + in_experts / layout.expert
            held += 2.0 * whole / (self.shape.layers * layout.tensor) * self.kept.weight
        return held

    def layer_activations(self, layout: Layout, *, scores: bool) -> float:
        """Return the bytes of a layer's activations of one micro-batch.

        34 s b h + 5 a s^2 b over t accelerators; without sequence parallelism 10 s b h of them on
        each (Korthikanti et al. 2022, arXiv 2205.05198, table 2). Of a shape that is known, what
        its own heads and inner widths keep is in place of GPT's 24 s b h. FlashAttention keeps no
        scores (Dao et al. 2022, arXiv 2205.14135).
        """
        tokens = self.micro_tokens(layout)
        between = _BETWEEN * self.shape.width
        inside = token_bytes(self.shape) - between
        shared = layout.tensor if self.sequence_parallel else 1
        held = tokens * (inside / layout.tensor + between / shared)
        if scores and not self.flash_attention:
            kept = planning_default("score_bytes").value * self.shape.heads * self.sequence_length
            held += tokens * kept / layout.tensor
        return held

    def stage_activations(self, layout: Layout, *, in_flight: float) -> float:
        """Return the bytes of the activations of a pipeline stage.

        Args:
            layout: How the model is spread.
            in_flight: Micro-batches whose backward pass has not come yet.
        """
        layers = math.ceil(self.shape.layers / layout.pipeline)
        if layout.recompute != "full":
            layer = self.layer_activations(layout, scores=layout.recompute == "none")
            return layer * layers * in_flight
        inputs = self.micro_tokens(layout) * self.shape.width
        inputs *= planning_default("recompute_bytes").value
        inputs /= layout.tensor if self.sequence_parallel else 1
        # The layer that is being computed again is there in full.
        return inputs * layers * in_flight + self.layer_activations(layout, scores=True)

    def activations(self, layout: Layout) -> float:
        """Return the bytes of activations and logits on the fullest stage, margin included.

        The first pipeline stage keeps a micro-batch for each stage behind it (1F1B, Narayanan et
        al. 2021, arXiv 2104.04473, section 2.2); the last one keeps one and the logits.
        """
        logits = planning_default("logit_bytes").value * self.micro_tokens(layout)
        logits *= self.shape.vocabulary / layout.tensor
        last = self.stage_activations(layout, in_flight=1.0) + logits
        if layout.pipeline > 1:
            flight = min(float(layout.pipeline), self.micro_batches(layout))
            last = max(last, self.stage_activations(layout, in_flight=flight))
        last += self._passed_on(layout)
        return last * planning_default("activation_margin").value

    def _passed_on(self, layout: Layout) -> float:
        """Return the bytes of keys and values, and their gradients, that come and go in a ring."""
        if layout.context == 1:
            return 0.0
        width, _ = self.shape.attention_widths
        return _RING_BYTES * self.micro_tokens(layout) * width / layout.tensor

    def use(self, layout: Layout) -> MemoryParts:
        """Return what the fullest accelerator of a layout holds."""
        return MemoryParts(
            states=self.states(layout) / _GIB, activations=self.activations(layout) / _GIB,
            runtime=planning_default("runtime_gib").value,
        )  # fmt: skip


def token_bytes(shape: Shape) -> float:
    """Return the bytes of a layer's activations a token, attention scores aside.

    Args:
        shape: The transformer.
    """
    if shape.layer_bytes is None:
        return planning_default("activation_bytes").value * shape.width
    return _BETWEEN * shape.width + shape.layer_bytes


def memory_model(
    params: float, *, active_params: float, shape: Shape, batch_tokens: float,
    sequence_length: int, setup: TrainingSetup,
) -> MemoryModel:  # fmt: skip
    """Return the model and how it is trained, as its memory sees it.

    Args:
        params: Parameters of the whole model.
        active_params: Parameters per token; fewer for a mixture of experts.
        shape: The transformer of the active parameters.
        batch_tokens: Tokens per step.
        sequence_length: Tokens per sequence.
        setup: What the user said about it.
    """
    dense, experts = params, 1
    if shape.experts is not None:
        dense, experts = params - shape.expert_params, shape.experts
    elif active_params < params:
        dense = planning_default("moe_dense_share").value * active_params
        # N = dense + E e and active = dense + k e leave E once k is assumed.
        ratio = (params - dense) / (active_params - dense)
        experts = setup.experts or round(ratio * planning_default("moe_active_experts").value)
    micro_batch = setup.micro_batch or 1
    return MemoryModel(
        params=params, dense_params=dense, experts=max(1, experts), shape=shape,
        sequence_length=sequence_length,
        sequences=max(micro_batch, int(batch_tokens / sequence_length)), micro_batch=micro_batch,
        kept=param_bytes(setup.optimizer, setup.precision, setup.gradient_bytes),
        flash_attention=setup.flash_attention, sequence_parallel=setup.sequence_parallel,
    )  # fmt: skip


def memory_assumptions(model: MemoryModel, setup: TrainingSetup) -> tuple[Assumption, ...]:
    """Return what memory rests on, beyond the bytes of a parameter."""
    known, counted = model.shape.experts is not None, model.shape.layer_bytes is not None
    names = [*([] if counted else ["activation_bytes"]), "recompute_bytes", "logit_bytes"]
    names += [] if model.flash_attention else ["score_bytes"]
    names += ["moe_dense_share"] if model.experts > 1 and not known else []
    names += ["activation_margin", "runtime_gib", "usable_memory"]
    found = [planning_default(name).assumption() for name in names]
    if counted:
        found.insert(0, _counted_bytes(model.shape))
    attention = "scores are never kept" if model.flash_attention else "scores are kept"
    found.append(
        Assumption(
            name="FlashAttention", value=attention,
            source="Dao et al. 2022, arXiv 2205.14135" if model.flash_attention else "given",
        )
    )  # fmt: skip
    shared = "activations are split by tensor parallelism throughout"
    if not model.sequence_parallel:
        shared = "off: 10 bytes of width of a layer's activations are on every device"
    source = "Korthikanti et al. 2022, arXiv 2205.05198" if model.sequence_parallel else "given"
    found.append(Assumption(name="sequence parallelism", value=shared, source=source))
    if model.experts > 1:
        default = planning_default("moe_active_experts")
        source = f"{default.value:g} a token: {default.source}"
        source = "given" if setup.experts or known else source
        found.append(Assumption(name="experts of a layer", value=model.experts, source=source))
    return tuple(found)


def _counted_bytes(shape: Shape) -> Assumption:
    default = planning_default("activation_bytes")
    return Assumption(
        name=default.name, value=round(token_bytes(shape) / shape.width, 1), unit=default.unit,
        source="counted from the shape: 10 x width, and 2 bytes of queries, keys, values, result "
        "and inner widths (Korthikanti et al. 2022, arXiv 2205.05198, section 4.1)",
    )  # fmt: skip
