"""The order of a log's rows, and how they are spread over files, changes nothing that is said."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

import scaleplan
from scaleplan.planning.backtests import backtest

LAW = (1.7, 450.0, 0.34, 2000.0, 0.37)


def two_inputs(count=26):
    """Return rows of sizes that meet at four budgets: ties in compute, params and the loss."""
    rng = np.random.default_rng(3)
    rows = ["run,params,tokens,loss"]
    for k in range(count):
        params = [1e7, 3e7, 1e8, 3e8, 1e9][k % 5]
        tokens = [2e9, 8e9, 2e10, 6e10][k % 4]
        floor, a, alpha, b, beta = LAW
        loss = (floor + a / params**alpha + b / tokens**beta) * np.exp(0.01 * rng.normal())
        rows.append(f"r{k},{params:.0f},{tokens:.0f},{loss:.2f}")
    return rows


def one_input(count=24):
    """Return rows of a curve with three runs at each size, sorted by their error."""
    rng = np.random.default_rng(5)
    rows = ["run,images,error"]
    for k in range(count):
        images = 1000 * 2 ** (k // 3)
        error = (0.04 + 6.0 / images**0.45) * np.exp(0.03 * rng.normal())
        rows.append(f"r{k},{images},{error:.4f}")
    return rows


def told(fit):
    """Return all that a fit says but the names and lines of files."""
    document = json.loads(json.dumps(fit.to_dict()))
    for part in ("name", "cleaning"):
        del document[part]
    return document


@pytest.mark.parametrize("rows", [two_inputs(), one_input()], ids=["two", "one"])
def test_a_fit_is_the_same_in_any_order_of_rows_and_files(tmp_path, rows):
    header, *cells = rows
    shuffled = random.Random(7).sample(cells, len(cells))
    (tmp_path / "whole.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "mixed.csv").write_text("\n".join([header, *shuffled]), encoding="utf-8")
    parts = tmp_path / "parts"
    parts.mkdir()
    for k in range(3):
        part = "\n".join([header, *shuffled[k::3]])
        (parts / f"{'cab'[k]}.csv").write_text(part, encoding="utf-8")
    fits = [
        scaleplan.fit(scaleplan.read_runs(tmp_path / name), resamples=120)
        for name in ("whole.csv", "mixed.csv", "parts")
    ]
    assert told(fits[0]) == told(fits[1]) == told(fits[2])


def test_a_backtest_is_the_same_in_any_order_of_rows(tmp_path):
    header, *cells = one_input()
    found = []
    for seed in (None, 1):
        order = cells if seed is None else random.Random(seed).sample(cells, len(cells))
        log = tmp_path / f"{seed}.csv"
        log.write_text("\n".join([header, *order]), encoding="utf-8")
        found.append(backtest(scaleplan.read_runs(log).record, laws=("auto", "power_floor")))
    assert (found[0].laws, found[0].points) == (found[1].laws, found[1].points)


def test_clusters_that_are_called_otherwise_are_drawn_alike(tmp_path):
    header, *cells = two_inputs(60)
    found = []
    for names in ("abcdefghijklmnopqrstuvwx", "xwvutsrqponmlkjihgfedcba"):
        rows = [f"{cell},{names[k % 24]}" for k, cell in enumerate(cells)]
        log = tmp_path / f"{names}.csv"
        log.write_text("\n".join([f"{header},family", *rows]), encoding="utf-8")
        found.append(scaleplan.fit(scaleplan.read_runs(log), law="chinchilla", resamples=120))
    assert "24 clusters" in found[0].record.interval.method
    assert found[0].record.parameters == found[1].record.parameters
