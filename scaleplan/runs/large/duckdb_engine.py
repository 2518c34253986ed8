"""DuckDB over the files of a log: its view `log`, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.byte_ranges import PROTOCOL, file_system
from scaleplan.runs.large.expression import Cells, Kind, picked_rows
from scaleplan.runs.large.log import (
    FILE_SHIFT,
    Layout,
    Unsuited,
    check_names,
    columns_of_cells,
    only_ending,
    tables_of_cells,
)
from scaleplan.runs.large.text_files import Piece, TextFiles, kind_of_column, later_keys, open_text
from scaleplan.runs.locating import Located
from scaleplan.runs.raw import RawTable
from scaleplan.runs.text import clean_text

_MEMORY = "1200MB"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
             "UBIGINT")  # fmt: skip
_NUMBERS = (*_INTEGERS, "FLOAT", "DOUBLE")
_PATHS = "%paths%"  # stands for the list of files of one thread
_TYPES = {"number": "DOUBLE", "text": "VARCHAR"}
# What DuckDB makes of JSON texts that look like dates and identifiers.
_TEXTS = ("VARCHAR", "DATE", "TIMESTAMP", "TIME", "UUID")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextLog:
    """Lines of local files that DuckDB numbers and parses, and that we read again by number.

    Args:
        connection: To the engine.
        layout: The columns.
        files: The files.
        pieces: What the engine reads, by the numbers of its files.
    """

    connection: Any
    layout: Layout
    files: TextFiles
    pieces: tuple[Piece, ...]

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        return rows_of(self.connection, expression)

    def file_of(self, row: int) -> int:
        """Return the place of the file that holds a row."""
        return self.files.file_of(row)

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Read rows again."""
        return self.files.tables(rows)

    def check(self, rows: int) -> None:
        """Refuse logs in which lines are not rows, or rows were passed over."""
        if self.files.head.delimiter:
            bad = self.connection.execute(
                "select s.file_path, e.line, e.error_message from reject_errors e "
                "join reject_scans s using (scan_id, file_id) limit 1"
            ).fetchone()
            if bad is not None:
                line = self.pieces[int(str(bad[0]).rpartition("/")[2])].line + int(bad[1])
                reason = clean_text(bad[2])[:80]
                raise Unsuited(f"line {line} is no row of plain cells ({reason})")
        self.files.check(rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableLog:
    """Tables of a store of columns, whose rows the engine gives itself.

    Args:
        connection: To the engine.
        layout: The columns.
        located: The files.
        keep_text: Tells by name which columns are text.
    """

    connection: Any
    layout: Layout
    located: tuple[Located, ...]
    keep_text: KeepText

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        return rows_of(self.connection, expression)

    def file_of(self, row: int) -> int:
        """Return the place of the file that holds a row."""
        return row >> FILE_SHIFT

    def tables(self, rows: Sequence[int]) -> list[RawTable]:
        """Return rows by their numbers."""
        kinds: dict[str, Kind] = {f"c{i}": kind for i, kind in enumerate(self.layout.kinds)}
        cells = Cells(kinds=kinds, run="c0", value="c0", position="c0", weighed=())
        return tables_of_cells(
            self.located, self.layout, self.rows(picked_rows(cells, rows)), self.keep_text
        )

    def check(self, rows: int) -> None:
        """Do nothing: a store of columns has no lines that could be passed over."""


@contextmanager
def open_log(located: Sequence[Located], keep_text: KeepText) -> Iterator[TextLog | TableLog]:
    """Give the files to the engine.

    Raises:
        Unsuited: If the engine cannot be trusted with them.
        InputError: If it is not installed.
    """
    try:
        import duckdb
        import fsspec  # noqa: F401 - that it is there
        import ibis  # noqa: F401 - that it is there
    except ImportError:
        raise InputError(
            "large logs need duckdb, ibis and fsspec, which are not all installed",
            hint="pip install 'scaleplan[large]'",
        ) from None
    ending = only_ending(located)
    connection = duckdb.connect()
    try:
        connection.execute(f"set memory_limit='{_MEMORY}'")
        yield _OPENED[ending](connection, located, keep_text)
    finally:
        connection.close()


def rows_of(connection: Any, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return the rows of an expression of Ibis.

    Raises:
        Unsuited: If DuckDB cannot read the files.
    """
    import ibis

    return _fetched(connection, str(ibis.to_sql(expression, dialect="duckdb")))


def _fetched(connection: Any, query: str) -> list[dict[str, Any]]:  # noqa: ANN401
    import duckdb

    try:
        cursor = connection.execute(query)
        found = cursor.fetchall()
    except duckdb.Error as error:
        reason = clean_text(str(error).split("\n", maxsplit=1)[0])[:200]
        raise Unsuited(f"DuckDB cannot read it: {reason}") from None
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _delimited(connection: Any, located: Sequence[Located], keep_text: KeepText) -> TextLog:  # noqa: ANN401
    files = open_text(located, keep_text)
    table = files.head.table
    kinds = tuple(kind_of_column(column, name, keep_text) for name, column in table.columns.items())
    columns = {f"c{i}": _TYPES[kind] for i, kind in enumerate(kinds)}
    reader = (
        f"read_csv({_PATHS}, auto_detect=false, header=false, "
        f"delim='{files.head.delimiter}', quote='\"', escape='\"', columns={columns}, "
        "store_rejects=true)"
    )
    pieces = _view(connection, files, reader, "*")
    layout = Layout(
        names=tuple(table.columns), kinds=kinds, preview=table, checked=tuple(columns)
    )  # fmt: skip
    return TextLog(connection=connection, layout=layout, files=files, pieces=pieces)


def _view(connection: Any, files: TextFiles, reader: str, selected: str) -> tuple[Piece, ...]:  # noqa: ANN401
    """Make the view `log`, one part for each thread; return the pieces by their numbers."""
    threads = int(connection.execute("select current_setting('threads')").fetchone()[0])
    parts = files.pieces(threads)
    pieces = tuple(chain.from_iterable(each for _, each in parts))
    connection.register_filesystem(file_system(pieces))
    queries, number = [], 0
    for row, part in parts:
        paths = [f"{PROTOCOL}://{number + i}" for i in range(len(part))]
        number += len(part)
        queries.append(
            f"select {selected}, {row - 1} + row_number() over () as row "
            f"from {reader.replace(_PATHS, _list(paths))}"
        )
    connection.execute(f"create view log as {' union all '.join(queries)}")
    return pieces


def _json(connection: Any, located: Sequence[Located], keep_text: KeepText) -> TextLog:  # noqa: ANN401
    """Read JSON Lines; all of them are looked at first, for the keys that they have."""
    files = open_text(located, keep_text)
    paths = [str(each.path) for each in located]
    described = _fetched(
        connection,
        f"describe select * from read_json({_list(paths)}, format='newline_delimited', "
        "sample_size=-1, union_by_name=true, maximum_depth=1, ignore_errors=false)",
    )
    names = tuple(str(column["column_name"]) for column in described)
    check_names(names)
    kinds = tuple(
        _kind_of_json(name, str(column["column_type"]), keep_text)
        for name, column in zip(names, described, strict=True)
    )
    columns = ", ".join(
        f"{_quoted(name)}: '{_TYPES[kind]}'" for name, kind in zip(names, kinds, strict=True)
    )
    selected = ", ".join(f"{_identifier(name)} as c{i}" for i, name in enumerate(names))
    reader = f"read_json({_PATHS}, format='newline_delimited', columns={{{columns}}})"
    pieces = _view(connection, files, reader, selected)
    late = later_keys(names, files)
    found = _fetched(connection, f"select {late} from log")[0] if late else {}
    layout = Layout(
        names=names, kinds=kinds, preview=files.preview_with(tuple(found.values())),
        checked=tuple(f"c{i}" for i in range(len(names))),
    )  # fmt: skip
    return TextLog(connection=connection, layout=layout, files=files, pieces=pieces)


def _kind_of_json(name: str, found: str, keep_text: KeepText) -> Kind:
    if keep_text(name):
        if found not in (*_TEXTS, *_INTEGERS):
            raise Unsuited(f"{name} is a column of {found}")
        return "text"
    if found in (*_NUMBERS, "HUGEINT", "UHUGEINT"):
        return "number"
    if found in _TEXTS:
        return "text"
    raise Unsuited(f"{name} is a column of {found}")


def _parquet(connection: Any, located: Sequence[Located], keep_text: KeepText) -> TableLog:  # noqa: ANN401
    paths = tuple(str(each.path) for each in located)
    schemas = [
        [
            (str(column["column_name"]), str(column["column_type"]))
            for column in _fetched(
                connection, f"describe select * from read_parquet({_list([path])})"
            )
        ]
        for path in paths
    ]
    if any(schema != schemas[0] for schema in schemas):
        raise Unsuited("the files differ in their columns")
    names = tuple(name for name, _ in schemas[0])
    check_names(names)
    kinds: list[Kind] = []
    for name, kind in schemas[0]:
        if kind not in (*_NUMBERS, "VARCHAR") or (keep_text(name) and kind != "VARCHAR"):
            raise Unsuited(f"{name} is a column of {kind}")
        kinds.append("text" if kind == "VARCHAR" else "number")
    selected = ", ".join(
        f"{_cell(_identifier(name), kind)} as c{i}" for i, (name, kind) in enumerate(schemas[0])
    )
    connection.execute(
        f"create view log as select {selected}, "
        f"(file_index::bigint << {FILE_SHIFT}) + file_row_number as row "
        f"from read_parquet({_list(paths)}, file_row_number=true)"
    )
    head = _fetched(connection, "select * from log limit 1000")
    preview = RawTable(
        file=located[0].name, columns=columns_of_cells(names, kinds, head, keep_text),
        lines=np.zeros(len(head), dtype=np.int64), shared={}, dropped=(), notes=(),
        decimal_comma=False,
    )  # fmt: skip
    layout = Layout(names=names, kinds=tuple(kinds), preview=preview)
    return TableLog(
        connection=connection, layout=layout, located=tuple(located), keep_text=keep_text
    )


_OPENED: dict[str, Callable[[Any, Sequence[Located], KeepText], TextLog | TableLog]] = {
    ".csv": _delimited, ".jsonl": _json, ".parquet": _parquet,
}  # fmt: skip


def _cell(column: str, kind: str) -> str:
    """Return a cell of Parquet, in which not a number stands for nothing."""
    if kind in {"FLOAT", "DOUBLE"}:
        return f"case when isnan({column}) then null else {column}::double end"
    return column if kind == "VARCHAR" else f"{column}::double"


def _list(paths: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, paths)) + "]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
