"""Fits of every law, of every published law and at bounds are written, and read as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_laws import THETA, by_name, inputs_of

from scaleplan.advice import fit_notes
from scaleplan.catalog import published_law, published_laws
from scaleplan.errors import InputError
from scaleplan.fitfile import load_fit, save_fit
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.uncertainty import parameters_of
from scaleplan.laws import LAWS, ComputeFactors, OptimizerFactors, PowerSumLaw, get_law
from scaleplan.planning.published import fit_from_published
from scaleplan.records import Fit

PUBLISHED = fit_from_published(published_law("besiroglu_2024"))


def fit_of(law, theta, inputs, noise) -> Fit:
    """Return a fit of a law to runs that follow it with a scatter of that size."""
    values = np.asarray(law.evaluate([np.asarray(v) for v in theta], list(inputs)))
    scatter = noise * np.random.default_rng(1).standard_normal(values.size)
    values = values * np.exp(scatter) if law.residual == "log" else values + scatter
    return record_of(fit_law(law, inputs, values))


def record_of(fitted) -> Fit:
    """Return what is saved of a fit, without what its log adds."""
    law = fitted.law
    parameters, interval = parameters_of(fitted, None, level=0.9, unit="loss")
    return replace(
        PUBLISHED, law=law.name, inputs=law.inputs, input_columns=law.inputs, ranges=(),
        main=fitted.record(), parameters=parameters, interval=interval,
    )  # fmt: skip


def written_and_read(fit, tmp_path) -> Fit:
    save_fit(fit, str(tmp_path / "fit.yaml"))
    return load_fit(str(tmp_path / "fit.yaml"))


@by_name
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_fit_of_every_law(law, noise, tmp_path):
    fit = fit_of(law, THETA[law.name], inputs_of(law), noise)
    assert written_and_read(fit, tmp_path) == fit


@pytest.mark.parametrize("levels", [3, 4])
@pytest.mark.parametrize("kind", [ComputeFactors, OptimizerFactors])
def test_a_fit_of_several_levels(kind, levels, tmp_path):
    law = kind(levels)
    inputs = inputs_of(law)
    inputs[-1] = np.resize(np.arange(1.0, levels + 1), inputs.shape[1])
    theta = (*THETA[law.name], 1.2, 0.9, 1.1, 0.7)[: len(law.parameters)]
    fit = fit_of(law, theta, inputs, 0.01)
    assert len(fit.main.theta) == len(law.parameters)
    assert written_and_read(fit, tmp_path) == fit


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_fit_at_a_bound(noise, tmp_path):
    law = get_law("power_floor")
    fit = fit_of(law, (-0.01, 400.0, 0.34), inputs_of(law), noise)  # falls below any floor
    assert fit.parameters[0].at_bound
    assert written_and_read(fit, tmp_path) == fit


def odd_values(kind, inputs):
    """Return a metric that hardly suits a law: steeper than anything published, rising, noise."""
    first = np.log(inputs[0])
    x = np.exp(first - first.mean())
    scatter = np.random.default_rng(1).standard_normal(x.size)
    return {
        "steep": (1.0 + 2.0 * x**-3.6) * np.exp(0.01 * scatter),
        "steeper": 1.0 + 2.0 * x**-12.0 * np.exp(0.01 * scatter),
        "rising": x**0.5 * np.exp(0.01 * scatter),
        "noise": np.exp(0.3 * scatter),
    }[kind]


SUMS = [law for law in LAWS if isinstance(law, PowerSumLaw)]
ODD = [(law, kind) for law in SUMS for kind in ("steep", "steeper", "rising", "noise")]
ODD += [(law, "steep") for law in LAWS if law not in SUMS and law.parameters]


@pytest.mark.parametrize(("law", "kind"), ODD, ids=lambda each: getattr(each, "name", each))
def test_a_fit_of_odd_runs_is_read_back_and_its_intervals_hold_it(law, kind, tmp_path):
    inputs = inputs_of(law)
    fitted = fit_law(law, inputs, odd_values(kind, inputs))
    fit = record_of(fitted)
    assert written_and_read(fit, tmp_path) == fit
    for spec, parameter in zip(law.parameters, fit.parameters, strict=True):
        low, high = parameter.low, parameter.high
        assert low is None or low <= parameter.value
        assert high is None or parameter.value <= high
        if not spec.unit and not spec.low <= parameter.value <= spec.high:
            assert parameter.at_bound


def test_an_exponent_beyond_its_range_is_not_cut_off_there(tmp_path):
    law = get_law("power_floor")
    fit = record_of(fit_law(law, inputs_of(law), odd_values("steep", inputs_of(law))))
    alpha = fit.parameters[2]
    assert alpha.low < alpha.value < alpha.high
    assert alpha.value > law.parameters[2].high
    warned = [note for note in fit_notes(fit) if note.id == "AT_BOUND"]
    assert "beyond the range of 0 to 3" in warned[0].text
    unmarked = replace(fit, parameters=tuple(replace(p, at_bound=False) for p in fit.parameters))
    with pytest.raises(InputError, match=r"\(alpha\) is .* from 0 to 3"):
        written_and_read(unmarked, tmp_path)


@pytest.mark.parametrize("published", published_laws(), ids=lambda law: law.id)
def test_a_published_law(published, tmp_path):
    fit = fit_from_published(published)
    assert written_and_read(fit, tmp_path) == fit
