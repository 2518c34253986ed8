"""Plain blocks of a large table: no quotes, one row a line; read whole, not line by line.

A block that holds anything else is left to the reader of lines, so that the table is the same.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from scaleplan.errors import InputError
from scaleplan.runs.formats.arrow_arrays import floats_of, places_of
from scaleplan.runs.formats.later_headings import holds_heading
from scaleplan.runs.raw import TableBuilder, Words
from scaleplan.runs.source import TextSource
from scaleplan.runs.table import FloatArray

if TYPE_CHECKING:
    from concurrent.futures import Future


# The first block is read line by line: it holds the header and shows which columns are text, and
# for a table that ends there loading an engine would take longer.
_FIRST, _BLOCK = 1 << 20, 8 << 20
_LONGEST_CELL = 100_000  # the reader of lines refuses cells above 131,072 characters
_COMMA, _NEWLINE = 44, 10
# Blocks that are read ahead of their turn, by a thread each: what adds them is faster than four.
_MOST_AHEAD = 4
_FAILED_COLUMN = re.compile(r"column #(\d+): CSV conversion error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A block that was read before the rows above it were added.

    Args:
        count: How many lines it has; 0 if some of their ends are others than are read here.
        known: What columns held as far as was known then.
        found: Its columns; None if it is not plain.
    """

    count: int
    known: object
    found: Mapping[str, FloatArray | Words] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Reads blocks whole.

    Args:
        start: Called with a block that can be read ahead of its turn, returns what reads it: that
            touches nothing else, so that it may run beside other work.
        take: Called with a block in its turn, the number of its first line and what was read of it
            ahead, if anything; returns how many lines it has; 0 if it is not plain.
    """

    start: Callable[[bytes], Callable[[], Ahead]]
    take: Callable[[bytes, int, Ahead | None], int]


class Lines:
    """The lines of a text, and how many of them were read as blocks instead.

    Args:
        source: The text.
        given: Its lines, if they were read before.
        quoted: Whether quotation marks let cells go on in the next line.

    Attributes:
        name: What messages call it.
        passed: Lines that were read as blocks.
        share: The part of the text above the block that is read; 0 where that is not known.
        whole: Reads blocks; None where there is nothing that does.
    """

    def __init__(
        self, source: TextSource, given: Iterable[str] | None = None, *, quoted: bool = True
    ) -> None:
        self.name = source.name
        self.passed = 0
        self.share = 0.0
        self.whole: Whole | None = None
        self._source, self._quoted = source, quoted
        if given is not None:
            self._lines = iter(given)
        else:
            self._lines = self._cut() if source.long else source.lines()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._lines)

    def _cut(self) -> Iterator[str]:
        number = above = 0
        for block, whole, ahead in self._blocks():
            read = ahead.result() if ahead is not None else None
            self.share = above / self._source.size if self._source.size else 0.0
            above += len(block)
            count = whole.take(block, number + 1, read) if whole is not None else 0
            if count:
                self.passed += count
                number += count
                continue
            for line in self._source.lines_in(block, number):
                number += 1
                yield line

    def _blocks(self) -> Iterator[tuple[bytes, Whole | None, Future[Ahead] | None]]:
        """Yield blocks, what reads each whole if anything may, and what it reads meanwhile."""
        from concurrent.futures import ThreadPoolExecutor

        quoted = False
        # Reading lets go of Python's lock; with one processor it would only be in the way.
        threads = min(_processors(), _MOST_AHEAD) if find_spec("pyarrow") is not None else 1
        waiting: deque[tuple[bytes, Whole | None, Future[Ahead] | None]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            try:
                for block in self._source.blocks(_FIRST, _BLOCK):
                    # From there a cell may go on in the next block.
                    quoted = self._quoted and (quoted or b'"' in block)
                    half = self._source.growing and not block.endswith(b"\n")
                    whole = None if quoted or half else self.whole
                    early = whole is not None and threads > 1
                    ahead = pool.submit(whole.start(block)) if whole and early else None
                    waiting.append((block, whole, ahead))
                    while waiting and (not early or len(waiting) > threads):
                        yield waiting.popleft()
            except InputError:
                yield from waiting  # what stands above the failure may fail first
                raise
            yield from waiting


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_ahead(names: list[str], texts: set[str], block: bytes) -> Ahead:
    """Read a block before the rows above it are added.

    Args:
        names: The columns.
        texts: Those that hold text as far as is known.
        block: The bytes of whole lines.
    """
    count = lines_of(block)
    found = _read_by_arrow(block, count, names, texts) if count else None
    return Ahead(count=count, known=texts, found=found)


def add_plain(
    builder: TableBuilder, names: list[str], block: bytes, first_line: int, ahead: Ahead | None
) -> int:
    """Add the rows of a block if it is plain.

    Args:
        builder: Takes the rows.
        names: The columns.
        block: The bytes of whole lines.
        first_line: The number of its first line.
        ahead: What was read of it before; read again if the columns of text are others by now.

    Returns:
        How many lines it has; 0 if it is not plain and nothing was added.
    """
    if find_spec("pyarrow") is None:
        count = lines_of(block)
        return count if count and _add_split(builder, names, block, first_line, count) else 0
    texts = builder.texts()
    if ahead is None or ahead.known != texts:
        ahead = read_ahead(names, texts, block)
    if ahead.found is None:
        return 0
    lines = np.arange(first_line, first_line + ahead.count, dtype=np.int64)
    builder.add_read(ahead.found, lines)
    return ahead.count


def _add_split(
    builder: TableBuilder, names: list[str], block: bytes, first_line: int, count: int
) -> bool:
    """Add the rows of a block that is cut at its commas; False if rows differ in length."""
    block = block.replace(b"\r\n", b"\n")
    if not block.endswith(b"\n"):
        block += b"\n"
    seen = np.frombuffer(block, dtype=np.uint8)
    cuts = seen[(seen == _COMMA) | (seen == _NEWLINE)]
    if cuts.size != count * len(names):
        return False
    table = cuts.reshape(count, len(names))
    if not (table[:, -1] == _NEWLINE).all() or (table[:, :-1] == _NEWLINE).any():
        return False
    try:
        cells = block.decode("utf-8").replace("\n", ",").split(",")
    except UnicodeDecodeError:
        return False
    if len(max(cells, key=len)) > _LONGEST_CELL:
        return False
    cells.pop()  # after the last line
    lines = range(first_line, first_line + count)
    builder.add({name: cells[i :: len(names)] for i, name in enumerate(names)}, lines)
    return True


def lines_of(block: bytes) -> int:
    """Return how many lines a block has; 0 if some of their ends are others than are read here."""
    if b"\0" in block or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        return 0
    # Unlike the method of bytes, numpy lets other threads go on meanwhile.
    ends = np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE)
    return int(ends) + (not block.endswith(b"\n"))


def _read_by_arrow(
    block: bytes, count: int, names: list[str], texts: set[str]
) -> Mapping[str, FloatArray | Words] | None:
    """Return the columns of a block of so many lines; None if it is not plain."""
    words = {i for i, name in enumerate(names) if name in texts}
    table = None
    while table is None:
        try:
            table = _arrow_table(block, len(names), words)
        except ValueError as error:  # what pyarrow raises is one
            failed = _FAILED_COLUMN.search(str(error))
            if failed is None or int(failed[1]) in words or holds_heading(block, names):
                return None
            words.add(int(failed[1]))
    if table.num_rows != count:
        return None  # blank lines
    odd = {i for i in range(len(names)) if i not in words and not finite(table.column(str(i)))}
    # `nan` and `inf` keep their text, and so do numbers too large to be finite.
    again = _arrow_table(block, len(names), odd, only=sorted(odd)) if odd else table
    found: dict[str, FloatArray | Words] = {}
    for i, name in enumerate(names):
        column = (again if i in odd else table).column(str(i))
        if i not in words and i not in odd:
            found[name] = floats_of(column.chunk(0))
            continue
        one = column.chunk(0)  # a block is one chunk
        different = one.dictionary.to_pylist()
        if any(len(cell) > _LONGEST_CELL for cell in different):
            return None
        found[name] = Words(different, places_of(one.indices))
    return found


def _arrow_table(block: bytes, width: int, words: set[int], only: list[int] | None = None) -> Any:  # noqa: ANN401 - a table of pyarrow
    """Read columns as numbers or as words.

    Raises:
        ValueError: If a row has another length, or a cell of a number is none.
    """
    import pyarrow as pa
    from pyarrow import csv

    text = pa.dictionary(pa.int32(), pa.string())
    return csv.read_csv(
        pa.BufferReader(block),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=len(block) + 1,
            column_names=[str(i) for i in range(width)],
        ),
        parse_options=csv.ParseOptions(quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types={str(i): text if i in words else pa.float64() for i in range(width)},
            null_values=[""], strings_can_be_null=True,
            include_columns=None if only is None else [str(i) for i in only],
        ),
    )  # fmt: skip


def finite(column: Any) -> bool:  # noqa: ANN401 - a column of pyarrow
    """Tell whether every cell that is not empty holds a finite number."""
    numbers = floats_of(column.chunk(0))
    return bool(int(np.count_nonzero(np.isfinite(numbers))) + column.null_count == numbers.size)
