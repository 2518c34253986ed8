"""The program: its commands in the order of the work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from scaleplan import __version__
from scaleplan.cli import (
    backtest,
    budget,
    check,
    compare,
    explain,
    fit,
    gpus,
    laws,
    predict,
    report,
    runs,
    sizes,
    tune,
)
from scaleplan.cli import next as next_runs
from scaleplan.cli.boundary import DEFAULTS_FILE, ErrorBoundary
from scaleplan.errors import UsageError

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

# Plain help: the decorated one costs more time than the whole of `budget`
# (tests/benchmark/start_up.py). Tracebacks are the boundary's business.
app = typer.Typer(
    name="scaleplan",
    cls=ErrorBoundary,
    context_settings=_CONTEXT,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

_COMMANDS = (
    ("runs", "Show logs as they are understood.", runs.runs_command, runs.EXAMPLES),
    ("fit", "Fit a law to the logs of runs.", fit.fit_command, fit.EXAMPLES),
    ("predict", "Forecast runs that were not trained.", predict.predict_command, predict.EXAMPLES),
    ("budget", "Plan time, memory and cost of a run.", budget.budget_command, budget.EXAMPLES),
    ("next", "Which runs to train next.", next_runs.next_command, next_runs.EXAMPLES),
    (
        "backtest",
        "Forecasts of larger runs from smaller ones.",
        backtest.backtest_command,
        backtest.EXAMPLES,
    ),
    ("tune", "Best learning rate and batch size.", tune.tune_command, tune.EXAMPLES),
    ("compare", "Laws and objectives side by side.", compare.compare_command, compare.EXAMPLES),
    ("sizes", "Sizes between underfit and overfit.", sizes.sizes_command, sizes.EXAMPLES),
    ("check", "Is a training run going well?", check.check_command, check.EXAMPLES),
    ("report", "Fit and plan as one page.", report.report_command, report.EXAMPLES),
    ("explain", "What stands behind a note.", explain.explain_command, explain.EXAMPLES),
    ("laws", "List laws and published fits.", laws.laws_command, laws.EXAMPLES),
    ("gpus", "List accelerators and prices.", gpus.gpus_command, gpus.EXAMPLES),
)
for _name, _summary, _command, _examples in _COMMANDS:
    app.command(_name, short_help=_summary, epilog=_examples, context_settings=_CONTEXT)(_command)
ErrorBoundary.registered = tuple(app.registered_commands)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"scaleplan {__version__}")
        raise typer.Exit


@app.callback(
    epilog="\b\nExample:\n  scaleplan budget --gpus 1000 --params 1e10\n\n"
    "\b\nExit codes: 0 done, 1 bug, 2 usage, 3 input file or data, 4 fit refused,\n"
    "5 plan infeasible, 6 warnings under --strict, 130 interrupted, 141 closed pipe."
)
def scaleplan(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Defaults of options; without it scaleplan.yaml in the working folder, if any.",
        ),
    ] = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Read no file of defaults.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Say on standard error which defaults a file gives: typed options count first, "
            "then the file, then the program.",
        ),
    ] = False,
) -> None:
    """Plan a training run from the logs of smaller ones."""
    _configure(context, config, no_config=no_config, verbose=verbose)


def _configure(context: typer.Context, path: str | None, *, no_config: bool, verbose: bool) -> None:
    """Let a file of defaults stand in for options that are not typed."""
    if path is not None and no_config:
        raise UsageError("--config and --no-config contradict each other", hint="Give one.")
    # An existing file is the only reason to import what reads it.
    if path is None and (no_config or not Path("scaleplan.yaml").is_file()):
        return
    from scaleplan.cli.failure import write_stderr
    from scaleplan.configfile import NAME, load_config
    from scaleplan.fitfile import is_fit_file
    from scaleplan.render.text import plain_text

    if path is None and is_fit_file(NAME):
        return  # a fit that somebody kept under this name
    found = load_config(path or NAME)
    context.default_map = {**(context.default_map or {}), **found.defaults}
    context.meta[DEFAULTS_FILE] = found.file
    if verbose:
        for line in found.said:
            write_stderr(plain_text(f"{found.file}: {line}") + "\n")


def run() -> None:
    """Run the program as the `scaleplan` script does."""
    # Describing all commands takes a good part of the time of a plan: the one that was typed is
    # enough. All are there for help and for names that are misspelt.
    typed = [one for one in app.registered_commands if one.name == "".join(sys.argv[1:2])]
    app.registered_commands = typed or app.registered_commands
    # Not app(): that would put typer's own hook for unexpected exceptions in place of ours.
    typer.main.get_command(app)(prog_name="scaleplan")
