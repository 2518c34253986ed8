"""The smallest cluster that meets a deadline."""

from __future__ import annotations

import math
from collections.abc import Callable

from scaleplan.catalog import planning_default
from scaleplan.errors import PlanError
from scaleplan.planning.family import Model
from scaleplan.records import Assumption, PlanRow
from scaleplan.units import format_count, format_days

_FEWEST = 1
_LARGEST = 10_000_000
_WORTH_A_HINT = 0.05  # of the tokens: with fewer it is another model

# Days that a cluster is sized for where no deadline is given: most published runs took one to
# three months; a choice.
DEFAULT_DAYS = 30.0
ASSUMED_DEADLINE = (
    f"the fewest that end within {DEFAULT_DAYS:g} d, assumed where neither --days nor --gpus is "
    "given; what takes longer on fewer costs less"
)

# Share of the speed that a cluster offered beyond the useful count still has: with less, twice the
# accelerators save a quarter of the time or less, further from all that was measured.
_LEAST_EFFICIENCY = 0.5
_STEP = 1.25  # from count to count in the search for it

RowAt = Callable[[int], PlanRow]


class DoesNotFitError(PlanError):
    """A model is too large for the memory, however few tokens it is trained on."""


def assumed_deadline() -> Assumption:
    """Return the deadline that a cluster is sized for where none and no count is given."""
    return Assumption(
        name="time the cluster is sized for", value=DEFAULT_DAYS, unit="days",
        source="a choice, as neither --days nor --gpus was given",
    )  # fmt: skip


def sized_cluster(
    row_at: RowAt, days: float | None, model: Model, *, node: int | None = None, thin: bool = False
) -> PlanRow:
    """Return the row of the smallest cluster that meets a deadline, or a sensible one without.

    A deadline that nobody asked for, 30 days, gives way to the largest cluster that is useful.

    Args:
        row_at: The plan's row for a number of accelerators.
        days: The deadline; None if there is none.
        model: The model.
        node: Accelerators of a node; None takes the usual one.
        thin: Whether a deadline that no useful cluster meets may be met by a larger one, which
            still has half of its speed.

    Raises:
        PlanError: If none meets it, or the model fits on none.
    """
    try:
        return smallest_cluster(row_at, DEFAULT_DAYS if days is None else days, model, node=node)
    except PlanError as error:
        if days is not None:
            found = None
            if thin and not isinstance(error, DoesNotFitError):
                found = _thin_cluster(
                    row_at, days, node or int(planning_default("node_size").value)
                )
            if found is None:
                raise
            return found
        first = row_at(_FEWEST)
        node = node or int(planning_default("node_size").value)
        most = most_offered(first)
        row = row_at(most // node * node if most > node else most)
        if row.fits:
            return row
        raise DoesNotFitError(
            f"{format_count(model.params)} parameters do not fit in the memory of {row.gpu} on any "
            f"cluster that a step of {format_count(row.batch_tokens)} tokens keeps busy, of at "
            f"most {row.gpus:,}",
            hint="Give a larger --batch, accelerators with more memory, or an optimiser that keeps "
            "less.",
        ) from None


def smallest_cluster(
    row_at: RowAt, days: float, model: Model, *, high: bool = False, node: int | None = None
) -> PlanRow:
    """Return the row of the smallest cluster on which a model is trained in time and fits.

    Counts are whole nodes above one node. What fits on few fits on more, and its time falls as
    accelerators are added, to what is left when a step gives each 1,000 tokens: beyond that nothing
    was measured, and none is offered.

    Args:
        row_at: The plan's row for a number of accelerators.
        days: The deadline.
        model: The model, for what an error says.
        node: Accelerators of a node; None takes the usual one.
        high: Whether the high end of the time's band has to meet the deadline.

    Raises:
        PlanError: If no cluster does, with what would make it possible.
    """
    node = node or int(planning_default("node_size").value)
    first = row_at(_FEWEST)
    most = most_offered(first)
    counts = OfferedCounts(node, most)

    def meets(row: PlanRow) -> bool:
        return row.fits and (row.days_high if high else row.days) <= days

    last = row_at(counts.at(counts.size - 1))
    if (last.days_high if high else last.days) > days:
        raise _too_late(last, days, model, high=high)
    if not last.fits:
        return _fitting(row_at, last, days, model, high=high)
    low, top = -1, counts.size - 1
    # A guess from perfect scaling saves most of the search.
    guess = counts.index(min(math.ceil(first.days / days), most))
    for place in (guess, guess + 1, guess + 4, guess + 16, guess + 64):
        if not low < place < top:
            continue
        if meets(row_at(counts.at(place))):
            top = place
            break
        low = place
    while top - low > 1:
        middle = (low + top) // 2
        if meets(row_at(counts.at(middle))):
            top = middle
        else:
            low = middle
    return row_at(counts.at(top))


def most_offered(row: PlanRow) -> int:
    """Return the largest count that is offered: useful, and busy in some layout."""
    return max(1, int(min(row.useful_gpus or 1, row.busy_gpus or 1, _LARGEST)))


def _thin_cluster(row_at: RowAt, days: float, node: int) -> PlanRow | None:
    """Return the row of the smallest cluster beyond the useful ones that meets a deadline.

    None if none does, or none with half of its speed: a step gives each fewer tokens than were
    measured, which a note of the plan says.
    """
    first = row_at(_FEWEST)
    late, most = most_offered(first), int(min(first.busy_gpus or 1, _LARGEST))

    def meets(row: PlanRow) -> bool:
        return row.fits and row.days <= days and row.efficiency >= _LEAST_EFFICIENCY

    low, high = late // node, late // node
    while True:
        low, high = high, min(max(int(_STEP * high), high + 1), most // node)
        if high <= low:
            return None
        row = row_at(high * node)
        if meets(row):
            break
        if row.efficiency < _LEAST_EFFICIENCY:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets(row_at(middle * node)) else (middle, high)
    return row_at(high * node)


class OfferedCounts:
    """The numbers of accelerators that are offered: 1 to a node, then whole nodes, up to `most`."""

    def __init__(self, node: int, most: int) -> None:
        self._node = node
        self.size = min(node, most) + max(0, most // node - 1)

    def at(self, place: int) -> int:
        """Return the count at a place, from 0."""
        return place + 1 if place < self._node else (place - self._node + 2) * self._node

    def index(self, count: int) -> int:
        """Return the place of the largest count that is not above another, 0 at least."""
        place = count - 1 if count <= self._node else count // self._node - 2 + self._node
        return max(0, min(place, self.size - 1))


def _fitting(row_at: RowAt, row: PlanRow, days: float, model: Model, *, high: bool) -> PlanRow:
    """Return the row of the smallest larger cluster on which the model fits."""
    if row.fitting_gpus is not None and row.fitting_gpus > row.gpus:
        larger = row_at(row.fitting_gpus)
        if larger.fits and (larger.days_high if high else larger.days) <= days:
            return larger
    raise DoesNotFitError(
        f"{format_count(model.params)} parameters do not fit in the memory of {row.gpu} on any "
        f"cluster that trains them in {format_days(days)}",
        hint="Take accelerators with more memory, or an optimiser that keeps less.",
    )


def _too_late(row: PlanRow, days: float, model: Model, *, high: bool) -> PlanError:
    least = row.days_high if high else row.days
    # Fewer tokens allow a smaller batch only, and so fewer accelerators: time falls as about the
    # root of the tokens (batch grows as D^0.47, Zhang et al. 2024, arXiv 2410.21676).
    share = (days / least) ** 2
    fewer = (
        f"train on about {format_count(model.tokens * share)} tokens, "
        if share > _WORTH_A_HINT else ""
    )  # fmt: skip
    return PlanError(
        f"{format_count(model.params)} parameters on {format_count(model.tokens)} tokens cannot be "
        f"trained in {format_days(days)} on {row.gpu}: {row.gpus:,} of them, beyond which adding "
        f"more stops paying at a batch of {format_count(row.batch_tokens)} tokens, take "
        f"{format_days(least)}",
        # Rounded up, so that what is shown is enough.
        hint=f"Allow {format_days(1.006 * least)}, {fewer}give a larger --batch, or a faster "
        "--gpu.",
    )
