"""What the design of the runs can tell, decided before any interval is printed.

A solver converges on anything: with two model sizes a warm bootstrap gives a tight and wrong
interval. These checks look at the runs and at the fitted Jacobian instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.curved_problem import CurvedProblem
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.optimum import log_size_error
from scaleplan.fitting.problem import Problem
from scaleplan.laws import HasOptimum, LinearLaw, PowerSumLaw
from scaleplan.records import Note

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws import Law, ParameterSpec
    from scaleplan.laws.base import FloatArray

# Thresholds of the column-scaled Jacobian's condition number and of relative standard errors for
# the five-parameter law, from 80 simulated designs at 0.5% noise (own calculation, 2026): above
# 500 the median error of log10 N* is 0.76.
_CONDITION_WARN, _CONDITION_REFUSE = 100.0, 500.0
_RELATIVE_WARN, _RELATIVE_REFUSE = 0.2, 0.5
# Other forms have larger condition numbers by nature; for them the thresholds are carried over to
# the error of log10 N* that they stood for in the same simulation.
_TARGET_FACTOR = 100.0
_DECADES_WARN, _DECADES_REFUSE = 0.3, 0.75
# Above this the normalised Jacobian is singular to working precision: no parameter is known.
_CONDITION_NONE = 1e6
_COLLINEAR = 0.995
_VANISHING = 1e-3  # a term that is nowhere above this share of the metric cannot be seen
_FEWEST_FOR_TWO_INPUTS = 6
# With one value on a side the exponent there is a guess; four are wanted before such a law is
# chosen, which is why it is fitted only where it is asked for.
_FEWEST_BESIDE_A_BREAK = 2
_CONSTANT = 1e-12  # relative spread below which a metric is one number
_FEWEST_FOR_TREND = 3  # spare runs below which an F test says nothing
_NO_TREND = 0.1


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a law cannot be fitted to these runs, and what to do instead."""

    reason: str
    remedy: str

    def error(self) -> FitError:
        """Return it as the error that ends the program with exit code 4."""
        return FitError(self.reason, hint=self.remedy)


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
    if runs < fewest:
        return Refusal(
            f"{runs} usable runs cannot fix the {size} parameters of the {law.name} law; "
            f"at least {fewest} are needed",
            "Train more runs"
            + (", or ask for a law of two parameters (--law power)." if size > 2 else "."),
        )
    needed = 1 if not size else 2 if size <= 2 else 3
    for name, column in zip(names, inputs, strict=True):
        distinct = int(np.unique(column).size)
        if distinct < needed:
            return Refusal(
                f"{name} takes {distinct} distinct value{'s' if distinct > 1 else ''}; "
                f"the {law.name} law needs at least {needed}",
                f"Vary {name} over more values, or fit a law of another column with --input.",
            )
    if len(inputs) == 2 and not held:
        logs = np.log(inputs)
        correlation = float(np.corrcoef(logs)[0, 1])
        if abs(correlation) > _COLLINEAR:
            return Refusal(
                f"{names[0]} and {names[1]} move together (correlation of logs "
                f"{correlation:.4f}): all runs lie on one ray, so their exponents cannot be told "
                "apart and no compute-optimal size can be known",
                "Fit the loss against compute along that ray (--law power_floor --input flops), or "
                "train runs at other ratios of tokens to parameters.",
            )
    return None


def check_fit(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return why a fit must not be used, or None."""
    law = fitted.law
    if not law.parameters:
        return None
    flat = _no_trend(fitted, names)
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


def _no_trend(fitted: Fitted, names: tuple[str, ...]) -> Refusal | None:
    """Return why the metric does not depend on the inputs at all, by an F test, or None."""
    size, runs = fitted.free, fitted.values.size
    values = np.log(fitted.values) if fitted.residual == "log" else fitted.values
    spread = values - np.median(values)
    scale = float(np.abs(fitted.values).max()) if fitted.residual == "raw" else 1.0
    if float(np.abs(spread).max()) <= _CONSTANT * scale:
        return Refusal(
            f"the metric is the same in all {runs} runs, so it does not depend on "
            f"{' or '.join(names)}",
            "Choose another column with --metric.",
        )
    freedom = runs - size
    if freedom < _FEWEST_FOR_TREND or size < 2:
        return None
    # Squares beyond five noise scales are clipped on both sides, so one wild run decides nothing.
    limit = 5.0 * fitted.noise
    left = float((np.clip(fitted.residuals(), -limit, limit) ** 2).sum())
    before = float((np.clip(spread, -limit, limit) ** 2).sum()) if limit > 0.0 else np.inf
    if left <= 0.0:
        return None
    p = f_tail(max(0.0, before - left) / (size - 1) / (left / freedom), size - 1, freedom)
    if p > _NO_TREND:
        return Refusal(
            f"the metric does not depend on {' or '.join(names)} beyond its noise (p = {p:.2g} for "
            f"the {fitted.law.name} law against a constant)",
            "Check the columns, or spread the runs over a wider range.",
        )
    return None


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
                f"the metric does not fall with {names[column]} (fitted exponent {b:.3g})",
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


def allocation_note(fitted: Fitted) -> Note | None:
    """Return the note that refuses or qualifies the compute-optimal split, if one is due.

    Args:
        fitted: A fit of a law of params and tokens.
    """
    if fitted.law.name == "chinchilla":
        return _note_of_the_additive_law(fitted)
    law, error = fitted.law, None
    if isinstance(law, HasOptimum):
        largest = float(np.prod(fitted.inputs[:2], axis=0).max())
        error = log_size_error(fitted.record(), law, _TARGET_FACTOR * largest, 1.0)
    if error is None:
        return None
    decades = error / math.log(10.0)
    return _allocation_note(
        f"standard error of log10 N* at {_TARGET_FACTOR:.0f} times the largest run: {decades:.2f}",
        (("condition", fitted.condition), ("log10_size_error", decades)),
        refuse=decades > _DECADES_REFUSE, warn=decades > _DECADES_WARN,
    )  # fmt: skip


def _note_of_the_additive_law(fitted: Fitted) -> Note | None:
    if fitted.covariance is None:
        return None
    exponents = [
        (k, spec.symbol)
        for k, spec in enumerate(fitted.law.parameters)
        if spec.symbol in {"alpha", "beta"}
    ]
    relative = max(
        float(np.sqrt(fitted.covariance[k, k]) / abs(fitted.theta[k])) for k, _ in exponents
    )
    return _allocation_note(
        f"condition number {fitted.condition:.0f}, largest relative standard error of an exponent "
        f"{relative:.2f}",
        (("condition", fitted.condition), ("relative_standard_error", relative)),
        refuse=fitted.condition > _CONDITION_REFUSE or relative > _RELATIVE_REFUSE,
        warn=fitted.condition > _CONDITION_WARN or relative > _RELATIVE_WARN,
    )  # fmt: skip


def _allocation_note(
    facts: str, numbers: tuple[tuple[str, float], ...], *, refuse: bool, warn: bool
) -> Note | None:
    if refuse:
        return Note(
            id="ALLOCATION_REFUSED", severity="error",
            text=f"These runs do not tell how to split compute between parameters and tokens "
            f"({facts}); no optimal size is given.",
            action="Train runs at other ratios of tokens to parameters: the spread of D/N, not "
            "the range of compute, identifies the split. The loss along the sampled ratios can "
            "still be forecast (--law power_floor --input flops).",
            numbers=numbers, source="own simulation of 80 designs, 2026",
        )  # fmt: skip
    if warn:
        return Note(
            id="ALLOCATION_WEAK", severity="warning",
            text=f"The split between parameters and tokens is known within a factor of about 2 "
            f"only ({facts}).",
            action="Add runs at other ratios of tokens to parameters before acting on N*.",
            numbers=numbers, source="own simulation of 80 designs, 2026",
        )  # fmt: skip
    return None
