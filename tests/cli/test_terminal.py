"""What a person sees: a real pseudo-terminal of a given width."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="pseudo-terminals are a POSIX thing")
import fcntl  # noqa: E402 - exists where pty does
import struct  # noqa: E402 - used with fcntl only
import termios  # noqa: E402 - exists where pty does

ROOT = Path(__file__).parents[2]
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_terminal(columns: int, *arguments: str) -> str:
    """Run the program in a terminal of that width and return all that it wrote."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - the other process
        os.chdir(ROOT)
        for name in ("COLUMNS", "TERMINAL_WIDTH", "NO_COLOR"):
            os.environ.pop(name, None)
        os.environ["TERM"] = "xterm-256color"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execv(sys.executable, [sys.executable, "-m", "scaleplan", *arguments])
    written = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux ends a terminal whose last process has gone with EIO
            break
        if not part:
            break
        written += part
    os.close(terminal)
    os.waitpid(child, 0)
    return written.decode()


LANGUAGE, GRID = "sample_runs/language/runs.csv", "sample_runs/recommender/grid.jsonl"
CONSTANT = "sample_runs/language/constant.csv"
ANYWHERE = ("budget --gpus 1000 --params 1e10", "gpus", "laws")
# Results of many columns, which 60 have no room for.
WIDE = (
    f"fit {LANGUAGE}", f"compare {LANGUAGE}", f"compare {LANGUAGE} {CONSTANT}",
    f"backtest {LANGUAGE}", "next --budget 1e20 --prior besiroglu", f"tune {GRID}",
    f"tune {GRID} --params 1M --tokens 160K", f"sizes {LANGUAGE}", f"runs {LANGUAGE}",
    "check sample_runs/images/epochs.csv", "budget --gpus 8,64 --flops 1e23 --gpu h100,a100",
)  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "command"),
    [
        *((w, c) for w in (60, 80, 160) for c in ANYWHERE),
        *((w, c) for w in (80, 160) for c in WIDE),
    ],
)
def test_nothing_is_wider_than_the_terminal(columns, command):
    text = _ESCAPE.sub("", in_terminal(columns, *command.split()))
    lines = text.replace("\r\n", "\n").splitlines()
    assert lines
    assert max(map(len, lines)) <= columns
    assert "…" not in text


@pytest.mark.parametrize("columns", [80, 160])
def test_what_is_read_from_a_saved_fit_is_no_wider_than_the_terminal(columns, tmp_path):
    path = str(tmp_path / "fit.yaml")
    in_terminal(columns, "fit", LANGUAGE, "-o", path, "--resamples", "100")
    for command in (
        ("fit", "--update", path, "sample_runs/language/larger.csv"),
        ("predict", path, "--params", "668640,354720", "--tokens", "16M"),
        ("next", path, "--budget", "3e16", "--target-flops", "1e17"),
    ):
        lines = _ESCAPE.sub("", in_terminal(columns, *command)).replace("\r\n", "\n").splitlines()
        assert len(lines) > 10
        assert max(map(len, lines)) <= columns


def test_a_terminal_gets_colour():
    assert "\x1b[" in in_terminal(80, "budget", "--gpus", "64", "--params", "1e9")


def test_json_has_no_colour_even_in_a_terminal():
    text = in_terminal(80, "budget", "--gpus", "64", "--params", "1e9", "--format", "json")
    assert "\x1b" not in text


def test_columns_left_out_are_named():
    text = _ESCAPE.sub("", in_terminal(80, "budget", "--gpus", "64", "--params", "1e9"))
    assert "not shown at this width" in text
    wide = in_terminal(250, "budget", "--gpus", "64", "--params", "1e9")
    assert "not shown at this width" not in wide


def test_a_long_fit_says_which_law_it_is_at_and_leaves_no_trace(tmp_path):
    path = tmp_path / "runs.csv"
    rows = (f"{1e7 * 1.003**i:.0f},{2 + 300 / (1e7 * 1.003**i) ** 0.3:.6f}" for i in range(3500))
    path.write_text("params,loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    text = in_terminal(100, "fit", str(path), "--resamples", "0")
    stages = re.findall(r"fitting the (\w+) law to 3500 runs", text)
    assert {"power", "power_floor", "linear"} <= set(stages)
    last = text.rindex("fitting the")
    assert "\x1b[K" in text[last:], "the line is cleared before the result"
    quiet = in_terminal(100, "fit", str(path), "--resamples", "0", "--quiet")
    assert "fitting the" not in quiet
