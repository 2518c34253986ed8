"""Whether the metric depends on the inputs of a law at all, and if not, why it seems so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.form_tests import EXACT_LOG
from scaleplan.laws import LinearLaw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray
    from scaleplan.records import Parameter

_CONSTANT = 1e-12  # relative spread below which a metric is one number
_ONE_VALUE = 1e-6  # relative spread below which an input is one number, its rounding left aside
_FEWEST_FOR_TREND = 3  # spare runs below which an F test says nothing
_NO_TREND = 0.1
_BEST_OF_MANY = 0.01  # a dozen laws and columns were tried: one in ten would pass by chance


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a law cannot be fitted to these runs, what to do instead, and which runs it lacks."""

    reason: str
    remedy: str
    train: str = ""

    def error(self) -> FitError:
        """Return it as the error that ends the program with exit code 4."""
        return FitError(self.reason, hint=self.remedy)

    def apart(self, kinds: Sequence[str]) -> Refusal:
        """Return the same with the advice to fit kinds of runs apart, if there may be kinds.

        Args:
            kinds: The columns that may tell them apart.
        """
        if not kinds:
            return self
        among = f" (or by {', '.join(kinds[1:3])})" if len(kinds) > 1 else ""
        return replace(
            self,
            remedy=f"{self.remedy} If runs of several kinds are pooled, fit each apart: --by "
            f"{kinds[0]}{among}.",
        )

    def beside(self, alone: Refusal, column: str) -> Refusal:
        """Return why no law of two inputs was fitted, and none of one in its place.

        Args:
            alone: Why none of one input was.
            column: That input.
        """
        reason = f"{self.reason}; nor was a law of {column} alone fitted: {alone.reason}"
        return replace(self, reason=reason)


def no_effect(
    fitted: Fitted, parameters: Sequence[Parameter], names: tuple[str, ...], *, instead: bool
) -> Refusal | None:
    """Return why a law of one input, chosen for the user, says nothing; None if it does.

    Args:
        fitted: The fit.
        parameters: Its parameters with intervals.
        names: The column behind the input.
        instead: Whether it stands in for a refused law of two inputs. Then it is the best of many
            laws and columns that were looked at, and has to be that much surer.
    """
    line = isinstance(fitted.law, LinearLaw)
    slopes = [
        p for k, (p, spec) in enumerate(zip(parameters, fitted.law.parameters, strict=True))
        if (k == 0 if line else not spec.unit and not spec.is_floor)
    ]  # fmt: skip
    if len(slopes) != 1 or len(names) != 1:
        return None
    column = fitted.inputs[0]
    if float(np.ptp(column)) <= _ONE_VALUE * float(np.abs(column).max()):
        return Refusal(
            f"all {column.size} runs share one {names[0]}, {column[0]:.3g}: how the metric changes "
            "with it cannot be known",
            "Train runs at other budgets too; those of one compute show the best size there and "
            "nothing of scale."
            if instead else f"Vary {names[0]}, or fit a law of another column with --input.",
        )  # fmt: skip
    low, high = slopes[0].low, slopes[0].high
    zero_inside = low is not None and high is not None and low < 0.0 < high
    values = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    p = _trend_p(fitted, values - np.median(values)) if instead else None
    if not zero_inside and (p is None or p <= _BEST_OF_MANY):
        return None
    why = f"p = {p:.2g} for" if p is not None else "0 is in the interval of the slope of"
    return Refusal(
        f"the metric does not depend on {names[0]} beyond its noise ({why} the {fitted.law.name} "
        "law)",
        "Check the columns, or spread the runs over a wider range; a law asked for with --law is "
        "fitted all the same.",
    )


def no_trend(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return why the metric does not depend on the inputs at all, by an F test, or None."""
    runs = fitted.values.size
    values = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    spread = values - np.median(values)
    scale = float(np.abs(fitted.values).max()) if fitted.residual == "raw" else 1.0
    if float(np.abs(spread).max()) <= _CONSTANT * scale:
        return Refusal(
            f"the metric is the same in all {runs} runs, so it does not depend on "
            f"{' or '.join(names)}",
            "Choose another column with --metric.",
        )
    p = _trend_p(fitted, spread)
    held = _held_above(fitted, flat=p is not None and p > _NO_TREND)
    if held is not None:
        return held
    if p is not None and p > _NO_TREND:
        return _flat(fitted, names, p)
    return None


def _flat(fitted: Fitted, names: tuple[str, ...], p: float) -> Refusal:
    """Return that a law tells the runs no better apart than a constant does.

    That the metric depends on nothing follows only from a law that can bend in all the inputs: a
    straight line is refused beside a power law that the runs follow exactly, and one input beside
    two that both count.
    """
    law = fitted.law
    if isinstance(law, LinearLaw):
        line = "a straight line in " + ("ln " if law.name == "log_linear" else "")
        said = f"{line}{names[0]} follows the metric no better than a constant does (p = {p:.2g})"
    elif len(names) == 1 and _rises(fitted):
        said = (
            f"the {law.name} law falls with {names[0]}, and what it is fitted to rises with it "
            f"(p = {p:.2g} for the law against a constant)"
        )
        return Refusal(said, "Fit a law that rises, such as linear; of a loss loss_to_accuracy.")
    else:
        alone = " alone" if len(names) == 1 else ""
        said = (
            f"the metric does not depend on {' or '.join(names)}{alone} beyond its noise "
            f"(p = {p:.2g} for the {law.name} law against a constant)"
        )
    return Refusal(said, "Check the columns, or spread the runs over a wider range.")


def _rises(fitted: Fitted) -> bool:
    """Tell whether what is fitted surely rises with the one input, by a straight line in logs."""
    x = np.log(fitted.inputs[0])
    y = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    x, y = x - x.mean(), y - y.mean()
    squares, freedom = float(x @ x), x.size - 2
    if freedom < 1 or squares <= 0.0:
        return False
    slope = float(x @ y) / squares
    left = float(((y - slope * x) ** 2).sum())
    explained = slope**2 * squares
    p = f_tail(explained / (left / freedom), 1.0, float(freedom)) if left > 0.0 else 0.0
    return slope > 0.0 and p < _BEST_OF_MANY


def _held_above(fitted: Fitted, *, flat: bool) -> Refusal | None:
    """Return that the user holds a floor above the runs, or None.

    Args:
        fitted: The fit.
        flat: Whether the law says no more than a constant does: then a floor above some of the runs
            is reason enough.
    """
    floors = {spec.symbol for spec in fitted.law.parameters if spec.is_floor}
    runs = fitted.values.size
    for limit in fitted.recipe.limits:
        below = int((fitted.values < limit.low).sum())
        if limit.symbol not in floors or below < (1 if flat else runs):
            continue
        how = "is fixed at" if limit.fixes else "may not be below"
        ends = f"{fitted.values.min():.4g} to {fitted.values.max():.4g}"
        return Refusal(
            f"{limit.symbol} {how} {limit.low:g}, above {below} of the {runs} runs ({ends}): the "
            f"{fitted.law.name} law never falls below it, so it cannot follow them",
            f"Give {limit.symbol} a value below the runs, or leave it free.",
        )
    return None


def _trend_p(fitted: Fitted, spread: FloatArray) -> float | None:
    """Return the p-value of the law against a constant, by an F test; None if it says nothing.

    Args:
        fitted: The fit.
        spread: Shape (n,), the metric less its median, in logs for log laws.
    """
    size, freedom = fitted.free, fitted.dof
    if freedom < _FEWEST_FOR_TREND or size < 2:
        return None
    # Squares beyond five noise scales are clipped on both sides, so one wild run decides nothing.
    # What rounding leaves of exact runs is no scale: clipped there a trend is as small as it.
    scale = float(np.abs(fitted.values).max()) if fitted.residual == "raw" else 1.0
    limit = 5.0 * max(fitted.noise, EXACT_LOG * scale)
    left = float((np.clip(fitted.residuals(), -limit, limit) ** 2).sum())
    before = float((np.clip(spread, -limit, limit) ** 2).sum())
    if left <= 0.0:
        return None
    return f_tail(max(0.0, before - left) / (size - 1) / (left / freedom), size - 1, freedom)
