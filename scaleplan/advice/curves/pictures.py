"""Training curves with their verdicts, as panels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scaleplan.records import CurveCheck, Panel, Picture, Trace
from scaleplan.records.pictures import Look, Scale
from scaleplan.runs.series import Curve, Series

_MOST_PANELS = 12
_MOST_POINTS = 2000
_EXPLODED = 100.0  # times the median: the rest of a linear axis would be one line at zero
_ORDER = ("diverged", "overfitting", "shifted", "plateau", "underfitting", "too short", "healthy")


def curves_picture(check: CurveCheck, curves: Sequence[Curve]) -> Picture:
    """Return the curves of a log, worst verdicts first, with their best checkpoints.

    Args:
        check: The verdicts.
        curves: The same runs in the same order.
    """
    pairs = sorted(
        zip(check.runs, curves, strict=True), key=lambda pair: _ORDER.index(pair[0].verdict)
    )[:_MOST_PANELS]
    panels = []
    for verdict, curve in pairs:
        traces = [
            _trace("training", curve.training), _trace("validation", curve.validation),
            Trace(name="best checkpoint", look="mark", x=(verdict.best_at,), y=(verdict.best,)),
        ]  # fmt: skip
        panels.append(Panel(
            title=f"{curve.run}: {verdict.verdict}", x_label=curve.axis,
            y_label=curve.metric.name, x_scale="linear", y_scale=_scale(curve),
            traces=tuple(t for t in traces if t is not None),
        ))  # fmt: skip
    left = len(check.runs) - len(panels)
    more = f"; {left} more are not drawn" if left > 0 else ""
    count = len(check.runs)
    return Picture(title=f"{count} run{'s' if count != 1 else ''}{more}", panels=tuple(panels))


def _scale(curve: Curve) -> Scale:
    """Return a scale on which a curve can be read that has exploded, too."""
    values = np.concatenate([curve.training.value, curve.validation.value])
    known = values[np.isfinite(values)]
    wide = known.size and known.min() > 0.0 and known.max() > _EXPLODED * np.median(known)
    return "log" if wide else "linear"


def _trace(name: str, series: Series) -> Trace | None:
    """Return a series as a line, thinned to what a picture can show; None if it is empty."""
    finite = np.flatnonzero(np.isfinite(series.value))
    if not finite.size:
        return None
    step = -(-finite.size // _MOST_POINTS)
    kept = finite[::step]
    look: Look = "training" if name == "training" else "validation"
    return Trace(
        name=name, look=look, x=tuple(series.at[kept].tolist()),
        y=tuple(series.value[kept].tolist()),
    )  # fmt: skip
