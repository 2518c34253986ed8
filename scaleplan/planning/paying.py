"""The accelerators that money pays for, where the model to train is given."""

from __future__ import annotations

from scaleplan.catalog import planning_default
from scaleplan.errors import PlanError
from scaleplan.planning.cluster_size import DEFAULT_DAYS
from scaleplan.planning.family import Model
from scaleplan.planning.wish import Machines, Wish
from scaleplan.records import Accelerator, PlanRow
from scaleplan.units import format_days, format_usd


def paid_cluster(
    wish: Wish, cluster: Machines, model: Model, part: Accelerator, sized: PlanRow
) -> PlanRow:
    """Return the row of the largest cluster that the money pays for, of those that are slower.

    Fewer accelerators waste less of a step, so that they cost less and take longer.

    Args:
        wish: With the money.
        cluster: Machines without counts.
        model: The model.
        part: The accelerator.
        sized: The row of the cluster that ends in time, which costs too much.

    Raises:
        PlanError: If no cluster is cheap enough, or none that ends by the deadline that was given;
            with what would do.
    """
    money, row_at = wish.max_usd, cluster.row_at(model, part)
    first = row_at(1)
    fewest = first if first.fits else row_at(min(first.fitting_gpus or sized.gpus, sized.gpus))
    if money is None or fewest.usd is None or sized.usd is None:
        raise PlanError(f"{part.id} has no price", hint="Give --price.")
    if fewest.usd > money or not fewest.fits:
        least = min((row for row in (fewest, sized) if row.fits), key=lambda row: row.usd or 0.0)
        raise PlanError(
            f"this model costs {_at(least)}, which costs least, more than {format_usd(money)}",
            hint="Allow more money, find a lower --price, or leave --tokens or --flops out to see "
            "how much training the money buys.",
        )
    node = cluster.node or int(planning_default("node_size").value)
    found, high = fewest, sized.gpus
    while high - found.gpus > 1:
        middle = (found.gpus + high) // 2
        if middle > node:
            middle = middle // node * node
        if middle <= found.gpus:
            break
        row = row_at(middle)
        if row.fits and row.usd is not None and row.usd <= money:
            found = row
        else:
            high = middle
    if wish.days is not None:
        raise PlanError(
            f"this model costs {_at(sized)}, the fewest that end within {format_days(wish.days)}, "
            f"more than {format_usd(money)}",
            hint=f"Allow {format_days(1.006 * found.days)}: it costs {_at(found)}; or find a lower "
            "--price.",
        )
    return found


def slower_for_money(sized: PlanRow) -> str:
    """Say why a cluster that money pays for is smaller than the usual one.

    Args:
        sized: The row of the cluster that ends within the days that are assumed.
    """
    return (
        f"the money: to end within {DEFAULT_DAYS:g} d, assumed where neither --days nor --gpus is "
        f"given, costs {_at(sized)}"
    )


def _at(row: PlanRow) -> str:
    return f"{format_usd(row.usd)} on {row.gpus:,} x {row.gpu}"
