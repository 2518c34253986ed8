"""What spreadsheets, percentages and losses below zero make of a log, and what is said of it."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError, UsageError
from scaleplan.fitfile import check_fit_name
from scaleplan.runs.series import load_curves


def _table(heading: str, rows: str) -> str:
    return heading + "\n" + rows.replace(" ", "\n") + "\n"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("12 2.80497E+06 4E+10", 2.0),
        ("2.5E+01 1e5 3e84", None),
        ("2.80497e-06 2.80497E+05 a", None),
    ],
)
def test_names_that_a_spreadsheet_rounded_are_told(load, names, said):
    rows = " ".join(f"{name},{i}e6,{4 - i}" for i, name in enumerate(names.split(), 1))
    runs = load(_table("run,params,loss", rows))
    numbers = [dict(note.numbers)["names"] for note in runs.notes if note.id == "NAMES_ROUNDED"]
    assert numbers == ([] if said is None else [said])
    points = [f"{name},{step},{4 - step}" for name in names.split() for step in (1, 2)]
    load(_table("run,step,loss", " ".join(points)))
    curves = load_curves(["runs.csv"])
    assert ("NAMES_ROUNDED" in [note.id for note in curves.notes]) == (said is not None)


@pytest.mark.parametrize(
    "heading", ["params 10^6", "params (10^6)", "params_10**6", "params x10^6", "params in 10^6"]
)
def test_a_power_of_ten_behind_a_name_needs_no_brackets(load, heading):
    runs = load(_table(f"{heading},tokens 10^9,loss", "70,2,3 140,4,2.8"))
    assert runs.column("params").tolist() == [70e6, 140e6]
    assert runs.column("tokens").tolist() == [2e9, 4e9]


def test_flops_in_billions_count_single_ones_where_they_are_given(load):
    text = _table("params_M,flops_B,loss", "5,0.4,3 10,0.8,2.8")
    assert "flops" not in load(text).columns  # of one image, perhaps
    assert load(text, columns={"flops": "flops_B"}).column("flops").tolist() == [4e8, 8e8]


def test_a_share_in_percent_is_told_and_taken_as_it_stands(load, note_ids):
    runs = load(_table("params,auc", "1e6,71.5 2e6,74"))
    assert runs.value.tolist() == [71.5, 74.0]
    assert "SHARE_ABOVE_ONE" in note_ids(runs)
    assert "SHARE_ABOVE_ONE" not in note_ids(load(_table("params,auc", "1e6,0.715 2e6,0.74")))
    in_percent = load(_table("params,auc (%)", "1e6,71.5 2e6,74"))
    assert in_percent.value.tolist() == pytest.approx([0.715, 0.74])
    assert "SHARE_ABOVE_ONE" not in note_ids(in_percent)


def test_an_error_without_a_bound_is_not_asked_about_as_a_perplexity(load, note_ids):
    runs = load(_table("params,tokens,error", "1e6,1e9,40 2e6,2e9,35 4e6,4e9,31"))
    assert "ERROR_ABOVE_ONE" in note_ids(runs)
    assert "LOSS_UNIT" not in note_ids(runs)
    assert "LOSS_UNIT" in note_ids(load(_table("params,loss", "1e6,40 2e6,35 4e6,31")))


def test_losses_below_zero_say_what_they_may_be(load):
    with pytest.raises(InputError, match="loss is not positive") as raised:
        load(_table("params,loss", "1e6,-1.5 2e6,-1.8"))
    assert "log-likelihood" in (raised.value.hint or "")
    with pytest.raises(InputError) as raised:
        load(_table("params,loss", "1e6,nan 2e6,nan"))
    assert "log-likelihood" not in (raised.value.hint or "")


def _bars(run: int) -> str:
    return f"Training model {run}\n" + "".join(
        f"Epoch {e}/3: {at // 2}%|##  | {at}/200 [00:{at // 10:02}<00:20,  9.5it/s, "
        f"loss={3 - e * 0.3 - at * 0.001 - run * 0.2:.3f}]\n"
        for e in (1, 2, 3) for at in (0, 50, 100, 150, 200)
    )  # fmt: skip


def test_trainings_in_turn_in_one_printed_log_are_runs(load):
    runs = load(_bars(0) + _bars(1) + _bars(2), name="train.log")
    assert runs.value.tolist() == pytest.approx([1.9, 1.7, 1.5])
    assert [n.numbers for n in runs.notes if n.id == "RUNS_SPLIT"] == [(("restarts", 2.0),)]
    curves = load_curves(["train.log"]).curves
    assert [float(curve.main.value[-1]) for curve in curves] == runs.value.tolist()
    single = load(_bars(0), name="one.log")
    assert "RUNS_SPLIT" not in [note.id for note in single.notes]


def test_trainings_in_turn_beside_a_table_stay_refused(load):
    table = "step,loss\n" + "".join(f"{s},{5 - s}\n" for s in (1, 2, 3, 4, 1, 2, 3, 4))
    with pytest.raises(InputError, match="the steps go back here"):
        load({"train.log": _bars(0) + _bars(1), "runs.csv": table})


@pytest.mark.parametrize("name", ["fit.csv", "fit.JSON", "a.b/fit.md", "fit.png"])
def test_a_fit_is_kept_as_yaml_only(name):
    with pytest.raises(UsageError, match="a fit is kept as YAML") as raised:
        check_fit_name(name)
    assert "fit.yaml" in (raised.value.hint or "")


@pytest.mark.parametrize("name", ["fit.yaml", "fit.yml", "fit", "fit.2026-01", "fit.v1.5"])
def test_other_names_promise_nothing(name):
    assert check_fit_name(name) is None
