"""Systems of runs (recipes, optimizers, data sets) under one law: each alone, and all together.

Alone, every system has a curve of its own. Together they share the floor and the exponents, and
differ by how much their parameters and tokens (or their compute) are worth: the nested form of
fewer parameters, which an F test holds against the free one.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError
from scaleplan.fitting.axes import Axes, axes_for
from scaleplan.fitting.backtest import leverage
from scaleplan.fitting.clusters import clusters_of, codes_of
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.fitted import Fitted, fit_law
from scaleplan.fitting.form_tests import EXACT_LOG, aicc_of
from scaleplan.fitting.identifiability import check_design, check_fit
from scaleplan.laws import ComputeFactors, OptimizerFactors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.laws import Law
    from scaleplan.laws.base import FloatArray, IndexArray
    from scaleplan.runs.table import Runs

# As for single fits (`resampling`): with fewer runs resamples repeat so few that they are exact.
_CASE_RATIO, _WILD_RATIO = 4, 2
_BLOCK_RESAMPLES, _BLOCK_DOUBLES = 250, 4_000_000  # at once
_CLIP_SIGMAS = 5.0  # residuals beyond decide nothing in the F test
_FULL_LEVERAGE = 1.0 - 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class SystemAlone:
    """One system's own fit.

    Args:
        name: What it is called.
        fitted: The law fitted to its runs alone.
        axes: The runs that were fitted.
        flops_per_param_token: k in C = k N D.
        codes: Shape (n,), which of its runs are drawn together, as numbers.
        seed: What its draws begin with beside the common seed: its runs, whatever its name or
            place among the systems.
    """

    name: str
    fitted: Fitted
    axes: Axes
    flops_per_param_token: float
    codes: IndexArray
    seed: int

    @property
    def groups(self) -> int:
        """Return how many clusters of runs there are; each run is its own without any."""
        return int(self.codes.max()) + 1


@dataclass(frozen=True, slots=True, eq=False)
class SharedFit:
    """All systems under one floor and common exponents.

    Args:
        law: The law of levels; the first system is its reference.
        theta: Shape (p,), fitted with each run weighted by its system's scatter.
        statistic: F of the shared against the free fits.
        extra: Its numerator's degrees of freedom: parameters that the free fits have more.
        spare: Its denominator's: runs less free parameters.
        p: Its tail probability.
        weight: Akaike weight of the shared form against the free one, 0 to 1.
    """

    law: OptimizerFactors | ComputeFactors
    theta: FloatArray
    statistic: float
    extra: int
    spare: int
    p: float
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class SystemFits:
    """The fits of all systems, and both forms refitted to the same resamples.

    Args:
        law: The law of each, `chinchilla` or `power_floor`.
        systems: One entry a system, the reference first.
        draws: Of each system, shape (resamples, p), its law refitted to its resampled runs.
        shared: All of them together.
        shared_draws: Shape (resamples, p).
        method: How the resamples were drawn.
    """

    law: Law
    systems: tuple[SystemAlone, ...]
    draws: tuple[FloatArray, ...]
    shared: SharedFit
    shared_draws: FloatArray
    method: str


def fewest_runs(law: Law) -> int:
    """Return how many runs a system needs for an interval."""
    return _WILD_RATIO * len(law.parameters)


def fit_alone(name: str, runs: Runs, law: Law, *, role: str | None = None) -> SystemAlone:
    """Fit one system's runs.

    Args:
        name: What it is called.
        runs: Cleaned runs.
        law: `chinchilla`, or `power_floor` along one input.
        role: For laws of one input, the role to use.

    Raises:
        FitError: If the runs cannot carry the law, or are too few for an interval.
        InputError: If a column that the law needs is missing.
    """
    axes = axes_for(runs, law, role)
    refusal = check_design(law, axes.columns, axes.inputs)
    least = fewest_runs(law)
    if refusal is None and axes.values.size < least:
        raise FitError(
            f"{name}: {axes.values.size} runs are too few for an interval of the {law.name} law; "
            f"at least {least} are needed",
            hint="Train more runs of this system, or leave it out.",
        )
    fitted = None if refusal is not None else fit_law(law, axes.inputs, axes.values)
    refusal = check_fit(fitted, axes.columns) if fitted is not None else refusal
    if refusal is not None or fitted is None:
        reason, remedy = ("", "") if refusal is None else (refusal.reason, refusal.remedy)
        raise FitError(f"{name}: {reason}", hint=remedy)
    codes = _codes(runs, axes)
    # Not the name: renamed or swapped systems keep their draws.
    seed = zlib.crc32(runs.fingerprint.encode())
    return SystemAlone(name, fitted, axes, axes.flops_ratio(runs) or 6.0, codes, seed)


def fit_systems(
    systems: Sequence[SystemAlone],
    *,
    resamples: int = 1000,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> SystemFits:
    """Fit systems together, and refit them apart and together to the same resamples.

    Args:
        systems: Two or more under the same law, the reference first.
        resamples: Bootstrap resamples, drawn inside each system.
        seed: Seed of the draws.
        on_progress: Called with (done, all) resamples.
    """
    alone = [system.fitted for system in systems]
    together, weights = _fit_together(alone)
    if not isinstance(together.law, OptimizerFactors | ComputeFactors):  # pragma: no cover
        raise TypeError(together.law.name)
    theta = together.refit(weights[None])[0]
    shared = SharedFit(together.law, theta, *compare_forms(alone, together, theta))
    wild = any(s.groups < _CASE_RATIO * s.fitted.free for s in systems)
    draws, shared_draws = _draws(
        systems, together, weights, wild=wild, resamples=resamples, seed=seed,
        on_progress=on_progress,
    )  # fmt: skip
    clustered = any(system.groups < system.codes.size for system in systems)
    method = (
        "wild bootstrap in each system (HC3 residuals, random signs)" if wild
        else f"bootstrap of the {'clusters of ' if clustered else ''}runs of each system"
    )  # fmt: skip
    return SystemFits(
        alone[0].law, tuple(systems), draws, shared, shared_draws,
        f"{method}, {resamples} resamples",
    )  # fmt: skip


def correlation_of_inputs(runs: Runs, law: Law) -> float:
    """Return the correlation of the logs of a law's two inputs; 1 where one does not vary."""
    logs = np.log(axes_for(runs, law).inputs)
    if logs.shape[1] < 2 or not np.ptp(logs, axis=1).all():
        return 1.0
    return float(np.corrcoef(logs)[0, 1])


def _fit_together(alone: Sequence[Fitted]) -> tuple[Fitted, FloatArray]:
    """Return the fit of shared floor and exponents, and the weight of each run in it.

    A run weighs by the inverse square of its system's scatter, relative to the mean.
    """
    inputs = np.concatenate([fitted.inputs for fitted in alone], axis=1)
    values = np.concatenate([fitted.values for fitted in alone])
    sizes = [fitted.values.size for fitted in alone]
    levels = np.repeat(np.arange(1.0, len(alone) + 1.0), sizes)
    kind = OptimizerFactors if len(inputs) == 2 else ComputeFactors
    joint = fit_law(kind(len(alone)), np.vstack([inputs, levels]), values)
    noise = np.maximum([fitted.noise for fitted in alone], EXACT_LOG)
    weights = np.repeat(noise**-2.0, sizes)
    return joint, weights / weights.mean()


def compare_forms(
    alone: Sequence[Fitted], together: Fitted, theta: FloatArray
) -> tuple[float, int, int, float, float]:
    """Return F, its degrees of freedom and tail probability, and the shared form's Akaike weight.

    Residuals are in units of their own system's scatter and clipped, so that a noisy system or a
    wild run decides nothing. The weight is 1 / (1 + exp((AICc shared - AICc free) / 2)); Burnham &
    Anderson 2002, section 2.9.

    Args:
        alone: The free fits.
        together: The shared one, for its law and runs.
        theta: Shape (p,), its parameters.
    """
    noise = np.concatenate([
        np.full(fitted.values.size, max(fitted.noise, EXACT_LOG)) for fitted in alone
    ])  # fmt: skip
    free = np.concatenate([fitted.residuals() for fitted in alone])
    parts = [np.asarray(value) for value in theta]
    shared = np.log(together.law.evaluate(parts, list(together.inputs)) / together.values)
    rounding = float(((EXACT_LOG / noise) ** 2).sum())  # exact runs reject nothing
    left, before = (
        float((np.clip(r / noise, -_CLIP_SIGMAS, _CLIP_SIGMAS) ** 2).sum()) + rounding
        for r in (free, shared)
    )
    runs, parameters = free.size, sum(fitted.free for fitted in alone)
    extra, spare = parameters - theta.size, runs - parameters
    statistic = max(0.0, before - left) / extra / (left / spare)
    worse = aicc_of(math.log(before), runs, theta.size) - aicc_of(math.log(left), runs, parameters)
    weight = 1.0 / (1.0 + math.exp(min(0.5 * worse, 500.0)))
    return statistic, extra, spare, f_tail(statistic, float(extra), float(spare)), weight


def _codes(runs: Runs, axes: Axes) -> IndexArray:
    """Return which runs of a system are drawn together, as numbers."""
    clusters = clusters_of(runs, axes.rows, None, "auto")
    if clusters is None:
        return np.arange(axes.rows.size)
    return codes_of(clusters)


def _draws(
    systems: Sequence[SystemAlone], together: Fitted, weights: FloatArray, *, wild: bool,
    resamples: int, seed: int, on_progress: Callable[[int, int], None] | None,
) -> tuple[tuple[FloatArray, ...], FloatArray]:  # fmt: skip
    """Return the refits of each system, and those of all together, to the same resamples."""
    random = [np.random.default_rng([seed, system.seed]) for system in systems]
    free: list[list[FloatArray]] = [[] for _ in systems]
    shared: list[FloatArray] = []
    block = max(1, min(_BLOCK_RESAMPLES, _BLOCK_DOUBLES // weights.size))
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        one = _signed if wild else _counted
        drawn = [one(system, rng, count) for system, rng in zip(systems, random, strict=True)]
        for kept, system, own in zip(free, systems, drawn, strict=True):
            kept.append(system.fitted.refit_values(own) if wild else system.fitted.refit(own))
        every = np.concatenate(drawn, axis=1)
        shared.append(
            together.refit_values(every, weights) if wild else together.refit(every * weights)
        )
        if on_progress is not None:
            on_progress(first + count, resamples)
    return tuple(np.concatenate(kept) for kept in free), np.concatenate(shared)


def _counted(system: SystemAlone, rng: np.random.Generator, count: int) -> FloatArray:
    """Return how often each run of a system is drawn, shape (count, n)."""
    groups = system.groups
    drawn = rng.multinomial(groups, np.full(groups, 1.0 / groups), count)
    return np.asarray(drawn[:, system.codes], dtype=float)


def _signed(system: SystemAlone, rng: np.random.Generator, count: int) -> FloatArray:
    """Return the fitted values less residuals of random sign, scaled up as HC3 does.

    Source: MacKinnon & White 1985 (HC3); Davidson & Flachaire 2008 (signs).
    """
    fitted = system.fitted
    share = leverage(fitted, fitted.theta, fitted.inputs, fitted.inputs)
    own = fitted.residuals() / (1.0 - np.minimum(share, _FULL_LEVERAGE))
    signs = 2.0 * rng.integers(0, 2, (count, system.groups))[:, system.codes] - 1.0
    return np.asarray(np.exp(np.log(fitted.predict(fitted.inputs)) - own * signs))
