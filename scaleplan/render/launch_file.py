"""The runs to train next as a file: a log with the results left open, or a shell script."""

from __future__ import annotations

import csv
import io
import json
import shlex
from typing import TYPE_CHECKING

from scaleplan.render.text import plain_text
from scaleplan.runs.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.records import NextRun, NextRuns

_COLUMNS = (
    "run", "params", "tokens", "flops", "layers", "width", "heads", "batch_tokens", "steps",
    "learning_rate",
)  # fmt: skip


def _names(plan: NextRuns) -> dict[str, str]:
    """Return what each column is called: as the logs of the fit call it, so that they are alike.

    One of ours that has the name of one of theirs is left out.
    """
    own = {role: plain_text(column) for role, column in plan.columns}
    taken = {*own.values(), plain_text(plan.metric.name)}
    known = {name for run in plan.runs for name in _values(run)}
    return {
        name: own.get(name, name) for name in _COLUMNS
        if name in known and (name in own or name not in taken)
    }  # fmt: skip


def _values(run: NextRun) -> dict[str, str]:
    """Return what is known of a run; only language models have a shape, a batch and a rate."""
    numbers = {
        "params": run.params, "tokens": run.tokens, "flops": run.flops, "layers": run.layers,
        "width": run.width, "heads": run.heads, "batch_tokens": run.batch_tokens,
        "steps": run.steps,
    }  # fmt: skip
    found = {"run": run.name}
    found |= {name: _whole(value) for name, value in numbers.items() if value is not None}
    if run.learning_rate is not None:
        found["learning_rate"] = _plain(run.learning_rate)
    return found


def _whole(value: float) -> str:
    return str(round(value))


def _plain(value: float) -> str:
    """Write a small number without an exponent, which YAML would read as text."""
    return f"{value:.12f}".rstrip("0")


def _csv(plan: NextRuns) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = _names(plan)
    writer.writerow([inert(name) for name in (*names.values(), plain_text(plan.metric.name))])
    for run in plan.runs:
        values = _values(run)
        writer.writerow([*(values[name] for name in names), ""])
    return text.getvalue()


def _yaml(plan: NextRuns) -> str:
    """Return a list of mappings; names of the user's are quoted as JSON, which YAML reads."""
    metric = json.dumps(plan.metric.name)
    names = {
        name: own if own in _COLUMNS else json.dumps(own) for name, own in _names(plan).items()
    }
    lines = ["# Runs planned by scaleplan next: write each result in place of null, then fit this."]
    if any(run.layers is not None for run in plan.runs):
        lines.append(
            "# Shapes are guesses: count the parameters of your models, and write them in params."
        )
    for run in plan.runs:
        values = _values(run)
        first, *rest = (f"{own}: {values[name]}" for name, own in names.items())
        lines += [f"- {first}", *(f"  {line}" for line in rest), f"  {metric}: null"]
    return "\n".join(lines) + "\n"


def _sh(plan: NextRuns) -> str:
    """Return a script that calls $TRAIN once a run."""
    lines = [
        "#!/bin/sh",
        "# Runs planned by scaleplan next. Set TRAIN to the command that trains one run:",
        "#     TRAIN='python train.py' sh runs.sh",
        "# Placeholders: learning rates and shapes are guesses; add your own options to TRAIN.",
        "set -eu",
        ': "${TRAIN:?set TRAIN to the command that trains one run}"',
    ]
    for run in plan.runs:
        words = [
            word
            for name, value in _values(run).items()
            for word in (f"--{name.replace('_', '-')}", value)
        ]
        lines.append("$TRAIN " + " ".join(shlex.quote(word) for word in words))
    return "\n".join(lines) + "\n"


# `--emit` value -> how the runs become a file.
LAUNCH_FILES: dict[str, Callable[[NextRuns], str]] = {"yaml": _yaml, "csv": _csv, "sh": _sh}


def launch_file(plan: NextRuns, kind: str) -> str:
    """Return the text of a file that a launcher can read.

    Args:
        plan: The runs.
        kind: A key of LAUNCH_FILES.
    """
    return LAUNCH_FILES[kind](plan)
