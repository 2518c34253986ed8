"""Tables with one row a line: comma, semicolon, tab, bar or spaces between the cells."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.heading import Heading, heading_of, mark_of_output
from scaleplan.runs.formats.later_headings import Headings
from scaleplan.runs.formats.markdown import between_bars
from scaleplan.runs.formats.markdown_text import is_mixed, only_runs
from scaleplan.runs.formats.plain_blocks import Ahead, Lines, Whole, add_plain, read_ahead
from scaleplan.runs.formats.repeated_names import distinct, repeated_names
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawTable, TableBuilder, refuse_wide
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import as_named, clean_text, listed, shown, uncoloured
from scaleplan.units import format_number_of

_SNIFFED_LINES = 40
_BLOCK_CELLS = 200_000  # cells converted at a time: large enough for speed, some 20 MiB of text
_COMMENTED = re.compile(r"^#\s*([\w ./-]{1,60}?)\s*[:=]\s*(.*?)\s*$")
# The first line that Excel writes and reads to name the delimiter.
_DECLARED = re.compile(r'"?sep=([,;\t|])"?\s*$')
# Longer cells are pasted logs or open quotation marks; of the longest a table is refused.
_LONGEST_CELL, _MOST_READ = 131_072, 1 << 24
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMAS = {";": "decimal", "\t": "maybe", "|": "maybe", " ": "maybe"}


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a table.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If there is no header, or the quoting is broken.
    """
    with _long_cells():
        mark = mark_of_output(lines_of_head(source))
        if mark:
            plain = [line.removeprefix(mark) for line in Lines(source)]
            return _read(Lines(source, plain), source, keep_text)
        if not holds_tables(source):
            return _read(Lines(source), source, keep_text)
        lines, notes = only_runs(list(Lines(source)), source.name)
        return _read(Lines(source, lines), source, keep_text, notes)


def holds_tables(source: TextSource) -> bool:
    """Tell whether a text begins as one of Markdown with a table and prose, or several tables."""
    return is_mixed(lines_of_head(source))


def lines_of_head(source: TextSource) -> list[str]:
    """Return the whole lines that a text begins with."""
    lines = _LINE_END.split(source.head)
    # The last line of a part, or of what is still written, may be half a line.
    return lines[:-1] if source.long or source.growing else lines


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let cells be longer than csv reads by default: one of them is no reason to refuse a table."""
    before = csv.field_size_limit(_MOST_READ)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read(
    lines: Lines, source: TextSource, keep_text: KeepText, cut_out: Sequence[Note] | None = None
) -> RawTable:
    """Read a table from its lines; `cut_out` is said of one that was cut out of a Markdown text."""
    skipped, shared, comment, first = _preamble(lines)
    declared = _DECLARED.match(first)
    if declared is not None:
        skipped, first, comment = skipped + 1, next(lines, ""), ""
    start = [first, *islice(lines, _SNIFFED_LINES)]
    heading = heading_of(start, comment) if cut_out is None else Heading(start, [], "|")
    delimiter = declared.group(1) if declared is not None else heading.delimiter
    skipped += len(start) - len(heading.lines)
    reader = csv.reader(
        chain(heading.lines, lines), delimiter=delimiter, skipinitialspace=delimiter == " "
    )
    rows = _rows(reader, lines, skipped)
    if delimiter == "|":
        rows = between_bars(rows)
    header_line, header = next(rows, (skipped + 1, []))
    refuse_wide(source.name, len(header))
    names = _names(header, source.name, header_line)
    builder = TableBuilder(source.name, keep_text=keep_text, comma=_COMMAS.get(delimiter, "never"))
    for note in repeated_names(f"{source.name}:{header_line}", names):
        builder.note(note)
    told = heading.note(source.name, header_line - 1)
    if told is not None:
        builder.note(told)
    if delimiter == "|":
        rows = (found for found in rows if not _is_rule(found[1]))
    told_again = _fill(builder, rows, distinct(names), lines if delimiter == "," else None)
    for note in (*told_again.notes(source.name), *(cut_out or ()), *source.notes()):
        builder.note(note)
    return builder.build(shared)


def _preamble(lines: Iterator[str]) -> tuple[int, dict[str, str], str, str]:
    """Skip blank lines and comments; `# key: value` comments are metadata.

    Returns:
        How many lines were skipped, the metadata, the comment right above the line after them, and
        that line (each empty if there is none).
    """
    shared: dict[str, str] = {}
    above = ""
    for skipped, line in enumerate(lines):
        stripped = line.strip("\ufeff \t\r\n")
        if stripped and not stripped.startswith("#"):
            return skipped, shared, above, line.removeprefix("\ufeff")
        above = stripped
        match = _COMMENTED.match(stripped)
        if match is not None:
            shared[clean_text(match.group(1))] = clean_text(match.group(2))
    return 0, shared, "", ""


def _rows(
    reader: Iterator[list[str]], lines: Lines, skipped: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank, with the line it starts at."""
    end = skipped
    while True:
        # Lines that were read as a block do not pass through the reader.
        line = end + 1 - lines.passed
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _unreadable(lines, line, str(error)) from None
        ended: int = reader.line_num  # type: ignore[attr-defined]  # a csv.reader
        if ended > line - skipped and max(map(len, row), default=0) > _LONGEST_CELL:
            raise _unreadable(lines, line, f"one cell has {max(map(len, row)):,} characters")
        line += lines.passed
        end = skipped + lines.passed + ended
        if row and (len(row) > 1 or row[0].strip()):
            yield line, row


def _unreadable(lines: Lines, line: int, why: str) -> InputError:
    return InputError(
        f"the row that starts here cannot be read ({why})", file=lines.name,
        line=line + lines.passed, hint="Look for a quotation mark that is never closed.",
    )  # fmt: skip


def _names(header: list[str], file: str, line: int) -> list[str]:
    """Return the column names of the first row, which must be names."""
    names = [as_named(clean_text(uncoloured(cell))) for cell in header]
    # With nothing above the names of its rows, `,0,1,2` heads a table that stands on its side.
    numbered = all(not n or read_number(n) == read_number(n) for n in names)
    if numbered and (names[:1] != [""] or not any(names)):
        raise InputError(
            f"the first row has numbers where column names should be: {listed(names, 5)}",
            file=file, line=line, hint="Add a first row such as params,tokens,loss.",
        )  # fmt: skip
    return [name or f"column {i}" for i, name in enumerate(names, 1)]


def _is_rule(row: list[str]) -> bool:
    """Tell whether a row of cells between bars is the line below the names: |---|:--:|, ---+---."""
    text = "".join(row)
    return "--" in text and not text.strip("-:+= \t")


def _refused(row: list[str], text: str, width: int) -> str:
    """Return why a row whose cells are long or hold line breaks is none; empty if it is one.

    Args:
        row: The cells.
        text: All of them together.
        width: How many the header has.
    """
    if "\n" in text:
        for cell in row:
            inside = [line for line in cell.splitlines() if _as_wide(line, width)]
            if inside:
                lost = format_number_of(len(inside) - (len(row) < width), "more row")
                return f"a quotation mark that is never closed holds {lost}"
    if len(text) > _LONGEST_CELL:
        longest = max(row, key=len)
        if len(longest) > _LONGEST_CELL and not longest.startswith("["):  # a list of numbers may be
            return f"a cell has {len(longest):,} characters ({shown(longest)})"
    return ""


def _of_width(row: list[str], width: int) -> list[str] | str:
    """Return a row as wide as the header, or why it cannot be one."""
    text = "".join(row)
    if "\n" in text or len(text) > _LONGEST_CELL:  # hardly any row: it is asked of each
        reason = _refused(row, text, width)
        if reason:
            return reason
    if "\x1b" in text:
        row = [_plain_number(cell) for cell in row]
    if len(row) == width:
        return row
    # Delimiters at the end of a line carry nothing.
    if len(row) < width or any(c.strip() for c in row[width:]):
        if not row:
            return f"the row has no cells, the header {width}"
        count = "1 cell" if len(row) == 1 else f"{len(row)} cells"
        return f"the row has {count}, the header {width} ({shown(row[0])} ...)"
    return row[:width]


def _plain_number(cell: str) -> str:
    """Return a number without the escapes that colour it; text stays as it is."""
    plain = uncoloured(cell)
    return cell if math.isnan(read_number(plain)) else plain


def _as_wide(line: str, width: int) -> bool:
    return width > 1 and any(line.count(delimiter) == width - 1 for delimiter in ",;\t|")


def _fill(
    builder: TableBuilder, rows: Iterator[tuple[int, list[str]]], names: list[str],
    lines_read: Lines | None,
) -> Headings:  # fmt: skip
    """Add all rows, a block at a time; rows of another length are dropped with the reason."""
    width = len(names)
    builder.add({name: [] for name in names}, [])
    block = max(1, _BLOCK_CELLS // max(1, width))
    cells: list[list[str]] = []
    lines: list[int] = []

    def flush() -> None:
        builder.add(dict(zip(names, zip(*cells, strict=True), strict=True)), lines)
        cells.clear()
        lines.clear()

    def start(block_of_text: bytes) -> Callable[[], Ahead]:
        if cells:
            flush()
        return partial(read_ahead, names, builder.texts(), block_of_text)

    def take(block_of_text: bytes, first_line: int, ahead: Ahead | None) -> int:
        if cells:
            flush()
        builder.expect(lines_read.share if lines_read is not None else 0.0)
        return add_plain(builder, names, block_of_text, first_line, ahead)

    if lines_read is not None and width > 1:
        lines_read.whole = Whole(start=start, take=take)
    headings = Headings(names)
    for line, row in rows:
        found = headings.ordered(line, _of_width(row, width))
        if isinstance(found, str):
            builder.drop(line, found)
            continue
        cells.append(found)
        lines.append(line)
        if len(cells) >= block:
            flush()
    if cells:
        flush()
    return headings


DELIMITED = Format(
    name="delimited text", extensions=(".csv", ".tsv", ".tab", ".psv"),
    recognises=lambda head: True, read=read,
)  # fmt: skip
