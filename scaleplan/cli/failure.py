"""What a person sees when something went wrong: one error, one hint, one exit code."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import traceback
from typing import TYPE_CHECKING, TextIO

from scaleplan.errors import ExitCode, ScaleplanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

TRACEBACK_VARIABLE = "SCALEPLAN_TRACEBACK"


class BugError(ScaleplanError):
    """Something that is not the user's doing."""

    exit_code = ExitCode.BUG


def report(error: ScaleplanError, arguments: Sequence[str]) -> int:
    """Write the error to standard error and return its exit code.

    Args:
        error: What went wrong.
        arguments: The command line, which says whether the error is to be JSON.
    """
    from scaleplan.render.text import plain_text

    if _asks_for_json(arguments):
        from scaleplan.render.json_document import error_document, write_document

        text = write_document(error_document(error))
    else:
        text = f"error: {plain_text(str(error))}\n"
        if error.hint:
            text += f"\nhint: {plain_text(error.hint)}\n"
    write_stderr(text)
    return int(error.exit_code)


def write_stderr(text: str) -> None:
    """Write to standard error, if there is one that takes it; else the exit code alone tells."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # a full disk or a closed pipe: there is no other place to complain
        silence(sys.stderr)


def silence(stream: TextIO | None) -> None:
    """Lead what is left in the buffer of a standard stream nowhere.

    Otherwise the interpreter flushes it once more when it ends, and complains once more.

    Args:
        stream: `sys.stdout` or `sys.stderr`; None where the process has none.
    """
    if stream is None:
        return
    # Under a test runner a standard stream is no file and has nothing to be led away.
    with contextlib.suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def report_bug(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Be the interpreter's hook for exceptions that nobody expected.

    Args:
        kind: The exception's class.
        error: The exception.
        trace: Where it came from.
    """
    if issubclass(kind, KeyboardInterrupt):
        write_stderr("interrupted\n")
        return
    if os.environ.get(TRACEBACK_VARIABLE) == "1":
        write_stderr("".join(traceback.format_exception(kind, error, trace)))
    message = f"this is a bug in scaleplan: {kind.__name__}: {error}"
    hint = f"Run again with {TRACEBACK_VARIABLE}=1 and report what it prints with your command."
    report(BugError(message, hint=hint), sys.argv[1:])


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Tell whether `--format json` was typed, even on a command line that could not be parsed."""
    words = list(arguments)
    if "--" in words:
        words = words[: words.index("--")]
    pairs = itertools.pairwise(words)
    return "--format=json" in words or ("--format", "json") in pairs
