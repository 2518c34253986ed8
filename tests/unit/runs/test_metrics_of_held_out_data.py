"""Readings of held-out data by other names than a loss: what they are, and that none is lost."""

from __future__ import annotations

import pytest

from scaleplan.advice.curves import judge
from scaleplan.runs.metrics import describe
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

UP = [0.30, 0.42, 0.50, 0.56, 0.60, 0.63, 0.65, 0.66]
DOWN = [2.0, 1.7, 1.4, 1.2, 1.0, 0.9, 0.8, 0.7]


def log(tmp_path, name, values):
    path = tmp_path / "log.csv"
    rows = [f"{i + 1},{loss},{v}" for i, (loss, v) in enumerate(zip(DOWN, values, strict=True))]
    path.write_text("\n".join([f"step,train_loss,{name}", *rows]) + "\n", encoding="utf-8")
    return [str(path)]


@pytest.mark.parametrize(
    "name",
    ["val_r2", "eval/r2_score", "val_spearman", "eval_pearsonr", "val_mcc", "val_ssim",
     "eval_matthews_correlation", "val_c_index", "val_log_likelihood", "val_jaccard", "val_kappa",
     "val_cohen_kappa"],
)  # fmt: skip
def test_agreement_is_a_score(tmp_path, name):
    [curve] = load_curves(log(tmp_path, name, UP)).curves
    assert (curve.metric.name, curve.metric.kind) == (name, "score")
    assert len(curve.validation) == 8
    assert len(curve.loss) == 8
    assert judge(curve).best == 0.66


@pytest.mark.parametrize(
    "name", ["eval_chrf", "val_average_precision", "eval_rouge1", "eval_rougeL"]
)
def test_agreement_between_0_and_1_is_a_share(tmp_path, name):
    [curve] = load_curves(log(tmp_path, name, UP)).curves
    assert (curve.metric.name, curve.metric.kind) == (name, "accuracy")
    [curve] = load_curves(log(tmp_path, name, [100.0 * value for value in UP])).curves
    assert curve.metric.kind == "score"


@pytest.mark.parametrize(
    "name",
    ["val_mean_squared_error", "val_root_mean_squared_error", "val_mean_absolute_error", "val_mape",
     "val_mean_absolute_percentage_error", "eval_smape", "val_crps", "val_brier_score", "val_nrmse",
     "val_negative_log_likelihood"],
)  # fmt: skip
def test_errors_of_regression_are_losses_and_no_shares(tmp_path, name):
    values = [30.0 * value for value in DOWN]  # an error rate above 1 would be a percentage
    [curve] = load_curves(log(tmp_path, name, values)).curves
    assert (curve.metric.name, curve.metric.kind) == (name, "loss")
    assert judge(curve).best == pytest.approx(21.0)


def test_error_rates_stay_shares():
    for name in ("val_error", "test_error_rate", "top1_error", "val_err"):
        found = describe(name)
        assert found is not None
        assert (found.kind, found.unit) == ("error", "fraction")


@pytest.mark.parametrize("name", ["val_elbo", "eval/zorp", "validation quux"])
def test_a_name_that_says_nothing_is_said_to_be_unused(tmp_path, name):
    found = load_curves(log(tmp_path, name, UP))
    assert found.curves[0].metric.name == "train_loss"
    [note] = [note for note in found.notes if note.id == "VALIDATION_UNKNOWN"]
    assert name in note.text
    assert note.action == f"Name it with --metric {name!r}."
    named = load_curves(log(tmp_path, name, UP), metric=name)
    assert named.curves[0].metric.name == name
    assert "VALIDATION_UNKNOWN" not in {note.id for note in named.notes}


@pytest.mark.parametrize(
    "name", ["val_time", "eval_runtime", "val_step", "test_batch_size", "value"]
)
def test_what_is_counted_or_timed_is_no_reading(tmp_path, name):
    found = load_curves(log(tmp_path, name, UP))
    assert "VALIDATION_UNKNOWN" not in {note.id for note in found.notes}


def test_a_constant_or_words_are_no_reading(tmp_path):
    for values in ([0.5] * 8, ["yes", "no"] * 4):
        found = load_curves(log(tmp_path, "val_zorp", values))
        assert "VALIDATION_UNKNOWN" not in {note.id for note in found.notes}


def test_runs_say_it_too(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [f"{n},{3 * n**-0.1},{n / 1e8}" for n in (1e6, 3e6, 1e7, 3e7)]
    path.write_text("\n".join(["params,loss,val_zorp", *rows]) + "\n", encoding="utf-8")
    runs = load_runs([str(path)])
    assert "VALIDATION_UNKNOWN" in {note.id for note in runs.notes}
