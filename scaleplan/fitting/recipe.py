"""How a law is fitted: what is minimised, and which parameters are held or kept inside a range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.laws import Law
    from scaleplan.records import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A range that one parameter is kept in; `low` equal to `high` fixes it.

    Args:
        symbol: The parameter's letter in the law's formula.
        low: Its smallest value, in base units.
        high: Its largest value.
    """

    symbol: str
    low: float
    high: float

    @property
    def fixes(self) -> bool:
        """Tell whether the parameter is held at one value."""
        return self.low == self.high


def reached(bound: float, value: float) -> bool:
    """Tell whether a parameter ended at a bound of its range."""
    return math.isclose(value, bound, rel_tol=1e-9, abs_tol=1e-12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How laws are fitted.

    Args:
        objective: `huber` for the sum of Huber losses of log residuals, `log` for least squares of
            log residuals, `raw` for least squares of the metric itself.
        delta: Huber's threshold in log units; None chooses it from the data and reports it.
        limits: Parameters that are held, or kept in a range.
    """

    objective: Objective = "huber"
    delta: float | None = None
    limits: tuple[Limit, ...] = ()

    @property
    def threshold(self) -> float | None:
        """Return Huber's threshold: infinite for least squares, None to be chosen."""
        return self.delta if self.objective == "huber" else math.inf

    def check(self, law: Law) -> None:
        """Refuse limits that the law cannot keep.

        Raises:
            UsageError: If a symbol is not the law's, or its range leaves the law's own.
        """
        known = {spec.symbol: spec for spec in law.parameters}
        for limit in self.limits:
            if limit.symbol not in known:
                raise UsageError(
                    f"the {law.name} law has no parameter {limit.symbol!r}; it has "
                    f"{', '.join(known) or 'none'}",
                    hint=f"Its formula is {law.formula}.",
                )
            spec = known[limit.symbol]
            if limit.low < spec.low or limit.high > spec.high:
                found = (
                    f"{limit.low:g}" if limit.fixes else f"{limit.low:g} to {limit.high:g}"
                )  # fmt: skip
                raise UsageError(
                    f"{limit.symbol} = {found} is outside of what the {law.name} law allows, "
                    f"{spec.low:g} to {spec.high:g}",
                    hint=f"{limit.symbol} is the {spec.meaning}.",
                )
        if all(symbol in {m.symbol for m in self.limits if m.fixes} for symbol in known) and known:
            message = f"all parameters of the {law.name} law are fixed: there is nothing to fit"
            raise UsageError(message, hint="Leave one of them free.")

    def fixed(self, law: Law) -> tuple[bool, ...]:
        """Return for each of the law's parameters whether it is held."""
        held = {limit.symbol for limit in self.limits if limit.fixes}
        return tuple(spec.symbol in held for spec in law.parameters)


OBJECTIVES: tuple[Objective, ...] = ("huber", "log", "raw")
DEFAULT = Recipe()
