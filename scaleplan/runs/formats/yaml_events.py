"""YAML documents, built from parser events so that every scalar stays the text that was written.

YAML 1.1 would read 1e18 as text, 1:30 as 90, 012 as 10 and no as False, keep the last of two equal
keys in silence, and expand aliases without bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.formats.records import Record, Value, add_records, find_records
from scaleplan.runs.formats.records import require_mappings as require
from scaleplan.runs.formats.yaml_file import NotYamlError
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text, shown

_DEEPEST = 50
# Shared defaults repeat a few keys a run; a billion laughs repeats everything.
_MOST_ALIASED = 1_000_000
_STANDARD_TAG = re.compile(r"!|tag:yaml\.org,2002:(str|int|float|bool|null|seq|map|timestamp)")


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    node: Record | list[Value]
    anchor: str | None
    line: int
    key: str | None = None
    size: int = 1
    merged: list[Mapping[str, Value]] = field(default_factory=list)


class _Composer:
    """Builds text, lists and records from events, without recursion."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._aliased = 0
        self.documents: list[Value] = []

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event, event.tag)
            null = event.style is None and event.value in {"", "~", "null", "Null", "NULL"}
            self._put("" if null else event.value, 1, event.anchor, _line(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._stack.pop()
            node = done.node
            for defaults in done.merged:
                if isinstance(node, Record):
                    for key, value in defaults.items():
                        node.setdefault(key, value)
            self._put(node, done.size, done.anchor, done.line)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._check_tag(event, event.tag)
        if len(self._stack) >= _DEEPEST:
            raise self._error(
                f"is nested more than {_DEEPEST} levels deep", _line(event),
                "Give a list of flat runs.",
            )  # fmt: skip
        node: Record | list[Value] = []
        if isinstance(event, yaml.MappingStartEvent):
            node = Record()
            node.line = _line(event)
        self._stack.append(_Open(node, event.anchor, _line(event)))

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise NotYamlError(
                f"the alias {shown('*' + str(event.anchor))} refers to nothing before it, or to "
                "itself", file=self._file, line=_line(event),
                hint="Define the anchor before it is used.",
            )  # fmt: skip
        value, size = self._anchors[event.anchor]
        self._aliased += size
        if self._aliased > _MOST_ALIASED:
            raise self._error(
                f"its aliases expand to more than {_MOST_ALIASED:,} values", _line(event),
                "Write the runs without nested aliases.",
            )  # fmt: skip
        self._put(value, size, None, _line(event))

    def _put(self, value: Value, size: int, anchor: str | None, line: int) -> None:
        """Put a finished value where it belongs."""
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._stack:
            self.documents.append(value)
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.node, list):
            top.node.append(value)
        elif top.key is None:
            if not isinstance(value, str):
                raise self._error("a key is not a plain text", line, "Use text as keys.")
            top.key = value
        else:
            self._put_pair(top, top.node, value, line)

    def _put_pair(self, top: _Open, node: Record, value: Value, line: int) -> None:
        key, top.key = top.key or "", None
        if key == "<<" and not isinstance(value, str):
            several: Sequence[Value] = [value] if isinstance(value, Mapping) else value
            top.merged.extend(v for v in several if isinstance(v, Mapping))
            return
        if key in node:
            raise NotYamlError(
                f"the key {shown(key)} is there twice", file=self._file, line=line,
                hint="Keep one of them.",
            )  # fmt: skip
        node[key] = value

    def _check_tag(self, event: yaml.Event, tag: str | None) -> None:
        if tag is not None and _STANDARD_TAG.fullmatch(tag) is None:
            raise self._error(
                f"the tag {shown(tag)} is not allowed in a log", _line(event), "Remove the tag."
            )

    def _error(self, message: str, line: int, hint: str) -> InputError:
        return InputError(message, file=self._file, line=line, hint=hint)


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a document, or several that are one run each.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If it is not YAML or holds no runs.
    """
    composer = _Composer(source.name)
    for event in _events(source):
        composer.take(event)
    documents = composer.documents
    found = find_records(documents[0] if len(documents) == 1 else documents, source.name)
    require(found, source.name)
    builder = TableBuilder(source.name, keep_text=keep_text)
    add_records(builder, ((r.line if isinstance(r, Record) else 0, r) for r in found.records))
    for note in source.notes():
        builder.note(note)
    return builder.build(found.shared)


def _events(source: TextSource) -> Iterable[yaml.Event]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = source.read().removeprefix("\ufeff")
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYamlError(
            f"is not valid YAML: {clean_text(error.problem or str(error))}", file=source.name,
            line=mark.line + 1 if mark is not None else None,
            hint="Check the indentation and the quotation marks.",
        ) from None  # fmt: skip
    except yaml.YAMLError as error:
        raise NotYamlError(
            f"is not valid YAML: {clean_text(str(error))}", file=source.name,
            hint="Remove characters that are not text.",
        ) from None  # fmt: skip


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark is not None else 0
