"""What programs print while they boost trees: a round, then a metric of each set of data.

CatBoost does not name the metric, nor do lines such as `train 2.31 | val 2.35`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from scaleplan.runs.formats.boosting_document import COUNTED_SET, METRICS
from scaleplan.runs.raw import RawTable

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf)"
_DECIMAL = r"\d+\.\d+(?:e[-+]?\d+)?|nan|inf"
# XGBoost's `[90]<tab>train-rmse:0.12<tab>eval-rmse:0.37`, LightGBM's `[10]<tab>training's l2: 0.5`;
# `[0] loss: 2.3` is said by the process 0.
_ROUND = re.compile(
    r"[\s>]{0,20}\[(?P<round>\d{1,9})\]"
    rf"(?=\t|[ ]{{1,8}}[\w.]+(?:-|'s )[\w@-]+:[ ]?{_NUMBER})"
    rf"(?:[ \t]+[\w.@-]+(?:'s [\w@.-]+)?:[ ]?{_NUMBER}(?:[ ]?\+[ ]?{_NUMBER})?)+\s*",
    re.IGNORECASE,
)
_OF_SET = re.compile(r"(?P<set>[\w.-]+)'s (?P<metric>[\w@.-]+)(?=:)")
# XGBoost's `Stopping. Best iteration:`, LightGBM's `Early stopping, best iteration is:`.
_CLOSES = re.compile(r"\bbest iteration(?: is)?:\s*$", re.IGNORECASE)
# CatBoost's `10:<tab>learn: 0.51<tab>test: 0.53<tab>best: 0.53 (9)<tab>total: 31ms`, which does
# not name what it measures.
_CATBOOST = re.compile(
    rf"\s*(?P<round>\d{{1,9}}):\s+(?:learn: (?P<learn>{_NUMBER}))?"
    rf"(?:\s+test: (?P<test>{_NUMBER}))?(?:\s+best: (?P<best>{_NUMBER}) \(\d+\))?\s+total: .*"
)
# `step 400 | train 3.87 | val 3.91`, `train=0.85   val=2.43`.
_UNNAMED = re.compile(
    rf"\b(?P<learn>train(?:ing)?)[ ]?[:=]?[ ]{{0,3}}(?P<train>{_DECIMAL})[\s|,;/]{{1,8}}"
    rf"(?P<test>val(?:id|idation)?)[ ]?[:=]?[ ]{{0,3}}(?P<val>{_DECIMAL})(?![\w%.])",
    re.IGNORECASE,
)
_IS_UNNAMED = re.compile(r"(?:train(?:ing)?|test|val(?:id|idation)?) loss", re.IGNORECASE)
_BEST = "best of what has no name"


def catboost_round(text: str) -> dict[str, str]:
    """Return what CatBoost prints of a round; empty for any other line.

    Args:
        text: The line.
    """
    match = _CATBOOST.fullmatch(text.rstrip()) if "total: " in text else None
    if match is None or not (match["learn"] or match["test"]):
        return {}
    best = match["best"] or match["test"] or match["learn"]
    said = {"train loss": match["learn"], "test loss": match["test"], _BEST: best}
    return {"step": match["round"], **{name: text for name, text in said.items() if text}}


def unnamed(text: str) -> dict[str, str]:
    """Return what a line says of training and validation without naming a metric.

    Args:
        text: A line without a metric that is named.
    """
    match = _UNNAMED.search(text) if "al" in text else None
    if match is None:
        return {}
    return {
        f"{match['learn']} loss": match["train"], f"{match['test']} loss": match["val"],
        _BEST: match["val"],
    }  # fmt: skip


def directed(table: RawTable) -> RawTable:
    """Return a log whose metric without a name is a score if its best is the highest, or it rises.

    Args:
        table: A printed log.
    """
    if _BEST not in table.columns:
        return table
    best = table.columns[_BEST].numbers
    # What was trained on improves, where validation may get worse.
    trained, *tested = sorted(
        (name for name in table.columns if _IS_UNNAMED.fullmatch(name)),
        key=lambda name: not name.casefold().startswith("train"),
    )
    numbers = table.columns[(*tested, trained)[0]].numbers
    known = np.flatnonzero(np.isfinite(numbers) & np.isfinite(best))
    along = table.columns[trained].numbers
    along = along[np.isfinite(along)]
    rises = along.size > 1 and float(along[-1]) > float(along[0])
    if bool((best[known] != numbers[known]).any()):
        rises = bool((best[known] > numbers[known]).any())
    return replace(
        table,
        columns={
            name.replace("loss", "score") if rises else name: column
            for name, column in table.columns.items() if name != _BEST
        },
    )  # fmt: skip


def boosting_round(text: str) -> tuple[str, str]:
    """Return the round that a line is of, empty if it is of none, and the line in plain names.

    Args:
        text: The line.
    """
    match = _ROUND.fullmatch(text) if "]" in text[:40] else None
    if match is None:
        return "", text
    sets = {found["set"] for found in _OF_SET.finditer(text)}
    # A set without a name of its own that is the only one is the validation.
    only = sum(COUNTED_SET.fullmatch(name) is not None for name in sets) == 1

    def plain(found: re.Match[str]) -> str:
        name = "valid" if only and COUNTED_SET.fullmatch(found["set"]) else found["set"]
        return f"{name}-{METRICS.get(found['metric'], found['metric'])}"

    return match["round"], _OF_SET.sub(plain, text[match.end("round") + 1 :])


def closes(text: str) -> bool:
    """Tell whether a line announces the best round, which the next line repeats."""
    return _CLOSES.search(text) is not None
