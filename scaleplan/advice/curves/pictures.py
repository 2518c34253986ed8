"""Training curves with their verdicts, as panels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scaleplan.records import CurveCheck, Panel, Picture, Trace
from scaleplan.records.pictures import Look
from scaleplan.runs.series import Curve, Series

_MOST_PANELS = 12
_MOST_POINTS = 2000
_ORDER = ("diverged", "overfitting", "plateau", "underfitting", "too short", "healthy")


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
            y_label=curve.metric.name, x_scale="linear", y_scale="linear",
            traces=tuple(t for t in traces if t is not None),
        ))  # fmt: skip
    left = len(check.runs) - len(panels)
    more = f"; {left} more are not drawn" if left > 0 else ""
    return Picture(title=f"{len(check.runs)} runs{more}", panels=tuple(panels))


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
