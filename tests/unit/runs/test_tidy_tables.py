"""Tables with one metric a row are read as those with a column for each metric."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

STEPS = range(0, 200, 10)


def loss(step, more=0.0):
    return round(4.0 * (step + 1) ** -0.1 + more, 4)


def curves(tmp_path, text, name="log.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return load_curves([str(path)], **options)


def long(run=None, names=("train_loss", "val_loss"), more=0.0):
    head = "" if run is None else f"{run},"
    return "".join(
        f"{head}{s},{n},{loss(s, more + 0.1 * i)}\n" for s in STEPS for i, n in enumerate(names)
    )


def ids(log):
    return [note.id for note in log.notes]


@pytest.mark.parametrize("metric", ["metric", "tag", "key", "variable", "Metric Name"])
def test_each_metric_becomes_a_column(tmp_path, metric):
    log = curves(tmp_path, f"run,step,{metric},value\n{long('a')}{long('b')}")
    assert [curve.run for curve in log.curves] == ["a", "b"]
    for curve in log.curves:
        assert curve.validation.value.tolist() == [loss(s, 0.1) for s in STEPS]
        assert curve.training.value.tolist() == [loss(s) for s in STEPS]
        assert curve.validation.at.tolist() == list(STEPS)
    assert "TIDY_TABLE" in ids(log)


def test_metrics_that_stand_one_below_the_other_meet_at_their_steps(tmp_path):
    rows = [("loss", s, loss(s)) for s in STEPS]
    rows += [("val_loss", s, loss(s, 0.1)) for s in range(5, 200, 20)]
    text = "".join(f"{i},{s},{n},{v}\n" for i, (n, s, v) in enumerate(rows))
    [curve] = curves(tmp_path, f",epoch,variable,value\n{text}").curves
    assert curve.training.value.tolist() == [loss(s) for s in STEPS]
    assert curve.validation.at.tolist() == list(range(5, 200, 20))


def test_a_column_of_splits_goes_into_the_names(tmp_path):
    rows = "".join(
        f"{s},{on},loss,{loss(s, more)}\n" for s in STEPS for on, more in (("train", 0), ("val", 1))
    )
    [curve] = curves(tmp_path, f"epoch,phase,metric,value\n{rows}").curves
    assert curve.metric.name == "val/loss"
    assert curve.training.value.tolist() == [loss(s) for s in STEPS]


def test_finished_runs_have_a_row_each(load, note_ids):
    sizes = (1e6, 1e7, 1e8)
    rows = [(f"m{n:.0e}", n, m, v) for n in sizes for m, v in (("loss", 3.0), ("accuracy", 0.5))]
    runs = load(
        "model,params,metric,value\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows)
    )
    assert runs.columns["params"].tolist() == list(sizes)
    assert runs.columns["value"].tolist() == [3.0] * 3
    assert "TIDY_TABLE" in note_ids(runs)


def test_what_r_writes_of_its_resamples_is_read(load):
    rows = "".join(
        f"{n},{metric},standard,{v},10,{e},m1\n"
        for n, v in ((100, 2.5), (200, 2.1), (400, 1.8))
        for metric, v, e in (("rmse", v, 0.1), ("rsq", 0.7, 0.02))
    )
    head = '"params",".metric",".estimator","mean","n","std_err",".config"\n'
    runs = load(head + rows)
    assert runs.columns["value"].tolist() == [2.5, 2.1, 1.8]


def test_settings_beside_the_metrics_are_columns(load):
    runs = load("metric,value\nloss,2.31\nparams,124M\ntokens,2.5e9\noptimizer,adam\n")
    assert runs.columns["params"].tolist() == [124e6]
    assert runs.columns["value"].tolist() == [2.31]
    assert runs.labels["optimizer"] == ("adam",)


def test_repeated_rows_and_rows_without_a_name_are_dropped_with_their_line(load, reasons):
    rows = "a,1,loss,3.0\na,1,loss,3.0\na,2,loss,2.5\na,2,,7.0\n"
    runs = load(f"run,step,metric,value\n{rows}")
    assert reasons(runs) == [
        (3, "loss: the same value of the same metric once more"), (5, "no name in metric"),
    ]  # fmt: skip
    assert runs.columns["value"].tolist() == [2.5]


def test_a_value_that_is_no_number_is_told_with_its_line(load, reasons):
    rows = "a,lr,0.1\na,loss,3.0\nb,lr,0.1\nb,loss,failed\nc,loss,2.0\n"
    assert [line for line, _ in reasons(load(f"run,metric,value\n{rows}"))] == [5]


def test_readings_that_are_marked_as_nan_are_lost(tmp_path):
    rows = "".join(f"val_loss,{0 if s > 150 else loss(s)},{s},{int(s > 150)}\n" for s in STEPS)
    [curve] = curves(tmp_path, f"key,value,step,is_nan\n{rows}").curves
    assert curve.validation.value[-1] != curve.validation.value[-1]


def test_two_runs_without_names_stay_apart(tmp_path):
    log = curves(tmp_path, f"step,metric,value\n{long()}{long(more=0.5)}")
    assert len(log.curves) == 2


def test_a_label_called_metric_leaves_a_table_as_it_is(load, note_ids):
    rows = "".join(f"r{n},{n},mean,{3 - n / 1e8}\n" for n in (10**6, 10**7, 10**8))
    runs = load(f"run,params,metric,loss\n{rows}")
    assert "TIDY_TABLE" not in note_ids(runs)
    assert runs.columns["value"].tolist() == [2.99, 2.9, 2.0]


def test_runs_with_names_like_metrics_are_no_metrics(load):
    rows = "loss-a,1000000,0.5\nloss-b,10000000,0.6\nscore-c,100000000,0.7\n"
    runs = load(f"name,params,value\n{rows}", metric="value")
    assert runs.labels["run"] == ("loss-a", "loss-b", "score-c")


def test_the_column_that_is_named_as_metric_stays(load):
    rows = "a,1e6,wiki,3.0\nb,1e7,wiki,2.5\nc,1e8,wiki,2.2\n"
    runs = load(f"run,params,metric,value\n{rows}", metric="value")
    assert runs.columns["value"].tolist() == [3.0, 2.5, 2.2]


def test_names_that_are_no_known_metrics_are_offered(load):
    rows = "".join(f"{s},{name},{s}\n" for s in range(5) for name in ("alpha", "beta"))
    with pytest.raises(InputError, match="step, alpha, beta") as caught:
        load(f"step,metric,value\n{rows}")
    assert "--metric" in caught.value.hint
    assert load(f"step,metric,value\n{rows}", metric="beta").columns["value"].tolist() == [4.0]


def test_rows_of_training_and_validation_are_one_run(tmp_path):
    rows = "".join(
        f"{s},{on},{loss(s, more)},0.5,0.001\n"
        for s in STEPS for on, more in (("train", 0.0), ("valid", 0.2))
    )  # fmt: skip
    log = curves(tmp_path, f"epoch,phase,loss,acc,lr\n{rows}")
    [curve] = log.curves
    assert curve.metric.name == "val/loss"
    assert curve.validation.value.tolist() == [loss(s, 0.2) for s in STEPS]
    assert curve.training.value.tolist() == [loss(s) for s in STEPS]
    assert "SPLITS_OF_ROWS" in ids(log)


@pytest.mark.parametrize(
    "table",
    [
        "split,params,loss\n"
        + "".join(f"{s},{n},2\n" for n in (1, 2, 3) for s in ("train", "val")),
        "run,epoch,loss\n" + "".join(f"{s},{n},2\n" for n in (1, 2, 3) for s in ("train", "val")),
        "phase,epoch,loss\n" + "".join(f"{s},{n},2\n" for s in ("train", "val") for n in (1, 2, 2)),
    ],
)
def test_other_rows_with_a_split_stay_as_they_are(load, note_ids, table):
    assert "SPLITS_OF_ROWS" not in note_ids(load(table, all_points=True))


def test_a_validation_now_and_then_is_no_run_of_its_own(tmp_path):
    rows = "".join(
        f"{s},0,train,{loss(s)}\n" + (f"{s + 5},0,val,{loss(s, 0.2)}\n" if s % 50 == 0 else "")
        for s in STEPS
    )
    [curve] = curves(tmp_path, f"step,epoch,split,loss\n{rows}").curves
    assert curve.training.at.tolist() == list(STEPS)
    assert curve.validation.at.tolist() == [5, 55, 105, 155]
