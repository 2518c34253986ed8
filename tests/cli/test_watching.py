"""Following logs, within this process: what is said, when, and how it ends."""

from __future__ import annotations

import pytest

from scaleplan.advice.curves import check_curves
from scaleplan.cli import watching
from scaleplan.cli.options import Output, OutputFormat
from scaleplan.runs.series import load_curves


def rows(last):
    lines = ["step,train_loss,val_loss"]
    lines += [f"{s},{2 + 1 / s:.4f},{2.1 + 1 / s:.4f}" for s in range(1, min(last, 20) + 1)]
    lines += [f"{s},0.5,{2.1 + 0.2 * (s - 20):.4f}" for s in range(21, last + 1)]
    return "\n".join(lines) + "\n"


class Script:
    """Stands for waiting: each wait does the next thing to the log; after the last comes Ctrl-C."""

    def __init__(self, *steps):
        self._steps = list(steps)
        self.waits: list[float] = []

    def __call__(self, seconds):
        self.waits.append(seconds)
        if not self._steps:
            raise KeyboardInterrupt
        self._steps.pop(0)()


@pytest.fixture
def follow(monkeypatch, tmp_path):
    """Return a function that follows a log through a script, and counts the readings."""
    log = tmp_path / "a.csv"
    log.write_text(rows(20), encoding="utf-8")
    readings: list[int] = []
    output = Output(output_format=OutputFormat.TABLE, quiet=False, strict=False)

    def check():
        readings.append(1)
        return check_curves(load_curves([str(log)]))

    def run(script):
        monkeypatch.setattr(watching.time, "sleep", script)
        with pytest.raises(KeyboardInterrupt):
            watching.watch_logs([str(log)], check, output)
        return len(readings)

    return log, run


def test_an_unchanged_log_is_read_once(follow):
    _, run = follow
    assert run(Script(*[lambda: None] * 5)) == 1


def test_a_verdict_that_stays_is_said_once_and_one_that_changes_again(follow, capsys):
    log, run = follow
    same = Script(
        lambda: log.write_text(rows(19), encoding="utf-8"),
        lambda: log.write_text(rows(40), encoding="utf-8"),
    )
    assert run(same) == 3
    said = capsys.readouterr().err.splitlines()
    assert sum("overfitting" in line for line in said) == 1
    assert len(said) == len(set(said))


def test_a_log_that_vanishes_is_waited_for_and_the_last_verdict_is_written(follow, capsys):
    log, run = follow
    script = Script(
        log.unlink, lambda: None, lambda: None, lambda: log.write_text(rows(40), encoding="utf-8")
    )
    assert run(script) == 3  # there, gone, there again
    shown = capsys.readouterr()
    assert sum("waiting" in line for line in shown.err.splitlines()) == 1
    assert "overfitting" in shown.out


def test_a_log_that_was_never_there_writes_nothing(follow, capsys):
    log, run = follow
    log.unlink()
    run(Script())
    shown = capsys.readouterr()
    assert "waiting" in shown.err
    assert shown.out == ""


def test_waits_grow_with_the_cost_of_reading_and_are_bounded(follow, monkeypatch):
    log, run = follow
    clock = iter([0.0, 5.0, 6.0, 6.0, 1e6])  # began; then began and ended, twice
    monkeypatch.setattr(watching.time, "process_time", lambda: next(clock))
    script = Script(
        lambda: log.write_text(rows(30), encoding="utf-8"),
        lambda: log.write_text(rows(40), encoding="utf-8"),
    )
    run(script)
    assert script.waits[0] == 1.0  # the first pays for imports and is not counted
    assert 1.0 / script.waits[1] <= 0.02  # under 2% of a core
    assert script.waits[2] == 600.0


def test_on_a_terminal_one_table_is_kept_up_to_date(follow, monkeypatch, capsys):
    log, run = follow
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    run(Script(lambda: log.write_text(rows(40), encoding="utf-8"), log.unlink))
    shown = capsys.readouterr()
    assert "Ctrl-C ends" in shown.err
    assert "overfitting" in shown.out


def test_a_log_that_shrinks_or_is_replaced_is_read_anew_and_said(follow, capsys, tmp_path):
    log, run = follow
    other = tmp_path / "b.csv"
    other.write_text(rows(40), encoding="utf-8")
    assert run(Script(lambda: log.write_text(rows(12), encoding="utf-8"))) == 2
    assert "read anew" in capsys.readouterr().err
    assert run(Script(lambda: other.replace(log))) == 4
    shown = capsys.readouterr()
    assert "read anew" in shown.err
    assert "overfitting" in shown.out


def test_half_a_last_line_is_not_read(tmp_path):
    log = tmp_path / "a.csv"
    log.write_text(rows(20) + "21,0.5,9", encoding="utf-8")  # of 9.1
    (growing,) = load_curves([str(log)], growing=True).curves
    assert len(growing.validation) == 20
    (ended,) = load_curves([str(log)]).curves
    assert len(ended.validation) == 21
