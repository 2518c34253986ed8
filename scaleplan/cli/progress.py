"""A counter on standard error, for people who wait in front of a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE = 0.5  # seconds; what is over sooner needs no counter
_REFRESH = 0.1  # seconds between two updates
_CLEAR_LINE = "\r\x1b[K"

# A fit of fewer runs is over before anybody wonders what it does.
_MANY_RUNS = 3_000

Progress = Callable[[int, int], None]


@contextmanager
def stages(runs: int, *, quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Give a function that shows which law is being fitted, or None where nobody would see it.

    Args:
        runs: How many runs are fitted.
        quiet: Whether the command line asked for silence.
    """
    if quiet or runs < _MANY_RUNS or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return

    def show(law: str) -> None:
        sys.stderr.write(f"{_CLEAR_LINE}fitting the {law} law to {runs} runs")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write(_CLEAR_LINE)
        sys.stderr.flush()


@contextmanager
def progress(what: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Give a function that shows `what 3 of 10`, or None where nobody would see it.

    Args:
        what: What is being done.
        quiet: Whether the command line asked for silence.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    last = time.monotonic() + _PATIENCE - _REFRESH
    shown = False

    def show(done: int, total: int) -> None:
        nonlocal last, shown
        now = time.monotonic()
        if now - last < _REFRESH:
            return
        last, shown = now, True
        sys.stderr.write(f"{_CLEAR_LINE}{what} {done} of {total}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
