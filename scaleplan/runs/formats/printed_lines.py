"""What one line of a printed log says: the numbers whose names are known, and settings."""

from __future__ import annotations

import ast
import json
import re
from functools import lru_cache

from scaleplan.runs.formats.printed_batches import batch_of, part_of_epoch
from scaleplan.runs.formats.printed_dialects import in_plain_names
from scaleplan.runs.formats.printed_headings import DATA_SIZES, is_length, is_of_setting
from scaleplan.runs.formats.printed_parts import (
    HYPHENED,
    WORD,
    dictionary_on,
    is_half_measured,
    is_past,
    of_part,
    parts_of,
    placed,
    repeated_in_parts,
    run_on,
    without_marks,
)
from scaleplan.runs.formats.printed_rounds import boosting_round, catboost_round, unnamed
from scaleplan.runs.formats.printed_settings import LONGEST
from scaleplan.runs.metrics import Candidate, describe, of_no_metric
from scaleplan.runs.roles import NUMBER_ROLES, rank
from scaleplan.runs.run_totals import tells_totals
from scaleplan.runs.text import fold

_COUNTED = "(?:epoch|step|iter|iteration|lr)"
# A number with a hyphen ends a name (`BLEU-4`, `ROUGE-1`), unless it is counted (`epoch-3`); it
# stands inside of names that always have one only, for `GPU-0 loss` is a loss.
_NUMBERED = r"(?<!epoch)(?<!step)(?<!iter)(?<!iteration)-\d{1,2}(?![\w.])"
_FIRST = rf"(?:(?:top|bleu|rouge)-\d(?![\w.])|{WORD})"
_WORDS = rf"{_FIRST}(?:[ _][A-Za-z][A-Za-z0-9_/]{{0,40}}{HYPHENED}){{0,2}}(?:{_NUMBERED})?"
# One to three words, then perhaps a mark, then a number; `Epoch [3/10]` gives 3. The hyphen behind
# a word is no sign: one stands behind a blank or a mark.
_PAIR = re.compile(
    r"(?<![A-Za-z0-9_])(?<![A-Za-z]-)"
    rf"(?P<name>{_COUNTED}(?=[\d.e]+-)|{_WORDS})"
    r"(?:[ \t]{0,3}(?:[:=]{1,2}|->)?[ \t]{0,3}(?:[\[(`]|\*\*)?"
    r"|(?:(?<=epoch)|(?<=step)|(?<=iter)|(?<=iteration))-(?=\d))"
    r"(?P<number>(?:(?<!\w)[-+])?(?:\d[\d_]*(?:,\d+)*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
    r"|(?:(?<!\w)[-+])?(?:nan|inf)\b)"
    r"(?P<percent>[ ]?%)?",
    re.IGNORECASE,
)
# A step, epoch or number of tokens that is named without a number: `consumed samples: n/a |`.
_LACKING = re.compile(r"[:=][ \t]{0,3}(?:[|,;?]|-+(?![\d.])|n/?a\b|none\b|null\b|$)", re.IGNORECASE)
_LAST_WORDS = re.compile(rf"{_WORDS}\s*$", re.IGNORECASE)
# The cell of such a count: text, for an empty one would take the number of the line before.
_UNREAD = "no number"
# The unit of the number before a name: `54.7 s. Mean Reward`.
_TIMED = re.compile(r"^(?:s|secs?|seconds?|ms|mins?|minutes?|h|hours?)\. ", re.IGNORECASE)
# Columns of blanks before a number are as good as one: `iteration        8/   23841`.
_WIDE = re.compile(r"[ \t]{4,}")
# DeepSpeed's `steps: 10 loss: 4.9`, not `max steps` or `warmup steps`; fairseq's `num_updates 10`.
_STEPS = re.compile(
    r"(?:[A-Z]+ ){0,2}[Ss]teps|[Tt]rain(?:ing)?[ _][Ss]teps|(?:valid_|train_)?num_updates"
)
_IN_LIST = re.compile(r"\[[-+.\deE]+,\s*[-+.\d]")
_SO_FAR = re.compile(r"\s*\[\s*(\d+)\s*/\s*\d+\s*\](?=\s)")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
_SHARE = re.compile(r"[ ]?/[ ]?(?P<of>\d{1,12})\b")
_TOP = re.compile(r"(acc|top)@([15])$", re.IGNORECASE)
# A Python dictionary, as Hugging Face prints it, or one in JSON, as fairseq does.
_DICTIONARY = re.compile(r"""\{\s?['"]""")
# main.log of github.com/karpathy/llm.c: `s:250 tel:6.49` (test loss), `s:251 trl:6.48`, and the
# accuracy on HellaSwag.
_LLM_C = re.compile(
    r"s:(?P<step>\d{1,12}) (?P<name>tel|trl|eval):(?P<number>-?(?:\d+(?:\.\d*)?|nan|inf))"
    r"(?: [a-z]{1,10}:\S{1,20}){0,5}"
)
_LLM_C_NAMES = {"tel": "val_loss", "trl": "train_loss", "eval": "HellaSwag accuracy"}
_LONGEST_NAME = 80
# Said before a count, these make it one of the whole training, or no count: `max-epoch`.
_NO_COUNT = frozenset({"max", "min", "total", "num", "warmup", "warm", "per", "of", "every"})
_KEPT = 4096  # names that are looked up once: the lines of a log repeat them
_AXES = ("step", "epoch", "tokens")


@lru_cache(_KEPT)
def axis(name: str) -> str | None:
    """Return the role of a name that counts the points of a run: step, epoch or tokens."""
    return next((role for role in _AXES if rank(role, name) is not None), None)


def measures(row: dict[str, str]) -> bool:
    """Tell whether a metric is among the names of a line."""
    return any(_metric(name) is not None for name in row)


def known(text: str) -> dict[str, str]:
    """Return the numbers of a line whose names are known; empty without a metric or a step.

    Args:
        text: The line, uncoloured.
    """
    begin = _DICTIONARY.search(text)
    if begin is not None:
        # A bar of progress, or the time and what part of the program speaks, may stand before it.
        before = text[: begin.start()]
        row = _of_dictionary(text[begin.start() :])
        if row or not before.strip():
            return {**_beside(row, before, text[text.rfind("}") + 1 :]), **_on(row, before)}
    return _said(text)


def _on(row: dict[str, str], before: str) -> dict[str, str]:
    """Return what a dictionary says, with what it was measured on: `val {'loss': 2.7}`."""
    on = dictionary_on(before)
    return {of_part(name, on): number for name, number in row.items()}


def _beside(row: dict[str, str], before: str, behind: str) -> dict[str, str]:
    """Return what a line says beside a dictionary, and does not count otherwise in it."""
    counted = {axis(name) for name in row} - {None}
    found = _said(f"{before} {behind}") if row else {}
    return {
        name: number for name, number in found.items()
        if axis(name) not in counted and number != _UNREAD
    }  # fmt: skip


def _said(text: str) -> dict[str, str]:
    """Return the numbers of a line that are known, those in dictionaries aside."""
    text = without_marks(text)
    short = _LLM_C.fullmatch(text.strip())
    if short is not None:
        return {"step": short["step"], _LLM_C_NAMES[short["name"]]: short["number"]}
    plain = in_plain_names(text)
    if plain is None:
        return {}  # of a part of an epoch, which has a line of its own
    row = catboost_round(plain)
    if row:
        return row
    rounds, text = boosting_round(plain)
    text = placed(_WIDE.sub("   ", text[:LONGEST]))
    parts = parts_of(text)
    if parts and is_half_measured(text):
        return {}  # not yet what the evaluation comes to
    row, steps = _pairs(text, parts)
    during = part_of_epoch(text)
    if during is not None:
        row[next((name for name in row if axis(name) == "epoch"), "epoch")] = during
    if not measures(row):
        row = {**row, **unnamed(text)}
    if measures(row):
        if not any(map(axis, row)) and (at := _SO_FAR.match(text)) is not None:
            row = {"step": at[1], **row}  # `[ 2400/3000]`
        if rounds and not any(map(axis, row)):
            row = {"step": rounds, **row}
        if during is None and not steps and not {"step", "tokens"} & set(map(axis, row)):
            row = {**batch_of(text), **row}
        # Without a metric `steps: 1000` is how many there will be.
        counted = not steps or any(axis(name) == "step" for name in row)
        row = {**_unread(text, row), **(row if counted else {"step": steps, **row})}
        return {**run_on(text), **row}
    # A line of settings (`batch size 64, learning rate 3e-4`) measures nothing.
    row = {name: number for name, number in row.items() if number != _UNREAD}
    counts = all(map(axis, row)) and not (row and is_of_setting(text))
    return {**run_on(text), **row} if counts else {}


def _pairs(text: str, parts: list[tuple[int, str]]) -> tuple[dict[str, str], str]:
    """Return the numbers of a line by their names, and what DeepSpeed counts as steps.

    Args:
        text: The line.
        parts: Where its parts begin, and what they were measured on.
    """
    found: list[tuple[str, str]] = []
    steps = ""
    past = "best" in text.casefold()
    for match in _PAIR.finditer(text):
        if not steps and _STEPS.fullmatch(match["name"]):
            steps = match["number"]
        glued = match.end("name") == match.start("number")
        if glued and text[match.end("number") :][:1].isalnum():
            continue  # the name of a layer, `tok2vec`
        name = _name(_TIMED.sub("", _TOP.sub(r"\1\2", match["name"])))
        if name is None or (axis(name) and _is_no_count(text, match, past=past)):
            continue
        number = _number(match["number"], name, text[match.end() :])
        if number is None and axis(name) is None:
            continue
        on = [words for end, words in parts if end <= match.start("name")]
        if axis(name) is None and _IN_LIST.search(f"{match[0]}{text[match.end() :][:12]}"):
            continue  # `Dice [0.89, 0.67]` is of several classes
        if on and axis(name) == "tokens" and not on[-1].casefold().startswith("train"):
            continue  # `[EVAL] #Images: 500` are those of the evaluation
        said = _UNREAD if number is None else number + ("%" if match["percent"] else "")
        found.append((of_part(name, on[-1] if on else ""), said))
    row: dict[str, str] = {}
    for name, said in repeated_in_parts(found):
        row.setdefault(name, said)
    return row, steps


def _is_no_count(text: str, match: re.Match[str], *, past: bool) -> bool:
    """Tell whether a number beside the name of a count is none of this line's.

    Args:
        text: The line.
        match: The name and the number.
        past: Whether the line says what was best.
    """
    before, number, after = text[: match.end("name")], match["number"], text[match.end() :]
    # `ntokens: 485.20/513`, of one batch.
    mean = "." in number and _SHARE.match(after) is not None
    return (past and is_past(before)) or is_length(before) or mean


def _unread(text: str, row: dict[str, str]) -> dict[str, str]:
    """Return the counts that a line names without a number that can be read.

    Args:
        text: The line.
        row: The numbers that were read.
    """
    known = {axis(name) for name in row}
    ends = [match.start() for match in _LACKING.finditer(text)]
    found = [_LAST_WORDS.search(text, max(0, end - _LONGEST_NAME), end) for end in ends]
    names = [_name(match[0].rstrip()) for match in found if match is not None]
    return {name: _UNREAD for name in names if name and axis(name) and axis(name) not in known}


def matched(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the groups of a line that a pattern of the user's matches; empty if it does not."""
    match = pattern.search(text[:LONGEST])
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


def _of_dictionary(text: str) -> dict[str, str]:
    """Return the known numbers of a dictionary that a line ends with, in Python or in JSON."""
    text = text[: text.rfind("}") + 1][:LONGEST]
    try:
        found = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
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
        and (_name(name) == name or _STEPS.fullmatch(name) or tells_totals(name))
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
            # The `Std of Reward` is no reward.
            return None if "of" in parts and of_no_metric(words.partition(" of ")[0]) else name
        if fold(name) in DATA_SIZES:
            return DATA_SIZES[fold(name)]
        if any(rank(role, name) is not None for role in NUMBER_ROLES):
            return name.rpartition(". ")[2]  # what ends another sentence is not of it
    # `INFO-Epoch 3` counts epochs.
    before, _, name = words.rpartition("-")
    last = re.split("[-_ ]", before.casefold())[-1]
    return name if last and last not in _NO_COUNT and axis(name) else None
