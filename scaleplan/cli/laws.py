"""`scaleplan laws`: the catalogue of laws."""

from __future__ import annotations

from scaleplan.cli import options

EXAMPLES = """\b
Example:
  scaleplan laws --format markdown"""


def laws_command(
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:
    """List the laws that can be fitted and the published fits, with their sources."""
    from scaleplan.catalog import published_laws
    from scaleplan.cli.output import emit
    from scaleplan.laws import LAWS
    from scaleplan.render.catalogue_view import LawCatalogue

    catalogue = LawCatalogue(laws=LAWS, published=tuple(published_laws()))
    emit(catalogue, options.Output(output_format=output_format, quiet=quiet, strict=strict))
