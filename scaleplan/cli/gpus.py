"""`scaleplan gpus`: the catalogue of accelerators."""

from __future__ import annotations

from scaleplan.cli import options

EXAMPLES = """\b
Example:
  scaleplan gpus --format csv"""


def gpus_command(
    output_format: options.FormatOption = options.OutputFormat.TABLE,
    quiet: options.QuietOption = False,
    strict: options.StrictOption = False,
    seed: options.SeedOption = 0,
) -> None:
    """List the accelerators with their rates, memory, prices and sources."""
    from scaleplan.catalog import accelerators, default_accelerator
    from scaleplan.cli.output import emit
    from scaleplan.render.catalogue_view import AcceleratorCatalogue

    catalogue = AcceleratorCatalogue(
        accelerators=tuple(accelerators()), default=default_accelerator().id
    )
    emit(catalogue, options.Output(output_format=output_format, quiet=quiet, strict=strict))
