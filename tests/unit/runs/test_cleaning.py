"""What is dropped or changed, with file, line and reason; and what is only said."""

from __future__ import annotations

import json
import math

import pytest

from scaleplan.errors import InputError


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("nan", "loss is 'nan'"), ("NaN", "loss is 'NaN'"), ("inf", "loss is inf"),
        ("", "loss is empty"), ("N/A", "loss is empty"), ("-1", "loss is -1; it must be positive"),
        ("0", "loss is 0; it must be positive"), ("oops", "loss is 'oops', which is not a number"),
        ("x" * 60, "loss is '" + "x" * 40 + "'..., which is not a number"),
    ],
)  # fmt: skip
def test_losses_that_cannot_be_used(load, reasons, cell, reason):
    runs = load(f"run,params,loss\na,1e6,4\nb,2e6,{cell}\nc,3e6,3\n")
    assert reasons(runs) == [(3, reason)]
    assert runs.cleaning.dropped[0].run == "b"
    assert runs.cleaning.dropped[0].file == "runs.csv"
    assert (runs.cleaning.rows_read, runs.cleaning.rows_used) == (3, 2)
    assert runs.origins[1] == ("runs.csv", 4)


@pytest.mark.parametrize("cell", ["-1e6", "0", "nan", "inf", "many"])
@pytest.mark.parametrize("column", ["params", "tokens"])
def test_sizes_that_cannot_be_sizes(load, reasons, column, cell):
    good = {"params": "1e6", "tokens": "2e7"}
    bad = {**good, column: cell}
    rows = [good, bad, {"params": "2e6", "tokens": "4e7"}]
    runs = load("params,tokens,loss\n" + "".join(f"{r['params']},{r['tokens']},3\n" for r in rows))
    [(line, reason)] = reasons(runs)
    assert line == 3
    assert reason.startswith(f"{column} is ")
    assert reason.endswith("it must be a number above 0")


def test_an_empty_size_is_unknown_and_a_row_without_any_is_dropped(load, reasons):
    runs = load("params,tokens,loss\n1e6,,4\n2e6,4e7,3\n,,2\n")
    assert math.isnan(runs.column("tokens")[0])
    assert reasons(runs) == [(4, "params and tokens are empty")]


def test_duplicates_name_the_row_they_repeat(load, reasons):
    runs = load("params,loss,seconds\n1e6,4,1\n2e6,3,2\n1000000,4.0,3\n1e6,4,4\n")
    assert reasons(runs) == [(4, "duplicate of line 2"), (5, "duplicate of line 2")]


def test_equal_numbers_of_different_runs_are_replicates(load, note_ids):
    runs = load("run,params,loss\na,1e6,4\nb,1e6,4\nc,1e6,4.1\nd,2e6,3\n")
    assert len(runs) == 4
    [note] = [n for n in runs.notes if n.id == "REPLICATES"]
    assert dict(note.numbers) == {"runs": 3.0, "groups": 1.0}


def test_a_setting_of_another_name_tells_rows_apart(load):
    assert len(load("params,heads,accuracy\n1e6,1,0.5\n1e6,2,0.5\n")) == 2


def test_failed_runs(load, reasons):
    runs = load("run,state,params,loss\na,finished,1,3\nb,crashed,2,9\nc,Failed,3,9\n")
    assert runs.labels["run"] == ("a",)
    assert [reason for _, reason in reasons(runs)] == [
        "the run is marked 'crashed'", "the run is marked 'Failed'",
    ]  # fmt: skip


def test_a_loss_of_a_uniform_guess_has_diverged(load, reasons):
    text = "vocab_size: 1000\nruns:\n- {params: 1, loss: 6.95}\n- {params: 2, loss: 6.5}\n"
    runs = load(text, name="a.yaml")
    assert len(runs) == 1
    assert "diverged: loss is 6.950" in reasons(runs)[0][1]
    assert len(load(text.replace("loss:", "val_bpb:"), name="b.yaml")) == 2


def test_outliers_are_said_and_kept(load, note_ids):
    rows = "".join(f"r{i},1e6,1e8,{3 + i / 100}\n" for i in range(6))
    runs = load("run,params,tokens,loss\n" + rows + "bad,1e6,1e8,9\nsmall,1e3,1e4,9\n")
    assert len(runs) == 8
    [note] = [n for n in runs.notes if n.id == "POSSIBLY_DIVERGED"]
    assert "bad (9.000)" in note.text
    assert "small" not in note.text
    shared = load("run,params,tokens,loss\n" + rows.replace("r", "") + "0,1e6,1e8,9\n")
    [note] = [n for n in shared.notes if n.id == "POSSIBLY_DIVERGED"]
    assert "runs.csv:8 (9.000)" in note.text


@pytest.mark.parametrize("role", ["tokenizer", "dataset", "optimizer", "unit", "schedule", "task"])
def test_mixed_conventions(load, role):
    runs = load(f"params,loss,{role}\n1,3,a\n2,2,b\n")
    [note] = [n for n in runs.notes if n.id == "MIXED"]
    assert note.severity == "warning"
    assert role in note.text
    assert "'a', 'b'" in note.text
    assert "MIXED" not in [n.id for n in load(f"params,loss,{role}\n1,3,a\n2,2,a\n").notes]


def test_units_in_text_and_separators_are_read_and_said(load):
    runs = load('params,tokens,loss\n350M params,"1,234,567",4\n1.3B,7e9,3\n10_000,2 x 10^9,2\n')
    assert runs.column("params").tolist() == [350e6, 1.3e9, 10_000.0]
    assert runs.column("tokens").tolist() == [1234567.0, 7e9, 2e9]
    said = [note.reason for note in runs.cleaning.changed]
    assert "params: '350M params' read as 3.5e+08" in said
    assert "tokens: '2 x 10^9' read as 2e+09" in said
    lines = [note.line for note in runs.cleaning.changed]
    assert lines == sorted(lines) == [2, 2, 3, 4]


def test_a_long_log_tells_a_thousand_changed_cells_and_counts_the_rest(load):
    runs = load("params,loss\n" + "".join(f"{n}M,{9 - n / 1e3}\n" for n in range(1, 1204)))
    changed = runs.cleaning.changed
    assert len(changed) == 1001
    assert changed[999].reason == "params: '1000M' read as 1e+09"
    assert changed[1000].reason == "params: 203 more cells were read as numbers in the same way"
    assert changed[1000].line == 1002


def test_percentages(load):
    runs = load("params,accuracy\n1,12.5\n2,50\n3,75\n")
    assert runs.value.tolist() == [0.125, 0.5, 0.75]
    assert runs.metric.unit == "fraction"
    assert "accuracy: 3 percentages divided by 100" in [n.reason for n in runs.cleaning.changed]


def test_percent_signs(load):
    runs = load("params,accuracy\n1,12.5%\n2,50%\n")
    assert runs.value.tolist() == [0.125, 0.5]
    assert runs.cleaning.changed
    assert load("params,accuracy (%)\n1,0.5\n2,0.75\n").value.tolist() == [0.005, 0.0075]


def test_an_accuracy_above_one_among_fractions_is_dropped(load, reasons):
    runs = load("params,accuracy\n1,0.5\n2,0.75\n3,1.02\n")
    assert reasons(runs) == [(4, "accuracy is 1.02; it must be between 0 and 1")]


def test_an_error_above_one_is_no_share(load, note_ids):
    runs = load("params,error\n1,12.5\n2,5.5\n")
    assert runs.value.tolist() == [12.5, 5.5]
    assert runs.metric.kind == "loss"
    assert "ERROR_ABOVE_ONE" in note_ids(runs)
    assert load("params,error_rate\n1,12.5\n2,5.5\n").value.tolist() == [0.125, 0.055]


def test_perplexity_becomes_its_logarithm(load):
    runs = load(f"params,val_ppl\n1,{math.exp(3)}\n2,{math.exp(2.5)}\n")
    assert runs.value.tolist() == pytest.approx([3.0, 2.5])
    assert runs.metric.unit == "ln of the perplexity"
    assert "2 perplexities" in runs.cleaning.changed[0].reason


def test_scores_may_be_anything_finite(load):
    assert load("S,P\n1,-3\n2,10.5\n").value.tolist() == [-3.0, 10.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("params,loss\n1,nan\n2,nan\n3,nan\n", "3 rows were read and none.*3 × loss is 'nan'"),
        ("params,loss\n1,-1\n2,-2\n", r"2 × loss is not positive \(first at runs.csv:2\)"),
        ("params,loss\n-1,1\n-2,2\n", "2 × params is not a number above 0"),
        ("params,loss\nbig,1\nhuge,2\n", "2 × params is not a number above 0"),
        ("params,loss\n1,low\n2,high\n", "2 × loss is not a number"),
        ("params,loss\n1\n2\n", "2 rows were read and none"),
    ],
)
def test_nothing_usable_counts_the_reasons(load, text, message):
    with pytest.raises(InputError, match=message) as error:
        load(text)
    assert error.value.hint


def test_cells_of_other_roles_that_are_no_numbers_are_said(load):
    runs = load("params,lr,loss\n1,auto,4\n2,1e-3,3\n3,2e-3,2\n")
    assert math.isnan(runs.column("learning_rate")[0])
    assert [note.reason for note in runs.cleaning.changed] == [
        "lr: 'auto' is no number; left empty"
    ]


def test_identifiers_stay_text(load):
    runs = load("run,params,loss\n007,1,4\n7,1,4\n12e400,1,4\n12e401,1,4\n")
    assert runs.labels["run"] == ("007", "7", "12e400", "12e401")


def test_formats_agree(load):
    rows = [
        {"run": f"r{i}", "params": i * 1e6, "tokens": i * 2e7, "loss": 5 - i / 7} for i in (1, 2, 3)
    ]
    header = ",".join(rows[0])
    table = header + "\n" + "".join(",".join(str(v) for v in r.values()) + "\n" for r in rows)
    yaml = "".join("- {" + ", ".join(f"{k}: {v}" for k, v in r.items()) + "}\n" for r in rows)
    found = [
        load(table), load(table.replace(",", "\t"), name="a.tsv"), load(yaml, name="a.yaml"),
        load(json.dumps(rows), name="a.json"),
        load("".join(json.dumps(r) + "\n" for r in rows), name="a.jsonl"),
    ]  # fmt: skip
    assert len({runs.fingerprint for runs in found}) == 1
    assert {runs.labels["run"] for runs in found} == {("r1", "r2", "r3")}


def test_the_fingerprint_knows_the_data_only(load):
    one = load("run,params,loss\na,1,4\nb,2,3\n", name="a.csv").fingerprint
    assert one == load("run,params,loss\nb,2,3\na,1,4\n", name="b.csv").fingerprint
    assert one != load("run,params,loss\na,1,4\nb,2,3.0001\n").fingerprint
    assert one != load("run,params,val_loss\na,1,4\nb,2,3\n").fingerprint
    assert one != load("run,tokens,loss\na,1,4\nb,2,3\n").fingerprint


def test_dropped_rows_are_told_in_the_order_of_the_log(load, reasons):
    runs = load("params,tokens,loss\n1e8,1e9,nan\n1e8\n2e8,1e9,3.2\n3e8,1e9,-1\n4e8,1e9,3,9\n")
    assert [line for line, _ in reasons(runs)] == [2, 3, 5, 6]


def test_compute_counted_in_two_ways_is_told_as_that(load):
    rows = "".join(f"{i}e8,1e9,{4 - i / 10},{(2 if i == 3 else 6) * i}e17\n" for i in range(1, 7))
    runs = load("params,tokens,loss,flops\n" + rows)
    (note,) = [n for n in runs.notes if n.id == "FLOPS_CONVENTION"]
    assert "not in one proportion to params x tokens: from 2.000 to 6.000" in note.text
