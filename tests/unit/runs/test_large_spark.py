"""Spark, on this machine, gives the same runs as our own reading: `pytest -n 0 -m spark`."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from test_large import HEADER, assert_same, rows, write
from test_large_files import assert_same_runs, records, write_lines, write_parquet

from scaleplan.errors import InputError
from scaleplan.runs.large.spark_session import spark_session
from scaleplan.runs.reading import load_runs

pytestmark = [
    pytest.mark.spark,
    # PySpark leaves its sockets to the collector of garbage, in whatever test that comes.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]


@pytest.fixture(scope="module", autouse=True)
def session():
    with spark_session() as (session, _):
        # Files of some 20 KB are read in several parts, as large ones are.
        session.conf.set("spark.sql.files.maxPartitionBytes", "4000")
        yield session


def test_the_log_of_these_tests_is_read_in_several_parts(tmp_path, session):
    path = write(tmp_path / "log.csv", rows())
    parts = session.read.csv(str(path)).selectExpr("_metadata.file_block_start").distinct()
    assert parts.count() > 3


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("validated", [True, False])
def test_the_same_runs(tmp_path, order, validated):
    table, header = rows(validated), HEADER
    if not validated:
        table, header = [r[:5] + r[6:] for r in table], HEADER.replace(",val_loss", "")
    if order == "shuffled":
        np.random.default_rng(1).shuffle(table)
    assert_same([write(tmp_path / "log.csv", table, header)], "spark")


def test_duplicate_rows_and_metrics_that_are_no_number(tmp_path):
    table = rows()
    table += table[5:40]
    table[3][5] = "nan"
    table[31][5] = "inf"
    of_r2 = next(row for row in table if row[0] == "r2")
    table.append(["r2", "300", *of_r2[2:5], "nan", "same"])  # this run ends so
    assert_same([write(tmp_path / "log.csv", table)], "spark")


def test_a_pattern_of_files_with_runs_in_several(tmp_path):
    table = rows()
    folder = tmp_path / "a b%20é"  # Spark writes names as addresses
    folder.mkdir()
    write(folder / "a.csv", table[:20])
    write(folder / "b.csv", table[20:300])
    write(folder / "c.csv", table[300:])
    assert_same([folder / "*.csv"], "spark")


def test_parquet(tmp_path):
    found = records()
    found[4]["val_loss"], found[5]["val_loss"] = math.nan, None
    for i, part in enumerate((found[:100], found[100:])):
        write_parquet(tmp_path / f"{i}.parquet", part)
    assert_same([tmp_path / "*.parquet"], "spark")


def test_json_lines_with_a_key_that_comes_late(tmp_path):
    found = records()
    for i, each in enumerate(found):
        if i % 10 != 9:
            del each["val_loss"]
    assert_same([write_lines(tmp_path / "log.jsonl", found)], "spark")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_pattern_of_addresses(tmp_path, kind):
    table = rows()
    for i, part in enumerate((table[:150], table[150:])):
        path = tmp_path / f"{i} é.{kind}"
        if kind == "csv":
            write(path, part)
        else:
            (write_lines if kind == "jsonl" else write_parquet)(path, records(part))
    by_engine = load_runs([f"file://{tmp_path}/*.{kind}"], engine="spark")
    assert_same_runs(by_engine, load_runs([str(tmp_path / f"*.{kind}")], engine="small"))
    assert len(by_engine.cleaning.files) == 2


@pytest.mark.parametrize(
    ("cell", "column", "reason"),
    [("1,5", 5, "plain cells"), ("oops", 5, "plain cells"), ("350M", 2, "plain cells"),
     ("", 0, "rows have no run"), ("1.2K", 6, "may be numbers")],
)  # fmt: skip
def test_what_spark_might_read_otherwise_is_refused(tmp_path, monkeypatch, cell, column, reason):
    from scaleplan.runs.large import text_files

    monkeypatch.setattr(text_files, "_HEAD", 2000)
    table = rows()
    table[200][column] = cell
    path = write(tmp_path / "log.csv", table)
    with pytest.raises(InputError, match=reason) as refused:
        load_runs([str(path)], engine="spark")
    assert "Spark" in refused.value.message


def test_the_command_starts_its_own_session_and_keeps_standard_error_clean(tmp_path):
    write(tmp_path / "log.csv", rows())
    shown = {
        engine: subprocess.run(
            [sys.executable, "-m", "scaleplan", "runs", "log.csv", "--format", "csv", "--engine",
             engine],
            capture_output=True, encoding="utf-8", check=False, cwd=tmp_path,
        )
        for engine in ("spark", "small")
    }  # fmt: skip
    assert shown["spark"].returncode == 0, shown["spark"].stderr
    assert shown["spark"].stdout == shown["small"].stdout
    own = "Spark read and reduced 384 rows of 1 file"
    told = [line for line in shown["spark"].stderr.splitlines() if own not in line]
    assert len(shown["spark"].stderr.splitlines()) - len(told) == 1
    assert told == shown["small"].stderr.splitlines()
