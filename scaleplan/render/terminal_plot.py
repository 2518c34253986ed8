"""Pictures as text for a terminal, by uniplot: one character for each line or set of points.

Characters tell the lines apart, so that a picture reads the same without colours, in a pipe and on
a terminal without Unicode; colours are added where the stream takes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from scaleplan.render.axis_ticks import labels_of, ticks_between
from scaleplan.render.contour_lines import crossings, levels_of
from scaleplan.render.text import plain_text
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.records import Panel, Picture, Trace
    from scaleplan.records.pictures import Scale

_WIDTH, _LEAST_WIDTH, _MOST_WIDTH = 80, 40, 120  # columns: in a pipe, and in any terminal
_HEIGHT, _LOW_HEIGHT, _MANY_PANELS = 18, 12, 4  # rows of a panel, and of one among many
_ROWS_A_TICK, _COLUMNS_A_TICK = 3, 11
_LINES = "*#%@&=~"  # laws, in the order in which they come
_LETTERS = "abcdefghijklm"  # points of groups
_MARKS = {"runs": "o", "mark": "X", "ideal": ".", "limit": "!", "zero": "-", "training": "+",
          "validation": "*", "bar": "="}  # fmt: skip
_CYCLED = {"law", "sweep", "cloud"}  # each has a character of its own
_POINTS = {"runs", "mark", "cloud"}
_BAND = ":"
# Okabe & Ito 2008 without black and the darkest blue, which dark terminals hide.
_COLOURS = ("#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#F0E442", "#0072B2")
_MOST_LEGEND = 14


@dataclass(frozen=True, slots=True)
class _Series:
    """A line or points with the character that it is drawn with."""

    name: str
    character: str
    colour: str
    joined: bool
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """An axis: the ends in plot space (logs where it is one of logs) and its scale."""

    scale: Scale
    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high one."""
        at = math.log10(value) if self.scale == "log" else value
        return (at - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Return the values of its ticks."""
        log = self.scale == "log"
        ends = (10.0**self.low, 10.0**self.high) if log else (self.low, self.high)
        return ticks_between(*ends, log=log, most=max(2, most))


def draw_picture(picture: Picture, stream: TextIO) -> str:
    """Return a picture as lines of text for a stream, panels below each other.

    Args:
        picture: The panels.
        stream: Where it will be written; decides on colour, characters and width.
    """
    terminal = stream.isatty()
    console = Console(
        file=stream, width=None if terminal else _WIDTH, highlight=False, markup=False, emoji=False
    )
    width = min(max(console.width, _LEAST_WIDTH), _MOST_WIDTH)
    height = _HEIGHT if len(picture.panels) < _MANY_PANELS else _LOW_HEIGHT
    plain = console.options.ascii_only
    with console.capture() as captured:
        console.print(Text("\n" + plain_text(picture.title), style="bold"))
        for panel in picture.panels:
            for line in _panel(panel, width, height, ascii_only=plain):
                console.print(line, crop=False, overflow="fold", width=max(width, console.width))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _panel(panel: Panel, width: int, height: int, *, ascii_only: bool) -> list[Text]:
    head = [Text(""), Text(plain_text(panel.title), style="bold cyan")]
    series = _series_of(panel)
    x_axis = _axis([v for s in series for v in s.x], panel.x_scale)
    y_axis = _axis([v for s in series for v in s.y], panel.y_scale)
    if x_axis is None or y_axis is None:
        return [*head, Text("  nothing to draw: no finite values")]
    powers = "FLOP" in panel.y_label
    labels = labels_of(y_axis.ticks(height // _ROWS_A_TICK + 1), powers=powers)
    if panel.y_names:
        labels = {float(at): plain_text(name) for at, name in enumerate(panel.y_names)}
    margin = max(map(len, labels.values()))
    inner = width - margin - 3
    rows = _grid(series, x_axis, y_axis, inner, height)
    of_row = {
        height - 1 - min(height - 1, int(y_axis.place(v) * height)): text
        for v, text in labels.items()
    }
    bar, tee = ("|", "+") if ascii_only else ("│", "┤")
    styles = {s.character: s.colour for s in series}
    lines = head
    if panel.y_label:
        lines.append(Text(f"{'':{margin}}  {plain_text(panel.y_label)}", style="dim"))
    for number, row in enumerate(rows):
        label = of_row.get(number, "")
        lines.append(_styled(f"{label:>{margin}} {tee if label else bar}", row, styles))
    powers = "FLOP" in panel.x_label
    lines += _below(x_axis, margin, inner, powers=powers, ascii_only=ascii_only)
    lines.append(Text(f"{plain_text(panel.x_label):>{margin + 2 + inner}}", style="dim"))
    return [*lines, *_legend(series, margin, width)]


def _series_of(panel: Panel) -> list[_Series]:
    """Return what is drawn, in the order in which it covers what came before."""
    laws = 0
    behind: list[_Series] = []
    middle: list[_Series] = []
    front: list[_Series] = []
    for trace in panel.traces:
        colour = _COLOURS[laws % len(_COLOURS)] if trace.look in _CYCLED else ""
        character = _MARKS.get(trace.look, "") or _LINES[laws % len(_LINES)]
        if trace.group is not None and trace.look == "cloud":
            character = _LETTERS[trace.group % len(_LETTERS)]
        laws += trace.look in _CYCLED
        if trace.look == "bar":
            middle += [
                _finite("" if at else trace.name, character, "", True, (0.0, x), (y, y), panel)
                for at, (x, y) in enumerate(zip(trace.x, trace.y, strict=True))
            ]
            continue
        made = _finite(trace.name, character, colour, trace.look not in _POINTS,
                       trace.x, trace.y, panel)  # fmt: skip
        (front if trace.look in _POINTS - {"cloud"} else middle).append(made)
        behind += _bands(trace, panel)
    return [s for s in (*_contours(panel), *behind, *middle, *front) if s.x]


def _contours(panel: Panel) -> list[_Series]:
    """Return the lines of equal value of a panel, a digit each."""
    grid = panel.contours
    if grid is None:
        return []
    return [
        _finite(f"{grid.name} {format_significant(level, 3)}", str(number), "dim", False,
                [x for x, _ in points], [y for _, y in points], panel)
        for number, level in enumerate(levels_of(grid), start=1)
        for points in [crossings(grid, level)]
    ]  # fmt: skip


def _bands(trace: Trace, panel: Panel) -> list[_Series]:
    """Return the ends of a band as lines, those of a mark's interval as one upright line each."""
    if not trace.low:
        return []
    if trace.look == "mark":
        return [
            _finite("", "|", "", True, (x, x), ends, panel)
            for x, *ends in zip(trace.x, trace.low, trace.high, strict=True)
        ]
    name = "interval" if trace.name else ""
    return [
        _finite(named, _BAND, "", True, trace.x, ends, panel)
        for named, ends in ((name, trace.low), ("", trace.high))
    ]


def _finite(
    name: str, character: str, colour: str, joined: bool, xs: Sequence[float],
    ys: Sequence[float], panel: Panel,
) -> _Series:  # fmt: skip
    """Return a series of the points that its axes can show, in plot space."""
    pairs = [
        (math.log10(x) if panel.x_scale == "log" else x,
         math.log10(y) if panel.y_scale == "log" else y)
        for x, y in zip(xs, ys, strict=True)
        if math.isfinite(x) and math.isfinite(y)
        and (x > 0.0 or panel.x_scale != "log") and (y > 0.0 or panel.y_scale != "log")
    ]  # fmt: skip
    return _Series(
        name, character, colour, joined, tuple(x for x, _ in pairs), tuple(y for _, y in pairs)
    )


def _axis(values: list[float], scale: Scale) -> _Axis | None:
    """Return an axis around values in plot space; None without any."""
    if not values:
        return None
    low, high = min(values), max(values)
    room = 0.03 * (high - low)
    if room <= 1e-12 * max(abs(low), abs(high)):
        room = 0.05 if scale == "log" else max(0.05 * abs(low), 1e-12)
    return _Axis(scale, low - room, high + room)


def _grid(
    series: Sequence[_Series], x_axis: _Axis, y_axis: _Axis, width: int, height: int
) -> list[str]:
    """Return the rows inside the axes."""
    from uniplot import plot_to_string

    text = plot_to_string(
        xs=[s.x for s in series], ys=[s.y for s in series], lines=[s.joined for s in series],
        character_set="ascii", force_ascii_characters=[s.character for s in series], color=False,
        width=width, height=height, x_labels=False, y_labels=False, x_gridlines=[],
        y_gridlines=[], x_min=x_axis.low, x_max=x_axis.high, y_min=y_axis.low, y_max=y_axis.high,
    )  # fmt: skip
    return [row[1 : width + 1] for row in text.splitlines()[1 : height + 1]]


def _styled(start: str, row: str, styles: dict[str, str]) -> Text:
    line = Text(start, no_wrap=True)
    for character, same in groupby(row):
        line.append("".join(same), style=styles.get(character, ""))
    return line


def _below(axis: _Axis, margin: int, width: int, *, powers: bool, ascii_only: bool) -> list[Text]:
    """Return the axis below a panel with its ticks, and the numbers at them."""
    corner, line, tee = ("+", "-", "+") if ascii_only else ("└", "─", "┴")
    rule, numbers, free = [line] * width, [" "] * (margin + 2 + width), 0
    labels = labels_of(axis.ticks(width // _COLUMNS_A_TICK + 1), powers=powers)
    for value, text in labels.items():
        column = min(width - 1, int(axis.place(value) * width))
        start = min(max(column + margin + 2 - len(text) // 2, 0), len(numbers) - len(text))
        if start < free:
            continue
        rule[column] = tee
        numbers[start : start + len(text)] = text
        free = start + len(text) + 1
    return [Text(" " * (margin + 1) + corner + "".join(rule), no_wrap=True),
            Text("".join(numbers), no_wrap=True)]  # fmt: skip


def _legend(series: Sequence[_Series], margin: int, width: int) -> list[Text]:
    """Return what each character stands for, on as many lines as it takes."""
    named = {s.character: s for s in reversed(series) if s.name}
    shown = list(named.values())[::-1]
    lines: list[Text] = []
    for each in shown[:_MOST_LEGEND]:
        entry = Text(each.character, style=each.colour)
        entry.append(f" {plain_text(each.name)}", style="none")
        if lines and lines[-1].cell_len + 3 + entry.cell_len <= width:
            lines[-1] = lines[-1] + Text("   ") + entry
        else:
            lines.append(Text(" " * (margin + 2)) + entry)
    if len(shown) > _MOST_LEGEND:
        lines.append(Text(f"{'':{margin + 2}}and {len(shown) - _MOST_LEGEND} more"))
    return lines
