"""Every error a user can cause, with the exit code it ends the program with."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class ExitCode(IntEnum):
    """The program's exit codes; shell scripts rely on them."""

    OK = 0
    BUG = 1
    USAGE = 2
    INPUT = 3
    FIT = 4
    PLAN = 5
    WARNINGS = 6
    INTERRUPTED = 130
    CLOSED_PIPE = 141


class ScaleplanError(Exception):
    """An error with a remedy: what was found where, and what to do about it.

    Args:
        message: What was found and what is allowed, one sentence without a final full stop.
        hint: What to do, one sentence.
        file: The input file, if there is one.
        line: The 1-based line in that file, if known.
    """

    exit_code = ExitCode.BUG

    def __init__(
        self, message: str, *, hint: str = "", file: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line

    @property
    def where(self) -> str:
        """Return `file:line: `, `file: ` or nothing."""
        if self.file is None:
            return ""
        return f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "

    def __str__(self) -> str:
        return f"{self.where}{self.message}"


class UsageError(ScaleplanError):
    """An option or argument has a value that is not allowed."""

    exit_code = ExitCode.USAGE


class InputError(ScaleplanError):
    """A file, or the data in it, cannot be used."""

    exit_code = ExitCode.INPUT


class FitError(ScaleplanError):
    """The data cannot support the fit that was asked for."""

    exit_code = ExitCode.FIT


class PlanError(ScaleplanError):
    """The plan that was asked for cannot be carried out."""

    exit_code = ExitCode.PLAN
