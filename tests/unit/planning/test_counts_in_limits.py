"""Deadlines and money are judged on the counts that were asked for; others are searched."""

from __future__ import annotations

from itertools import pairwise

import pytest

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.cluster_size import DEFAULT_DAYS
from scaleplan.planning.family import Model
from scaleplan.planning.wish import Machines, Wish
from tests.unit.records_for_tests import BESIROGLU

H100, A100 = accelerator("h100_sxm_80gb"), accelerator("a100_sxm_80gb")
MODEL = {"params": 7e9, "tokens": 1e12}


def asked(*, parts=(H100,), gpus=(), **wish):
    return answer_plan(BESIROGLU, Wish(**wish), Machines(accelerators=parts, gpus=gpus))


def items(plan, id_):
    (found,) = [a for a in plan.answers if a.id == id_]
    return {item.name: item.value for item in found.items}


def time_on(gpus):
    plan = asked(gpus=(gpus,), **MODEL)
    return next(row.days for row in plan.rows if row.gpus == gpus)


@pytest.mark.parametrize("gpus", [(64,), (64, 65)])
def test_a_deadline_is_judged_on_the_counts_that_were_asked_for(gpus):
    with pytest.raises(PlanError, match=rf"is missed: {gpus[-1]} x h100") as caught:
        asked(gpus=gpus, days=10.0, **MODEL)
    enough = int(caught.value.hint.split("or take ")[1].split(" ")[0].replace(",", ""))
    assert items(asked(gpus=(enough,), days=10.0, **MODEL), "deadline")["expected time"] <= 10.0
    allowed = float(caught.value.hint.split("Allow ")[1].split(" ")[0])
    plan = asked(gpus=gpus, days=allowed, **MODEL)
    assert items(plan, "deadline")["smallest cluster in time"] in gpus


def test_the_fastest_of_the_counts_may_meet_it_alone():
    plan = asked(gpus=(64, 512), days=10.0, **MODEL)
    assert items(plan, "deadline")["smallest cluster in time"] == 512


def test_a_model_that_does_not_fit_is_not_called_late():
    with pytest.raises(PlanError, match="does not fit in the memory of 1 x") as caught:
        asked(params=7e10, tokens=1e12, gpus=(1,), days=10.0)
    assert "or take" in caught.value.hint


def test_money_is_spent_on_a_slower_cluster_where_no_deadline_was_given():
    plan = asked(max_usd=1.45e5, **MODEL)
    found = items(plan, "money")
    assert found["expected cost"] <= 1.45e5
    assert found["expected time"] > DEFAULT_DAYS
    assert "30 d, assumed" in found["what binds"]
    gpus = int(found["accelerators"])
    more = asked(gpus=(2 * gpus,), **MODEL)
    assert next(row.usd for row in more.rows if row.gpus == 2 * gpus) > 1.45e5


@pytest.mark.parametrize("usd", [1.44e5, 1.45e5, 1.46e5, 1.48e5, 2e5])
def test_whatever_a_count_can_be_paid_for_is_not_refused(usd):
    assert items(asked(max_usd=usd, **MODEL), "money")["expected cost"] <= usd


def test_the_same_with_several_accelerators():
    plan = asked(parts=(H100, A100), max_usd=1.45e5, **MODEL)
    assert items(plan, "money")["expected cost"] <= 1.45e5


def test_too_little_money_names_the_least_and_a_deadline_the_time_it_takes():
    with pytest.raises(PlanError, match="which costs least, more than") as caught:
        asked(max_usd=1e4, **MODEL)
    with pytest.raises(PlanError, match=r"the fewest that end within 30\.0 d, more") as caught:
        asked(max_usd=1.45e5, days=30.0, **MODEL)
    allowed = float(caught.value.hint.split("Allow ")[1].split(" ")[0])
    plan = asked(max_usd=1.45e5, days=allowed, **MODEL)
    assert items(plan, "money")["expected cost"] <= 1.45e5


# What the fewest that hold a model cost is not the least: they compute activations twice.
BOUGHT_BY_MORE_THAN_THE_FEWEST = [
    ("h100", 7e10, 1.4e12, 1.73e6), ("h100", 7e10, 3e11, 3.71e5), ("a100", 7e10, 1.4e12, 1.804e6),
    ("a100", 1.75e11, 3e11, 9.16e5), ("h100", 1.2e11, 5e11, 1.026e6),
    ("h200", 4.05e11, 5e11, 3.92e6),
]  # fmt: skip


@pytest.mark.parametrize(("part", "params", "tokens", "usd"), BOUGHT_BY_MORE_THAN_THE_FEWEST)
def test_a_count_between_the_fewest_and_the_usual_may_be_the_cheapest(part, params, tokens, usd):
    plan = asked(parts=(accelerator(part),), params=params, tokens=tokens, max_usd=usd)
    assert items(plan, "money")["expected cost"] <= usd


def rows_of(part, params, tokens):
    model = Model(
        params=params, active_params=params, tokens=tokens, flops=6 * params * tokens, how=""
    )
    row_at = Machines(accelerators=(part,)).row_at(model, part)
    return [row for row in map(row_at, [*range(1, 9), *range(16, 2049, 8)]) if row.fits]


@pytest.mark.parametrize(("params", "tokens"), [(7e9, 1e12), (7e10, 1.4e12), (1.2e11, 5e11)])
def test_what_is_said_to_cost_least_does(params, tokens):
    least = min(rows_of(H100, params, tokens), key=lambda row: row.usd)
    with pytest.raises(PlanError, match=rf"on {least.gpus} x h100.*, which costs least"):
        asked(params=params, tokens=tokens, max_usd=0.999 * least.usd)
    found = items(asked(params=params, tokens=tokens, max_usd=1.001 * least.usd), "money")
    assert found["expected cost"] <= 1.001 * least.usd


def test_of_several_accelerators_the_cheapest_is_named():
    with pytest.raises(PlanError, match="which costs least") as both:
        asked(parts=(A100, H100), max_usd=1e4, **MODEL)
    costs = []
    for part in (A100, H100):
        with pytest.raises(PlanError) as alone:
            asked(parts=(part,), max_usd=1e4, **MODEL)
        costs.append((alone.value.usd, alone.value.message))
    assert both.value.message == min(costs)[1]


def test_a_cheaper_cluster_in_time_is_larger_than_the_fewest():
    rows = rows_of(H100, 7e10, 1.4e12)
    fewest = rows[0]
    cheaper = [row for row in rows if row.usd < 0.95 * fewest.usd]
    days = 1.001 * fewest.days
    plan = asked(params=7e10, tokens=1.4e12, max_usd=0.95 * fewest.usd, days=days)
    assert items(plan, "money")["accelerators"] == cheaper[0].gpus > fewest.gpus
    assert "the fewest that end within" in items(plan, "money")["what binds"]


def test_more_time_never_buys_fewer_tokens_of_a_size():
    days = (300.0, 600.0, 900.0, 1200.0, 1400.0, 1700.0, 2500.0)
    plans = [asked(params=7e10, max_usd=1.5e6, days=limit) for limit in days]
    tokens = [plan.tokens for plan in plans]
    assert all(later >= 0.999 * earlier for earlier, later in pairwise(tokens))
    for plan, limit in zip(plans, days, strict=True):
        found = items(plan, "money")
        assert found["expected cost"] <= 1.5e6 * (1 + 1e-6)
        assert found["expected time"] <= limit
        assert items(plan, "deadline")["smallest cluster in time"] == found["accelerators"]


def test_the_days_that_are_assumed_of_a_purchase_are_named():
    assert "30 d, assumed" in items(asked(max_usd=1e5), "money")["cluster sized for"]
    assert "cluster sized for" not in items(asked(max_usd=1e5, days=60.0), "money")
    assert "cluster sized for" not in items(asked(max_usd=1e5, gpus=(64,)), "money")


@pytest.mark.parametrize("wish", [
    {"params": 7e9, "max_usd": 1e30}, {"max_usd": 1e30}, {"flops": 1e36, "params": 1e3},
    {"params": 1e15, "ratio": 1e12},
])  # fmt: skip
def test_sizes_that_follow_are_bounded_as_given_ones_are(wish):
    with pytest.raises(UsageError, match="more than 1e"):
        asked(**wish)


def test_time_and_money_are_met_by_one_row():
    plan = asked(max_usd=2e5, gpus=(8, 128), days=30.0, **MODEL)
    assert items(plan, "money")["accelerators"] == 128
    with pytest.raises(PlanError, match="more than"):
        asked(max_usd=1e5, gpus=(8, 128), days=30.0, **MODEL)


def test_a_deadline_beyond_the_useful_count_is_met_with_a_warning():
    plan = asked(params=1e12, tokens=2e13, days=100.0)
    found = items(plan, "deadline")
    assert found["expected time"] <= 100.0
    row = next(row for row in plan.rows if row.gpus == found["smallest cluster in time"])
    assert row.gpus > row.useful_gpus
    assert row.efficiency >= 0.5
    notes = {note.id: note.severity for note in plan_notes(plan, BESIROGLU)}
    assert notes["THIN_STEPS"] == "warning"


def test_the_days_that_are_assumed_are_said():
    def assumed(plan):
        return [a.value for a in plan.assumptions if a.name == "time the cluster is sized for"]

    assert assumed(asked(**MODEL)) == [DEFAULT_DAYS]
    assert assumed(asked(max_usd=1e6)) == [DEFAULT_DAYS]
    assert assumed(asked(gpus=(64,), **MODEL)) == []
    assert assumed(asked(days=20.0, **MODEL)) == []
