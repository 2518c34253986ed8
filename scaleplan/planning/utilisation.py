"""What share of their peak published runs reached, by part, size and number of accelerators."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scaleplan.catalog import accelerator as catalog_accelerator
from scaleplan.catalog import planning_default
from scaleplan.planning.compute import accelerator_hours
from scaleplan.records import Accelerator
from scaleplan.records.base import Record

# Accelerator-hours up to which a training is as fast as its steps, and from which it is long.
LONG_HOURS = ("short_run_hours", "long_run_hours")

# Parameters and GiB at which the factors of size and memory are 1.
_REFERENCE_PARAMS = 1e10
_REFERENCE_MEMORY_GIB = 80.0
# The part whose MFU of single steps is that of the classes without one of their own.
_STEADY_REFERENCE = "h100_sxm_80gb"
# The part on which the fixed cost of a token was read.
_FIXED_REFERENCE = "a100_sxm_80gb"
# Classes of which no run tells that small models lose more on clusters.
_EVEN_ON_CLUSTERS = ("tpu",)
# Classes whose whole runs are known of the H100 alone: what they lose is that share of their steps.
_WHOLE_OF_H100 = ("h100", "other")
# Classes whose MFU of single steps is on the line through the A100 and the H100.
_ON_LINE = ("h100", "other", "v100")


def routed(active_params: float, params: float) -> float:
    """Return how much of the losses of a mixture of experts a model has, from 0 (dense) to 1.

    Routing costs what it costs however few parameters are left out, but a model that uses nearly
    all is one with few and small experts, of which little is routed: the losses grow with the
    unused share, to those that were measured at `moe_full_share`.

    Args:
        active_params: Parameters per token.
        params: All parameters.
    """
    unused = max(0.0, 1.0 - active_params / params)
    return min(1.0, unused / (1.0 - planning_default("moe_full_share").value))


def base_utilisation(
    accelerator: Accelerator, *, active_params: float, moe: float, vision: bool = False
) -> float:
    """Return the MFU u of long published runs on clusters, before what their number costs a step.

    u = u0 x (N / 10B)^0.05 x N / (N + 20M b) x min(1, memory / 80 GiB)^0.2, x 0.8 for a mixture of
    experts; b is the part's peak over its bandwidth of memory, over that of an A100 80GB. On
    clusters of GPUs x (N + 20M b) / (N + 100M b). The powers of N and memory, and N of the last
    factor, are held at the ends of the published runs.

    Args:
        accelerator: Its class gives u0; a part without runs is scaled by its matmul efficiency, and
            one with the class of the H100 by its MFU of single steps.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        vision: Whether it is a vision transformer, which has no power of memory.
    """
    found = reached(accelerator, active_params, moe=moe, vision=vision)
    return found.long * found.cluster


def run_utilisation(
    accelerator: Accelerator, *, active_params: float, moe: float, gpus: float, node: int,
    flops: float, vision: bool = False,
) -> float:  # fmt: skip
    """Return the whole-run MFU before what the number of devices costs each step.

    Short trainings are as fast as their steps. With the logarithm of the accelerator-hours that
    those steps take, the MFU falls to that of long published ones: how many accelerators share the
    work does not change that, so that counts of one plan compare. What small models lose beyond a
    node grows with the logarithm of the nodes.

    Args:
        accelerator: Its class.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        gpus: Accelerators.
        node: Accelerators of a node.
        flops: FLOP of the training, those of attention included; 0 is a single step.
        vision: Whether it is a vision transformer.
    """
    found = reached(accelerator, active_params, moe=moe, vision=vision)
    hours = accelerator_hours(flops, peak_tflops=accelerator.peak_tflops, utilisation=found.steps)
    return float(found.at(hours) * found.cluster ** node_share(gpus / node))


def node_share(nodes: float) -> float:
    """Return how much of its loss on clusters a small model has on so many nodes, from 0 to 1.

    Args:
        nodes: Nodes of the cluster; 1 or fewer are no cluster.
    """
    most = planning_default("small_cluster_nodes").value
    return min(math.log(max(nodes, 1.0)) / math.log(most), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Reached(Record):
    """What trainings of a model reach of a part's peak.

    Args:
        steps: Single steps, inside a node.
        long: Long trainings, were they inside a node.
        cluster: What is left of either on a large cluster, where small models lose more.
    """

    steps: float
    long: float
    cluster: float

    def at(self, hours: float) -> float:
        """Return the MFU of a training whose steps take so many accelerator-hours."""
        share = long_share(hours)
        return float(self.steps ** (1.0 - share) * min(self.long, self.steps) ** share)


def long_share(hours: float) -> float:
    """Return how far a training is from single steps (0) to long published ones (1).

    Args:
        hours: Accelerator-hours that its steps take.
    """
    short, long = (planning_default(name).value for name in LONG_HOURS)
    if hours <= short:
        return 0.0
    return min(math.log(hours / short) / math.log(long / short), 1.0)


def reached(accelerator: Accelerator, active_params: float, *, moe: float, vision: bool) -> Reached:
    """Return what trainings of a model reach of a part's peak, by the published ones.

    Args:
        accelerator: Its class.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        vision: Whether it is a vision transformer.
    """
    long = planning_default(f"utilisation_{accelerator.utilisation_class}").value
    steps = steady_mfu(accelerator, None)
    if accelerator.utilisation_class in _WHOLE_OF_H100:
        long *= steps / planning_default("steady_other").value
    if accelerator.utilisation_class == "other" and accelerator.matmul_efficiency is not None:
        reference = planning_default("matmul_efficiency_reference").value
        long *= accelerator.matmul_efficiency / reference
        steps *= accelerator.matmul_efficiency / reference
    low = planning_default("utilisation_size_low").value
    high = planning_default("utilisation_size_high").value
    size = min(max(active_params, low), high) / _REFERENCE_PARAMS
    long *= float(size ** planning_default("utilisation_size_exponent").value)
    common = _common_factors(accelerator, active_params, moe=moe, vision=vision)
    return Reached(
        steps=steps * common, long=long * common,
        cluster=_cluster_factor(accelerator, max(active_params, low)),
    )  # fmt: skip


def step_defaults(accelerators: Iterable[Accelerator]) -> tuple[str, ...]:
    """Return the planning defaults of the MFU of short trainings, and of where they end.

    Args:
        accelerators: The parts of a plan.
    """
    known = list(accelerators)
    line = ("steady_balance",) if any(map(on_line, known)) else ()
    return (*sorted({steady_default(part) for part in known}), *line, *LONG_HOURS)


def run_band(
    accelerator: Accelerator, *, active_params: float, gpus: float, node: int, moe: float = 0.0
) -> tuple[str, str]:
    """Return the planning defaults of the band of the time, over the expected one.

    Args:
        accelerator: Its class; clusters of V100 and TPU have ends of their own.
        active_params: Parameters per token; small models have ends of their own.
        gpus: Accelerators.
        node: Accelerators of a node.
        moe: How much of the losses of a mixture of experts it has; mixtures with few active
            parameters have an end of their own.
    """
    size = "_small" if active_params < planning_default("time_band_params").value else ""
    own = accelerator.utilisation_class == "v100" and gpus > node
    mixed = "_moe" if size and moe > 0.0 else ""
    low = "_tpu" if accelerator.utilisation_class == "tpu" else size
    return f"time_band_low{low}", f"time_band_high{'_v100' if own else mixed + size}"


def _common_factors(
    accelerator: Accelerator, active_params: float, *, moe: float, vision: bool
) -> float:
    """Return what small models, little memory and experts leave of the MFU.

    A token's fixed cost, of logits and of what is no product, is bytes of memory: in products it is
    as much more as a part's peak is over its bandwidth. What a vision transformer keeps of its
    optimiser leaves room for batches that fill the part.
    """
    factor = 1.0 / (1.0 + _fixed(accelerator, "utilisation_fixed_params") / active_params)
    least = planning_default("utilisation_memory_low").value
    memory = min(max(accelerator.memory_gib, least) / _REFERENCE_MEMORY_GIB, 1.0)
    if not vision:
        factor *= memory ** planning_default("utilisation_memory_exponent").value
    return float(factor * planning_default("utilisation_moe_factor").value ** moe)


def _cluster_factor(accelerator: Accelerator, params: float) -> float:
    """Return what a cluster leaves of the MFU of small models, beside their loss inside a node.

    What a step does beside products does not shrink with the model, and beyond a node there is more
    of it. No published run tells what it is on chips that had large clusters only.
    """
    if not loses_more_on_clusters(accelerator):
        return 1.0
    inside = _fixed(accelerator, "utilisation_fixed_params")
    beyond = _fixed(accelerator, "utilisation_fixed_params_cluster")
    return (params + inside) / (params + beyond)


def loses_more_on_clusters(accelerator: Accelerator) -> bool:
    """Return whether the fixed cost of a token is larger on clusters of a part than in a node."""
    return accelerator.utilisation_class not in _EVEN_ON_CLUSTERS


def _fixed(accelerator: Accelerator, name: str) -> float:
    """Return the parameters whose work is a part's fixed cost of a token, by a planning default."""
    fixed = planning_default(name).value
    if accelerator.memory_bandwidth_gbs is None:
        return fixed
    return fixed * _balance(accelerator) / _balance(catalog_accelerator(_FIXED_REFERENCE))


def steady_mfu(accelerator: Accelerator, mfu: float | None) -> float:
    """Return the MFU u of single steps: the user's, or the table's.

    A step is products, bound by the peak P, and the rest, bound by the bandwidth BW of memory, so
    that 1/u grows with P / BW. Parts of no class of their own lie on that line.
    """
    if mfu is not None:
        return mfu
    default = planning_default(steady_default(accelerator)).value
    if not on_line(accelerator):
        return default
    reference = catalog_accelerator(_STEADY_REFERENCE)
    growth = planning_default("steady_balance").value
    return 1.0 / (1.0 / default + growth * (_balance(accelerator) - _balance(reference)))


def on_line(accelerator: Accelerator) -> bool:
    """Return whether a part's MFU of single steps follows its peak and its memory."""
    if accelerator.utilisation_class not in _ON_LINE or accelerator.memory_bandwidth_gbs is None:
        return False
    return _balance(accelerator) != _balance(catalog_accelerator(_STEADY_REFERENCE))


def _balance(accelerator: Accelerator) -> float:
    """Return the peak over the bandwidth of memory, FLOP/B."""
    return accelerator.peak_tflops * 1e3 / (accelerator.memory_bandwidth_gbs or math.inf)


def steady_default(accelerator: Accelerator) -> str:
    """Return the planning default of a part's MFU of single steps."""
    own = {"a100": "steady_a100", "tpu": "steady_tpu"}
    return own.get(accelerator.utilisation_class, "steady_other")
