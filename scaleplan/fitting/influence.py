"""Which runs the advice hangs on: far from the fit, and able to move the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.noise import NO_NOISE, robust_scale
from scaleplan.laws import HasOptimum
from scaleplan.records import Note
from scaleplan.units import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import IndexArray

_FAR_SIGMAS = 5.0  # residuals beyond so many robust standard deviations are named
_MOST_FAR = 0.1  # more than a tenth of all runs are no outliers, the form is wrong
_MOVES = 0.25  # relative change of N* that is worth saying
_NAMED = 8


def outlier_note(
    fitted: Fitted, names: Sequence[str], *, budget: float | None, flops_per_param_token: float
) -> Note | None:
    """Return the note on runs far from the fit, and on what the advice is without them.

    They are reported, never dropped: on one public sweep, dropping flagged runs moves the
    recommended size from 393B to 645B parameters.

    Args:
        fitted: The fit to all runs.
        names: A name a run.
        budget: Training compute at which the optimum is compared, FLOP; None compares nothing.
        flops_per_param_token: k in C = k N D.
    """
    residuals = fitted.residuals()
    if not fitted.free or residuals.size <= 2 * fitted.free:
        return None
    relative = fitted.log_residuals()
    if relative is not None and float(np.sqrt(np.mean(relative**2))) < NO_NOISE:
        return None  # what rounding leaves of an exact law is no outlier
    sigma = robust_scale(residuals, fitted.free)
    scale = 1.0 if fitted.residual == "log" else float(np.abs(fitted.values).max())
    far = np.flatnonzero(np.abs(residuals) > max(_FAR_SIGMAS * sigma, 1e-9 * scale))
    if not far.size or far.size > _MOST_FAR * residuals.size:
        return None
    far = far[np.argsort(-np.abs(residuals[far]), kind="stable")]
    shown = ", ".join(names[i] for i in far[:_NAMED])
    more = f" and {far.size - _NAMED} more" if far.size > _NAMED else ""
    text = (
        f"{far.size} of {residuals.size} runs lie more than {_FAR_SIGMAS:g} robust standard "
        f"deviations from the fit: {shown}{more}. They are kept."
    )
    moved = _moved(fitted, far, budget, flops_per_param_token)
    numbers: tuple[tuple[str, float], ...] = (("runs", float(far.size)),)
    if moved is None or abs(moved[1] / moved[0] - 1.0) <= _MOVES:
        return Note(
            id="OUTLIERS", severity="info", text=text, numbers=numbers,
            action="Check them for divergence or another setting.",
        )  # fmt: skip
    with_all, without = moved
    return Note(
        id="INFLUENTIAL_RUNS", severity="warning",
        text=f"{text} Without them the optimal size at {budget:.3g} FLOP is "
        f"{format_count(without)} parameters instead of {format_count(with_all)}.",
        action="Find out what is wrong with them before acting on N*; leave them out of the file "
        "only for a reason that does not come from the fit.",
        numbers=(*numbers, ("params", with_all), ("params_without", without)),
    )  # fmt: skip


def _moved(
    fitted: Fitted, far: IndexArray, budget: float | None, flops_per_param_token: float
) -> tuple[float, float] | None:
    """Return the optimal params with all runs and without these, None if there is no optimum."""
    law = fitted.law
    if not isinstance(law, HasOptimum) or budget is None:
        return None
    weights = np.ones((1, fitted.values.size))
    weights[0, far] = 0.0
    theta = fitted.refit(weights, careful=True)[0]
    if not np.isfinite(theta).all() or (theta <= 0.0).any():
        return None
    sizes = [
        law.optimum([float(v) for v in each], budget, flops_per_param_token)[0]
        for each in (fitted.theta, theta)
    ]
    return sizes[0], sizes[1]
