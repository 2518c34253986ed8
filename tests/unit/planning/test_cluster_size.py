"""The smallest cluster for a deadline, against counting upwards one cluster at a time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scaleplan.errors import PlanError
from scaleplan.planning.cluster_size import DEFAULT_DAYS, sized_cluster, smallest_cluster

MODEL = SimpleNamespace(params=1e9, tokens=2e10)


def cluster(work, *, most, fitting: int | None = 1, slow=1.0):
    """Return rows of a training that takes `work` days on one accelerator."""

    def row_at(gpus):
        days = work / gpus**0.9
        return SimpleNamespace(
            gpus=gpus, gpu="a card", days=days, days_high=slow * days, useful_gpus=most,
            busy_gpus=10 * most, fits=fitting is not None and gpus >= fitting,
            fitting_gpus=fitting, batch_tokens=1e6,
        )  # fmt: skip

    return row_at


def counted(row_at, days, node, most, *, high=False):
    """Return the smallest allowed number that is in time, by trying each."""
    allowed = [*range(1, node + 1), *range(2 * node, most + 1, node)]
    for gpus in allowed:
        row = row_at(gpus)
        if (row.days_high if high else row.days) <= days:
            return gpus
    return None


@pytest.mark.parametrize("node", [1, 4, 8])
@pytest.mark.parametrize("days", [0.5, 3.0, 20.0, 365.0])
@pytest.mark.parametrize("work", [0.1, 2.0, 40.0, 900.0])
@pytest.mark.parametrize("high", [False, True])
def test_the_smallest_is_what_counting_finds(node, days, work, high):
    row_at = cluster(work, most=512, slow=1.4)
    expected = counted(row_at, days, node, 512, high=high)
    if expected is None:
        with pytest.raises(PlanError, match="cannot be trained in"):
            smallest_cluster(row_at, days, MODEL, node=node, high=high)
    else:
        assert smallest_cluster(row_at, days, MODEL, node=node, high=high).gpus == expected


def test_a_cluster_too_small_for_the_model_gives_way_to_one_that_holds_it():
    row_at = cluster(10.0, most=512, fitting=64)
    assert smallest_cluster(row_at, 5.0, MODEL, node=8).gpus == 64


def test_a_model_that_fits_on_none_is_refused():
    row_at = cluster(10.0, most=512, fitting=None)
    with pytest.raises(PlanError, match="do not fit in the memory of a card"):
        smallest_cluster(row_at, 5.0, MODEL, node=8)


def test_a_deadline_that_nobody_gave_gives_way_and_a_given_one_does_not():
    row_at = cluster(1e6, most=500)
    with pytest.raises(PlanError, match="cannot be trained in"):
        sized_cluster(row_at, DEFAULT_DAYS, MODEL, node=8)
    found = sized_cluster(row_at, None, MODEL, node=8)
    assert found.gpus == 496  # the most whole nodes that 500 accelerators make
    assert found.days > DEFAULT_DAYS


def test_without_a_deadline_a_model_that_fits_on_no_useful_cluster_is_still_refused():
    with pytest.raises(PlanError):
        sized_cluster(cluster(1e6, most=500, fitting=None), None, MODEL, node=8)


def test_the_smallest_that_is_in_time_may_be_the_smallest_that_fits():
    # Below 5 it would be in time, if it fitted.
    assert smallest_cluster(cluster(10.0, most=512, fitting=5), 50.0, MODEL, node=8).gpus == 5
