"""The contract of a law, and the two families that the laws of this package belong to.

A law knows neither data nor optimiser: it is a formula with its derivatives, its parameters and its
source. Formulas are written with operators only, so that the same code runs on floats (a forecast
for one model costs no numpy import) and on whole arrays of parameters and runs.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from scaleplan.records.base import Record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    BoolArray = npt.NDArray[np.bool_]
    IndexArray = npt.NDArray[np.intp]

T = TypeVar("T", float, "FloatArray")

COUNT = -1  # in `CurvedLaw.units`: a pure count or number of bits, which is never scaled


def log(value: T) -> T:
    """Return the natural logarithm of a float, or of each element of an array."""
    if isinstance(value, float):
        return math.log(value)
    import numpy as np

    return np.log(value)


def exp(value: T) -> T:
    """Return e to the power of a float, or of each element of an array."""
    if isinstance(value, float):
        return math.exp(value)
    import numpy as np

    return np.exp(value)


def power(base: T, exponent: T) -> T:
    """Return base^exponent of floats, infinity where that is too large for one, or of arrays."""
    if not isinstance(base, float):
        return base**exponent
    try:
        raised: float = base**exponent
    except OverflowError:  # a float raises what an array says by infinity
        return math.inf
    return raised


def softplus(value: T) -> T:
    """Return ln(1 + e^value) without overflow, of a float or of each element of an array."""
    if isinstance(value, float):
        return max(value, 0.0) + math.log1p(math.exp(-abs(value)))
    import numpy as np

    return np.logaddexp(0.0, value)


def smaller(one: T, other: T) -> T:
    """Return the smaller of two floats, or of each pair of elements of two arrays."""
    if isinstance(one, float):
        return min(one, other)
    import numpy as np

    return np.minimum(one, other)


def compute_optimal(
    terms: tuple[T, T, T, T], flops: T, flops_per_param_token: float
) -> tuple[T, T]:
    """Return the (N*, D*) that minimise A / N^a + B / D^b at flops = k N D.

    Args:
        terms: (A, a, B, b).
        flops: Training compute C in FLOP.
        flops_per_param_token: k in C = k N D, 6 for dense transformers.

    Returns:
        N* = G (C/k)^(b/(a+b)) and D* = (C/k)^(a/(a+b)) / G with G = (a A / (b B))^(1/(a+b));
        Hoffmann et al. 2022, equation 4. Every increasing function of the sum has the same optimum.
    """
    size, alpha, data, beta = terms
    total = alpha + beta
    split = (alpha * size / (beta * data)) ** (1.0 / total)
    products = flops / flops_per_param_token
    return split * products ** (beta / total), products ** (alpha / total) / split


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ParameterSpec(Record):
    """One parameter of a law.

    Args:
        symbol: Its letter in the formula.
        meaning: What it stands for.
        unit: `metric` for the metric's own unit, empty for pure numbers.
        low: Lower end of the range where it makes sense.
        high: Upper end of it.
        scale: `log` if its errors are factors (coefficients), `linear` if sums.
    """

    symbol: str
    meaning: str
    unit: str
    low: float
    high: float
    scale: Literal["log", "linear"] = "linear"

    @property
    def is_floor(self) -> bool:
        """Tell whether this is what the metric falls to in the limit: it may be exactly zero."""
        return self.unit == "metric" and self.scale == "linear" and self.low == 0.0


class Law(ABC):
    """A formula that gives a metric from the inputs of a run.

    Attributes:
        name: The name that `--law` takes.
        title: One line for people.
        formula: The formula as people write it.
        source: Where it was published.
        inputs: The roles it needs, in order; `x` stands for any single column.
        parameters: One specification a parameter, in the order of theta; a property of the object,
            because a law with levels of a label has more of them the more levels there are.
        residual: `log` if errors are relative (residuals of logarithms), `raw` if absolute.
        holds: Where it holds, and where it is known to fail.
        automatic: Whether `--law auto` looks at it; the others are fitted where they are asked for.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    formula: ClassVar[str]
    source: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    parameters: tuple[ParameterSpec, ...]
    residual: ClassVar[Literal["log", "raw"]]
    holds: ClassVar[str]
    automatic: ClassVar[bool] = True

    @abstractmethod
    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return the metric.

        Args:
            theta: One value a parameter, floats or arrays that broadcast against the inputs.
            inputs: One value an input, floats or arrays of shape (n,), in base units.

        Returns:
            The metric, with the broadcast shape of theta and inputs.
        """

    @abstractmethod
    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return the derivative of the metric with respect to each parameter, in theta's order."""

    def takes(self, count: int) -> bool:
        """Tell whether theta may have so many parameters; laws of levels take several numbers."""
        return count == len(self.parameters)

    @abstractmethod
    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return the formula with its numbers, as people write it.

        Args:
            theta: The parameters.
            metric: What stands to the left of the equals sign, for example `L`.
            names: What each input is called, for example `N` and `D`.
        """


@runtime_checkable
class HasSection(Protocol):
    """A law of params, tokens and further inputs that is Chinchilla's where those are held."""

    def section(self, theta: Sequence[T], others: Sequence[T]) -> tuple[T, T, T, T, T]:
        """Return (E, A, alpha, B, beta) of L = E + A / N^alpha + B / D^beta at further inputs.

        Args:
            theta: The law's own parameters.
            others: The inputs after params and tokens, in the law's order.
        """


@runtime_checkable
class HasOptimum(Protocol):
    """A law of params and tokens with a closed-form compute-optimal split."""

    def optimum(self, theta: Sequence[T], flops: T, flops_per_param_token: float) -> tuple[T, T]:
        """Return (params, tokens) that minimise the metric at flops = k x params x tokens."""

    def balance(self, theta: Sequence[T]) -> tuple[T, T, T, T]:
        """Return (A, a, B, b): the metric rises with A / N^a + B / D^b and nothing else."""


class LinearLaw(Law):
    """A law that is linear in its parameters: y = a b1(x) + b, fitted in closed form."""

    residual: ClassVar[Literal["log", "raw"]] = "raw"
    inputs: ClassVar[tuple[str, ...]] = ("x",)

    @staticmethod
    @abstractmethod
    def basis(x: T) -> T:
        """Return the function of the input that the slope multiplies."""

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return a * basis(x) + b."""
        slope, intercept = theta
        return slope * self.basis(inputs[0]) + intercept

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return (basis(x), 1)."""
        basis = self.basis(inputs[0])
        return basis, basis * 0.0 + 1.0


class CurvedLaw(Law):
    """A law of any smooth form, fitted iteratively from several starts.

    It is fitted to inputs and metric divided by their geometric means, so that sizes of 1e25 and
    losses of 1e-9 meet the solver as numbers near 1; `rescale` carries the parameters back.

    Attributes:
        units: For each input, which inputs share its unit and so its geometric mean: inputs with
            the same number do, and `COUNT` is never scaled. Empty if each has its own.
    """

    residual: ClassVar[Literal["log", "raw"]] = "log"
    automatic: ClassVar[bool] = False
    units: ClassVar[tuple[int, ...]] = ()

    @abstractmethod
    def rescale(self, theta: Sequence[T], inputs: Sequence[float], metric: float) -> tuple[T, ...]:
        """Return the parameters in base units of a law fitted in scaled ones; exact.

        Args:
            theta: Parameters that hold for inputs / `inputs` and metric / `metric`.
            inputs: What each input was divided by.
            metric: What the metric was divided by.
        """

    @abstractmethod
    def starts(self, inputs: Sequence[FloatArray], values: FloatArray) -> FloatArray:
        """Return parameters worth starting from, shape (starts, p), the more diverse the better.

        Args:
            inputs: One array of shape (n,) an input, scaled to a geometric mean of 1.
            values: Shape (n,), the metric, scaled likewise.
        """

    def value_and_gradient(
        self, theta: Sequence[T], inputs: Sequence[T]
    ) -> tuple[T, tuple[T, ...]]:
        """Return the metric and its gradient at once; laws that share work between them do so."""
        return self.evaluate(theta, inputs), self.gradient(theta, inputs)
