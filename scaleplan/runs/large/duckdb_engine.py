"""DuckDB over the files of a log: its view `log`, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.large.byte_ranges import PROTOCOL, file_system
from scaleplan.runs.large.duckdb_addresses import expanded, paths_of, quoted_list, reach
from scaleplan.runs.large.expression import Kind
from scaleplan.runs.large.log import FILE_SHIFT, Layout, Log, check_names, first_cells, only_ending
from scaleplan.runs.large.text_files import (
    HEAD_LINES,
    Head,
    Piece,
    TextFiles,
    alike,
    kind_of_column,
    later_keys,
    open_text,
    parsed_head,
)
from scaleplan.runs.large.unsuited import Unsuited
from scaleplan.runs.locating import Located
from scaleplan.runs.text import clean_text

_MEMORY = "1200MB"
# A quarter of what DuckDB takes by itself: pieces of files come as copies, which stay in caches so.
_BUFFER = 8_000_000
_PARTS = 2  # for each thread, as one may be slower than another
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
             "UBIGINT")  # fmt: skip
_NUMBERS = (*_INTEGERS, "FLOAT", "DOUBLE")
_PATHS = "%paths%"  # stands for a list of files
_TYPES = {"number": "DOUBLE", "text": "VARCHAR"}
# What DuckDB makes of JSON texts that look like dates and identifiers.
_TEXTS = ("VARCHAR", "DATE", "TIMESTAMP", "TIME", "UUID")
# In files that no one has counted the lines of.
_ROW = f"(file_index::bigint << {FILE_SHIFT}) + row_number() over ()"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DuckDB:
    """A connection with the view `log`.

    Args:
        connection: To the engine.
        lines_before: Lines before each of the files that DuckDB knows.
    """

    connection: Any
    lines_before: Sequence[int] = ()

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        import ibis

        return self.fetched(str(ibis.to_sql(expression, dialect="duckdb")))

    def fetched(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query.

        Raises:
            Unsuited: If DuckDB cannot read the files.
        """
        import duckdb

        try:
            cursor = self.connection.execute(query)
            found = cursor.fetchall()
        except (duckdb.Error, OSError) as error:
            reason = clean_text(str(error).split("\n", maxsplit=1)[0])[:200]
            raise Unsuited(f"DuckDB cannot read it: {reason}") from None
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def inspect(self) -> None:
        """Refuse text with rows that DuckDB passed over."""
        tables = self.fetched("select 1 from duckdb_tables() where table_name = 'reject_errors'")
        bad = tables and self.fetched(
            "select s.file_path, e.line, e.error_message from reject_errors e "
            "join reject_scans s using (scan_id, file_id) limit 1"
        )
        if bad:
            path, line, message = bad[0].values()
            if self.lines_before:
                line += self.lines_before[int(path.rpartition("/")[2])]
            reason = clean_text(message)[:80]
            raise Unsuited(f"line {line} is no row of plain cells ({reason})")


@contextmanager
def open_log(located: Sequence[Located], keep_text: KeepText) -> Iterator[Log]:
    """Give the files to the engine.

    Raises:
        Unsuited: If the engine cannot be trusted with them.
        InputError: If it is not installed, or cannot reach an address.
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
        reach(connection, located)
        yield _OPENED[ending](connection, expanded(connection, located), keep_text)
    finally:
        connection.close()


def _delimited(connection: Any, located: tuple[Located, ...], keep_text: KeepText) -> Log:  # noqa: ANN401
    text = _local(located, keep_text)
    head = text.head if text is not None else _far_head(connection, located, keep_text)
    table = head.table
    kinds = tuple(kind_of_column(column, name, keep_text) for name, column in table.columns.items())
    columns = {f"c{i}": _TYPES[kind] for i, kind in enumerate(kinds)}
    skip = 0 if text is not None else head.skipped
    reader = (
        f"read_csv({_PATHS}, auto_detect=false, header=false, skip={skip}, "
        f"delim='{head.delimiter}', quote='\"', escape='\"', columns={columns}, "
        f"store_rejects=true, buffer_size={_BUFFER})"
    )
    if text is not None:
        engine = _view(connection, text, reader, "*")
    else:
        far = reader.replace(_PATHS, paths_of(located))
        connection.execute(f"create view log as select *, {_ROW} as row from {far}")
        engine = DuckDB(connection=connection)
    layout = Layout(names=tuple(table.columns), kinds=kinds, preview=table, checked=tuple(columns))
    return Log(engine=engine, layout=layout, located=located, text=text, keep_text=keep_text)


def _local(located: Sequence[Located], keep_text: KeepText) -> TextFiles | None:
    """Return where the rows of local files stand, None if some are elsewhere."""
    return None if any(each.url for each in located) else open_text(located, keep_text)


def _far_head(connection: Any, located: Sequence[Located], keep_text: KeepText) -> Head:  # noqa: ANN401
    """Return the beginning of the first file; those of the others are like it."""
    engine, heads = DuckDB(connection=connection), []
    for each in located:
        lines = engine.fetched(
            f"select line from read_csv({paths_of([each])}, auto_detect=false, header=false, "
            "columns={'line': 'VARCHAR'}, delim='\x01', quote='', escape='') "
            f"limit {HEAD_LINES}"
        )
        text = "\n".join(line["line"] or "" for line in lines)
        heads.append(parsed_head(each, f"{text}\n".encode(), keep_text))
    return alike(heads)


def _view(connection: Any, files: TextFiles, reader: str, selected: str) -> DuckDB:  # noqa: ANN401
    """Make the view `log` of local files, one part for each thread."""
    threads = int(connection.execute("select current_setting('threads')").fetchone()[0])
    parts = files.pieces(_PARTS * threads)
    pieces: tuple[Piece, ...] = tuple(chain.from_iterable(each for _, each in parts))
    connection.register_filesystem(file_system(pieces))
    queries, number = [], 0
    for row, part in parts:
        paths = [f"{PROTOCOL}://{number + i}" for i in range(len(part))]
        number += len(part)
        queries.append(
            f"select {selected}, {row - 1} + row_number() over () as row "
            f"from {reader.replace(_PATHS, quoted_list(paths))}"
        )
    connection.execute(f"create view log as {' union all '.join(queries)}")
    return DuckDB(connection=connection, lines_before=[piece.line for piece in pieces])


def _json(connection: Any, located: tuple[Located, ...], keep_text: KeepText) -> Log:  # noqa: ANN401
    """Read JSON Lines; all of them are looked at first, for the keys that they have."""
    text = _local(located, keep_text)
    described = DuckDB(connection=connection).fetched(
        f"describe select * from read_json({paths_of(located)}, format='newline_delimited', "
        f"sample_size=-1, maximum_sample_files={len(located)}, union_by_name=true, "
        "maximum_depth=2)",
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
    if text is not None:
        engine = _view(connection, text, reader, selected)
        late = later_keys(names, text.head.table)
        found = engine.fetched(f"select {late} from log")[0] if late else {}
        preview = text.preview_with(tuple(found.values()))
    else:
        far = reader.replace(_PATHS, paths_of(located))
        connection.execute(f"create view log as select {selected}, {_ROW} as row from {far}")
        engine = DuckDB(connection=connection)
        preview = first_cells(engine.fetched, located[0], names, kinds, keep_text)
    layout = Layout(
        names=names, kinds=kinds, preview=preview,
        checked=tuple(f"c{i}" for i in range(len(names))),
    )  # fmt: skip
    return Log(engine=engine, layout=layout, located=located, text=text, keep_text=keep_text)


def _kind_of_json(name: str, found: str, keep_text: KeepText) -> Kind:
    kept = keep_text(name)
    if found in _TEXTS or (kept and found in _INTEGERS):
        return "text"
    if not kept and found in (*_NUMBERS, "HUGEINT", "UHUGEINT"):
        return "number"
    raise Unsuited(f"{name} is a column of {found}")


def _parquet(connection: Any, located: tuple[Located, ...], keep_text: KeepText) -> Log:  # noqa: ANN401
    engine = DuckDB(connection=connection)
    schemas = [
        [
            (str(column["column_name"]), str(column["column_type"]))
            for column in engine.fetched(f"describe select * from read_parquet({paths_of([each])})")
        ]
        for each in located
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
    # Of one file the number of the row is what DuckDB looks for while it reads, a quarter faster.
    row = (
        "file_row_number"
        if len(located) == 1
        else (f"(file_index::bigint << {FILE_SHIFT}) + file_row_number")
    )
    connection.execute(
        f"create view log as select {selected}, {row} as row "
        f"from read_parquet({paths_of(located)}, file_row_number=true)"
    )
    preview = first_cells(engine.fetched, located[0], names, kinds, keep_text)
    layout = Layout(names=names, kinds=tuple(kinds), preview=preview)
    return Log(engine=engine, layout=layout, located=located, text=None, keep_text=keep_text)


_OPENED: dict[str, Callable[[Any, tuple[Located, ...], KeepText], Log]] = {
    ".csv": _delimited, ".jsonl": _json, ".parquet": _parquet,
}  # fmt: skip


def _cell(column: str, kind: str) -> str:
    """Return a cell of Parquet, in which not a number stands for nothing."""
    if kind in {"FLOAT", "DOUBLE"}:
        return f"case when isnan({column}) then null else {column}::double end"
    return column if kind == "VARCHAR" else f"{column}::double"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
