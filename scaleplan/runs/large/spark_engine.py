"""Spark over the files of a log, on this machine or the cluster that Spark is set to.

The rows of text are numbered from the parts that Spark reads the files in: within one of them its
numbers grow by one, and a first pass counts the rows of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import numpy as np

from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.expression import VIEW, Cells, Kind, picked_rows
from scaleplan.runs.large.log import (
    FILE_SHIFT,
    Layout,
    Unsuited,
    check_names,
    columns_of_cells,
    only_ending,
    tables_of_cells,
)
from scaleplan.runs.large.spark_session import spark_session
from scaleplan.runs.large.text_files import TextFiles, kind_of_column, later_keys, open_text
from scaleplan.runs.locating import Located
from scaleplan.runs.raw import RawTable
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
class SparkLog:
    """The rows of files as the view `log` of a session.

    Args:
        session: Spark's session.
        backend: Ibis' connection to it.
        layout: The columns.
        located: The files.
        text: Where their rows stand, for text; None for Parquet, whose rows Spark gives itself.
        keep_text: Tells by name which columns are text.
    """

    session: Any
    backend: Any
    layout: Layout
    located: tuple[Located, ...]
    text: TextFiles | None
    keep_text: KeepText

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        query = self.backend.compile(expression)
        return [row.asDict(recursive=True) for row in _collected(self.session.sql(query))]

    def file_of(self, row: int) -> int:
        """Return the place of the file that holds a row."""
        return row >> FILE_SHIFT if self.text is None else self.text.file_of(row)

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Return rows by their numbers."""
        if self.text is not None:
            return self.text.tables(rows)
        kinds: dict[str, Kind] = {f"c{i}": kind for i, kind in enumerate(self.layout.kinds)}
        cells = Cells(kinds=kinds, run="c0", value="c0", position="c0", weighed=())
        found = self.rows(picked_rows(cells, rows))
        return tables_of_cells(self.located, self.layout, found, self.keep_text)

    def check(self, rows: int) -> None:
        """Refuse logs in which lines are not rows."""
        if self.text is not None:
            self.text.check(rows)


@contextmanager
def open_log(located: Sequence[Located], keep_text: KeepText) -> Iterator[SparkLog]:
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
            text = None if ending == ".parquet" else open_text(located, keep_text)
            if text is None:
                layout = _parquet(session, located, keep_text)
            else:
                layout = (_json if ending == ".jsonl" else _delimited)(session, text)
            yield SparkLog(
                session=session, backend=backend, layout=layout, located=tuple(located), text=text,
                keep_text=keep_text,
            )  # fmt: skip
        finally:
            session.catalog.dropTempView(VIEW)


def _delimited(session: Any, files: TextFiles) -> Layout:  # noqa: ANN401 - pyspark has no types
    table = files.head.table
    if files.head.skipped != 1:
        raise Unsuited("there are lines above the names of the columns")
    names = tuple(table.columns)
    kinds = tuple(kind_of_column(table.columns[name], name, files.keep_text) for name in names)
    codes = [f"c{i}" for i in range(len(names))]
    cells = session.read.csv(
        _paths(files.located), sep=files.head.delimiter, quote='"', escape='"', header=True,
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
    _numbered(session, files, cells.selectExpr(*codes, _CORRUPT, *_PLACES), unread, read)
    return Layout(names=names, kinds=kinds, preview=table)


def _json(session: Any, files: TextFiles) -> Layout:  # noqa: ANN401
    paths = _paths(files.located)
    fields = _called(lambda: session.read.json(paths)).schema.fields
    names = tuple(field.name for field in fields)
    if _CORRUPT in names:
        raise Unsuited("some lines are no JSON objects")
    check_names(names)
    kinds: list[Kind] = []
    for name, field in zip(names, fields, strict=True):
        found = field.dataType.simpleString()
        kept = files.keep_text(name)
        if found not in ("string", "bigint") + (() if kept else ("double",)):
            raise Unsuited(f"{name} is a column of {found}")
        kinds.append("text" if kept or found == "string" else "number")
    types = {"number": "double", "text": "string"}
    schema = ", ".join(
        f"{_identifier(name)} {types[kind]}" for name, kind in zip(names, kinds, strict=True)
    )
    cells = session.read.json(paths, schema=f"{schema}, {_CORRUPT} string", mode="PERMISSIVE")
    codes = [f"c{i}" for i in range(len(names))]
    renamed = [f"{_identifier(name)} as {c}" for name, c in zip(names, codes, strict=True)]
    placed = cells.selectExpr(*renamed, _CORRUPT, *_PLACES)
    _numbered(session, files, placed, f"{_CORRUPT} is not null", codes)
    late = later_keys(names, files)
    found = _collected(session.sql(f"select {late} from {VIEW}")) if late else [()]
    return Layout(names=names, kinds=tuple(kinds), preview=files.preview_with(tuple(found[0])))


def _numbered(
    session: Any, files: TextFiles, placed: Any, unread: str, columns: Sequence[str]  # noqa: ANN401
) -> None:  # fmt: skip
    """Make the view `log` of text, with the number of each row among those of all files.

    Args:
        session: Spark's session.
        files: The files.
        placed: What Spark reads: `c0` and so on, and _PLACES.
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
    place = _places(files.located)
    ordered = sorted(parts, key=lambda part: (place[_name(part["file"])], part["start"]))
    before = np.cumsum([0, *(part["rows"] for part in ordered[:-1])]).tolist()
    shifts = [
        (part["file"], part["start"], row - part["first"])
        for part, row in zip(ordered, before, strict=True)
    ]
    shifted = session.createDataFrame(shifts, "file string, start bigint, shift bigint")
    placed.join(broadcast(shifted), ["file", "start"]).selectExpr(
        *columns, "id + shift as row"
    ).createOrReplaceTempView(VIEW)


def _parquet(session: Any, located: Sequence[Located], keep_text: KeepText) -> Layout:  # noqa: ANN401
    from pyspark.sql.functions import broadcast

    paths = _paths(located)
    cells = _called(lambda: session.read.option("mergeSchema", "true").parquet(*paths))
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
    place = _places(located)
    found_files = [row["file"] for row in _collected(placed.select("file").distinct())]
    numbers = [(file, place[_name(file)]) for file in found_files]
    numbered = session.createDataFrame(numbers, "file string, number bigint")
    placed.join(broadcast(numbered), ["file"]).selectExpr(
        *(f"c{i}" for i in range(len(names))), f"shiftleft(number, {FILE_SHIFT}) + at as row"
    ).createOrReplaceTempView(VIEW)
    head = _collected(session.read.parquet(paths[0]).selectExpr(*columns).limit(1000))
    rows = [row.asDict() for row in head]
    preview = RawTable(
        file=located[0].name, columns=columns_of_cells(names, kinds, rows, keep_text),
        lines=np.zeros(len(rows), dtype=np.int64), shared={}, dropped=(), notes=(),
        decimal_comma=False,
    )  # fmt: skip
    return Layout(names=names, kinds=tuple(kinds), preview=preview)


def _paths(located: Sequence[Located]) -> list[str]:
    return [str(each.path.absolute()) for each in located if each.path is not None]


def _places(located: Sequence[Located]) -> dict[str, int]:
    return {path: i for i, path in enumerate(_paths(located))}


def _name(file: str) -> str:
    """Return the path of a file that Spark writes as an address."""
    return "/" + unquote(file.removeprefix("file:")).lstrip("/")


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
