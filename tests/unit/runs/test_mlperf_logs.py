"""Logs of MLPerf's training benchmarks: what is called an accuracy may be a loss."""

from __future__ import annotations

import json
import math

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves


def event(key, value, kind="POINT_IN_TIME", time=0, **metadata):
    said = {
        "namespace": "", "time_ms": time, "event_type": kind, "key": key, "value": value,
        "metadata": {"file": "/workspace/callbacks.py", "lineno": 181, **metadata},
    }  # fmt: skip
    return f":::MLLOG {json.dumps(said)}\n"


def benchmark(name, batch, evaluations, **settings):
    """Return a log; the values are those of results that were published for the benchmark."""
    return "".join([
        event("cache_clear", True), event("submission_benchmark", name), event("seed", 7),
        event("global_batch_size", batch), event("train_samples", 3901),
        event("opt_base_learning_rate", 0.0004), *(event(k, v) for k, v in settings.items()),
        event("run_start", None, "INTERVAL_START", 1_000_000),
        *(event("tracked_stats", {"throughput": 1.95}, step=1) for _ in range(2)), *evaluations,
        event("run_stop", None, "INTERVAL_END", 1_240_500, status="success"),
    ])  # fmt: skip


LORA = ((1536, 0.9376), (1920, 0.9327), (2304, 0.9304), (2688, 0.9278), (3072, 0.9233))


def test_the_quality_of_a_language_model_is_a_loss(load, note_ids):
    text = benchmark("llama2_70b_lora", 8, [
        event("eval_accuracy", value, samples_count=count) for count, value in LORA
    ])  # fmt: skip
    runs = load(text, "result_0.txt")
    assert runs.metric.kind == "loss"
    assert runs.value.tolist() == [0.9233]
    assert runs.column("tokens").tolist() == [3072.0]
    assert runs.column("step").tolist() == [384.0]
    assert runs.column("learning_rate").tolist() == [0.0004]
    assert runs.column("batch_size").tolist() == [8.0]
    assert runs.labels["task"] == ("llama2_70b_lora",)
    assert runs.metadata["run_seconds"] == "240.5"
    assert "MLPERF_QUALITY" in note_ids(runs)
    (curve,) = load_curves(["result_0.txt"]).curves
    assert curve.validation.at.tolist() == [192.0, 240.0, 288.0, 336.0, 384.0]


def test_counts_of_whole_steps_of_tokens_are_tokens(load):
    evaluations = [
        event("eval_accuracy", 2.8 - 0.02 * i, epoch_num=5_505_024 * 10 * i) for i in range(1, 6)
    ]
    runs = load(benchmark("gpt3", 2688, evaluations, max_sequence_length=2048), "gpt3.log")
    assert runs.column("step").tolist() == [50.0]
    assert runs.column("tokens").tolist() == [275_251_200.0]
    assert runs.metric.kind == "loss"


def test_epochs_stay_epochs_and_accuracies_accuracies(load, note_ids):
    evaluations = [event("eval_accuracy", v, epoch_num=e) for e, v in ((3, 0.4), (7, 0.6))]
    runs = load(benchmark("resnet", 3264, evaluations), "result.txt")
    assert (runs.metric.kind, runs.value.tolist()) == ("accuracy", [0.6])
    assert runs.column("epoch").tolist() == [7.0]
    assert "MLPERF_QUALITY" not in note_ids(runs)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [("new_lm", (3.4, 3.3), "loss"), ("new_lm", (0.93, 0.92), "loss"),
     ("new_images", (0.7, 0.8), "accuracy"), ("rnnt", (0.06, 0.058), "error")],
)  # fmt: skip
def test_a_benchmark_that_is_not_known_is_told_by_its_values(load, name, values, kind):
    evaluations = [event("eval_accuracy", v, epoch_num=i) for i, v in enumerate(values, 1)]
    assert load(benchmark(name, 8, evaluations), "result.txt").metric.kind == kind


def test_several_qualities_have_to_be_chosen_from(load):
    evaluations = [
        event("eval_accuracy", {"BBOX": 0.1 * i, "SEGM": 0.09 * i}, epoch_num=i)
        for i in range(1, 4)
    ]
    text = benchmark("maskrcnn", 96, evaluations)
    with pytest.raises(InputError, match="eval_accuracy/BBOX, eval_accuracy/SEGM"):
        load(text, "result.txt")
    runs = load_runs(["result.txt"], metric="eval_accuracy/SEGM")
    assert runs.value.tolist() == pytest.approx([0.27])
    evaluations = [
        event("eval_accuracy", value, step_num=100, metric=name)
        for name, value in (("FID", 90.0), ("CLIP", 0.15))
    ]
    assert load(benchmark("stable_diffusion", 8, evaluations), "sd.txt").value.tolist() == [90.0]


def test_events_among_other_lines_with_losses_of_the_training(load):
    events = [event("train_loss", 9.0 - i, samples_count=32 * i, lr=1e-4) for i in range(1, 5)]
    events.append(event("eval_loss", 5.5, samples_count=128))
    text = "starting\n" + "".join(f"0: {e}some words\n" for e in events) + ':::MLLOG {"namesp'
    load("0: " + event("global_batch_size", 32) + text, "train.log")
    (curve,) = load_curves(["train.log"], metric="train_loss").curves
    assert curve.main.at.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_log_without_an_evaluation_is_refused(load):
    with pytest.raises(InputError, match="no event of MLPerf's log measures anything"):
        load(benchmark("resnet", 8, []), "result.txt")


def test_numbers_that_are_none_lose_their_row_and_say_so(load):
    evaluations = [event("eval_accuracy", value, samples_count=count) for count, value in LORA]
    evaluations.insert(2, event("eval_accuracy", 0.93, samples_count=math.inf))
    text = benchmark("llama2_70b_lora", 8, evaluations, max_sequence_length=math.inf)
    text = text.replace('"time_ms": 1000000', '"time_ms": "soon"')
    runs = load(text, name="run.log")
    assert [(row.line, row.reason) for row in runs.cleaning.dropped] == [
        (13, "it is measured at no finite place in the training")
    ]
    assert runs.column("step").tolist() == [384.0]
