from __future__ import annotations

import dataclasses

from scaleplan.fitting.leave_out import MOVES
from scaleplan.records import Influence, Interval, Range
from scaleplan.render.checks_view import influence_table
from scaleplan.render.formats import view_of
from scaleplan.render.view import Facts, Table


def table(view, title: str) -> Table:
    return next(b for b in view.blocks if isinstance(b, Table) and b.title.startswith(title))


def facts(view, title: str) -> dict[str, str]:
    found = next(b for b in view.blocks if isinstance(b, Facts) and b.title == title)
    return dict(found.pairs)


def column(found: Table, name: str) -> list[str]:
    index = [c.name for c in found.columns].index(name)
    return [row[index] for row in found.rows]


def test_every_table_has_as_many_cells_as_columns(make):
    for record in (make.fit(), make.forecast(), make.plan()):
        for block in view_of(record).blocks:
            if isinstance(block, Table):
                assert {len(row) for row in block.rows} == {len(block.columns)}


def test_fit_shows_what_was_read_and_the_first_ten_dropped_rows(make):
    view = view_of(make.fit())
    read = facts(view, "Read")
    assert read["rows"] == "45 read, 30 used, 15 dropped, 0 changed"
    assert read["columns"] == "guessed: params = n_model; given: loss = val_loss"
    dropped = table(view, "Dropped rows")
    assert len(dropped.rows) == 10
    assert dropped.rows[0] == ("runs.csv:2", "run2", "loss is -1")
    assert dropped.footer == "and 5 more, see --format json"


def test_fit_parameters_carry_their_interval_and_bound(make):
    parameters = table(view_of(make.fit()), "Parameters")
    assert column(parameters, "90% low") == ["1.750", "–"]
    assert column(parameters, "90% high") == ["1.880", "–"]
    assert "case bootstrap, 1000 resamples (n = 30)" in parameters.footer
    bound = "(n = 30); A: profile likelihood; at or beyond a bound of its range: A"
    assert bound in parameters.footer


def test_fit_optimum_shows_tokens_per_parameter(make):
    optimum = table(view_of(make.fit()), "Compute-optimal size")
    assert column(optimum, "tokens/param") == ["24.6"]
    assert column(optimum, "params range") == ["2.00B to 3.40B"]
    assert column(optimum, "tokens range") == ["49.0B to 83.0B"]
    assert column(optimum, "tokens/param range") == ["14.4 to 41.7"]
    assert column(optimum, "params within +0.01") == ["1.50B to 4.40B"]


def test_fit_optimum_says_how_its_intervals_were_made(make):
    optimum = table(view_of(make.fit()), "Compute-optimal size")
    assert "ranges: 90% interval: case bootstrap, 1000 resamples (n = 30)" in optimum.footer
    none = table(view_of(make.fit(optimum_interval=None)), "Compute-optimal size")
    assert "ranges: no interval is known" in none.footer


def test_forecast_shows_the_mean_beside_the_new_run(make):
    points = table(view_of(make.forecast()), "Forecast")
    assert column(points, "90% low") == ["2.050"]
    assert column(points, "mean low") == ["2.100"]
    assert column(points, "mean high") == ["2.150"]
    assert "for one new run; mean: the law's own value" in points.footer


def test_scatter_is_relative_for_laws_of_logarithms_and_in_units_otherwise(make):
    fit = make.fit()
    assert facts(view_of(fit), "Quality of the fit")["scatter of one run"] == "0.300%"
    linear = dataclasses.replace(fit, main=dataclasses.replace(fit.main, residual="raw"))
    shown = facts(view_of(linear), "Quality of the fit")["scatter of one run"]
    assert shown == "0.003000 nats/token"


def test_a_fit_without_back_test_says_so(make):
    fit = make.fit()
    none = dataclasses.replace(fit.widening, errors=0, median_error=None)
    shown = facts(view_of(dataclasses.replace(fit, widening=none)), "Back-test over scale")
    assert "not possible" in shown["forecasts"]


def test_the_back_test_is_shown_by_distance(make):
    shown = table(view_of(make.fit()), "Back-test by distance")
    assert column(shown, "decades beyond the runs") == ["0 to 0.50", "0.50 to 1.2"]
    assert column(shown, "forecasts") == ["25", "15"]
    assert column(shown, "median error") == ["0.900%", "–"]
    assert column(shown, "inside 90%") == ["96%", "80%"]


def test_a_published_law_shows_no_reading(make):
    view = view_of(make.fit(cleaning=None, quality=None, candidates=(), optimum=()))
    assert not any(getattr(block, "title", "") == "Read" for block in view.blocks)


def test_forecast_leaves_out_inputs_that_no_point_has(make):
    point = make.point(
        params=None, tokens=None, flops=None, input_value=4096.0, low=None, high=None
    )
    view = view_of(make.forecast(points=(point,), interval=None, input_columns=("S",)))
    points = table(view, "Forecast")
    assert [c.name for c in points.columns][:2] == ["S", "val_loss"]
    assert points.rows[0][2:4] == ("–", "–")
    assert points.footer.startswith("no interval is known")


def test_level_stands_in_the_headings(make):
    interval = Interval(level=0.95, method="m", n=3)
    points = table(view_of(make.forecast(interval=interval)), "Forecast")
    assert "95% low" in [c.name for c in points.columns]


def test_plan_with_one_accelerator_names_it_in_the_title_only(make):
    rows = table(view_of(make.plan()), "Training on h100_sxm_80gb")
    assert rows.columns[0].name == "GPUs"
    assert column(rows, "time range") == ["7.44 h to 12.5 h"] * 2
    assert column(rows, "fits") == ["yes", "yes"]


def test_plan_with_several_accelerators_has_a_column_for_them(make):
    rows = (make.row(), make.row(gpu="a100", fits=False, usd=None, usd_low=None, usd_high=None))
    training = table(view_of(make.plan(rows=rows)), "Training")
    assert column(training, "GPU") == ["h100_sxm_80gb", "a100"]
    assert column(training, "fits") == ["yes", "NO"]
    assert column(training, "cost") == ["$22,200", "–"]
    assert column(training, "cost range")[1] == "–"


def test_plan_shows_forecast_with_interval_and_distance(make):
    forecast = facts(view_of(make.plan()), "Forecast")
    assert forecast["val_loss, nats/token"] == "2.123 (90%: 2.050 to 2.200)"
    assert forecast["beyond the fitted runs"] == "0.82 decades"


def test_plan_shows_active_parameters_only_where_they_differ(make):
    assert "active parameters" not in facts(view_of(make.plan()), "Model")
    sparse = make.plan(active_params=2e9)
    assert facts(view_of(sparse), "Model")["active parameters"] == "2.00B"


def test_points_of_a_curve_are_told_apart_from_dropped_rows(make):
    cleaning = make.cleaning(rows_read=900, rows_used=30, dropped=())
    rows = facts(view_of(make.fit(cleaning=cleaning)), "Read")["rows"]
    assert rows.endswith("870 other points of the same runs")


def test_compute_is_written_as_a_power_of_ten(make):
    ranges = (Range(role="flops", low=9.8e10, high=8.5e12),)
    shown = facts(view_of(make.fit(ranges=ranges)), "Metric and inputs")["fitted range"]
    assert shown == "flops 9.80e10 to 8.50e12"


def test_the_table_of_influences_names_the_rule_that_chose_them():
    # By the rule a size that shrinks by 21% has moved: its factor is 1.27.
    one = Influence(
        without="run7", runs=1, at_flops=1e22, params=1e9, params_without=0.79e9, refitted=30
    )
    shown = influence_table((one,))
    assert column(shown, "change") == ["-21%"]
    assert 1.0 + MOVES < 1.0 / 0.79
    assert f"by a factor of over {1.0 + MOVES:g}, refitted" in shown.footer
