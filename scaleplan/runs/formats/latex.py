r"""Tables of LaTeX: rows that end with `\\`, cells between `&`, as a paper has its runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.metrics import describe
from scaleplan.runs.numbers import read_number
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text, listed, shown

_FEWEST = 2  # rows that are enough to recognise one by
_ROW = re.compile(
    r"(?<!\\)&.*\\\\(?:\[[^\]]*\])?\s*(?:\\(?:hline|midrule|toprule|bottomrule)\s*)*$"
)
_BEGIN = re.compile(r"\\begin\{(?:tabular[xy*]?|longtable|array|tabu)\}")
_END = re.compile(r"\\end\{(?:tabular[xy*]?|longtable|array|tabu)\}")
_COMMENT = re.compile(r"(?<!\\)%.*")
_RULE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|(?:cmidrule|cline)(?:\([^)]*\))?\{[^}]*\})(?:\[[^\]]*\])?"
)
_SPLIT = re.compile(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline\b")
_CELLS = re.compile(r"(?<!\\)&")
_WIDE = re.compile(r"\s*\\multicolumn\{(?P<columns>\d+)\}\{[^{}]*\}\{(?P<inside>.*)\}\s*")
_TALL = re.compile(r"\s*\\multirow(?:\[[^\]]*\])?\{(?P<rows>\d+)\}\{[^{}]*\}\{(?P<inside>.*)\}\s*")
# \textbf{3.2}, {\bf 3.2}, \underline{3.2}: of such a command its argument counts.
_COMMAND = re.compile(r"\\[A-Za-z]+\s*\{(?P<inside>[^{}]*)\}|\{\\[a-z]+\s+(?P<switched>[^{}]*)\}")
_CITED = re.compile(r"~?\\(?:cite[a-z]*|ref|footnote|label|tablefootnote)(?:\[[^\]]*\])*\{[^{}]*\}")
_TIMES = re.compile(r"\s*\\(?:times|cdot)\s*10\s*\^\s*\{?\s*(?P<power>-?\d+)\s*\}?")
_WORDS = {r"\pm": "±", r"\sim": "~", r"\approx": "~", r"\%": "%", r"\_": "_", r"\&": "&",
          r"\#": "#", r"\$": "$", r"\,": "", r"\;": " ", r"\ ": " ", r"\!": ""}  # fmt: skip
_DEEPEST = 4

Row = tuple[int, list[str]]


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read the first table that names a metric, or else the first.

    Args:
        source: The text.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If there is no row of names with rows of numbers below it.
    """
    tables = [found for rows in _tables(source.read()) if (found := _headed(list(rows)))]
    if not tables:
        raise InputError(
            "is LaTeX without a table of one row of names and rows of numbers below it",
            file=source.name,
            hint=r"Give a table whose rows end with \\, or write it as CSV with one run a row.",
        )
    names, rows = next(
        (t for t in tables if any(describe(name) is not None for name in t[0])), tables[0]
    )
    builder = TableBuilder(source.name, keep_text=keep_text, comma="never")
    kept = []
    for line, cells in rows:
        if len(cells) == len(names):
            kept.append((line, cells))
        else:
            builder.drop(
                line,
                f"the row has {len(cells)} cells, the header {len(names)} ({shown(cells[0])} ...)",
            )
    columns = {name: [cells[i] for _, cells in kept] for i, name in enumerate(names)}
    builder.add(columns, [line for line, _ in kept])
    if len(tables) > 1:
        builder.note(_others(source.name, names, len(tables) - 1))
    for note in source.notes():
        builder.note(note)
    return builder.build({})


def _others(file: str, names: Sequence[str], others: int) -> Note:
    return Note(
        id="LINES_PASSED_OVER", severity="info",
        text=f"{file} has {others + 1} tables; the one of the columns {listed(names, 5)} is read.",
        action="Give another one in a file of its own.",
        numbers=(("lines", float(others)),),
    )  # fmt: skip


def _tables(text: str) -> Iterator[Iterator[Row]]:
    """Yield the rows of each table; a text without an environment is one table."""
    lines = [_COMMENT.sub("", line) for line in text.splitlines()]
    starts = [i for i, line in enumerate(lines) if _BEGIN.search(line)]
    if not starts:
        yield _rows(lines, 0)
    for start in starts:
        ends = (i for i in range(start, len(lines)) if _END.search(lines[i]))
        end = next(ends, len(lines))
        first = _after_begin(lines[start])
        last = [_END.split(lines[end])[0]] if end < len(lines) else []
        yield _rows([first, *lines[start + 1 : end], *last], start)


def _after_begin(line: str) -> str:
    r"""Return what follows `\begin{tabular}[t]{l|rr}` on its line."""
    rest = _BEGIN.split(line, maxsplit=1)[1]
    rest = re.sub(r"^\s*\[[^\]]*\]", "", rest)
    while rest.lstrip().startswith("{"):  # the width, and the columns
        depth = 0
        for place, sign in enumerate(rest):
            depth += (sign == "{") - (sign == "}")
            if sign == "}" and not depth:
                rest = rest[place + 1 :]
                break
        else:
            return ""
    return rest


def _rows(lines: Sequence[str], above: int) -> Iterator[Row]:
    """Yield the line and the cells of each row."""
    waiting, at = "", 0
    tall: dict[int, tuple[int, str]] = {}
    for number, line in enumerate(lines, above + 1):
        at = at if waiting.strip() else number
        *ended, rest = _SPLIT.split(waiting + _RULE.sub(" ", line) + "\n")
        for row in ended:
            cells = _cells(row, tall)
            if any(cells):
                yield at, cells
            at = number
        waiting = rest
    cells = _cells(waiting, tall)
    if len(cells) > 1 and any(cells):
        yield at, cells


def _cells(row: str, tall: dict[int, tuple[int, str]]) -> list[str]:
    """Return the cells of a row, those of several columns or rows in each of their places."""
    cells: list[str] = []
    for cell in _CELLS.split(row):
        place = len(cells)
        wide, high = _WIDE.fullmatch(cell.strip()), _TALL.fullmatch(cell.strip())
        if wide is not None:
            cells += [_plain(wide["inside"]), *[""] * (int(wide["columns"]) - 1)]
            continue
        if high is not None:
            tall[place] = int(high["rows"]) - 1, _plain(high["inside"])
            cells.append(tall[place][1])
            continue
        left, above = tall.get(place, (0, ""))
        plain = _plain(cell)
        if left > 0:
            tall[place] = left - 1, above
        cells.append(plain or (above if left > 0 else ""))
    return cells


def _plain(cell: str) -> str:
    r"""Return what a cell shows: of `\textbf{$3.2 \times 10^{21}$}` 3.2e21."""
    cell = _TIMES.sub(r"e\g<power>", _CITED.sub("", cell))
    for _ in range(_DEEPEST):
        inner = _COMMAND.sub(lambda found: found["inside"] or found["switched"] or "", cell)
        if inner == cell:
            break
        cell = inner
    for word, sign in _WORDS.items():
        cell = cell.replace(word, sign)
    cell = cell.replace("$", "").replace("{,}", "").replace("~", " " if cell[:1] != "~" else "~")
    return clean_text(re.sub(r"[{}]|\\[A-Za-z]+", "", cell))


def _headed(rows: list[Row]) -> tuple[list[str], list[Row]] | None:
    """Return the names of a table and the rows below them; None if it has none."""
    numeric = [sum(map(_is_number, cells)) for _, cells in rows]
    first = next((i for i, count in enumerate(numeric) if count > 0), None)
    if not first:
        return None
    names = rows[first - 1][1]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        return None
    return names, rows[first:]


def _is_number(cell: str) -> bool:
    return not math.isnan(read_number(cell))


def recognises(head: str) -> bool:
    """Tell whether a text begins as LaTeX with a table, or as the rows of one."""
    if _BEGIN.search(head) is not None:
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    return len([line for line in lines[:40] if _ROW.search(line)]) >= _FEWEST


LATEX = Format(name="LaTeX", extensions=(), recognises=recognises, read=read)
