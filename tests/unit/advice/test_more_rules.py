from __future__ import annotations

from dataclasses import replace

import pytest

from scaleplan.advice import forecast_notes
from scaleplan.advice.classification import classification_notes
from scaleplan.advice.hull import outside_hull
from scaleplan.advice.saturation import saturated_input
from scaleplan.errors import UsageError
from scaleplan.planning.equal_loss import critical_size_ratio
from scaleplan.planning.forecast import forecast
from scaleplan.records import LawFit, Metric, Range
from tests.unit.records_for_tests import BESIROGLU, fit_like


def ids(fit, params, tokens):
    return {n.id: n for n in forecast_notes(forecast(fit, params=[params], tokens=[tokens]), fit)}


def test_the_floor_is_reached_far_out_and_not_inside():
    fit = fit_like()
    assert "FLOOR_REACHED" in ids(fit, 1e15, 1e17)
    assert "FLOOR_REACHED" not in ids(fit, 1e10, 2e11)


def test_an_unknown_floor_is_not_reached():
    unknown = tuple(replace(p, low=0.0) if p.symbol == "E" else p for p in fit_like().parameters)
    assert "FLOOR_REACHED" not in ids(fit_like(parameters=unknown), 1e15, 1e17)


def test_a_wide_interval_that_hides_what_is_left_is_a_warning():
    noisy = replace(BESIROGLU.main, noise=0.15)
    note = ids(fit_like(main=noisy), 1e12, 2e13)["WIDE_INTERVAL"]
    assert note.severity == "warning"
    mild = replace(BESIROGLU.main, noise=0.03)
    assert ids(fit_like(main=mild), 1e9, 2e10)["WIDE_INTERVAL"].severity == "info"


def test_forms_that_disagree_are_told():
    main = BESIROGLU.main
    other = replace(main, theta=(1.0, *main.theta[1:]))
    fit = fit_like(alternatives=(other,))
    fit = replace(fit, widening=replace(fit.widening, weights=(1.0, 0.0)))
    note = ids(fit, 1e10, 2e11)["FORM_SPREAD"]
    assert dict(note.numbers)["apart"] == pytest.approx(main.theta[0] - 1.0)
    same = fit_like(alternatives=(main,))
    same = replace(same, widening=replace(same.widening, weights=(0.5, 0.5)))
    assert "FORM_SPREAD" not in ids(same, 1e10, 2e11)


def test_a_size_near_the_critical_one_is_told():
    fit = fit_like()
    note = ids(fit, 1e8, 1e15)["CRITICAL_SIZE"]
    numbers = dict(note.numbers)
    law = fit.main.theta
    share = critical_size_ratio(alpha=law[2], beta=law[4])
    assert numbers["smallest_params"] == pytest.approx(share * numbers["optimal_params"])
    assert "CRITICAL_SIZE" not in ids(fit, 1e10, 2e11)


SQUARE = ((1e8, 1e9), (1e10, 1e9), (1e10, 1e12))  # no small model on much data


@pytest.mark.parametrize(
    ("params", "tokens", "outside"),
    [(5e9, 2e9, False), (1e8, 1e12, True), (1e9, 1.1e10, False), (1e12, 1e13, False)],
)
def test_the_hull_is_not_the_ranges(params, tokens, outside):
    ranges = (Range(role="params", low=1e8, high=1e10), Range(role="tokens", low=1e9, high=1e12))
    fit = fit_like(hull=SQUARE, ranges=ranges)
    # 1e9 params on 1.1e10 tokens lie on the diagonal, within rounding for the third case.
    found = [note.id for note in outside_hull(fit, params, tokens)]
    assert found == (["OUTSIDE_HULL"] if outside else [])


def test_an_input_that_no_longer_matters_is_told():
    flat = LawFit(
        law="chinchilla", theta=(1.0, 1e-6, 0.3, 500.0, 0.4), covariance=None, noise=0.01, dof=20,
        residual="log",
    )  # fmt: skip
    notes = list(saturated_input(fit_like(main=flat)))
    assert [note.id for note in notes] == ["INPUT_SATURATED"]
    assert notes[0].text.startswith("Parameters are saturated")
    assert list(saturated_input(fit_like())) == []


def accuracy_fit(noise=0.001):
    main = replace(BESIROGLU.main, noise=noise)
    metric = Metric(name="acc", kind="accuracy", unit="fraction")
    return fit_like(metric=metric, complement=True, main=main)


def told(values, fit=None, **known):
    asked = {"classes": None, "test_examples": None, **known}
    return [n.id for n in classification_notes(fit or accuracy_fit(), values, **asked)]


def test_accuracies_at_chance_at_the_ceiling_and_in_noise():
    values = [0.26, 0.4, 0.9]
    assert told(values, classes=4) == []
    assert told(values, classes=4, test_examples=400) == ["CHANCE_LEVEL", "TEST_NOISE"]
    assert told([0.5, 0.6, 0.999], accuracy_fit(0.5), test_examples=1000) == ["CEILING_REACHED"]
    assert told(values) == []


def test_an_error_rate_is_read_the_other_way():
    fit = replace(accuracy_fit(0.5), metric=Metric(name="err", kind="error", unit="fraction"),
                  complement=False)  # fmt: skip
    assert told([0.75, 0.3], fit, classes=4) == ["CHANCE_LEVEL"]


def test_a_loss_has_no_chance_level():
    with pytest.raises(UsageError, match="do not apply to"):
        told([2.0], fit_like(), classes=4)
