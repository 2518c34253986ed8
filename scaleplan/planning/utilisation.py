"""What share of their peak published runs reached, by part, size and number of accelerators."""

from __future__ import annotations

import math
from collections.abc import Iterable

from scaleplan.catalog import accelerator as catalog_accelerator
from scaleplan.catalog import planning_default
from scaleplan.records import Accelerator

# Parameters and GiB at which the factors of size and memory are 1.
_REFERENCE_PARAMS = 1e10
_REFERENCE_MEMORY_GIB = 80.0
# The part whose MFU of single steps is that of the classes without one of their own.
_STEADY_REFERENCE = "h100_sxm_80gb"
# The part on which the fixed cost of a token was read.
_FIXED_REFERENCE = "a100_sxm_80gb"
# The class of which published runs had only large clusters, and no rates of few chips are read.
_LARGE_ONLY = ("tpu",)
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
    """Return the whole-run MFU u of published runs, before what is lost to their number of devices.

    u = u0 x (N / 10B)^0.05 x N / (N + 20M b) x min(1, memory / 80 GiB)^0.2, x 0.8 for a mixture of
    experts; b is the part's peak over its bandwidth of memory, over that of an A100 80GB. On
    clusters of GPUs x (N + 20M b) / (N + 100M b). The powers of N and memory, and N of the last
    factor, are held at the ends of the published runs.

    Args:
        accelerator: Its class gives u0; a part without runs is scaled by its matmul efficiency.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        vision: Whether it is a vision transformer, which has no power of memory.
    """
    utilisation = planning_default(f"utilisation_{accelerator.utilisation_class}").value
    if accelerator.utilisation_class == "other" and accelerator.matmul_efficiency is not None:
        reference = planning_default("matmul_efficiency_reference").value
        utilisation *= accelerator.matmul_efficiency / reference
    low = planning_default("utilisation_size_low").value
    high = planning_default("utilisation_size_high").value
    size = min(max(active_params, low), high) / _REFERENCE_PARAMS
    utilisation *= float(size ** planning_default("utilisation_size_exponent").value)
    utilisation *= _cluster_factor(accelerator, max(active_params, low))
    return utilisation * _common_factors(accelerator, active_params, moe=moe, vision=vision)


def run_utilisation(
    accelerator: Accelerator, *, active_params: float, moe: float, gpus: float, node: int,
    vision: bool = False,
) -> float:  # fmt: skip
    """Return the whole-run MFU before what the number of devices costs each step.

    Inside a node, whole runs are as fast as single steps. From there to eight nodes the MFU falls
    to `base_utilisation` with the logarithm of their number: that was chosen on runs on more.

    Args:
        accelerator: Its class.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        gpus: Accelerators.
        node: Accelerators of a node.
        vision: Whether it is a vision transformer.
    """
    large = base_utilisation(accelerator, active_params=active_params, moe=moe, vision=vision)
    if accelerator.utilisation_class in _LARGE_ONLY:
        return large
    small = steady_mfu(accelerator, None)
    if accelerator.utilisation_class == "other" and accelerator.matmul_efficiency is not None:
        small *= accelerator.matmul_efficiency
        small /= planning_default("matmul_efficiency_reference").value
    small *= _common_factors(accelerator, active_params, moe=moe, vision=vision)
    nodes = max(gpus / node, 1.0)
    share = min(math.log(nodes) / math.log(planning_default("small_cluster_nodes").value), 1.0)
    return max(large, float(small ** (1.0 - share) * large**share))


def small_cluster_defaults(accelerators: Iterable[Accelerator], nodes: float) -> tuple[str, ...]:
    """Return the planning defaults that the MFU of a cluster rests on for being small.

    Args:
        accelerators: Its parts.
        nodes: Its nodes.
    """
    known = [part for part in accelerators if part.utilisation_class not in _LARGE_ONLY]
    if not known or nodes >= planning_default("small_cluster_nodes").value:
        return ()
    line = ("steady_balance",) if any(map(on_line, known)) else ()
    return (*sorted({steady_default(part) for part in known}), *line, "small_cluster_nodes")


def run_band(
    accelerator: Accelerator, *, active_params: float, gpus: float, node: int
) -> tuple[str, str]:
    """Return the planning defaults of the band of the time, over the expected one.

    Args:
        accelerator: Its class; clusters of V100 have an end of their own.
        active_params: Parameters per token; small models have ends of their own.
        gpus: Accelerators.
        node: Accelerators of a node.
    """
    size = "_small" if active_params < planning_default("time_band_params").value else ""
    own = accelerator.utilisation_class == "v100" and gpus > node
    return f"time_band_low{size}", f"time_band_high{'_v100' if own else size}"


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
    return accelerator.utilisation_class not in _LARGE_ONLY


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
    return "steady_a100" if accelerator.utilisation_class == "a100" else "steady_other"
