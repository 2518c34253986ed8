"""Every published law of the catalogue is whole, sourced and forecasts sensibly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scaleplan
from scaleplan.catalog import published_law, published_laws
from scaleplan.errors import UsageError
from scaleplan.fitting.interval import decades_beyond, predict
from scaleplan.laws import get_law
from scaleplan.planning.published import fit_from_published

each = pytest.mark.parametrize("published", published_laws(), ids=lambda p: p.id)


@each
def test_parameters_belong_to_the_law(published):
    law = get_law(published.law)
    assert len(published.theta) == len(law.parameters)
    for value, spec in zip(published.theta, law.parameters, strict=True):
        assert spec.low <= value <= spec.high
    assert (law.inputs == ("x",)) is (published.input is not None)


@each
def test_source_convention_and_ranges_are_given(published):
    assert "arXiv" in published.source
    assert published.params_convention
    for known in published.ranges:
        assert 0 < known.low < known.high


@each
def test_covariance_is_one(published):
    if published.covariance is None:
        assert published.noise is None
        return
    matrix = np.array(published.covariance)
    assert matrix == pytest.approx(matrix.T, rel=1e-6)
    scale = np.sqrt(np.diag(matrix))
    assert np.linalg.eigvalsh(matrix / np.outer(scale, scale)).min() > 0


@each
def test_it_forecasts_inside_its_range(published):
    fit = fit_from_published(published)
    middle = {r.role: (r.low * r.high) ** 0.5 for r in published.ranges}
    assert set(fit.inputs) <= set(middle)
    at = [middle[role] for role in fit.inputs]
    found = predict([fit.main], [at], widening=fit.widening, decades=0.0, level=0.9)
    low, high = (0.0, 1.0) if published.metric.bounded else (1.0, 6.0)
    assert low < found.value < high
    assert decades_beyond(fit.ranges, middle) == 0.0
    assert (found.low is None) is (published.covariance is None)


def test_every_entry_says_where_it_was_read():
    text = (Path(scaleplan.__file__).parent / "data" / "published_laws.yaml").read_text("utf-8")
    said = [line.split(": ")[1] for line in text.splitlines() if line.startswith("    verified:")]
    assert len(said) == len(published_laws())
    assert set(said) <= {"paper", "public code", "two summaries"}


def test_historical_laws_say_so():
    notes = fit_from_published(published_law("hoffmann_2022_rounded")).notes
    assert any(note.id == "HISTORICAL_LAW" for note in notes)


def test_unknown_laws_name_the_nearest():
    with pytest.raises(UsageError) as caught:
        published_law("besirogl")
    assert "besiroglu" in caught.value.hint
