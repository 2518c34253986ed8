"""How fast a recommender trains: dense compute, embedding rows or their exchange, the slowest.

    t = max( 6 N / (peak x u),  l w 4 B x passes / (memory bandwidth x share),
             2 l w 4 B x (g - 1)/g / (network x share) )  / g

for an example with l lookups of rows of w values, on g accelerators; N counts dense parameters
alone, for a row that is looked up costs no product. Rough: checked on one run.
"""

from __future__ import annotations

from scaleplan.catalog import planning_default
from scaleplan.planning.compute import FLOPS_PER_PARAM_TOKEN
from scaleplan.records import Accelerator, Assumption
from scaleplan.records.families import Embeddings, ExampleModel

_VALUE_BYTES = 4.0  # tables are kept in fp32
_WAYS = 2.0  # rows go out in the forward pass, gradients come back


def recommender_model(
    dense_params: float, *, rows: float, width: float, lookups: float
) -> ExampleModel:
    """Return what one example of a recommender takes.

    Args:
        dense_params: Parameters of the dense layers.
        rows: Rows of all embedding tables.
        width: Values of a row.
        lookups: Rows that one example reads.
    """
    return ExampleModel(
        family="recommender", origin="--dense-params and tables", params=dense_params,
        forward_flops=2.0 * dense_params,
        embeddings=Embeddings(rows=rows, width=width, lookups=lookups),
    )  # fmt: skip


def example_seconds(
    dense_params: float, tables: Embeddings, part: Accelerator, *, gpus: int, dense: float
) -> dict[str, float]:
    """Return the seconds that one example takes of one accelerator, by what they are spent on.

    Args:
        dense_params: Parameters of the dense layers.
        tables: The embedding tables.
        part: The accelerator.
        gpus: How many there are.
        dense: Utilisation of the dense layers.
    """
    row_bytes = tables.lookups * tables.width * _VALUE_BYTES
    found = {"compute": FLOPS_PER_PARAM_TOKEN * dense_params / (part.peak_tflops * 1e12 * dense)}
    if part.memory_bandwidth_gbs is not None:
        rate = part.memory_bandwidth_gbs * 1e9 * planning_default("recommender_bandwidth").value
        found["bandwidth"] = row_bytes * planning_default("recommender_lookup_passes").value / rate
    one_node = gpus <= planning_default("node_size").value
    link = part.intra_node_gbs if one_node else part.inter_node_gbs
    if link is not None and gpus > 1:
        rate = link * 1e9 * planning_default("recommender_network").value
        found["network"] = _WAYS * row_bytes * (gpus - 1) / gpus / rate
    return found


def recommender_use(
    dense_params: float, tables: Embeddings, part: Accelerator, *, gpus: int, dense: float | None
) -> tuple[float, str, tuple[Assumption, ...]]:
    """Return the model-FLOP utilisation of a whole step, what bounds it, and what it rests on.

    Args:
        dense_params: Parameters of the dense layers.
        tables: The embedding tables.
        part: The accelerator.
        gpus: How many there are.
        dense: The user's utilisation of the dense layers; None takes the default.
    """
    default = planning_default("recommender_utilisation")
    used = default.value if dense is None else dense
    seconds = example_seconds(dense_params, tables, part, gpus=gpus, dense=used)
    bound = max(seconds, key=lambda name: seconds[name])
    names = ("recommender_lookup_passes", "recommender_bandwidth", "recommender_network")
    first = default.assumption() if dense is None else Assumption(
        name=default.name, value=dense, unit=default.unit, source="given"
    )  # fmt: skip
    why = (first, *(planning_default(name).assumption() for name in names))
    return used * seconds["compute"] / seconds[bound], bound, why
