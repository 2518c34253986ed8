"""Names to roles: the field's spellings, what was asked for, what is derived."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scaleplan.errors import InputError, UsageError
from scaleplan.runs.factors import factor, unit_factor
from scaleplan.runs.metrics import describe, guessed_metric
from scaleplan.runs.roles import rank, role_named


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("N", "params"), ("params", "params"), ("n_params", "params"), ("num_params", "params"),
        ("parameter_count", "params"), ("Model Size", "params"), ("model_size", "params"),
        ("numParams", "params"), ("config/n_params/value", "params"), ("#params", "params"),
        ("non_embedding_params", "non_embedding_params"),
        ("params_no_embed", "non_embedding_params"),
        ("num_scaling_params", "non_embedding_params"), ("active_params", "active_params"),
        ("D", "tokens"), ("tokens", "tokens"), ("n_tokens", "tokens"), ("tokens_trained", "tokens"),
        ("training_tokens", "tokens"), ("samples_seen", "tokens"), ("examples", "tokens"),
        ("images", "tokens"), ("interactions", "tokens"), ("Seen Examples", "tokens"),
        ("n_train", "tokens"), ("seen_tokens", "tokens"), ("gbsz", "batch_size"),
        ("gbs", "batch_size"), ("bsz", "batch_size"), ("bs", "batch_size"),
        ("throughput/total_tokens", "tokens"),
        ("num_input_tokens_seen", "tokens"), ("C", "flops"), ("flops", "flops"),
        ("flops_budget", "flops"), ("Training FLOP", "flops"), ("compute", "flops"),
        ("total_flos", "flops"), ("budget", "flops"), ("throughput/total_gflops", "flops"),
        ("compute (PFLOP-days)", "flops"), ("_step", "step"), ("trainer/global_step", "step"),
        ("Step", "step"), ("lr", "learning_rate"), ("Optimizer", "optimizer"),
        ("config/dataset", "dataset"), ("run_id", "run"), ("run name", "run"),
    ],
)  # fmt: skip
def test_spellings(column, role):
    assert rank(role, column) is not None


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("n", "params"), ("d", "tokens"), ("c", "flops"), ("L", "params"),
        ("eval/tokens", "tokens"),
        ("steps", "step"), ("tokens_per_second", "tokens"), ("flops_per_step", "flops"),
        ("tflops", "flops"), ("paramsx", "params"),
    ],
)  # fmt: skip
def test_names_that_mean_something_else(column, role):
    assert rank(role, column) is None


@pytest.mark.parametrize(
    ("role", "column", "expected"),
    [
        ("flops", "throughput/total_gflops", 1e9), ("flops", "compute (PFLOP-days)", 8.64e19),
        ("params", "params_m", 1e6), ("params", "params (M)", 1e6), ("tokens", "tokens_B", 1e9),
        ("tokens", "tokens (billions)", 1e9), ("params", "params", 1.0), ("tokens", "D", 1.0),
        ("flops", "flops", 1.0), ("params", "n_params", 1.0),
    ],
)  # fmt: skip
def test_units_in_names(role, column, expected):
    assert factor(role, column) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("1e8 params", 1e8), ("millions", 1e6), ("in billions", 1e9), ("nats/token", 1.0), ("", 1.0)],
)
def test_unit_factors(unit, expected):
    assert unit_factor(unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train_loss", "val_loss", "test_loss"], "val_loss"),
        (["loss", "accuracy"], "loss"),
        (["loss", "accuracy", "val_loss", "val_accuracy"], "val_loss"),
        (["train/loss", "eval/loss", "eval/paloma/c4_en/bpb"], "eval/loss"),
        (["train/loss", "eval/paloma/c4_en/bpb"], "eval/paloma/c4_en/bpb"),
        (["loss", "eval_loss"], "eval_loss"),
        (["loss", "smoothed_loss"], "loss"),
        (["val_bpb", "core_score"], "val_bpb"),
        (["error", "accuracy"], "error"),
        (["loss_validation", "loss_c4", "loss_pile"], "loss_validation"),
        (["train_loss", "val_accuracy"], "val_accuracy"),
        (["train_loss"], "train_loss"),
        (["L", "N"], "L"), (["P", "S"], "P"), (["top1_error"], "top1_error"),
        (["valid_loss", "lr"], "valid_loss"), (["valloss", "trainloss"], "valloss"),
        (["val/lossStd", "val/loss"], "val/loss"), (["loss_scale", "acc"], "acc"),
        (["normalized_entropy"], "normalized_entropy"),
        (["cross_entropy_loss"], "cross_entropy_loss"),
    ],
)  # fmt: skip
def test_which_column_is_the_metric(names, expected):
    present = dict.fromkeys(names, frozenset({0}))
    assert guessed_metric(names, present).column == expected
    assert guessed_metric(names[::-1], present).column == expected


@pytest.mark.parametrize(
    "names",
    [["loss_c4", "loss_pile"], ["val_loss", "validation/loss"], ["c4/val_loss", "pile/val_loss"]],
)
def test_equally_good_metrics_are_not_chosen_between(names):
    with pytest.raises(InputError, match="several columns") as error:
        guessed_metric(names, dict.fromkeys(names, frozenset({0})))
    assert "--metric" in error.value.hint
    assert all(name in error.value.message for name in names)


@pytest.mark.parametrize(
    ("column", "kind", "unit"),
    [
        ("val_bpb", "loss", "bits/byte"), ("loss (nats/token)", "loss", "nats/token"),
        ("val_loss", "loss", ""), ("top1", "accuracy", "fraction"), ("err", "error", "fraction"),
        ("top-1 error", "error", "fraction"), ("score", "score", ""), ("perplexity", "loss",
        "ln of the perplexity"),
    ],
)  # fmt: skip
def test_kind_and_unit_of_a_metric(column, kind, unit):
    found = describe(column)
    assert found is not None
    assert (found.kind, found.unit) == (kind, unit)


def test_loss_is_never_assumed_to_be_in_nats(load):
    assert load("params,loss\n1,2\n2,1\n").metric.unit == "as logged"


def test_roles_that_were_given(load):
    text = "n_model,seen,val/ce,other\n1e6,2e7,4,7\n2e6,4e7,3,8\n"
    runs = load(text, columns={"params": "n_model", "D": "seen", "loss": "val/ce"})
    assert runs.column("params").tolist() == [1e6, 2e6]
    assert runs.column("tokens").tolist() == [2e7, 4e7]
    assert runs.metric.kind == "loss"
    how = {use.role: use.how for use in runs.cleaning.columns}
    assert how["params"] == how["tokens"] == how["value"] == "given"
    assert how["flops"] == "derived"
    assert list(runs.extra) == ["other"]


def test_metric_by_kind_word_and_by_name(load):
    text = "params,val_loss,val_accuracy,smooth\n1,4,0.5,9\n2,3,0.6,8\n"
    assert load(text, metric="accuracy").metric.name == "val_accuracy"
    assert load(text, metric="VAL LOSS").metric.name == "val_loss"
    other = load(text, metric="smooth")
    assert other.metric.name == "smooth"
    assert other.metric.kind == "score"


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"columns": {"params": "n_modle"}}, "no column 'n_modle'", "n_model"),
        ({"columns": {"parms": "n_model"}}, "'parms' is not a role", "params"),
        ({"metric": "los"}, "no column 'los'", "loss"),
        ({"input_column": "n_modl"}, "no column 'n_modl'", "n_model"),
        ({"metric": "loss", "columns": {"value": "n_model"}}, "as the metric and", "one of them"),
    ],
)
def test_names_that_are_not_there(load, options, message, hint):
    with pytest.raises(UsageError, match=message) as error:
        load("n_model,loss\n1,2\n2,1\n", **options)
    assert hint in error.value.hint


def test_no_metric_lists_the_columns(load):
    with pytest.raises(InputError, match="a, params, b") as error:
        load("a,params,b\n1,2,3\n")
    assert "--metric" in error.value.hint


def test_any_column_can_be_the_input(load):
    text = "width,heads,params,loss\n8,1,1e6,4\n16,2,2e6,3\n"
    runs = load(text, input_column="heads")
    assert runs.column("input").tolist() == [1.0, 2.0]
    assert runs.extra["width"].tolist() == [8.0, 16.0]
    assert load(text, input_column="params").column("input").tolist() == [1e6, 2e6]
    assert load(text, input_column="N").column("params").tolist() == [1e6, 2e6]


def test_a_size_and_a_performance_are_enough(load):
    runs = load("S,P\n1,0.6\n2,0.7\n", name="article.csv")
    assert runs.column("input").tolist() == [1.0, 2.0]
    assert runs.metric.kind == "score"
    [use] = [u for u in runs.cleaning.columns if u.role == "input"]
    assert (use.column, use.how) == ("S", "guessed")


def test_a_declared_unit_of_the_size_is_kept_and_not_applied(load):
    text = "params_unit: 1e8 params\nruns:\n- {S: 1, P: 0.6}\n- {S: 2, P: 0.7}\n"
    runs = load(text, name="article.yaml")
    assert runs.column("input").tolist() == [1.0, 2.0]
    assert runs.units["input"] == "1e8 params"
    assert "INPUT_UNIT" in [note.id for note in runs.notes]


def test_a_declared_unit_of_params_is_applied_and_said(load):
    text = "params_unit: millions\nruns:\n- {params: 1, loss: 4}\n- {params: 350M, loss: 3}\n"
    runs = load(text, name="a.yaml")
    assert runs.column("params").tolist() == [1e6, 350e6]
    assert any("multiplied by" in note.reason for note in runs.cleaning.changed)


def test_gflops_are_multiplied_and_said(load):
    runs = load("params,throughput/total_gflops,loss\n1e6,120,4\n2e6,480,3\n")
    assert runs.column("flops").tolist() == [1.2e11, 4.8e11]
    assert any("total_gflops: multiplied by" in note.reason for note in runs.cleaning.changed)


def test_a_small_budget_is_no_compute(load):
    runs = load("params,budget,loss\n1e6,100,4\n2e6,200,3\n")
    assert not runs.has("flops")
    assert runs.extra["budget"].tolist() == [100.0, 200.0]
    assert load("params,C,loss\n1e6,1e15,4\n2e6,2e15,3\n").has("flops")


def test_nanochat_results(load):
    runs = load(
        "flops_budget,depth,model_dim,num_params,num_scaling_params,num_iterations,tokens_trained,"
        "param_data_ratio,val_bpb,core_score,train_time_sec\n"
        "1e18,8,512,50331648,25165824,1000,524288000,20.8,1.01,0.10,100\n"
        "2e18,10,640,80000000,49152000,1500,786432000,16.0,0.97,0.12,200\n"
    )
    assert runs.metric.name == "val_bpb"
    assert runs.metric.unit == "bits/byte"
    assert runs.column("params").tolist() == [50331648.0, 80000000.0]
    assert runs.column("non_embedding_params").tolist() == [25165824.0, 49152000.0]
    assert runs.column("flops").tolist() == [1e18, 2e18]


@pytest.mark.parametrize(
    ("header", "row", "role", "expected"),
    [
        ("params,tokens", "1e6,2e7", "flops", 1.2e14),
        ("params,flops", "1e6,1.2e14", "tokens", 2e7),
        ("tokens,flops", "2e7,1.2e14", "params", 1e6),
    ],
)
def test_what_follows_is_derived_and_said(load, header, row, role, expected):
    runs = load(f"{header},loss\n{row},4\n{row},3\n")
    assert runs.column(role).tolist() == pytest.approx([expected, expected])
    [use] = [u for u in runs.cleaning.columns if u.role == role]
    assert use.how == "derived"
    assert role in [assumption.name for assumption in runs.assumptions]
    assert runs.flops_per_param_token == 6.0


def test_flops_are_not_derived_from_images(load, note_ids):
    runs = load("params,images,loss\n1e6,1000,4\n2e6,2000,3\n")
    assert not runs.has("flops")
    assert runs.flops_per_param_token is None
    assert "FLOPS_NOT_DERIVED" in note_ids(runs)


def test_active_params_are_what_is_computed_with(load):
    runs = load("params,active_params,tokens,loss\n8e6,1e6,2e7,4\n16e6,2e6,4e7,3\n")
    assert runs.column("flops").tolist() == pytest.approx([1.2e14, 4.8e14])


def test_embedding_and_dense_parameters_add_up(load):
    runs = load("embedding_params,dense_params,interactions,loss\n100,10,1e3,4\n200,20,2e3,3\n")
    assert runs.column("params").tolist() == [110.0, 220.0]


def test_params_without_embeddings_are_said(load, note_ids):
    runs = load("non_embedding_params,tokens,loss\n1e6,2e7,4\n2e6,4e7,3\n")
    assert runs.column("params").tolist() == [1e6, 2e6]
    assert "PARAMS_CONVENTION" in note_ids(runs)
    both = load("non_embedding_params,params,tokens,loss\n1e6,2e6,2e7,4\n2e6,3e6,4e7,3\n")
    assert both.column("params").tolist() == [2e6, 3e6]
    assert "PARAMS_CONVENTION" not in note_ids(both)


@pytest.mark.parametrize(("factors", "warned"), [((6, 6), 0), ((6.5, 6.4), 0), ((8, 8), 1),
                                                 ((6, 7), 1)])  # fmt: skip
def test_ratio_of_compute(load, factors, warned):
    rows = [f"{i}e6,{i}e7,{k * i * i}e13,{5 - i}" for i, k in enumerate(factors, 1)]
    runs = load("params,tokens,flops,loss\n" + "\n".join(rows) + "\n")
    assert runs.flops_per_param_token == pytest.approx(float(np.median(factors)))
    assert [note.id for note in runs.notes].count("FLOPS_CONVENTION") == warned


def test_partly_missing_flops_are_filled_and_counted(load):
    runs = load("params,tokens,flops,loss\n1e6,1e7,7e13,4\n2e6,2e7,,3\n")
    assert runs.column("flops").tolist() == [7e13, pytest.approx(2.4e14)]
    [use] = [u for u in runs.cleaning.columns if u.role == "flops"]
    assert use.how == "derived"
    assert "1 of 2" in use.column


def test_an_unknown_role_names_the_columns(load):
    runs = load("params,depth,loss\n1,7,2\n2,8,1\n")
    with pytest.raises(InputError, match=r"params, .*depth") as error:
        runs.column("epochs")
    assert "--columns epochs=" in error.value.hint


def test_arrays_cannot_be_written_to(load):
    runs = load("params,depth,loss\n1,7,2\n2,8,1\n")
    for array in (*runs.columns.values(), *runs.extra.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


@pytest.mark.parametrize(("name", "role"), [("N", "params"), ("n_tokens", "tokens"), ("x!", None),
                                            ("Loss", "loss"), ("input", "input")])  # fmt: skip
def test_roles_as_people_name_them(name, role):
    assert role_named(name) == role


def test_text_in_the_place_of_the_error(load):
    text = json.dumps([{"params": i, "error": "out of memory", "acc": 0.5} for i in (1, 2)])
    assert load(text, name="a.json").metric.name == "acc"


def test_benchmarks_are_accuracies_under_their_own_name():
    assert describe("mmlu").kind == "accuracy"
    assert describe("eval/hellaswag").kind == "accuracy"
    assert describe("loss_mmlu").kind == "loss"


@pytest.mark.parametrize(
    "column", ["train_loss_step", "val_loss_std", "lr-AdamW", "grad_norm", "mfu", "num_fewshot"]
)
def test_what_is_watched_along_a_run_is_no_size_of_it(load, column):
    """Lightning's metrics.csv has `train_loss_step` and no size at all."""
    runs = load(f"run,val_loss,{column}\na,3.0,0.5\nb,2.5,0.25\nc,2.0,0.125\n")
    assert "input" not in runs.columns
    assert "NO_SIZE" in [note.id for note in runs.notes]


@pytest.mark.parametrize("column", ["depth", "loss_weight", "steps_per_epoch"])
def test_any_other_number_that_stands_alone_may_be_the_size(load, column):
    runs = load(f"run,val_loss,{column}\na,3.0,0.5\nb,2.5,0.25\nc,2.0,0.125\n")
    assert runs.columns["input"].tolist() == [0.5, 0.25, 0.125]


def test_examples_seen_are_the_size_beside_a_flag(load):
    runs = load("Seen Examples,Loss,Training\n1e6,3,1\n4e6,2.5,1\n1.6e7,2.2,0\n")
    assert runs.column("tokens").tolist() == [1e6, 4e6, 1.6e7]


def test_a_deviance_is_a_loss(load):
    text = "n_train,train_poisson_deviance,test_poisson_deviance,mean_seed_test_poisson_deviance\n"
    runs = load(text + "30489,0.241,0.246,0.247\n60978,0.24,0.243,0.244\n")
    assert (runs.metric.name, runs.metric.kind) == ("test_poisson_deviance", "loss")
    assert runs.has("train_value")


def test_every_role_that_is_taken_is_listed(load):
    with pytest.raises(UsageError) as refused:
        load("params,loss\n1,2\n2,1\n", columns={"heat": "params"})
    allowed = str(refused.value).split("allowed are ")[1].split(", ")
    assert {"params", "input", "train_value", "loss"} <= set(allowed)
    assert not any("more" in name for name in allowed)


def test_a_column_in_two_roles_is_changed_once(load):
    runs = load('Non-embed Params,tokens,loss\n"1,033,824",1e9,3\n"4,051,840",1e9,2.8\n')
    assert runs.has("params")
    assert [note.line for note in runs.cleaning.changed] == [2, 3]


def test_more_active_parameters_than_parameters_are_said(load, note_ids):
    text = "params,active_params,tokens,loss\n1e8,{},1e9,3\n2e8,2e7,2e9,2.8\n"
    assert "ACTIVE_MORE_THAN_ALL" in note_ids(load(text.format("1.8e8")))
    assert "ACTIVE_MORE_THAN_ALL" not in note_ids(load(text.format("1e8")))
