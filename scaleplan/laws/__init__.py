"""The laws: one file each, listed here."""

from __future__ import annotations

from difflib import get_close_matches

from scaleplan.errors import UsageError
from scaleplan.laws.base import CurvedLaw, HasOptimum, HasSection, Law, LinearLaw, ParameterSpec
from scaleplan.laws.broken import Broken
from scaleplan.laws.chinchilla import Chinchilla
from scaleplan.laws.compute_factors import ComputeFactors
from scaleplan.laws.coupled import Coupled
from scaleplan.laws.data_constrained import DataConstrained
from scaleplan.laws.efficiency import Efficiency
from scaleplan.laws.granularity import Granularity
from scaleplan.laws.kaplan import Kaplan
from scaleplan.laws.linear import Linear
from scaleplan.laws.log_linear import LogLinear
from scaleplan.laws.loss_to_accuracy import LossToAccuracy
from scaleplan.laws.loss_to_error import LossToError
from scaleplan.laws.m3 import M3
from scaleplan.laws.moe import MixtureOfExperts
from scaleplan.laws.optimizer_factors import OptimizerFactors
from scaleplan.laws.overtraining import Overtraining
from scaleplan.laws.power import Power
from scaleplan.laws.power_ceiling import PowerCeiling
from scaleplan.laws.power_floor import PowerFloor
from scaleplan.laws.power_sum import PowerSumLaw
from scaleplan.laws.precision import Precision, PrecisionParts
from scaleplan.laws.rectified import Rectified
from scaleplan.laws.routed import Routed
from scaleplan.laws.saturating import Saturating
from scaleplan.laws.shifted import Shifted
from scaleplan.laws.sigmoid import Sigmoid

__all__ = [
    "LAWS",
    "ComputeFactors",
    "CurvedLaw",
    "HasOptimum",
    "HasSection",
    "Law",
    "LinearLaw",
    "OptimizerFactors",
    "ParameterSpec",
    "PowerSumLaw",
    "get_law",
]

LAWS: tuple[Law, ...] = (
    Linear(),
    LogLinear(),
    Power(),
    PowerFloor(),
    PowerCeiling(),
    Shifted(),
    M3(),
    Rectified(),
    Sigmoid(),
    Saturating(),
    Broken(),
    Chinchilla(),
    Coupled(),
    Overtraining(),
    Kaplan(),
    DataConstrained(),
    MixtureOfExperts(),
    Granularity(),
    Routed(),
    Precision(),
    PrecisionParts(),
    OptimizerFactors(),
    ComputeFactors(),
    LossToError(),
    LossToAccuracy(),
    Efficiency(),
)


def get_law(name: str) -> Law:
    """Return the law of that name.

    Raises:
        UsageError: If there is none; the hint names the nearest.
    """
    wanted = name.strip().lower().replace("-", "_")
    for law in LAWS:
        if law.name == wanted:
            return law
    names = [law.name for law in LAWS]
    near = get_close_matches(wanted, names, n=1)
    message = f"there is no law {name!r}; the laws are {', '.join(names)}"
    raise UsageError(message, hint=f"Did you mean {near[0]}?" if near else "See `scaleplan laws`.")
