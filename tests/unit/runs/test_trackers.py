from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from scaleplan.errors import InputError, UsageError
from scaleplan.runfile import save_runs
from scaleplan.runs.formats.parquet_file import read_parquet
from scaleplan.runs.reading import load_runs
from scaleplan.runs.request import Given
from scaleplan.runs.series import load_curves

SAMPLES = Path(__file__).parent / "samples"


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def by_run(runs, role="value"):
    return dict(zip(runs.labels["run"], runs.columns[role].tolist(), strict=True))


def test_mlflow_runs_are_read_with_their_names_and_params():
    runs = load_runs([str(SAMPLES / "mlruns")])
    assert by_run(runs) == pytest.approx({"r1e+06": 2 + 1 / 3 + 1.0, "r2e+06": 2 + 1 / 3 + 0.5})
    assert by_run(runs, "params") == {"r1e+06": 1e6, "r2e+06": 2e6}
    one = next((SAMPLES / "mlruns").glob("*/*/metrics")).parent
    assert len(load_runs([str(one)], all_points=True)) == 3


def test_tensorboard_events_are_read():
    pytest.importorskip("tensorboard")
    (curve,) = load_curves([str(SAMPLES / "tensorboard")]).curves
    assert curve.run == "runA"
    assert curve.validation.value.tolist() == pytest.approx([2 + 1 / s for s in range(1, 11)])
    assert curve.training.at.tolist() == list(range(1, 11))


def test_a_cut_event_file_is_refused_or_read_in_part(tmp_path):
    pytest.importorskip("tensorboard")
    whole = next((SAMPLES / "tensorboard").rglob("events*")).read_bytes()
    for size in (0, 10, len(whole) // 2):
        path = tmp_path / f"{size}" / "events.out.tfevents.1.host.1.0"
        path.parent.mkdir()
        path.write_bytes(whole[:size])
        if size < 11:
            with pytest.raises(InputError, match="no scalars"):
                load_curves([str(path)])
            continue
        (curve,) = load_curves([str(path)]).curves
        assert 0 < len(curve.validation) < 10


@pytest.mark.parametrize("ending", ["csv", "yaml", "parquet"])
def test_written_runs_are_read_back_as_the_same_runs(tmp_path, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    runs = load_runs(["sample_runs/language/runs.csv"])
    path = str(tmp_path / f"runs.{ending}")
    save_runs(runs, path)
    assert load_runs([path]).fingerprint == runs.fingerprint


def test_formulas_in_names_are_made_harmless_in_csv(tmp_path):
    log = write(tmp_path / "a.csv", "run,params,val_loss\n=1+1,1e6,3\n@x,2e6,2.5\nc,3e6,2.4\n")
    path = tmp_path / "out.csv"
    save_runs(load_runs([log]), str(path))
    text = path.read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert "\n=1+1" not in text


def test_only_known_endings_are_written(tmp_path):
    runs = load_runs(["sample_runs/language/runs.csv"])
    with pytest.raises(UsageError, match=r"\.csv, \.yaml or \.parquet"):
        save_runs(runs, str(tmp_path / "runs.xlsx"))


def test_a_damaged_parquet_file_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InputError, match="no Parquet file"):
        load_runs([str(path)])


PRINTED = """Loading data
2024-01-01 12:00:00 INFO Epoch 1, Loss: 2.302150
Accuracy: 12.5%
Epoch 2, Loss: 1.902150
Accuracy: 42.5%
Epoch [3/10] Loss: 1.5
Accuracy: 52.5%
"""
NANOGPT = """step 0: train loss 4.2874, val loss 4.2823
iter 0: loss 4.2664, time 18539.96ms, mfu -100.00%
iter 10: loss 3.2000, time 12.00ms, mfu 10.00%
step 250: train loss 1.9000, val loss 2.0000
"""


def test_printed_logs_are_read_by_their_names(tmp_path):
    (curve,) = load_curves([write(tmp_path / "a.log", PRINTED)], metric="accuracy").curves
    assert curve.main.value.tolist() == pytest.approx([0.125, 0.425, 0.525])
    assert curve.main.at.tolist() == [1.0, 2.0, 3.0]
    (curve,) = load_curves([write(tmp_path / "b.log", NANOGPT)]).curves
    assert curve.validation.value.tolist() == pytest.approx([4.2823, 2.0])
    assert curve.validation.at.tolist() == [0.0, 250.0]


def test_what_a_printed_log_says_besides_is_counted(tmp_path):
    log = load_curves([write(tmp_path / "a.log", PRINTED)])
    note = next(n for n in log.notes if n.id == "LINES_PASSED_OVER")
    assert dict(note.numbers)["lines"] == 1.0


def test_a_pattern_reads_any_lines(tmp_path):
    path = write(tmp_path / "a.txt", "[1] L=2.5;V=2.75\n[2] L=2.0;V=2.5\nnoise\n")
    given = Given(pattern=r"\[(?P<epoch>\d+)\] L=(?P<train_loss>[\d.]+);V=(?P<val_loss>[\d.]+)")
    (curve,) = load_curves([path], given=given).curves
    assert curve.validation.value.tolist() == [2.75, 2.5]
    assert curve.training.value.tolist() == [2.5, 2.0]


@pytest.mark.parametrize("pattern", ["(", "no group", r"(?P<a>x)(?P<a>y)"])
def test_bad_patterns_are_refused(tmp_path, pattern):
    path = write(tmp_path / "a.log", PRINTED)
    with pytest.raises(UsageError, match="--pattern"):
        load_runs([path], given=Given(pattern=pattern))


def test_lm_eval_results_become_runs_by_task(tmp_path):
    for name, params, right in (("small", 1.0e8, 0.31), ("base", 1.0e9, 0.42)):
        document = {
            "results": {
                "hellaswag": {"alias": "hellaswag", "acc,none": right - 0.05,
                              "acc_stderr,none": 0.004, "acc_norm,none": right},
            },
            "config": {"model": "hf", "model_args": f"pretrained=org/{name}",
                       "model_num_parameters": int(params)},
        }  # fmt: skip
        write(tmp_path / f"{name}.json", json.dumps(document))
    runs = load_runs([str(tmp_path)])
    assert by_run(runs) == {"org/base": 0.42, "org/small": 0.31}
    assert by_run(runs, "params") == {"org/base": 1e9, "org/small": 1e8}


def test_lightning_folders_take_the_settings_beside_the_metrics(tmp_path):
    for version, params in ((0, "1e6"), (1, "4e6")):
        folder = tmp_path / "lightning_logs" / f"version_{version}"
        rows = "".join(
            f"{e},{s},,{2.0 - 0.1 * e - 0.1 * version}\n{e},{s},{1.9 - 0.1 * e},\n"
            for e, s in ((0, 99), (1, 199), (2, 299))
        )
        write(folder / "metrics.csv", "epoch,step,train_loss,val_loss\n" + rows)
        write(folder / "hparams.yaml", f"n_params: {params}\nlr: 0.001\nname: net\n")
    runs = load_runs([str(tmp_path)])
    assert sorted(runs.columns["params"].tolist()) == [1e6, 4e6]
    assert sorted(runs.value.tolist()) == pytest.approx([1.7, 1.8])


def test_only_the_last_checkpoint_of_a_trainer_is_read(tmp_path):
    for step in (10, 20, 100):
        history = [{"step": s, "eval_loss": 3.0 - s / 100} for s in range(10, step + 1, 10)]
        state = {"log_history": history, "global_step": step, "total_flos": 1e15 * step}
        write(tmp_path / "out" / f"checkpoint-{step}" / "trainer_state.json", json.dumps(state))
    runs = load_runs([str(tmp_path)])
    assert runs.value.tolist() == [2.0]
    assert runs.columns["flops"].tolist() == [1e17]


def test_values_are_given_for_all_runs_or_one(tmp_path):
    log = write(tmp_path / "a.csv", "run,val_loss\nx,3\ny,2.5\nz,2.2\n")
    given = Given(values=(("", "params", "124M"), ("y", "params", "7B"), ("", "tokens", "1B")))
    runs = load_runs([log], given=given)
    assert by_run(runs, "params") == {"x": 124e6, "y": 7e9, "z": 124e6}
    with pytest.raises(UsageError, match="no log has a run of that name"):
        load_runs([log], given=Given(values=(("w", "params", "1"),)))


def test_a_file_of_runs_beside_the_logs_gives_sizes(tmp_path):
    for name, loss in (("small", 3.0), ("large", 2.0)):
        write(tmp_path / f"{name}.csv", f"step,val_loss\n1,4\n2,{loss}\n")
    write(tmp_path / "runs.yaml", "small: {params: 1e6, tokens: 20M}\nlarge: {params: 4e6}\n")
    runs = load_runs([str(tmp_path / "small.csv"), str(tmp_path / "large.csv")])
    assert sorted(runs.columns["params"].tolist()) == [1e6, 4e6]
    whole = load_runs([str(tmp_path)])
    assert sorted(whole.columns["params"].tolist()) == [1e6, 4e6]


def test_lm_eval_tasks_keep_their_own_names_filters_and_shots(tmp_path):
    document = {
        "results": {
            "mmlu": {"alias": "mmlu", "acc,none": 0.3},
            "mmlu_anatomy": {"alias": "  - anatomy", "acc,none": 0.25, "acc_stderr,none": 0.01},
            "gsm8k": {"exact_match,strict-match": 0.1, "exact_match,flexible-extract": 0.2},
        },
        "n-shot": {"mmlu_anatomy": 5, "gsm8k": 8},
        "config": {"model_args": {"pretrained": "org/base", "dtype": "auto"}},
    }
    runs = load_runs([write(tmp_path / "results.json", json.dumps(document))])
    found = dict(zip(runs.labels["task"], runs.value.tolist(), strict=True))
    assert found == {"mmlu": 0.3, "mmlu_anatomy": 0.25, "gsm8k": 0.1}
    assert set(runs.labels["run"]) == {"org/base"}
    assert runs.extra["num_fewshot"].tolist()[1:] == [5.0, 8.0]
    assert "TASKS_DIFFER" not in [note.id for note in runs.notes]


def test_questions_and_answers_beside_an_evaluation_are_no_runs(tmp_path):
    document = {"results": {"arc": {"acc,none": 0.5}}, "model_name": "m"}
    write(tmp_path / "m" / "results_2026.json", json.dumps(document))
    write(tmp_path / "m" / "samples_arc_2026.jsonl", '{"params": 7, "acc": 1.0}\n')
    assert load_runs([str(tmp_path)]).value.tolist() == [0.5]
    write(tmp_path / "m" / "samples_seen.jsonl", '{"params": 7, "acc": 0.25}\n')
    assert sorted(load_runs([str(tmp_path)], metric="acc").value.tolist()) == [0.25]
    (tmp_path / "m" / "samples_seen.jsonl").unlink()
    (tmp_path / "m" / "results_2026.json").unlink()
    assert load_runs([str(tmp_path)]).value.tolist() == [1.0]


def test_percentages_and_perplexities_of_several_files_are_converted(tmp_path):
    for name, right in (("a", 40.0), ("b", 60.0)):
        write(tmp_path / "acc" / f"{name}.csv", f"params,val_acc\n1e6,{right}\n")
        write(tmp_path / "ppl" / f"{name}.csv", f"params,val_ppl\n1e6,{right}\n")
    runs = load_runs([str(tmp_path / "acc")])
    assert runs.value.tolist() == [0.4, 0.6]
    assert [note.file for note in runs.cleaning.changed] == ["all files"]
    runs = load_runs([str(tmp_path / "ppl")])
    assert runs.value.tolist() == pytest.approx([math.log(40), math.log(60)])


def test_a_trainer_that_counted_no_tokens_has_none(tmp_path):
    entries = [{"step": s, "eval_loss": 3.0 - s / 10, "loss": 3.0} for s in (1, 2)]
    state = {"log_history": entries, "global_step": 2, "num_input_tokens_seen": 0}
    path = write(tmp_path / "trainer_state.json", json.dumps(state))
    assert "tokens" not in load_runs([path]).columns
    state["num_input_tokens_seen"] = 4096
    write(tmp_path / "trainer_state.json", json.dumps(state))
    runs = load_runs([path], all_points=True)
    assert runs.columns["tokens"].tolist() == [2048.0, 4096.0]


def test_text_of_a_parquet_file_is_that_of_its_cells(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    runs = pa.DictionaryArray.from_arrays(pa.array([2, 0, None, 2]), pa.array(["b", "x", "a"]))
    table = pa.table({
        "run": runs, "size": pa.array(["350M", "1e6", "", None]), "done": [True, False, None, True],
        "shape": pa.array([[1, 2], None, [3], [1, 2]]), "loss": [1.5, 2.0, None, 3.0],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    found = read_parquet(tmp_path / "a.parquet", "a.parquet", lambda name: name == "run")
    said = {name: [c.text(i) for i in range(4)] for name, c in found.columns.items()}
    assert said == {
        "run": ["a", "b", "", "a"], "size": ["350M", "1000000", "", ""],
        "done": ["True", "False", "", "True"], "shape": ["[1, 2]", "", "[3]", "[1, 2]"],
        "loss": ["1.5", "2", "", "3"],
    }  # fmt: skip
    assert found.columns["run"].vocabulary == ("a", "b")


def test_lm_eval_of_checkpoints_are_curves_by_task_in_the_order_of_their_steps(tmp_path):
    for step, right in ((143000, 0.6), (512, 0.3), (1000, 0.35), (13000, 0.5)):
        document = {
            "results": {
                "arc_easy": {"acc": right, "acc_stderr": 0.01},
                "lambada": {"ppl": 100.0 / right, "acc": right - 0.2},
            },
            "versions": {"arc_easy": 0, "lambada": 0},
            "config": {"model": "hf", "model_args": f"pretrained=org/p,revision=step{step},x=y"},
        }
        write(tmp_path / f"p_step{step}.json", json.dumps(document))
    log = load_curves([str(tmp_path)])
    assert [curve.run for curve in log.curves] == ["org/p arc_easy", "org/p lambada"]
    for curve, shift in zip(log.curves, (0.0, 0.2), strict=True):
        assert curve.main.at.tolist() == [512, 1000, 13000, 143000]
        assert curve.main.value.tolist() == pytest.approx([0.3 - shift, 0.35 - shift, 0.5 - shift,
                                                          0.6 - shift])  # fmt: skip
    runs = load_runs([str(tmp_path)])
    assert by_run(runs) == pytest.approx({"org/p arc_easy": 0.6, "org/p lambada": 0.4})


@pytest.mark.parametrize(
    ("revision", "place"),
    [
        ("step1000", {"step": 1000.0}), ("main", {}), ("steps", {}), ("v1-step7x", {}),
        ("stage1-step3000-tokens7B", {"step": 3000.0, "tokens": 7e9}),
    ],
)  # fmt: skip
def test_the_revision_of_a_checkpoint_says_where_it_stands(tmp_path, revision, place):
    arguments = {"pretrained": "org/p", "revision": revision}
    document = {"results": {"arc": {"acc,none": 0.5}}, "config": {"model_args": arguments}}
    runs = load_runs([write(tmp_path / "a.json", json.dumps(document))])
    found = {"step": runs.columns.get("step"), "tokens": runs.columns.get("tokens")}
    assert {k: float(v[0]) for k, v in found.items() if v is not None and len(v)} == place
