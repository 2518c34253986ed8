"""What money and time buy: the largest model within the limits, for each accelerator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from scaleplan.errors import PlanError
from scaleplan.planning.cluster_size import DEFAULT_DAYS, DoesNotFitError, sized_cluster
from scaleplan.planning.family import Family, Model
from scaleplan.planning.paying import cheapest_in_time
from scaleplan.planning.size_search import SPENT, Sized, SizedBy, best_within
from scaleplan.planning.wish import Machines, Wish
from scaleplan.records import Accelerator, Offer, PlanRow
from scaleplan.records.base import Record

_SIZED_BY = {
    "memory": "tokens for the largest size that fits",
    "speed": "the size of the best prediction at the speed of each",
    "deadline": "the size of the best prediction in that time",
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Purchase(Record):
    """The best of what accelerators make of the limits, and the offers of all of them.

    Args:
        part: The accelerator.
        model: The model.
        row: The row of the plan that keeps within the limits.
        offers: What each accelerator makes of them, if there are several.
        binds: What keeps the model from being better, where it is not that the limits are spent.
        sized_by: What keeps the size below the optimum of its compute, empty if nothing does.
    """

    part: Accelerator
    model: Model
    row: PlanRow
    offers: tuple[Offer, ...]
    binds: str | None
    sized_by: str


def best_purchase(wish: Wish, cluster: Machines, family: Family) -> Purchase:
    """Return the best model that money and time buy, on the accelerator that buys most.

    Args:
        wish: With money, or with a deadline for given counts.
        cluster: Accelerators and prices.
        family: The models to choose from.

    Raises:
        PlanError: If no accelerator can be paid for or is fast enough.
    """
    bought: list[tuple[Accelerator, Sized]] = []
    offers: list[Offer] = []
    failed: PlanError | None = None
    for part in cluster.accelerators:
        try:
            found = best_within(
                family, partial(_best_row, wish, cluster, part=part),
                partial(_used, wish, cluster),
            )  # fmt: skip
        except PlanError as error:
            failed = error
            offers.append(_no_offer(part, error.message))
            continue
        bought.append((part, found))
        offers.append(_offer(part, family, found.model, found.row))
    if not bought:
        raise failed or PlanError("no accelerator was given", hint="Give --gpu.")
    part, best = min(bought, key=lambda one: family.badness_of(one[1].model))
    says = family.says if best.sized_by is None else _SIZED_BY[best.sized_by]
    return Purchase(
        part=part, row=best.row,
        model=replace(best.model, how=f"the most that the limits buy, {says}"),
        offers=tuple(offers) if len(offers) > 1 else (),
        binds=_what_binds(wish, cluster, best),
        sized_by="" if best.sized_by is None else _limit_of_size(best.sized_by, best.row),
    )  # fmt: skip


def _best_row(wish: Wish, cluster: Machines, model: Model, *, part: Accelerator) -> PlanRow:
    """Return the row that uses least of the limits: of the counts given, or of those in time.

    Raises:
        PlanError: If the accelerator has no price, or no cluster is fast enough.
    """
    if wish.max_usd is not None and cluster.usd_per_hour is None and part.usd_per_hour is None:
        raise PlanError(
            f"{part.id} has no price in the catalogue", hint="Give --price, or another --gpu."
        )
    if not cluster.gpus:
        row_at = cluster.row_at(model, part)
        sized = sized_cluster(row_at, wish.days, model, node=cluster.node)
        if wish.max_usd is None:
            return sized
        days = max(DEFAULT_DAYS, sized.days) if wish.days is None else wish.days
        return cheapest_in_time(row_at, sized, days, node=cluster.node)
    rows = [cluster.row(model, part, count) for count in cluster.gpus]
    fitting = [row for row in rows if row.fits]
    if not fitting:
        raise DoesNotFitError(
            f"{model.params:.3g} parameters do not fit on {max(cluster.gpus)} x {part.id}",
            hint="Take more or larger accelerators.",
        )
    return min(fitting, key=lambda row: _used(wish, cluster, row))


def _used(wish: Wish, cluster: Machines, row: PlanRow) -> float:
    """Return the largest share of a limit that a row uses."""
    shares = []
    if wish.max_usd is not None and row.usd is not None:
        shares.append(row.usd / wish.max_usd)
    if wish.days is not None:
        shares.append(row.days / wish.days if cluster.gpus else 0.0)
    return max(shares)


def _what_binds(wish: Wish, cluster: Machines, bought: Sized) -> str | None:
    """Return what keeps the model from being better; None if it is that the limits are spent."""
    row = bought.row
    spent = _used(wish, cluster, row) > SPENT
    if bought.sized_by is not None:
        held = _limit_of_size(bought.sized_by, row)
        return f"{held}; the rest buys tokens" if spent and bought.sized_by != "deadline" else held
    if spent:
        return None
    limit = "the money" if wish.max_usd is not None else "the time"
    if wish.days is not None and wish.max_usd is not None and row.days > SPENT * wish.days:
        return "the deadline, not the money"
    return f"what {row.gpu} can hold and keep busy, not {limit}"


def _limit_of_size(sized_by: SizedBy, row: PlanRow) -> str:
    """Return what keeps the size below the optimum of its compute."""
    if sized_by == "speed":
        return (
            f"the speed of {row.gpus:,} x {row.gpu}: a larger model takes more time for the same "
            "compute, by what it takes to hold it in memory"
        )
    if sized_by == "memory":
        return f"the memory of {row.gpus:,} x {row.gpu}, which holds no larger model"
    return "the deadline: with more tokens a step has work for more accelerators"


def _offer(part: Accelerator, family: Family, model: Model, row: PlanRow) -> Offer:
    return Offer(
        gpu=part.id, gpus=row.gpus, params=model.params, tokens=model.tokens, flops=model.flops,
        value=family.value(model), days=row.days, usd=row.usd,
    )  # fmt: skip


def _no_offer(part: Accelerator, reason: str) -> Offer:
    return Offer(
        gpu=part.id, gpus=None, params=None, tokens=None, flops=None, value=None, days=None,
        usd=None, reason=reason,
    )  # fmt: skip
