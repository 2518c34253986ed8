"""Jupyter notebooks: what their cells printed is read as a printed log, each cell as a run."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.printed import PRINTED
from scaleplan.runs.formats.printed_parts import CELL
from scaleplan.runs.raw import RawTable
from scaleplan.runs.source import TextSource

_ROW = re.compile(r"<tr[^>]*>(.*?)</tr>", re.DOTALL | re.IGNORECASE)
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read what the cells of a notebook printed, and the tables that they show.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If it is no notebook, or no output holds a metric.
    """
    try:
        document = json.loads(source.read().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no notebook: {error}", file=source.name) from None
    printed = io.StringIO()
    for number, cell in enumerate(_listed(document, "cells"), 1):
        text = "\n".join(_outputs(cell))
        if text.strip():
            printed.write(f"{CELL.format(number=number)}\n{text}\n")
    text = printed.getvalue()
    if not text:
        raise InputError(
            "is a notebook without outputs", file=source.name,
            hint="Run it and save it, or give the log that its training wrote.",
        )  # fmt: skip
    return PRINTED.read(TextSource(source.name, io.BytesIO(text.encode())), keep_text)


def _listed(document: object, name: str) -> list[object]:
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _outputs(cell: object) -> Iterator[str]:
    """Yield the text of each output of a cell; of a table in HTML a line a row."""
    for output in _listed(cell, "outputs"):
        if not isinstance(output, dict):
            continue
        yield _joined(output.get("text"))
        data = output.get("data")
        if isinstance(data, dict) and "text/html" in data:
            yield from _rows(_joined(data["text/html"]))


def _rows(text: str) -> Iterator[str]:
    for row in _ROW.finditer(text):
        cells = [html.unescape(_TAG.sub("", cell)).strip() for cell in _CELL.findall(row[1])]
        yield "\t".join(cells)


def _joined(text: object) -> str:
    if isinstance(text, list):
        return "".join(each for each in text if isinstance(each, str))
    return text if isinstance(text, str) else ""


NOTEBOOK = Format(
    name="notebook", extensions=(".ipynb",),
    recognises=lambda head: head.lstrip("\ufeff \t\r\n").startswith("{") and '"cell_type"' in head,
    read=read,
)  # fmt: skip
