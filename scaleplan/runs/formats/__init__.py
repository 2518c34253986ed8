"""The formats a log may have, one file each; a new one is one file and one name in `FORMATS`."""

from __future__ import annotations

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.formats.delimited import DELIMITED, holds_tables, lines_of_head
from scaleplan.runs.formats.json_file import JSON
from scaleplan.runs.formats.json_lines import JSON_LINES, begins_so
from scaleplan.runs.formats.latex import LATEX
from scaleplan.runs.formats.markdown_text import beside_runs
from scaleplan.runs.formats.mlperf import MLPERF
from scaleplan.runs.formats.no_table import is_no_table
from scaleplan.runs.formats.notebook import NOTEBOOK
from scaleplan.runs.formats.pattern_hint import how_to_describe
from scaleplan.runs.formats.printed import PRINTED, is_talk, read_with
from scaleplan.runs.formats.printed_lines import axis, known, measures
from scaleplan.runs.formats.records import refuse_own
from scaleplan.runs.formats.vowpal_wabbit import VOWPAL_WABBIT
from scaleplan.runs.formats.yaml_file import YAML, NotYamlError
from scaleplan.runs.raw import RawTable
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import shown

__all__ = ["EXTENSIONS", "FORMATS", "Format", "read_table"]

# In the order in which they look at an input without a known extension; the last takes anything.
FORMATS: tuple[Format, ...] = (
    MLPERF, VOWPAL_WABBIT, JSON_LINES, JSON, LATEX, PRINTED, YAML, DELIMITED,
)  # fmt: skip
# What programs print into files of any name.
_PRINTED_BY = (MLPERF, VOWPAL_WABBIT)

EXTENSIONS = tuple(sorted({extension for each in FORMATS for extension in each.extensions}))


def read_table(
    source: TextSource, extension: str, keep_text: KeepText, pattern: str | None = None
) -> RawTable:
    """Read an input in the format of its extension, or in the first that recognises its text.

    Args:
        source: The text.
        extension: Lower case with its dot (`.csv`), or empty.
        keep_text: Tells by name which columns are text.
        pattern: A regular expression that its lines are read by, instead of any format.

    Raises:
        InputError: If it is not a log.
    """
    refuse_own(source.head, source.name)
    if pattern is not None:
        return read_with(source, keep_text, pattern)
    if extension in NOTEBOOK.extensions:
        return NOTEBOOK.read(source, keep_text)  # named by a person: folders are full of others
    fitting = [each for each in FORMATS if extension in each.extensions]
    if not fitting:
        fitting = [each for each in FORMATS if each.recognises(source.head)] or [DELIMITED]
    # JSON and JSON Lines are often given each other's names.
    chosen = fitting[0]
    if chosen is PRINTED:
        chosen = next((each for each in _PRINTED_BY if each.recognises(source.head)), PRINTED)
    if chosen is PRINTED and not PRINTED.recognises(source.head):
        chosen = _otherwise(source)
    if chosen is PRINTED and _tells_of_runs(source):
        chosen = DELIMITED
    if chosen in (JSON, JSON_LINES):
        named = extension in JSON_LINES.extensions and begins_so(source.head)
        chosen = JSON_LINES if named or JSON_LINES.recognises(source.head) else JSON
    if chosen is YAML and extension not in YAML.extensions and holds_tables(source):
        chosen = DELIMITED  # a text that begins with `Note: the table below`
    if chosen is DELIMITED and extension not in DELIMITED.extensions:
        return _table_of(source, keep_text)
    if chosen is not YAML or extension in YAML.extensions:
        return chosen.read(source, keep_text)
    try:
        return YAML.read(source, keep_text)
    except NotYamlError as error:
        raise _no_log(error, source.head) from None


def _table_of(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read what is taken for a table because it is nothing else that is known.

    Raises:
        InputError: If it turns out to be none.
    """
    table = DELIMITED.read(source, keep_text)
    if is_no_table(table):
        line = next((line for line in source.head.splitlines() if line.strip("\ufeff \t")), "")
        raise InputError(
            "no table and no known printed form was recognised; its first line is "
            f"{shown(line, 80)}",
            file=source.name, hint=how_to_describe(source.head),
        )  # fmt: skip
    return table


def _no_log(error: NotYamlError, head: str) -> InputError:
    """Return the error for a text whose first line reads as YAML and which is none.

    Nothing but its first line says that it is meant as such: `INFO:root:started` has a key too.
    """
    at = f"line {error.line} " if error.line is not None else ""
    return InputError(
        "no line holds a metric that is known, such as `loss 2.31`, and it is no table, JSON or "
        f"YAML (read as YAML: {at}{error.message})", file=error.file,
        hint=how_to_describe(head),
    )  # fmt: skip


def _tells_of_runs(source: TextSource) -> bool:
    """Tell whether a text is a table of runs with sentences that repeat some of their metrics.

    What is printed in training counts steps, line by line; of a few such lines, as of an example,
    a longer table is what the text is about.
    """
    rows, others = beside_runs(lines_of_head(source))
    if not rows:
        return False
    said = [row for row in map(known, others) if measures(row) and any(map(axis, row))]
    return len(said) <= rows


def _otherwise(source: TextSource) -> Format:
    """Return the format of what is called .txt or .log, as tables and documents often are."""
    if source.long and is_talk(source.head):
        return PRINTED  # the training begins below what was looked at
    return next(e for e in (*FORMATS, DELIMITED) if e.recognises(source.head) or e == DELIMITED)
