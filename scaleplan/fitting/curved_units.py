"""The units that a curved law is fitted in, and what its bounds become in them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.laws.base import COUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.recipe import Limit
    from scaleplan.laws import CurvedLaw
    from scaleplan.laws.base import BoolArray, FloatArray

_FARTHEST = 200.0  # bound of a logarithm that has none of its own; e^200 is beyond any size


def scales(
    law: CurvedLaw, inputs: FloatArray, values: FloatArray, *, raw: bool
) -> tuple[FloatArray, float]:
    """Return what inputs (inputs,) and values are divided by.

    Inputs by their geometric means, shared within a unit; values too, but by their root mean
    square where differences are fitted: scores that fall to next to nothing have a geometric mean
    that is no size of theirs.
    """
    means = np.log(inputs).mean(axis=1)
    if law.units:
        groups = np.array(law.units)
        means = np.array([means[groups == group].mean() for group in groups])
        means[groups == COUNT] = 0.0
    if not raw:
        return np.exp(means), float(np.exp(np.log(values).mean()))
    return np.exp(means), float(np.sqrt(np.mean(values**2))) or 1.0


def _moved(law: CurvedLaw, metric: float) -> tuple[float, ...]:
    """Return what parameters of 0.5 become in other units of the inputs and of the metric."""
    inputs = 1 + max(law.units, default=len(law.inputs) - 1)
    scales = [2.0 + k for k in range(inputs)]
    per_input = [1.0 if k == COUNT else scales[k] for k in law.units] if law.units else scales
    return law.rescale([0.5] * len(law.parameters), per_input, metric)


def unitless(law: CurvedLaw) -> BoolArray:
    """Tell which parameters do not depend on the units of inputs and metric, shape (p,)."""
    return np.array([part == 0.5 for part in _moved(law, 8.0)])


def metric_units(law: CurvedLaw) -> BoolArray:
    """Tell which parameters are quantities of the metric, shape (p,)."""
    return np.array([part == 4.0 for part in _moved(law, 8.0)])


def bounds_carry_over(law: CurvedLaw, limits: Sequence[Limit]) -> bool:
    """Tell whether each limit is one bound in scaled units too; what is held must stay exact."""
    free, metric = unitless(law), metric_units(law)
    place = {spec.symbol: k for k, spec in enumerate(law.parameters)}
    return all(
        free[place[limit.symbol]] or (metric[place[limit.symbol]] and not limit.fixes)
        for limit in limits
    )


def log_bound(bound: float) -> float:
    """Return the logarithm of a bound, at most so far from zero that its exponential is finite."""
    if bound <= 0.0:
        return -_FARTHEST
    return math.log(bound) if math.isfinite(bound) else _FARTHEST
