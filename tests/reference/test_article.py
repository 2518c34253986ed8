"""The article's worked case: P = 0.1 S + 0.5, E = 1/C, G = 0.01 S^2 at S = 100 and C = 1000."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaleplan.advice import fit_notes, forecast_notes
from scaleplan.fitting.api import fit
from scaleplan.planning.forecast import forecast
from scaleplan.runs.reading import load_runs

SAMPLE = str(Path(__file__).parents[2] / "sample_runs" / "article" / "worked_case.yaml")


def fitted(metric, column="S", law="auto"):
    return fit(load_runs([SAMPLE], metric=metric, input_column=column), law=law)


@pytest.mark.parametrize("law", ["auto", "linear"])
def test_performance_is_a_line(law):
    found = fitted("P", law=law)
    assert found.law == "linear"
    assert [p.value for p in found.parameters] == pytest.approx([0.1, 0.5], rel=1e-6)
    result = forecast(found, inputs=[100.0])
    assert result.points[0].value == pytest.approx(10.5, rel=1e-6)
    note = next(n for n in forecast_notes(result, found) if n.id == "SCORE_ABOVE_ONE")
    assert "cannot be an accuracy" in note.text


@pytest.mark.parametrize("law", ["auto", "power"])
def test_generalisation_is_a_power(law):
    found = fitted("G", law=law)
    assert found.law == "power"
    assert [p.value for p in found.parameters] == pytest.approx([0.01, 2.0], rel=1e-6)
    assert forecast(found, inputs=[100.0]).points[0].value == pytest.approx(100.0, rel=1e-6)


def test_efficiency_is_its_definition():
    found = fitted("E", "C", law="efficiency")
    assert found.parameters == ()
    assert found.quality.rmse_log < 1e-12
    assert forecast(found, inputs=[1000.0]).points[0].value == pytest.approx(0.001)


def test_efficiency_is_rejected_where_it_does_not_hold():
    found = fitted("P", "S", law="efficiency")
    assert any(n.id == "EFFICIENCY_REJECTED" for n in fit_notes(found))


def test_the_unit_is_declared():
    runs = load_runs([SAMPLE], metric="P", input_column="S")
    assert "1e8" in "".join(runs.metadata.values())
