"""Documents of nested mappings and lists (JSON, YAML): where the runs are in them, and flattening.

Scalars are text all the way, so that `1e18`, `1:30` and `no` mean what they say in every format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.raw import TableBuilder
from scaleplan.runs.text import clean_text, listed, shown

# Names under which trackers and people keep the list of runs.
_LISTS = ("runs", "data", "results", "rows", "records", "experiments", "history")
# A mapping with one of these is one run of a tracker, not a mapping of runs by name.
_PARTS_OF_A_RUN = frozenset(
    {"config", "summary", "summary_metrics", "metrics", "params", "history"}
)
_FIT_FILE = "scaleplan.fit-file/"
_OWN = re.compile(r"\ufeff?\s*\{?\s*\"?schema\"?:\s*\"?(?P<schema>scaleplan\.[\w./-]+)")
_DEEPEST = 8
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|-?inf|NaN|-?Infinity")
_BLOCK_ROWS = 10_000

Value = str | Sequence["Value"] | Mapping[str, "Value"]


class Record(dict[str, Value]):
    """A mapping that knows the line it starts at, 0 where that is not known."""

    line = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The runs of a document, what it says about all of them, and what there is to say.

    `one_run` says that they are points of one run, as lines that a program prints are.
    """

    records: Sequence[Value]
    shared: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    one_run: bool = False


def find_records(document: Value, file: str) -> Found:
    """Find the runs in a document.

    Args:
        document: A list of runs; a mapping with such a list (`runs:`) and shared metadata; a
            mapping of columns; a mapping of runs by name; or one run.
        file: The input's name.

    Raises:
        InputError: If there are none.
    """
    if isinstance(document, Mapping):
        schema = document.get("schema")
        if isinstance(schema, str) and schema.startswith("scaleplan."):
            raise no_log(schema, file)
        return _in_mapping(document)
    if isinstance(document, str):
        raise InputError(
            f"holds {shown(document) if document else 'nothing'}, not runs", file=file,
            hint="Give a list of runs, or a mapping with a `runs:` list.",
        )  # fmt: skip
    return Found(records=document, shared={})


def refuse_own(head: str, file: str) -> None:
    """Refuse a document of ours before any format takes its lines for something else.

    Args:
        head: The text that the input begins with.
        file: The input's name.

    Raises:
        InputError: If it is one.
    """
    match = _OWN.match(head)
    if match is not None:
        raise no_log(match["schema"], file)


def no_log(schema: str, file: str) -> InputError:
    """Return the error for a document of ours where a log should be.

    Args:
        schema: What it says it is.
        file: The input's name.
    """
    return InputError(
        f"is a {schema} document, not a log of runs", file=file,
        hint="Use it with `scaleplan predict`, or with --fit." if schema.startswith(_FIT_FILE)
        else "It is what a command printed. Give the log that it was made from.",
    )  # fmt: skip


def _in_mapping(document: Mapping[str, Value]) -> Found:
    for key in _LISTS:
        inner = document.get(key)
        if inner is None or isinstance(inner, str):
            continue
        if isinstance(inner, Mapping) and key != "runs":
            continue
        if not isinstance(inner, Mapping) and not any(isinstance(r, Mapping) for r in inner):
            continue
        shared = {k: v for k, v in document.items() if k != key}
        records = _by_name(inner) if isinstance(inner, Mapping) else inner
        return Found(records=records, shared=flatten(shared))
    columns = _of_columns(document)
    if columns is not None:
        return columns
    values = list(document.values())
    named = len(values) > 1 and all(isinstance(v, Mapping) for v in values)
    if named and not _PARTS_OF_A_RUN & {k.casefold() for k in document}:
        return Found(records=_by_name(document), shared={})
    return Found(records=[document], shared={})


def _by_name(runs: Mapping[str, Value]) -> list[Value]:
    """Turn runs by name into a list of runs that carry their name."""
    result: list[Value] = []
    for name, run in runs.items():
        if not isinstance(run, Mapping):
            result.append(run)
            continue
        named = Record({"run": name, **run})
        named.line = run.line if isinstance(run, Record) else 0
        result.append(named)
    return result


def _of_columns(document: Mapping[str, Value]) -> Found | None:
    """Read `{params: [...], loss: [...]}` and the same with numbered rows, as pandas writes it."""
    columns: dict[str, list[Value]] = {}
    shared: dict[str, Value] = {}
    for name, value in document.items():
        if isinstance(value, str):
            shared[name] = value
        elif isinstance(value, Mapping):
            if not value or not all(key.isdigit() for key in value):
                return None
            columns[name] = list(value.values())
        else:
            columns[name] = list(value)
    lengths = {len(c) for c in columns.values()}
    if len(lengths) != 1 or any(isinstance(c, Mapping) for v in columns.values() for c in v):
        return None
    rows = zip(*columns.values(), strict=True)
    return Found(
        records=[Record(zip(columns, row, strict=True)) for row in rows], shared=flatten(shared)
    )


def flatten(record: Mapping[str, Value]) -> dict[str, str]:
    """Join the keys of nested mappings with `/`; a list becomes a text that is no number.

    A list of numbers keeps them: it may be the history of a metric.
    """
    flat: dict[str, str] = {}
    open_items: list[tuple[str, Value, int]] = [("", record, 0)]
    while open_items:
        prefix, value, depth = open_items.pop()
        if isinstance(value, str):
            flat[prefix] = value
        elif isinstance(value, Mapping) and depth < _DEEPEST:
            inner = [
                (f"{prefix}/{clean_text(k)}" if prefix else clean_text(k), v, depth + 1)
                for k, v in value.items()
            ]
            open_items.extend(reversed(inner))
        elif isinstance(value, Mapping):
            flat[prefix] = f"[{len(value)} keys]"
        else:
            flat[prefix] = _as_cell(value)
    return flat


def _as_cell(values: Sequence[Value]) -> str:
    """Return a list as the text of a cell: its numbers, or how many values it has."""
    if len(values) > 1 and all(isinstance(v, str) and _NUMBER.fullmatch(v) for v in values):
        return f"[{', '.join(str(v) for v in values)}]"
    return f"[{len(values)} values]"


class Adding:
    """Adds runs to a table, some at a time.

    Args:
        builder: The table.
    """

    def __init__(self, builder: TableBuilder) -> None:
        self._builder = builder
        self._rows: list[dict[str, str]] = []
        self._lines: list[int] = []

    def add(self, line: int, record: Value) -> None:
        """Add a run; what is no mapping is dropped with the reason.

        Args:
            line: Where it stands, 0 where that is not known.
            record: What it says.
        """
        if not isinstance(record, Mapping):
            found = shown(record) if isinstance(record, str) else "a list"
            reason = f"the run is {found}, not a mapping of names to values"
            self._builder.drop(line or None, reason)
            return
        self._rows.append(flatten(record))
        self._lines.append(line)
        if len(self._rows) >= _BLOCK_ROWS:
            self.flush()

    def flush(self) -> None:
        """Hand over what was added."""
        if not self._rows:
            return
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        self._builder.add({n: [row.get(n, "") for row in self._rows] for n in names}, self._lines)
        self._rows, self._lines = [], []


def add_records(builder: TableBuilder, records: Iterable[tuple[int, Value]]) -> None:
    """Add (line, run) pairs to a table; what is no mapping is dropped with the reason."""
    adding = Adding(builder)
    for line, record in records:
        adding.add(line, record)
    adding.flush()


def require_mappings(found: Found, file: str, line: int | None = None) -> None:
    """Refuse a document without a single run that names its values.

    Raises:
        InputError: If there is none.
    """
    if not any(found.records):
        raise InputError(
            "holds no runs", file=file, line=line, hint="Give a log with at least one run."
        )
    if not any(isinstance(r, Mapping) for r in found.records):
        some = [r if isinstance(r, str) else "a list" for r in islice(found.records, 3)]
        raise InputError(
            f"holds {len(found.records)} entries that are no runs: {listed(map(clean_text, some))}",
            file=file, line=line, hint="Each run is a mapping such as {params: 1e8, loss: 3.1}.",
        )  # fmt: skip
