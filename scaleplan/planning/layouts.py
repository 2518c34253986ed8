"""How a model is spread over a cluster: the simplest layout that fits, and why it is that one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from scaleplan.catalog import planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.memory import Layout, MemoryModel, MemoryParts
from scaleplan.records import Assumption, Recompute, TrainingSetup
from scaleplan.records.base import Record
from scaleplan.units import format_significant

# A layout that leaves more than this share of the accelerators idle is taken only in need.
IDLE_SHARE = 0.05
SHARED_WEIGHTS = 3  # the ZeRO stage that shares weights
# (recompute, ZeRO, pipeline, tensor, expert)
_Split: TypeAlias = tuple[Recompute, int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class MemoryUse(Record):
    """A layout, what it takes of each accelerator, and why it was chosen."""

    layout: Layout
    parts: MemoryParts
    usable_gib: float
    fits: bool
    reason: str

    @property
    def gib(self) -> float:
        """Return what the fullest accelerator holds."""
        return self.parts.total


def choose_layout(
    model: MemoryModel, *, gpus: int, memory_gib: float, setup: TrainingSetup
) -> MemoryUse:
    """Return the simplest layout that fits, or the one that takes least where none does.

    Simple means, in this order: hardly an accelerator idle and a micro-batch for every pipeline
    stage, no recomputation, weights not shared between copies, few stages, little tensor
    parallelism (inside a node, for beyond it costs more than it saves, and no more than heads),
    experts little spread.

    Args:
        model: The model and how it is trained.
        gpus: Accelerators.
        memory_gib: Memory of one accelerator.
        setup: What of the layout is given.
    """
    usable = planning_default("usable_memory").value * memory_gib
    tried: list[tuple[Layout, MemoryParts]] = []
    for layout in _layouts(model, gpus, setup):
        parts = model.use(layout)
        if parts.total <= usable and layout.accelerators <= gpus:
            reason = _reason(layout, parts, tried, usable, asked=_asked(setup))
            return MemoryUse(
                layout=layout, parts=parts, usable_gib=usable, fits=True, reason=reason
            )
        tried.append((layout, parts))
    layout, parts = min(tried, key=lambda one: one[1].total)
    reason = f"{'as asked' if _asked(setup) else 'nothing fits'}: at least {_of(parts, usable)}"
    if parts.total <= usable:
        reason = f"fits with {_of(parts, usable)}, but on {layout.accelerators} accelerators"
    return MemoryUse(layout=layout, parts=parts, usable_gib=usable, fits=False, reason=reason)


def smallest_fitting(model: MemoryModel, *, memory_gib: float, setup: TrainingSetup) -> int | None:
    """Return the smallest number of accelerators on which a model fits, whole nodes above one.

    Copies share states, so that more of them never take more memory each: for every way to split
    the model the fewest copies are found by halving.

    Args:
        model: The model and how it is trained.
        memory_gib: Memory of one accelerator.
        setup: What of the layout is given.
    """
    usable = planning_default("usable_memory").value * memory_gib
    best = None
    splits = _splits(model.shape.layers, _tensors(model, setup), model.experts, setup)
    for split in sorted(splits, key=lambda one: one[2] * one[3] * one[4]):
        step = split[2] * split[3] * split[4]
        if best is not None and step >= best:
            break
        copies = _fewest_copies(model, split, usable, setup.data)
        if copies is not None:
            needs = split[2] * split[3] * copies
            best = needs if best is None else min(best, needs)
    if best is None:
        return None
    node = node_size(setup)
    return best if best <= node else -(-best // node) * node


def _fewest_copies(
    model: MemoryModel, split: _Split, usable: float, asked: int | None
) -> int | None:
    """Return the fewest copies with which a way to split the model fits, None if none do."""
    recompute, zero, pipeline, tensor, expert = split

    def fits(groups: int) -> bool:
        data = groups * expert
        layout = Layout(
            tensor=tensor, pipeline=pipeline, data=data, expert=expert,
            zero=zero if data > 1 else 0, recompute=recompute,
        )  # fmt: skip
        return model.use(layout).total <= usable

    if asked is not None:
        return asked if asked % expert == 0 and fits(asked // expert) else None
    # With more copies the pipeline would stand still for want of micro-batches.
    low, high = 0, model.sequences // model.micro_batch // (pipeline * expert)
    if high < 1 or not fits(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high * expert


def most_accelerators(model: MemoryModel, layout: Layout) -> int:
    """Return how many accelerators could have work: a micro-batch for each copy of the model.

    g <= (B / s) x TP x PP (Narayanan et al. 2021, arXiv 2104.04473, section 2).
    """
    return model.sequences // model.micro_batch * layout.model_accelerators


def largest_cluster(model: MemoryModel, setup: TrainingSetup) -> int:
    """Return how many accelerators could have work in any layout that is searched."""
    tensor = 1 if setup.fsdp_only else _tensors(model, setup)[-1]
    pipeline = setup.pipeline or (1 if setup.fsdp_only else model.shape.layers)
    return model.sequences // model.micro_batch * tensor * pipeline


def node_size(setup: TrainingSetup) -> int:
    """Return the accelerators of a node: the user's, or the usual eight."""
    return setup.node_size or int(planning_default("node_size").value)


def check_layout(model: MemoryModel, setup: TrainingSetup) -> None:
    """Refuse a given layout that no cluster could have.

    Raises:
        UsageError: If it contradicts the node, the layers, the experts or itself.
    """
    node, layers = node_size(setup), model.shape.layers
    if setup.tensor is not None and setup.tensor > node:
        message = f"tp={setup.tensor} is more than the {node} accelerators of a node"
        raise UsageError(message, hint="Tensor parallelism stays in a node; see --node-size.")
    if setup.tensor is not None and model.shape.origin and model.shape.heads % setup.tensor:
        message = f"tp={setup.tensor} does not divide the {model.shape.heads} heads of the model"
        raise UsageError(message, hint="Tensor parallelism gives each accelerator whole heads.")
    if setup.pipeline is not None and setup.pipeline > layers:
        message = f"pp={setup.pipeline} is more than the {layers} layers of the model"
        raise UsageError(message, hint="A pipeline stage holds at least one layer.")
    if setup.experts is not None and model.dense_params == model.params:
        message = f"{setup.experts} experts contradict a dense model"
        raise UsageError(message, hint="Give --active-params: what one token passes through.")
    if setup.expert is not None and setup.expert > model.experts:
        message = f"ep={setup.expert} is more than the {model.experts} experts of a layer"
        raise UsageError(message, hint="Give --active-params, and --experts if there are more.")
    if setup.expert and setup.data and setup.data % setup.expert:
        message = f"ep={setup.expert} does not divide dp={setup.data}"
        raise UsageError(message, hint="Experts are spread over the copies of the model.")
    if model.micro_batch > model.sequences:
        message = f"a micro-batch of {model.micro_batch} is more than a whole batch"
        raise UsageError(message, hint="Give a smaller --micro-batch or a larger --batch.")


@lru_cache(maxsize=64)
def _splits(
    layers: int, tensors: tuple[int, ...], experts: int, setup: TrainingSetup
) -> tuple[_Split, ...]:
    """Return all ways to split a model, the simplest first."""
    recomputes: tuple[Recompute, ...] = ("none" if setup.flash_attention else "selective", "full")
    if setup.recompute is not None:
        recomputes = (setup.recompute,)
    stages: tuple[int, ...] = tuple(n for n in range(1, layers + 1) if layers % n == 0)
    if setup.pipeline is not None:
        stages = (setup.pipeline,)
    spread = (setup.expert,) if setup.expert is not None else _powers(experts)
    zeros: tuple[int, ...] = (1, 3) if setup.zero is None else (setup.zero,)
    if setup.fsdp_only:
        stages, tensors, zeros = (1,), (1,), (3,)
    return tuple(
        (recompute, zero, pipeline, tensor, expert)
        for recompute in recomputes
        for zero in zeros
        # Gathering weights for every micro-batch of every stage is not done unless asked for.
        for pipeline in (stages if zero < 3 or setup.pipeline is not None else (1,))
        for tensor in tensors
        for expert in spread
    )


def _tensors(model: MemoryModel, setup: TrainingSetup) -> tuple[int, ...]:
    """Return the degrees of tensor parallelism to try, smallest first: in a node, whole heads.

    Of a shape that is only assumed the number of heads is a guess, and bounds them alone.
    """
    if setup.tensor is not None:
        return (setup.tensor,)
    heads = model.shape.heads
    degrees = _powers(min(heads, node_size(setup)))
    return tuple(n for n in degrees if heads % n == 0) if model.shape.origin else degrees


def _powers(largest: int) -> tuple[int, ...]:
    return tuple(1 << n for n in range(largest.bit_length()) if 1 << n <= largest)


def _layouts(model: MemoryModel, gpus: int, setup: TrainingSetup) -> Iterator[Layout]:
    """Yield the layouts of a cluster, the simplest of those that keep it busy first."""
    most = model.sequences // model.micro_batch
    bubbles: list[Layout] = []
    idlers: list[tuple[int, bool, Layout]] = []
    none = True
    for recompute, zero, pipeline, tensor, expert in _splits(
        model.shape.layers, _tensors(model, setup), model.experts, setup
    ):
        split = tensor * pipeline
        data = setup.data or min(gpus // split, most) // expert * expert
        if data < 1 or (data == 1 and zero >= 3 and setup.zero is None and not setup.fsdp_only):
            continue
        none = False
        idle = setup.data is None and gpus - split * data > IDLE_SHARE * gpus
        # A pipeline with fewer micro-batches than stages stands still half of the time.
        bubble = pipeline * data > (1.0 + IDLE_SHARE) * most
        layout = Layout(
            tensor=tensor, pipeline=pipeline, data=data, expert=expert,
            zero=zero if data > 1 else 0, recompute=recompute,
        )  # fmt: skip
        if idle:
            idlers.append((-layout.accelerators, bubble, layout))
        elif bubble:
            bubbles.append(layout)
        else:
            yield layout
    yield from bubbles
    # Where some have to be idle, as few as can be; of those rather without a bubble.
    yield from (layout for *_, layout in sorted(idlers, key=lambda one: one[:2]))
    if none:  # what was asked for needs more than there are
        for recompute, zero, pipeline, tensor, expert in _splits(
            model.shape.layers, _tensors(model, setup), model.experts, setup
        ):
            yield Layout(
                tensor=tensor, pipeline=pipeline, data=expert, expert=expert, zero=zero,
                recompute=recompute,
            )  # fmt: skip


def _asked(setup: TrainingSetup) -> bool:
    given = (setup.tensor, setup.pipeline, setup.data, setup.expert)
    return setup.fsdp_only or any(one is not None for one in given)


def _reason(
    layout: Layout, parts: MemoryParts, tried: list[tuple[Layout, MemoryParts]], usable: float,
    *, asked: bool,
) -> str:  # fmt: skip
    """Say why the first layout that fits is not a simpler one."""
    held = _of(parts, usable)
    if asked:
        return f"as asked: {held}"
    if not tried:
        alone = layout.model_accelerators == 1
        return f"{held}; {'nothing need be split' if alone else 'less would leave some idle'}"
    alike = [one for one in tried if _kind(one[0]) == _kind(layout)]
    if alike:
        near, needs = alike[-1]
        what = f"TP{near.tensor} x PP{near.pipeline}"
        what += f" x EP{near.expert}" if near.expert != layout.expert else ""
    else:
        near, needs = min(tried, key=lambda one: one[1].total)
        what = "without recompute" if near.recompute != layout.recompute else f"ZeRO-{near.zero}"
    return f"{held}; {what} needs {_gib(needs.total)}"


def _kind(layout: Layout) -> tuple[Recompute, bool]:
    """Return what is tried before layouts are split further; a single copy shares nothing."""
    return layout.recompute, layout.zero >= SHARED_WEIGHTS


def _of(parts: MemoryParts, usable: float) -> str:
    return f"{_gib(parts.total)} of {_gib(usable)} GiB"


def _gib(value: float) -> str:
    return format_significant(value, 3)


def layout_assumptions(setup: TrainingSetup) -> tuple[Assumption, ...]:
    """Return what the layout rests on."""
    node = planning_default("node_size")
    found = [node.assumption()]
    if setup.node_size is not None:
        found = [Assumption(name=node.name, value=setup.node_size, unit=node.unit, source="given")]
    asked = {
        "tp": setup.tensor, "pp": setup.pipeline, "dp": setup.data, "ep": setup.expert,
        "ZeRO": setup.zero, "recompute": setup.recompute, "micro-batch": setup.micro_batch,
    }  # fmt: skip
    given = [f"{name} {value}" for name, value in asked.items() if value is not None]
    given += ["fully sharded data parallelism alone"] if setup.fsdp_only else []
    searched = "searched: few stages, then little tensor parallelism; ZeRO-1 and no recompute first"
    found.append(
        Assumption(
            name="layout", value=", ".join(given) or searched, source="given" if given else
            "Narayanan et al. 2021, arXiv 2104.04473, section 3",
        )
    )  # fmt: skip
    return tuple(found)
