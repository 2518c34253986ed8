"""Pictures by matplotlib: PNG, SVG, PDF, or a page of HTML that holds the SVG."""

from __future__ import annotations

import contextlib
import html
import io
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaleplan.errors import UsageError
from scaleplan.render.axis_ticks import labels_of, ticks_between
from scaleplan.render.contour_lines import levels_of
from scaleplan.render.text import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scaleplan.records import Panel, Picture, Trace

ENDINGS = (".png", ".svg", ".pdf", ".html")
# Okabe & Ito 2008: told apart by people of any colour vision.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.")  # lines that lie on each other are both seen
_PANEL_INCHES = (5.2, 4.2)
_DPI = 150
_MOST_COLUMNS = 3
# Entries of a legend, those that fit into a panel, and letters of one that does not.
_MOST_LEGEND, _MOST_INSIDE, _LONG_LABEL = 24, 7, 32
_ENTRY_INCHES, _LABEL_INCHES = 0.2, 0.5  # a line of it, and what the label of the axis takes
_MOST_TICKS = 7
_MANY_POINTS = 2000  # drawn small and, in vector formats, as pixels
_FONT = 11
_MOST_LETTERS = 48  # that fit beside or above one panel
_GROUP_ID = re.compile(r' id="[A-Za-z0-9.]+_[0-9]+"')  # of groups; nothing refers to them
_FURTHER_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans", "Noto Color Emoji",
                  "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "WenQuanYi Zen Hei",
                  "Arial Unicode MS")  # fmt: skip
_SETTINGS: dict[Any, Any] = {
    "font.size": _FONT, "svg.hashsalt": "scaleplan", "svg.fonttype": "none",
    "pdf.fonttype": 42, "axes.spines.top": False, "axes.spines.right": False,
    "axes.formatter.use_mathtext": False,
}  # fmt: skip


def render_picture(picture: Picture, path: str) -> bytes:
    """Return a picture in the format of a file's ending.

    Args:
        picture: The panels.
        path: Ends in `.png`, `.svg`, `.pdf` or `.html`.

    Raises:
        UsageError: If the ending is another one, or matplotlib is not installed.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(
            f"{path} ends in {ending or 'nothing'}; pictures are written as {', '.join(ENDINGS)}",
            hint="For example --plot fit.png.",
        )
    figure = _figure(picture)
    if ending == ".html":
        return _page(picture.title, svg_of(figure)).encode()
    out = io.BytesIO()
    # Without dates and version numbers the same picture is the same bytes.
    metadata: dict[str, Any] = {
        ".png": {"Software": None}, ".svg": {"Date": None},
        ".pdf": {"CreationDate": None, "ModDate": None},
    }[ending]  # fmt: skip
    _save(figure, out, format=ending[1:], dpi=_DPI, metadata=metadata)
    return out.getvalue()


def panel_svgs(picture: Picture) -> tuple[str, ...]:
    """Return each panel of a picture as the text of an SVG element, for a page of many."""
    found = (svg_of(_figure(replace(picture, title="", panels=(p,)))) for p in picture.panels)
    return tuple(_GROUP_ID.sub("", text) for text in found)


def svg_of(figure: Any) -> str:  # noqa: ANN401 - matplotlib is imported late
    """Return a figure as an SVG element, without the declarations of a file of its own."""
    out = io.StringIO()
    _save(figure, out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _save(figure: Any, out: Any, **options: Any) -> None:  # noqa: ANN401
    """Write a figure under the settings that it was drawn with: names of parts depend on them."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS), _quiet_about_glyphs():
        figure.savefig(out, **options)


@contextlib.contextmanager
def _quiet_about_glyphs() -> Iterator[None]:
    """Draw a box for a character that no font here has, without a Python warning for each."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph .* missing from font", category=UserWarning
        )
        yield


def _fonts() -> list[str]:
    """Return the default font, and those that are installed for what it lacks."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _FURTHER_FONTS if name in installed)]


def _page(title: str, svg: str) -> str:
    shown = html.escape(plain_text(title))
    style = "body{margin:1rem;font-family:sans-serif}svg{max-width:100%;height:auto}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{shown}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<body>{svg}</body></html>\n"
    )


def _figure(picture: Picture) -> Any:  # noqa: ANN401 - matplotlib is imported late
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise UsageError(
            "pictures need matplotlib, which is not installed",
            hint="pip install 'scaleplan[plot]'",
        ) from None
    count = len(picture.panels)
    columns = 2 if count == 4 else min(count, _MOST_COLUMNS)
    rows = -(-count // columns)
    with mpl.rc_context({**_SETTINGS, "font.family": _fonts()}), _quiet_about_glyphs():
        below = max(map(_entries_below, picture.panels), default=0) * _ENTRY_INCHES
        size = (_PANEL_INCHES[0] * columns, (_PANEL_INCHES[1] + below) * rows + 0.4)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))
        grid = figure.subplots(rows, columns, squeeze=False)
        for place, axes in enumerate(grid.flat):
            if place < count:
                _draw(axes, picture.panels[place])
            else:
                axes.set_visible(False)
        if picture.title:
            title = _words(picture.title, _MOST_LETTERS * columns)
            figure.suptitle(title, parse_math=False, fontsize=_FONT + 2)
        figure.draw_without_rendering()
    return figure


def _words(text: str, most: int = _MOST_LETTERS) -> str:
    """Return text that is drawn as it stands; of a long one the start and the end."""
    words = plain_text(text)
    tail = most // 3
    return words if len(words) <= most else f"{words[: most - tail - 1]}…{words[-tail:]}"


def _draw(axes: Any, panel: Panel) -> None:  # noqa: ANN401
    # First the scales: places and angles of the labels of contours depend on them.
    axes.set_xscale(panel.x_scale)
    axes.set_yscale(panel.y_scale)
    if panel.contours is not None:
        _contours(axes, panel)
    _traces(axes, panel)
    axes.autoscale_view()
    _ticks(axes.xaxis, panel.x_scale, powers="FLOP" in panel.x_label)
    _ticks(axes.yaxis, panel.y_scale, powers="FLOP" in panel.y_label)
    if panel.y_names:
        axes.set_yticks(range(len(panel.y_names)), [_words(name) for name in panel.y_names])
    axes.set_xlabel(_words(panel.x_label), parse_math=False)
    axes.set_ylabel(_words(panel.y_label), parse_math=False)
    axes.set_title(_words(panel.title), fontsize=_FONT, parse_math=False)
    axes.grid(visible=True, which="major", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    _legend(axes, below=_entries_below(panel) > 0)


def _traces(axes: Any, panel: Panel) -> None:  # noqa: ANN401
    colour = 0
    for trace in panel.traces:
        place = colour if trace.group is None else trace.group
        if trace.look == "law":
            _line(axes, trace, _COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)])
            colour += 1
        elif trace.look == "ideal":
            axes.plot(trace.x, trace.y, ":", color=_COLOURS[max(0, colour - 1) % len(_COLOURS)],
                      label=_label(trace))  # fmt: skip
        elif trace.look in {"limit", "zero"}:
            axes.plot(trace.x, trace.y, "--", color="#666666", lw=1, label=_label(trace))
        elif trace.look in {"training", "validation"}:
            own, width = (2, 2.4) if trace.look == "training" else (0, 1.3)  # both are seen
            axes.plot(trace.x, trace.y, color=_COLOURS[own], lw=width, label=_label(trace))
        elif trace.look == "mark":
            _marks(axes, trace)
        elif trace.look == "bar":
            axes.barh(trace.y, trace.x, height=0.6, color=_COLOURS[5], label=_label(trace))
        elif trace.look in {"sweep", "cloud"}:
            _coloured_points(axes, trace, _COLOURS[place % len(_COLOURS)])
            colour += 1
        else:
            many = len(trace.x) > _MANY_POINTS
            axes.plot(trace.x, trace.y, "o", ms=2 if many else 4, mfc="none", mec="#222222",
                      mew=0.9, alpha=0.3 if many else 1.0, rasterized=many,
                      zorder=0.9 if many else 3,  # so many would hide what they are beside
                      label=_label(trace))  # fmt: skip


def _coloured_points(axes: Any, trace: Trace, colour: str) -> None:  # noqa: ANN401
    if trace.look == "sweep":
        axes.plot(
            trace.x,
            trace.y,
            "o-",
            color=colour,
            ms=3.5 if len(trace.x) < 30 else 1.5,
            lw=1.0,
            label=_label(trace),
        )
        return
    axes.plot(trace.x, trace.y, "o", color=colour, ms=3, mew=0, alpha=0.3)
    axes.plot([], [], "o", color=colour, ms=5, label=_label(trace))  # seen in the legend


def _entries_below(panel: Panel) -> int:
    """Return how many lines of a legend stand below a panel, 0 if it stands inside."""
    labels = [_label(trace) for trace in panel.traces if trace.name]
    longest = max(map(len, labels), default=0)
    if not labels or not (panel.y_names or len(labels) > _MOST_INSIDE or longest > _LONG_LABEL):
        return 0
    return -(-min(len(labels), _MOST_LEGEND) // _legend_columns(labels))


def _legend_columns(labels: Sequence[str]) -> int:
    return max(1, min(len(labels), _MOST_LETTERS // (max(map(len, labels)) + 6)))


def _legend(axes: Any, *, below: bool) -> None:  # noqa: ANN401
    """Name what is drawn: inside the axes, below them where it would cover what is drawn."""
    from matplotlib.transforms import ScaledTranslation

    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    options: dict[str, Any] = {"framealpha": 0.85, "edgecolor": "none", "fontsize": _FONT - 2}
    if below:
        under_label = ScaledTranslation(0.0, -_LABEL_INCHES, axes.figure.dpi_scale_trans)
        options |= {
            "loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": _legend_columns(labels),
            "bbox_transform": axes.transAxes + under_label,
        }  # fmt: skip
    if len(labels) > _MOST_LEGEND:
        labels[_MOST_LEGEND - 1] = f"and {len(labels) - _MOST_LEGEND + 1} more"
    legend = axes.legend(handles[:_MOST_LEGEND], labels[:_MOST_LEGEND], **options)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _label(trace: Trace) -> str:
    # matplotlib hides labels that begin with an underscore.
    return _words(trace.name).lstrip("_") if trace.name else "_"


def _line(axes: Any, trace: Trace, colour: str, dashes: str) -> None:  # noqa: ANN401
    if len(trace.x) == 1:  # one point is no line
        ends = [[abs(trace.y[0] - end[0])] for end in (trace.low, trace.high) if end]
        axes.errorbar(trace.x, trace.y, yerr=ends or None, fmt="o", ms=6, color=colour, capsize=4,
                      label=_label(trace))  # fmt: skip
        return
    axes.plot(trace.x, trace.y, dashes, color=colour, lw=1.8, label=_label(trace))
    if trace.low:
        axes.fill_between(trace.x, trace.low, trace.high, color=colour, alpha=0.18, lw=0)
        for end in (trace.low, trace.high):
            axes.plot(trace.x, end, dashes, color=colour, lw=0.5)


def _marks(axes: Any, trace: Trace) -> None:  # noqa: ANN401
    below = [y - low for y, low in zip(trace.y, trace.low, strict=True)] if trace.low else None
    above = [high - y for y, high in zip(trace.y, trace.high, strict=True)] if trace.low else None
    axes.errorbar(
        trace.x, trace.y, yerr=None if below is None else [below, above], fmt="D", ms=5,
        color="#000000", capsize=3, label=_label(trace),
    )  # fmt: skip


def _contours(axes: Any, panel: Panel) -> None:  # noqa: ANN401
    grid = panel.contours
    if grid is None:  # pragma: no cover - asked by the caller
        return
    lines = axes.contour(grid.x, grid.y, grid.values, levels=levels_of(grid), colors="#777777",
                         linewidths=0.8)  # fmt: skip
    axes.clabel(lines, fmt=lambda v: f"{v:.3g}", fontsize=_FONT - 3)


def _ticks(axis: Any, scale: str, *, powers: bool) -> None:  # noqa: ANN401
    """Put few round numbers at the view that the axis has now."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    places = ticks_between(low, high, log=scale == "log", most=_MOST_TICKS)
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter(list(labels_of(places, powers=powers).values())))
    axis.set_minor_formatter(NullFormatter())
