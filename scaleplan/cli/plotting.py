"""`--plot FILE`: the picture of a result, written whole or not at all; `--plot -` as text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.cli.options import OutputFormat
from scaleplan.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.resampling import Resamples
    from scaleplan.records import Fit, Picture, Plan
    from scaleplan.runs.table import Runs

PlotOption = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="FILE",
        help="Write a picture: .png, .svg, .pdf or .html; - draws it in the terminal. Needs the "
        "extra [plot].",
    ),
]  # fmt: skip


IN_TERMINAL = "-"


def check_plot(
    path: str | None, logs: Sequence[str] = (), *,
    output_format: OutputFormat = OutputFormat.TABLE, **instead: object,
) -> None:  # fmt: skip
    """Refuse a picture that could not be written, before any work is done for it.

    Args:
        path: What `--plot` names; None for no picture.
        logs: The sources that are read, as typed; none of them may be replaced.
        output_format: What standard output holds.
        **instead: Options with which nothing is drawn, by name.

    Raises:
        UsageError: If the ending is not known, the library is not installed, or the picture has no
            place.
    """
    if path is None:
        return
    from scaleplan.cli.sources import refuse_overwriting
    from scaleplan.render.plot import ENDINGS

    for name, value in instead.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            message = f"--plot draws nothing together with {option}"
            raise UsageError(message, hint=f"Leave out --plot or {option}.")
    if path == IN_TERMINAL:
        if output_format is not OutputFormat.TABLE:
            raise UsageError(
                f"--plot - draws below the tables; --format {output_format.value} has no place "
                "for it",
                hint="Leave out --format, or write the picture to a file: --plot fit.png.",
            )
        _refuse_missing("uniplot")
        return
    if Path(path).suffix.lower() not in ENDINGS:
        raise UsageError(
            f"--plot {path}: pictures are written as {', '.join(ENDINGS)}",
            hint="For example --plot fit.png; --plot - draws in the terminal.",
        )
    folder = Path(path).parent
    if not folder.is_dir():
        raise InputError(
            f"the picture cannot be written: there is no folder {folder}", file=path,
            hint="Choose a folder that exists and that you may write to.",
        )  # fmt: skip
    refuse_overwriting(path, logs)
    _refuse_missing("matplotlib")


def _refuse_missing(library: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise UsageError(
            f"--plot needs {library}, which is not installed",
            hint="pip install 'scaleplan[plot]'",
        )


def write_plot(picture: Picture, path: str) -> str:
    """Write a picture, or return it as text for below the tables.

    Args:
        picture: The panels.
        path: Where to, with the ending of its format, or `-`.

    Returns:
        The text for standard output; empty for a file.

    Raises:
        InputError: If the file cannot be written.
    """
    if path == IN_TERMINAL:
        from scaleplan.render.terminal_plot import draw_picture

        if sys.stdout is None:
            raise InputError("standard output is closed", hint="Write the picture to a file.")
        return draw_picture(picture, sys.stdout)
    from scaleplan.fitfile import write_whole
    from scaleplan.render.plot import render_picture

    content = render_picture(picture, path)
    try:
        write_whole(Path(path), content)
    except OSError as error:
        raise InputError(
            f"the picture cannot be written: {error.strerror}", file=path,
            hint="Choose a folder that exists and that you may write to.",
        ) from error  # fmt: skip
    return ""


def plot_plan(plan: Plan, fit: Fit, path: str | None) -> str:
    """Write the picture of a plan, if one was asked for; return what `write_plot` does."""
    if path is None:
        return ""
    from scaleplan.planning.pictures import plan_picture

    return write_plot(plan_picture(plan, fit), path)


def plot_fit(fit: Fit, runs: Runs, draws: Sequence[Resamples], path: str | None) -> str:
    """Write the picture of a fit, if one was asked for; return what `write_plot` does."""
    if path is None:
        return ""
    from scaleplan.planning.pictures import fit_picture

    return write_plot(fit_picture(fit, runs, *draws), path)
