"""What the logarithm of a perplexity is called is not what the log calls the perplexity."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from typer.testing import CliRunner

from scaleplan.cli.app import app
from scaleplan.records import Metric


def write(path, sizes, seed=0):
    draw = np.random.default_rng(seed)
    lines = ["params,tokens,val_ppl"]
    for params in sizes:
        for tokens in (1e9, 3e9, 1e10):
            loss = 1.7 + 400 * params**-0.34 + 410 * tokens**-0.28
            lines.append(f"{params:.6g},{tokens:.6g},{np.exp(loss) * draw.normal(1, 0.003):.6g}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def told(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def runs(tmp_path):
    return write(tmp_path / "runs.csv", (1e7, 3e7, 1e8, 3e8))


def test_a_forecast_is_headed_by_what_it_is(runs):
    header = next(
        line for line in told("predict", runs, "--params", "1B", "--tokens", "20B").splitlines()
        if line.split()[:1] == ["params"]
    )  # fmt: skip
    assert "ln(val_ppl)" in header


@pytest.mark.parametrize("command", ["predict", "sizes", "backtest"])
def test_a_csv_names_the_metric_of_its_values(runs, command):
    target = ("--params", "1B", "--tokens", "20B") if command == "predict" else ()
    done = CliRunner().invoke(app, [command, runs, *target, "--format", "csv", "-q"])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert {row["metric"] for row in rows} == {"ln(val_ppl)"}
    assert {row["unit"] for row in rows} == {"ln of the perplexity"}


def test_a_fit_of_perplexities_takes_new_runs(runs, tmp_path):
    saved = str(tmp_path / "fit.yaml")
    told("fit", runs, "-o", saved, "--resamples", "0")
    new = write(tmp_path / "new.csv", (1e9,), seed=1)
    said = told("fit", "--update", saved, new, "--resamples", "0")
    assert "ln(val_ppl)" in said
    assert "inside the 90% interval  3 of 3" in said


def test_a_column_that_is_called_so_keeps_its_name():
    assert Metric(name="ln(loss)", kind="loss", unit="as logged").column == "ln(loss)"
    changed = Metric(name="val_ppl", kind="loss", unit="ln of the perplexity").logarithm()
    assert (changed.name, changed.column) == ("ln(val_ppl)", "val_ppl")
