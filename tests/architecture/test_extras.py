"""Each optional extra is enough for what it is offered for, and nothing is needed without one.

A fresh environment with one extra is imitated: what belongs to no distribution that the extra asks
for, directly or not, cannot be imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import deque
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "sample_runs" / "language" / "runs.csv"
EVENTS = ROOT / "tests" / "unit" / "runs" / "samples" / "tensorboard"

_SCRIPT = """
import json, sys
refused = set(json.loads(sys.argv[1]))

class Fresh:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        hidden = name.partition(".")[0] in refused
        return None if hidden else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Fresh, sys.meta_path)
for name in refused:
    sys.modules.pop(name, None)
sys.argv = ["scaleplan", *sys.argv[2:]]
from scaleplan.__main__ import main
sys.exit(main())
"""


def asked_for(extra: str) -> set[str]:
    """Return the distributions that scaleplan with an extra brings, itself among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *project["optional-dependencies"].get(extra, ())]
    waiting = deque((text, frozenset[str]()) for text in texts)
    known: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        text, extras = waiting.popleft()
        need = Requirement(text)
        marker = need.marker
        if marker and not any(marker.evaluate({"extra": e}) for e in extras or {""}):
            continue
        found = (canonicalize_name(need.name), frozenset(need.extras))
        if found not in known:
            known.add(found)
            waiting.extend((text, found[1]) for text in metadata.requires(found[0]) or ())
    return {"scaleplan", *(name for name, _ in known)}


def run(extra: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where only what the extra asks for can be imported."""
    kept = asked_for(extra)
    refused = [
        module for module, owners in metadata.packages_distributions().items()
        if not kept & {canonicalize_name(owner) for owner in owners}
    ]  # fmt: skip
    assert "pytest" in refused
    return subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(refused), *arguments], cwd=ROOT,
        capture_output=True, encoding="utf-8", check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", str(RUNS), "--resamples", "0"),
        ("check", str(ROOT / "tests" / "unit" / "runs" / "samples" / "keras")),
        ("budget", "--gpus", "8", "--params", "1e9", "--format", "json"),
        ("next", "--budget", "1e20", "--prior", "besiroglu"),
        ("report", str(RUNS), "--help"),
    ],
)
def test_without_extras(arguments):
    done = run("", *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("picture", ["fit.png", "fit.svg", "fit.html", "-"])
def test_pictures_need_no_more_than_their_extra(tmp_path, picture):
    path = picture if picture == "-" else str(tmp_path / picture)
    done = run("plot", "fit", str(RUNS), "--resamples", "0", "--plot", path)
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_named():
    done = run("", "fit", str(RUNS), "--resamples", "0", "--plot", "-")
    assert done.returncode == 2
    assert "pip install 'scaleplan[plot]'" in done.stderr


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_large_logs_need_no_more_than_their_extra(tmp_path, kind):
    import duckdb

    path = tmp_path / f"log.{kind}"
    duckdb.sql(
        "copy (select 'r' || (i % 3) as run, i // 3 as step, 1e6 * (1 + i % 3) as params, "
        f"1e8 as tokens, 3 + 1.0 / (1 + i) as val_loss from range(300) t(i)) to '{path}'"
    )
    done = run("large", "runs", str(path), "--engine", "duckdb", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cleaning"]["rows_read"] == 300


def test_event_files_need_no_more_than_their_extra():
    done = run("tensorboard", "check", str(EVENTS))
    assert done.returncode == 0, done.stderr
