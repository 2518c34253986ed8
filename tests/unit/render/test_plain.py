from __future__ import annotations

import csv
import io

import pytest

from scaleplan.render.formats import RENDERERS, render


def rows(record) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(record, "csv", io.StringIO()))))


def test_fit_gives_its_parameters(make):
    assert rows(make.fit())[0] == {
        "symbol": "E", "value": "1.817", "low": "1.75", "high": "1.88", "unit": "nats/token",
        "meaning": "irreducible loss", "at_bound": "false", "fixed": "false",
    }  # fmt: skip
    assert rows(make.fit())[1]["low"] == ""


def test_forecast_gives_its_points_in_base_units(make):
    (point,) = rows(make.forecast())
    assert float(point["params"]) == 1e10
    assert point["input_value"] == ""


def test_plan_flattens_days(make):
    first = rows(make.plan())[0]
    assert float(first["days_low"]) == 0.31
    assert float(first["days_expected"]) == 0.37
    assert first["fits"] == "true"
    assert first["layout"] == "data 125 x tensor 8"


def test_unknown_and_infinite_numbers_are_empty(make):
    plan = make.plan(rows=(make.row(usd=None, tco2=float("inf")),))
    assert rows(plan)[0]["usd"] == ""
    assert rows(plan)[0]["tco2"] == ""


def test_control_characters_are_taken_out(make):
    plan = make.plan(rows=(make.row(layout='a\x1b[31m,"b"\nc'),))
    assert rows(plan)[0]["layout"] == 'a[31m,"b" c'


@pytest.mark.parametrize("output_format", sorted(RENDERERS))
def test_every_format_ends_with_one_newline(make, output_format):
    for record in (make.fit(), make.forecast(), make.plan()):
        text = render(record, output_format, io.StringIO())
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
