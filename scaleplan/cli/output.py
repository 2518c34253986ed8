"""From a result to standard output, and to the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from scaleplan.cli.failure import silence, write_stderr
from scaleplan.cli.options import OutputFormat
from scaleplan.errors import ExitCode, InputError

if TYPE_CHECKING:
    from scaleplan.cli.options import Output
    from scaleplan.records import Note
    from scaleplan.render.formats import Result


def emit(result: Result, output: Output, below: str = "") -> None:
    """Write the result to standard output and end with exit code 6 where `--strict` asks for it.

    Args:
        result: A record.
        output: What the command line said about the output.
        below: Text that follows the tables: a picture.

    Raises:
        InputError: If standard output cannot be written.
        Exit: Under `--strict`, if the result carries a warning or an error note.
    """
    from scaleplan.render.formats import render

    if sys.stdout is None:
        raise InputError("standard output is closed", hint="Send the result to a file or a pipe.")
    notes: tuple[Note, ...] = getattr(result, "notes", ())
    text = render(result, output.output_format.value, sys.stdout) + below
    # CSV has no place for notes; the other formats carry them in the result.
    beside = output.output_format is OutputFormat.CSV
    _write_with_notes(text, notes if beside else (), notes, output)


def write_result(text: str, notes: tuple[Note, ...], output: Output) -> None:
    """Write a text in place of a result, its notes to standard error.

    Args:
        text: For example a file for a launcher.
        notes: What there is to say.
        output: What the command line said about the output.

    Raises:
        InputError: If standard output cannot be written.
        Exit: Under `--strict`, if there is a warning or an error note.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed", hint="Write it to a file with -o.")
    _write_with_notes(text, notes, notes, output)


def _write_with_notes(
    text: str, beside: tuple[Note, ...], notes: tuple[Note, ...], output: Output
) -> None:
    _write(text)
    if not output.quiet:
        _write_notes(beside)
    if output.strict and any(note.severity != "info" for note in notes):
        raise typer.Exit(int(ExitCode.WARNINGS))


def _write(text: str) -> None:
    """Write everything at once, replacing what the stream's encoding does not have."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout)
        message = f"cannot write the result: {error.strerror}"
        raise InputError(message, hint="Free some space, or write it elsewhere.") from error


def _write_notes(notes: tuple[Note, ...]) -> None:
    from scaleplan.render.text import plain_text
    from scaleplan.render.view import sentences

    for note in notes:
        write_stderr(plain_text(f"{note.severity}: {sentences(note)} [{note.id}]") + "\n")
