"""DuckDB over the files of a log: its view `log`, and what is asked of it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats import read_table
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.formats.delimited import _delimiter
from scaleplan.runs.locating import Located
from scaleplan.runs.numbers import settle
from scaleplan.runs.raw import RawColumn, RawTable, TableBuilder, numeric_column
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text

_HEAD = 1 << 18  # bytes that are looked at before the engine reads the file
_MEMORY = "1200MB"
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
            "UBIGINT", "FLOAT", "DOUBLE")  # fmt: skip
_BLOCK = 1 << 24


class Unsuited(Exception):
    """The engine might give other runs than our own reading."""


@dataclass(slots=True, kw_only=True, eq=False)
class Log:
    """Files that the engine sees as one view.

    Args:
        connection: To the engine.
        files: Their names.
        names: The columns.
        kinds: `number` or `text`, for each.
        preview: The first rows as our own reading sees them.
        skipped: Lines before the first row of each file; None where lines are not counted.
        keep_text: Tells by name which columns are text.
    """

    connection: Any
    files: tuple[str, ...]
    paths: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    preview: RawTable
    skipped: int | None
    keep_text: KeepText
    lengths: list[int]

    def rows(self, expression: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of Ibis
        """Return the rows of an expression."""
        import duckdb
        import ibis

        try:
            cursor = self.connection.execute(ibis.to_sql(expression, dialect="duckdb"))
            found = cursor.fetchall()
        except duckdb.Error as error:
            reason = clean_text(str(error).split("\n", maxsplit=1)[0])[:200]
            raise Unsuited(f"DuckDB cannot read it: {reason}") from None
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def tables(self, cells: Sequence[dict[str, Any]]) -> list[RawTable]:
        """Return rows as tables, one a file, in the order of the rows."""
        starts = dict(zip(self.paths, np.cumsum([0, *self.lengths[:-1]]).tolist(), strict=True))
        result = []
        for path, name in zip(self.paths, self.files, strict=True):
            rows = sorted((c for c in cells if c["file"] == path), key=lambda c: c["row"])
            columns = {
                column: _column([row[f"c{i}"] for row in rows], column, kind, self.keep_text)
                for i, (column, kind) in enumerate(zip(self.names, self.kinds, strict=True))
            }
            lines = [
                0 if self.skipped is None else row["row"] - starts[path] + self.skipped
                for row in rows
            ]
            result.append(
                RawTable(
                    file=name, columns=columns, lines=np.array(lines, dtype=np.int64),
                    shared=self.preview.shared, dropped=(), notes=self.preview.notes,
                    decimal_comma=False,
                )
            )  # fmt: skip
        return result

    def check_rows(self, rows: int) -> None:
        """Refuse logs in which lines are not rows, or rows were passed over."""
        if self.skipped is None:
            return
        bad = self.connection.execute("select line, error_message from reject_errors").fetchone()
        if bad is not None:
            raise Unsuited(f"line {bad[0]} is no row of plain cells ({clean_text(bad[1])[:80]})")
        if sum(self.lengths) != rows:
            raise Unsuited("some lines are blank, or some cells have more than one line")


@contextmanager
def open_log(located: Sequence[Located], keep_text: KeepText) -> Iterator[Log]:
    """Give the files to the engine.

    Raises:
        Unsuited: If the engine cannot be trusted with them.
        InputError: If it is not installed.
    """
    try:
        import duckdb
        import ibis  # noqa: F401 - that it is there
    except ImportError:
        raise InputError(
            "large logs need duckdb and ibis, which are not installed",
            hint="pip install 'scaleplan[large]'",
        ) from None
    endings = {each.extension for each in located if each.path is not None}
    if len(endings) != 1 or not endings <= {".csv", ".tsv", ".parquet"}:
        raise Unsuited("only CSV files, or only Parquet files, are read so")
    if any(each.path is None or each.path.suffix == ".gz" for each in located):
        raise Unsuited("standard input and compressed text are not read so")
    connection = duckdb.connect()
    try:
        connection.execute(f"set memory_limit='{_MEMORY}'")
        opened = _parquet if endings == {".parquet"} else _text
        yield opened(connection, located, keep_text)
    finally:
        connection.close()


def _text(connection: Any, located: Sequence[Located], keep_text: KeepText) -> Log:  # noqa: ANN401
    heads = [_head(each, keep_text) for each in located]
    first, skipped, delimiter = heads[0]
    if any((tuple(h[0].columns), *h[1:]) != (tuple(first.columns), skipped, delimiter)
           or h[0].shared != first.shared for h in heads):  # fmt: skip
        raise Unsuited("the files differ in their columns")
    kinds = tuple(_kind(column, name, keep_text) for name, column in first.columns.items())
    types = {"number": "DOUBLE", "text": "VARCHAR"}
    columns = {f"c{i}": types[kind] for i, kind in enumerate(kinds)}
    paths = tuple(str(each.path) for each in located)
    connection.execute(
        "create view log as select * exclude (filename), filename as file, "
        f"row_number() over () as row from read_csv({_list(paths)}, auto_detect=false, "
        f"header=false, skip={skipped}, delim='{delimiter}', quote='\"', escape='\"', "
        f"columns={columns}, filename=true, store_rejects=true)"
    )
    lengths = [_lines(path) - skipped for path in paths]
    return Log(
        connection=connection, files=tuple(each.name for each in located), paths=paths,
        names=tuple(first.columns), kinds=kinds, preview=first, skipped=skipped,
        keep_text=keep_text, lengths=lengths,
    )  # fmt: skip


def _head(each: Located, keep_text: KeepText) -> tuple[RawTable, int, str]:
    """Return the first rows of a file, the lines before them, and the delimiter."""
    assert each.path is not None
    with each.path.open("rb") as stream:
        head = stream.read(_HEAD)
    if b"\r" in head.replace(b"\r\n", b"\n"):
        raise Unsuited("lines end in an unusual way")
    whole = head[: head.rfind(b"\n") + 1] if len(head) == _HEAD else head
    raw = settle(
        read_table(TextSource(each.name, io.BytesIO(whole)), each.extension, keep_text), keep_text
    )
    if not raw.lines.size or raw.dropped or raw.notes or raw.decimal_comma:
        raise Unsuited("its first rows are not plain")
    skipped = int(raw.lines[0]) - 1
    lines = whole.decode("utf-8", errors="replace").splitlines()[skipped - 1 : skipped + 40]
    return raw, skipped, _delimiter(lines)


def _kind(column: RawColumn, name: str, keep_text: KeepText) -> str:
    """Return whether a column holds numbers or text; nothing between them is taken."""
    if keep_text(name) or column.is_text:
        return "text"
    if any(text.lower() != "nan" for text in column.vocabulary):
        raise Unsuited(f"{name} holds cells that are no plain numbers")
    return "number"


def _parquet(connection: Any, located: Sequence[Located], keep_text: KeepText) -> Log:  # noqa: ANN401
    import duckdb

    paths = tuple(str(each.path) for each in located)
    schemas = []
    try:
        for path in paths:
            described = connection.execute(f"describe select * from read_parquet({_list([path])})")
            schemas.append([row[:2] for row in described.fetchall()])
    except duckdb.Error as error:
        raise Unsuited(f"DuckDB cannot read it: {clean_text(str(error))[:200]}") from None
    names = tuple(str(name) for name, _ in schemas[0])
    if any(schema != schemas[0] for schema in schemas):
        raise Unsuited("the files differ in their columns")
    if any(clean_text(n) != n for n in names) or len({n.casefold() for n in names}) != len(names):
        raise Unsuited("names of columns differ in little")
    kinds = []
    for name, kind in schemas[0]:
        if kind not in (*_NUMBERS, "VARCHAR") or (keep_text(name) and kind != "VARCHAR"):
            raise Unsuited(f"{name} is a column of {kind}")
        kinds.append("text" if kind == "VARCHAR" else "number")
    selected = []
    for i, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        quoted = '"' + name.replace('"', '""') + '"'
        number = f"case when isnan({quoted}::double) then null else {quoted}::double end"
        selected.append(f"{number if kind == 'number' else quoted} as c{i}")
    connection.execute(
        f"create view log as select {', '.join(selected)}, filename as file, "
        f"row_number() over () as row from read_parquet({_list(paths)}, filename=true)"
    )
    head = connection.execute("select * from log limit 1000").fetchall()
    columns = {
        name: _column([row[i] for row in head], name, kinds[i], keep_text)
        for i, name in enumerate(names)
    }
    preview = RawTable(
        file=located[0].name, columns=columns, lines=np.zeros(len(head), dtype=np.int64),
        shared={}, dropped=(), notes=(), decimal_comma=False,
    )  # fmt: skip
    return Log(
        connection=connection, files=tuple(each.name for each in located), paths=paths,
        names=names, kinds=tuple(kinds), preview=preview, skipped=None, keep_text=keep_text,
        lengths=[0] * len(paths),
    )  # fmt: skip


def _column(cells: Sequence[Any], name: str, kind: str, keep_text: KeepText) -> RawColumn:
    if kind == "number":
        return numeric_column(
            np.array([np.nan if c is None else c for c in cells], dtype=np.float64)
        )
    builder = TableBuilder(name, keep_text=keep_text)
    builder.add({name: ["" if cell is None else cell for cell in cells]}, [0] * len(cells))
    return builder.build({}).columns[name]


def _list(paths: Sequence[str]) -> str:
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def _lines(path: str) -> int:
    """Return how many lines a file has."""
    count, last = 0, b"\n"
    with open(path, "rb") as stream:  # noqa: PTH123 - a name as the engine got it
        while block := stream.read(_BLOCK):
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")
