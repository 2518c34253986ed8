"""Refits of public runs under laws other than Chinchilla's; skipped where the data are absent.

Figures are those published with the runs, or refits of theirs made elsewhere with scipy.
"""

from __future__ import annotations

import numpy as np
import pytest
from public_data import PUBLIC_DATA_IS_HERE, columns, texts

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.recipe import Limit, Recipe
from scaleplan.laws import get_law

pytestmark = pytest.mark.skipif(not PUBLIC_DATA_IS_HERE, reason="public sweeps are not here")
RAW, LOGS, HUBER = (Recipe(objective=name, delta=1e-3) for name in ("raw", "log", "huber"))


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


# Muennighoff et al. 2023, C4: coefficients of the first epoch, held while the decays are fitted.
FIRST_EPOCH = {"E": 1.8691436784055, "A": 520.82495165992, "alpha": 0.3526596,
               "B": 1487.7160937829, "beta": 0.3526596}  # fmt: skip


def repeats():
    *inputs, loss = columns(
        "data_constrained_c4.csv", "params", "tokens", "unique_tokens", "loss",
        where=lambda row: row["in_published_fit"] == "1",
    )  # fmt: skip
    return np.stack(inputs), loss


def repeats_objective(decay_d, decay_n):
    inputs, loss = repeats()
    theta = [np.asarray(v) for v in (*FIRST_EPOCH.values(), decay_d, decay_n)]
    residuals = np.log(get_law("data_constrained").evaluate(theta, list(inputs)) / loss)
    psi = np.clip(residuals, -1e-3, 1e-3)
    return float((psi * (residuals - 0.5 * psi)).sum())


def test_the_published_decays_are_a_local_minimum_only():
    # The notebook prints R_D 15.387756, R_N 5.309743 at 0.0158259.
    assert repeats_objective(15.387756, 5.309743) == pytest.approx(0.0158259, abs=5e-8)
    held = tuple(Limit(symbol=s, low=v, high=v) for s, v in FIRST_EPOCH.items())
    recipe = Recipe(objective="huber", delta=1e-3, limits=held)
    fitted = fit_law(get_law("data_constrained"), *repeats(), recipe=recipe)
    assert fitted.objective == pytest.approx(0.0158047, abs=5e-8)
    assert fitted.theta[5:] == pytest.approx([95.4, 1.71], rel=0.01)


@pytest.mark.parametrize("decay_d", [8.0, 30.0, 200.0])
def test_the_decays_of_repeats_are_poorly_determined(decay_d):
    best = min(repeats_objective(decay_d, decay_n) for decay_n in np.geomspace(0.5, 30.0, 120))
    assert best < 1.01 * 0.0158047


def test_share_of_variance_with_and_without_repeats():
    inputs, loss = repeats()
    spread = ((loss - loss.mean()) ** 2).sum()
    theta = list(FIRST_EPOCH.values())
    repeated = get_law("data_constrained").evaluate([*theta, 15.387756, 5.309743], list(inputs))
    fresh = get_law("chinchilla").evaluate(theta, list(inputs[:2]))
    shares = [1.0 - ((loss - found) ** 2).sum() / spread for found in (repeated, fresh)]
    assert shares == pytest.approx([0.7722, 0.4452], abs=5e-5)


def over_training(train_set, runs):
    """Return inputs, loss on C4 and 17-task error of runs given as (model, tokens per param)."""
    wanted = {(model, float(multiplier)) for model, multiplier in runs}
    found = columns(
        "overtraining_runs.csv", "params", "token_multiplier", "loss_c4_val", "error_17_tasks",
        where=lambda row: row["train_set"] == train_set
        and (row["model"], float(row["token_multiplier"])) in wanted,
    )  # fmt: skip
    params, multiplier, loss, error = found
    assert len(params) == len(runs)
    return np.stack([params, multiplier * params]), loss, error


SMALL = (
    ("d=96_l=8_h=4", 20), ("d=512_l=8_h=4", 20), ("d=576_l=24_h=8", 20), ("d=1024_l=24_h=8", 20),
    ("d=96_l=8_h=4", 320),
)  # fmt: skip
OVER_TRAINED, LARGE = ("open_lm_1b", 640), ("open_lm_7b", 20)


def test_the_over_training_law_predicts_two_larger_runs():
    # Gadre et al. 2024, scaling_explorer notebook: relative errors 0.7103% and 0.7320%.
    inputs, loss, _ = over_training("RedPajama", SMALL)
    fitted = fit_law(get_law("overtraining"), inputs, loss, recipe=RAW)
    assert fitted.theta[[0, 3]] == pytest.approx([1.83665, 0.27285], abs=1e-5)
    for run, error, predicted in ((OVER_TRAINED, 0.7103, 2.5198), (LARGE, 0.7320, 2.4427)):
        at, reached, _ = over_training("RedPajama", (run,))
        assert fitted.predict(at)[0] == pytest.approx(predicted, abs=1e-4)
        assert 100.0 * abs(fitted.predict(at)[0] / reached[0] - 1.0) == pytest.approx(
            error, abs=1e-4
        )


def test_the_same_five_runs_on_c4_miss_by_four_percent():
    # Five points for four parameters: here they do not carry over.
    inputs, loss, _ = over_training("C4", SMALL)
    fitted = fit_law(get_law("overtraining"), inputs, loss, recipe=RAW)
    at, reached, _ = over_training("C4", (LARGE,))
    assert fitted.predict(at)[0] == pytest.approx(2.2799, rel=1e-3)
    assert 100.0 * (fitted.predict(at)[0] / reached[0] - 1.0) == pytest.approx(-4.3, abs=0.1)


def test_the_downstream_law_predicts_the_task_error_of_two_larger_runs():
    # Gadre et al. 2024, scaling_explorer notebook: relative errors 3.6365% and 0.0464%.
    inputs, loss, _ = over_training("RedPajama", SMALL)
    to_loss = fit_law(get_law("overtraining"), inputs, loss, recipe=RAW)
    _, losses, errors = over_training("RedPajama", (*SMALL, ("open_lm_1b", 20)))
    to_error = fit_law(get_law("loss_to_error"), losses[None], errors)
    assert to_error.theta == pytest.approx([0.85699, 2.2065, 0.71459], rel=1e-5)
    for run, published in ((OVER_TRAINED, 3.6365), (LARGE, 0.0464)):
        at, _, error = over_training("RedPajama", (run,))
        found = to_error.predict(to_loss.predict(at)[None])[0]
        assert 100.0 * abs(found / error[0] - 1.0) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize(
    ("router", "refit", "published", "spread"),
    [
        ("S-Base", (-0.083, -0.118, 0.0099, 1.114), (-0.082, -0.108, 0.009, 1.104), 0.0032),
        ("RL-R", (-0.0827, -0.1234, 0.0112, 1.107), (-0.083, -0.126, 0.012, 1.111), 0.0032),
        ("Hash", (-0.0874, -0.1384, 0.0126, 1.160), (-0.087, -0.136, 0.012, 1.157), 0.0030),
    ],
)
def test_routed_models(router, refit, published, spread):
    # Clark et al. 2022, table 3; their public code counts dense models as those of one expert.
    params, experts, loss = columns(
        "routed_experts_final.csv", "dense_params", "experts", "loss_validation",
        where=lambda row: row["k"] == "1" and row["routing_frequency"] == "0.5"
        and row["seed"] == "42" and row["router"] in {router, "Dense"},
    )  # fmt: skip
    fitted = fit_law(get_law("routed"), np.stack([params, experts]), loss, recipe=LOGS)
    assert fitted.theta[:4] == pytest.approx(refit, abs=6e-4)
    assert fitted.theta[:4] == pytest.approx(published, abs=0.011)
    assert rms(fitted.log_residuals()) / np.log(10.0) == pytest.approx(spread, abs=6e-5)
    assert fitted.agreeing == fitted.starts


def test_dense_models_of_clark():
    # Clark et al. 2022: alpha 0.078, N_c 3.568e13; refit of 8 runs 0.0788 and 3.42e13.
    params, loss = columns(
        "routed_experts_final.csv", "dense_params", "loss_validation",
        where=lambda row: row["router"] == "Dense" and row["flop_increase"] == "1.0",
    )  # fmt: skip
    assert len(loss) == 8
    size, exponent = fit_law(get_law("power"), params[None], loss, recipe=LOGS).theta
    assert -exponent == pytest.approx(0.0788, abs=5e-5)
    assert size ** (-1.0 / exponent) == pytest.approx(3.42e13, rel=0.01)


def test_fine_tuning_curves():
    # Lin et al. 2024; refit elsewhere: 0.0147 with the rectified law, three times that without.
    tasks, models = texts("finetune_data_scaling.csv", "task", "model")
    examples, loss = columns("finetune_data_scaling.csv", "examples", "loss")
    found = {"rectified": [], "power_floor": []}
    curves = sorted(set(zip(tasks, models, strict=True)))
    assert len(curves) == 42
    for task, model in curves:
        rows = (np.array(tasks) == task) & (np.array(models) == model) & (examples > 0.0)
        for name, errors in found.items():
            fitted = fit_law(get_law(name), examples[None, rows], loss[rows], recipe=RAW)
            errors.append(rms(fitted.residuals()))
    means = {name: float(np.mean(errors)) for name, errors in found.items()}
    assert means["rectified"] == pytest.approx(0.0147, rel=0.06)
    assert means["power_floor"] > 3.0 * means["rectified"]


def test_a_broken_power_law_forecasts_addition():
    # Caballero et al. 2022, figure 4 left; refit from 300 starts with scipy.
    parts = {
        split: columns(
            "addition_broken_power_law.csv", "examples", "loss",
            where=lambda row, split=split: (row["split"] == "fit") is split,
        )
        for split in (True, False)
    }  # fmt: skip
    (examples, loss), (more, held_out) = parts[True], parts[False]
    assert (len(loss), len(held_out)) == (14, 3)
    fitted = fit_law(get_law("broken"), examples[None], loss, recipe=LOGS)
    assert fitted.theta[[0, 2, 3, 4, 5]] == pytest.approx(
        [0.414, 0.055, 5.66, 612.6, 0.059], rel=0.02
    )
    assert rms(fitted.log_residuals()) == pytest.approx(0.0006, abs=5e-5)
    assert rms(np.log(fitted.predict(more[None]) / held_out)) == pytest.approx(0.0109, abs=5e-4)
    plain = fit_law(get_law("power_floor"), examples[None], loss, recipe=LOGS)
    assert rms(np.log(plain.predict(more[None]) / held_out)) == pytest.approx(0.81, abs=0.01)


def lower_envelope(compute, error, bins=5, margin=0.1):
    """Return the least error of each bin of log compute, at its centre, as Cherti et al. do."""
    logs = np.log10(compute)
    edges = np.linspace(logs.min(), logs.max() + margin, bins + 1)
    place = np.digitize(logs, edges) - 1
    return 10.0 ** (0.5 * (edges[1:] + edges[:-1])), np.array(
        [error[place == k].min() for k in range(bins)]
    )


@pytest.mark.parametrize(
    ("task", "laion", "openai"),
    [
        ("imagenet1k", (5.86, -0.111), (23.18, -0.164)),
        ("mscoco_captions", (2.75, -0.079), (1.59, -0.051)),
    ],
)
def test_clip_error_against_compute(task, laion, openai):
    # Cherti et al. 2023, binned lower envelope, and a plain line for the three models of OpenAI.
    def runs(by_openai):
        return columns(
            "clip_zeroshot.csv", "gmacs_total", "error",
            where=lambda row: row["task"] == task and (row["train_set"] == "CLIP-WIT") is by_openai,
        )  # fmt: skip

    compute, error = lower_envelope(*runs(by_openai=False))
    fitted = fit_law(get_law("power"), compute[None], error, recipe=LOGS)
    assert fitted.theta[0] == pytest.approx(laion[0], abs=0.005)
    assert fitted.theta[1] == pytest.approx(laion[1], abs=5e-4)
    compute, error = runs(by_openai=True)
    fitted = fit_law(get_law("power"), compute[None], error, recipe=LOGS)
    assert fitted.theta[0] == pytest.approx(openai[0], abs=0.005)
    assert fitted.theta[1] == pytest.approx(openai[1], abs=5e-4)


def test_clip_through_all_models():
    compute, error = columns(
        "clip_zeroshot.csv", "gmacs_total", "error",
        where=lambda row: row["task"] == "imagenet1k" and row["train_set"] != "CLIP-WIT",
    )  # fmt: skip
    assert len(error) == 29
    fitted = fit_law(get_law("power"), compute[None], error, recipe=LOGS)
    assert fitted.theta[1] == pytest.approx(-0.101, abs=5e-4)


def test_best_cells_of_the_learning_rate_grid():
    # Li et al. 2025; refit from the plain best cell of 17 groups: 0.82, 0.29 and 0.50.
    params, tokens, rate, batch, loss = columns(
        "lr_batch_grid.csv", "params_no_embed", "tokens", "lr", "batch_sequences", "smoothed_loss",
        where=lambda row: row["suspect_tokens"] == "0",
    )  # fmt: skip
    groups = sorted(set(zip(params, tokens, strict=True)))
    best = []
    for group in groups:
        rows = np.flatnonzero((params == group[0]) & (tokens == group[1]))
        best.append(rows[np.argmin(loss[rows])])
    assert len(groups) == 17
    n, d = np.log(params[best]), np.log(tokens[best])
    ones = np.ones_like(n)
    by_rate = np.linalg.lstsq(np.stack([n, d, ones], 1), np.log(rate[best]), rcond=None)[0]
    assert by_rate[:2] == pytest.approx([-0.82, 0.29], abs=0.005)
    by_batch = fit_law(get_law("power"), tokens[best][None], batch[best], recipe=LOGS).theta[1]
    assert by_batch == pytest.approx(0.50, abs=0.005)
    # The worst cells of the same groups say what a law fitted to all of them would be fitted to.
    assert np.count_nonzero(loss > 4.0) == 181
