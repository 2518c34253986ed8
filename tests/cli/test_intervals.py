"""--interval and --cluster on the command line, and what they leave in every format."""

from __future__ import annotations

import csv
import io
import json
import typing

import pytest

from scaleplan.cli.options import IntervalKind
from scaleplan.fitting.resampling import IntervalKind as Known


def test_the_options_are_the_kinds_that_the_fit_knows():
    assert tuple(kind.value for kind in IntervalKind) == typing.get_args(Known)


@pytest.mark.parametrize("kind", ["delta", "wild", "profile"])
def test_every_interval_carries_its_method_and_number_of_runs(invoke, chinchilla_csv, kind):
    asked = ("fit", chinchilla_csv, "--interval", kind, "--resamples", "60")
    document = json.loads(invoke(*asked, "--format", "json").stdout)
    for parameter in document["parameters"].values():
        assert kind in parameter["method"]
        assert parameter["n"] == 30
        assert parameter["low"] < parameter["value"] < parameter["high"]
    assert document["optimum_interval"]["n"] == 30
    table = invoke(*asked).stdout
    assert table.count("(n = 30)") == 3
    rows = list(csv.DictReader(io.StringIO(invoke(*asked, "--format", "csv").stdout)))
    assert {row["method"] for row in rows} == {p["method"] for p in document["parameters"].values()}


def test_the_same_seed_gives_the_same_bytes(invoke, chinchilla_csv):
    asked = ("fit", chinchilla_csv, "--interval", "wild", "--resamples", "60", "--seed", "3")
    assert invoke(*asked).stdout == invoke(*asked).stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--interval", "wild", "--resamples", "0"), 4, "--resamples is 0"),
        (("--interval", "clustered"), 4, "--cluster COLUMN"),
        (("--cluster", "params"), 4, "there are 5"),
        (("--cluster", "colour"), 3, "no column colour"),
        (("--cluster", "params", "--interval", "delta"), 2, "--cluster params"),
        (("--interval", "magic"), 2, "magic"),
    ],
)
def test_what_cannot_be_done_is_refused(invoke, chinchilla_csv, options, code, said):
    result = invoke("fit", chinchilla_csv, *options)
    assert result.exit_code == code
    assert said in result.stderr
    assert not result.stdout


def test_a_forecast_keeps_its_columns_and_gains_the_mean(invoke, chinchilla_csv):
    asked = ("predict", chinchilla_csv, "--flops", "1e22")
    (row,) = csv.DictReader(io.StringIO(invoke(*asked, "--format", "csv").stdout))
    assert list(row)[4:] == [
        "value", "low", "high", "decades_beyond_data", "mean_low", "mean_high", "metric", "unit",
    ]  # fmt: skip
    low, mean_low, value = (float(row[name]) for name in ("low", "mean_low", "value"))
    assert low < mean_low < value < float(row["mean_high"]) < float(row["high"])
    (point,) = json.loads(invoke(*asked, "--format", "json").stdout)["points"]
    assert point["mean_low"] == mean_low
    assert "mean: the law's own value" in " ".join(invoke(*asked).stdout.split())


@pytest.mark.parametrize("resamples", ["1", "10", "39"])
def test_too_few_resamples_for_an_interval_are_a_usage_error(invoke, chinchilla_csv, resamples):
    done = invoke("fit", chinchilla_csv, "--resamples", resamples)
    assert done.exit_code == 2
    assert f"{resamples} resample" in done.stderr
    assert "at least 40 are needed, so that 2 lie beyond each end" in done.stderr
