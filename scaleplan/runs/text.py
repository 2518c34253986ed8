"""Text from a log, made safe to show, and column names in the forms they are compared in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# C0 and C1 controls (terminal escapes), lone surrogates (cannot be written), bidirectional
# overrides (make a line read as another one).
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Means over classes, and overlaps (intersection over union), are one word each: mAP, mIoU, aAcc.
_MEANS = re.compile(
    r"(?<![A-Z])(?:[GDC]?IoU|m(?:AP|I[oO]U|Dice|Acc|F1|Fscore|Precision|Recall)|aAcc)(?![a-z])"
)
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
# `params 10^6`, `tokens x 10**9`: a power of ten behind a name, as a unit without its brackets.
_POWER = re.compile(r"(?<=\w)[\s_]+(?:in\s+)?([x×*·]?\s*10(?:\^|\*\*)\d{1,2})\s*$", re.IGNORECASE)
# Colours and titles of terminals (ECMA-48, section 5.4), and what ends with a bell.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
# Names of metrics as lists of their values are called: train_losses, test_accuracies.
_PLURALS = {
    "losses": "loss", "errors": "error", "errs": "err", "accuracies": "accuracy", "accs": "acc",
    "perplexities": "perplexity", "ppls": "ppl", "entropies": "entropy", "nlls": "nll",
    "scores": "score", "rewards": "reward", "wers": "wer", "cers": "cer",
}  # fmt: skip
# What spreadsheets take for a formula begins with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Ultralytics: mAP50(B) of boxes, which every detector has, (M) of masks, (P) of poses.
_MEASURED_ON = {"B": "", "M": " mask", "P": " pose"}
# ~10B, and the other signs for about.
_ABOUT = re.compile(r"^\s*[~\u2248\u223c\u2243]\s*(?=\.?\d)")
_LONGEST_SHOWN = 40  # characters of a cell in a message


def clean_text(text: str) -> str:
    """Return the text without control characters, line breaks as spaces, no space around it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _UNSAFE.sub("", _SPACES.sub(" ", text)).strip()


def inert(text: str) -> str:
    """Return text that a spreadsheet does not take for a formula: with an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_named(text: str) -> str:
    """Return the name of a column as it was before `inert` wrote it into a CSV file."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def uncoloured(text: str) -> str:
    """Return a text without the escapes that colour it on a terminal."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return the text as a message quotes it: safe, quoted, cut."""
    safe = clean_text(text)
    return f"'{safe}'" if len(safe) <= longest else f"'{safe[:longest]}'..."


def listed(names: Iterable[str], most: int = 20) -> str:
    """Return names separated by commas, cut after `most` with the number of the others."""
    every = [name if len(name) <= 80 else name[:80] + "..." for name in names]
    if len(every) <= most:
        return ", ".join(every)
    return ", ".join(every[:most]) + f" and {len(every) - most} more"


def split_unit(name: str) -> tuple[str, str]:
    """Split `loss (nats/token)` into the name and the unit in brackets, which may be empty.

    An arrow, as tables say which way is better, is no unit.
    """
    match = _BRACKETS.search(name) or _POWER.search(name)
    if match is None or not match.start():
        return name.strip(), ""
    unit = match.group(1).strip()
    return name[: match.start()].strip(), "" if unit.strip("↑↓⬆⬇←→ ") == "" else unit


def split_measured(name: str) -> tuple[str, str]:
    """Split a metric's name into name and unit; letters for what it was measured on are no unit."""
    plain, unit = split_unit(name)
    return (plain + _MEASURED_ON[unit], "") if unit in _MEASURED_ON else (plain, unit)


def fold(name: str) -> str:
    """Return a name in lower case without separators: `Model Size` and `model_size` are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def words(name: str) -> tuple[str, ...]:
    """Split `eval/valLoss_c4` into `eval`, `val`, `loss`, `c4`."""
    apart = _CAMEL.sub(" ", _MEANS.sub(lambda match: f" {match[0].casefold()}", name))
    return tuple(w.casefold() for w in re.split(r"[\W_]+", apart) if w)


def without_about(text: str) -> str:
    """Return the text of a number without a sign that it is about so much."""
    return _ABOUT.sub("", text)


def singular(word: str) -> str:
    """Return the singular of a metric's name in the plural, any other word as it is."""
    return _PLURALS.get(word, word)


def near(name: str, known: Iterable[str], *, alike: float = 0.6) -> tuple[str, ...]:
    """Return up to three known names that resemble this one.

    Args:
        name: What was written.
        known: The names there are.
        alike: How much they do at the least, 1 for the same letters (`difflib`'s ratio).
    """
    by_fold: dict[str, str] = {}
    for each in known:
        by_fold.setdefault(fold(each), each)
    return tuple(by_fold[f] for f in get_close_matches(fold(name), by_fold, n=3, cutoff=alike))
