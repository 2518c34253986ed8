"""Every law of LAWS honours the contract of a law."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import scaleplan.laws
from scaleplan.errors import UsageError
from scaleplan.fitting.fitted import fit_law
from scaleplan.laws import LAWS, CurvedLaw, HasOptimum, HasSection, Law, PowerSumLaw, get_law

# Plausible parameters and a spread of inputs for each law.
THETA = {
    "linear": (0.1, 0.5),
    "log_linear": (-0.07, 3.9),
    "power": (11.5, -0.076),
    "power_floor": (1.7, 400.0, 0.34),
    "power_ceiling": (1.3, 30.0, 0.25),
    "efficiency": (),
    "chinchilla": (1.8172, 482.01, 0.3478, 2085.43, 0.3658),
    "coupled": (1.7, 2000.0, 0.42, 10000.0, 0.44, 0.78),
    "kaplan": (6.4e13, 0.076, 1.8e13, 0.103),
    "power_product": (0.05, 0.38, 0.18),
    "shifted": (1.7, 4000.0, 0.42, 3e7),
    "m3": (20.0, 2e-10, 0.1),
    "rectified": (1.2, 5e4, 0.55, 3e3),
    "sigmoid": (0.12, 0.75, 3e9, 0.6),
    "saturating": (0.12, 0.9, 1.5, 2500.0, -0.4),
    "overtraining": (1.8, 90.0, 300.0, 0.27),
    "data_constrained": (1.87, 521.0, 0.353, 1488.0, 0.35, 15.4, 5.3),
    "broken": (1.0, 60.0, 0.15, 0.5, 3e8, 0.4),
    # Ludziejewski et al. 2025, table 3; Clark et al. 2022, table 3; Krajewski et al. 2024, table 1.
    "moe": (35.91, -0.1889, -0.2285, 0.0098, 35.98, -0.1775, 0.5529, -0.0259, 2.0732, 290.45,
            1.3637),
    "routed": (-0.082, -0.108, 0.009, 1.104, 1.847, 314.478),
    "granularity": (0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147),
    "precision": (1.8, 480.0, 0.35, 2000.0, 0.36, 2.5),
    "precision_parts": (1.8, 480.0, 0.35, 2000.0, 0.36, 2.6, 2.2, 0.9),
    "optimizer_factors": (1.8, 480.0, 0.35, 2000.0, 0.36, 1.4, 0.8),
    "compute_factors": (1.8, 1000.0, 0.155, 1.7),
    "loss_to_error": (0.857, 2.2, 0.715),
    "loss_to_accuracy": (0.25, 0.6, 3.0, 2.5),
}  # fmt: skip
# What the further inputs of a law range over.
FURTHER = {
    "experts": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 128.0),
    "granularity": (1.0, 2.0, 4.0, 8.0, 16.0),
    "bits": (3.0, 4.0, 6.0, 8.0, 16.0),
    "weight_bits": (3.0, 4.0, 6.0, 8.0, 16.0),
    "activation_bits": (16.0, 4.0, 3.0, 8.0, 6.0, 5.0, 7.0),
    "kv_cache_bits": (2.0, 3.0, 16.0, 1.0),
    "level": (1.0, 2.0),
    # Data seen 1 to 64 times, models below and far above the best size for them.
    "repeats": (1.0, 4.0, 16.0, 64.0, 2.0),
}
by_name = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)


def inputs_of(law: Law) -> np.ndarray:
    n, d = (
        row.ravel() for row in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 6))
    )
    if law.name.startswith("loss_to"):
        return np.linspace(1.8, 4.2, 24)[None]
    if law.inputs == ("x",):
        # A straight line has no scale of its own: sizes near 1 keep its intercept visible.
        x = (
            np.geomspace(1e6, 1e11, 24)
            if isinstance(law, CurvedLaw)
            else np.geomspace(1e7, 1e10, 5)
        )
        return x[None] / 1e7 if law.name == "linear" else x[None]
    rows = []
    for role in law.inputs:
        if role in {"params", "active_params"}:
            rows.append(n)
        elif role == "tokens":
            rows.append(d)
        elif role == "flops":
            rows.append(6.0 * n * d)
        elif role == "unique_tokens":
            rows.append(d / np.resize(FURTHER["repeats"], n.size))
        else:
            rows.append(np.resize(FURTHER[role], n.size))
    return np.stack(rows)


@by_name
def test_every_law_has_parameters_to_test_with(law):
    assert len(THETA[law.name]) == len(law.parameters)


@by_name
def test_texts_are_filled(law):
    for text in (law.name, law.title, law.formula, law.source, law.holds):
        assert text.strip()
    for spec in law.parameters:
        assert spec.symbol
        assert spec.meaning
        assert spec.low < spec.high


@by_name
def test_gradient_agrees_with_finite_differences(law):
    theta, inputs = THETA[law.name], [float(row[row.size // 2]) for row in inputs_of(law)]
    gradient = law.gradient(list(theta), inputs)
    for k, value in enumerate(theta):
        step = 1e-6 * abs(value)
        up, down = list(theta), list(theta)
        up[k], down[k] = value + step, value - step
        numeric = (law.evaluate(up, inputs) - law.evaluate(down, inputs)) / (2 * step)
        assert gradient[k] == pytest.approx(numeric, rel=1e-6)


@by_name
def test_floats_and_arrays_agree(law):
    theta, inputs = THETA[law.name], inputs_of(law)
    together = law.evaluate([np.asarray(v) for v in theta], list(inputs))
    gradients = law.gradient([np.asarray(v) for v in theta], list(inputs))
    for i in range(inputs.shape[1]):
        at = [float(row[i]) for row in inputs]
        assert law.evaluate(list(theta), at) == pytest.approx(together[i], rel=1e-14)
        for k, each in enumerate(law.gradient(list(theta), at)):
            assert each == pytest.approx(gradients[k][i], rel=1e-12)


@by_name
def test_recovers_its_own_noiseless_parameters(law):
    theta, inputs = THETA[law.name], inputs_of(law)
    values = law.evaluate([np.asarray(v) for v in theta], list(inputs))
    fitted = fit_law(law, inputs, values)
    assert fitted.theta == pytest.approx(theta, rel=1e-6)


@by_name
@pytest.mark.parametrize("seed", range(4))
def test_predicts_its_own_noiseless_runs_at_random_parameters(law, seed):
    # Parameters may be known by combinations only; what they predict must be right.
    rng, inputs = np.random.default_rng(seed), inputs_of(law)
    theta = []
    for value, spec in zip(THETA[law.name], law.parameters, strict=True):
        moved = value * np.exp(0.3 * rng.standard_normal())
        theta.append(moved if spec.low <= moved <= spec.high else value)
    values = np.asarray(law.evaluate([np.asarray(v) for v in theta], list(inputs)))
    assert law.residual == "raw" or (values > 0.0).all()
    fitted = fit_law(law, inputs, values)
    assert fitted.predict(inputs) == pytest.approx(values, rel=1e-6)


@by_name
def test_written_formula_holds_the_numbers(law):
    names = ["N", "D", "U", "V", "W"][: len(law.inputs)]
    text = law.write(THETA[law.name], metric="L", names=names)
    assert text.startswith("L = ")
    assert all(name in text for name in names)


@pytest.mark.parametrize(
    "law", [law for law in LAWS if isinstance(law, PowerSumLaw)], ids=lambda law: law.name
)
def test_power_sums_fall_or_rise_by_their_sign(law):
    theta, inputs = list(THETA[law.name]), [float(row[0]) for row in inputs_of(law)]
    for k in range(len(inputs)):
        more = inputs.copy()
        more[k] *= 2.0
        assert 0.0 < law.evaluate(theta, more) < law.evaluate(theta, inputs)


@pytest.mark.parametrize(
    "law", [law for law in LAWS if isinstance(law, HasOptimum)], ids=lambda law: law.name
)
@pytest.mark.parametrize("flops", [1e18, 1e21, 1e25])
def test_closed_form_optimum_is_the_numeric_one(law, flops):
    theta = list(THETA[law.name])
    params, tokens = law.optimum(theta, flops, 6.0)
    assert 6.0 * params * tokens == pytest.approx(flops, rel=1e-12)
    best = law.evaluate(theta, [params, tokens])
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert law.evaluate(theta, [params * factor, tokens / factor]) > best


@pytest.mark.parametrize(
    "law", [law for law in LAWS if isinstance(law, HasSection)], ids=lambda law: law.name
)
def test_a_section_is_the_law_of_chinchilla(law):
    theta, chinchilla = list(THETA[law.name]), get_law("chinchilla")
    for at in inputs_of(law).T.tolist():
        held = law.section(theta, at[2:])
        assert chinchilla.evaluate(held, at[:2]) == pytest.approx(
            law.evaluate(theta, at), rel=1e-12
        )


def test_every_law_file_is_listed():
    folder = Path(scaleplan.laws.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {
        "__init__",
        "base",
        "experts",
        "power_sum",
        "starting",
    }
    assert files == {type(law).__module__.rpartition(".")[2] for law in LAWS}


def test_unknown_law_names_the_nearest():
    with pytest.raises(UsageError, match="no law 'chinchila'") as caught:
        get_law("chinchila")
    assert "chinchilla" in caught.value.hint


def test_names_are_unique():
    assert len({law.name for law in LAWS}) == len(LAWS)
    assert math.isfinite(sum(len(law.inputs) for law in LAWS))
