"""Names of statistics, as spreadsheets and the summaries of pandas, polars and R write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from scaleplan.runs.text import words

Statistic = Literal["mean", "sum", "std", "median", "min", "max", "count", "quantile"]

_NAMES: dict[str, Statistic] = {
    "mean": "mean", "average": "mean", "averages": "mean", "avg": "mean", "means": "mean",
    "total": "sum", "totals": "sum", "sum": "sum", "grandtotal": "sum", "subtotal": "sum",
    "std": "std", "stdev": "std", "stddev": "std", "sd": "std", "standarddeviation": "std",
    "stdevp": "std", "stdevs": "std",
    "median": "median", "med": "median", "min": "min", "minimum": "min", "max": "max",
    "maximum": "max", "count": "count", "n": "count", "nobs": "count", "nullcount": "count",
    "nunique": "count", "unique": "count", "freq": "count",
    "q1": "quantile", "q2": "quantile", "q3": "quantile", "1stqu": "quantile", "3rdqu": "quantile",
}  # fmt: skip
# Nobody calls a run so; a model may pool by mean, sum or max.
_SURE = frozenset(
    {"average", "averages", "total", "totals", "grandtotal", "subtotal", "stdev", "stddev",
     "standarddeviation"}
)  # fmt: skip
_FILLERS = frozenset({"of", "all", "over", "runs", "rows", "the", "seeds", "overall"})
_QUANTILE = re.compile(r"\d{1,2}(?:\.\d+)?\s*%|[pq]\d{1,2}|\d{1,2}th percentile", re.IGNORECASE)
_LONGEST = 32  # characters


@lru_cache(4096)
def statistic(text: str) -> Statistic | None:
    """Return the statistic that a cell or a column is named after; None for another name.

    Args:
        text: All of the cell; `mean-pool` names something else than a mean.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _QUANTILE.fullmatch(text):
        return "quantile"
    return _NAMES.get(_told(text))


@lru_cache(4096)
def is_surely_statistic(text: str) -> bool:
    """Tell whether a name is that of a statistic and of nothing that a run may be called after."""
    return _told(text) in _SURE


def _told(text: str) -> str:
    return "".join(word for word in words(text) if word not in _FILLERS)
