"""Follow logs that are still written: read again when they change, and show the verdict."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scaleplan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.cli.options import Output
    from scaleplan.records import CurveCheck

_SECONDS = 1.0
# Reading takes at most this share of the time: after a reading of t seconds the next one waits for
# t / share, so that following a log costs under 2% of one core however long the log is.
_SHARE = 0.018
_LONGEST = 600.0


def watch_logs(logs: Sequence[str], check: Callable[[], CurveCheck], output: Output) -> None:
    """Show the verdict on logs again whenever they change, until the user interrupts.

    On a terminal one table is kept up to date; in a pipe each verdict that differs is one line. A
    log that is missing, shrinks or is replaced is read again as it then stands.

    Args:
        logs: The paths, as typed.
        check: Reads and judges them.
        output: How the last result is written when the user interrupts.

    Raises:
        KeyboardInterrupt: When the user ends it, after the last result was written.
    """
    last: CurveCheck | None = None
    shown = _Display()
    seen: tuple[tuple[float, ...], ...] | None = None
    warm = False
    try:
        while True:
            state = _state(logs)
            spent = 0.0
            if state != seen:
                if seen is not None and _begun_anew(seen, state):
                    shown.say("the log is another one or shorter than before; it is read anew")
                seen = state
                began = time.process_time()
                try:
                    last = check()
                except InputError as error:
                    shown.say(f"waiting: {error}")
                else:
                    shown.show(last)
                # The first time pays for imports, which come once.
                spent = time.process_time() - began if warm else 0.0
                warm = True
            time.sleep(min(_LONGEST, max(_SECONDS, spent / _SHARE)))
    except KeyboardInterrupt:
        shown.close()
        if last is not None:
            from scaleplan.cli.output import emit

            emit(last, output)
        raise


def _state(logs: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """Return what changes when a log is written to, replaced, cut or removed."""
    found: list[tuple[float, ...]] = []
    for log in _files(logs):
        try:
            about = log.stat()
        except OSError:
            found.append((0.0,))
        else:
            found.append((float(about.st_size), float(about.st_mtime_ns), float(about.st_ino)))
    return tuple(found)


def _begun_anew(
    before: tuple[tuple[float, ...], ...], now: tuple[tuple[float, ...], ...]
) -> bool:  # fmt: skip
    """Tell whether a file that was there has become shorter, or another one stands in its place."""
    pairs = [(b, n) for b, n in zip(before, now, strict=False) if len(b) == len(n) == 3]
    return any(n[0] < b[0] or n[2] != b[2] for b, n in pairs)


def _files(logs: Sequence[str]) -> list[Path]:
    """Return the files that folders and patterns stand for now; a missing one as it was typed."""
    from scaleplan.runs.formats import EXTENSIONS
    from scaleplan.runs.locating import locate

    found: list[Path] = []
    for log in logs:
        try:
            found += [each.path for each in locate([log], EXTENSIONS) if each.path is not None]
        except InputError:
            found.append(Path(log))
    return found


class _Display:
    """One live table on a terminal, lines in a pipe; both on standard error."""

    def __init__(self) -> None:
        self._live: object | None = None
        self._last: dict[str, str] = {}
        self._terminal = bool(sys.stderr is not None and sys.stderr.isatty())

    def say(self, text: str) -> None:
        """Show one line."""
        from scaleplan.cli.failure import write_stderr
        from scaleplan.render.text import plain_text

        if self._terminal:
            self._update(plain_text(text))
        elif self._last.get("") != text:
            self._last[""] = text
            write_stderr(plain_text(text) + "\n")

    def show(self, check: CurveCheck) -> None:
        """Show the verdicts."""
        from scaleplan.cli.failure import write_stderr
        from scaleplan.render.check_view import verdict_lines
        from scaleplan.render.text import plain_text

        lines = {name: plain_text(line) for name, line in verdict_lines(check)}
        if self._terminal:
            self._update("\n".join(lines.values()))
            return
        for name, line in lines.items():
            if self._last.get(name) != line:
                self._last[name] = line
                write_stderr(line + "\n")

    def _update(self, text: str) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            live.start()
            self._live = live
        if isinstance(self._live, Live):
            stamp = time.strftime("%H:%M:%S")
            self._live.update(Text(f"{text}\n{stamp}, Ctrl-C ends"), refresh=True)

    def close(self) -> None:
        """Give the terminal back."""
        from rich.live import Live

        if isinstance(self._live, Live):
            self._live.stop()
