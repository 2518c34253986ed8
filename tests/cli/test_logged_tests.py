"""`fit` knows classes and test examples from the log, unless they are given."""

from __future__ import annotations

import json

import pytest

ROWS = [
    (1e4, 0.099),
    (3e4, 0.16),
    (1e5, 0.42),
    (3e5, 0.78),
    (1e6, 0.95),
    (3e6, 0.985),
    (1e7, 0.991),
]


@pytest.fixture
def log(tmp_path):
    def write(names, *cells, above="", metric="accuracy"):
        rows = [
            f"{size:g},{value},{','.join(c[i % len(c)] for c in cells)}"
            for i, (size, value) in enumerate(ROWS)
        ]
        path = tmp_path / "runs.csv"
        head = f"params,{metric}," + ",".join(names)
        path.write_text(above + "\n".join([head, *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def read(invoke, *arguments):
    result = invoke("fit", *arguments, "--format", "json", "-q", "--resamples", "0")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    said = {a["name"]: a["value"] for a in document["assumptions"]}
    return {note["id"] for note in document["notes"]}, said


@pytest.mark.parametrize("names", [
    ("num_classes", "test_examples"), ("n_labels", "num_eval_samples"), ("Classes", "val/images"),
])  # fmt: skip
def test_columns_that_say_the_same_of_all_runs_count(invoke, log, names):
    ids, said = read(invoke, log(names, ["10"], ["2000"]))
    assert "CHANCE_LEVEL" in ids
    assert (said["classes"], said["test examples"]) == (10, 2000)


def test_a_comment_above_the_table_counts(invoke, log):
    ids, said = read(invoke, log(["note"], ["x"], above="# num_classes: 10\n"))
    assert "CHANCE_LEVEL" in ids
    assert said["classes"] == 10


def test_what_was_given_comes_first(invoke, log):
    path = log(("num_classes", "test_examples"), ["10"], ["2000"])
    ids, said = read(invoke, path, "--classes", "1000", "--test-examples", "10M")
    assert not {"CHANCE_LEVEL", "TEST_NOISE"} & ids
    assert not {"classes", "test examples"} & set(said)


@pytest.mark.parametrize(("names", "cells"), [
    (("num_classes", "test_examples"), (["10", "20"], ["2000", "500"])),
    (("num_classes", "test_examples"), (["1"], ["5"])),
    (("num_classes", "test_samples"), (["10.5"], ["0.2"])),
    (("class_weight", "eval_samples_per_second"), (["10"], ["2000"])),
])  # fmt: skip
def test_what_is_no_such_number_does_not(invoke, log, names, cells):
    ids, said = read(invoke, log(names, *cells))
    assert not {"CHANCE_LEVEL", "TEST_NOISE", "CEILING_REACHED"} & ids
    assert not {"classes", "test examples"} & set(said)


def test_a_loss_has_neither(invoke, log):
    _, said = read(invoke, log(("num_classes", "test_examples"), ["10"], ["2000"], metric="loss"))
    assert not {"classes", "test examples"} & set(said)
