"""Columns of records in Parquet files are opened as those of JSON are."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs

RECORDS = [
    {"run": f"r{i}", "params": 1e6 * 2**i, "tokens": 1e8,
     "metrics": {"eval": {"loss": 4 - 0.3 * i}, "grade": "good"}}
    for i in range(5)
]  # fmt: skip


def test_fields_of_records_are_columns_as_in_json(tmp_path):
    path = tmp_path / "runs.parquet"
    pq.write_table(pa.Table.from_pylist(RECORDS), path)
    lines = tmp_path / "runs.jsonl"
    lines.write_text("\n".join(map(json.dumps, RECORDS)), encoding="utf-8")
    found, expected = (load_runs([str(each)]) for each in (path, lines))
    assert found.metric.name == expected.metric.name == "metrics/eval/loss"
    assert found.fingerprint == expected.fingerprint
    assert found.labels["metrics/grade"] == expected.labels["metrics/grade"]


def test_a_record_that_is_null_leaves_its_fields_empty(tmp_path):
    path = tmp_path / "runs.parquet"
    kind = pa.struct([("loss", pa.float64())])
    metrics = pa.array([{"loss": 3.0}, None, {"loss": 2.5}], kind)
    pq.write_table(pa.table({"params": [1e6, 2e6, 4e6], "metrics": metrics}), path)
    runs = load_runs([str(path)])
    np.testing.assert_array_equal(runs.value, [3.0, 2.5])
    assert [note.reason for note in runs.cleaning.dropped] == ["metrics/loss is empty"]


def test_an_engine_that_is_asked_for_says_why_not(tmp_path):
    pytest.importorskip("duckdb")
    path = tmp_path / "runs.parquet"
    rows = [{**record, "step": step} for record in RECORDS for step in (1, 2)]
    pq.write_table(pa.Table.from_pylist(rows), path)
    with pytest.raises(InputError, match=r"metrics is a column of STRUCT") as refused:
        load_runs([str(path)], engine="duckdb")
    assert "--engine small" in refused.value.hint
