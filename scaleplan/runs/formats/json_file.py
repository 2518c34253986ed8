"""JSON documents: lists of runs, mappings with a list of runs, columns, trainer states."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.boosting_document import boosting_records, is_boosting
from scaleplan.runs.formats.lm_eval import is_lm_eval, lm_eval_records
from scaleplan.runs.formats.nested_names import nested_records
from scaleplan.runs.formats.records import Found, Record, Value, add_records, find_records
from scaleplan.runs.formats.records import require_mappings as require
from scaleplan.runs.formats.series_document import series_records
from scaleplan.runs.formats.trainer_state import is_trainer_state, trainer_records
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text, listed, uncoloured

# What stands in brackets before a message: `[INFO] [stage.py:96] [Rank 0] step=10`, a date, Julia's
# `[ Info: epoch 1`.
_TAG = re.compile(
    r"\[\d{4}[-/.]\d\d[-/.]\d\d|\[ (?:Info|Warning): "
    r"|\[[^\[\]{}\"\r\n]+\][ \t]*[^\s,\]]|\[[A-Za-z]\w*="
)


class Decoder:
    """Decodes JSON with every scalar as text, and remembers keys that are there twice."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.repeated: dict[str, None] = {}
        self._decoder = json.JSONDecoder(
            parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=self._record
        )

    def decode(self, text: str, line: int = 1) -> Value:
        """Decode one document that starts at a line of the input.

        Raises:
            InputError: If it is not JSON.
        """
        try:
            document = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            # The decoder counts LF only; other line ends make the line unknown rather than wrong.
            known = line + error.lineno - 1 if "\r" not in text.replace("\r\n", "") else None
            raise InputError(
                f"is not valid JSON: {error.msg} (column {error.colno})", file=self._file,
                line=known, hint="Check the place; a file that was cut off ends too early.",
            ) from None  # fmt: skip
        except RecursionError:
            raise InputError(
                "is nested too deeply", file=self._file, hint="Give a list of flat runs."
            ) from None
        return _as_text(document)

    def notes(self) -> tuple[Note, ...]:
        """Return what there is to say about keys that were there twice."""
        if not self.repeated:
            return ()
        return (
            Note(
                id="DUPLICATE_KEY", severity="warning",
                text=f"{self._file} has runs that name a key twice ({listed(self.repeated)}); the "
                "last value is used.",
                action="Keep one of them.",
            ),
        )  # fmt: skip

    def _record(self, pairs: list[tuple[str, object]]) -> Record:
        record = Record()
        for key, value in pairs:
            if key in record:
                self.repeated[clean_text(key)] = None
            record[key] = _as_text(value)
        return record


def _as_text(value: object) -> Value:
    """Turn null and booleans into text, also inside lists (their nesting is bounded by json)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [v if isinstance(v, str | Mapping) else _as_text(v) for v in value]
    if isinstance(value, str | Record):
        return value
    raise TypeError(type(value).__name__)


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a document.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If it is not JSON or holds no runs.
    """
    decoder = Decoder(source.name)
    document = decoder.decode(source.read().removeprefix("\ufeff"))
    found = _known(document) or find_records(document, source.name)
    require(found, source.name)
    builder = TableBuilder(source.name, keep_text=keep_text)
    add_records(builder, ((0, record) for record in found.records))
    for note in (*decoder.notes(), *source.notes(), *found.notes):
        builder.note(note)
    return replace(builder.build(found.shared), printed=found.one_run)


def _known(document: Value) -> Found | None:
    """Return the runs of a document that some program is known to write, None for any other."""
    if isinstance(document, Mapping):
        for is_one, records in _WRITTEN_BY:
            if is_one(document):
                return records(document)
    series = series_records(document)
    if series is None and isinstance(document, Mapping):
        return nested_records(document)
    return series


_WRITTEN_BY: tuple[
    tuple[Callable[[Mapping[str, Value]], bool], Callable[[Mapping[str, Value]], Found]], ...
] = (
    (is_trainer_state, trainer_records), (is_lm_eval, lm_eval_records),
    (is_boosting, boosting_records),
)  # fmt: skip


def recognises(head: str) -> bool:
    """Tell whether a text begins as a JSON document.

    `[2024-01-01 10:00:00] epoch 0 loss 4.0` and `[rank0]: step 1` are messages: a list neither
    holds such words nor ends with more on its line.
    """
    start = uncoloured(head).lstrip("\ufeff \t\r\n")
    if start[:1] == "[":
        return _TAG.match(start) is None
    return start[:1] == "{"


JSON = Format(name="JSON", extensions=(".json",), recognises=recognises, read=read)
