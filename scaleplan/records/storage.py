"""What a training run writes and reads."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Storage(Record):
    """Files of a training run and the time that they take.

    Args:
        checkpoint_bytes: One full checkpoint: weights and optimiser.
        weights_bytes: The weights alone.
        write_seconds: Time to write a full checkpoint at `storage_gbs`.
        stop_seconds: Time that training stops for it: all of that, unless the user said less.
        storage_gbs: Bandwidth of the storage, GB/s, over the whole cluster.
        token_bytes: Bytes of a token on disk.
        dataset_bytes: All training tokens on disk.
    """

    checkpoint_bytes: float
    weights_bytes: float
    write_seconds: float
    stop_seconds: float
    storage_gbs: float
    token_bytes: float
    dataset_bytes: float
