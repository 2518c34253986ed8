"""Pictures by matplotlib: PNG, SVG, PDF, or a page of HTML that holds the SVG."""

from __future__ import annotations

import html
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scaleplan.errors import UsageError
from scaleplan.render.axis_ticks import power, tick
from scaleplan.render.text import plain_text

if TYPE_CHECKING:
    from scaleplan.records import Panel, Picture, Trace

ENDINGS = (".png", ".svg", ".pdf", ".html")
# Okabe & Ito 2008: told apart by people of any colour vision.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_PANEL_INCHES = (5.2, 4.2)
_DPI = 150
_MOST_COLUMNS = 3
_MOST_LEGEND = 8
_FONT = 11
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


def picture_svg(picture: Picture) -> str:
    """Return a picture as the text of an SVG element."""
    return svg_of(_figure(picture))


def svg_of(figure: Any) -> str:  # noqa: ANN401 - matplotlib is imported late
    """Return a figure as an SVG element, without the declarations of a file of its own."""
    out = io.StringIO()
    _save(figure, out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _save(figure: Any, out: Any, **options: Any) -> None:  # noqa: ANN401
    """Write a figure under the settings that it was drawn with: names of parts depend on them."""
    import matplotlib as mpl

    with mpl.rc_context(_SETTINGS):
        figure.savefig(out, **options)


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
    except ImportError:
        raise UsageError(
            "pictures need matplotlib, which is not installed",
            hint="pip install 'scaleplan[plot]'",
        ) from None
    columns = min(len(picture.panels), _MOST_COLUMNS)
    rows = -(-len(picture.panels) // columns)
    with mpl.rc_context(_SETTINGS):
        size = (_PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * rows + 0.4)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for place, axes in enumerate(grid.flat):
            if place < len(picture.panels):
                _draw(axes, picture.panels[place])
            else:
                axes.set_visible(False)
        figure.suptitle(_words(picture.title), parse_math=False, fontsize=_FONT + 2)
        figure.draw_without_rendering()
    return figure


def _words(text: str) -> str:
    """Return text that is drawn as it stands."""
    return plain_text(text)


def _draw(axes: Any, panel: Panel) -> None:  # noqa: ANN401
    if panel.contours is not None:
        _contours(axes, panel)
    colour = 0
    for trace in panel.traces:
        if trace.look == "law":
            _line(axes, trace, _COLOURS[colour % len(_COLOURS)])
            colour += 1
        elif trace.look == "ideal":
            axes.plot(trace.x, trace.y, ":", color=_COLOURS[max(0, colour - 1) % len(_COLOURS)],
                      label=_label(trace))  # fmt: skip
        elif trace.look in {"limit", "zero"}:
            axes.plot(trace.x, trace.y, "--", color="#666666", lw=1, label=_label(trace))
        elif trace.look in {"training", "validation"}:
            place = 1 if trace.look == "training" else 0
            axes.plot(trace.x, trace.y, color=_COLOURS[place], lw=1.2, label=_label(trace))
        elif trace.look == "mark":
            _marks(axes, trace)
        else:
            axes.plot(trace.x, trace.y, "o", ms=4, mfc="none", mec="#222222", mew=0.9,
                      label=_label(trace))  # fmt: skip
    axes.set_xscale(panel.x_scale)
    axes.set_yscale(panel.y_scale)
    _ticks(axes.xaxis, panel.x_scale, powers="FLOP" in panel.x_label)
    _ticks(axes.yaxis, panel.y_scale, powers="FLOP" in panel.y_label)
    axes.set_xlabel(_words(panel.x_label), parse_math=False)
    axes.set_ylabel(_words(panel.y_label), parse_math=False)
    axes.set_title(_words(panel.title), fontsize=_FONT, parse_math=False)
    axes.grid(visible=True, which="major", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        legend = axes.legend(handles[:_MOST_LEGEND], labels[:_MOST_LEGEND], fontsize=_FONT - 2,
                             frameon=False)  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)


def _label(trace: Trace) -> str:
    # matplotlib hides labels that begin with an underscore.
    return _words(trace.name).lstrip("_") if trace.name else "_"


def _line(axes: Any, trace: Trace, colour: str) -> None:  # noqa: ANN401
    axes.plot(trace.x, trace.y, color=colour, lw=1.8, label=_label(trace))
    if trace.low:
        axes.fill_between(trace.x, trace.low, trace.high, color=colour, alpha=0.18, lw=0)


def _marks(axes: Any, trace: Trace) -> None:  # noqa: ANN401
    below = [y - low for y, low in zip(trace.y, trace.low, strict=True)] if trace.low else None
    above = [high - y for y, high in zip(trace.y, trace.high, strict=True)] if trace.low else None
    axes.errorbar(
        trace.x, trace.y, yerr=None if below is None else [below, above], fmt="D", ms=5,
        color=_COLOURS[1], capsize=3, label=_label(trace),
    )  # fmt: skip


def _contours(axes: Any, panel: Panel) -> None:  # noqa: ANN401
    grid = panel.contours
    if grid is None:  # pragma: no cover - asked by the caller
        return
    flat = sorted(v for row in grid.values for v in row if math.isfinite(v))
    levels = sorted({flat[int(share * (len(flat) - 1))] for share in (
        0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)})  # fmt: skip
    lines = axes.contour(grid.x, grid.y, grid.values, levels=levels, colors="#888888",
                         linewidths=0.8)  # fmt: skip
    axes.clabel(lines, fmt=lambda v: f"{v:.3g}", fontsize=_FONT - 3)


def _ticks(axis: Any, scale: str, *, powers: bool) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if scale != "log":
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        return
    low, high = axis.get_view_interval()
    narrow = high / low < 30.0 if low > 0.0 else False
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,), numticks=9))
    if narrow and high / low < 4.0:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda v, _: power(v) if powers else tick(v)))
    axis.set_minor_formatter(NullFormatter())
