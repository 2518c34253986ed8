"""The naive training efficiency, E = 1/C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from scaleplan.laws.base import Law, ParameterSpec, T


@final
class Efficiency(Law):
    """E = 1 / C: training time falls in proportion to the number of accelerators.

    Source: the naive form of popular articles on scaling. It is a definition of perfect scaling,
    not a law: it has no parameter, so there is nothing to fit, only something to test. `budget`
    shows it next to the measured time model, whose losses grow with the number of accelerators.
    """

    name: ClassVar[str] = "efficiency"
    title: ClassVar[str] = "perfect scaling over accelerators (E = 1/C), a definition to test"
    formula: ClassVar[str] = "E = 1 / C"
    source: ClassVar[str] = (
        "popular articles on scaling; a definition, see the time model of budget"
    )
    holds: ClassVar[str] = "small clusters; real ones lose some share with every doubling"
    inputs: ClassVar[tuple[str, ...]] = ("x",)
    parameters: tuple[ParameterSpec, ...] = ()
    residual: ClassVar[Literal["log", "raw"]] = "log"

    def evaluate(self, theta: Sequence[T], inputs: Sequence[T]) -> T:
        """Return 1 / C."""
        del theta
        return 1.0 / inputs[0]

    def gradient(self, theta: Sequence[T], inputs: Sequence[T]) -> tuple[T, ...]:
        """Return nothing: there is no parameter."""
        del theta, inputs
        return ()

    def write(self, theta: Sequence[float], *, metric: str, names: Sequence[str]) -> str:
        """Return for example `E = 1 / C`."""
        del theta
        return f"{metric} = 1 / {names[0]}"
