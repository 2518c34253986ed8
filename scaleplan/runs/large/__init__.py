"""Logs that do not fit into memory: an engine reduces their rows to one a run.

Only what gives the same runs as our own reading, to the last digit, is left to the engine; anything
else is refused with the reason, and read in our own way where the engine was not asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.locating import Located
from scaleplan.runs.request import Request

if TYPE_CHECKING:
    from scaleplan.runs.large.reduced import LargeLog

Engine = Literal["auto", "small", "duckdb", "spark"]
LARGE_BYTES = 256 << 20  # from here on starting an engine costs less than it saves
_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@contextmanager
def near(located: Sequence[Located], engine: Engine) -> Iterator[tuple[Located, ...]]:
    """Give inputs of which those at addresses are copied here, where our own reading takes them.

    Args:
        located: The inputs.
        engine: `auto` copies up to 256 MiB and leaves more to the engine, `small` refuses more.

    Raises:
        InputError: If an address cannot be read, or holds too much for our own reading.
    """
    if engine not in ("auto", "small") or not any(each.url for each in located):
        yield tuple(located)
        return
    from scaleplan.runs.large.copying import copied

    with copied(located, most=LARGE_BYTES) as here:
        if here is None and engine == "small":
            raise InputError(
                f"holds more than the {LARGE_BYTES >> 20} MiB that are copied to be read here",
                file=next(each.name for each in located if each.url),
                hint="Copy the files here, or take --engine duckdb for per-step logs.",
            )
        yield tuple(located) if here is None else here


def read_large(
    located: Sequence[Located], request: Request, engine: Engine, *, all_points: bool
) -> tuple[LargeLog | None, list[Note]]:
    """Reduce logs by an engine, if one is asked for or the logs are large.

    Args:
        located: The files.
        request: What was asked for.
        engine: `auto`, `small`, `duckdb` or `spark`.
        all_points: Whether every point is wanted.

    Returns:
        What the engine made of the logs, None where our own reading takes them, and why it does.

    Raises:
        InputError: If an engine was asked for and is missing, or not suited to the logs.
    """
    addresses = any(each.url for each in located)
    if engine == "small" or (engine == "auto" and not addresses and not _large(located)):
        return None, []
    if engine == "auto" and not (all(map(find_spec, ("duckdb", "ibis", "fsspec")))):
        note = Note(
            id="LARGE_EXTRA", severity="info",
            text="These logs are large, and the engine that would reduce them is not installed.",
            action="pip install 'scaleplan[large]'",
        )  # fmt: skip
        return None, [note]
    from scaleplan.runs.large.reduced import NAMES, reduce_large
    from scaleplan.runs.large.unsuited import Unsuited

    named = "duckdb" if engine == "auto" else engine
    try:
        return reduce_large(located, request, named, all_points=all_points), []
    except Unsuited as reason:
        if addresses or engine != "auto":
            raise InputError(
                f"{NAMES[named]} might reduce this log to other runs than our own reading: "
                f"{reason}",
                file=located[0].name, hint="Use --engine small.",
            ) from None  # fmt: skip
        note = Note(
            id="LARGE_READ_SMALL", severity="warning",
            text=f"DuckDB was not used, so that reading took longer: {reason}.",
        )  # fmt: skip
        return None, [note]


def _large(located: Sequence[Located]) -> bool:
    """Tell whether files that the engine reads are large."""
    if any(each.path is None or each.extension not in _ENDINGS for each in located):
        return False
    sizes = (each.path.stat().st_size for each in located if each.path is not None)
    return sum(sizes) >= LARGE_BYTES
