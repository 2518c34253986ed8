"""Columns that give the shape of a model."""

from __future__ import annotations

import re

from scaleplan.runs.text import fold

_SHAPE = frozenset({
    "nlayer", "nlayers", "numlayers", "numhiddenlayers", "layers", "nhead", "nheads", "numheads",
    "numattentionheads", "nembd", "embdim", "embeddim", "embeddingdim", "embeddingsize", "dmodel",
    "modeldim", "hiddensize", "hiddendim", "hiddenunits", "dff", "ffndim", "intermediatesize",
    "width", "depth",
})  # fmt: skip


def is_shape(column: str) -> bool:
    """Tell whether a column gives the shape of a model, such as its layers."""
    last = re.split(r"[/.]", column)[-1]
    return fold(last) in _SHAPE
