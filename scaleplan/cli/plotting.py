"""`--plot FILE`: the picture of a result, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scaleplan.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.records import Fit, Picture, Plan
    from scaleplan.runs.table import Runs

PlotOption = Annotated[
    str | None,
    typer.Option(
        "--plot", metavar="FILE",
        help="Write a picture: .png, .svg, .pdf or .html; needs the extra [plot].",
    ),
]  # fmt: skip


def check_plot(path: str | None, logs: Sequence[str] = ()) -> None:
    """Refuse a picture that could not be written, before any work is done for it.

    Args:
        path: What `--plot` names; None for no picture.
        logs: The sources that are read, as typed; none of them may be replaced.

    Raises:
        UsageError: If the ending is not known, or matplotlib is not installed.
    """
    if path is None:
        return
    from importlib.util import find_spec

    from scaleplan.cli.sources import refuse_overwriting
    from scaleplan.render.plot import ENDINGS

    if Path(path).suffix.lower() not in ENDINGS:
        raise UsageError(
            f"--plot {path}: pictures are written as {', '.join(ENDINGS)}",
            hint="For example --plot fit.png.",
        )
    refuse_overwriting(path, logs)
    if find_spec("matplotlib") is None:
        raise UsageError(
            "--plot needs matplotlib, which is not installed",
            hint="pip install 'scaleplan[plot]'",
        )


def write_plot(picture: Picture, path: str) -> None:
    """Write a picture.

    Args:
        picture: The panels.
        path: Where to, with the ending of its format.

    Raises:
        InputError: If the file cannot be written.
    """
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


def plot_plan(plan: Plan, path: str | None) -> None:
    """Write the picture of a plan, if one was asked for."""
    if path is not None:
        from scaleplan.planning.pictures import plan_picture

        write_plot(plan_picture(plan), path)


def plot_fit(fit: Fit, runs: Runs, path: str | None) -> None:
    """Write the picture of a fit, if one was asked for."""
    if path is not None:
        from scaleplan.planning.pictures import fit_picture

        write_plot(fit_picture(fit, runs), path)
