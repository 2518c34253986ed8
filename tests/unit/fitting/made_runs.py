"""Runs made in memory, for tests of `fit` that need no file."""

from __future__ import annotations

import numpy as np

from scaleplan.records import Cleaning, ColumnUse, Metric
from scaleplan.runs.table import Origins, Runs


def make_runs(values, *, kind="loss", **columns):
    """Return runs of a metric with columns by role (params, tokens, flops, input ...)."""
    count = len(values)
    columns = {role: np.asarray(column, float) for role, column in columns.items()}
    if {"params", "tokens"} <= set(columns):
        columns.setdefault("flops", 6.0 * columns["params"] * columns["tokens"])
    uses = tuple(ColumnUse(role=r, column=r, how="given") for r in columns)
    return Runs(
        columns={**columns, "value": np.asarray(values, float)}, labels={}, extra={},
        metric=Metric(name=kind, kind=kind, unit="nats/token"),
        cleaning=Cleaning(
            files=("made",), rows_read=count, rows_used=count, dropped=(), changed=(), columns=uses
        ),
        metadata={}, units={}, fingerprint="made", notes=(), assumptions=(),
        origins=Origins(("made",), np.zeros(count, np.int64), np.arange(1, count + 1)),
        flops_per_param_token=6.0 if "flops" in columns and "params" in columns else None,
    )  # fmt: skip
