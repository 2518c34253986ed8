"""How a model is spread over a cluster: the fastest layout that fits, and why it is that one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from scaleplan.catalog import planning_default
from scaleplan.planning.layouts import SHARED_WEIGHTS, layout_of, model_splits
from scaleplan.planning.memory import Layout, MemoryModel, MemoryParts
from scaleplan.records import Recompute, TrainingSetup
from scaleplan.records.base import Record
from scaleplan.units import format_significant

# Speeds that differ by less are equal, and the simpler layout is taken.
_EQUAL = 1e-9
_HARDLY = 1.005  # rounds to one, so that the idle accelerators say more
# A layout -> the speed of the training in it, in any unit.
Pace: TypeAlias = Callable[[Layout], float]


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
    model: MemoryModel, *, gpus: int, memory_gib: float, setup: TrainingSetup, pace: Pace
) -> MemoryUse:
    """Return the fastest layout that fits, or the one that takes least where none does.

    Of equally fast ones it is the simplest, in this order: no recomputation, weights not shared
    between copies, whole sequences, few stages, little tensor parallelism (inside a node, for
    beyond it costs more than it saves, and no more than heads), experts little spread.

    Args:
        model: The model and how it is trained.
        gpus: Accelerators.
        memory_gib: Memory of one accelerator.
        setup: What of the layout is given.
        pace: How fast the training is in a layout.
    """
    usable = planning_default("usable_memory").value * memory_gib
    found, slower = _fastest(model, gpus=gpus, usable=usable, setup=setup, pace=pace)
    if found is not None:
        parts = model.use(found)
        reason = _of(parts, usable)
        if _asked(setup):
            reason = f"as asked: {reason}"
        elif slower is not None:
            reason += f"; {_slower(slower, found, pace)}"
        else:
            simpler = takewhile(lambda one: one != found, _layouts(model, gpus, setup))
            reason += f"; {_needs_more(model, found, tuple(simpler))}"
        return MemoryUse(layout=found, parts=parts, usable_gib=usable, fits=True, reason=reason)
    return _least(model, gpus, usable, setup)


def _least(model: MemoryModel, gpus: int, usable: float, setup: TrainingSetup) -> MemoryUse:
    """Return the layout that takes least memory, or the fewest accelerators if it would fit."""
    tried = [(layout, model.use(layout)) for layout in _layouts(model, gpus, setup)]
    layout, parts = min(tried, key=lambda one: one[1].total)
    reason = f"{'as asked' if _asked(setup) else 'nothing fits'}: at least {_of(parts, usable)}"
    holding = [one for one in tried if one[1].total <= usable]
    if holding:
        layout, parts = min(holding, key=lambda one: one[0].accelerators)
        reason = f"fits with {_of(parts, usable)}, but on {layout.accelerators} accelerators"
    return MemoryUse(layout=layout, parts=parts, usable_gib=usable, fits=False, reason=reason)


def _fastest(
    model: MemoryModel, *, gpus: int, usable: float, setup: TrainingSetup, pace: Pace
) -> tuple[Layout | None, Layout | None]:
    """Return the fastest layout that fits, and the fastest of simpler ones that fit as well."""
    best, enough, found, slower = 0.0, 0, None, None
    limits: dict[Recompute, float] = {}
    for layout in _layouts(model, gpus, setup):
        used, kind = layout.accelerators, layout.recompute
        if kind not in limits:
            limits[kind] = pace(_copies(gpus, kind)) * (1.0 - _EQUAL)
        if best >= limits[kind]:
            break
        if not enough < used <= gpus:
            continue
        speed = pace(layout)
        if speed > best * (1.0 + _EQUAL) and model.use(layout).total <= usable:
            best, found, slower = speed, layout, found
            if speed >= pace(_copies(used, kind)) * (1.0 - _EQUAL):
                enough = used  # as fast as so many can be
    return found, slower


def _copies(count: int, recompute: Recompute) -> Layout:
    """Return copies on so many accelerators; no other layout of as many is faster."""
    return Layout(tensor=1, pipeline=1, data=count, zero=0, recompute=recompute)


def _layouts(model: MemoryModel, gpus: int, setup: TrainingSetup) -> Iterator[Layout]:
    """Yield the layouts of a cluster, each with as many copies as have work, the simplest first."""
    most = model.sequences // model.micro_batch
    splits = model_splits(model, setup)
    none = True
    for split in splits:
        _, zero, context, pipeline, tensor, expert = split
        data = setup.data or min(gpus // (context * tensor * pipeline), most) // expert * expert
        alone = data * context == 1
        if data < 1 or (alone and zero >= 3 and setup.zero is None and not setup.fsdp_only):
            continue
        none = False
        yield layout_of(split, data)
    if none:  # what was asked for needs more than there are
        for split in splits:
            yield layout_of(split, split[-1])


def _asked(setup: TrainingSetup) -> bool:
    given = (setup.tensor, setup.pipeline, setup.data, setup.expert, setup.context)
    return setup.fsdp_only or any(one is not None for one in given)


def _slower(simpler: Layout, layout: Layout, pace: Pace) -> str:
    """Say what a simpler layout that fits as well costs."""
    what = _named(simpler, layout)
    times = pace(layout) / pace(simpler)
    idle = layout.accelerators - simpler.accelerators
    if times < _HARDLY:
        return f"{what} leaves {idle:,} more idle" if idle > 0 else f"{what} takes hardly longer"
    return f"{what} takes {format_significant(times, 3)} times as long"


def _needs_more(model: MemoryModel, layout: Layout, simpler: tuple[Layout, ...]) -> str:
    """Say what the next simpler layout would need."""
    if not simpler:
        alone = layout.model_accelerators == 1
        return "nothing need be split" if alone else "the simplest there is"
    alike = [one for one in simpler if _kind(one) == _kind(layout)]
    near = alike[-1] if alike else min(simpler, key=lambda one: model.use(one).total)
    return f"{_named(near, layout)} needs {_gib(model.use(near).total)}"


def _named(near: Layout, layout: Layout) -> str:
    """Name a simpler layout by what sets it apart from another."""
    said = []
    split = (near.tensor, near.pipeline, near.expert, near.context)
    shared = near.zero >= SHARED_WEIGHTS
    alike = near.recompute == layout.recompute and shared == (layout.zero >= SHARED_WEIGHTS)
    if split != (layout.tensor, layout.pipeline, layout.expert, layout.context) or alike:
        sequences = f" x CP{near.context}" if max(near.context, layout.context) > 1 else ""
        said.append(f"TP{near.tensor}{sequences} x PP{near.pipeline}")
    if near.expert != layout.expert:
        said[0] += f" x EP{near.expert}"
    if near.recompute != layout.recompute:
        said.append("without recompute")
    elif not alike:
        said.append(f"ZeRO-{near.zero}" if near.zero else "no ZeRO")
    return " ".join(said)


def _kind(layout: Layout) -> tuple[Recompute, bool]:
    """Return what is tried before layouts are split further; a single copy shares nothing."""
    return layout.recompute, layout.zero >= SHARED_WEIGHTS


def _of(parts: MemoryParts, usable: float) -> str:
    return f"{_gib(parts.total)} of {_gib(usable)} GiB"


def _gib(value: float) -> str:
    return format_significant(value, 3)
