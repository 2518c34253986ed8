"""Units in headings, and what is doubtful in numbers whose columns are known."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.runs.factors import factor, has_own_scale, unit_factor, unknown_unit
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves


def written(tmp_path, text, name="log.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def ids(found):
    return {note.id for note in found.notes}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [("19,5;0,5;4,61\n44,2;1,0;4,05", [19.5e6, 44.2e6]), ("500;1;3,9\n1800;2;3,5", [5e8, 1.8e9])],
)
def test_decimal_commas_are_in_the_unit_of_the_heading(tmp_path, cells, expected):
    runs = load_runs([written(tmp_path, f"Params (M);Tokens (B);Loss\n{cells}\n")])
    assert runs.column("params") == pytest.approx(expected)


def test_grouped_digits_are_in_the_unit_of_the_heading_and_suffixes_are_not(tmp_path):
    log = 'Params (M),Tokens (B),Loss\n500,1,3.9\n"1,500",2,3.5\n1 800,2,3.4\n7B,4,3.2\n'
    runs = load_runs([written(tmp_path, log)])
    assert runs.column("params") == pytest.approx([5e8, 1.5e9, 1.8e9, 7e9])


@pytest.mark.parametrize(
    ("cell", "own"),
    [("350M", True), ("7 B", True), ("3 x 10^8", True), ("1e9 params", True), ("1,500", False),
     ("19,5", False), ("1 800", False), ("1e9", False), ("-3.5e-7", False), ("1'000", False)],
)  # fmt: skip
def test_cells_that_say_themselves_what_they_count(cell, own):
    assert has_own_scale(cell) is own


@pytest.mark.parametrize(
    "heading",
    ["Compute (PF-days)", "PFLOP/s-days", "PF/s-days", "petaFLOP/s-days", "C (PFLOP-days)",
     "FLOPs (petaflop/s-days)"],
)  # fmt: skip
def test_petaflop_days_are_flops(tmp_path, heading):
    log = f"params,{heading},loss\n1e7,0.001,4.1\n2e7,0.004,3.8\n4e7,0.016,3.5\n"
    runs = load_runs([written(tmp_path, log)])
    assert runs.column("flops") == pytest.approx(8.64e19 * np.array([0.001, 0.004, 0.016]))


@pytest.mark.parametrize(
    ("unit", "role", "expected"),
    [("x1e6", "params", 1e6), ("×1e6", "params", 1e6), ("* 1e6", "params", 1e6),
     ("Mio", "params", 1e6), ("Mrd", "tokens", 1e9), ("M, total", "params", 1e6),
     ("B, GPT-2", "tokens", 1e9), ("ExaFLOPs", "flops", 1e18), ("E", "flops", 1e18),
     ("exa-FLOP", "flops", 1e18), ("total", "params", 1.0), ("non-embedding", "params", 1.0)],
)  # fmt: skip
def test_units_as_people_write_them(unit, role, expected):
    assert unit_factor(unit, role) == pytest.approx(expected)
    assert not unknown_unit(role, f"{role} ({unit})")


@pytest.mark.parametrize(
    ("heading", "role", "expected"),
    [("params_in_M", "params", 1e6), ("tokens_in_billions", "tokens", 1e9),
     ("Params in millions", "params", 1e6), ("train/PFLOPs", "flops", 1e15)],
)  # fmt: skip
def test_suffixes_of_names(heading, role, expected):
    assert factor(role, heading) == pytest.approx(expected)


def test_a_unit_that_is_not_understood_is_told(tmp_path):
    log = "Params (GB),Tokens (B),loss\n1e7,1,4.1\n2e7,2,3.8\n"
    runs = load_runs([written(tmp_path, log)])
    (told,) = (note for note in runs.notes if note.id == "UNIT_UNKNOWN")
    assert "'GB'" in told.text
    assert told.severity == "warning"
    known = load_runs([written(tmp_path, log.replace("GB", "total"))])
    assert "UNIT_UNKNOWN" not in ids(known)


def test_counts_that_are_none_are_told(tmp_path):
    log = "Params,Tokens,Val loss\nM,B,nats\n19,0.5,4.6\n44,2,4.0\n760,8,3.4\n"
    runs = load_runs([written(tmp_path, log)])
    told = [note.text for note in runs.notes if note.id == "SMALL_COUNTS"]
    assert len(told) == 2
    right = load_runs([written(tmp_path, log.replace("19,0.5", "19000000,5e9"))])
    assert "SMALL_COUNTS" not in ids(right)


@pytest.mark.parametrize(("values", "kind"), [((20, 11, 6), "loss"), ((6, 11, 20), "score")])
def test_which_way_an_unknown_metric_is_better_is_read_off_its_values(tmp_path, values, kind):
    rows = "".join(f"{n},{v}\n" for n, v in zip((1e7, 1e8, 1e9), values, strict=True))
    runs = load_runs([written(tmp_path, f"params,quality\n{rows}")], metric="quality")
    assert runs.metric.kind == kind
    assert "METRIC_DIRECTION" in ids(runs)


def test_an_unknown_metric_that_goes_nowhere_is_told_as_such(tmp_path):
    rows = "".join(f"{n},{v}\n" for n, v in ((1e7, 5), (1e8, 9), (1e9, 5), (1e10, 9), (1e11, 5)))
    runs = load_runs([written(tmp_path, f"params,quality\n{rows}")], metric="quality")
    (told,) = (note for note in runs.notes if note.id == "METRIC_DIRECTION")
    assert told.severity == "warning"


def test_a_falling_curve_of_an_unknown_metric_is_read_as_a_loss(tmp_path):
    rows = "".join(f"{step},{300 / step:.3f}\n" for step in range(10, 400, 10))
    log = load_curves([written(tmp_path, f"step,quality\n{rows}")], metric="quality")
    assert log.curves[0].metric.kind == "loss"


def test_the_letter_of_layers_is_no_training_loss(tmp_path):
    log = "run,L,d_model,params,tokens,{}\na,6,256,1e7,1e9,4.1\nb,8,512,2e7,2e9,3.8\n"
    for name in ("val_loss", "loss"):
        runs = load_runs([written(tmp_path, log.format(name))])
        assert runs.metric.name == name
        assert "train_value" not in runs.columns
    alone = load_runs([written(tmp_path, "N,D,L\n1e7,1e9,4.1\n2e7,2e9,3.8\n")])
    assert alone.metric.name == "L"


def test_shares_among_percentages_are_told(tmp_path):
    log = "params,accuracy\n1e6,50.1\n2e6,55.2\n4e6,{}\n8e6,65.2\n"
    mixed = load_runs([written(tmp_path, log.format("0.603"))])
    (told,) = (note for note in mixed.notes if note.id == "METRIC_MIXED")
    assert told.text.startswith("1 of 4 values of accuracy")
    plain = load_runs([written(tmp_path, log.format("60.3"))])
    assert "METRIC_MIXED" not in ids(plain)
    # Small error rates in percent are no shares.
    errors = "params,error (%)\n1e6,3.1\n2e6,1.2\n4e6,0.6\n8e6,0.4\n"
    assert "METRIC_MIXED" not in ids(load_runs([written(tmp_path, errors)]))


def test_ranking_metrics_of_recommenders_are_known(tmp_path):
    log = "run,params,recall@10\na,1e7,0.21\nb,2e7,0.25\n"
    runs = load_runs([written(tmp_path, log)])
    assert (runs.metric.name, runs.metric.kind) == ("recall@10", "accuracy")


def test_params_counted_without_embeddings_in_brackets_are_told(tmp_path):
    log = "N (non-embedding),tokens,loss\n1e7,1e9,4.1\n2e7,2e9,3.8\n"
    assert "PARAMS_CONVENTION" in ids(load_runs([written(tmp_path, log)]))
