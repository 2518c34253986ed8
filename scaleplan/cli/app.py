"""The program: its commands in the order of the work."""

from __future__ import annotations

from typing import Annotated

import typer

from scaleplan import __version__
from scaleplan.cli import backtest, budget, compare, fit, gpus, laws, predict, tune
from scaleplan.cli import next as next_runs
from scaleplan.cli.boundary import ErrorBoundary

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
    ("laws", "List laws and published fits.", laws.laws_command, laws.EXAMPLES),
    ("gpus", "List accelerators and prices.", gpus.gpus_command, gpus.EXAMPLES),
)
for _name, _summary, _command, _examples in _COMMANDS:
    app.command(_name, short_help=_summary, epilog=_examples, context_settings=_CONTEXT)(_command)


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
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Plan a training run from the logs of smaller ones."""


def run() -> None:
    """Run the program as the `scaleplan` script does."""
    # Not app(): that would put typer's own hook for unexpected exceptions in place of ours.
    typer.main.get_command(app)(prog_name="scaleplan")
