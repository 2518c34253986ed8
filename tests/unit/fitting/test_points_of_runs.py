"""Every point of the runs' curves is fitted: points of one run are not independent."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.fitfile import load_fit, save_fit
from scaleplan.fitting.api import fit
from scaleplan.fitting.recipe import Recipe
from scaleplan.fitting.settled import settled
from scaleplan.runs.reading import load_runs

RUNS, POINTS = 24, 15


def log(tmp_path, *, scatter=0.02, moving=True, names=True, seed=0):
    """Write curves whose runs scatter as a whole, by `scatter`; not moving, all points are one."""
    draw = np.random.default_rng(seed)
    rows = ["run,step,params,tokens,loss" if names else "step,params,tokens,loss"]
    for i in range(RUNS):
        n = 10.0 ** draw.uniform(7.0, 9.0)
        last, off = n * 10.0 ** draw.uniform(0.7, 1.7), scatter * draw.standard_normal()
        for j in range(1, POINTS + 1):
            d = last * (j / POINTS if moving else 1.0)
            loss = (1.7 + 400.0 / n**0.34 + 410.0 / d**0.28) * np.exp(off)
            own = f"r{i}," if names else ""
            rows.append(f"{own}{j if names else i * POINTS + j},{n:.8g},{d:.8g},{loss:.8f}")
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return [str(path)]


def ids(found):
    return {note.id for note in found.notes}


def test_points_of_a_run_are_drawn_together(tmp_path):
    found = fit(
        load_runs(log(tmp_path), all_points=True), law="chinchilla", resamples=100, alone=True
    )
    assert found.interval.method.startswith(f"bootstrap of {RUNS} clusters")
    assert found.main.dof == RUNS - 5
    [note] = [note for note in found.notes if note.id == "POINTS_OF_RUNS"]
    fitted = RUNS * (POINTS - 1)  # the first of fifteen is within a tenth
    assert note.text.startswith(f"{fitted} points of {RUNS} runs are fitted.")
    assert found.cleaning.rows_used == fitted
    assert len(found.cleaning.dropped) == RUNS
    assert {note.reason[:29] for note in found.cleaning.dropped} == {
        "in the first tenth of its run"
    }


def test_points_that_repeat_one_another_tell_no_more_than_one_of_them(tmp_path):
    paths = log(tmp_path, moving=False)
    every, ends = (
        fit(
            load_runs(paths, all_points=all_points),
            law="chinchilla",
            resamples=0,
            alone=True,
            recipe=Recipe(objective="log"),
        )
        for all_points in (True, False)
    )
    assert (every.main.dof, ends.main.dof) == (RUNS - 5, RUNS - 5)
    assert every.main.theta == pytest.approx(ends.main.theta, rel=1e-4)
    # The noise of n points with p parameters is that of m points but for sqrt((n - p) / n).
    ratio = np.diagonal(np.array(every.main.covariance) / np.array(ends.main.covariance))
    assert ratio == pytest.approx(np.full(5, (RUNS - 5) / RUNS), rel=0.05)
    assert "POINTS_OF_RUNS" not in ids(ends)


def test_intervals_hold_though_runs_scatter_as_a_whole(tmp_path):
    inside = 0
    for seed in range(6):
        runs = load_runs(log(tmp_path, seed=seed), all_points=True)
        found = fit(runs, law="chinchilla", resamples=0, alone=True)
        [alpha] = [each for each in found.parameters if each.symbol == "alpha"]
        inside += alpha.low <= 0.34 <= alpha.high
        if seed == 0:
            case = fit(runs, law="chinchilla", resamples=100, alone=True, interval="case")
            [narrow] = [each for each in case.parameters if each.symbol == "alpha"]
            assert alpha.high - alpha.low > 2.0 * (narrow.high - narrow.low)
    assert inside >= 5


def test_points_without_the_names_of_their_runs_are_said_to_be_of_one(tmp_path):
    runs = load_runs(log(tmp_path, names=False), all_points=True)
    found = fit(runs, law="chinchilla", resamples=0, alone=True)
    assert "POINTS_OF_ONE_RUN" in ids(found)
    assert found.main.dof == found.cleaning.rows_used - 5
    assert found.cleaning.rows_used + len(found.cleaning.dropped) == RUNS * POINTS


def test_rows_that_are_runs_are_taken_as_they_are(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [
        f"r{i},{n:.4g},{1.7 + 400 / n**0.34:.6f}" for i, n in enumerate(np.geomspace(1e6, 1e9, 8))
    ]
    path.write_text("\n".join(["run,params,loss", *rows]) + "\n", encoding="utf-8")
    runs = load_runs([str(path)], all_points=True)
    assert not runs.every_point
    assert not {"POINTS_OF_RUNS", "POINTS_OF_ONE_RUN"} & ids(fit(runs, resamples=0))


def curves(tmp_path, metric, *columns):
    """Write runs of twenty points; the second one turns."""
    path = tmp_path / "turning.csv"
    rows = [
        f"r{i},{step},{1e6 * 4 ** i:.0f},{value:.6f}"
        for i, values in enumerate(columns) for step, value in enumerate(values, 1)
    ]  # fmt: skip
    path.write_text("\n".join([f"run,step,params,{metric}", *rows]) + "\n", encoding="utf-8")
    return load_runs([str(path)], all_points=True)


FALLS = 1.0 + 2.0 * np.arange(1.0, 21.0) ** -0.5
TURNS = np.r_[FALLS[:12], FALLS[11] + 0.03 * np.arange(1.0, 9.0)]


@pytest.mark.parametrize(
    ("metric", "falls", "turns"),
    [("val_loss", FALLS, TURNS), ("val_accuracy", 0.3 * (4.0 - FALLS), 0.3 * (4.0 - TURNS))],
)
def test_warm_up_and_what_follows_the_best_are_left_out_and_told(tmp_path, metric, falls, turns):
    runs = curves(tmp_path, metric, falls, turns)
    found = settled(runs)
    kept = {name: [] for name in ("r0", "r1")}
    for name, step in zip(found.labels["run"], found.column("step"), strict=True):
        kept[name].append(int(step))
    assert kept["r0"] == list(range(2, 21))
    assert kept["r1"] == list(range(2, 13))  # 12 is the middle of the lowest three
    assert len(found) + len(found.cleaning.dropped) == 40
    assert all(note.file.endswith("turning.csv") and note.line for note in found.cleaning.dropped)
    [note] = [note for note in found.notes if note.id == "POINTS_NOT_SETTLED"]
    assert dict(note.numbers) == {"warm_up": 2.0, "overfitted": 8.0}


def test_a_rise_within_the_noise_and_short_runs_lose_nothing(tmp_path):
    wobbling = FALLS + 0.01 * np.cos(np.arange(20.0))
    assert len(settled(curves(tmp_path, "val_loss", wobbling, FALLS))) == 38
    short = curves(tmp_path, "val_loss", FALLS[:9], FALLS[:5])
    assert settled(short) is short


def test_leaving_out_as_many_points_as_runs_are_to_spare_is_no_division_by_nothing(tmp_path):
    draw = np.random.default_rng(3)
    rows = ["run,step,params,tokens,loss"]
    for i in range(25):  # 25 runs less 5 parameters are the 20 points of a tenth of 200
        n = 10.0 ** draw.uniform(7.0, 9.0)
        last, off = n * 10.0 ** draw.uniform(0.7, 1.7), 0.01 * draw.standard_normal()
        for j in range(1, 9):
            loss = (1.7 + 400.0 / n**0.34 + 410.0 / (last * j / 8.0) ** 0.28) * np.exp(off)
            rows.append(f"r{i},{j},{n:.8g},{last * j / 8.0:.8g},{loss:.8f}")
    path = tmp_path / "curves.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = fit(load_runs([str(path)], all_points=True), law="chinchilla", resamples=0)
    assert found.main.dof == 20


def test_fewer_runs_than_parameters_give_a_fit_that_can_be_read_and_has_no_interval(tmp_path):
    rows = ["run,params,step,tokens,loss"] + [
        f"{name},{n:.8g},{i},{i * 1e6:.8g},{2.5 + 400 / (i * 1e6) ** 0.4 + extra:.6f}"
        for name, n, extra in (("a", 1e7, 0.01), ("b", 3e7, 0.0)) for i in range(1, 31)
    ]  # fmt: skip
    path = tmp_path / "two.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    runs = load_runs([str(path)], all_points=True, input_column="tokens")
    found = fit(runs, law="power_floor", resamples=0)
    save_fit(found, str(tmp_path / "fit.yaml"))
    assert load_fit(str(tmp_path / "fit.yaml")).main == found.main
    assert found.main.dof == 0
    assert found.main.noise is None
