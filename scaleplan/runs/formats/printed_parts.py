"""What the words of a printed line say of its numbers: on what data, when, the best so far."""

from __future__ import annotations

import re
from functools import lru_cache

from scaleplan.runs.metrics import describe

_SPLIT = "train|training|test|val|valid|validation|eval|evaluation|dev"
# `val-loss`, `validation_0-logloss`.
HYPHENED = r"(?:-[A-Za-z][A-Za-z0-9_@/.]{0,40}){0,3}"
WORD = rf"[A-Za-z][A-Za-z0-9_@/.]{{0,40}}{HYPHENED}"
_SAID_OF = r"(?:[ _](?:set|data|metrics?|results?|scores?))?"
# `Test: Acc@1 20.0`, `| valid | epoch 1 | loss 5.7`, `Train: loss 3.1 | Val: loss 3.2`,
# `Training Results - Epoch: 1  Avg loss: 3.1`, `[train] loss=3.1, [valid] loss=3.2`,
# `Epoch 1/9 [Val]: 100%|##|`; a star begins the line to which an evaluation of the PyTorch examples
# comes.
_PART = re.compile(
    rf"(?:^|[\s|\]>(\[-])(?P<split>{_SPLIT}){_SAID_OF}"
    r"(?:[ ]*(?:\]?[:|]|\])|(?<=results)[ ]{1,3}-(?=[ ]))"
    r"[ \t]*(?=[A-Za-z|\[*#]|\d{1,3}%\|)|^\s*(?P<star>\*)[ \t]",
    re.IGNORECASE,
)
# PaddlePaddle's programs print `cur metric, acc: 0.12` after an evaluation, and of all those so far
# `best metric, acc: 0.12`.
_READING = re.compile(
    r"\b(?P<reading>cur|current|best)[ _]metrics?[,:][ \t]*(?=[A-Za-z])", re.IGNORECASE
)
# `Test: [ 10/196]  Time 0.2`, `[Val]:  50%|##`: the mean over a part of the batches.
_OF_EVALUATION = re.compile(
    r"(?:^|[\s|\]>(\[-])(?:test|val|valid|validation|eval|evaluation)"
    r"(?::\s*\[\s*\d+/\d+\]\s*(?:eta|time)\b|\]?:\s{0,3}\d{1,2}%\|)",
    re.IGNORECASE,
)
# A line that says no more than what the next one is about: RecBole's `INFO best valid result:`.
_HEADING = re.compile(
    r"(?:(?P<before>.*)[\]\s>|:-])?"
    rf"(?P<split>{_SPLIT})(?:[ _](?:set|data))?"
    r"(?:[ _](?:results?|metrics?|scores?|performance)[ ]?:?|[ ]?:)",
    re.IGNORECASE,
)
_LONGEST_HEADING = 200
# Megatron-LM's `validation loss at iteration 1000 on validation set | lm loss value: 5.3`, and
# `val loss at step 100: 3.2`, `loss after 3 epochs: 3.2`: the first number is a step.
_AT = re.compile(
    rf"(?<![A-Za-z0-9_])(?P<what>{WORD}(?:[ _]{WORD}){{0,2}}) (?:at|after|in|for|on)(?: the)? "
    r"(?:(?P<axis>(?:(?:global|training|train)[ _])?(?:step|iteration|iter|epoch))"
    r"[ ]{0,3}[#:=]?[ ]{0,3}(?P<at>\d[\d,_]*)(?:[ ]{0,3}/[ ]{0,3}\d+)?|end of training"
    r"|(?P<count>\d[\d,_]*) (?P<counted>(?:training )?(?:step|iteration|epoch))s?\b)"
    r"(?: (?:on|for) (?:the )?(?P<on>[a-z]{1,12})(?: (?:set|data))?)?"
    r"(?P<value>[ ]{0,3}(?::|=|\bis\b|->)[ ]{0,3}(?=[-+.\d]|nan\b|inf\b))?",
    re.IGNORECASE,
)
_NOT_FINITE = re.compile(r"\b(?:nan|inf)$", re.IGNORECASE)  # `loss is nan at step 5` has both
_PLACED = re.compile(
    r" (?:at|after|in|for|on) (?:the )?(?:global|train|step|iter|epoch|end of|\d)", re.IGNORECASE
)
# `val {'loss': 2.7}`, `eval_metrics={'loss': 2.7}`.
_BEFORE_DICTIONARY = re.compile(
    rf"(?:^|[\s|\]>(,;:-])(?P<split>{_SPLIT}){_SAID_OF}\s{{0,3}}[:=|]?\s{{0,3}}$", re.IGNORECASE
)
# `Training on fold [0/3]`, `===== Fold: 1 =====`; a `5-fold` cross-validation is none of them.
RUN = "run"
CELL = "[cell {number} of a notebook]"  # before what it printed
_CELL = re.compile(r"\[(?P<cell>cell \d+) of a notebook\]")
_FOLD = re.compile(
    r"(?<![-\w])fold\s{0,2}[:#=]?\s{0,2}[\[(]?(?P<fold>\d{1,3})\b(?!\.\d)", re.IGNORECASE
)
# NumPy 2's `np.float64(2.31)`, PyTorch's `tensor(2.31, device='cuda:0', grad_fn=<MeanBackward0>)`,
# TensorFlow's `tf.Tensor(2.31, shape=(), dtype=float32)`, JAX's `Array(2.31, dtype=float32)`.
_CALLED = ("np.", "ensor(", "Array(")
_SCALAR = re.compile(
    r"\b(?:(?:np\.|numpy\.)(?:float|int)\d{1,3}|(?:torch\.)?tensor|(?:tf\.)?Tensor|Array)"
    r"\(\s*(?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf))\s*"
    r"(?:,[^()]{0,80}(?:\(\)[^()]{0,80})?)?\)"
)
# `**Training Loss**: 0.55`, not `10**9`.
_EMPHASIS = re.compile(r"\*\*(?!\d)|(?<!\d)\*\*")
# `{loss:.4f}`, `{step:>6d}`, `{100 * accuracy:.1f}` of Python, of which the braces are kept when it
# prints its source.
_TEMPLATE = re.compile(
    r"\{[^{}'\"]*:[<>^+\-,0]*\d*(?:\.\d+)?[bcdeEfFgGnosxX]\}|\{[^{}'\"]*:\.\d+%\}"
)
_SAID = {"train": "train", "validation": "val", "test": "test"}
# Said of an epoch or a step that is over: `best eval result in epoch 52`, `Best epoch: 8`.
_WAS_BEST = re.compile(r"(?<!new )(?<!new_)\bbest\b[^|,;:=\d]*$", re.IGNORECASE)


def run_on(text: str) -> dict[str, str]:
    """Return the run that a line names by a fold, or by the cell of a notebook; empty for others.

    Args:
        text: The line.
    """
    cell = _CELL.fullmatch(text.strip()) if text.startswith("[cell") else None
    if cell is not None:
        return {RUN: cell["cell"]}
    match = _FOLD.search(text) if "old" in text or "OLD" in text else None
    return {} if match is None else {RUN: f"fold {match['fold']}"}


def with_bare_scalars(text: str) -> str:
    """Return a line with the numbers that libraries print as calls: `np.float64(2.31)` as `2.31`.

    Args:
        text: The line.
    """
    if "(" not in text or not any(mark in text for mark in _CALLED):
        return text
    return _SCALAR.sub(r"\g<number>", text)


def without_marks(text: str) -> str:
    """Return a line without the marks of Markdown around words, and without templates of numbers.

    A program that prints its own source prints `{loss:.4f}` too, which is no loss of 0.4.

    Args:
        text: The line.
    """
    if "**" in text:
        text = _EMPHASIS.sub("", text)
    return _TEMPLATE.sub("", text) if "{" in text else text


def parts_of(text: str) -> list[tuple[int, str]]:
    """Return what parts of a line were measured on: where each begins, and the words for it.

    Args:
        text: The line.
    """
    found = [(match.end(), match["split"] or "test") for match in _PART.finditer(text)]
    for match in _READING.finditer(text) if "etric" in text else ():
        best = match["reading"].casefold() == "best"
        found.append((match.end(), "best validation" if best else "validation"))
    return sorted(found)


def is_half_measured(text: str) -> bool:
    """Tell whether a line is of an evaluation that has not come to its end."""
    return _OF_EVALUATION.search(text) is not None


def heading(text: str) -> str:
    """Return the words by which a line says on what the next one was measured; empty if it is none.

    Args:
        text: The line.
    """
    text = text.strip().rstrip("=*#- ")
    match = _HEADING.fullmatch(text) if len(text) <= _LONGEST_HEADING else None
    if match is None:
        return ""
    best = (match["before"] or "").casefold().endswith("best")
    return f"best {match['split']}" if best else match["split"]


@lru_cache(4096)  # the lines of a log repeat their names
def of_part(name: str, measured_on: str) -> str:
    """Return the name of a metric with what it was measured on, unless the name says it itself.

    Args:
        name: As the line has it.
        measured_on: The words; may be empty.
    """
    found = describe(name)
    if not measured_on or found is None or found.split != "plain":
        return name
    return f"{measured_on} {name}"


def placed(text: str) -> str:
    """Return a line with a step that a metric stands before (`loss at step 10: 3`) before it.

    Args:
        text: The line, with three blanks in a row at most.
    """
    return _AT.sub(_with_place_first, text) if _PLACED.search(text) is not None else text


def _with_place_first(match: re.Match[str]) -> str:
    what, at = match["what"], ""
    found = describe(what)
    if found is None or _NOT_FINITE.search(what) is not None:
        return match[0]
    name, number = match["axis"] or match["counted"], match["at"] or match["count"]
    if name is not None and not what.casefold().startswith("best"):
        at = f"{name} {number}"
    if match["value"] is not None:
        on = f"{match['on']} " if match["on"] else ""
        return f"{at} | {on}{what}: "
    split = (match["on"] or {"plain": ""}.get(found.split, found.split)).lower()
    known = re.fullmatch(_SPLIT, split) is not None
    return f"{split}: | {at}" if known else at


def is_past(text: str) -> bool:
    """Tell whether a text ends with the name of a step or epoch that was the best.

    Args:
        text: A line up to and with the name.
    """
    return _WAS_BEST.search(text) is not None


def dictionary_on(before: str) -> str:
    """Return the words for what a dictionary was measured on; empty if nothing says it.

    Args:
        before: What stands before it on its line.
    """
    match = _BEFORE_DICTIONARY.search(before[-_LONGEST_HEADING:])
    return "" if match is None else match["split"]


def repeated_in_parts(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return names with their numbers, those of parts that only their first name tells told apart.

    `Train Loss: 2.9, Acc: 0.38 | Val Loss: 1.9, Acc: 0.53` has an Acc of both; a name that stands
    once on its line is left as it is.

    Args:
        found: The names and numbers of a line, in order.
    """
    names = [name for name, _ in found]
    if len(set(names)) == len(names):
        return found
    told, on = [], ""
    for name, number in found:
        metric = describe(name)
        if metric is not None:
            on = _SAID.get(metric.split, on)
        told.append((of_part(name, on) if names.count(name) > 1 else name, number))
    return told
