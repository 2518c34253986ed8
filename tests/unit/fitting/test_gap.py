from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaleplan.errors import FitError
from scaleplan.fitting.gap import fit_gap, gaps_of, predicted_gap
from scaleplan.fitting.hull import hull_of
from scaleplan.runs.reading import load_runs

HEADER = "run,params,tokens,train_loss,val_loss"


def runs_with(tmp_path: Path, rows: list[str], header: str = HEADER):
    log = tmp_path / "runs.csv"
    log.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return load_runs([str(log)])


def made(c=0.02, d=0.3, e=-0.4, noise=0.0, shift=0.0, seed=0):
    random = np.random.default_rng(seed)
    rows = []
    for n in (1e5, 1e6, 1e7, 1e8):
        for t in (1e7, 1e8, 1e9):
            gap = c * n**d * t**e * np.exp(noise * random.standard_normal())
            gap += shift * random.standard_normal()
            rows.append(f"r{n:g}-{t:g},{n:.0f},{t:.0f},{2.0:.17g},{2.0 + gap:.17g}")
    return rows


def test_an_exact_gap_gives_its_parameters(tmp_path):
    found = fit_gap(runs_with(tmp_path, made()))
    assert [p.symbol for p in found.parameters] == ["c", "d", "e"]
    assert [p.value for p in found.parameters] == pytest.approx([0.02, 0.3, -0.4], rel=1e-6)
    assert found.relative
    at = {"params": 1e9, "tokens": 1e10}
    assert predicted_gap(found, at, level=0.9)[0] == pytest.approx(0.02 * 1e9**0.3 * 1e10**-0.4)


def test_intervals_hold_the_truth_about_as_often_as_they_say(tmp_path):
    held = 0
    for seed in range(40):
        found = fit_gap(runs_with(tmp_path, made(noise=0.3, seed=seed)), level=0.9)
        size = found.parameters[1]
        held += size.low <= 0.3 <= size.high
    assert 31 <= held <= 40


def test_gaps_below_zero_are_kept_and_fitted_as_they_stand(tmp_path):
    rows = made(c=0.002, d=0.3, e=-0.2, shift=0.004, seed=3)
    runs = runs_with(tmp_path, rows)
    assert (gaps_of(runs) <= 0.0).any()
    found = fit_gap(runs)
    assert not found.relative
    assert found.not_positive == int((gaps_of(runs) <= 0.0).sum())
    low, high = found.parameters[1].low, found.parameters[1].high
    assert low < 0.3 < high


def test_an_input_that_does_not_vary_is_left_out(tmp_path):
    rows = [row for row in made() if row.split(",")[2] == "100000000"]
    found = fit_gap(runs_with(tmp_path, [*rows, "x,3000000,100000000,2,2.05"]))
    assert found.inputs == ("params",)


def test_a_bend_is_rejected(tmp_path):
    rows = []
    for i, n in enumerate(np.geomspace(1e5, 1e9, 12)):
        gap = 0.01 * np.exp(0.05 * (np.log(n / 1e7)) ** 2) * (1 + 0.01 * (-1) ** i)
        rows.append(f"r{i},{n:.0f},1000000,2,{2 + gap:.17g}")
    found = fit_gap(runs_with(tmp_path, rows))
    assert found.curvature_p is not None
    assert found.curvature_p < 1e-4


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["a,1e6,1e9,2.0", "b,2e6,2e9,1.9"], "run,params,tokens,val_loss", "no training value"),
        (["a,1e6,1e9,2,2.1", "b,2e6,2e9,1.9,1.95"], HEADER, "2 runs have both"),
        ([f"r{i},{i}e6,1e9,2,{1.9 - i / 100}" for i in range(1, 9)], HEADER, "8 of 8 runs"),
    ],
)
def test_what_cannot_be_fitted_is_refused(tmp_path, rows, header, said):
    with pytest.raises(FitError, match=said):
        fit_gap(runs_with(tmp_path, rows, header))


def test_accuracies_have_their_gap_the_other_way(tmp_path):
    rows = ["a,1e6,0.95,0.9", "b,2e6,0.97,0.91", "c,4e6,0.99,0.92"]
    runs = runs_with(tmp_path, rows, "run,params,train_accuracy,val_accuracy")
    assert gaps_of(runs) == pytest.approx([0.05, 0.06, 0.07])
    assert np.isnan(gaps_of(replace(runs, columns={"value": runs.value}))).all()


def test_hull_has_the_corners_only():
    params = np.array([1e6, 1e6, 1e8, 1e8, 1e7, 3e6])
    tokens = np.array([1e9, 1e11, 1e9, 1e11, 1e10, 5e9])
    assert set(hull_of(params, tokens)) == {(1e6, 1e9), (1e6, 1e11), (1e8, 1e9), (1e8, 1e11)}
    assert hull_of(params[:1], tokens[:1]) == ((1e6, 1e9),)
    assert hull_of(params[:0], tokens[:0]) == ()
    ray = np.geomspace(1e6, 1e9, 7)
    assert len(hull_of(ray, 20.0 * ray)) == 2
