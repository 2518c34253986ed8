"""The accelerators that money pays for, where the model to train is given."""

from __future__ import annotations

import math
from collections.abc import Callable

from scaleplan.catalog import planning_default
from scaleplan.errors import PlanError
from scaleplan.planning.cluster_size import DEFAULT_DAYS, OfferedCounts, RowAt, most_offered
from scaleplan.planning.family import Model
from scaleplan.planning.wish import Machines, Wish
from scaleplan.records import Accelerator, PlanRow
from scaleplan.units import format_days, format_usd

# Every count is tried up to so many nodes; beyond, where a node more changes little, every 50th of
# a count, and all between the two that are next to the cheapest.
_EACH_UP_TO = 64
_STEP = 1.02
# Speeds above this share of the full one have nothing to gain from more memory. What a cluster
# gains by being larger it gains within four times the accelerators: the optimiser, 12 of 16 bytes,
# is then shared by as many more.
_UNSLOWED = 0.99
_COARSE_STEP, _TIMES = 1.25, 4


class TooDearError(PlanError):
    """A model that costs more than there is, with the least that it costs, US dollars."""

    def __init__(self, message: str, *, hint: str, usd: float) -> None:
        super().__init__(message, hint=hint)
        self.usd = usd


def paid_cluster(
    wish: Wish, cluster: Machines, model: Model, part: Accelerator, sized: PlanRow
) -> PlanRow:
    """Return the row of the smallest cluster in time that the money pays for, or of the fastest.

    Fewer accelerators waste less of a step, but the fewest that hold a model may have to compute
    activations twice, so that the cheapest count lies anywhere.

    Args:
        wish: With the money.
        cluster: Machines without counts.
        model: The model.
        part: The accelerator.
        sized: The row of the smallest cluster that ends in time, which costs too much.

    Raises:
        PlanError: If no cluster is cheap enough, or none that ends by the deadline that was given;
            with what would do.
    """
    money, row_at = wish.max_usd, cluster.row_at(model, part)
    if money is None or sized.usd is None:
        raise PlanError(f"{part.id} has no price", hint="Give --price.")
    node = cluster.node or int(planning_default("node_size").value)
    counts = OfferedCounts(node, max(most_offered(row_at(1)), sized.gpus))
    rows = _tried(row_at, counts, node)
    paid = [row for row in rows if _usd(row) <= money]
    if not paid:
        raise _too_dear(min(rows, key=_usd), money)
    days = DEFAULT_DAYS if wish.days is None else wish.days
    if all(row.days > days for row in paid):
        fastest = min(paid, key=lambda row: row.days)
        after = [row.gpus for row in rows if row.gpus > fastest.gpus][:1]
        fastest = _nearest(row_at, counts, after, fastest, lambda row: _usd(row) <= money)
        if wish.days is not None:
            raise _too_late([row for row in rows if row.days <= days], fastest, wish.days, money)
        return fastest
    first = next(row for row in paid if row.days <= days)
    before = [row.gpus for row in rows if row.gpus < first.gpus][-1:]
    return _nearest(
        row_at, counts, before, first, lambda row: _usd(row) <= money and row.days <= days
    )


def cheapest_in_time(row_at: RowAt, sized: PlanRow, days: float, *, node: int | None) -> PlanRow:
    """Return the cheapest row in time, of the smallest cluster that is and of larger ones.

    Only where the smallest pays in speed for that it just holds the model, or cannot use all of its
    accelerators, do larger ones cost less.

    Args:
        row_at: The plan's row for a number of accelerators.
        sized: The row of the smallest cluster that ends in time.
        days: The deadline.
        node: Accelerators of a node; None takes the usual one.
    """
    if not slowed(sized) and sized.used_gpus in (None, sized.gpus):
        return sized
    node = node or int(planning_default("node_size").value)
    counts = OfferedCounts(node, max(most_offered(sized), sized.gpus))
    place, rows = counts.index(sized.gpus), [sized]
    while counts.at(place) < _TIMES * sized.gpus:
        place = max(place + 1, counts.index(int(_COARSE_STEP * counts.at(place))))
        if place >= counts.size:
            break
        rows.append(row_at(counts.at(place)))
    return min((row for row in rows if row is sized or row.days <= days), key=_usd)


def slowed(row: PlanRow) -> bool:
    """Tell whether a model pays in speed for that it just fits."""
    shares = (row.recompute_share, row.links_share, row.filled_share, row.context_share)
    return min(shares) < _UNSLOWED


def _usd(row: PlanRow) -> float:
    """Return what a row costs, infinitely much where the model does not fit."""
    return math.inf if not row.fits or row.usd is None else row.usd


def _tried(row_at: RowAt, counts: OfferedCounts, node: int) -> list[PlanRow]:
    """Return rows of counts, few before many, among which is the cheapest."""
    each = min(counts.size, counts.index(_EACH_UP_TO * node) + 1)
    places = list(range(each))
    while places[-1] < counts.size - 1:
        further = max(places[-1] + 1, counts.index(int(_STEP * counts.at(places[-1]))))
        places.append(min(further, counts.size - 1))
    rows = {place: row_at(counts.at(place)) for place in places}
    best = min(range(len(places)), key=lambda at: _usd(rows[places[at]]))
    for place in range(places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]):
        if place not in rows:
            rows[place] = row_at(counts.at(place))
    return [rows[place] for place in sorted(rows)]


def _nearest(
    row_at: RowAt, counts: OfferedCounts, beyond: list[int], row: PlanRow,
    holds: Callable[[PlanRow], bool],
) -> PlanRow:  # fmt: skip
    """Return the row nearest to a count at which something does not hold, by halving.

    Args:
        row_at: The plan's row for a number of accelerators.
        counts: The numbers that are offered.
        beyond: The count at which it does not hold; empty if there is none on that side.
        row: A row for which it holds.
        holds: What has to hold.
    """
    for count in beyond:
        no, yes = counts.index(count), counts.index(row.gpus)
        while abs(yes - no) > 1:
            middle = (no + yes) // 2
            one = row_at(counts.at(middle))
            if holds(one):
                yes, row = middle, one
            else:
                no = middle
    return row


def _too_dear(least: PlanRow, money: float) -> TooDearError:
    return TooDearError(
        f"this model costs {_at(least)}, which costs least, more than {format_usd(money)}",
        hint="Allow more money, find a lower --price, or leave --tokens or --flops out to see "
        "how much training the money buys.",
        usd=_usd(least),
    )


def _too_late(
    in_time: list[PlanRow], fastest: PlanRow, days: float, money: float
) -> TooDearError:  # fmt: skip
    """Return the error for a deadline that only too dear clusters meet."""
    least = min(in_time, key=_usd)
    which = "fewest" if least.gpus == min(row.gpus for row in in_time) else "cheapest"
    return TooDearError(
        f"this model costs {_at(least)}, the {which} that end within {format_days(days)}, more "
        f"than {format_usd(money)}",
        hint=f"Allow {format_days(1.006 * fastest.days)}: it costs {_at(fastest)}; or find a lower "
        "--price.",
        usd=_usd(least),
    )


def dearer_in_time(wish: Wish, sized: PlanRow) -> str:
    """Say why a cluster that money pays for is not the smallest that ends in time.

    Args:
        wish: With the deadline, if there is one.
        sized: The row of the smallest cluster that ends in time.
    """
    if wish.days is not None:
        return f"the money: the fewest that end within {format_days(wish.days)} cost {_at(sized)}"
    return (
        f"the money: to end within {DEFAULT_DAYS:g} d, assumed where neither --days nor --gpus is "
        f"given, costs {_at(sized)}"
    )


def _at(row: PlanRow) -> str:
    return f"{format_usd(row.usd)} on {row.gpus:,} x {row.gpu}"
