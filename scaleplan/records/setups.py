"""How a training run is set up: what is kept in memory, and how the model is spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scaleplan.records.base import Record

Recompute = Literal["none", "selective", "full"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class TrainingSetup(Record):
    """What the user said about memory, layout, failures and storage; None is chosen or a default.

    Args:
        optimizer: An entry of `optimizers` in data/planning.yaml.
        precision: An entry of `precisions` there: what weights and optimiser are kept in.
        gradient_bytes: Bytes of a parameter's gradient; None is the precision's own.
        recompute: Which activations are computed again; None adds it only where it is needed.
        flash_attention: Whether attention scores are never kept (Dao et al. 2022).
        sequence_parallel: Whether tensor-parallel accelerators also share what lies between the
            matrix products.
        zero: ZeRO stage, 0 to 3; None takes 1, and 3 where nothing else fits.
        tensor: Accelerators that share each layer.
        pipeline: Pipeline stages.
        data: Copies of the model.
        expert: Accelerators over which the experts are spread.
        context: Accelerators that share each sequence (context parallelism).
        fsdp_only: Fully sharded data parallelism over all accelerators and nothing else.
        micro_batch: Sequences that pass through the model at once; None is 1.
        experts: Experts of each layer of a mixture of experts.
        node_size: Accelerators in a node.
        failure_gpu_hours: Accelerator-hours between failures.
        checkpoint_seconds: Seconds that training stands still for a checkpoint; None waits until it
            is written, at most a minute.
        restart_minutes: Minutes from a failure until training goes on.
        storage_gbs: Bandwidth of the storage that checkpoints are written to, GB/s.
    """

    optimizer: str | None = None
    precision: str | None = None
    gradient_bytes: float | None = None
    recompute: Recompute | None = None
    flash_attention: bool = True
    sequence_parallel: bool = True
    zero: int | None = None
    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None
    context: int | None = None
    fsdp_only: bool = False
    micro_batch: int | None = None
    experts: int | None = None
    node_size: int | None = None
    failure_gpu_hours: float | None = None
    checkpoint_seconds: float | None = None
    restart_minutes: float | None = None
    storage_gbs: float | None = None

    @property
    def gives_failures(self) -> bool:
        """Return whether anything was said about failures, checkpoints or their storage."""
        said = (
            self.failure_gpu_hours, self.checkpoint_seconds, self.restart_minutes,
            self.storage_gbs,
        )  # fmt: skip
        return any(one is not None for one in said)

    @property
    def fixes_accelerators(self) -> bool:
        """Return whether the layout that was asked for has one number of accelerators only."""
        return None not in (self.tensor, self.pipeline, self.data)
