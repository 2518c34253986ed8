"""`scaleplan explain`: what stands behind a note."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan.cli import completion, options

EXAMPLES = """\b
Examples:
  scaleplan explain CAPACITY_LIMITED
  scaleplan explain
  scaleplan explain extrapolation --format json"""


def explain_command(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", autocompletion=completion.notes,
            help="Ids as notes print them in brackets; none lists them all.",
        ),
    ] = None,
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:  # fmt: skip
    """Explain notes and warnings: the rule with its formula, the reason, and the source."""
    from scaleplan.advice.explanations import EXPLANATIONS, explanation
    from scaleplan.cli.output import emit
    from scaleplan.records import Explanations

    asked = tuple(explanation(one) for one in ids or [])
    entries = tuple({one.id: one for one in asked}.values()) or EXPLANATIONS
    emit(
        Explanations(entries=entries, brief=not asked),
        options.Output(output_format=output_format, quiet=quiet, strict=strict),
    )
