"""A user's own cluster."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.base import Record
from scaleplan.records.plans import Accelerator


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Cluster(Record):
    """What a file says about a user's cluster; None is not said.

    Args:
        file: Where it was read.
        accelerators: The user's own accelerators.
        gpu: Names of the accelerators to plan with, commas between.
        mfu: Steady-state model-FLOP utilisation, measured.
        mfu_gpus: On how many accelerators it was measured.
        usd_per_hour: Price of an accelerator-hour.
        pue: Power usage effectiveness of the data centre.
        country: Where the power comes from.
        node_size: Accelerators in a node.
        mtbf_gpu_hours: Accelerator-hours between failures.
        checkpoint_seconds: Seconds that training stands still for a checkpoint.
        restart_minutes: Minutes from a failure until training goes on.
        storage_gbs: Bandwidth of the storage, GB/s.
    """

    file: str
    accelerators: tuple[Accelerator, ...] = ()
    gpu: str | None = None
    mfu: float | None = None
    mfu_gpus: int | None = None
    usd_per_hour: float | None = None
    pue: float | None = None
    country: str | None = None
    node_size: int | None = None
    mtbf_gpu_hours: float | None = None
    checkpoint_seconds: float | None = None
    restart_minutes: float | None = None
    storage_gbs: float | None = None
