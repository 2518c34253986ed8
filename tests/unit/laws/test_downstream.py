"""From loss to a task's error or accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.identifiability import check_fit
from scaleplan.laws import get_law

LOSS = np.linspace(0.4, 1.6, 25)


def test_the_sigmoid_is_that_of_the_olmo_ladder():
    # Their code: p / (1 + exp(-k (L - L0))) + q with p negative.
    p, k, middle, q = -0.55, 6.0, 0.9, 0.82
    theirs = p / (1.0 + np.exp(-k * (LOSS - middle))) + q
    ours = get_law("loss_to_accuracy").evaluate(
        [np.asarray(v) for v in (q + p, -p, k, middle)], [LOSS]
    )
    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("name", ["loss_to_accuracy", "loss_to_error"])
@pytest.mark.parametrize("rising", [False, True])
def test_both_serve_errors_and_accuracies(name, rising):
    law = get_law(name)
    theta = (0.3, 0.5, 5.0, 0.9) if name == "loss_to_accuracy" else (0.9, 1.1, 1.4)
    sign = -1.0 if rising is (name == "loss_to_accuracy") else 1.0
    theta = (theta[0] + (0.5 if sign < 0.0 and rising else 0.0), sign * theta[1], *theta[2:])
    values = law.evaluate([np.asarray(v) for v in theta], [LOSS])
    assert (np.diff(values) > 0.0).all() == rising
    assert fit_law(law, LOSS[None], values).theta == pytest.approx(theta, rel=1e-5)


def test_nothing_overflows_far_from_the_middle():
    law = get_law("loss_to_accuracy")
    values = law.evaluate([np.asarray(v) for v in (0.25, 0.6, 500.0, 0.9)], [LOSS * 10.0])
    assert np.isfinite(values).all()
    assert values[-1] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("theta", "losses"),
    [
        ((0.25, 0.6, 4.0, 0.9), (0.5, 1.6, 12)),  # both sides of L0
        ((0.25, 0.6, 4.0, 0.9), (1.2, 2.0, 15)),  # one side only
        ((0.0, 0.75, 10.0, 0.95), (0.78, 2.75, 32)),  # no chance level: falls to 1e-8
        ((0.0, 0.58, 4.24, 2.0), (2.14, 8.22, 24)),  # falls to 1e-11
    ],
)
def test_accuracies_without_noise_give_the_parameters_that_made_them(theta, losses):
    law, x = get_law("loss_to_accuracy"), np.linspace(*losses)
    values = law.evaluate([np.float64(t) for t in theta], [x])
    fitted = fit_law(law, x[None], values)
    assert check_fit(fitted, ("loss",)) is None
    assert fitted.theta == pytest.approx(theta, rel=1e-5, abs=1e-8)


def test_accuracies_far_on_one_side_say_what_is_not_known():
    law, x = get_law("loss_to_accuracy"), np.linspace(2.43, 3.6, 28)
    values = law.evaluate([np.float64(t) for t in (0.0, 0.6, 24.0, 3.9)], [x])
    refusal = check_fit(fit_law(law, x[None], values), ("loss",))
    assert refusal is not None
    assert refusal.reason.startswith("these runs do not determine q and p")
