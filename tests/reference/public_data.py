"""Where the public sweeps are, and their columns.

The data are other groups' and are not part of the project. Point SCALEPLAN_PUBLIC_DATA at a folder
that holds them, or keep them in ../shared/data.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

FOLDER = Path(
    os.environ.get("SCALEPLAN_PUBLIC_DATA", Path(__file__).parents[3] / "shared" / "data")
)
PUBLIC_DATA_IS_HERE = (FOLDER / "chinchilla_runs.csv").exists()


def texts(name, *wanted, where=lambda row: True):
    """Return columns of a file as lists of text, rows chosen by `where`."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if where(row)]
    return [[row[column] for row in rows] for column in wanted]


def columns(name, *wanted, where=lambda row: True):
    """Return columns of a file as arrays of numbers."""
    return [
        np.array([float(cell) for cell in column]) for column in texts(name, *wanted, where=where)
    ]
