from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator, published_law
from scaleplan.errors import PlanError, UsageError
from scaleplan.laws import get_law
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.family import Family
from scaleplan.planning.published import fit_from_published
from scaleplan.planning.repeats import repeats_of, with_repeats
from scaleplan.planning.target import model_for_target
from scaleplan.planning.wish import Machines, Wish
from tests.unit.records_for_tests import BESIROGLU, fit_like

H100 = accelerator("h100_sxm_80gb")


def ask(fit=BESIROGLU, *, parts=(H100,), gpus=(), price=None, batch=None, **wish):
    machines = Machines(
        accelerators=parts, gpus=gpus, usd_per_hour=price, batch_tokens=batch
    )  # fmt: skip
    return answer_plan(fit, Wish(**wish), machines)


def answer(plan, id_):
    (found,) = [a for a in plan.answers if a.id == id_]
    return {item.name: item.value for item in found.items}


def law_value(params, tokens):
    law = get_law("chinchilla")
    return law.evaluate(list(BESIROGLU.main.theta), [params, tokens])


def test_a_target_is_reached_with_the_least_compute():
    model = model_for_target(Family(fit=BESIROGLU), 2.0)
    assert law_value(model.params, model.tokens) == pytest.approx(2.0, rel=1e-12)
    for factor in np.geomspace(0.1, 10.0, 41):
        params = model.params * factor
        try:
            other = model_for_target(Family(fit=BESIROGLU, params=params), 2.0)
        except PlanError:
            continue
        assert other.flops >= model.flops * (1.0 - 1e-12)


@pytest.mark.parametrize("held", [{"params": 2e10}, {"tokens": 5e11}, {"ratio": 100.0}, {}])
def test_targets_invert_forecasts(held):
    family = Family(fit=BESIROGLU, **held)
    for flops in (1e21, 3e22, 1e24):
        model = family.at(flops)
        assert 6.0 * model.params * model.tokens == pytest.approx(flops, rel=1e-12)
        back = model_for_target(family, family.value(model))
        assert back.flops == pytest.approx(flops, rel=1e-9)


def test_a_target_below_the_floor_tells_the_bound():
    with pytest.raises(PlanError, match=r"its bound is 1\.817 \(irreducible loss E = 1\.817"):
        ask(target=1.5)
    with pytest.raises(PlanError, match=r"by 1\.00B parameters .* its bound is 2\.174"):
        ask(target=2.0, params=1e9)
    floor = BESIROGLU.main.theta[0]
    with pytest.raises(PlanError, match="its bound"):
        ask(target=floor)


def test_the_smallest_cluster_is_the_smallest():
    plan = ask(params=7e10, tokens=1.4e12, days=30.0)
    found = answer(plan, "deadline")
    best = int(found["smallest cluster in time"])
    machines = Machines(accelerators=(H100,))
    from scaleplan.planning.assemble import default_model

    model = default_model(
        BESIROGLU, params=7e10, active_params=None, tokens=1.4e12, flops=None, ratio=None
    )
    assert machines.row(model, H100, best).days <= 30.0
    for count in range(8, best, 8):
        row = machines.row(model, H100, count)
        assert row.days > 30.0 or not row.fits


@pytest.mark.parametrize("days", [0.01, 0.5, 3.0, 100.0, 1e4])
def test_small_models_need_few(days):
    plan = ask(params=1e8, tokens=1e10, days=days)
    found = answer(plan, "deadline")
    assert found["expected time"] <= days


def test_a_deadline_in_the_past_of_physics_says_what_would_do():
    with pytest.raises(PlanError, match=r"cannot be trained in 1\.00 d") as caught:
        ask(params=1e12, days=1.0)
    assert "Allow" in caught.value.hint
    assert "train on about" not in caught.value.hint  # so few that it would be another model
    with pytest.raises(PlanError) as caught:
        ask(params=7e9, days=0.02)
    tokens = float(caught.value.hint.split("about ")[1].split(" ")[0].rstrip("BMT"))
    assert tokens > 0.0


@pytest.mark.parametrize(
    ("params", "tokens", "gpus", "days"),
    [(405e9, 15.6e12, 16384, 120.0), (70e9, 15e12, 16384, 20.0)],
)
def test_a_deadline_that_a_given_cluster_meets_is_met_by_the_search(params, tokens, gpus, days):
    there = ask(params=params, tokens=tokens, gpus=(gpus,))
    assert next(row.days for row in there.rows if row.gpus == gpus) < days
    found = answer(ask(params=params, tokens=tokens, days=days), "deadline")
    assert found["expected time"] <= days


def test_what_is_left_of_the_money_is_explained():
    assert "what binds" not in answer(ask(max_usd=1e5), "money")
    assert "deadline" in answer(ask(max_usd=1e8, days=1.0), "money")["what binds"]
    assert "hold" in answer(ask(max_usd=1e15), "money")["what binds"]


def test_more_money_never_buys_a_worse_model():
    losses = [ask(max_usd=usd, days=1.0).forecast.points[0].value for usd in (1e5, 3e5, 1e6, 1e7)]
    assert losses == sorted(losses, reverse=True)


def test_money_is_used_up_and_buys_the_best():
    plan = ask(max_usd=1e6)
    found = answer(plan, "money")
    assert found["expected cost"] == pytest.approx(1e6, rel=1e-6)
    assert found["expected cost"] <= 1e6
    assert plan.flops == pytest.approx(6.0 * plan.params * plan.tokens)
    more = ask(max_usd=2e6)
    assert more.forecast.points[0].value < plan.forecast.points[0].value


def test_money_with_a_size_buys_tokens():
    plan = ask(max_usd=1e5, params=7e9, gpus=(64,))
    assert plan.params == 7e9
    row = next(row for row in plan.rows if row.gpus == 64)
    assert row.usd == pytest.approx(1e5, rel=1e-6)


def test_days_and_a_cluster_buy_the_best_model():
    plan = ask(days=10.0, gpus=(256,))
    row = next(row for row in plan.rows if row.gpus == 256)
    assert row.days == pytest.approx(10.0, rel=1e-6)


def test_several_accelerators_are_offered_and_the_best_taken():
    parts = (accelerator("a100_sxm_80gb"), H100)
    plan = ask(max_usd=1e5, parts=parts)
    values = {offer.gpu: offer.value for offer in plan.offers}
    assert set(values) == {part.id for part in parts}
    assert {row.gpu for row in plan.rows} == {min(values, key=values.get)}


def test_a_model_that_costs_more_than_the_money_is_refused():
    with pytest.raises(PlanError, match="more than"):
        ask(params=7e9, tokens=1e12, max_usd=1000.0)


def test_inference_makes_models_smaller():
    training = ask(target=2.0, gpus=(512,))
    life = ask(target=2.0, gpus=(512,), inference_tokens=1e13)
    assert life.params < training.params
    assert life.flops > training.flops
    best = [row for row in life.lifetime if row.best]
    assert len(best) == 1
    assert best[0].total_flops == min(row.total_flops for row in life.lifetime)
    for row in life.lifetime:
        assert law_value(row.params, row.tokens) == pytest.approx(2.0, rel=1e-9)


def test_repeats_follow_the_published_form():
    fit = with_repeats(BESIROGLU)
    found = repeats_of(fit, 2e12, 5e11)
    assert found.epochs == 4.0
    decay = published_law("muennighoff_2023_repeats").theta[5]
    assert found.marginal == pytest.approx(math.exp(-3.0 / decay))
    assert found.effective_tokens == pytest.approx(
        5e11 + 5e11 * decay * (1.0 - math.exp(-3.0 / decay))
    )
    assert repeats_of(fit, 1e11, 5e11).effective_tokens == 1e11


def test_a_plan_with_few_unique_tokens_is_worse_and_says_so():
    fresh = ask(params=1e9, tokens=1e12, gpus=(64,))
    repeated = ask(params=1e9, tokens=1e12, gpus=(64,), unique_tokens=1e10)
    assert repeated.forecast.points[0].value > fresh.forecast.points[0].value
    ids = [note.id for note in plan_notes(repeated, with_repeats(BESIROGLU))]
    assert "REPEAT" in ids
    assert "REPEAT_MAY_HARM" in ids
    # The form discounts parameters beyond the best size for the data, so that a small one is taken.
    same = ask(params=1e8, tokens=1e10, gpus=(64,), unique_tokens=1e12)
    plain = ask(params=1e8, tokens=1e10, gpus=(64,))
    assert same.forecast.points[0].value == pytest.approx(plain.forecast.points[0].value)


@pytest.mark.parametrize(
    ("unique", "severity"), [(1.5e10, "warning"), (5e9, "error"), (2.5e10, None), (1e11, None)]
)
def test_too_small_a_data_set_is_told_by_kaplans_law(unique, severity):
    plan = ask(params=1e9, tokens=1.2e11, gpus=(64,), unique_tokens=unique)
    notes = [n for n in plan_notes(plan, with_repeats(BESIROGLU)) if n.id == "DATA_SET_SMALL"]
    assert [n.severity for n in notes] == ([] if severity is None else [severity])
    for note in notes:
        # Kaplan et al. 2020, equation 4.3, with the constants of table 2.
        ratio = (1e9 / 6.4e13) ** (0.076 / 0.103) * 1.8e13 / unique
        assert dict(note.numbers)["penalty"] == pytest.approx((1.0 + ratio) ** 0.103 - 1.0)


def test_the_best_split_of_repeated_data_is_the_best():
    plan = ask(flops=1e23, gpus=(256,), unique_tokens=1e11)
    fit = with_repeats(BESIROGLU)
    law = get_law(fit.law)

    def loss(params):
        return law.evaluate(list(fit.main.theta), [params, 1e23 / 6.0 / params, 1e11])

    best = loss(plan.params)
    assert all(loss(plan.params * f) >= best - 1e-12 for f in np.geomspace(0.2, 5.0, 61))


def test_laws_without_repeats_are_refused():
    fit = fit_from_published(published_law("gadre_2024_redpajama"))
    with pytest.raises(PlanError, match="what repeats are worth") as refused:
        ask(fit, params=1e9, tokens=1e12, unique_tokens=1e10)
    assert "--law chinchilla" in refused.value.hint


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"tokens": 1e9},
        {"target": 2.0, "flops": 1e22},
        {"target": 2.0, "params": 1e9, "tokens": 1e10},
        {"target": 2.0, "max_usd": 1e6},
        {"params": 1e9, "tokens": 1e9, "flops": 1e20},
        {"active_params": 1e9, "flops": 1e22},
    ],
)
def test_contradictions_and_nothing_are_refused(wish):
    with pytest.raises(UsageError):
        ask(**wish)


def test_the_valley_is_as_flat_as_it_says():
    plan = ask(flops=1e24, gpus=(1024,))
    found = answer(plan, "valley")
    best = law_value(plan.params, plan.tokens)
    for end in ("smallest", "largest"):
        params = found[end]
        assert law_value(params, 1e24 / 6.0 / params) == pytest.approx(best + 0.01, rel=1e-9)


def test_a_law_that_knows_no_split_wants_a_size():
    main = BESIROGLU.main
    only_size = fit_like(
        law="power_floor", inputs=("params",), input_columns=("params",),
        main=type(main)(law="power_floor", theta=(1.8, 480.0, 0.35), covariance=None, noise=None,
                        dof=0, residual="log"),
    )  # fmt: skip
    with pytest.raises(PlanError, match="does not tell the compute-optimal size"):
        ask(only_size, target=2.0)
    plan = ask(only_size, target=2.2, ratio=20.0, gpus=(64,))
    assert 1.8 + 480.0 * plan.params**-0.35 == pytest.approx(2.2, rel=1e-9)


def test_a_best_plan_under_repeated_data_is_called_balanced_and_wastes_nothing():
    plan = ask(flops=1e24, gpus=(640,), unique_tokens=5e11)
    notes = {note.id: note for note in plan_notes(plan, BESIROGLU)}
    assert "COMPUTE_WASTE" not in notes
    assert dict(notes["BALANCED"].numbers)["marginal_ratio"] == pytest.approx(1.0, rel=1e-5)


def test_waste_under_repeated_data_is_that_of_the_data_there_are():
    plan = ask(params=1e10, tokens=5e12, gpus=(640,), unique_tokens=5e10)
    notes = {note.id: note for note in plan_notes(plan, BESIROGLU)}
    least = dict(notes["COMPUTE_WASTE"].numbers)["least_flops"]
    repeated = with_repeats(BESIROGLU)
    best = min(
        get_law(repeated.law).evaluate(
            list(repeated.main.theta), [params, least / 6.0 / params, 5e10]
        )
        for params in np.geomspace(1e9, 1e12, 4001)
    )
    (point,) = plan.forecast.points
    assert best == pytest.approx(point.value, rel=1e-5)


def test_tokens_or_a_ratio_with_a_target_and_inference_are_refused():
    for asked in ({"ratio": 20.0}, {"tokens": 1e12}):
        with pytest.raises(UsageError, match="--inference-tokens chooses size and tokens"):
            ask(target=2.0, inference_tokens=1e13, gpus=(64,), **asked)
