"""Exports of trackers and outputs of notebooks: which words say the split, the metric, the row."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.series import load_curves

TRAIN = [3.0 - 0.2 * i for i in range(8)]
VAL = [3.1 - 0.2 * i for i in range(8)]


def _curve(load, text, name):
    load(text, name=name)
    (curve,) = load_curves([name]).curves
    return curve


def _is_both(curve) -> bool:
    return (
        curve.validation.value.tolist() == pytest.approx(VAL)
        and curve.training.value.tolist() == pytest.approx(TRAIN)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "train", "val"),
    [
        ("context.subset", "train", "val"),
        ("context", "\"{'subset': 'train'}\"", "\"{'subset': 'val'}\""),
        ("context", '"{""subset"": ""train""}"', '"{""subset"": ""val""}"'),
        ("runContext", "train", "validate"),
    ],
)
def test_a_context_that_names_the_split(load, column, train, val):
    rows = "".join(
        f"h1,loss,{on},{10 * i},{values[i]}\n" for on, values in ((train, TRAIN), (val, VAL))
        for i in range(8)
    )  # fmt: skip
    curve = _curve(load, f"run,metric,{column},step,value\n{rows}", "aim.csv")
    assert _is_both(curve)
    assert curve.axis == "step"


def test_a_context_that_names_something_else_is_kept(load):
    rows = "".join(f"h1,loss,{c},{i},{VAL[i]}\n" for c in ("short", "long") for i in range(8))
    load(f"run,metric,context,step,value\n{rows}", name="a.csv")
    assert len(load_curves(["a.csv"]).curves) == 2


def test_points_of_attributes(load):
    rows = "".join(
        f"RUN-1,metrics/{name},float_series,{i},{values[i]}\n"
        for name, values in (("loss", TRAIN), ("val_loss", VAL)) for i in range(8)
    )  # fmt: skip
    head = "run_id,attribute_path,attribute_type,step,float_value\n"
    assert _is_both(_curve(load, head + rows, "export.csv"))


def test_series_of_a_chart_that_are_splits(load):
    steps = list(range(8))
    document = {"loss": {"train": {"x": steps, "y": TRAIN}, "val": {"x": steps, "y": VAL}}}
    curve = _curve(load, json.dumps(document), "scalars.json")
    assert _is_both(curve)
    runs = {"first": {"loss": {"x": steps, "y": VAL}}, "second": {"loss": {"x": steps, "y": TRAIN}}}
    load(json.dumps(runs), name="runs.json")
    assert [c.run for c in load_curves(["runs.json"]).curves] == ["first", "second"]


def _frame(first: int, mark: str = "") -> str:
    rows = "".join(f"{mark}{i + first}      {i} {TRAIN[i]:.1f}    {VAL[i]:.1f}\n" for i in range(8))
    return f"{mark}   epoch loss val_loss\n{rows}"


@pytest.mark.parametrize("text", [_frame(0), _frame(1), _frame(1, "## "), _frame(0, "#> ")])
def test_a_printed_table_whose_rows_are_numbered(load, text, note_ids):
    runs = load(text, name="frame.txt")
    assert "input" not in runs.columns
    assert "INPUT_GUESSED" not in note_ids(runs)
    curve = _curve(load, text, "frame.txt")
    assert _is_both(curve)
    assert curve.axis == "epoch"


def test_a_first_column_of_pandas_is_no_size(load, note_ids):
    rows = "".join(f"{i},{i},{VAL[i]}\n" for i in range(8))
    runs = load(f"Unnamed: 0,epoch,val_loss\n{rows}")
    assert "INPUT_GUESSED" not in note_ids(runs)


def test_evaluations_at_the_end_of_an_epoch(load, note_ids):
    rows = "".join(f"{e},10,0.{2 * e + 1}\n{e},20,0.{2 * e + 2}\n{e},-1,0.{2 * e + 3}5\n"
                   for e in range(3))  # fmt: skip
    runs = load(f"epoch,steps,accuracy\n-1,-1,0.05\n{rows}", name="eval.csv")
    assert "ENDS_OF_EPOCHS" in note_ids(runs)
    assert "input" not in runs.columns
    curve = load_curves(["eval.csv"]).curves[0]
    assert curve.axis == "step"
    # 10, 20 and the end, taken as 30; the next epoch goes on from there.
    assert curve.main.at.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]
    assert runs.value.tolist() == [0.75]


def test_an_end_behind_steps_that_go_on(load):
    load("epoch,steps,accuracy\n1,9,0.6\n2,18,0.7\n3,27,0.75\n4,-1,0.8\n", name="eval.csv")
    curve = load_curves(["eval.csv"]).curves[0]
    assert curve.main.at.tolist() == [9.0, 18.0, 27.0, 36.0]


@pytest.mark.parametrize("steps", ["1,2,-3,-1", "-1,-1,-1,-1"])
def test_other_steps_below_zero_stay(tmp_path, steps):
    rows = "".join(f"{e},{s},0.{e}\n" for e, s in enumerate(steps.split(","), 1))
    path = tmp_path / "a.csv"
    path.write_text(f"epoch,steps,accuracy\n{rows}", encoding="utf-8")
    assert "ENDS_OF_EPOCHS" not in [note.id for note in load_curves([str(path)]).notes]


@pytest.mark.parametrize(
    ("heading", "metric"),
    [
        ("cosine_pearson,cosine_spearman", "cosine_spearman"),
        ("eval_pearson,eval_loss", "eval_loss"),
        ("precision,recall,hmean", "hmean"),
        ("mcc,step_time", "mcc"),
    ],
)
def test_coefficients_of_correlation_and_harmonic_means_are_scores(load, heading, metric):
    cells = ",".join(["0.{}"] * (heading.count(",") + 1))
    rows = "".join(f"{e},{cells.replace('{}', str(e))}\n" for e in (1, 2, 3))
    assert load(f"epoch,{heading}\n{rows}").metric.name == metric
