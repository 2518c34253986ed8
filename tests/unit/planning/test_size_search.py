"""The best size within limits, against trying every size with all the tokens that they allow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator
from scaleplan.errors import PlanError
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.buying import most_compute
from scaleplan.planning.family import Family
from scaleplan.planning.limits import _best_row, _used
from scaleplan.planning.wish import Machines, Wish
from tests.unit.records_for_tests import BESIROGLU

H100, RTX = accelerator("h100_sxm_80gb"), accelerator("rtx_4090")


def asked(part, *, gpus=(), **wish):
    machines = Machines(accelerators=(part,), gpus=gpus)
    return answer_plan(BESIROGLU, Wish(**wish), machines)


def items(plan, id_):
    (found,) = [a for a in plan.answers if a.id == id_]
    return {item.name: item.value for item in found.items}


def row_of(plan):
    return next(row for row in plan.rows if row.gpus in plan.asked_gpus)


def best_by_trying(part, sizes, *, gpus=(), **wish):
    """Return the lowest loss of the sizes, each with the most tokens within the limits."""
    wish, cluster = Wish(**wish), Machines(accelerators=(part,), gpus=gpus)
    losses = []
    for size in sizes:
        family = Family(fit=BESIROGLU, params=float(size))
        try:
            found = most_compute(
                family,
                lambda model: _best_row(wish, cluster, model, part=part),
                lambda row: _used(wish, cluster, row),
            )
        except PlanError:
            continue
        losses.append(family.value(found.model))
    return min(losses, default=math.inf)


@pytest.mark.parametrize(
    ("part", "gpus", "wish"),
    [
        (RTX, (1,), {"days": 20.0}),
        (RTX, (1,), {"days": 30.0}),
        (H100, (8,), {"max_usd": 3e5}),
        (RTX, (1,), {"days": 1000.0}),
        (RTX, (8,), {"days": 3000.0}),
        (H100, (8,), {"max_usd": 1e6}),
        (H100, (1,), {"max_usd": 1e5, "days": 3000.0}),
        (H100, (), {"max_usd": 1e7, "days": 1.0}),
    ],
)
def test_no_size_with_all_the_tokens_is_better(part, gpus, wish):
    plan = asked(part, gpus=gpus, **wish)
    value = plan.forecast.points[0].value
    sizes = plan.params * np.exp(np.linspace(-1.5, 0.5, 41))
    assert value <= best_by_trying(part, sizes, gpus=gpus, **wish) + 1e-3
    row = row_of(plan)
    assert row.fits
    assert row.days <= wish.get("days", math.inf) * (1.0 + 1e-9)
    assert row.usd <= wish.get("max_usd", math.inf) * (1.0 + 1e-9)


def test_where_memory_caps_the_size_more_time_buys_tokens_and_says_so():
    plans = [asked(RTX, gpus=(1,), days=days) for days in (10.0, 365.0, 1000.0, 3000.0)]
    losses = [plan.forecast.points[0].value for plan in plans]
    assert losses == sorted(set(losses), reverse=True)
    assert len({plan.params for plan in plans[1:]}) == 1  # the largest that fits
    assert "what binds" not in items(plans[0], "deadline")
    for plan, days in zip(plans[1:], (365.0, 1000.0, 3000.0), strict=True):
        assert "memory" in items(plan, "deadline")["what binds"]
        assert row_of(plan).days == pytest.approx(days, rel=1e-6)


def test_where_memory_caps_the_size_money_is_spent_and_says_so():
    plan = asked(H100, gpus=(8,), max_usd=1e6)
    found = items(plan, "money")
    assert found["expected cost"] == pytest.approx(1e6, rel=1e-6)
    assert "8 x h100" in found["what binds"]


def test_a_plan_of_the_largest_size_that_fits_is_not_called_too_small():
    plan = asked(RTX, gpus=(1,), days=365.0)
    notes = {note.id: note for note in plan_notes(plan, BESIROGLU)}
    assert not {"CAPACITY_LIMITED", "COMPUTE_WASTE"} & notes.keys()
    assert "memory" in notes["SMALLER_ON_PURPOSE"].text
    # The same sizes as a wish of the user's own are judged as before.
    own = asked(RTX, gpus=(1,), params=plan.params, tokens=plan.tokens)
    notes = {note.id: note for note in plan_notes(own, BESIROGLU)}
    assert notes["CAPACITY_LIMITED"].severity == "warning"


def test_tokens_and_ratios_that_were_asked_for_are_kept():
    plan = asked(H100, gpus=(8,), max_usd=1e9, tokens=1e11)
    assert plan.tokens == 1e11
    assert "hold" in items(plan, "money")["what binds"]
    plan = asked(RTX, gpus=(1,), days=1000.0, ratio=20.0)
    assert plan.tokens / plan.params == pytest.approx(20.0)
    assert "hold" in items(plan, "deadline")["what binds"]
