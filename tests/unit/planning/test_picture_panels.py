"""What pictures are made of, before anything draws them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from scaleplan import read_runs
from scaleplan.fitting.api import fit as fit_record
from scaleplan.planning.backtest_picture import backtest_picture
from scaleplan.planning.backtests import backtest
from scaleplan.planning.comparison import compare_laws
from scaleplan.planning.comparison_picture import comparison_picture
from scaleplan.planning.forecast import forecast
from scaleplan.planning.pictures import fit_picture, forecast_picture

ROOT = Path(__file__).parents[3]
BUDGETS = (1e18, 3e18, 1e19, 3e19)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Return runs of an isoFLOP sweep over L = 1.8 + 480/N^0.35 + 2100/D^0.37."""
    path = tmp_path_factory.mktemp("sweep") / "runs.csv"
    lines = ["params,tokens,flops,loss"]
    for budget in BUDGETS:
        centre = math.sqrt(budget / 120.0)
        for place, factor in enumerate(np.logspace(-0.6, 0.6, 7)):
            params = centre * factor
            tokens = budget / 6.0 / params
            loss = 1.8 + 480.0 / params**0.35 + 2100.0 / tokens**0.37
            lines.append(f"{params},{tokens},{budget},{loss * (1 + 1e-3 * (-1) ** place)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_runs(path).record


@pytest.fixture(scope="module")
def drawn(sweep):
    draws = []
    found = fit_record(sweep, resamples=200, on_draws=draws.append)
    return found, {panel.title.split(" (")[0]: panel for panel in
                   fit_picture(found, sweep, draws[0]).panels}  # fmt: skip


def test_isoflop_curves_have_a_line_for_each_budget_and_their_minima(drawn):
    _, panels = drawn
    panel = panels["IsoFLOP curves"]
    lines = [trace for trace in panel.traces if trace.look == "sweep"]
    assert [line.name for line in lines] == [
        "1.00e18 FLOP", "3.00e18 FLOP", "1.00e19 FLOP", "3.00e19 FLOP"
    ]  # fmt: skip
    assert all(len(line.x) == 7 and list(line.x) == sorted(line.x) for line in lines)
    minima = panel.traces[-1]
    assert minima.name == "minimum"
    for size, line in zip(minima.x, lines, strict=True):
        assert line.x[0] < size < line.x[-1]


def test_clouds_lie_around_the_optimum_of_each_budget(drawn):
    found, panels = drawn
    panel = panels["Resamples of the optimum"]
    clouds = [trace for trace in panel.traces if trace.look == "cloud"]
    assert len(clouds) == len(found.optimum)
    for cloud, row in zip(clouds, found.optimum, strict=True):
        assert 190 <= len(cloud.x) <= 200
        assert min(cloud.x) < row.params < max(cloud.x)
        for params, tokens in zip(cloud.x, cloud.y, strict=True):
            budget = found.flops_per_param_token * params * tokens
            assert budget == pytest.approx(row.flops)


def test_without_resamples_or_a_sweep_there_are_no_such_panels():
    runs = read_runs(ROOT / "sample_runs/language/runs.csv").record
    found = fit_record(runs, resamples=0)
    titles = [panel.title for panel in fit_picture(found, runs).panels]
    assert not [t for t in titles if t.startswith(("IsoFLOP", "Resamples"))]
    assert any(t.startswith("Contours") for t in titles)


def test_forecasts_are_drawn_among_contours_with_the_edge_of_the_runs(drawn):
    found, _ = drawn
    points = forecast(found, params=[1e12], tokens=[1e13]).points
    law, contours = forecast_picture(found, points).panels
    assert contours.contours is not None
    by_name = {trace.name: trace for trace in contours.traces}
    assert by_name["forecast"].x == (1e12,)
    assert contours.contours.x[-1] > 1e12  # the mark is inside its axes
    edge = by_name["edge of the fitted runs"]
    assert (edge.x[0], edge.y[0]) == (edge.x[-1], edge.y[-1])
    assert max(edge.x) == pytest.approx(found.ranges[0].high)
    assert law.traces[-1].name == "forecast"


def test_compared_laws_stay_near_the_runs(sweep):
    fits = {}
    found = compare_laws(
        sweep, laws=("chinchilla", "power", "linear"), objectives=("huber",),
        on_fit=lambda law, objective, fit: fits.update({(law, objective): fit}),
    )  # fmt: skip
    laws, errors = comparison_picture(found, fits, sweep).panels
    lines = {trace.name: trace for trace in laws.traces if trace.look == "law"}
    assert set(lines) == {"chinchilla", "power", "linear"}
    assert all(line.y for line in lines.values())
    assert min(lines["linear"].y) > 0.8  # which falls below zero beyond the runs
    assert set(errors.y_names) == set(lines)
    assert errors.y_names[-1] == found.rows[0].law  # the chosen law on top
    tested = {row.law: row.backtest_rmse_log for row in found.rows}
    bars = next(trace for trace in errors.traces if trace.look == "bar")
    for length, place in zip(bars.x, bars.y, strict=True):
        assert length == pytest.approx(100.0 * tested[errors.y_names[int(place)]])


def test_a_backtest_is_drawn_as_its_rows_say(sweep):
    found = backtest(sweep, laws=("chinchilla", "power"))
    forecasts, errors, inside = backtest_picture(found).panels
    own = [point for point in found.points if point.law == "chinchilla"]
    every = next(trace for trace in forecasts.traces if trace.look == "runs")
    missed = [trace for trace in forecasts.traces if trace.look == "mark"]
    assert sorted(every.y) == pytest.approx(
        sorted(100.0 * (point.predicted / point.observed - 1.0) for point in own)
    )
    outside = sum(not point.low <= point.observed <= point.high for point in own)
    assert sum(len(trace.x) for trace in missed) == outside
    for panel, name in ((errors, "rms_error"), (inside, "inside")):
        for law in ("chinchilla", "power"):
            line = next(trace for trace in panel.traces if trace.name == law)
            rows = [row for row in found.distances if row.law == law]
            assert line.y == pytest.approx([100.0 * getattr(row, name) for row in rows])
            assert all(
                row.decades_low <= x <= row.decades_high
                for x, row in zip(line.x, rows, strict=True)
            )
    assert next(trace.y for trace in inside.traces if trace.look == "limit") == (90.0, 90.0)


def test_a_fit_is_the_same_when_its_draws_are_watched(sweep):
    watched = fit_record(sweep, resamples=50, on_draws=lambda _: None)
    assert watched == fit_record(sweep, resamples=50)


def test_the_best_sizes_of_an_accuracy_are_maxima(tmp_path):
    path = tmp_path / "accuracy.csv"
    lines = ["params,tokens,flops,accuracy"]
    for budget in BUDGETS:
        centre = math.sqrt(budget / 120.0)
        for place, factor in enumerate(np.logspace(-0.6, 0.6, 7)):
            params = centre * factor
            tokens = budget / 6.0 / params
            error = 0.1 + 30.0 / params**0.3 + 60.0 / tokens**0.28
            lines.append(f"{params},{tokens},{budget},{1 - error * (1 + 1e-3 * (-1) ** place)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    runs = read_runs(path).record
    panels = {
        panel.title: panel for panel in fit_picture(fit_record(runs, resamples=0), runs).panels
    }
    panel = panels["IsoFLOP curves"]
    (mark,) = [trace for trace in panel.traces if trace.look == "mark"]
    assert mark.name == "maximum"
    assert len(mark.y) == len(BUDGETS)


@pytest.mark.parametrize(("header", "label"), [("images", "images"), ("tokens", "training tokens")])
def test_axes_are_called_after_what_is_counted(tmp_path, header, label):
    path = tmp_path / "runs.csv"
    rows = [f"{n:.0f},{0.05 + 9 * n**-0.45:.6f}" for n in np.geomspace(1e3, 3e5, 12)]
    path.write_text("\n".join([f"{header},error", *rows]) + "\n", encoding="utf-8")
    runs = read_runs(path).record
    fitted = fit_record(runs, law="power_floor", resamples=0)
    assert fit_picture(fitted, runs).panels[0].x_label == label
    assert (
        forecast_picture(fitted, forecast(fitted, tokens=[1e6]).points).panels[0].x_label == label
    )
