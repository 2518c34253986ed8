"""What one line of a printed log says: the numbers whose names are known, and settings."""

from __future__ import annotations

import ast
import re

from scaleplan.runs.metrics import describe
from scaleplan.runs.roles import NUMBER_ROLES, rank
from scaleplan.units import parse_count

# One to three words, then perhaps a mark, then a number; `Epoch [3/10]` gives 3.
_PAIR = re.compile(
    r"(?<![A-Za-z0-9_])"
    r"(?P<name>[A-Za-z][A-Za-z0-9_@/.]{0,40}(?:[ _][A-Za-z][A-Za-z0-9_/]{0,40}){0,2})"
    r"[ \t]{0,3}(?:[:=]{1,2}|->)?[ \t]{0,3}[\[(]?"
    r"(?P<number>[-+]?(?:\d[\d_]*(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|[-+]?(?:nan|inf)\b)"
    r"(?P<percent>[ ]?%)?",
    re.IGNORECASE,
)
# DeepSpeed's `steps: 10 loss: 4.9`; not `max steps`, `warmup steps`.
_STEPS = re.compile(r"(?:[A-Z]+ ){0,2}[Ss]teps")
# What programs print once: `number of parameters: 10.65M`, `tokens per iteration will be: 16,384`.
_SETTING = re.compile(
    r"(?<![A-Za-z])(?P<name>(?:(?:total |model )?num(?:ber)?[ _](?:of[ _])?)?(?:(?:total|trainable|"
    r"model)[ _])?param(?:eter)?s|tokens[ _]per[ _](?:iteration|iter|step|batch))"
    r"(?: will be| is)?[ \t]*[:=|]?[ \t]*"
    r"(?P<number>\d[\d_,]*(?:\.\d+)?[ ]?(?:[KMBT]\b)?)(?![\w.%])",
    re.IGNORECASE,
)
_LONGEST = 4000  # characters of a line that are searched; a longer one is no message
_AXES = ("step", "epoch", "tokens")


def axis(name: str) -> str | None:
    """Return the role of a name that counts the points of a run: step, epoch or tokens."""
    return next((role for role in _AXES if rank(role, name) is not None), None)


def measures(row: dict[str, str]) -> bool:
    """Tell whether a metric is among the names of a line."""
    return any(describe(name) is not None for name in row)


def settings(text: str) -> dict[str, str]:
    """Return what a line says about the whole run: parameters, tokens a step."""
    found: dict[str, str] = {}
    for match in _SETTING.finditer(text[:_LONGEST]):
        number = parse_count(match["number"].replace(",", "").replace(" ", ""))
        found[match["name"]] = repr(number)
    return found


def known(text: str) -> dict[str, str]:
    """Return the numbers of a line whose names are known; empty without a metric or a step.

    Args:
        text: The line, uncoloured.
    """
    start = text.find("{'")
    if start >= 0:
        # A bar of progress may stand before it.
        row = _of_dictionary(text[start:])
        if row or not text[:start].strip():
            return row
    row, steps = {}, ""
    for match in _PAIR.finditer(text[:_LONGEST]):
        if not steps and _STEPS.fullmatch(match["name"]):
            steps = match["number"]
        name = _name(match["name"])
        if name is None or name in row:
            continue
        row[name] = match["number"] + ("%" if match["percent"] else "")
    if measures(row):
        # Without a metric `steps: 1000` is how many there will be.
        counted = not steps or any(axis(name) == "step" for name in row)
        return row if counted else {"step": steps, **row}
    # A line of settings (`batch size 64, learning rate 3e-4`) measures nothing.
    return row if row and all(map(axis, row)) else {}


def matched(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the groups of a line that a pattern of the user's matches; empty if it does not."""
    match = pattern.search(text[:_LONGEST])
    if match is None:
        return {}
    return {name: value or "" for name, value in match.groupdict().items()}


def _of_dictionary(text: str) -> dict[str, str]:
    """Return the known numbers of a line that is a Python dictionary, as Hugging Face prints it."""
    try:
        found = ast.literal_eval(text[: text.rfind("}") + 1][:_LONGEST])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: str(value) for name, value in found.items()
        if isinstance(name, str) and isinstance(value, int | float | str) and _name(name) == name
    }  # fmt: skip


def _name(words: str) -> str | None:
    """Return the longest end of some words that names a role or a metric."""
    parts = words.split(" ")
    for start in range(len(parts)):
        name = " ".join(parts[start:])
        if describe(name) is not None:
            return name
        if any(rank(role, name) is not None for role in NUMBER_ROLES):
            return name
    return None
