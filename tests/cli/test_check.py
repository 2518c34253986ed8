from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

IMAGES = "sample_runs/images/epochs.csv"


def write(path, rows, header="step,train_loss,val_loss"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def falling(n, start=1):
    return [f"{s},{2 / s**0.5 + 0.9:.6f},{2 / s**0.5 + 1:.6f}" for s in range(start, n + 1)]


def document(invoke, *arguments):
    result = invoke("check", *arguments, "--format", "json", "-q")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_images_overfit_where_their_data_are_few(invoke):
    found = document(invoke, IMAGES)
    assert found["schema"] == "scaleplan.check/1"
    assert len(found["runs"]) == 36
    verdicts = {run["run"]: run["verdict"] for run in found["runs"]}
    assert verdicts["w1-n250"] == "overfitting"
    assert all(run["since_step"] is not None for run in found["runs"]
               if run["verdict"] == "overfitting")  # fmt: skip


def test_strict_stops_a_launch(invoke):
    assert invoke("check", IMAGES, "--strict", "-q").exit_code == 6


def test_restarts_overlap_and_later_values_win(invoke, tmp_path):
    rows = falling(60)
    resumed = [row.replace(",", ",", 1) for row in falling(100, 51)]
    found = document(invoke, write(tmp_path / "a.csv", rows + resumed))
    assert len(found["runs"]) == 1
    assert found["runs"][0]["points"] == 100
    assert "RESTARTED" in {note["id"] for note in found["notes"]}


def test_several_runs_without_a_name_are_not_joined(invoke, tmp_path):
    found = document(invoke, write(tmp_path / "a.csv", falling(30) + falling(30)))
    assert len(found["runs"]) == 2
    assert "RUNS_SPLIT" in {note["id"] for note in found["notes"]}


def test_steps_out_of_order_are_sorted(invoke, tmp_path):
    rows = falling(30)
    mixed = [rows[i] for i in np.random.default_rng(0).permutation(30)]
    named = [f"a,{row}" for row in mixed]
    found = document(
        invoke, write(tmp_path / "a.csv", named, "run,step,train_loss,val_loss")
    )  # fmt: skip
    (run,) = found["runs"]
    assert run["best_step"] == 30
    assert "OUT_OF_ORDER" in {note["id"] for note in found["notes"]}


@pytest.mark.parametrize("order", ["shuffled", "newest first"])
def test_one_run_in_another_order_is_one_run_without_a_name_too(invoke, tmp_path, order):
    rows = falling(30)
    mixed = [rows[i] for i in np.random.default_rng(0).permutation(30)]
    found = document(
        invoke, write(tmp_path / "a.csv", mixed if order == "shuffled" else rows[::-1])
    )
    (run,) = found["runs"]
    assert (run["points"], run["best_step"]) == (30, 30)
    assert "OUT_OF_ORDER" in {note["id"] for note in found["notes"]}


def test_numbers_beyond_all_sense_are_lost_and_no_traceback(invoke, tmp_path):
    rows = [f"{s},{1 / s},{1e300 if s > 20 else 1 / s}" for s in range(1, 41)]
    (run,) = document(invoke, write(tmp_path / "a.csv", rows))["runs"]
    assert (run["verdict"], run["since_step"]) == ("diverged", 21)
    flat = [f"{s},1,1,0.001" for s in range(1, 41)]
    header = "step,train_loss,val_loss,lr"
    (run,) = document(invoke, write(tmp_path / "b.csv", flat, header))["runs"]
    assert run["verdict"] == "plateau"


def test_validation_may_be_missing_on_most_rows(invoke, tmp_path):
    rows = [f"{s},{1 + 1 / s},{1.1 + 1 / s if s % 10 == 0 else ''}" for s in range(1, 201)]
    (run,) = document(invoke, write(tmp_path / "a.csv", rows))["runs"]
    assert run["points"] == 20


@pytest.mark.parametrize(
    "text",
    ["", "step,val_loss\n", "\x00\x01\x02", "step\n1\n2\n"],
)
def test_logs_without_a_curve_are_refused(invoke, tmp_path, text):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    result = invoke("check", str(path))
    assert result.exit_code in {3, 2}, result.output
    assert "Traceback" not in result.output


def test_run_names_cannot_paint_the_terminal(invoke, tmp_path):
    rows = [f"\x1b[31m[bold]a[/bold],{row}" for row in falling(20)]
    result = invoke("check", write(tmp_path / "a.csv", rows, "run,step,train_loss,val_loss"))
    assert "\x1b" not in result.stdout
    assert "[bold]a[/bold]" in result.stdout


def test_a_fit_needs_its_inputs(invoke, tmp_path):
    fit = tmp_path / "fit.yaml"
    made = invoke("fit", "sample_runs/language/runs.csv", "-o", str(fit), "-q", "--resamples", "0")
    assert made.exit_code == 0
    log = write(tmp_path / "a.csv", falling(40))
    result = invoke("check", log, "--fit", str(fit))
    assert result.exit_code == 2
    assert "needs params" in result.stderr
    found = document(invoke, log, "--fit", str(fit), "--with", "params=100000,tokens=8M")
    law = found["runs"][0]["expectation"]
    assert law["z"] * (law["reached"] - law["expected"]) > 0.0


def test_a_log_of_nothing_but_nan_is_a_lost_run(invoke, tmp_path):
    (run,) = document(invoke, write(tmp_path / "a.csv", ["1,1,nan", "2,1,nan"]))["runs"]
    assert run["verdict"] == "diverged"


def test_watching_follows_a_log_and_ends_with_the_interrupt(tmp_path):
    log = tmp_path / "a.csv"
    write(log, falling(20))
    process = subprocess.Popen(
        [sys.executable, "-m", "scaleplan", "check", str(log), "--watch", "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "a.csv" in first or "run 1" in first
    rows = falling(20) + [f"{s},0.5,{2.0 + 0.2 * (s - 20):.3f}" for s in range(21, 41)]
    write(log, rows)
    second = process.stderr.readline()
    assert "overfitting" in second
    log.unlink()
    assert "waiting" in process.stderr.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(out)["runs"][0]["verdict"] == "overfitting"


def notes_of(found):
    return {note["id"]: note for note in found["notes"]}


def test_a_restart_between_the_old_steps_leaves_the_old_course_out(invoke, tmp_path):
    old = [f"{s},{5 / s**0.5:.4f}" for s in range(10, 201, 10)]
    new = [f"{s},{5 / s**0.5:.4f}" for s in range(105, 300, 10)]
    found = document(invoke, write(tmp_path / "a.csv", old + new, "step,val_loss"))
    (run,) = found["runs"]
    assert run["points"] == 10 + len(new)  # 10 to 100 of the old course, all of the new one
    assert "went back" in notes_of(found)["RESTARTED"]["text"]
    assert "OUT_OF_ORDER" not in notes_of(found)


def test_a_log_of_training_first_and_validation_after_it_is_no_restart(invoke, tmp_path):
    rows = [f"a,{s},{1 + 1 / s:.4f}," for s in range(1, 101)]
    rows += [f"a,{s},,{1.1 + 1 / s:.4f}" for s in range(10, 101, 10)]
    found = document(invoke, write(tmp_path / "a.csv", rows, "run,step,train_loss,val_loss"))
    (run,) = found["runs"]
    assert run["points"] == 10
    assert run["gap"] is not None
    assert "RESTARTED" not in notes_of(found)


def test_steps_that_are_written_twice_are_told(invoke, tmp_path):
    rows = falling(50)
    rows.insert(20, rows[20].replace(",1.", ",1.0", 1))
    found = document(invoke, write(tmp_path / "a.csv", rows))
    assert found["runs"][0]["points"] == 50
    assert "STEPS_REPEATED" in notes_of(found)
    assert "RESTARTED" not in notes_of(found)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("block", [1, 5])
def test_rows_of_two_runs_in_turns_are_refused(invoke, tmp_path, named, block):
    first = falling(60)
    second = [f"{s},{2 / s**0.5 + 0.7:.6f},{2 / s**0.5 + 0.8:.6f}" for s in range(1, 61)]
    rows = []
    for start in range(0, 60, block):
        rows += first[start : start + block] + second[start : start + block]
    header = "step,train_loss,val_loss"
    if named:
        rows, header = [f"a,{row}" for row in rows], f"run,{header}"
    result = invoke("check", write(tmp_path / "a.csv", rows, header))
    assert result.exit_code == 3
    assert "mixed" in result.stderr
    assert "column named run" in result.stderr
    assert "a.csv:" in result.stderr


def test_rows_in_turns_that_their_settings_tell_apart_are_two_runs(invoke, tmp_path):
    rows = []
    for s in range(1, 41):
        rows += [f"{s},1e-3,{2 / s**0.5 + 1:.5f}", f"{s},3e-4,{2 / s**0.5 + 1.2:.5f}"]
    found = document(invoke, write(tmp_path / "a.csv", rows, "step,learning_rate,val_loss"))
    assert [run["points"] for run in found["runs"]] == [40, 40]
    assert "RUNS_SPLIT" in notes_of(found)


def test_files_with_other_columns_are_judged_by_what_they_have(invoke, tmp_path):
    write(tmp_path / "a.csv", falling(40))
    write(tmp_path / "b.csv", [f"{s},{2 / s**0.5 + 0.9:.6f}" for s in range(1, 41)],
          "step,train_loss")  # fmt: skip
    write(tmp_path / "c.csv", [f"{s},{s * 7}" for s in range(1, 41)], "step,tokens")
    logs = [str(tmp_path / name) for name in ("a.csv", "b.csv", "c.csv")]
    found = document(invoke, *logs)
    judged = {run["run"].rpartition("/")[2]: run["metric"] for run in found["runs"]}
    assert judged == {"a.csv": "val_loss", "b.csv": "train_loss"}
    assert notes_of(found)["METRICS_DIFFER"]["metrics"] == 2
    assert "c.csv" in notes_of(found)["NOT_JUDGED"]["text"]


def test_files_that_measure_other_things_are_no_error(invoke, tmp_path):
    write(tmp_path / "a.csv", [f"{s},{2 / s}" for s in range(1, 31)], "step,val_wiki_loss")
    write(tmp_path / "b.csv", [f"{s},{3 / s}" for s in range(1, 31)], "step,val_code_loss")
    found = document(invoke, str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))
    assert {run["metric"] for run in found["runs"]} == {"val_wiki_loss", "val_code_loss"}


def test_runs_without_the_metric_in_a_file_are_named(invoke, tmp_path):
    rows = [f"a,{row}" for row in falling(30)]
    rows += [f"b,{s},{1 + 1 / s:.4f}," for s in range(1, 31)]
    rows += [f"c,{s},," for s in range(1, 31)]
    found = document(invoke, write(tmp_path / "a.csv", rows, "run,step,train_loss,val_loss"))
    judged = {run["run"]: (run["metric"], run["points"]) for run in found["runs"]}
    assert judged == {"a": ("val_loss", 30), "b": ("train_loss", 30)}
    assert "(c)" in notes_of(found)["NOT_JUDGED"]["text"]


def test_training_and_validation_of_one_run_may_stand_in_two_files(invoke, tmp_path):
    write(tmp_path / "train.csv", [f"a,{s},{1 + 1 / s:.4f}" for s in range(1, 101)],
          "run,step,train_loss")  # fmt: skip
    write(tmp_path / "val.csv", [f"a,{s},{1.1 + 1 / s:.4f}" for s in range(10, 101, 10)],
          "run,step,val_loss")  # fmt: skip
    found = document(invoke, str(tmp_path / "train.csv"), str(tmp_path / "val.csv"))
    (run,) = found["runs"]
    assert (run["metric"], run["points"]) == ("val_loss", 10)
    assert run["gap"] is not None


def test_a_run_resumed_after_a_gap_says_so(invoke, tmp_path):
    rows = falling(40) + falling(160, 120)
    found = document(invoke, write(tmp_path / "a.csv", rows))
    assert len(found["runs"]) == 1
    assert "HOLE" in notes_of(found)


def test_curves_over_tokens_are_told_of_in_tokens(invoke, tmp_path):
    log = tmp_path / "log.csv"
    rows = [f"{k}000000,{3.0 / k**0.3 + 0.01 * (k % 3):.4f}" for k in range(1, 40)]
    log.write_text("tokens,loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    shown = invoke("check", str(log)).stdout
    assert "tokenss" not in shown
    assert "at twice the tokens" in " ".join(shown.split())
