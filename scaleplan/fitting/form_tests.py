"""Tests of a law's form on the runs it was fitted to, and the criterion that compares forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import f_tail, normal_tail

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray

# What stands before the reason against a law that is used all the same.
UNPASSED = "used because no law passes; "
LEAST_WRONG = "used because no law passes and this one was least wrong on larger runs; "
ON_LARGER_RUNS = "on larger runs its error is "  # how a reason of the back-test begins
# Residuals below this share of the metric are rounding: such data are exact.
EXACT_LOG = 1e-9
AICC_ADMISSIBLE = 4.0  # Burnham & Anderson 2002: models within 4 keep some support
BACKTEST_ADMISSIBLE = 1.5  # back-test error relative to the best candidate's
# With fewer runs a switch between laws misled on public sweeps: of 12 to 28 runs, to the coupled
# law errors rose in two sets of five and fell in one; to a law of compute, coverage fell in two of
# three (own calculation, 2026).
RUNS_A_PARAMETER = 5
SIGNIFICANT = 0.01  # p-value below which curvature rejects a power law
# Of each of the two tests of a straight line, curvature and runs of signs: of lines with constant
# noise 0.3 to 1.1% are rejected by either (16 designs of 6 to 50 runs, 3,000 draws each, 2026).
STRAIGHT = 0.5 * SIGNIFICANT
CURVES_AWAY = "the runs curve away"
NOT_RANDOM = "its residuals are not random in x"


def plain_reason(reason: str) -> str:
    """Return what speaks against a law, without why it is used all the same."""
    return reason.removeprefix(UNPASSED).removeprefix(LEAST_WRONG)


def tested(reason: str) -> bool:
    """Tell whether a reason against a straight line is that of a test of the runs themselves."""
    return reason.startswith((CURVES_AWAY, NOT_RANDOM))


def is_exact(fitted: Fitted) -> bool:
    """Tell whether a law leaves nothing but rounding of its runs."""
    scale = float(np.abs(fitted.values).max())
    residuals = np.abs(fitted.residuals()).max()
    return bool(residuals <= EXACT_LOG * (1.0 if fitted.residual == "log" else scale))


def curvature_p(fitted: Fitted) -> float | None:
    """Return the p-value of an added curvature term: ln x for the line, (ln x)^2 for ln x.

    Of a power law it is that of its line in logarithms.
    """
    x = fitted.inputs[0]
    if x.min() <= 0.0:
        return None
    basis = x if fitted.law.name == "linear" else np.log(x)
    extra = np.log(x) if fitted.law.name == "linear" else np.log(x) ** 2
    design = np.stack([scaled(basis), scaled(extra), np.ones_like(x)], axis=1)
    freedom = x.size - 3
    if freedom < 1 or np.unique(x).size < 3:
        return None
    values = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    full = float(((design @ solution - values) ** 2).sum())
    plain = float((fitted.residuals() ** 2).sum())
    if full <= 0.0:
        return 0.0 if plain > 0.0 else None
    return f_tail((plain - full) / (full / freedom), 1.0, float(freedom))


def scaled(column: FloatArray) -> FloatArray:
    """Return a column, shape (n,), centred and divided by its range."""
    return np.asarray((column - column.mean()) / (float(np.ptp(column)) or 1.0))


def runs_test(residuals: FloatArray, along: FloatArray) -> float | None:
    """Return the two-sided p-value of the Wald-Wolfowitz runs test, None for under 10 signs.

    Runs that share an input have no order among themselves: the changes of sign are those expected
    over all of their orders, so that the order of a log's rows says nothing.

    Args:
        residuals: Shape (n,).
        along: Shape (n,), the input that orders them.
    """
    signs = residuals > 0.0
    positive, negative = int(signs.sum()), int((~signs).sum())
    count = positive + negative
    if count < 10 or min(positive, negative) < 2:
        return None
    place = np.unique(along, return_inverse=True)[1]
    alike = np.bincount(place)
    share = np.bincount(place, weights=signs) / alike
    # In a group of n with a share p above the law n - 1 neighbours differ with 2 p (1 - p) n / (n -
    # 1) each; between two groups those that happen to meet do.
    within = float((2.0 * alike * share * (1.0 - share)).sum())
    between = float((share[1:] * (1.0 - share[:-1]) + share[:-1] * (1.0 - share[1:])).sum())
    observed = 1.0 + within + between
    expected = 1.0 + 2.0 * positive * negative / count
    variance = (expected - 1.0) * (expected - 2.0) / (count - 1.0)
    return normal_tail((observed - expected) / math.sqrt(variance)) if variance > 0.0 else None


def log_rss(fitted: Fitted) -> float:
    """Return ln of the clipped sum of squared log residuals, floored at rounding error."""
    residuals = fitted.log_residuals()
    if residuals is None:
        return math.inf
    limit = 5.0 * max(fitted.noise, EXACT_LOG) if fitted.residual == "log" else math.inf
    clipped = np.clip(residuals, -limit, limit)
    return math.log(float(clipped @ clipped) + residuals.size * EXACT_LOG**2)


def aicc(fitted: Fitted | None) -> float | None:
    """Return the corrected Akaike criterion on log residuals (Hurvich & Tsai 1989)."""
    if fitted is None:
        return None
    rss = log_rss(fitted)
    return None if math.isinf(rss) else aicc_of(rss, fitted.values.size, fitted.free)


def aicc_of(log_squares: float, runs: int, free: int) -> float:
    """Return the corrected Akaike criterion.

    Args:
        log_squares: Logarithm of the sum of squared log residuals.
        runs: Number of runs.
        free: Number of fitted parameters; the noise is one more.
    """
    count = free + 1
    # With hardly any runs the correction diverges; then no law is preferred on it alone.
    spare = max(1, runs - count - 1)
    return runs * (log_squares - math.log(runs)) + 2.0 * count + 2.0 * count * (count + 1) / spare


def definition_rejection(fitted: Fitted) -> str:
    """Return why data contradict a law without parameters: a level or a slope is left over."""
    residuals = fitted.residuals()
    freedom = residuals.size - 2
    if is_exact(fitted) or freedom < 1:
        return ""
    design = np.stack([np.ones_like(residuals), scaled(np.log(fitted.inputs[0]))], axis=1)
    solution = np.linalg.lstsq(design, residuals, rcond=None)[0]
    left = float(((residuals - design @ solution) ** 2).sum())
    explained = float(residuals @ residuals) - left
    p = f_tail(explained / 2.0 / (left / freedom), 2.0, float(freedom)) if left > 0.0 else 0.0
    if p < SIGNIFICANT:
        ratio = float(np.exp(-residuals[np.argmax(fitted.inputs[0])]))
        return f"at the largest input the metric is {ratio:.3g} times what it says ({p_text(p)})"
    return ""


def p_text(value: float) -> str:
    """Return a p-value as reasons give it."""
    return "p < 1e-6" if value < 1e-6 else f"p = {value:.2g}"
