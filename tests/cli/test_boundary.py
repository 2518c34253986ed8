"""What the boundary does with exceptions that no input in these tests can cause for real."""

from __future__ import annotations

import errno

import pytest
import typer
from typer.testing import CliRunner

from scaleplan.cli.boundary import ErrorBoundary
from scaleplan.errors import FitError, InputError


def program(error: BaseException) -> typer.Typer:
    app = typer.Typer(cls=ErrorBoundary, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.command()
    def fail() -> None:
        raise error

    @app.command()
    def other() -> None: ...

    return app


def run(error: BaseException, *options: str):
    return CliRunner().invoke(program(error), ["fail", *options], catch_exceptions=False)


def test_error_with_file_line_and_hint():
    result = run(InputError("loss is -1", hint="Drop it.", file="runs.csv", line=7))
    assert result.exit_code == 3
    assert result.stderr == "error: runs.csv:7: loss is -1\n\nhint: Drop it.\n"


def test_error_without_hint_is_one_line():
    result = run(FitError("no"))
    assert result.exit_code == 4
    assert result.stderr == "error: no\n"


def test_a_message_never_drives_the_terminal():
    result = run(InputError("a\x1b[2Jb\nc", hint="d\x07e", file="f\x9b.csv"))
    assert result.stderr == "error: f.csv: a[2Jb c\n\nhint: de\n"


@pytest.mark.parametrize("error", [MemoryError(), RecursionError()])
def test_input_too_large_or_deep_is_an_input_error(error):
    result = run(error)
    assert result.exit_code == 3
    assert result.stderr.startswith("error: the input ")
    assert "hint: " in result.stderr


def test_system_error_names_the_file():
    result = run(OSError(errno.EACCES, "Permission denied", "secret.csv"))
    assert result.exit_code == 3
    assert result.stderr.startswith("error: secret.csv: Permission denied\n")


def test_interrupt_is_quiet():
    result = run(KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_closed_pipe_is_silent():
    result = run(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert result.exit_code == 141
    assert result.output == ""


def test_a_bug_is_not_hidden_from_tests():
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())
