"""Training curves: which rows are one run, and which point stands for it."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

CURVES = (
    "run,params,step,train_loss,val_loss\n"
    "a,1e6,1,5,5.2\na,1e6,2,4,4.2\na,1e6,3,3,4.4\n"
    "b,2e6,1,4.9,5\nb,2e6,2,3.9,4.1\nb,2e6,3,2.9,4\n"
)


def test_the_best_validation_point_stands_for_a_run(load):
    runs = load(CURVES)
    assert runs.value.tolist() == [4.2, 4.0]
    assert runs.column("train_value").tolist() == [4.0, 2.9]
    assert runs.column("step").tolist() == [2.0, 3.0]
    [note] = [n for n in runs.notes if n.id == "CURVES_REDUCED"]
    assert dict(note.numbers) == {"points": 6.0, "runs": 2.0}
    assert "lowest val_loss" in note.text
    assert (runs.cleaning.rows_read, runs.cleaning.rows_used) == (6, 2)
    assert not runs.cleaning.dropped


def test_the_last_point_of_a_training_metric(load):
    runs = load(CURVES, metric="train_loss")
    assert runs.value.tolist() == [3.0, 2.9]


def test_accuracies_are_best_when_highest(load):
    runs = load("run,params,epoch,val_acc\na,1,1,0.5\na,1,2,0.7\na,1,3,0.6\nb,2,1,0.5\n")
    assert runs.value.tolist() == [0.7, 0.5]


def test_all_points(load):
    assert len(load(CURVES, all_points=True)) == 6


def test_one_row_a_run_is_no_curve(load, note_ids):
    runs = load("run,params,epoch,val_loss\na,1,8,4\nb,2,5,3\n")
    assert len(runs) == 2
    assert "CURVES_REDUCED" not in note_ids(runs)


def test_rows_of_a_step_are_merged(load):
    # Lightning's metrics.csv: blank cells where a metric was not logged.
    text = (
        "epoch,step,train_loss_step,train_loss_epoch,val_loss\n"
        "0,49,5.1,,\n0,99,4.9,,\n0,99,,,4.8\n0,99,,5.0,\n1,149,4.2,,\n1,199,4.1,,\n1,199,,,4.3\n"
        "1,199,,4.15,\n"
    )
    runs = load(text, name="metrics.csv", columns={"input": "step"})
    assert runs.value.tolist() == [4.3]
    # That of the same step, in the row below the validation; 5.0 is of the epoch before.
    assert runs.column("train_value").tolist() == [4.15]
    points = load(text, name="metrics.csv", columns={"input": "step"}, all_points=True)
    assert points.value.tolist() == [4.8, 4.3]
    assert "CURVES_MERGED" in [note.id for note in points.notes]


def test_a_run_that_ends_in_nan(load, reasons, note_ids):
    text = "run,params,step,{}\na,1,1,5\na,1,2,4\na,1,3,nan\nb,2,1,4\nb,2,2,3\n"
    trained = load(text.format("loss"))
    assert trained.value.tolist() == [3.0]
    assert reasons(trained) == [(4, "diverged: loss is nan at step 3, the last point")]
    validated = load(text.format("val_loss"))
    assert validated.value.tolist() == [4.0, 3.0]
    assert "ENDED_NOT_FINITE" in note_ids(validated)


def test_one_run_in_one_file_without_names(load):
    files = {
        f"run{i}.csv": f"params,step,loss\n{i}e6,1,5\n{i}e6,2,{4 - i / 10}\n" for i in (1, 2, 3)
    }
    runs = load(files)
    assert runs.value.tolist() == [3.9, 3.8, 3.7]
    assert runs.labels["run"] == ("run1.csv", "run2.csv", "run3.csv")


def test_runs_told_apart_by_their_settings(load):
    text = "params,seed,step,loss\n1,1,1,5\n1,1,2,4\n1,1,3,3\n1,2,1,5\n1,2,2,4\n1,2,3,3.1\n"
    assert load(text).value.tolist() == [3.0, 3.1]


def test_restarts_are_not_joined(load):
    text = "params,step,loss\n" + "".join(f"1,{s},{5 - s}\n" for s in (1, 2, 3, 4, 1, 2, 3, 4))
    with pytest.raises(InputError, match="the steps go back here") as error:
        load(text)
    assert error.value.line == 6
    assert "run" in error.value.hint


def test_a_resumed_run_with_a_name_is_one_run(load):
    rows = "".join(f"a,1,{s},{5 - s}\n" for s in (1, 2, 3, 2, 3, 4))
    assert load("run,params,step,loss\n" + rows).value.tolist() == [1.0]


def test_a_table_of_finished_runs_with_steps_is_no_curve(load):
    text = "params,step,loss\n1,3000,3\n1,1000,4\n1,2000,3.5\n2,3000,2.5\n2,3000,2.6\n"
    assert len(load(text)) == 5


def test_a_decaying_learning_rate_does_not_split_a_run(load):
    text = "step,learning_rate,loss,eval_loss\n" + "".join(
        f"{s},{1e-3 / s},{5 - s / 10},\n{s},,,{5.5 - s / 10}\n" for s in range(1, 8)
    )
    runs = load(text, columns={"input": "step"})
    assert runs.value.tolist() == [pytest.approx(4.8)]


def test_tokens_from_steps(load):
    runs = load("run,params,batch_tokens,step,loss\na,1e6,1000,1,5\na,1e6,1000,20,4\n")
    assert runs.column("tokens").tolist() == [20_000.0]
    assert runs.column("flops").tolist() == pytest.approx([6 * 1e6 * 20_000])


def test_wandb_chart(load):
    text = (
        '"Step","small - train/loss","small - train/loss__MIN","small - train/loss__MAX",'
        '"big - train/loss","big - train/loss__MIN","big - train/loss__MAX"\n'
        '"1","5","5","5","4.5","4.5","4.5"\n"2","4","4","4","","",""\n"3","","","","3","3","3"\n'
    )
    runs = load(text)
    assert runs.labels["run"] == ("small", "big")
    assert runs.value.tolist() == [4.0, 3.0]
    assert runs.metric.name == "train/loss"
    assert "WANDB_CHART" in [note.id for note in runs.notes]


def test_tensorboard_exports(load):
    scalars = "Wall time,Step,Value\n1.6e9,1,5\n1.6e9,2,{}\n"
    runs = load(
        {f"run-{name}-tag-val_loss.csv": scalars.format(v) for name, v in (("a", 4), ("b", 3))}
    )
    assert runs.labels["run"] == ("a", "b")
    assert runs.metric.name == "val_loss"
    assert runs.value.tolist() == [4.0, 3.0]


def test_files_of_finished_runs_and_of_curves_together(load):
    runs = load({
        "curve.csv": "params,step,loss\n1e6,1,5\n1e6,2,4\n",
        "table.csv": "params,loss\n2e6,3\n3e6,2\n",
    })  # fmt: skip
    assert sorted(runs.value.tolist()) == [2.0, 3.0, 4.0]


def test_loss_and_status_of_the_last_row_count(load, reasons):
    text = "run,params,step,state,val_loss\na,1,1,running,5\na,1,2,crashed,4\nb,2,1,finished,3\n"
    assert load(text).value.tolist() == [3.0]


def test_a_gap_is_filled_from_a_later_row_of_the_same_step_first(load):
    """Lightning writes the mean training loss of an epoch below its validation."""
    runs = load(
        "epoch,step,train_loss_epoch,val_loss,tokens\n"
        "0,9,,2.0,\n0,9,1.9,,900\n1,19,,1.5,\n1,19,1.4,,1900\n2,29,,1.2,\n2,29,1.0,,2900\n"
    )
    assert runs.value.tolist() == [1.2]
    assert runs.columns["train_value"].tolist() == [1.0]
    assert runs.columns["tokens"].tolist() == [2900.0]


@pytest.mark.parametrize("axis", ["tokens", "Relative Time (Process)", "Wall Time"])
def test_wandb_charts_over_other_axes_are_curves_of_their_runs(tmp_path, axis):
    head = f'"{axis}","a - val/loss","a - val/loss__MIN","a - val/loss__MAX","b - val/loss"'
    rows = "".join(f"{50 * i},{5.0 / i},{4.9 / i},{5.1 / i},{4.0 / i}\n" for i in range(1, 8))
    path = tmp_path / "chart.csv"
    path.write_text(f"{head}\n{rows}", encoding="utf-8")
    log = load_curves([str(path)])
    assert [curve.run for curve in log.curves] == ["a", "b"]
    assert [len(curve.main) for curve in log.curves] == [7, 7]


def test_a_chart_whose_axis_is_called_like_its_metric_is_left_as_it_is(tmp_path):
    path = tmp_path / "chart.csv"
    path.write_text(
        "loss,a - loss,a - loss__MIN\n1,3,2\n2,2.5,2\n3,2.2,2\n4,2.1,2\n", encoding="utf-8"
    )
    (curve,) = load_curves([str(path)]).curves
    assert curve.metric.name == "loss"
    assert curve.main.value.tolist() == [1.0, 2.0, 3.0, 4.0]
