"""Files that are exact copies of others are counted once."""

from __future__ import annotations

import gzip

from scaleplan.runs.series import load_curves

RUNS = "run,params,loss\na,1e6,4\nb,2e6,3.5\nc,4e6,3.2\n"
LOG = "".join(f"epoch {i} loss {4 - 0.3 * i:.2f}\n" for i in range(1, 8))


def told(notes):
    return [note.text for note in notes if note.id == "COPIED_FILES"]


def test_a_copy_of_a_table_is_counted_once(load, note_ids):
    runs = load({"a.csv": RUNS, "old/b.csv": RUNS}, sources=["."])
    assert len(runs) == runs.cleaning.rows_read == 3
    assert told(runs.notes) == [
        "old/b.csv is an exact copy of a.csv: what stands in them is counted once."
    ]
    assert "RUN_NAME_SHARED" not in note_ids(runs)


def test_a_copy_of_a_log_is_no_second_run(load):
    files = {f"{name}.log": LOG for name in "abc"}
    assert len(load(files)) == 1
    log = load_curves([*files])
    assert [curve.file for curve in log.curves] == ["a.log"]
    assert "b.log, c.log are exact copies of a.log" in told(log.notes)[0]


def test_runs_that_came_to_the_same_number_are_two(load, note_ids):
    files = {"a/metrics.json": '{"acc": 0.91}', "b/metrics.json": '{"acc": 0.91}'}
    runs = load(files)
    assert "COPIED_FILES" not in note_ids(runs)


def test_settings_beside_a_log_tell_runs_apart(load, note_ids):
    files = {"a/log.csv": "step,loss\n1,3\n2,2\n", "b/log.csv": "step,loss\n1,3\n2,2\n"}
    files |= {"a/config.yaml": "lr: 0.1\n", "b/config.yaml": "lr: 0.2\n"}
    runs = load(files, sources=["a/log.csv", "b/log.csv"])
    assert len(runs) == 2
    assert "COPIED_FILES" not in note_ids(runs)


def test_one_byte_more_is_another_file(load, note_ids):
    assert "COPIED_FILES" not in note_ids(load({"a.csv": RUNS, "b.csv": RUNS + "\n"}))


def test_compressed_copies_are_found_as_well(load):
    packed = gzip.compress(RUNS.encode())
    assert told(load({"a.csv.gz": packed, "b.csv.gz": packed}).notes)
