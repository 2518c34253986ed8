"""What programs print once about a whole run: its parameters, its tokens a step."""

from __future__ import annotations

import math
import re

from scaleplan.runs.numbers import read_number
from scaleplan.runs.roles import rank

LONGEST = 4000  # characters of a line that are searched; a longer one is no message
# What programs print once: `number of parameters: 10.65M`, `tokens per iteration will be: 16,384`.
_SETTING = re.compile(
    r"(?<![A-Za-z])(?P<name>(?:(?:total |model )?num(?:ber)?[ _](?:of[ _])?)?(?:(?:total|trainable|"
    r"model)[ _])?param(?:eter)?s|tokens[ _]per[ _](?:iteration|iter|step|batch))"
    r"(?: will be| is)?[ \t]*[:=|]?[ \t]*"
    r"(?P<number>\d[\d_,]*(?:\.\d+)?[ ]?(?:[KMBT]\b)?)(?![\w.%])",
    re.IGNORECASE,
)
# `Total number of parameters in billions: 0.35`, `number parameters: 1.104 billion`, `size:
# 8,030,261,248 total parameters`, `225 layers, 3,157,200 parameters, 3,157,184 gradients`.
_IN = re.compile(r"\bparameters in (?P<unit>[bm])illions[ ]*:[ ]*(?P<number>\d+(?:\.\d+)?)")
_WORD = re.compile(r"\bparameters[ ]*:[ ]*(?P<number>\d+(?:\.\d+)?) (?P<unit>[bm])illion\b")
_BEFORE = re.compile(
    r"(?<![\w.,])(?P<number>\d[\d,]{5,}) "
    r"(?P<name>total parameters\b|parameters(?=, [\d,]+ gradients))"
)


def settings(text: str) -> dict[str, str]:
    """Return what a line says about the whole run: parameters, tokens a step.

    Args:
        text: The line.
    """
    found: dict[str, str] = {}
    if "aram" not in text and "PARAM" not in text and "okens" not in text:
        return found
    for match in _SETTING.finditer(_counts_first(text[:LONGEST])):
        number = read_number(match["number"].replace(",", "").replace(" ", ""))
        name = match["name"]
        unknown = "param" in name.casefold() and rank("params", name) is None
        if math.isfinite(number):
            found["parameters" if unknown else name] = repr(number)
    return found


def _counts_first(text: str) -> str:
    """Return a line with the parameters that it counts as `parameters: 350M`."""
    if "illion" in text:
        text = _IN.sub(_parameters, text)
        text = _WORD.sub(_parameters, text)
    return _BEFORE.sub(r"\g<name>: \g<number>", text) if " parameters" in text else text


def _parameters(match: re.Match[str]) -> str:
    return f"parameters: {match['number']}{match['unit'].upper()}"
