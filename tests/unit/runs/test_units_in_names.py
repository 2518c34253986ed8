"""Names with powers of ten, prefixes of FLOP, letters of detectors; what is no training value."""

from __future__ import annotations

import pytest

from scaleplan.runs.factors import factor
from scaleplan.runs.metrics import describe
from scaleplan.runs.roles import rank


@pytest.mark.parametrize(
    ("column", "role", "times"),
    [
        ("D_tokens_B", "tokens", 1e9), ("C_FLOPs_1e21", "flops", 1e21), ("ZFLOPs", "flops", 1e21),
        ("EFLOPs", "flops", 1e18), ("train_petaflops", "flops", 1e15), ("exaflops", "flops", 1e18),
        ("params_1e9", "params", 1e9), ("N_params_B", "params", 1e9), ("tokens_e9", "tokens", 1e9),
        ("compute_1e18", "flops", 1e18), ("C_FLOPs", "flops", 1.0), ("BTokens", "tokens", 1e9),
        ("Gtokens", "tokens", 1e9), ("Ttokens", "tokens", 1e12), ("MParams", "params", 1e6),
        ("compute_eflops", "flops", 1e18), ("flops_zflops", "flops", 1e21),
        ("tok_B", "tokens", 1e9),
    ],
)  # fmt: skip
def test_names_that_say_what_they_count(column, role, times):
    assert rank(role, column) is not None
    assert factor(role, column) == times


@pytest.mark.parametrize("column", ["tparams", "G_params", "gparams"])
def test_letters_that_may_mean_other_things_count_nothing(column):
    assert rank("params", column) is None


@pytest.mark.parametrize(
    "column", ["GFLOPs", "TFLOPs", "tflops", "MFLOPs", "petaflops", "compute_tflops"]
)
def test_speeds_and_costs_of_an_image_are_no_training_compute(column):
    assert rank("flops", column) is None


def test_a_table_of_published_models_has_both_sizes(load):
    runs = load("family,N_params_B,D_tokens_B,val_loss\na,1.5,10,2.9\na,0.1,300,2.8\n")
    assert runs.column("params").tolist() == [1.5e9, 1e8]
    assert runs.column("tokens").tolist() == [1e10, 3e11]


@pytest.mark.parametrize("column", ["metrics/mAP50(B)", "mAP50", "map50", "val/mAP50", "mAP50-95"])
def test_precisions_of_detectors_are_scores(column):
    found = describe(column)
    assert found is not None
    assert (found.kind, found.unit) == ("score", "")


def test_the_letter_of_a_box_is_no_unit(load):
    text = "model,params,metrics/mAP50(B),metrics/recall(B)\nn,2.6e6,0.52,0.38\ns,9e6,0.6,0.45\n"
    runs = load(text, metric="metrics/mAP50(B)")
    assert (runs.metric.name, runs.metric.unit) == ("metrics/mAP50(B)", "fraction")
    assert runs.value.tolist() == [0.52, 0.6]
    # the mean over overlaps is what detectors are compared by
    runs = load(text.replace("recall", "mAP50-95"))
    assert (runs.metric.name, runs.metric.unit) == ("metrics/mAP50-95(B)", "fraction")
    assert runs.value.tolist() == [0.38, 0.45]
    assert describe("mAP50(M)").qualifiers == ("mask",)
    assert describe("loss (B)").unit == ""


@pytest.mark.parametrize(
    ("columns", "train"),
    [
        ("final_loss,val_loss", None), ("final_bpc,val_bpc", None), ("best_loss,val_loss", None),
        ("loss,val_loss", "loss"), ("final_train_loss,val_loss", "final_train_loss"),
        ("final_loss,final_val_loss", "final_loss"), ("avg_loss,val_loss", "avg_loss"),
    ],
)  # fmt: skip
def test_what_ended_somewhere_is_no_training_value(load, columns, train):
    runs = load(f"run,params,{columns}\na,1e6,2.5,2.4\nb,2e6,2.3,2.2\n")
    found = [use.column for use in runs.cleaning.columns if use.role == "train_value"]
    assert found == ([train] if train else [])
