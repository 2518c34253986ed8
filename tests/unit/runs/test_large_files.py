"""What an engine reads besides one CSV file: JSON Lines, thousands of files, addresses."""

from __future__ import annotations

import json
import math
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from test_large import HEADER, assert_same, rows, write

from scaleplan.errors import InputError
from scaleplan.runs.large import duckdb_addresses, text_files
from scaleplan.runs.reading import load_runs

pytest.importorskip("duckdb")
pytest.importorskip("ibis")
pytest.importorskip("fsspec")

NAMES = HEADER.split(",")


def records(table=None):
    texts = {"run", "note"}
    return [
        {name: cell if name in texts else float(cell) for name, cell in zip(NAMES, row, strict=True)
         if cell}
        for row in table or rows()
    ]  # fmt: skip


def write_lines(path, found):
    path.write_text("".join(json.dumps(each) + "\n" for each in found), encoding="utf-8")
    return path


def write_parquet(path, found):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(found), path, row_group_size=50)
    return path


def assert_same_runs(by_engine, ours):
    """Compare runs but for the names of their files and lines, which addresses do not have."""
    assert "LARGE_ENGINE" in {note.id for note in by_engine.notes}
    assert by_engine.fingerprint == ours.fingerprint
    assert dict(by_engine.labels) == dict(ours.labels)
    assert by_engine.columns.keys() == ours.columns.keys()
    for name, column in ours.columns.items():
        np.testing.assert_array_equal(by_engine.columns[name], column)
    kept = [n.id for n in by_engine.notes if n.id != "LARGE_ENGINE"]
    assert kept == [n.id for n in ours.notes]
    assert by_engine.cleaning.rows_read == ours.cleaning.rows_read


@pytest.mark.parametrize("ending", ["jsonl", "ndjson"])
def test_json_lines_with_a_key_that_comes_late(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(text_files, "_HEAD", 1000)
    found = records()
    for i, each in enumerate(found):
        if i % 20 != 19:
            del each["val_loss"]
    found[59]["val_loss"] = math.nan
    found[60]["tokens"] = None
    assert_same([write_lines(tmp_path / f"log.{ending}", found)])


def test_json_lines_in_many_files_with_a_key_in_the_last(tmp_path):
    found = records()
    for i in range(48):
        part = found[i * 8 : i * 8 + 8]
        if i == 47:
            part[-1]["grad_norm"] = 2.5
        write_lines(tmp_path / f"{i:02}.jsonl", part)
    with pytest.raises(InputError, match="keys are not in the first file"):
        load_runs([str(tmp_path / "*.jsonl")], engine="duckdb")
    write_lines(tmp_path / "00.jsonl", [{**each, "grad_norm": 1.5} for each in found[:8]])
    assert_same([tmp_path / "*.jsonl"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"run": "r1", "step": 5, "eval": {"loss": 2.5}}', r"eval is a column of STRUCT"),
        ('{"run": "r1", "step": "5K", "val_loss": 2.5}', "step is a column of JSON"),
        ('{"run": "r1", "step": 5, "val_loss": tru', "DuckDB cannot read it"),
        ("", "blank"),
    ],
)
def test_json_lines_that_it_might_read_otherwise_are_refused(tmp_path, monkeypatch, line, reason):
    monkeypatch.setattr(text_files, "_HEAD", 2000)
    path = write_lines(tmp_path / "log.jsonl", records())
    with path.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n" + json.dumps(records()[0]) + "\n")
    with pytest.raises(InputError, match=reason):
        load_runs([str(path)], engine="duckdb")


@pytest.mark.slow
def test_the_time_of_two_thousand_files_grows_with_their_number(tmp_path):
    lines = {run: [f"r{run},{s},{(run % 40 + 1) * 10**6},{s * 4096},{2 + 3 / s},{2.1 + 3 / s},x"
                   for s in range(1, 21)] for run in range(2000)}  # fmt: skip
    taken = {}
    for count in (500, 2000):
        folder = tmp_path / str(count)
        folder.mkdir()
        for run in range(count):
            text = "\n".join([HEADER, *lines[run]]) + "\n"
            (folder / f"{run:04}.csv").write_text(text, encoding="utf-8")
        best = math.inf
        for _ in range(2):
            began = time.process_time()
            found = load_runs([str(folder / "*.csv")], engine="duckdb")
            best = min(best, time.process_time() - began)
        assert len(found) == count
        taken[count] = best
    # Four times as many; 16 times would be the square.
    assert taken[2000] < 8 * taken[500]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_pattern_of_addresses(tmp_path, kind):
    table = rows()
    for i, part in enumerate((table[:150], table[150:])):
        path = tmp_path / f"{i}.{kind}"
        if kind == "csv":
            write(path, part)
        else:
            (write_lines if kind == "jsonl" else write_parquet)(path, records(part))
    by_engine = load_runs([f"file://{tmp_path}/*.{kind}"], engine="duckdb")
    assert_same_runs(by_engine, load_runs([str(tmp_path / f"*.{kind}")], engine="small"))
    assert by_engine.cleaning.files == tuple(f"file://{tmp_path}/{i}.{kind}" for i in range(2))


class _Ranges(SimpleHTTPRequestHandler):
    """A server of files that gives parts of them, as object stores do."""

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, *, with_body):
        with open(self.translate_path(self.path), "rb") as stream:  # noqa: PTH123 - a path as text
            body = stream.read()
        size, part = len(body), self.headers.get("Range")
        self.send_response(206 if part else 200)
        if part:
            low, _, high = part.removeprefix("bytes=").partition("-")
            end = int(high) + 1 if high else size
            body = body[int(low) : end]
            self.send_header("Content-Range", f"bytes {low}-{int(low) + len(body) - 1}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        """Write nothing."""


@contextmanager
def served(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("reader", ["httpfs", "fsspec"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_of_a_web_server(tmp_path, monkeypatch, reader, kind):
    import duckdb

    has_extension = duckdb_addresses._has_extension
    if reader == "fsspec":
        pytest.importorskip("aiohttp", reason="fsspec reads http:// by aiohttp")
        monkeypatch.setattr(duckdb_addresses, "_has_extension", lambda *_: False)
    elif not has_extension(duckdb.connect(), "httpfs"):
        pytest.skip("DuckDB's extension httpfs is not installed and cannot be fetched here")
    path = tmp_path / f"log.{kind}"
    if kind == "csv":
        write(path, rows())
    else:
        write_parquet(path, records())
    with served(tmp_path) as address:
        by_engine = load_runs([f"{address}/log.{kind}"], engine="duckdb")
    assert_same_runs(by_engine, load_runs([str(path)], engine="small"))


def test_an_address_that_nothing_here_reads_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(duckdb_addresses, "_has_extension", lambda *_: False)
    monkeypatch.setattr(duckdb_addresses, "_has_fsspec", lambda *_: False)
    with pytest.raises(InputError, match="httpfs is not installed") as refused:
        load_runs(["s3://bucket/runs/*.parquet"], engine="duckdb")
    assert refused.value.file == "s3://bucket/runs/*.parquet"
    assert "install httpfs" in refused.value.hint
    assert "pip install 'fsspec[s3]'" in refused.value.hint


def test_a_pattern_of_addresses_without_files(tmp_path):
    with pytest.raises(InputError, match="no file matches this pattern"):
        load_runs([f"file://{tmp_path}/*.csv"], engine="duckdb")


def test_far_rows_that_are_none_are_refused(tmp_path):
    table = rows()
    table[350][5] = "oops"
    path = write(tmp_path / "log.csv", table * 4)
    with pytest.raises(InputError, match=r"no row of plain cells|no plain numbers") as refused:
        load_runs([f"file://{path}"], engine="duckdb")
    assert "--engine small" in refused.value.hint


def test_runs_of_an_engine_are_written_as_parquet(tmp_path, run_cli):
    pytest.importorskip("pyarrow")
    write(tmp_path / "log.csv", rows())
    for engine in ("duckdb", "small"):
        done = run_cli(
            "runs", "log.csv", "--engine", engine, "-o", f"{engine}.parquet", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
    written = [load_runs([str(tmp_path / f"{e}.parquet")]) for e in ("duckdb", "small")]
    assert len(written[0]) == 12
    assert written[0].fingerprint == written[1].fingerprint
    assert dict(written[0].labels) == dict(written[1].labels)
