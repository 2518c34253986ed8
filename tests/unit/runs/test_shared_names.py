"""Runs that share a name, or have none, and differ in what is fixed when a run starts."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_groups, load_runs
from scaleplan.runs.series import load_curves


def test_a_table_of_finished_runs_in_the_order_of_their_steps(load, note_ids):
    runs = load("step,params,val_loss\n1000,1e7,4.1\n2000,2e7,3.8\n4000,4e7,3.5\n8000,8e7,3.2\n")
    assert runs.value.tolist() == [4.1, 3.8, 3.5, 3.2]
    assert "CURVES_REDUCED" not in note_ids(runs)
    with pytest.raises(InputError, match=r"each of its 4 rows is a run of its own .*params"):
        load_curves(["runs.csv"])


@pytest.mark.parametrize("column", ["n_layer", "num_experts", "config.hidden_size"])
def test_the_shape_of_a_model_is_fixed_too(load, column):
    text = f"step,tokens,{column},val_loss\n1000,1e9,2,4.1\n2000,2e9,4,3.8\n3000,3e9,8,3.5\n"
    assert load(text).value.tolist() == [4.1, 3.8, 3.5]


@pytest.mark.parametrize("column", ["tokens", "flops", "active_params", "batch_size"])
def test_what_grows_along_a_run_does_not_divide_it(load, column):
    rows = "".join(f"{s},1e6,{s}e5,{4.2 - s / 10:.1f}\n" for s in range(1, 7))
    assert load(f"step,params,{column},val_loss\n" + rows).value.tolist() == [3.6]
    named = "".join(f"a,{row}\n" for row in rows.splitlines())
    assert load(f"run,step,params,{column},val_loss\n" + named).value.tolist() == [3.6]


def test_runs_of_one_name_and_other_sizes(load):
    text = "".join(
        f"base,{n}e6,{s},{loss}\n"
        for n, losses in ((1, "432"), (2, "421"), (3, "431")) for s, loss in enumerate(losses)
    )  # fmt: skip
    runs = load("run,params,step,val_loss\n" + text)
    assert runs.value.tolist() == [2.0, 1.0, 1.0]
    assert runs.labels["run"] == ("base (1)", "base (2)", "base (3)")
    [note] = [n for n in runs.notes if n.id == "RUN_NAME_SHARED"]
    assert dict(note.numbers) == {"names": 1.0, "runs": 3.0}
    assert "params" in note.text
    curves = load_curves(["runs.csv"]).curves
    assert [(c.run, len(c.main)) for c in curves] == [(f"base ({i})", 3) for i in (1, 2, 3)]


def test_a_column_model_that_names_an_architecture(load):
    rows = "".join(f"{m},{n}e6,50,{4 - n / 10}\n" for m in ("SASRec", "GRU") for n in (1, 2, 4))
    runs = load("model,params,epoch,loss\n" + rows)
    assert len(runs) == 6
    assert "as logged" not in " ".join(runs.labels)
    groups = dict(load_groups(["runs.csv"], by="model")[1])
    assert {name: len(runs) for name, runs in groups.items()} == {"GRU": 3, "SASRec": 3}


def test_tokens_tell_runs_apart_only_where_steps_do_not(load):
    rows = "".join(f"SASRec,1e6,{t}e5,{{}},{4 - t / 10}\n" for t in (1, 2, 4))
    header = "model,params,interactions,epoch,val_loss\n"
    assert len(load(header + rows.format(50, 50, 50))) == 3
    # In the first epoch they may be those of one run.
    assert len(load(header + rows.format(1, 1, 1))) == 1
    assert len(load(header + rows.format(1, 2, 3))) == 1


def test_a_table_of_runs_of_weights_and_biases_has_one_row_a_run(load):
    rows = "".join(f'"base","finished","1e7","{s}e9","{s}000","{4 - s / 10}"\n' for s in (1, 2, 4))
    header = '"{}","State","n_params","tokens","_step","val/loss"\n'
    runs = load(header.format("Name") + rows)
    assert len(runs) == 3
    assert "table of runs" in next(n.text for n in runs.notes if n.id == "RUN_NAME_SHARED")
    assert len(load(header.format("Name (3 visualized)") + rows)) == 3
    # Rows of a history that names its run are points of it.
    assert len(load(header.format("run_name").replace("State", "state") + rows)) == 1


def test_settings_that_are_written_once_count_for_the_rows_below(load):
    rows = "".join(
        f"base,{f'{n}e6' if s == 1 else ''},{s},{5 - s - n / 10}\n"
        for n in (1, 2) for s in (1, 2, 3, 4)
    )  # fmt: skip
    runs = load("run,params,step,val_loss\n" + rows)
    assert runs.value.tolist() == pytest.approx([0.9, 0.8])
    assert runs.columns["params"].tolist() == [1e6, 2e6]


def test_a_new_name_is_never_one_that_is_there(load):
    runs = load("run,params,step,val_loss\na,1e6,1,4\na,2e6,2,3\na (1),3e6,1,2.5\n")
    assert sorted(runs.labels["run"]) == ["a (1)", "a (2)", "a (3)"]


def test_an_impossible_point_is_not_the_best_of_its_run(load, reasons, note_ids):
    text = "run,step,params,val_loss\na,0,1e6,0\na,1,1e6,3\na,2,1e6,2\nb,0,2e6,0\nb,1,2e6,1.5\n"
    runs = load(text)
    assert runs.value.tolist() == [2.0, 1.5]
    assert not reasons(runs)
    assert "IMPOSSIBLE_POINTS" in note_ids(runs)
    nothing_else = load(text + "c,0,3e6,0\nc,1,3e6,0\n")
    assert reasons(nothing_else) == [(7, "val_loss is 0; it must be positive")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("run,step,params,val_loss\na,1,1e6,4\na,2,1e6,3\na,3,2e6,3\n", "runs share a name"),
        ("run,step,params,n_layer,val_loss\na,1,1,4,4\na,2,1,5,3\n", "runs share a name"),
        ("run,epoch,params,val_loss\na,50,1e6,4\na,50,1e6,3\n", "no points along a run"),
        ("Name,State,step,params,val_loss\na,ok,1,1e6,4\na,ok,2,1e6,3\n", "no points along a run"),
        ("run,step,params,val_loss\na,0,1e6,0\na,1,1e6,3\n", "below what it can be"),
    ],
)
def test_engines_refuse_what_they_cannot_tell_apart(tmp_path, text, reason):
    pytest.importorskip("duckdb")
    pytest.importorskip("ibis")
    path = tmp_path / "log.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason):
        load_runs([str(path)], engine="duckdb")


@pytest.mark.parametrize("by", ["step", "epoch"])
def test_a_run_without_a_name_that_was_resumed_is_one_run(load, by):
    steps = (*range(0, 1000, 50), *range(700, 1500, 50))
    runs = load(f"{by},params,val_loss\n" + "".join(f"{s},1e6,{4 - s / 1000}\n" for s in steps))
    assert runs.value.tolist() == [pytest.approx(2.55)]
    [note] = [n for n in runs.notes if n.id == "RESTARTED"]
    assert "runs.csv:22" in note.text
    [curve] = load_curves(["runs.csv"]).curves
    assert (len(curve.main), curve.replaced) == (30, 6)


def test_runs_in_turns_are_no_resumed_run(load):
    blocks = [range(100, 400, 50), range(200, 500, 50), range(200, 500, 50), range(200, 500, 50),
              range(200, 500, 50)]  # fmt: skip
    rows = [f"{s},1e6,{4 - s / 1000 + i / 10}\n" for i, steps in enumerate(blocks) for s in steps]
    with pytest.raises(InputError, match="no column tells which run"):
        load("step,params,val_loss\n" + "".join(rows))
    with pytest.raises(InputError, match="rows of several runs are mixed"):
        load_curves(["runs.csv"])


def test_trials_of_ray_are_runs_by_their_id(load):
    """Ray Tune writes these names into progress.csv."""
    rows = "".join(
        f"{5 - n - i / 10},{i},abc_{n},{i * 17},1e{6 + n}\n" for n in range(3) for i in (1, 2, 3)
    )
    header = "loss,training_iteration,trial_id,time_total_s,config/n_params\n"
    runs = load(header + rows, name="progress.csv")
    assert runs.labels["run"] == ("abc_0", "abc_1", "abc_2")
    assert runs.value.tolist() == pytest.approx([4.7, 3.7, 2.7])
    assert [len(c.main) for c in load_curves(["progress.csv"]).curves] == [3, 3, 3]


def test_a_size_written_in_two_ways_is_one_size(load):
    rows = "".join(f"{s},{'0.0019B' if s % 2 else '1.9M'},{4 - s / 10}\n" for s in range(1, 7))
    assert load("step,params,val_loss\n" + rows).value.tolist() == [pytest.approx(3.4)]
    [curve] = load_curves(["runs.csv"]).curves
    assert len(curve.main) == 6


def test_sizes_in_the_first_row_of_each_run_only(load):
    rows = "".join(f"{'' if s > 1 else n},{s}e9,{5 - s - n / 1e8}\n" for n in (1e6, 2e6, 3e6)
                   for s in (1, 2, 3))  # fmt: skip
    load("params,tokens,val_loss\n" + rows)
    assert [len(c.main) for c in load_curves(["runs.csv"]).curves] == [3, 3, 3]
