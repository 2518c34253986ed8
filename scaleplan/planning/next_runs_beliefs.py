"""What a fit believes about runs that were not trained, for the design of the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws import get_law
from scaleplan.planning.next_runs_design import Beliefs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws import Law
    from scaleplan.laws.base import FloatArray
    from scaleplan.records import LawFit

# A fit of few runs can leave its exponents open to absurd values. What published sweeps found for
# the exponents of loss in parameters and tokens, 0.18 to 0.45 (Hoffmann et al. 2022, Muennighoff
# et al. 2023, Besiroglu et al. 2024, Ludziejewski et al. 2025: see `scaleplan laws`), counts
# like one more measurement of each: ln exponent = ln 0.3 +- 0.4.
_USUAL_EXPONENT, _USUAL_SPREAD = 0.3, 0.4
_DRAWS = 8  # of each law; more change no choice (tests/benchmark/next_runs.py)
_EXPONENTS = (0.05, 1.5)  # outside of it no draw says anything about training


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A law near one theta, in coordinates where coefficients are logarithms.

    Args:
        law: The law.
        theta: Shape (p,).
        scale: Shape (p,), d theta / d coordinate.
        root: Shape (p, p), a square root of the covariance of the coordinates.
        noise: Standard deviation of ln L of one run.
        weight: How much the law counts.
    """

    law: Law
    theta: FloatArray
    scale: FloatArray
    root: FloatArray
    noise: float
    weight: float

    def rows(self, params: FloatArray, tokens: FloatArray) -> FloatArray:
        """Return the whitened gradients of ln L, shape (n, p), at n runs."""
        parts = [np.full(params.shape, value) for value in self.theta]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = self.law.evaluate(parts, [params, tokens])
            slopes = np.stack(self.law.gradient(parts, [params, tokens]), axis=1) / value[:, None]
        found: FloatArray = np.nan_to_num(slopes, posinf=0.0, neginf=0.0) * self.scale @ self.root
        return found

    def drawn(self, rng: np.random.Generator) -> Form:
        """Return the same law at parameters drawn from what is believed about them."""
        moved = self.root @ rng.standard_normal(self.theta.size)
        logs = self.scale != 1.0
        theta = np.where(logs, self.theta * np.exp(np.clip(moved, -20.0, 20.0)), self.theta + moved)
        for k, spec in enumerate(self.law.parameters):
            low, high = max(spec.low, 0.0), spec.high
            if spec.symbol in {"alpha", "beta"}:
                low, high = _EXPONENTS
            theta[k] = min(max(theta[k], low), high)
        scale = np.where(logs, theta, 1.0)
        return Form(self.law, theta, scale, self.root, self.noise, self.weight)


def form_of(fit: LawFit, *, value: float, weight: float) -> Form | None:
    """Return a fitted law with what is believed about its parameters.

    Args:
        fit: The law, with its covariance and noise.
        value: The metric where noise in metric units is made relative.
        weight: How much it counts.

    Returns:
        None without a covariance or a noise.
    """
    if fit.covariance is None or fit.noise is None:
        return None
    law, theta = get_law(fit.law), np.asarray(fit.theta)
    logs = np.array([spec.scale == "log" for spec in law.parameters]) & (theta > 0.0)
    scale = np.where(logs, theta, 1.0)
    covariance = np.asarray(fit.covariance) / np.outer(scale, scale)
    if not np.isfinite(covariance).all():
        return None
    moved = np.zeros(theta.size)
    for row, gap in _usual(law, theta, scale):
        spread = covariance @ row
        total = float(row @ spread) + _USUAL_SPREAD**2
        moved += spread / total * (gap - row @ moved)
        covariance = covariance - np.outer(spread, spread) / total
    theta = np.where(
        logs, theta * np.exp(np.clip(moved, -20.0, 20.0)), np.maximum(theta + moved, 0.0)
    )
    noise = fit.noise if fit.residual == "log" else fit.noise / value
    return Form(law, theta, np.where(logs, theta, 1.0), _root(covariance), noise, weight)


def _usual(law: Law, theta: FloatArray, scale: FloatArray) -> list[tuple[FloatArray, float]]:
    """Return what usual exponents say: rows on the coordinates, and how far off they are."""
    symbols = [spec.symbol for spec in law.parameters]
    found = []
    for name in ("alpha", "beta"):
        if name not in symbols:
            continue
        row, size = np.zeros(theta.size), 1.0
        # Inside a power k the loss itself falls with k times the exponent.
        for part in {name, "k"} & set(symbols):
            k = symbols.index(part)
            row[k] = scale[k] / theta[k]
            size *= float(theta[k])
        found.append((row, float(np.log(_USUAL_EXPONENT / size))))
    return found


def _root(covariance: FloatArray) -> FloatArray:
    """Return R with R R' the covariance, its negative rounding errors left out."""
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    spread = np.where(spread > 0.0, spread, 1.0)
    values, directions = np.linalg.eigh(covariance / np.outer(spread, spread))
    return np.asarray(spread[:, None] * directions * np.sqrt(np.maximum(values, 0.0)))


def beliefs_at(
    forms: Sequence[Form],
    params: FloatArray,
    tokens: FloatArray,
    *,
    target: tuple[float, float],
    seed: int,
    draws: int = _DRAWS,
) -> Beliefs:
    """Return what laws believe about candidates, averaged over draws of their parameters.

    Args:
        forms: The laws.
        params: Shape (n,), sizes of the candidates.
        tokens: Shape (n,), their training tokens.
        target: Params and tokens to forecast.
        seed: Seed of the draws.
        draws: How many of each law.
    """
    rng = np.random.default_rng(seed)
    at_n, at_d = np.append(params, target[0]), np.append(tokens, target[1])
    width = max(form.theta.size for form in forms)
    rows, weights, noise = [], [], []
    for form in forms:
        for one in (form, *(form.drawn(rng) for _ in range(draws))):
            found = one.rows(at_n, at_d)
            rows.append(np.pad(found, ((0, 0), (0, width - found.shape[1]))))
            weights.append(form.weight)
            noise.append(form.noise)
    stacked, shares = np.stack(rows), np.array(weights)
    return Beliefs(stacked[:, :-1], stacked[:, -1], shares / shares.sum(), np.array(noise))
