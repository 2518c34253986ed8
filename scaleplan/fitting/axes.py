"""Which columns of the runs a law is fitted against, and the metric in the form it is fitted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, InputError
from scaleplan.runs.inputs import could_be_size
from scaleplan.runs.metrics import describe, is_reading
from scaleplan.runs.roles import TEXT_ROLES
from scaleplan.runs.text import listed

if TYPE_CHECKING:
    from scaleplan.laws import Law
    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.runs.table import Runs

_SYMBOLS = {"params": "N", "tokens": "D", "flops": "C", "active_params": "N_active"}


_LARGEST_LOG = 700.0  # of a float
_ROUNDING = 1e-3  # of a share of parameters: sizes in a log have a few digits


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Inputs and metric of one fit, rows without them left out.

    Args:
        roles: The role of each input.
        columns: The column each came from.
        symbols: What formulas call each.
        inputs: Shape (inputs, n), raw units.
        values: Shape (n,), the metric as it is fitted.
        complement: Whether `values` is 1 - accuracy.
        rows: Shape (n,), which rows of the runs these are.
    """

    roles: tuple[str, ...]
    columns: tuple[str, ...]
    symbols: tuple[str, ...]
    inputs: FloatArray
    values: FloatArray
    complement: bool
    rows: IndexArray

    def within(self, rows: IndexArray) -> Axes:
        """Return the same axes on those of their rows that are among `rows`."""
        kept = np.isin(self.rows, rows)
        return replace(
            self, inputs=self.inputs[:, kept], values=self.values[kept], rows=self.rows[kept]
        )

    def flops_ratio(self, runs: Runs) -> float | None:
        """Return k of C = k N D where N is the size that these axes hold, None if unknown.

        Args:
            runs: The runs that the axes are of.
        """
        active = "active_params" in self.roles
        return runs.flops_per_active_token if active else runs.flops_per_param_token

    def active_ratio(self, runs: Runs) -> float | None:
        """Return k of the active parameters where the log has both and the axes hold not these.

        None where all are active, or more than all: the log counts the two in other ways then.

        Args:
            runs: The runs that the axes are of.
        """
        k, active = self.flops_ratio(runs), runs.flops_per_active_token
        if "active_params" in self.roles or k is None or active is None:
            return None
        return active if k < active * (1.0 - _ROUNDING) else None

    @property
    def of_loss(self) -> bool:
        """Tell whether the one input is a loss or an error, which is smaller for larger runs."""
        named = describe(self.columns[0]) if self.roles == ("input",) else None
        return named is not None and named.kind in {"loss", "error"}

    @property
    def scale(self) -> FloatArray:
        """Return what orders runs by size: the product of the inputs, or 1 / a loss, shape (n,)."""
        logs = np.log(self.inputs).sum(axis=0)
        logs = -logs if self.of_loss else logs
        return np.asarray(np.exp(np.clip(logs, -_LARGEST_LOG, _LARGEST_LOG)))


def single_roles(runs: Runs) -> tuple[str, ...]:
    """Return the roles that a law of one input can be fitted against, most sensible first.

    Raises:
        InputError: If no column can serve.
    """
    if runs.has("input"):
        return ("input",)
    named = ("params", "tokens", "flops", "active_params", "unique_tokens")
    varied = [role for role in named if _levels(runs, role) > 1]
    if {"params", "tokens", "flops"} <= set(varied):
        # Both sizes vary: compute is the one axis that orders the runs.
        varied = ["flops", *(role for role in varied if role != "flops")]
    # Where nothing varies the design check refuses, with its reason.
    found = varied or [role for role in named if runs.has(role)]
    if not found:
        there = [use.column for use in runs.cleaning.columns]
        there += [*runs.extra, *(name for name in runs.labels if name not in TEXT_ROLES)]
        raise InputError(
            "no column for the size of a run (params, tokens, flops) was found; the columns are "
            f"{listed(dict.fromkeys(there))}",
            hint=_how_to_size(runs),
        )
    return tuple(found)


def _how_to_size(runs: Runs) -> str:
    """Return how to give the sizes of runs: by a column that may be one, or run by run."""
    fitting = [
        name for name, numbers in runs.extra.items()
        if could_be_size(name) and describe(name) is None and not is_reading(name)
        and np.unique(numbers[np.isfinite(numbers) & (numbers > 0.0)]).size > 1
    ]  # fmt: skip
    if fitting:
        return (
            "Name it with --columns params=COLUMN, or use --input COLUMN, for example --input "
            f"{fitting[0]!r}."
        )
    if len(runs) == 1:
        return (
            "A law needs runs of several sizes: give their logs together, with the size of each "
            "as --set RUN:params=124M. `scaleplan check` judges the curve of one run."
        )
    named = runs.labels.get("run", ("",))[0]
    if not named:
        return "Add a column for it, such as params, or name one with --columns params=COLUMN."
    one = shlex.quote(f"{named}:params=124M")
    return (
        f"Give each run its own, as --set {one}, or in a runs.yaml beside the log; --columns "
        "params=COLUMN names a column that holds it."
    )


def _levels(runs: Runs, role: str) -> int:
    if not runs.has(role):
        return 0
    column = runs.column(role)
    return int(np.unique(column[np.isfinite(column)]).size)


def axes_for(runs: Runs, law: Law, role: str | None = None) -> Axes:
    """Return the inputs a law needs and the metric, in the form the law is fitted in.

    Args:
        runs: Cleaned runs.
        law: The law.
        role: For laws of one input, the role to use; None chooses one.

    Raises:
        InputError: If a needed column is missing.
        FitError: If no row has all of them, or the metric does not suit the law.
    """
    roles = (role or single_roles(runs)[0],) if law.inputs == ("x",) else law.inputs
    missing = [r for r in roles if not runs.has(r)]
    if missing:
        message = f"the {law.name} law needs {' and '.join(missing)}, which the log does not give"
        if missing == ["level"]:
            raise InputError(message, hint="Name the column of labels with --by, as optimizer.")
        raise InputError(
            message,
            hint=f"Name the column with --columns {missing[0]}=COLUMN, or choose another --law.",
        )
    inputs = np.stack([runs.column(r) for r in roles])
    values = runs.column("value")
    # Accuracies approach 1 as errors approach a floor: laws of falling metrics fit the error.
    complement = runs.metric.kind == "accuracy" and law.residual == "log"
    if complement:
        values = 1.0 - values
    usable = known = np.isfinite(inputs).all(axis=0) & np.isfinite(values)
    if law.residual == "log":
        usable = known & (values > 0.0) & (inputs > 0.0).all(axis=0)
    rows = runs.own_order[usable[runs.own_order]]
    if not rows.size and known.any():
        message = (
            f"none of the {int(known.sum())} runs has {', '.join(roles)} and {runs.metric.name} "
            "above 0, and laws are fitted to logarithms"
        )
        hint = "Fit how far the metric lies from a bound that it cannot pass: bound - metric."
        raise FitError(message, hint=hint)
    if not rows.size:
        message = f"no run has {', '.join(roles)} and a usable {runs.metric.name}"
        raise FitError(message, hint="See the list of dropped rows, or choose another --metric.")
    columns = tuple(_column_name(runs, r) for r in roles)
    symbols = tuple(
        c if r == "input" or len(c) == 1 else _SYMBOLS.get(r, c)
        for r, c in zip(roles, columns, strict=True)
    )
    return Axes(roles, columns, symbols, inputs[:, rows], values[rows], complement, rows)


def lacking(runs: Runs, axes: Axes, row: int) -> list[str]:
    """Return the columns for which a run that a law cannot use is to blame."""
    cells = {c: float(runs.column(r)[row]) for r, c in zip(axes.roles, axes.columns, strict=True)}
    value = float(runs.column("value")[row])
    cells[runs.metric.name] = 1.0 - value if axes.complement else value
    unknown = [name for name, cell in cells.items() if not np.isfinite(cell)]
    return unknown or [name for name, cell in cells.items() if cell <= 0.0]


def _column_name(runs: Runs, role: str) -> str:
    for use in runs.cleaning.columns:
        if use.role == role:
            return use.column
    return role


def metric_symbol(runs: Runs, *, complement: bool) -> str:
    """Return what stands to the left of the equals sign."""
    if runs.metric.kind == "loss" and len(runs.metric.name) > 1:  # E = 1/C keeps its letter
        return "L"
    return f"1 - {runs.metric.name}" if complement else runs.metric.name
