"""What money and time buy: the largest model within the limits, for each accelerator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from scaleplan.errors import PlanError
from scaleplan.planning.buying import most_compute
from scaleplan.planning.cluster_size import sized_cluster
from scaleplan.planning.family import Family, Model
from scaleplan.planning.wish import Machines, Wish
from scaleplan.records import Accelerator, Offer, PlanRow
from scaleplan.records.base import Record

_SPENT = 0.99  # a limit of which this share is used binds


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Purchase(Record):
    """The best of what accelerators make of the limits, and the offers of all of them."""

    part: Accelerator
    model: Model
    row: PlanRow
    offers: tuple[Offer, ...]


def best_purchase(wish: Wish, cluster: Machines, family: Family) -> Purchase:
    """Return the best model that money and time buy, on the accelerator that buys most.

    Args:
        wish: With money, or with a deadline for given counts.
        cluster: Accelerators and prices.
        family: The models to choose from.

    Raises:
        PlanError: If no accelerator can be paid for or is fast enough.
    """
    bought: list[tuple[Accelerator, Model, PlanRow]] = []
    offers: list[Offer] = []
    failed: PlanError | None = None
    for part in cluster.accelerators:
        try:
            found = most_compute(
                family, partial(_best_row, wish, cluster, part=part),
                partial(_used, wish, cluster),
            )  # fmt: skip
        except PlanError as error:
            failed = error
            offers.append(_no_offer(part, error.message))
            continue
        bought.append((part, found.model, found.row))
        offers.append(_offer(part, family, found.model, found.row))
    if not bought:
        raise failed or PlanError("no accelerator was given", hint="Give --gpu.")
    part, model, row = min(bought, key=lambda one: family.badness(one[1].flops))
    how = f"the most that the limits buy, {family.says}"
    return Purchase(
        part=part, model=replace(model, how=how), row=row,
        offers=tuple(offers) if len(offers) > 1 else (),
    )  # fmt: skip


def _best_row(wish: Wish, cluster: Machines, model: Model, *, part: Accelerator) -> PlanRow:
    """Return the row that uses least of the limits: of the counts given, or the smallest in time.

    Raises:
        PlanError: If the accelerator has no price, or no cluster is fast enough.
    """
    if wish.max_usd is not None and cluster.usd_per_hour is None and part.usd_per_hour is None:
        raise PlanError(
            f"{part.id} has no price in the catalogue", hint="Give --price, or another --gpu."
        )
    if not cluster.gpus:
        return sized_cluster(cluster.row_at(model, part), wish.days, model, node=cluster.node)
    rows = [cluster.row(model, part, count) for count in cluster.gpus]
    fitting = [row for row in rows if row.fits]
    if not fitting:
        raise PlanError(
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


def what_binds(wish: Wish, row: PlanRow) -> str | None:
    """Return what keeps the model from being larger where money is left; None if it is spent.

    Args:
        wish: The limits.
        row: The row that was bought.
    """
    if wish.max_usd is None or row.usd is None or row.usd > _SPENT * wish.max_usd:
        return None
    if wish.days is not None and row.days > _SPENT * wish.days:
        return "the deadline, not the money"
    return f"what {row.gpu} can hold and keep busy, not the money"


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
