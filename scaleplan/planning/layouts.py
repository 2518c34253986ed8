"""The ways to spread a model over a cluster, simplest first, and the fewest that hold it."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

from scaleplan.catalog import planning_default
from scaleplan.planning.memory import Layout, MemoryModel
from scaleplan.planning.shape import Shape
from scaleplan.records import Assumption, Recompute, TrainingSetup

SHARED_WEIGHTS = 3  # the ZeRO stage that shares weights
# (recompute, ZeRO, context, pipeline, tensor, expert)
Split: TypeAlias = tuple[Recompute, int, int, int, int, int]


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
    for split in sorted(model_splits(model, setup), key=lambda one: math.prod(one[2:])):
        if best is not None and math.prod(split[2:]) >= best:
            break
        copies = _fewest_copies(model, split, usable, setup.data)
        if copies is not None:
            needs = math.prod(split[2:-1]) * copies
            best = needs if best is None else min(best, needs)
    if best is None:
        return None
    node = node_size(setup)
    return best if best <= node else -(-best // node) * node


def _fewest_copies(
    model: MemoryModel, split: Split, usable: float, asked: int | None
) -> int | None:
    """Return the fewest copies with which a way to split the model fits, None if none do."""
    expert = split[-1]

    def fits(groups: int) -> bool:
        return model.use(layout_of(split, groups * expert)).total <= usable

    if asked is not None:
        return asked if asked % expert == 0 and fits(asked // expert) else None
    # Each copy has work with a micro-batch, however long stages of a pipeline then wait.
    low, high = 0, model.sequences // model.micro_batch // expert
    if high < 1 or not fits(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high * expert


def layout_of(split: Split, data: int) -> Layout:
    """Return a way to split a model in so many copies; one alone shares nothing."""
    recompute, zero, context, pipeline, tensor, expert = split
    return Layout(
        tensor=tensor, pipeline=pipeline, data=data, expert=expert, context=context,
        zero=zero if data * context > 1 else 0, recompute=recompute,
    )  # fmt: skip


def most_accelerators(model: MemoryModel, layout: Layout) -> int:
    """Return how many accelerators could have work: a micro-batch for each copy of the model.

    g <= (B / s) x TP x PP (Narayanan et al. 2021, arXiv 2104.04473, section 2).
    """
    return model.sequences // model.micro_batch * layout.model_accelerators * layout.context


def largest_cluster(model: MemoryModel, setup: TrainingSetup) -> int:
    """Return how many accelerators could have work in any layout that is searched."""
    tensor = 1 if setup.fsdp_only else _tensors(model, setup)[-1]
    pipeline = setup.pipeline or (1 if setup.fsdp_only else model.shape.layers)
    return model.sequences // model.micro_batch * tensor * pipeline * _contexts(model, setup)[-1]


def node_size(setup: TrainingSetup) -> int:
    """Return the accelerators of a node: the user's, or the usual eight."""
    return setup.node_size or int(planning_default("node_size").value)


def model_splits(model: MemoryModel, setup: TrainingSetup) -> tuple[Split, ...]:
    """Return all ways to split a model, the simplest first.

    Args:
        model: The model and how it is trained.
        setup: What of the layout is given.
    """
    return _splits(
        model.shape.layers, _contexts(model, setup), _tensors(model, setup), model.experts, setup
    )


@lru_cache(maxsize=64)
def _splits(
    layers: int,
    contexts: tuple[int, ...],
    tensors: tuple[int, ...],
    experts: int,
    setup: TrainingSetup,
) -> tuple[Split, ...]:
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
        (recompute, zero, context, pipeline, tensor, expert)
        for recompute in recomputes
        for zero in zeros
        for context in contexts
        # Gathering weights for every micro-batch of every stage is not done unless asked for.
        for pipeline in (stages if zero < 3 or setup.pipeline is not None else (1,))
        for tensor in tensors
        for expert in spread
    )


def _contexts(model: MemoryModel, setup: TrainingSetup) -> tuple[int, ...]:
    """Return the degrees of context parallelism to try, smallest first: where sequences are long.

    Each accelerator keeps as many tokens as published trainings that split sequences left it.
    """
    if setup.context is not None:
        return (setup.context,)
    if setup.fsdp_only or setup.fixes_accelerators:
        return (1,)
    return _powers(max(1, model.sequence_length // int(planning_default("context_tokens").value)))


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


def layout_assumptions(setup: TrainingSetup, shape: Shape) -> tuple[Assumption, ...]:
    """Return what the layout rests on.

    Args:
        setup: What of it is given.
        shape: The transformer; where it is assumed, a given layout may say more of its heads.
    """
    node = planning_default("node_size")
    found = [node.assumption()]
    if setup.node_size is not None:
        found = [Assumption(name=node.name, value=setup.node_size, unit=node.unit, source="given")]
    asked = {
        "tp": setup.tensor, "pp": setup.pipeline, "dp": setup.data, "ep": setup.expert,
        "cp": setup.context,
        "ZeRO": setup.zero, "recompute": setup.recompute, "micro-batch": setup.micro_batch,
    }  # fmt: skip
    given = [f"{name} {value}" for name, value in asked.items() if value is not None]
    given += ["fully sharded data parallelism alone"] if setup.fsdp_only else []
    searched = "searched: the fastest that fits; of equally fast ones few stages, then little "
    searched += "tensor parallelism"
    found.append(
        Assumption(
            name="layout", value=", ".join(given) or searched, source="given" if given else
            "Narayanan et al. 2021, arXiv 2104.04473, section 3",
        )
    )  # fmt: skip
    if setup.tensor is not None and not shape.origin and shape.heads % setup.tensor:
        found.append(Assumption(
            name="heads", value=f"a multiple of tp={setup.tensor}, not the {shape.heads} assumed",
            source="tensor parallelism gives each accelerator whole heads; --shape says how many",
        ))  # fmt: skip
    return tuple(found)
