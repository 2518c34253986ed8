"""What a training run takes of each accelerator's memory, and the layout in which it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scaleplan.catalog import planning_default
from scaleplan.planning.shape import Shape
from scaleplan.records import Assumption

_GIB = 2.0**30
# Tensor parallelism stays inside a node: beyond it, it costs more than it saves.
_TENSOR_PARALLEL = (1, 2, 4, 8)
_MICRO_BATCH = 1
# Bytes of a layer per token and width in layer norms and dropouts (Korthikanti et al., eq. 2).
_BETWEEN = 10.0
# A layout that leaves more than this share of the accelerators idle is taken only in need.
_IDLE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a model is spread: over tp x pp accelerators, in dp copies that may share states.

    Args:
        tensor: Accelerators that share each layer.
        pipeline: Stages, each with an equal part of the layers.
        data: Copies that each see another part of the batch.
        zero: ZeRO stage: 0 shares nothing between copies, 1 the optimiser, 2 gradients too,
            3 weights too.
        full_recompute: Whether a layer's activations are computed again in the backward pass;
            otherwise only the attention scores are.
        sequence_parallel: Whether tensor-parallel accelerators also share what lies between the
            matrix products (2022 and later).
    """

    tensor: int
    pipeline: int
    data: int
    zero: int
    full_recompute: bool
    sequence_parallel: bool = True

    @property
    def accelerators(self) -> int:
        """Return how many accelerators have work."""
        return self.tensor * self.pipeline * self.data

    def write(self, gpus: int) -> str:
        """Return it as people write it, with what is left idle of `gpus`."""
        parts = f"TP{self.tensor} x PP{self.pipeline} x DP{self.data}"
        sharing = f"ZeRO-{self.zero}" if self.zero else "no ZeRO"
        recompute = "full recompute" if self.full_recompute else "selective recompute"
        idle = gpus - self.accelerators
        rest = f", {idle} idle" if idle else ""
        return f"{parts}, {sharing}, {recompute}, micro-batch {_MICRO_BATCH}{rest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """A layout, what it takes of each accelerator in GiB, and whether that fits."""

    layout: Layout
    gib: float
    fits: bool


def state_bytes(
    params: float, *, zero: int, copies: int, gradient_bytes: float | None = None
) -> float:
    """Return the bytes of weights, gradients and Adam's states that one accelerator holds.

    For mixed precision 16 N; with ZeRO over n copies (4 + 12/n) N, (2 + 14/n) N and 16 N / n
    (Rajbhandari et al. 2020, arXiv 1910.02054, figure 1).

    Args:
        params: Parameters in this accelerator's part of the model.
        zero: ZeRO stage, 0 to 3.
        copies: Data-parallel copies n.
        gradient_bytes: Bytes of a gradient; None is 2 (bf16), 4 where gradients are kept in fp32.
    """
    weight = planning_default("weight_bytes").value
    optimiser = planning_default("optimiser_bytes").value
    gradient = planning_default("gradient_bytes").value
    if gradient_bytes is not None:
        gradient = gradient_bytes
    return params * (
        weight / (copies if zero >= 3 else 1)
        + gradient / (copies if zero >= 2 else 1)
        + optimiser / (copies if zero >= 1 else 1)
    )


def activation_bytes(
    shape: Shape, *, layers: float, sequences: float, sequence_length: int, layout: Layout
) -> float:
    """Return the bytes of the activations of some layers that one accelerator keeps.

    34 s b h a layer with the attention scores computed again, 2 s b h a layer with everything
    computed again, both over the tensor-parallel accelerators; without sequence parallelism
    (10 + 24/t) s b h and 2 s b h (Korthikanti et al. 2022, arXiv 2205.05198, table 2).

    Args:
        shape: The transformer.
        layers: Layers of this stage.
        sequences: Sequences in flight.
        sequence_length: Tokens per sequence.
        layout: Tensor parallelism and recomputation.
    """
    units = sequence_length * shape.width
    whole = planning_default("activation_bytes").value
    # Outside the two parallel blocks a layer keeps what is not split by tensor parallelism alone.
    split, unsplit = (whole, 0.0) if layout.sequence_parallel else (whole - _BETWEEN, _BETWEEN)
    layer = units * (split / layout.tensor + unsplit)
    if not layout.full_recompute:
        return layer * layers * sequences
    inputs = units * planning_default("recompute_bytes").value
    inputs /= layout.tensor if layout.sequence_parallel else 1
    # The layer that is being computed again is there in full.
    return inputs * layers * sequences + layer * _MICRO_BATCH


def layout_gib(
    params: float, *, shape: Shape, layout: Layout, batch_sequences: float, sequence_length: int,
    gradient_bytes: float | None = None,
) -> float:  # fmt: skip
    """Return what the fullest accelerator of a layout holds, in GiB.

    The first pipeline stage keeps a micro-batch for each stage behind it (1F1B, Narayanan et al.
    2021, arXiv 2104.04473, section 2.2); the last one keeps one and the logits.

    Args:
        params: Parameters of the whole model.
        shape: The transformer.
        layout: How it is spread.
        batch_sequences: Sequences in the global batch.
        sequence_length: Tokens per sequence.
        gradient_bytes: Bytes of a gradient; None is 2.
    """
    part = params / (layout.tensor * layout.pipeline)
    states = state_bytes(part, zero=layout.zero, copies=layout.data, gradient_bytes=gradient_bytes)
    if layout.zero >= 3:
        # The layer at work is gathered whole, and the next one meanwhile.
        gathered = 2.0 * params / (shape.layers * layout.tensor)
        states += gathered * planning_default("weight_bytes").value
    micro_batches = max(1.0, batch_sequences / (layout.data * _MICRO_BATCH))
    layers = shape.layers / layout.pipeline
    flight = min(float(layout.pipeline), micro_batches) * _MICRO_BATCH
    first, last = (
        activation_bytes(
            shape, layers=layers, sequences=held, sequence_length=sequence_length, layout=layout
        )
        for held in (flight, _MICRO_BATCH)
    )
    logits = planning_default("logit_bytes").value * sequence_length * _MICRO_BATCH
    logits *= shape.vocabulary / layout.tensor
    busiest = first if layout.pipeline > 1 else first + logits
    activations = max(busiest, last + logits) * planning_default("activation_margin").value
    return (states + activations) / _GIB + planning_default("runtime_gib").value


def choose_layout(
    params: float, *, shape: Shape, gpus: int, batch_tokens: float, sequence_length: int,
    memory_gib: float,
) -> MemoryUse:  # fmt: skip
    """Return the simplest layout that fits, or the one that takes least where none does.

    Simple means, in this order: hardly an accelerator idle and a micro-batch for every pipeline
    stage, no full recomputation, weights not shared between copies, few stages, little tensor
    parallelism.

    Args:
        params: Parameters of the whole model.
        shape: The transformer.
        gpus: Accelerators.
        batch_tokens: Tokens per step; no copy works without a sequence of its own.
        sequence_length: Tokens per sequence.
        memory_gib: Memory of one accelerator.
    """
    sequences = max(1, int(batch_tokens / sequence_length))
    usable = planning_default("usable_memory").value * memory_gib
    layouts = sorted(
        _layouts(gpus, shape.layers, sequences),
        key=lambda layout: _waste(layout, gpus, sequences),
    )
    tried: list[MemoryUse] = []
    for layout in layouts:
        gib = layout_gib(
            params, shape=shape, layout=layout, batch_sequences=sequences,
            sequence_length=sequence_length,
        )  # fmt: skip
        tried.append(MemoryUse(layout=layout, gib=gib, fits=gib <= usable))
        if tried[-1].fits:
            return tried[-1]
    return min(tried, key=lambda use: use.gib)


def _waste(layout: Layout, gpus: int, sequences: int) -> tuple[bool, bool]:
    """Tell whether a layout leaves accelerators idle, all the time or in the pipeline's bubble."""
    idle = (gpus - layout.accelerators) / gpus
    # A pipeline with fewer micro-batches than stages stands still half of the time.
    return idle > _IDLE, layout.pipeline * layout.data * _MICRO_BATCH > sequences


def _layouts(gpus: int, layers: int, sequences: int) -> Iterator[Layout]:
    """Yield the layouts of a cluster, the simplest first."""
    stages = [count for count in range(1, min(layers, gpus) + 1) if layers % count == 0]
    for full_recompute in (False, True):
        for zero in (1, 3):
            # Gathering weights for every micro-batch of every stage is not done in practice.
            for pipeline in stages if zero == 1 else (1,):
                for tensor in _TENSOR_PARALLEL:
                    copies = min(gpus // (tensor * pipeline), sequences)
                    if copies > 1 or (copies == 1 and zero == 1):
                        yield Layout(
                            tensor=tensor, pipeline=pipeline, data=copies,
                            zero=zero if copies > 1 else 0, full_recompute=full_recompute,
                        )  # fmt: skip


def memory_assumptions() -> tuple[Assumption, ...]:
    """Return what memory rests on."""
    names = (
        "weight_bytes", "gradient_bytes", "optimiser_bytes", "activation_bytes",
        "recompute_bytes", "logit_bytes", "activation_margin", "runtime_gib", "usable_memory",
        "node_size",
    )  # fmt: skip
    return tuple(planning_default(name).assumption() for name in names)
