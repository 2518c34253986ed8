"""Logs at addresses are copied here where our own reading takes them."""

from __future__ import annotations

import tempfile

import pytest
from test_large import rows, write
from test_large_files import served

from scaleplan.errors import InputError
from scaleplan.runs import large
from scaleplan.runs.large import duckdb_addresses
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves


@pytest.fixture
def by_fsspec(monkeypatch):
    pytest.importorskip("aiohttp", reason="fsspec reads http:// by aiohttp")
    monkeypatch.setattr(duckdb_addresses, "_has_extension", lambda *_: False)


FINISHED = "run,params,tokens,loss\na,1e6,2e7,3.5\nb,2e6,4e7,3.2\nc,4e6,8e7,2.9\n"


@pytest.mark.usefixtures("by_fsspec")
@pytest.mark.parametrize("engine", ["auto", "small"])
def test_finished_runs_at_an_address_are_copied_to_be_read(tmp_path, monkeypatch, engine):
    (tmp_path / "runs.csv").write_text(FINISHED, encoding="utf-8")
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    with served(tmp_path) as address:
        found = load_runs([f"{address}/runs.csv?download=1"], engine=engine)
        assert found.cleaning.files == (f"{address}/runs.csv?download=1",)
        with pytest.raises(InputError, match="nothing can be read there") as refused:
            load_runs([f"{address}/none.csv"], engine=engine)
        assert refused.value.file == f"{address}/none.csv"
    assert found.columns["value"].tolist() == [3.5, 3.2, 2.9]
    assert not list(copies.iterdir())


@pytest.mark.usefixtures("by_fsspec")
def test_a_curve_at_an_address_is_read(tmp_path):
    write(tmp_path / "log.csv", rows())
    with served(tmp_path) as address:
        far = load_curves([f"{address}/log.csv"])
    here = load_curves([str(tmp_path / "log.csv")])
    assert [c.run for c in far.curves] == [c.run for c in here.curves]
    assert far.rows == here.rows


def test_files_beside_each_other_at_an_address_are_read_as_such(tmp_path):
    for name, value in (("train", 2.0), ("valid", 2.5)):
        text = "step,loss\n" + "".join(f"{i},{value + 1 / i}\n" for i in range(1, 30))
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    far = load_curves([f"file://{tmp_path}/*.csv"])
    here = load_curves([f"{tmp_path}/*.csv"])
    assert [len(c.validation) for c in far.curves] == [29]
    assert [len(c.training) for c in far.curves] == [len(c.training) for c in here.curves] == [29]


def test_more_than_is_copied_is_left_to_the_engine_or_refused(tmp_path, monkeypatch):
    write(tmp_path / "log.csv", rows())
    monkeypatch.setattr(large, "LARGE_BYTES", 100)
    by_engine = load_runs([f"file://{tmp_path}/log.csv"], engine="auto")
    assert "LARGE_ENGINE" in [note.id for note in by_engine.notes]
    with pytest.raises(InputError, match="holds more than") as refused:
        load_runs([f"file://{tmp_path}/log.csv"], engine="small")
    assert "--engine duckdb" in refused.value.hint
