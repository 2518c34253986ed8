"""A table of finished runs, one row a run, holds no training curves for `check` to judge."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves

COMMITS = "commit\tval_bpb\tmemory_gb\tstatus\tdescription\n" + "".join(
    f"{i * 7919 % 65536:05x}{'ab' if i % 4 else 12}\t{1 - 0.003 * i:.4f}\t44.{i}\tkeep\ttry {i}\n"
    for i in range(1, 13)
)


@pytest.mark.parametrize(
    ("name", "text", "rows", "told"),
    [
        ("results.tsv", COMMITS, 12, "commit"),
        ("a.csv", "run,params,loss\na,1e6,4\nb,2e6,3.5\nc,4e6,3.2\nd,8e6,3\n", 4, "run"),
        ("b.csv", "params,tokens,loss\n1e6,1e8,4\n2e6,2e8,3.5\n4e6,3e8,3.2\n", 3, "params"),
        ("c.csv", "Name,State,_step,val_loss\na,finished,900,3\nb,finished,900,2.9\n", 2, "Name"),
        ("e.csv", "val_loss,log_path\n3.1,l/a.log\n3.2,l/b.log\n3.0,l/c.log\n", 3, "log_path"),
        ("d.csv", "ablation,val_acc\nno warmup,0.7\nno decay,0.71\nbase,0.73\n", 3, "ablation"),
    ],
)
def test_a_table_of_finished_runs_holds_no_curves(load, name, text, rows, told):
    assert len(load(text, name)) == rows
    with pytest.raises(
        InputError, match=rf"each of its {rows} rows is a run of its own .*{told}"
    ) as e:
        load_curves([name])
    assert "one row for each step" in e.value.hint
    assert e.value.file == name


@pytest.mark.parametrize("column", ["time", "message", "checkpoint_name", "log_file"])
def test_what_differs_from_point_to_point_names_no_runs(load, column):
    rows = "".join(f"at {i} o'clock,{2 + 1 / i:.4f}\n" for i in range(1, 9))
    load(f"{column},val_loss\n{rows}")
    (curve,) = load_curves(["runs.csv"]).curves
    assert len(curve.main) == 8


def test_a_step_counts_points_whatever_stands_beside_it(load):
    rows = "".join(f"{i},v{i},{2 + 1 / i:.4f}\n" for i in range(1, 9))
    load(f"step,commit,val_loss\n{rows}")
    (curve,) = load_curves(["runs.csv"]).curves
    assert len(curve.main) == 8


def test_curves_beside_such_a_table_are_judged(load):
    curve = "step,val_bpb\n" + "".join(f"{i},{1 + 1 / i:.4f}\n" for i in range(1, 9))
    load({"results.tsv": COMMITS, "curve.csv": curve})
    log = load_curves(["results.tsv", "curve.csv"])
    assert [len(each.main) for each in log.curves] == [8]
    (note,) = (n for n in log.notes if n.id == "NOT_JUDGED")
    assert "results.tsv" in note.text
    assert "12 rows" in note.text
    assert "one row for each step" in note.action


def test_logs_that_have_just_begun_are_no_finished_runs(load):
    load("run,step,loss\na,1,4\nb,1,4.1\n")
    assert len(load_curves(["runs.csv"], growing=True).curves) == 2


def test_files_of_one_step_of_every_run_are_points_of_curves(load):
    files = {f"{i}.csv": f"run,step,loss\na,{i},{4 - i}\nb,{i},{5 - i}\n" for i in range(1, 4)}
    load(files)
    assert [len(each.main) for each in load_curves([*files]).curves] == [3, 3]
