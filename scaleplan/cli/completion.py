"""What the shell offers after options and arguments whose values are known."""

from __future__ import annotations

import typer


def laws(incomplete: str) -> list[str]:
    """Return the names of laws to fit that begin with what was typed."""
    from scaleplan.laws import LAWS

    return [name for name in ("auto", *(law.name for law in LAWS)) if name.startswith(incomplete)]


def published(incomplete: str) -> list[str]:
    """Return the names of published laws that begin with what was typed."""
    from scaleplan.catalog import published_laws

    return [law.id for law in published_laws() if law.id.startswith(incomplete)]


def gpus(incomplete: str) -> list[str]:
    """Return the lists of accelerators that continue what was typed, which may have commas."""
    from scaleplan.catalog import accelerators

    before, comma, last = incomplete.rpartition(",")
    names = [accelerator.id for accelerator in accelerators()]
    names += [] if comma else ["all"]
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]


def notes(incomplete: str) -> list[str]:
    """Return the ids of notes that begin with what was typed, in any case."""
    from scaleplan.advice.explanations import EXPLANATIONS

    return [one.id for one in EXPLANATIONS if one.id.startswith(incomplete.upper())]


def optimizers(incomplete: str) -> list[str]:
    """Return the names of optimizers that begin with what was typed."""
    from scaleplan.catalog import planning_choices

    return [name for name in planning_choices("optimizer") if name.startswith(incomplete)]


def shapes(incomplete: str) -> list[str]:
    """Return the published models that begin with what was typed."""
    from scaleplan.planning.architectures import architectures

    return [one.id for one in architectures() if one.id.startswith(incomplete)]


def columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the columns of the logs typed so far that begin with what was typed."""
    from scaleplan.runs.column_names import column_names

    # While a line is unfinished the shell's arguments are not given to the command's own yet.
    named = column_names([word for word in ctx.args if not word.startswith("-")])
    return [name for name in named if name.startswith(incomplete)]


def metrics(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return those of them that may be a metric, or all where none is called like one."""
    from scaleplan.runs.metrics import describe

    names = columns(ctx, incomplete)
    return [name for name in names if describe(name) is not None] or names
