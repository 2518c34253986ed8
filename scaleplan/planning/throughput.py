"""How fast a training run goes: its batch, and what is lost with the number of devices.

    T = C / (g x peak x u x E),    E = 1 / (1 + w0 g / B)

with g accelerators and B tokens a step. The pipeline's bubble and the exposed exchange of gradients
both grow as 1 / (B / g) and do not depend on the model's size, which is why one w0 serves all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scaleplan.catalog import planning_default
from scaleplan.errors import UsageError
from scaleplan.planning.compute import FLOPS_PER_PARAM_TOKEN, FULL_RECOMPUTE
from scaleplan.planning.utilisation import (
    loses_more_on_clusters,
    on_line,
    run_band,
    steady_default,
    steady_mfu,
    step_defaults,
)
from scaleplan.records import Accelerator, Assumption, PlanRow

_FLOPS_PER_TFLOP = 1e12
_HALF_SPEED = ("half_speed_tokens_dense", "half_speed_tokens_moe")
_BYTES_PER_GB = 1e9
# PCIe is slower than this, links made for training are not; published runs had only such.
_SLOW_LINKS_GBS = 100.0


def cluster_efficiency(
    gpus: float, *, batch_tokens: float, moe: float, accelerator: Accelerator | None = None
) -> float:
    """Return E, the share of an accelerator's speed that is kept on so many.

    Args:
        gpus: Accelerators.
        batch_tokens: Tokens per step over all of them.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        accelerator: Its network; None is that of GPUs.
    """
    return 1.0 / (1.0 + half_speed_tokens(moe=moe, accelerator=accelerator) * gpus / batch_tokens)


def sharded_knee(
    accelerator: Accelerator, *, full_recompute: bool, mfu: float | None = None
) -> float:
    """Return the tokens per accelerator and step below which full sharding waits for the network.

    w_c = 6 P u / (F BW): 6 bytes a parameter and step against F = 6 FLOP a parameter and token, 8
    with full recomputation (Rajbhandari et al. 2020, arXiv 1910.02054, section 7).

    Args:
        accelerator: Its peak P and network BW.
        full_recompute: Whether the forward pass is computed twice.
        mfu: The user's MFU u of single steps; None takes the table.
    """
    use = steady_mfu(accelerator, mfu)
    # The hardware runs as fast whether or not the work counts as the model's.
    work = FLOPS_PER_PARAM_TOKEN * (FULL_RECOMPUTE if full_recompute else 1.0)
    rate = link_rate(accelerator, inside=False)
    moved = planning_default("fsdp_bytes").value
    return moved * accelerator.peak_tflops * _FLOPS_PER_TFLOP * use / (work * rate)


def link_rate(accelerator: Accelerator, *, inside: bool) -> float:
    """Return the bytes a second that collective operations move, one direction per device.

    Args:
        accelerator: Its links; where the catalogue has none, those of the usual server.
        inside: Whether they stay inside a node, or use the network.
    """
    network = accelerator.inter_node_gbs or planning_default("network_gbs").value
    links = accelerator.intra_node_gbs or network
    share = planning_default("network_share").value
    return (links if inside else network) * _BYTES_PER_GB * share


def tensor_efficiency(accelerator: Accelerator, *, tensor: int, width: int) -> float:
    """Return the share of its speed that tensor parallelism keeps on PCIe.

    A layer sends 4 all-reduces of 2 b s h bytes for 72 b s h^2 / t FLOP (Shoeybi et al. 2019, arXiv
    1909.08053, section 3): the time for them over that of the work is r = (2/9) (t - 1) P u / (h
    BW). What r is on NVLink is in the utilisation of published runs, so that the share is
    (1 + r_NVLink) / (1 + r); on other links made for training it is taken to be 1.

    Args:
        accelerator: Its peak P and links BW.
        tensor: Degree t of tensor parallelism.
        width: Width h of the model.
    """
    usual = planning_default("tensor_link_gbs").value
    links = accelerator.intra_node_gbs
    if tensor == 1 or links is None or links >= _SLOW_LINKS_GBS:
        return 1.0
    work = accelerator.peak_tflops * _FLOPS_PER_TFLOP * steady_mfu(accelerator, None)
    apart = 2.0 / 9.0 * (tensor - 1) * work / (width * _BYTES_PER_GB)
    return (1.0 + apart / usual) / (1.0 + apart / links)


def sharded_assumptions(accelerators: tuple[Accelerator, ...]) -> tuple[Assumption, ...]:
    """Return what the speed of full sharding rests on.

    Args:
        accelerators: Those that are planned with.
    """
    names = sorted(set(map(steady_default, accelerators)))
    names += ["steady_balance"] if any(map(on_line, accelerators)) else []
    names += ["fsdp_bytes", "network_share"]
    if any(part.inter_node_gbs is None for part in accelerators):
        names.append("network_gbs")
    return tuple(planning_default(name).assumption() for name in names)


def half_speed_tokens(*, moe: float, accelerator: Accelerator | None = None) -> float:
    """Return w0, the tokens per accelerator and step at which half the speed is lost.

    Args:
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        accelerator: Its network; None is that of GPUs.
    """
    if accelerator is not None and accelerator.utilisation_class == "tpu":
        return planning_default("half_speed_tokens_tpu").value
    dense, most = (planning_default(name).value for name in _HALF_SPEED)
    return float(dense ** (1.0 - moe) * most**moe)


def _half_speed(accelerator: Accelerator, *, moe: float) -> tuple[str, ...]:
    """Return the planning defaults of w0."""
    if accelerator.utilisation_class == "tpu":
        return ("half_speed_tokens_tpu",)
    return tuple(name for name, part in zip(_HALF_SPEED, (1.0 - moe, moe), strict=True) if part)


def useful_accelerators(batch_tokens: float, *, step_tokens: float | None = None) -> float:
    """Return the count at which adding accelerators stops paying: B over 1,000 tokens for each.

    Args:
        batch_tokens: Tokens per step over all of them.
        step_tokens: Tokens per accelerator and step that the network needs; None if it does not
            bound the time.
    """
    least = planning_default("step_tokens_useful").value
    return batch_tokens / max(least, step_tokens or 0.0)


def useful_batch(tokens: float) -> float:
    """Return the batch in tokens beyond which more than 20% of the work is wasted: 22.91 D^0.47.

    Args:
        tokens: Training tokens D.
    """
    coefficient = planning_default("batch_coefficient").value
    return coefficient * float(tokens ** planning_default("batch_exponent").value)


def choose_batch(tokens: float, *, sequence_length: int, asked: float | None) -> float:
    """Return the global batch in tokens: the user's, or the largest that wastes little.

    It is never less than a sequence nor more than the training tokens, where the two agree.

    Args:
        tokens: Training tokens.
        sequence_length: Tokens per sequence.
        asked: The user's batch in tokens, None for the rule.

    Raises:
        UsageError: If the user's batch is smaller than a sequence or larger than all the data.
    """
    if asked is None:
        return min(max(useful_batch(tokens), float(sequence_length)), tokens)
    if asked > tokens:
        message = f"a batch of {asked:g} tokens is more than the {tokens:g} training tokens"
        raise UsageError(message, hint="Give a smaller --batch, or leave it out.")
    if asked < min(sequence_length, tokens):
        message = f"a batch of {asked:g} tokens is less than a sequence of {sequence_length}"
        raise UsageError(message, hint="--batch counts tokens, not sequences.")
    return asked


def _of_attention(length: int | None) -> tuple[str, ...]:
    """Return the planning defaults of what attention takes in sequences of this length."""
    if length is None:
        return ()
    long = length > planning_default("attention_length_high").value
    more = ("attention_length_high", "attention_weight_high") if long else ()
    return ("attention_length", *more)


def throughput_assumptions(
    accelerators: tuple[Accelerator, ...],
    *,
    active_params: float,
    moe: float,
    measured: bool,
    batch_given: bool,
    most_nodes: float,
    vision: bool,
    sequence_length: int | None = None,
) -> tuple[Assumption, ...]:
    """Return what the times rest on.

    Args:
        accelerators: Those that are planned with.
        active_params: Parameters per token.
        moe: How much of the losses of a mixture of experts it has, by `routed`.
        measured: Whether the user gave his own MFU.
        batch_given: Whether the user gave his own batch.
        most_nodes: Nodes of the largest.
        vision: Whether the model is a vision transformer.
        sequence_length: Tokens per sequence; None where its work is counted with attention.
    """
    names: list[str] = []
    if not measured:
        names += step_defaults(accelerators)
        names += sorted({f"utilisation_{part.utilisation_class}" for part in accelerators})
        if any(part.utilisation_class == "other" for part in accelerators):
            names.append("matmul_efficiency_reference")
        names += ["utilisation_size_exponent", "utilisation_fixed_params"]
        if most_nodes > 1.0 and any(map(loses_more_on_clusters, accelerators)):
            names += ["utilisation_fixed_params_cluster", "small_cluster_nodes"]
        names += [] if vision else ["utilisation_memory_exponent"]
        names += _of_attention(sequence_length)
        names += ["utilisation_moe_factor", "moe_full_share"] if moe else []
        ends = [
            run_band(part, active_params=active_params, gpus=most_nodes, node=1, moe=moe)
            for part in accelerators
        ]
        names += dict.fromkeys(end for pair in ends for end in pair)
        if any((part.intra_node_gbs or math.inf) < _SLOW_LINKS_GBS for part in accelerators):
            names.append("tensor_link_gbs")
    names += sorted({name for part in accelerators for name in _half_speed(part, moe=moe)})
    names += ["step_tokens_low", "step_tokens_high", "step_tokens_useful"]
    if not batch_given:
        names += ["batch_coefficient", "batch_exponent"]
    return tuple(planning_default(name).assumption() for name in names)


def split_assumptions(rows: Sequence[PlanRow]) -> tuple[Assumption, ...]:
    """Return what the speed of pipelines and of recomputation rests on, where rows have any.

    Args:
        rows: Rows of a plan.
    """
    found: list[Assumption] = []
    if any(row.stages > 1 for row in rows):
        found.append(Assumption(
            name="pipeline schedule", value="stages take turns, a layer at a time (interleaved)",
            source="Narayanan et al. 2021, arXiv 2104.04473, section 2.2.2",
        ))  # fmt: skip
    if any(row.recompute_share < 1.0 for row in rows):
        found.append(Assumption(
            name="time with full recomputation", value=round(FULL_RECOMPUTE, 2), unit="ratio",
            source="8 FLOP for 6 (Narayanan et al. 2021, arXiv 2104.04473, section 5.1); 530B on "
            "2,240 A100 took 1.29 times as long (Korthikanti et al. 2022, arXiv 2205.05198)",
        ))  # fmt: skip
    return tuple(found)
