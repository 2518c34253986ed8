"""Logs of mixtures of experts: all parameters, those a token uses, and what training takes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scaleplan.catalog import accelerator
from scaleplan.fitfile import load_fit, save_fit
from scaleplan.fitting.api import fit
from scaleplan.planning.answers import answer_plan
from scaleplan.planning.forecast import forecast
from scaleplan.planning.next_runs import plan_next
from scaleplan.planning.next_runs_rows import Cluster
from scaleplan.planning.next_runs_target import Request
from scaleplan.planning.wish import Machines, Wish
from scaleplan.runs.reading import load_runs

SHARE = 0.125  # of the parameters, used by a token
RATIO = 6.0 * SHARE  # FLOP per parameter and token
H100 = accelerator("h100_sxm_80gb")

ALL = {"total_params": lambda n, d: n, "tokens": lambda n, d: d}
FLOPS = {"flops": lambda n, d: RATIO * n * d}
ACTIVE = {"active_params": lambda n, d: SHARE * n}
LOGS = {"dense": {**ALL, **FLOPS}, "moe": {**ALL, **ACTIVE, **FLOPS}, "bare": {**ALL, **ACTIVE}}


def _rows():
    random = np.random.default_rng(3)
    for params, ratio in itertools.product((1e8, 3e8, 1e9, 3e9), (5.0, 20.0, 60.0, 200.0)):
        tokens = ratio * params
        loss = 1.8 + 600.0 / params**0.36 + 2100.0 / tokens**0.37
        yield params, tokens, loss * np.exp(0.002 * random.standard_normal())


def fit_to(folder, columns, **roles):
    """Fit a log of these columns, through its file: a column's name, and what it is of N and D."""
    lines = [",".join((*columns, "loss"))]
    for params, tokens, loss in _rows():
        cells = (*(made(params, tokens) for made in columns.values()), loss)
        lines.append(",".join(f"{cell:.8g}" for cell in cells))
    log = folder / "runs.csv"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = fit(load_runs([str(log)], columns=roles), law="chinchilla", resamples=0)
    save_fit(made, str(folder / "fit.yaml"))
    return load_fit(str(folder / "fit.yaml"))


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """The same runs with all columns (moe), without active ones (dense), or FLOP (bare)."""
    return {name: fit_to(tmp_path_factory.mktemp(name), columns) for name, columns in LOGS.items()}


def planned(used, **wish):
    return answer_plan(used, Wish(**wish), Machines(accelerators=(H100,), gpus=(64,)))


@pytest.mark.parametrize(
    "asked",
    [{"flops": [1e21]}, {"params": [8e9], "tokens": [2e11]}, {"params": [8e9], "flops": [1e21]}],
)
@pytest.mark.parametrize("log", ["moe", "bare"])
def test_a_law_of_all_parameters_counts_compute_for_all(fits, asked, log):
    moe, dense = (forecast(fits[name], **asked).points[0] for name in (log, "dense"))
    for key in ("params", "tokens", "flops", "value"):
        assert getattr(moe, key) == pytest.approx(getattr(dense, key), rel=1e-5)


@pytest.mark.parametrize("log", ["moe", "bare"])
def test_a_plan_takes_the_compute_of_the_active_parameters_of_the_runs(fits, log):
    plan, dense = (planned(fits[name], params=8e9, tokens=2e11) for name in (log, "dense"))
    assert plan.flops == pytest.approx(1.2e21, rel=1e-5)
    assert plan.active_params == pytest.approx(1e9, rel=1e-5)
    assert dense.active_params == 8e9
    assert plan.forecast.points[0].value == pytest.approx(dense.forecast.points[0].value, rel=1e-6)
    assert plan.optimum.params == pytest.approx(dense.optimum.params, rel=1e-5)


def test_another_share_of_active_parameters_changes_compute_and_not_the_forecast(fits):
    usual = planned(fits["moe"], params=8e9, tokens=2e11)
    half = planned(fits["moe"], params=8e9, tokens=2e11, active_params=5e8)
    assert half.flops == pytest.approx(6.0 * 5e8 * 2e11, rel=1e-6)
    assert half.forecast.points[0].value == usual.forecast.points[0].value
    said = {a.name: a.source for a in half.assumptions}
    assert "knows no share" in said["active parameters"]


@pytest.mark.parametrize(
    "asked",
    [{"flops": 1e22}, {"flops": 1e22, "ratio": 30.0}, {"params": 8e9}, {"target": 2.1},
     {"target": 2.1, "inference_tokens": 1e12}],
)  # fmt: skip
def test_every_question_plans_what_the_law_of_all_parameters_says(fits, asked):
    model = planned(fits["moe"], **asked)
    assert model.active_params == pytest.approx(SHARE * model.params, rel=1e-5)
    assert model.flops == pytest.approx(6.0 * model.active_params * model.tokens, rel=1e-5)
    dense = planned(fits["dense"], **asked)
    if "inference_tokens" in asked:  # the mixture serves an eighth of its parameters
        assert model.params > 1.2 * dense.params
        return
    for key in ("params", "tokens", "flops"):
        assert getattr(model, key) == pytest.approx(getattr(dense, key), rel=1e-5)


def test_the_next_runs_cost_what_runs_of_the_log_cost(fits):
    cluster = Cluster(accelerator=H100, gpus=8, mfu=None, usd_per_hour=2.0, sequence_length=4096)
    request = Request(
        flops=1e21, usd=None, target_params=None, target_tokens=None, target_flops=1e23,
        cheapest=None, dearest=None, fewest=1, most=4, candidates=100, seed=0,
    )  # fmt: skip
    for run in plan_next(fits["moe"], request, cluster).runs:
        assert run.flops == pytest.approx(RATIO * run.params * run.tokens, rel=1e-5)


def test_a_law_of_active_parameters_counts_compute_for_those(tmp_path):
    found = fit_to(tmp_path, LOGS["moe"], params="active_params")
    assert found.flops_per_param_token == pytest.approx(6.0)
    assert found.flops_per_active_token is None


def notes_of(found):
    return {note.id: note for note in found.notes}


def test_one_share_is_explained_and_many_are_warned_of(fits, tmp_path):
    one = notes_of(fits["moe"])
    assert one["FLOPS_CONVENTION"].severity == "info"
    assert "6 x active_params x tokens" in one["FLOPS_CONVENTION"].text
    assert "ROLES_LEFT_OUT" not in one

    def active(n, d):
        return 0.1 * n ** (0.9 if n < 5e8 else 0.95)

    columns = {**ALL, "active_params": active, "flops": lambda n, d: 6.0 * active(n, d) * d}
    many = notes_of(fit_to(tmp_path, columns))
    assert many["FLOPS_CONVENTION"].severity == "warning"
    assert "ROLES_LEFT_OUT" in many


def test_equal_active_parameters_are_a_dense_model(tmp_path):
    columns = {**ALL, "active_params": lambda n, d: n, "flops": lambda n, d: 6.0 * n * d}
    found = fit_to(tmp_path, columns)
    assert found.flops_per_active_token is None
    assert "ROLES_LEFT_OUT" not in notes_of(found)
