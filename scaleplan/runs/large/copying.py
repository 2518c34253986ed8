"""Logs at addresses, copied here where our own reading takes them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scaleplan.errors import InputError
from scaleplan.runs.large.duckdb_addresses import expanded, paths_of, reach
from scaleplan.runs.locating import Located
from scaleplan.runs.text import clean_text


@contextmanager
def copied(located: Sequence[Located], *, most: int) -> Iterator[tuple[Located, ...] | None]:
    """Give the same inputs with those at addresses as files here, which are deleted afterwards.

    Args:
        located: The inputs.
        most: Bytes that are copied at the most, over all of them.

    Yields:
        The inputs; None if they hold more, or how much is not known.

    Raises:
        InputError: If DuckDB is not installed, or cannot read an address.
    """
    try:
        import duckdb
        import fsspec  # noqa: F401 - that it is there
    except ImportError:
        raise InputError(
            "an address is read by DuckDB, which is not installed",
            file=next(each.name for each in located if each.url),
            hint="pip install 'scaleplan[large]'",
        ) from None
    with duckdb.connect() as connection, TemporaryDirectory(prefix="scaleplan-") as folder:
        reach(connection, located)
        try:
            known = [
                found for each in located
                for found in (expanded(connection, [each]) if each.url else (each,))
            ]  # fmt: skip
            if sum(_size(connection, each) for each in known if each.url) > most:
                yield None
                return
            files = [_copy(connection, each, Path(folder)) if each.url else each for each in known]
        except (duckdb.Error, OSError) as error:
            reason = clean_text(str(error).split("\n", maxsplit=1)[0])[:200]
            raise InputError(
                f"cannot be read: {reason}", file=next(e.name for e in located if e.url),
                hint="Check the address and the rights to read it.",
            ) from None  # fmt: skip
        yield tuple(files)


def _size(connection: Any, each: Located) -> float:  # noqa: ANN401 - duckdb has no types
    """Return the bytes at an address, more than any number where it does not say.

    Raises:
        InputError: If nothing stands there.
    """
    found = connection.execute(f"select size from read_blob({paths_of([each])})").fetchone()
    if found is None:
        raise InputError(
            "nothing can be read there", file=each.name,
            hint="Check the address and the rights to read it.",
        )  # fmt: skip
    return math.inf if found[0] is None else float(found[0])


def _copy(connection: Any, each: Located, folder: Path) -> Located:  # noqa: ANN401
    """Copy what stands at an address: files beside each other stay so, and keep their names."""
    content = connection.execute(f"select content from read_blob({paths_of([each])})").fetchone()
    plain = each.url.partition("?")[0] if each.url.startswith("http") else each.url
    beside, _, name = plain.rpartition("/")
    below = folder / sha256(beside.encode()).hexdigest()[:16]
    below.mkdir(exist_ok=True)
    path = below / (name.replace("\0", "") or "log")
    path.write_bytes(content[0])
    return replace(each, path=path, url="")
