"""What one line of a printed log says: the numbers whose names are known, and settings."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache

from scaleplan.runs.metrics import Candidate, describe
from scaleplan.runs.roles import NUMBER_ROLES, rank
from scaleplan.units import parse_count

# One to three words, then perhaps a mark, then a number; `Epoch [3/10]` gives 3.
_PAIR = re.compile(
    r"(?<![A-Za-z0-9_])"
    r"(?P<name>[A-Za-z][A-Za-z0-9_@/.]{0,40}(?:[ _][A-Za-z][A-Za-z0-9_/]{0,40}){0,2})"
    r"[ \t]{0,3}(?:[:=]{1,2}|->)?[ \t]{0,3}[\[(]?"
    r"(?P<number>[-+]?(?:\d[\d_]*(?:,\d+)*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|[-+]?(?:nan|inf)\b)"
    r"(?P<percent>[ ]?%)?",
    re.IGNORECASE,
)
# DeepSpeed's `steps: 10 loss: 4.9`, not `max steps` or `warmup steps`; fairseq's `num_updates 10`.
_STEPS = re.compile(r"(?:[A-Z]+ ){0,2}[Ss]teps|(?:valid_|train_)?num_updates")
# `Test: Acc@1 20.0`, `| valid | epoch 1 | loss 5.7`, `Train: loss 3.1 | Val: loss 3.2`; a star
# begins the line to which an evaluation of the PyTorch examples comes.
_PART = re.compile(
    r"(?:^|[\s|\]>(-])(?P<split>train|training|val|valid|validation|eval|evaluation|test)"
    r"(?:[ ]set)?[ ]*[:|\]][ \t]*(?=[A-Za-z|\[*])|^\s*(?P<star>\*)[ \t]",
    re.IGNORECASE,
)
# `Test: [ 10/196]  Time 0.2`: the mean over a part of the batches.
_OF_EVALUATION = re.compile(
    r"(?:^|[\s|\]>(-])(?:test|val|valid|validation|eval|evaluation):\s*\[\s*\d+/\d+\]\s*(?:eta|time)\b",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
_SHARE = re.compile(r"[ ]?/[ ]?(?P<of>\d{1,12})\b")
_TOP = re.compile(r"(acc|top)@([15])$", re.IGNORECASE)
# timm's `Train: 0 [  10/1251 (  1%)]`, the PyTorch examples' `Epoch: [0][1000/5005]` and
# `Epoch: 1 [640/60000 (1%)]`, `Epoch 1/9 | Batch 10/500`.
_BATCH = re.compile(
    r"(?:\bepoch\b|^\W*train:)[:\s]{0,4}[\[(]?[ ]{0,4}"
    r"(?P<epoch>\d+)[ ]?(?:/[ ]?\d+)?[\])]?[\s,:|-]{0,8}"
    r"(?:batch[ ]?[:\[(]?[ ]{0,8}|[\[(][ ]{0,8})(?P<batch>\d+)[ ]?/[ ]?(?P<of>\d+)",
    re.IGNORECASE,
)
# What programs print once: `number of parameters: 10.65M`, `tokens per iteration will be: 16,384`.
_SETTING = re.compile(
    r"(?<![A-Za-z])(?P<name>(?:(?:total |model )?num(?:ber)?[ _](?:of[ _])?)?(?:(?:total|trainable|"
    r"model)[ _])?param(?:eter)?s|tokens[ _]per[ _](?:iteration|iter|step|batch))"
    r"(?: will be| is)?[ \t]*[:=|]?[ \t]*"
    r"(?P<number>\d[\d_,]*(?:\.\d+)?[ ]?(?:[KMBT]\b)?)(?![\w.%])",
    re.IGNORECASE,
)
# A Python dictionary, as Hugging Face prints it, or one in JSON, as fairseq does.
_DICTIONARY = re.compile(r"""\{\s?['"]""")
# main.log of github.com/karpathy/llm.c: `s:250 tel:6.49` (test loss), `s:251 trl:6.48`, and the
# accuracy on HellaSwag.
_LLM_C = re.compile(
    r"s:(?P<step>\d{1,12}) (?P<name>tel|trl|eval):(?P<number>-?(?:\d+(?:\.\d*)?|nan|inf))"
    r"(?: [a-z]{1,10}:\S{1,20}){0,5}"
)
_LLM_C_NAMES = {"tel": "val_loss", "trl": "train_loss", "eval": "HellaSwag accuracy"}
_LONGEST = 4000  # characters of a line that are searched; a longer one is no message
_KEPT = 4096  # names that are looked up once: the lines of a log repeat them
_AXES = ("step", "epoch", "tokens")


@lru_cache(_KEPT)
def axis(name: str) -> str | None:
    """Return the role of a name that counts the points of a run: step, epoch or tokens."""
    return next((role for role in _AXES if rank(role, name) is not None), None)


def measures(row: dict[str, str]) -> bool:
    """Tell whether a metric is among the names of a line."""
    return any(_metric(name) is not None for name in row)


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
    begin = _DICTIONARY.search(text)
    if begin is not None:
        # A bar of progress, or the time and what part of the program speaks, may stand before it.
        row = _of_dictionary(text[begin.start() :])
        if row or not text[: begin.start()].strip():
            return row
    short = _LLM_C.fullmatch(text.strip())
    if short is not None:
        return {"step": short["step"], _LLM_C_NAMES[short["name"]]: short["number"]}
    row, steps = {}, ""
    parts = [(match.end(), match["split"]) for match in _PART.finditer(text[:_LONGEST])]
    if parts and _OF_EVALUATION.search(text):
        return {}  # not yet what the evaluation comes to
    for match in _PAIR.finditer(text[:_LONGEST]):
        if not steps and _STEPS.fullmatch(match["name"]):
            steps = match["number"]
        name = _name(_TOP.sub(r"\1\2", match["name"]))
        if name is None:
            continue
        number = _number(match["number"], name, text[match.end() :])
        if number is None:
            continue
        name = _of_part(name, [split for end, split in parts if end <= match.start("name")])
        row.setdefault(name, number + ("%" if match["percent"] else ""))
    batch = _BATCH.search(text[:_LONGEST])
    epoch = next((name for name in row if axis(name) == "epoch"), "epoch")
    if batch is not None and 0 < int(batch["of"]) >= int(batch["batch"]):
        row[epoch] = repr(int(batch["epoch"]) + int(batch["batch"]) / int(batch["of"]))
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


def _number(text: str, name: str, rest: str) -> str | None:
    """Return the number that stands for a name; None where it is a list such as 1,2,3.

    Args:
        text: As it is written.
        name: What it is.
        rest: What follows it.
    """
    if text.count(",") and not (_GROUPED.fullmatch(text) or _DECIMAL_COMMA.fullmatch(text)):
        return None
    found, of = _metric(name), _SHARE.match(rest)
    if of is not None and found is not None and found.kind in {"accuracy", "error"}:
        if not text.isdigit() or int(of["of"]) < max(1, int(text)):
            return None
        return repr(int(text) / int(of["of"]))  # `Accuracy: 9850/10000`
    return text


def _of_part(name: str, splits: list[str | None]) -> str:
    """Return the name of a metric with what the part of its line says it was measured on."""
    found = _metric(name)
    if not splits or found is None or found.split != "plain":
        return name
    return f"{splits[-1] or 'test'} {name}"


def _of_dictionary(text: str) -> dict[str, str]:
    """Return the known numbers of a dictionary that a line ends with, in Python or in JSON."""
    text = text[: text.rfind("}") + 1][:_LONGEST]
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        try:
            found = json.loads(text)  # which has null and NaN
        except (ValueError, RecursionError):
            return {}
    if not isinstance(found, dict):
        return {}
    row = {
        "step" if _STEPS.fullmatch(name) else name: str(value)
        for name, value in found.items()
        if isinstance(name, str) and isinstance(value, int | float | str)
        and (_name(name) == name or _STEPS.fullmatch(name))
    }  # fmt: skip
    return row if measures(row) else {}


@lru_cache(_KEPT)
def _metric(name: str) -> Candidate | None:
    return describe(name)


@lru_cache(_KEPT)
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
