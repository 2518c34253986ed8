"""What programs print while they boost trees: `[145]`, then a metric of each set of data."""

from __future__ import annotations

import re

from scaleplan.runs.formats.boosting_document import COUNTED_SET, METRICS

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|nan|inf)"
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
