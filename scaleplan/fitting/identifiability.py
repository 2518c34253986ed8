"""What the design of the runs can tell, decided before any interval is printed.

A solver converges on anything: with two model sizes a warm bootstrap gives a tight and wrong
interval. These checks look at the runs and at the fitted Jacobian instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.effect import Refusal, no_trend
from scaleplan.fitting.missing import COLLINEAR, correlation, to_train
from scaleplan.fitting.problem import Problem
from scaleplan.laws import CurvedLaw, LinearLaw, PowerSumLaw
from scaleplan.laws.base import COUNT
from scaleplan.units import format_count, format_percent

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws import Law, ParameterSpec
    from scaleplan.laws.base import FloatArray

# Above this the normalised Jacobian is singular to working precision: no parameter is known.
_CONDITION_NONE = 1e6
_VANISHING = 1e-3  # a term that is nowhere above this share of the metric cannot be seen
_FEWEST_FOR_TWO_INPUTS = 6
_FEWEST_SPARE = 3  # runs beyond the parameters below which an interval would be a guess
# Sizes that lie closer are one size with other settings: to double it is 14 times as far on as the
# runs reach, and such laws say anything. A convention.
_SPAN = 1.05
# With one value on a side the exponent there is a guess; four are wanted before such a law is
# chosen, which is why it is fitted only where it is asked for.
_FEWEST_BESIDE_A_BREAK = 2


def check_design(
    law: Law, names: tuple[str, ...], inputs: FloatArray, *, held: int = 0
) -> Refusal | None:
    """Return why these inputs cannot carry the law, or None if they can.

    Args:
        law: The law to fit.
        names: The column behind each input, for the message.
        inputs: Shape (inputs, n), positive for log laws.
        held: How many of its parameters are fixed by the user; what the others need is then told
            by the fit's own Jacobian.
    """
    runs, size = inputs.shape[1], len(law.parameters) - held
    fewest = size + 1 if len(inputs) == 1 else max(size + 1, _FEWEST_FOR_TWO_INPUTS)
    needed = 1 if not size else 2 if size <= 2 else 3
    train = to_train(law.inputs, names, inputs, runs=fewest, values=needed)
    if runs < fewest:
        return Refusal(
            f"{runs} usable run{'' if runs == 1 else 's'} cannot fix the {size} parameters of the "
            f"{law.name} law; at least {fewest} are needed",
            train if size <= 2
            else f"{train[:-1]}, or ask for a law of two parameters (--law power).", train,
        )  # fmt: skip
    units = law.units if isinstance(law, CurvedLaw) else ()
    for k, (name, column) in enumerate(zip(names, inputs, strict=True)):
        distinct, counted = int(np.unique(column).size), bool(units and units[k] == COUNT)
        # Two labels, or dense and one number of experts, are a comparison; no curve runs through.
        if distinct < (min(needed, 2) if counted else needed):
            return Refusal(
                f"{name} takes {distinct} distinct value{'s' if distinct > 1 else ''}; "
                f"the {law.name} law needs at least {needed}",
                f"{train[:-1]}, or fit a law of another column with --input.", train,
            )  # fmt: skip
        narrow = _too_narrow(name, column) if needed > 1 and not counted else None
        if narrow is not None:
            return narrow
    return _on_one_line(names, inputs, train) if len(inputs) == 2 and not held else None


def _too_narrow(name: str, column: FloatArray) -> Refusal | None:
    """Return why sizes lie too close for a law of them, or None if they do not."""
    low, high = float(column.min()), float(column.max())
    if low <= 0.0 or high >= _SPAN * low:
        return None
    apart = "Train runs of sizes further apart"
    return Refusal(
        f"{name} spans {format_percent(high / low - 1.0, 2)} only, from {format_count(low)} to "
        f"{format_count(high)}; no law of it can be seen in less than "
        f"{format_percent(_SPAN - 1.0, 2)}",
        f"{apart}, or fit a law of another column with --input.", f"{apart}.",
    )  # fmt: skip


def _on_one_line(names: tuple[str, ...], inputs: FloatArray, train: str) -> Refusal | None:
    """Return why two inputs that move together cannot be told apart, or None if they do not."""
    together = correlation(inputs)
    if together < -COLLINEAR:
        return Refusal(
            f"{names[0]} rises as {names[1]} falls (correlation of logs {together:.4f}): "
            "all runs lie on one line, as those of one compute do, so their exponents cannot "
            "be told apart",
            "Train runs at other budgets too; those of one compute show the best size there "
            "and nothing of scale.", train,
        )  # fmt: skip
    if together > COLLINEAR:
        return Refusal(
            f"{names[0]} and {names[1]} move together (correlation of logs "
            f"{together:.4f}): all runs lie on one ray, so their exponents cannot be told "
            "apart and no compute-optimal size can be known",
            "Fit the loss against compute along that ray (--law power_floor --input flops), or "
            "train runs at other ratios of tokens to parameters.", train,
        )  # fmt: skip
    return None


def with_known_interval(fitted: Fitted) -> Fitted:
    """Return the fit without its covariance where too few runs are left to know the noise."""
    if fitted.dof >= _FEWEST_SPARE or not fitted.free:
        return fitted
    return replace(fitted, covariance=None)


def check_fit(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return why a fit must not be used, or None."""
    law = fitted.law
    if not law.parameters:
        return None
    flat = no_trend(fitted, names)
    if flat is not None or isinstance(law, LinearLaw):
        return flat
    if not np.isfinite(fitted.theta).all():
        return Refusal(
            f"the {law.name} law runs away on these runs: a parameter is not finite",
            "The metric may not depend on the inputs as the law says; see `scaleplan laws`.",
        )
    return _vanishing_term(fitted, names) or _undetermined(fitted, names)


def _undetermined(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return which parameters these runs say nothing about, or None."""
    law = fitted.law
    if fitted.covariance is None or fitted.condition > _CONDITION_NONE:
        return Refusal(
            f"these runs do not determine {_weakest(fitted)} of the {law.name} law (condition "
            f"number {fitted.condition:.2g})",
            "Spread the runs over more ratios of the inputs, or fit a law with fewer parameters.",
        )
    unsettled = fitted.solution is not None and not fitted.solution.converged
    if unsettled and isinstance(fitted.problem, CurvedProblem):
        return Refusal(
            f"the {law.name} law does not settle on these runs: {_weakest(fitted)} can run off "
            "together without changing the fit",
            "Fit a law with fewer parameters, or add runs where the laws differ.",
        )
    return _break_at_the_edge(fitted, names) if law.name == "broken" else None


def _weakest(fitted: Fitted) -> str:
    """Return the parameters along the direction that the runs say least about."""
    symbols = [
        spec.symbol
        for spec, share in zip(_solver_order(fitted.law), fitted.singular, strict=True)
        if share > 0.3
    ]
    return " and ".join(symbols) or "the parameters"


def _break_at_the_edge(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return why a break cannot be told from the bend of an ordinary law, or None."""
    x = np.unique(fitted.inputs[0])
    at = float(fitted.theta[[s.symbol for s in fitted.law.parameters].index("d")])
    below = int((x < at).sum())
    above = x.size - below
    if min(below, above) >= _FEWEST_BESIDE_A_BREAK:
        return None
    return Refusal(
        f"the break is fitted at {names[0]} = {at:.3g} with {below} values below it and {above} "
        f"above; {_FEWEST_BESIDE_A_BREAK} are needed on each side",
        "Fit a law without a break (--law power_floor), or add runs beyond the break.",
    )


def _solver_order(law: Law) -> tuple[ParameterSpec, ...]:
    """Return the parameters in the solver's order: the floor comes last there."""
    specs = law.parameters
    if not isinstance(law, PowerSumLaw):
        return specs
    return (*specs[1:], specs[0]) if specs[0].symbol == "E" else specs


def _vanishing_term(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    problem, solution = fitted.problem, fitted.solution
    if not isinstance(problem, Problem) or solution is None or not problem.law.floor:
        return None
    values = np.exp(problem.y)
    for k, column in enumerate(problem.law.columns):
        a, b = solution.phi[2 * k], solution.phi[2 * k + 1]
        share = float((np.exp(a - b * problem.x[k]) / values).max())
        if b <= 0.0:
            return Refusal(
                f"the law falls with {names[column]}, what it is fitted to does not (fitted "
                f"exponent {b:.3g})",
                f"Check that {names[column]} is the right column, or leave it out of the law with "
                "--input.",
            )
        if share < _VANISHING:
            return Refusal(
                f"{names[column]} has no visible effect on the metric: its term is at most "
                f"{share:.1e} of it",
                "Fit a law of the other input alone with --input.",
            )
    return None
