"""The one place where exceptions become messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn, cast

import typer
from typer.core import TyperGroup

from scaleplan.cli.failure import report, silence, write_stderr
from scaleplan.cli.unknown_options import WRITE_AS, unknown_option_hint
from scaleplan.errors import ExitCode, InputError, ScaleplanError, UsageError

# BadParameter < UsageError < ClickException: the root of typer's parsing errors, which typer does
# not export under a name that all supported versions share.
_ParserError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])


# Under which the context keeps the name of the file of defaults.
DEFAULTS_FILE = "scaleplan.defaults"


class OptionError(typer.BadParameter):
    """An option has a value that is not allowed; unlike typer's own error it carries a hint."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ErrorBoundary(TyperGroup):
    """A group of commands in which every expected exception ends in one message and its code."""

    # All of its commands, of which a run describes only the one that was typed.
    registered: ClassVar[tuple[Any, ...]] = ()

    # typer names the types of contexts in private modules only, hence Any here.
    def make_context(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - see above
        """Parse the command line."""
        with _quiet_ends():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - see above
        """Run the command."""
        with _quiet_ends():
            try:
                return super().invoke(ctx)
            except ScaleplanError as error:
                file = str(ctx.meta.get(DEFAULTS_FILE, ""))
                if file and _is_default(error, ctx):
                    error.hint = f"{error.hint} What is wrong stands in {file}.".strip()
                raise

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: object,
    ) -> NoReturn:
        """Run the program and exit with the code of errors.py."""
        arguments = list(sys.argv[1:] if args is None else args)
        try:
            code = super().main(
                arguments, prog_name, complete_var, standalone_mode=False,
                windows_expand_args=windows_expand_args, **extra,
            )  # fmt: skip
        except ScaleplanError as error:
            code = report(error, arguments)
        except _ParserError as error:
            code = _report_usage(error, arguments)
        except (MemoryError, RecursionError) as error:
            code = report(_too_large(error), arguments)
        except OSError as error:
            silence(sys.stdout)
            code = report(_system_error(error), arguments)
        sys.exit(code if isinstance(code, int) else int(ExitCode.OK))


@contextmanager
def _quiet_ends() -> Iterator[None]:
    """End quietly on Ctrl-C, and when the reader of a pipe has gone."""
    try:
        yield
    except KeyboardInterrupt:
        write_stderr("interrupted\n")
        raise typer.Exit(int(ExitCode.INTERRUPTED)) from None
    except BrokenPipeError:
        silence(sys.stdout)
        raise typer.Exit(int(ExitCode.CLOSED_PIPE)) from None


def _every_command() -> dict[str, Any]:
    """Return all commands by name."""
    everything = typer.Typer(rich_markup_mode=None)
    everything.registered_commands = list(ErrorBoundary.registered)
    group: Any = typer.main.get_command(everything)
    return dict(group.commands)


def _report_usage(error: typer.BadParameter, arguments: Sequence[str]) -> int:
    """Report what typer's parser refused."""
    if not arguments:
        error.show()  # the help
        return int(ExitCode.USAGE)
    message = error.format_message().rstrip(".")
    hint = getattr(error, "hint", "")
    context = getattr(error, "ctx", None)
    option = getattr(error, "option_name", None)
    if not hint and context is not None and isinstance(option, str):
        hint = unknown_option_hint(option, context, _every_command) or ""
        if hint.startswith(WRITE_AS):  # rather than options whose names merely look alike
            message = message.partition(" (")[0]
    if not hint:
        # What is wrong before the commands' own options are known has no context.
        path = "scaleplan" if context is None else context.command_path
        hint = f"See `{path} --help`."
    message = message[:1].lower() + message[1:]
    kept = _file_of_default(error)
    if kept:
        message, hint = f"{kept} gives a default that is not allowed: {message}", f"Correct {kept}."
    return report(UsageError(message, hint=hint), arguments)


def _is_default(error: ScaleplanError, ctx: Any) -> bool:  # noqa: ANN401 - see above
    """Tell whether what an error is about is a word of the file of defaults."""
    kept = (ctx.default_map or {}).get(ctx.invoked_subcommand, {})
    told = [
        word
        for value in kept.values()
        for text in (value if isinstance(value, list | tuple) else [value])
        for word in str(text).replace("=", ",").split(",")
    ]
    return any(f"'{word}'" in error.message for word in told if word)


def _file_of_default(error: typer.BadParameter) -> str:
    """Return the file of defaults that gave a value which was refused; empty if it was typed."""
    context, name = (
        getattr(error, "ctx", None),
        getattr(getattr(error, "param", None), "name", None),
    )
    if context is None or name is None or name not in (context.default_map or {}):
        return ""
    source = context.get_parameter_source(name)
    given = source is not None and source.name == "DEFAULT_MAP"
    return str(context.find_root().meta.get(DEFAULTS_FILE, "")) if given else ""


def _too_large(error: BaseException) -> InputError:
    nested = isinstance(error, RecursionError)
    return InputError(
        "the input is nested too deeply" if nested else "the input does not fit in memory",
        hint="Give a smaller file, or fewer runs.",
    )


def _system_error(error: OSError) -> InputError:
    """Say which file the system refused and why."""
    file = error.filename if isinstance(error.filename, str) else None
    return InputError(
        error.strerror or str(error), file=file, hint="Check the path, its rights and the disk."
    )
