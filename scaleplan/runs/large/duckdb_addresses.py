"""Files that DuckDB reads where they are: by HTTP, in object stores."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scaleplan.errors import InputError
from scaleplan.runs.locating import Located, address

# The extensions of DuckDB by the schemes that they read; others are left to fsspec.
_EXTENSIONS = {
    **dict.fromkeys(("http", "https", "s3", "s3a", "s3n", "gs", "gcs", "r2", "hf"), "httpfs"),
    **dict.fromkeys(("az", "azure", "abfss"), "azure"),
}


def reach(connection: Any, located: Sequence[Located]) -> None:  # noqa: ANN401 - duckdb has no types
    """Make DuckDB able to read addresses: by its own extension, or by fsspec where it is missing.

    Args:
        connection: To the engine.
        located: The files.

    Raises:
        InputError: If it cannot read one of them.
    """
    first: dict[str, Located] = {}
    for each in located:
        if each.url:
            first.setdefault(each.url.partition("://")[0].lower(), each)
    for scheme, each in first.items():
        if scheme != "file" and not (
            _has_extension(connection, _EXTENSIONS.get(scheme)) or _has_fsspec(connection, scheme)
        ):
            raise InputError(
                f"DuckDB cannot read {scheme}:// here: {_missing(scheme)}", file=each.name,
                hint=f"{_remedy(scheme)}, or copy the files here.",
            )  # fmt: skip


def _has_extension(connection: Any, name: str | None) -> bool:  # noqa: ANN401
    """Load an extension of DuckDB, which fetches it if it can; tell whether it is there."""
    import duckdb

    if name is None:
        return False
    for statement in (f"load {name}", f"install {name}", f"load {name}"):
        try:
            connection.execute(statement)
        except duckdb.Error:
            continue  # not there yet, or no network to fetch it by: what follows decides
        if statement.startswith("load"):
            return True
    return False


def _has_fsspec(connection: Any, scheme: str) -> bool:  # noqa: ANN401
    """Let fsspec read the addresses of a scheme; tell whether it can."""
    import fsspec

    try:
        files = fsspec.filesystem(scheme)
    except (ImportError, ValueError):  # its package is not installed; it knows no such scheme
        return False
    if type(files).modified is fsspec.AbstractFileSystem.modified:
        # DuckDB asks for it, and some stores do not say; within one reading it is of no use.
        files.modified = lambda _: datetime.fromtimestamp(0, tz=UTC)
    connection.register_filesystem(files)
    return True


def _missing(scheme: str) -> str:
    extension = _EXTENSIONS.get(scheme)
    fsspec = f"fsspec has no package for {scheme}"
    if extension is None:
        return fsspec
    return f"its extension {extension} is not installed and cannot be fetched, and {fsspec}"


def _remedy(scheme: str) -> str:
    package = {"http": "fsspec[http]", "https": "fsspec[http]", "gs": "fsspec[gcs]",
               "gcs": "fsspec[gcs]", "s3": "fsspec[s3]"}.get(scheme)  # fmt: skip
    extension = _EXTENSIONS.get(scheme)
    own = f"python -c \"import duckdb; duckdb.sql('install {extension}')\"" if extension else ""
    other = f"pip install '{package}'" if package else ""
    return " or ".join(filter(None, (own, other))) or f"Install what reads {scheme}://"


def expanded(connection: Any, located: Sequence[Located]) -> tuple[Located, ...]:  # noqa: ANN401
    """Return the files, with the addresses that a pattern of them stands for.

    Raises:
        InputError: If a pattern stands for none.
    """
    result: list[Located] = []
    for each in located:
        # A question mark in an address of the web starts its parameters.
        if not glob.has_magic(each.url) or each.url.startswith(("http://", "https://")):
            result.append(each)
            continue
        found = connection.execute(
            f"select file from glob({quoted_list([each.url])}) order by file"
        ).fetchall()
        if not found:
            raise InputError("no file matches this pattern", file=each.name,
                             hint="Check the pattern.")  # fmt: skip
        scheme = each.url.partition("://")[0]
        for (file,) in found:
            result.append(address(file if "://" in file else f"{scheme}://{file}"))
    return tuple(result)


def paths_of(located: Sequence[Located]) -> str:
    """Return files as a list of SQL."""
    return quoted_list([each.url or str(each.path) for each in located])


def quoted_list(texts: Sequence[str]) -> str:
    """Return texts as a list of SQL."""
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"
