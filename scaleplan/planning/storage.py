"""What a training run writes and reads: checkpoints, data, and the hosts that carry it."""

from __future__ import annotations

import math

from scaleplan.catalog import planning_default
from scaleplan.planning.given import given_or_default
from scaleplan.planning.goodput import stop_seconds
from scaleplan.planning.layouts import node_size
from scaleplan.planning.states import param_bytes
from scaleplan.records import Assumption, Storage, TrainingSetup

_BYTES_PER_GB = 1e9
_BYTES_PER_MB = 1e6
# The largest vocabulary whose tokens fit in 16 bits.
_LARGEST_UINT16 = 65_536


def storage_of(params: float, *, tokens: float, vocabulary: int, setup: TrainingSetup) -> Storage:
    """Return the size of checkpoints and data, and the time to write a checkpoint.

    A checkpoint holds the weights and what the optimiser keeps, no gradients: 14 bytes a parameter
    with AdamW in mixed precision. BLOOM 176B's were 2.3 TB, 329 GB of them weights (BigScience,
    "The engineering side" of the model's public page; by this rule 2.24 TiB and 328 GiB).

    Args:
        params: Parameters of the whole model.
        tokens: Training tokens.
        vocabulary: Entries of the vocabulary; decides on the bytes of a token.
        setup: Optimiser, precision and bandwidth.
    """
    kept = param_bytes(setup.optimizer, setup.precision, setup.gradient_bytes)
    bandwidth = setup.storage_gbs or planning_default("storage_gbs").value
    checkpoint = (kept.weight + kept.optimiser) * params
    written = checkpoint / (bandwidth * _BYTES_PER_GB)
    token = _token_bytes(vocabulary)
    return Storage(
        checkpoint_bytes=checkpoint, weights_bytes=kept.weight * params,
        write_seconds=written, stop_seconds=stop_seconds(setup.checkpoint_seconds, written),
        storage_gbs=bandwidth,
        token_bytes=token, dataset_bytes=tokens * token,
    )  # fmt: skip


def _token_bytes(vocabulary: int) -> float:
    return planning_default(_token_entry(vocabulary)).value


def _token_entry(vocabulary: int) -> str:
    return "token_bytes" if vocabulary <= _LARGEST_UINT16 else "token_bytes_large"


def loader_mb_s(tokens_per_second: float, *, vocabulary: int) -> float:
    """Return what the data loaders of a cluster must deliver, MB/s.

    Args:
        tokens_per_second: Tokens trained on in a second.
        vocabulary: Entries of the vocabulary.
    """
    return tokens_per_second * _token_bytes(vocabulary) / _BYTES_PER_MB


def host_cores(gpus: int, setup: TrainingSetup) -> int:
    """Return the CPU cores of all hosts: one a process, its loader workers, and the system's.

    Args:
        gpus: Accelerators.
        setup: The size of a node.
    """
    nodes = math.ceil(gpus / node_size(setup))
    workers = planning_default("loader_workers").value
    return round(gpus * (1.0 + workers) + nodes * planning_default("system_cores").value)


def host_gib(gpus: int, memory_gib: float) -> float:
    """Return the CPU memory of all hosts: as much as their accelerators have.

    Args:
        gpus: Accelerators.
        memory_gib: Memory of one accelerator.
    """
    return gpus * memory_gib * planning_default("host_memory_ratio").value


def storage_assumptions(vocabulary: int, setup: TrainingSetup) -> tuple[Assumption, ...]:
    """Return what storage and hosts rest on.

    Args:
        vocabulary: Entries of the vocabulary.
        setup: The user's bandwidth, if he gave one.
    """
    names = (_token_entry(vocabulary), "loader_workers", "system_cores", "host_memory_ratio")
    return (
        given_or_default("storage_gbs", setup.storage_gbs),
        *(planning_default(name).assumption() for name in names),
    )
