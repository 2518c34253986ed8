"""Sizes that are meant: by inference, and mixtures of experts under laws of dense models."""

from __future__ import annotations

import pytest

from scaleplan.advice import plan_notes
from scaleplan.catalog import accelerator
from scaleplan.laws import get_law
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.wish import Machines, Wish
from tests.unit.records_for_tests import BESIROGLU

H100 = accelerator("h100_sxm_80gb")


def planned(*, gpus=(64,), price=None, pue=None, **wish):
    machines = Machines(accelerators=(H100,), gpus=gpus, usd_per_hour=price, pue=pue)
    plan = answer_plan(BESIROGLU, Wish(**wish), machines)
    return plan, {note.id: note for note in plan_notes(plan, BESIROGLU)}


@pytest.mark.parametrize("inference", [1e12, 1e13, 1e15])
def test_the_least_over_training_and_inference_is_not_called_waste(inference):
    plan, notes = planned(target=2.0, inference_tokens=inference, gpus=(512,))
    assert not {"CAPACITY_LIMITED", "COMPUTE_WASTE"} & notes.keys()
    (answer,) = [a for a in plan.answers if a.id == "target"]
    how = {item.name: item.value for item in answer.items}["chosen as"]
    assert how.startswith("least compute over training and inference")
    if inference > 1e12:
        assert notes["SMALLER_ON_PURPOSE"].severity == "info"


def test_a_size_too_small_even_with_its_inference_is_still_called_so():
    _, notes = planned(params=5e9, tokens=3e12, inference_tokens=1e11)
    assert notes["CAPACITY_LIMITED"].severity == "warning"
    assert "COMPUTE_WASTE" in notes
    _, notes = planned(params=5e9, tokens=3e12, inference_tokens=1e14)
    assert "SMALLER_ON_PURPOSE" in notes


def test_a_mixture_is_said_to_be_taken_as_dense_with_the_losses_on_both_sides():
    plan, notes = planned(params=671e9, active_params=37e9, tokens=14.8e12, gpus=(2048,))
    numbers = dict(notes["MIXTURE_AS_DENSE"].numbers)
    law, theta = get_law("chinchilla"), list(BESIROGLU.main.theta)
    assert numbers["at_active"] == pytest.approx(law.evaluate(theta, [37e9, 14.8e12]))
    assert numbers["at_all"] == pytest.approx(law.evaluate(theta, [671e9, 14.8e12]))
    assert numbers["at_all"] < plan.forecast.points[0].value
    # By its active parameters it is small for its data and by all it is not: neither is said.
    assert not {"CAPACITY_LIMITED", "COMPUTE_WASTE", "BALANCED"} & notes.keys()
    taken = [a for a in plan.assumptions if a.name == "parameters the law takes"]
    assert [a.value for a in taken] == [37e9]


def test_a_mixture_that_is_small_by_all_its_parameters_is_called_so_of_the_active_ones():
    _, notes = planned(params=8e9, active_params=1e9, tokens=5e12)
    assert "5000 tokens per active parameter" in notes["CAPACITY_LIMITED"].text


def test_dense_models_are_no_mixtures():
    plan, notes = planned(params=7e9, tokens=1e12)
    assert "MIXTURE_AS_DENSE" not in notes
    assert not [a for a in plan.assumptions if a.name == "parameters the law takes"]


def test_prices_and_pue_that_are_hardly_meant():
    _, notes = planned(params=7e9, tokens=1e12, price=1000.0, pue=50.0)
    assert notes["UNLIKELY_PRICE"].severity == "warning"
    assert notes["UNLIKELY_PUE"].severity == "warning"
    _, notes = planned(params=7e9, tokens=1e12, price=6.0, pue=1.6)
    assert not {"UNLIKELY_PRICE", "UNLIKELY_PUE"} & notes.keys()


def test_a_cluster_that_stands_idle_is_warned_of():
    _, notes = planned(params=1e6, tokens=1e9, gpus=(100_000,))
    assert notes["MOSTLY_IDLE"].severity == "warning"
    _, notes = planned(params=7e9, tokens=1e12, gpus=(64,))
    assert "MOSTLY_IDLE" not in notes
