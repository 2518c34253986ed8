"""Printed logs: lines such as `Epoch 3, Loss: 1.902150` or `iter 10: loss 4.27, time 18.5ms`.

A line gives the numbers whose names are known: steps, epochs, tokens, learning rates and metrics;
a line before the training may give the number of parameters and the tokens a step. Every other
line is passed over, and counted. A pattern of the user's own replaces the search.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import numpy as np

from scaleplan.errors import InputError, UsageError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, filled_from
from scaleplan.runs.roles import NUMBER_ROLES, rank
from scaleplan.runs.source import TextSource
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
# (a+)+ and the like, whose search grows exponentially with the line.
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)[+*{]")
_LONGEST = 4000  # characters of a line that are searched; a longer one is no message
_AXES = ("step", "epoch", "tokens")
# What programs print once: `number of parameters: 10.65M`, `tokens per iteration will be: 16,384`.
_SETTING = re.compile(
    r"(?<![A-Za-z])(?P<name>(?:(?:total |model )?num(?:ber)?[ _](?:of[ _])?)?(?:(?:total|trainable|"
    r"model)[ _])?param(?:eter)?s|tokens[ _]per[ _](?:iteration|iter|step|batch))"
    r"(?: will be| is)?[ \t]*[:=|]?[ \t]*"
    r"(?P<number>\d[\d_,]*(?:\.\d+)?[ ]?(?:[KMBT]\b)?)(?![\w.%])",
    re.IGNORECASE,
)
_BLOCK = 5000
_MOST_NAMES = 100


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a printed log by the names that are known.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If no line holds a metric.
    """
    return _read(source, keep_text, None)


def read_with(source: TextSource, keep_text: KeepText, pattern: str) -> RawTable:
    r"""Read a printed log by a pattern whose named groups are the columns.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.
        pattern: A regular expression such as `Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)`.

    Raises:
        UsageError: If it is no regular expression or names no group.
        InputError: If no line matches.
    """
    return _read(source, keep_text, compiled(pattern))


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, checked.

    Raises:
        UsageError: If it is no regular expression or names no group.
    """
    example = r"For example --pattern 'Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)'."
    try:
        made = re.compile(pattern)
    except re.error as error:
        message = f"--pattern is not a regular expression: {error}"
        raise UsageError(message, hint=example) from None
    if _NESTED.search(pattern):
        message = "--pattern repeats a group that repeats inside, which can take for ever"
        raise UsageError(message, hint="Take the inner or the outer repetition out.")
    if not made.groupindex:
        raise UsageError("--pattern names no group", hint=example)
    return made


def _read(source: TextSource, keep_text: KeepText, pattern: re.Pattern[str] | None) -> RawTable:
    builder = TableBuilder(source.name, keep_text=keep_text)
    skipped = 0
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    found = False
    heading: dict[str, str] = {}
    last: dict[str, str] = {}
    settings: dict[str, str] = {}
    for line, text in enumerate(source.lines(), 1):
        row = _known(text) if pattern is None else _matched(text, pattern)
        if row and not any(describe(name) is not None for name in row) and pattern is None:
            heading = row  # `Epoch 1/10` before the line with its metrics
            continue
        if not row:
            said = _settings(text) if pattern is None else {}
            settings = {**said, **settings}  # what is said first counts
            skipped += bool(text.strip()) and not said
            continue
        found = True
        rows.append({**heading, **row})
        lines.append(line)
        if len(rows) >= _BLOCK:
            last = _add(builder, rows, lines, last)
            rows, lines = [], []
    if not found:
        raise InputError(
            "no line matches --pattern" if pattern is not None
            else "no line holds a metric such as `loss 2.31`",
            file=source.name,
            hint=r"Describe a line with --pattern 'Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)'.",
        )  # fmt: skip
    _add(builder, rows, lines, last)
    for note in source.notes():
        builder.note(note)
    if skipped:
        builder.note(_note(source.name, skipped))
    table = builder.build(settings)
    return table if pattern is not None else _united(table)


def _united(table: RawTable) -> RawTable:
    """Join columns in which lines of different form say the same thing.

    nanoGPT prints `step 250: train loss 1.9, val loss 2.0` where it validates and `iter 260: loss
    1.8` between: both count steps, and a loss without further name, beside one on training data,
    is that of a training batch.
    """
    columns = dict(table.columns)
    steps = [name for name in columns if rank("step", name) is not None]
    for name in steps[1:]:
        _join(columns, steps[0], name)
    metrics = [found for name in columns if (found := describe(name)) is not None]
    for plain in metrics:
        twins = [
            other.column for other in metrics
            if plain.split == "plain" and other.split == "train"
            and replace(other, split="plain").meaning == plain.meaning
        ]  # fmt: skip
        if twins:
            _join(columns, twins[0], plain.column, at=steps[0] if steps else None)
    return replace(table, columns=columns)


def _join(columns: dict[str, RawColumn], kept: str, name: str, at: str | None = None) -> None:
    """Move a column's cells into the empty cells of another; at steps that have one they go."""
    # Names that one line sets side by side mean different things there.
    if (~columns[kept].blank & ~columns[name].blank).any():
        return
    other = columns.pop(name)
    if at is not None:
        step = columns[at].numbers
        # A mean over many batches says more than the batch that came next.
        again = np.isin(step, step[~columns[kept].blank])
        other = replace(
            other, numbers=np.where(again, np.nan, other.numbers),
            codes=np.where(again, -1, other.codes).astype(np.int32),
        )  # fmt: skip
    columns[kept] = filled_from(columns[kept], other)


def _note(file: str, skipped: int) -> Note:
    return Note(
        id="LINES_PASSED_OVER", severity="info",
        text=f"{skipped} lines of {file} hold no known number and were passed over.",
        action="Describe the lines that count with --pattern.",
        numbers=(("lines", float(skipped)),),
    )  # fmt: skip


def _add(
    builder: TableBuilder, rows: list[dict[str, str]], lines: list[int], last: dict[str, str]
) -> dict[str, str]:
    """Add rows and return the last step; a line without a step belongs to the step before it."""
    merged = []
    for row in rows:
        last = {name: text for name, text in row.items() if _axis(name)} or last
        merged.append({**last, **row})
    names = list(dict.fromkeys(name for row in merged for name in row))[:_MOST_NAMES]
    builder.add({name: [row.get(name, "") for row in merged] for name in names}, lines)
    return last


def _settings(text: str) -> dict[str, str]:
    """Return what a line says about the whole run: parameters, tokens a step."""
    found: dict[str, str] = {}
    for match in _SETTING.finditer(text[:_LONGEST]):
        number = parse_count(match["number"].replace(",", "").replace(" ", ""))
        found[match["name"]] = repr(number)
    return found


def _axis(name: str) -> bool:
    return any(rank(role, name) is not None for role in _AXES)


def _known(text: str) -> dict[str, str]:
    """Return the numbers of a line whose names are known; empty without a metric or a step."""
    if text.lstrip().startswith("{'"):
        return _of_dictionary(text)
    row: dict[str, str] = {}
    for match in _PAIR.finditer(text[:_LONGEST]):
        name = _name(match["name"])
        if name is None or name in row:
            continue
        row[name] = match["number"] + ("%" if match["percent"] else "")
    # A line of settings (`batch size 64, learning rate 3e-4`) measures nothing.
    measured = any(describe(name) is not None for name in row)
    return row if measured or (row and all(map(_axis, row))) else {}


def _of_dictionary(text: str) -> dict[str, str]:
    """Return the known numbers of a line that is a Python dictionary, as Hugging Face prints it."""
    try:
        found = ast.literal_eval(text.strip()[:_LONGEST])
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


def _matched(text: str, pattern: re.Pattern[str]) -> dict[str, str]:
    match = pattern.search(text[:_LONGEST])
    if match is None:
        return {}
    return {name: value or "" for name, value in match.groupdict().items()}


def recognises(head: str) -> bool:
    """Tell whether most lines of a text that say anything are messages with a metric."""
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    if not lines:
        return False
    if lines[0].lstrip()[:1] in {"{", "["} and not lines[0].lstrip().startswith("{'"):
        return False
    hits = sum(1 for line in lines if any(describe(name) is not None for name in _known(line)))
    commas = lines[0].count(",") + lines[0].count("\t")
    # A table has its names in the first line only, and as many marks in each.
    same = commas > 0 and all(line.count(",") + line.count("\t") == commas for line in lines[:20])
    return hits >= 2 and not (same and not _known(lines[0]))


PRINTED = Format(
    name="printed log", extensions=(".log", ".out", ".txt"), recognises=recognises, read=read
)
