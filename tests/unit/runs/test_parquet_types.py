"""Parquet files with types and names that text never has."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scaleplan.errors import InputError
from scaleplan.runs.formats import parquet_file
from scaleplan.runs.formats.parquet_file import read_parquet
from scaleplan.runs.reading import load_runs


def load(tmp_path, table):
    path = tmp_path / "runs.parquet"
    pq.write_table(table, path)
    return load_runs([str(path)])


def test_integers_that_no_float_holds_are_rounded(tmp_path):
    tokens = pa.array([2**63, 2**53 + 1, None], pa.uint64())
    runs = load(
        tmp_path, pa.table({"tokens": tokens, "loss": [3.0, 2.5, 2.0], "params": [1, 2, 3]})
    )
    np.testing.assert_array_equal(runs.column("tokens"), [2.0**63, 2.0**53, np.nan])


def test_decimals(tmp_path):
    params = pa.array([decimal.Decimal("1e30"), decimal.Decimal("2.5")], pa.decimal256(60, 5))
    runs = load(tmp_path, pa.table({"params": params, "loss": [3.0, 2.0]}))
    assert runs.column("params").tolist() == [1e30, 2.5]


def test_the_first_column_of_a_name_is_used_and_that_is_said(tmp_path):
    columns = [pa.array(values) for values in ([1e6, 2e6], [3.0, 2.0], [9.0, 8.0])]
    runs = load(tmp_path, pa.table(columns, names=["params", "loss", "loss"]))
    assert runs.column("value").tolist() == [3.0, 2.0]
    (note,) = [note for note in runs.notes if note.id == "DUPLICATE_COLUMN"]
    assert "loss" in note.text


def test_very_many_columns_are_refused(tmp_path):
    table = pa.table({"loss": [1.0], **{f"c{i}": [1.0] for i in range(5_000)}})
    with pytest.raises(InputError, match=r"5,001 columns"):
        load(tmp_path, table)


@pytest.mark.parametrize("together", [1, 4, 1_000_000])
def test_row_groups_are_read_as_one_table(tmp_path, monkeypatch, together):
    rows = 11
    table = pa.table({
        "run": pa.array([None if i == 4 else f"r{i % 3}" for i in range(rows)]),
        "step": pa.array([None if i == 7 else i for i in range(rows)], pa.int64()),
        "val_loss": pa.array([2.0 / (i + 1) for i in range(rows)], pa.float32()),
        "ok": pa.array([i % 2 == 0 for i in range(rows)]),
        "seen": pa.array([[i] for i in range(rows)]),
    })  # fmt: skip
    one, many = tmp_path / "one.parquet", tmp_path / "many.parquet"
    pq.write_table(table, one)
    pq.write_table(table, many, row_group_size=3)
    wanted = read_parquet(one, "log", lambda name: name == "run")
    monkeypatch.setattr(parquet_file, "_ROWS_TOGETHER", together)
    found = read_parquet(many, "log", lambda name: name == "run")
    assert len(found) == rows
    assert list(found.columns) == list(wanted.columns)
    for name, column in wanted.columns.items():
        assert [found.columns[name].text(i) for i in range(rows)] == [
            column.text(i) for i in range(rows)
        ], name
