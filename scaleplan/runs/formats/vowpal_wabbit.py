"""What Vowpal Wabbit prints as it learns: a table under two lines of names.

The loss is measured on each example before it is learned from, or on examples that are held out,
which a line ends with `h` for. `since last` is the mean since the line above, the first column the
mean over all examples. Source: Vowpal Wabbit's documentation, command line tutorial, diagnostics.
"""

from __future__ import annotations

import re
from dataclasses import replace

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource

_HEADING = re.compile(
    r"^[ \t]*average\s+since\s+example\s+example\b[^\n]*\r?\n"
    r"[ \t]*loss\s+last\s+counter\s+weight\b",
    re.MULTILINE,
)
_FIRST, _SECOND = re.compile(r"\s*average\s+since\b"), re.compile(r"\s*loss\s+last\s+counter\b")
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_ROW = re.compile(
    rf"\s*(?:{_NUMBER}|n\.a\.)\s+(?P<since>{_NUMBER})\s+(?P<count>\d+)\s+{_NUMBER}\s.*?(?P<held>\sh)?\s*$"
)
_SETTING = re.compile(r"\s*(?P<name>learning rate|l1|l2|passes) = (?P<value>\S+)\s*$")


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read the tables of one or several trainings.

    Args:
        source: The text; other lines are passed over.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If no line has a loss.
    """
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    shared: dict[str, str] = {}
    trainings, open_, before = 0, False, ""
    for number, text in enumerate(source.lines(), 1):
        setting = _SETTING.match(text)
        if setting is not None and not trainings:
            shared[setting["name"]] = setting["value"]
        if _SECOND.match(text) and _FIRST.match(before):
            trainings, open_ = trainings + 1, True
        row = _ROW.match(text) if open_ else None
        if row is not None:
            name = "val_loss" if row["held"] else "loss"
            rows.append({"run": f"{trainings}", "step": row["count"], name: row["since"]})
            lines.append(number)
        open_ = open_ and not text.startswith("finished run")
        before = text
    if not rows:
        raise InputError(
            "no line of Vowpal Wabbit's table has a loss", file=source.name,
            hint="Give what it prints without --quiet.",
        )  # fmt: skip
    names = [name for name in ("run", "step", "val_loss", "loss")
             if any(name in row for row in rows) and (name != "run" or trainings > 1)]  # fmt: skip
    builder = TableBuilder(source.name, keep_text=keep_text)
    builder.add({name: [row.get(name, "") for row in rows] for name in names}, lines)
    for note in source.notes():
        builder.note(note)
    return replace(builder.build(shared), printed=True)


def recognises(head: str) -> bool:
    """Tell whether a text has the two lines of names."""
    return _HEADING.search(head) is not None


VOWPAL_WABBIT = Format(name="Vowpal Wabbit", extensions=(), recognises=recognises, read=read)
