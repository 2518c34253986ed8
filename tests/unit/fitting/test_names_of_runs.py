"""What a note calls a run: its own name, its place in a file, or its inputs."""

from __future__ import annotations

import json

from scaleplan.fitting.axes import axes_for
from scaleplan.fitting.checking import names_of
from scaleplan.laws import get_law
from scaleplan.runs.reading import load_runs

_SIZES = ((1e8, 2e9), (1e8, 4e9), (4e8, 2e9), (4e8, 4e9), (9e8, 2e9), (9e8, 4e9))


def called(path):
    runs = load_runs([str(path)])
    return names_of(runs, axes_for(runs, get_law("chinchilla")))


def _table(path, names):
    rows = [f"{name},{n:g},{d:g},{3 - k / 10}" for k, ((n, d), name) in
            enumerate(zip(_SIZES, names, strict=True))]  # fmt: skip
    path.write_text("\n".join(["experiment,params,tokens,loss", *rows]) + "\n", encoding="utf-8")
    return path


def test_runs_are_called_by_names_of_their_own(tmp_path):
    assert called(_table(tmp_path / "runs.csv", "abcdef")) == list("abcdef")


def test_a_name_that_all_runs_share_calls_none(tmp_path):
    path = _table(tmp_path / "runs.csv", ["sweep"] * 6)
    assert called(path) == [f"{path}:{line}" for line in range(2, 8)]


def test_a_name_that_some_share_is_told_with_its_place(tmp_path):
    path = _table(tmp_path / "runs.csv", "aabcde")
    assert called(path) == [f"a ({path}:2)", f"a ({path}:3)", *"bcde"]


def test_a_run_of_a_file_without_lines_is_called_by_its_inputs(tmp_path):
    path = tmp_path / "runs.json"
    rows = [{"params": n, "tokens": d, "loss": 3 - k / 10} for k, (n, d) in enumerate(_SIZES)]
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = called(path)
    assert found[0] == f"{path}, params 100M, tokens 2.00B"
    assert len(set(found)) == 6
    assert not any("None" in name for name in found)
