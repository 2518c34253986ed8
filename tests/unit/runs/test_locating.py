"""Files, patterns, folders, standard input; several files at once; progress."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest

from scaleplan.errors import InputError, UsageError
from scaleplan.runs.reading import load_runs

TABLE = "params,loss\n1e6,4\n2e6,3\n"


def test_patterns_and_folders(load):
    files = {
        "logs/a.csv": TABLE,
        "logs/deep/b.jsonl": '{"params": 3e6, "loss": 2}\n{"params": 4e6, "loss": 1}\n',
        "logs/.hidden/c.csv": TABLE, "logs/.d.csv": TABLE, "logs/readme.md": "# hello",
        "logs/e.csv.gz": gzip.compress(TABLE.replace("1e6", "5e6").encode()),
    }  # fmt: skip
    runs = load(files, sources=["logs"])
    assert runs.cleaning.files == ("logs/a.csv", "logs/deep/b.jsonl", "logs/e.csv.gz")
    assert load(files, sources=["logs/*.csv"]).cleaning.files == ("logs/a.csv",)
    assert len(load(files, sources=["logs/**/*.jsonl"])) == 2


def test_a_file_named_twice_is_read_once(load):
    assert len(load(TABLE, sources=["runs.csv", "./runs.csv", "*.csv"])) == 2


def test_a_file_whose_name_is_a_pattern(load):
    assert len(load(TABLE, name="runs[1].csv")) == 2


def test_files_that_are_no_logs_are_passed_over_in_folders_only(load, note_ids):
    files = {"logs/a.csv": TABLE, "logs/config.yaml": "lr: 1\nwidth: 3\n", "logs/z.json": "{"}
    runs = load(files, sources=["logs"])
    assert len(runs) == 2
    assert note_ids(runs).count("SKIPPED_FILE") == 1  # settings beside a log are read with it
    assert list(runs.columns["learning_rate"]) == [1, 1]
    with pytest.raises(InputError):
        load(files, sources=["logs/a.csv", "logs/z.json"])


def test_a_folder_of_files_that_are_all_broken(load):
    with pytest.raises(InputError, match="none of 2 files is a log"):
        load({"logs/a.json": "{", "logs/b.json": "["}, sources=["logs"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "no such file"), ("none*.csv", "no file matches"), ("empty", "holds no log"),
        ("", "empty name"), ("a\0b", "empty name"), ("runs.csv/x", "no such file"),
    ],
)  # fmt: skip
def test_what_is_not_there(load, source, message):
    Path("empty").mkdir(exist_ok=True)
    load(TABLE)
    with pytest.raises(InputError, match=message) as error:
        load_runs([source])
    assert error.value.hint


def test_a_missing_file_has_a_suggestion(load):
    load(TABLE)
    with pytest.raises(InputError) as error:
        load_runs(["rnus.csv"])
    assert "runs.csv" in error.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(load):
    load(TABLE)
    Path("runs.csv").chmod(0)
    with pytest.raises(InputError, match="cannot be opened"):
        load_runs(["runs.csv"])


def test_a_stream_that_breaks():
    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="Input/output error"):
        load_runs(["-"], stdin=io.BufferedReader(Broken()))


@pytest.mark.parametrize(
    "text",
    [
        TABLE, TABLE.replace(",", ";"), "# note\n" + TABLE,
        "- {params: 1e6, loss: 4}\n- {params: 2e6, loss: 3}\n",
        "runs:\n- {params: 1e6, loss: 4}\n- {params: 2e6, loss: 3}\n",
        '[{"params": 1e6, "loss": 4}, {"params": 2e6, "loss": 3}]',
        '{"params": 1e6, "loss": 4}\n{"params": 2e6, "loss": 3}\n',
        '{"params": [1e6, 2e6],\n "loss": [4, 3]}\n',
    ],
)  # fmt: skip
def test_standard_input_is_recognised_by_its_text(load, text):
    expected = load(TABLE).fingerprint
    assert load_runs(["-"], stdin=io.BytesIO(text.encode())).fingerprint == expected
    packed = gzip.compress(text.encode())
    assert load_runs(["-"], stdin=io.BytesIO(packed)).fingerprint == expected


def test_standard_input_twice():
    with pytest.raises(UsageError, match="twice"):
        load_runs(["-", "-"], stdin=io.BytesIO(TABLE.encode()))
    with pytest.raises(UsageError, match="no log"):
        load_runs([])


def test_files_that_name_columns_differently(load, note_ids):
    runs = load({"a.csv": "N,val_loss\n1,4\n2,3\n", "b.csv": "n_params,eval/loss\n3,2\n4,1\n"})
    assert runs.column("params").tolist() == [1.0, 2.0, 3.0, 4.0]
    assert runs.value.tolist() == [4.0, 3.0, 2.0, 1.0]
    assert note_ids(runs).count("COLUMNS_JOINED") == 2


def test_tokens_and_images_in_one_column_are_a_warning(load):
    runs = load({"a.csv": "params,tokens,loss\n1,9,4\n", "b.csv": "params,images,loss\n2,8,3\n"})
    [note] = [n for n in runs.notes if n.id == "COLUMNS_JOINED"]
    assert note.severity == "warning"


def test_a_file_without_the_metric_of_the_others(load, reasons):
    runs = load({"a.csv": "params,val_loss\n1,4\n2,3\n", "b.csv": "params,accuracy\n3,0.5\n"})
    assert reasons(runs) == [(2, "the file has no column val_loss")]
    assert runs.cleaning.dropped[0].file == "b.csv"


def test_duplicates_across_files_name_the_file(load, reasons):
    runs = load({"a.csv": TABLE, "b.csv": TABLE + "\n"})
    assert [reason for _, reason in reasons(runs)] == [
        "duplicate of a.csv, line 2", "duplicate of a.csv, line 3",
    ]  # fmt: skip


def test_metadata_that_differ_between_files(load, note_ids):
    rows = "runs:\n- {params: %d, loss: 3}\n- {params: %d, loss: 2}\n"
    runs = load(
        {"a.yaml": "unit: nats\n" + rows % (1, 2), "b.yaml": "unit: bits\n" + rows % (3, 4)}
    )
    assert "METADATA_DIFFER" in note_ids(runs)
    assert "MIXED" in note_ids(runs)


def test_a_unit_of_one_file_is_not_that_of_another(load):
    rows = "runs:\n- {params: %d, loss: 3}\n- {params: %d, loss: 2}\n"
    runs = load({"a.yaml": "params_unit: millions\n" + rows % (1, 2), "b.yaml": rows % (3, 4)})
    assert runs.column("params").tolist() == [1e6, 2e6, 3.0, 4.0]


def test_progress(load):
    seen = []
    text = "params,loss\n" + "".join(f"{i},{i / 7}\n" for i in range(1, 50_000))
    load(text, on_progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == (len(text), len(text))


def test_names_of_files_are_safe_to_show(load):
    runs = load(TABLE, name="a\x1b[31m.csv")
    assert runs.cleaning.files == ("a[31m.csv",)


def test_the_binary_log_of_wandb_is_refused_with_a_way_out(load, note_ids):
    files = {
        "wandb/run-1.wandb": b":W&B\0\1\xff",
        "wandb/files/wandb-summary.json": '{"loss": 1.2}',
    }
    runs = load(files, sources=["wandb"])
    assert list(runs.value) == [1.2]
    assert note_ids(runs).count("SKIPPED_FILE") == 1
    with pytest.raises(InputError, match="no documented reader") as refused:
        load({}, sources=["wandb/run-1.wandb"])
    assert "wandb sync" in refused.value.hint
