"""The laws: one file each, listed here.

A law is loaded when it is asked for: a plan needs one or two of them, and making all takes a
fiftieth of its time.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from scaleplan.errors import UsageError
from scaleplan.laws.base import CurvedLaw, HasOptimum, HasSection, Law, LinearLaw, ParameterSpec

if TYPE_CHECKING:
    from scaleplan.laws.compute_factors import ComputeFactors
    from scaleplan.laws.optimizer_factors import OptimizerFactors
    from scaleplan.laws.power_sum import PowerSumLaw

    LAWS: tuple[Law, ...]

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

# Name -> module and class, in the order in which laws are shown and compared.
_HOME = {
    "linear": ("linear", "Linear"),
    "log_linear": ("log_linear", "LogLinear"),
    "power": ("power", "Power"),
    "power_floor": ("power_floor", "PowerFloor"),
    "power_ceiling": ("power_ceiling", "PowerCeiling"),
    "shifted": ("shifted", "Shifted"),
    "m3": ("m3", "M3"),
    "rectified": ("rectified", "Rectified"),
    "sigmoid": ("sigmoid", "Sigmoid"),
    "saturating": ("saturating", "Saturating"),
    "broken": ("broken", "Broken"),
    "chinchilla": ("chinchilla", "Chinchilla"),
    "coupled": ("coupled", "Coupled"),
    "overtraining": ("overtraining", "Overtraining"),
    "kaplan": ("kaplan", "Kaplan"),
    "power_product": ("power_product", "PowerProduct"),
    "data_constrained": ("data_constrained", "DataConstrained"),
    "moe": ("moe", "MixtureOfExperts"),
    "granularity": ("granularity", "Granularity"),
    "routed": ("routed", "Routed"),
    "precision": ("precision", "Precision"),
    "precision_parts": ("precision", "PrecisionParts"),
    "optimizer_factors": ("optimizer_factors", "OptimizerFactors"),
    "compute_factors": ("compute_factors", "ComputeFactors"),
    "loss_to_error": ("loss_to_error", "LossToError"),
    "loss_to_accuracy": ("loss_to_accuracy", "LossToAccuracy"),
    "efficiency": ("efficiency", "Efficiency"),
}
_KINDS = {
    "ComputeFactors": "compute_factors",
    "OptimizerFactors": "optimizer_factors",
    "PowerSumLaw": "power_sum",
}


def get_law(name: str) -> Law:
    """Return the law of that name.

    Raises:
        UsageError: If there is none; the hint names the nearest.
    """
    wanted = name.strip().lower().replace("-", "_")
    if wanted in _HOME:
        return _made(wanted)
    from difflib import get_close_matches

    near = get_close_matches(wanted, _HOME, n=1)
    message = f"there is no law {name!r}; the laws are {', '.join(_HOME)}"
    raise UsageError(message, hint=f"Did you mean {near[0]}?" if near else "See `scaleplan laws`.")


@cache
def _made(name: str) -> Law:
    module, kind = _HOME[name]
    law: Law = getattr(import_module(f"{__name__}.{module}"), kind)()
    return law


def __getattr__(name: str) -> object:
    """Return all laws, or a class of them that others ask for, on first use."""
    if name == "LAWS":
        found: object = tuple(map(_made, _HOME))
    elif name in _KINDS:
        found = getattr(import_module(f"{__name__}.{_KINDS[name]}"), name)
    else:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = found
    return found
