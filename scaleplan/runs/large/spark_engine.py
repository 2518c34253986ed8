"""Spark over the files of a log, on this machine or the cluster that Spark is set to.

The rows of text are numbered from the parts that Spark reads the files in: within one of them its
numbers grow by one, and a first pass counts the rows of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.expression import VIEW, Kind
from scaleplan.runs.large.log import FILE_SHIFT, Layout, Log, check_names, first_cells, only_ending
from scaleplan.runs.large.spark_session import spark_session
from scaleplan.runs.large.text_files import (
    HEAD_LINES,
    Head,
    TextFiles,
    alike,
    kind_of_column,
    later_keys,
    open_text,
    parsed_head,
)
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.locating import Located, address
from scaleplan.runs.text import clean_text

_PLAIN_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_ODD_NUMBERS = "('nan', 'inf', '+inf', '-inf', 'infinity', '+infinity', '-infinity')"
_CORRUPT = "_corrupt_record"
# Where Spark read a row: the part of a file, and a number that grows by one within it.
_PLACES = ("_metadata.file_path as file", "_metadata.file_block_start as start",
           "monotonically_increasing_id() as id")  # fmt: skip
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_FLOATS = ("float", "double")
_NUMBERS = (*_INTEGERS, *_FLOATS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spark:
    """A session with the view `log`.

    Args:
        session: Spark's session.
        backend: Ibis' connection to it.
    """

    session: Any
    backend: Any

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        return self.fetched(self.backend.compile(expression))

    def fetched(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return [row.asDict(recursive=True) for row in _collected(self.session.sql(query))]

    def inspect(self) -> None:
        """Do nothing: what cannot be read was refused when the rows were numbered."""


@contextmanager
def open_log(located: Sequence[Located], keep_text: KeepText) -> Iterator[Log]:
    """Give the files to Spark.

    Raises:
        Unsuited: If Spark cannot be trusted with them.
        InputError: If Spark or Java is not there.
    """
    ending = only_ending(located)
    if any(set(str(each.path)) & set("*?[]{}\\") for each in located):
        raise Unsuited("Spark takes the name of a file for a pattern")
    with spark_session() as (session, backend):
        try:
            files = _expanded(session, located)
            text = None
            if ending != ".parquet" and not any(each.url for each in files):
                text = open_text(files, keep_text)
            engine = Spark(session=session, backend=backend)
            layout = _OPENED[ending](engine, files, text, keep_text)
            yield Log(
                engine=engine, layout=layout, located=files, text=text, keep_text=keep_text
            )  # fmt: skip
        finally:
            session.catalog.dropTempView(VIEW)


def _expanded(session: Any, located: Sequence[Located]) -> tuple[Located, ...]:  # noqa: ANN401 - pyspark has no types
    """Return the files, with the addresses that a pattern of them stands for."""
    result: list[Located] = []
    for each in located:
        if not each.url:
            result.append(each)
            continue
        # Reads names only: no column of contents is asked for.
        found = session.read.format("binaryFile").load(each.url).select("path")
        names = sorted(row["path"] for row in _collected(found))
        result += [address(name) for name in names]
    return tuple(result)


def _delimited(
    engine: Spark, located: tuple[Located, ...], text: TextFiles | None, keep_text: KeepText
) -> Layout:
    session = engine.session
    head = text.head if text is not None else _far_head(session, located, keep_text)
    table = head.table
    if head.skipped != 1:
        raise Unsuited("there are lines above the names of the columns")
    names = tuple(table.columns)
    kinds = tuple(kind_of_column(table.columns[name], name, keep_text) for name in names)
    codes = [f"c{i}" for i in range(len(names))]
    cells = session.read.csv(
        _paths(located), sep=head.delimiter, quote='"', escape='"', header=True,
        schema=", ".join(f"{code} string" for code in [*codes, _CORRUPT]),
        columnNameOfCorruptRecord=_CORRUPT, mode="PERMISSIVE", enforceSchema=True,
    )  # fmt: skip
    numbers = [code for code, kind in zip(codes, kinds, strict=True) if kind == "number"]
    unread = " or ".join([
        f"{_CORRUPT} is not null",
        *(f"({c} is not null and not {c} rlike '{_PLAIN_NUMBER}' "
          f"and lower({c}) not in {_ODD_NUMBERS})" for c in numbers),
    ])  # fmt: skip
    read = [f"try_cast({c} as double) as {c}" if c in numbers else c for c in codes]
    placed = cells.selectExpr(*codes, _CORRUPT, *_PLACES)
    _numbered(session, placed, _first_rows(located, text), unread, read)
    return Layout(names=names, kinds=kinds, preview=table)


def _far_head(session: Any, located: Sequence[Located], keep_text: KeepText) -> Head:  # noqa: ANN401
    """Return the beginning of the first file; those of the others are like it."""
    heads = []
    for each in located:
        lines = _collected(session.read.text(each.url).limit(HEAD_LINES))
        whole = "\n".join(line["value"] for line in lines)
        heads.append(parsed_head(each, f"{whole}\n".encode(), keep_text))
    return alike(heads)


def _first_rows(located: Sequence[Located], text: TextFiles | None) -> dict[str, int]:
    """Return the number of the first row of each file, by its path."""
    if text is None:
        return {_name(path): i << FILE_SHIFT for i, path in enumerate(_paths(located))}
    return dict(zip(_paths(located), text.starts[:-1].tolist(), strict=True))


def _json(
    engine: Spark, located: tuple[Located, ...], text: TextFiles | None, keep_text: KeepText
) -> Layout:
    session, paths = engine.session, _paths(located)
    fields = _called(lambda: session.read.json(paths)).schema.fields
    names = tuple(field.name for field in fields)
    if _CORRUPT in names:
        raise Unsuited("some lines are no JSON objects")
    check_names(names)
    kinds = tuple(
        _kind_of_json(field.name, field.dataType.simpleString(), keep_text) for field in fields
    )
    types = {"number": "double", "text": "string"}
    schema = ", ".join(
        f"{_identifier(name)} {types[kind]}" for name, kind in zip(names, kinds, strict=True)
    )
    cells = session.read.json(paths, schema=f"{schema}, {_CORRUPT} string", mode="PERMISSIVE")
    codes = [f"c{i}" for i in range(len(names))]
    renamed = [f"{_identifier(name)} as {c}" for name, c in zip(names, codes, strict=True)]
    placed = cells.selectExpr(*renamed, _CORRUPT, *_PLACES)
    _numbered(session, placed, _first_rows(located, text), f"{_CORRUPT} is not null", codes)
    if text is None:
        preview = first_cells(engine.fetched, located[0], names, kinds, keep_text)
    else:
        late = later_keys(names, text.head.table)
        found = engine.fetched(f"select {late} from {VIEW}")[0] if late else {}
        preview = text.preview_with(tuple(found.values()))
    return Layout(names=names, kinds=kinds, preview=preview)


def _kind_of_json(name: str, found: str, keep_text: KeepText) -> Kind:
    kept = keep_text(name)
    if found not in ("string", "bigint") + (() if kept else ("double",)):
        raise Unsuited(f"{name} is a column of {found}")
    return "text" if kept or found == "string" else "number"


def _numbered(
    session: Any, placed: Any, first: dict[str, int], unread: str, columns: Sequence[str]  # noqa: ANN401
) -> None:  # fmt: skip
    """Make the view `log` of text, with the number of each row.

    Args:
        session: Spark's session.
        placed: What Spark reads: `c0` and so on, and _PLACES.
        first: The number of the first row of each file.
        unread: Tells of a row whether it is none of plain cells.
        columns: The columns of the view.
    """
    from pyspark.sql.functions import broadcast, expr

    # All columns are counted, for Spark to look at them.
    counted = [f"count({code}) as {code}" for code in placed.columns if code.startswith("c")]
    sums = ("count(*) as rows", "min(id) as first", f"sum(int({unread})) as unread", *counted)
    parts = _collected(placed.groupBy("file", "start").agg(*map(expr, sums)))
    if sum(part["unread"] for part in parts):
        raise Unsuited("some rows are not of plain cells")
    next_row = dict(first)
    shifts = []
    for part in sorted(parts, key=lambda part: (part["file"], part["start"])):
        name = _name(part["file"])
        shifts.append((part["file"], part["start"], next_row[name] - part["first"]))
        next_row[name] += part["rows"]
    shifted = session.createDataFrame(shifts, "file string, start bigint, shift bigint")
    placed.join(broadcast(shifted), ["file", "start"]).selectExpr(
        *columns, "id + shift as row"
    ).createOrReplaceTempView(VIEW)


def _parquet(
    engine: Spark, located: tuple[Located, ...], text: TextFiles | None, keep_text: KeepText
) -> Layout:
    from pyspark.sql.functions import broadcast

    session, first = engine.session, _first_rows(located, text)
    cells = _called(lambda: session.read.option("mergeSchema", "true").parquet(*_paths(located)))
    names = tuple(field.name for field in cells.schema.fields)
    check_names(names)
    kinds: list[Kind] = []
    columns = []
    for i, field in enumerate(cells.schema.fields):
        found, name = field.dataType.simpleString(), _identifier(field.name)
        if found not in (*_NUMBERS, "string") or (keep_text(field.name) and found != "string"):
            raise Unsuited(f"{field.name} is a column of {found}")
        kinds.append("text" if found == "string" else "number")
        plain = name if found == "string" else f"double({name})"
        # Not a number stands for nothing in Parquet.
        columns.append(f"{f'nanvl({plain}, null)' if found in _FLOATS else plain} as c{i}")
    placed = cells.selectExpr(*columns, _PLACES[0], "_metadata.row_index as at")
    seen = [row["file"] for row in _collected(placed.select("file").distinct())]
    starts = [(file, first[_name(file)]) for file in seen]
    numbered = session.createDataFrame(starts, "file string, start bigint")
    placed.join(broadcast(numbered), ["file"]).selectExpr(
        *(f"c{i}" for i in range(len(names))), "start + at as row"
    ).createOrReplaceTempView(VIEW)
    preview = first_cells(engine.fetched, located[0], names, kinds, keep_text)
    return Layout(names=names, kinds=tuple(kinds), preview=preview)


_OPENED: dict[str, Callable[[Spark, tuple[Located, ...], TextFiles | None, KeepText], Layout]] = {
    ".csv": _delimited,
    ".jsonl": _json,
    ".parquet": _parquet,
}


def _paths(located: Sequence[Located]) -> list[str]:
    return [each.url if each.path is None else str(each.path.absolute()) for each in located]


def _name(file: str) -> str:
    """Return the path of a file that Spark writes as an address, or another address as it is."""
    name = unquote(file)
    return "/" + name.removeprefix("file:").lstrip("/") if name.startswith("file:") else name


def _identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _collected(frame: Any) -> list[Any]:  # noqa: ANN401
    return list(_called(frame.collect))


def _called(action: Any) -> Any:  # noqa: ANN401
    """Return what an action of Spark gives.

    Raises:
        Unsuited: If Spark cannot do it.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return action()
    except (PySparkException, Py4JError) as error:
        reason = clean_text(str(error).strip().split("\n", maxsplit=1)[0])[:200]
        raise Unsuited(f"Spark cannot read it: {reason}") from None
