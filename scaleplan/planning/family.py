"""The models that differ in training compute only: optimal ones, or one size, data set or ratio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scaleplan.errors import PlanError
from scaleplan.laws import get_law
from scaleplan.planning.active import active_share, counted_size, law_size
from scaleplan.planning.allocation import has_optimum, optimal_split, optimal_split_given
from scaleplan.records import Fit
from scaleplan.records.base import Record

_LOG_LOW, _LOG_HIGH = math.log(1.0), math.log(1e120)
_HALVINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Model(Record):
    """A model to train: all positive, flops = k N D of the fit; `how` it was found."""

    params: float
    active_params: float
    tokens: float
    flops: float
    how: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Family(Record):
    """All models that a question leaves open, by their training compute.

    Args:
        fit: The law.
        params: The size, where it is fixed.
        active_share: Active over all parameters, 1 for a dense model; None takes that of the fit.
        tokens: The training tokens, where they are fixed.
        ratio: Tokens per parameter, where it is fixed; without any of the three the split is
            optimal.
        others: Further inputs of the law by role.
    """

    fit: Fit
    params: float | None = None
    active_share: float | None = None
    tokens: float | None = None
    ratio: float | None = None
    others: Mapping[str, float] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """Return what is held, in words."""
        if self.params is not None:
            return "the size that was asked for"
        if self.tokens is not None:
            return "the tokens that were asked for"
        if self.ratio is not None:
            return f"{self.ratio:g} tokens per parameter, as asked for"
        return f"compute-optimal under {self.fit.name}"

    def at(self, flops: float) -> Model:
        """Return the model of this training compute in FLOP.

        Raises:
            PlanError: If the law does not tell the split and nothing fixes it.
        """
        products = flops / self.fit.flops_per_param_token
        share = active_share(self.fit) if self.active_share is None else self.active_share
        # Of all parameters, the part that compute is counted for.
        part = counted_size(self.fit, 1.0, share)
        if self.params is not None:
            size = self.params * part
            tokens = products / size
        elif self.tokens is not None:
            tokens, size = self.tokens, products / self.tokens
        elif self.ratio is not None:
            # Tokens are counted for all parameters.
            size = math.sqrt(products * part / self.ratio)
            tokens = products / size
        else:
            size, tokens = self._optimal(flops)
        params = size / part
        return Model(
            params=params, active_params=params * share, tokens=tokens, flops=flops, how=self.says
        )

    def _optimal(self, flops: float) -> tuple[float, float]:
        if has_optimum(self.fit):
            return optimal_split(self.fit, flops)
        further = list(self.fit.inputs[2:])
        sized = self.fit.inputs[0] in {"params", "active_params"} and "tokens" in self.fit.inputs
        if sized and further and all(role in self.others for role in further):
            return optimal_split_given(self.fit, flops, [self.others[role] for role in further])
        raise PlanError(
            f"{self.fit.name} does not tell the compute-optimal size",
            hint="Give --params, --tokens or --ratio as well.",
        )

    def value(self, model: Model) -> float:
        """Return the predicted metric of a model.

        Raises:
            PlanError: If the law needs an input that a plan does not give.
        """
        sizes = {
            "active_params": model.active_params, "tokens": model.tokens, "flops": model.flops,
            "params": law_size(self.fit, model.params, model.active_params),
        }  # fmt: skip
        given = {**sizes, **self.others}
        missing = [role for role in self.fit.inputs if role not in given]
        if missing:
            raise PlanError(
                f"{self.fit.name} needs {' and '.join(missing)} besides params and tokens",
                hint=f"Give --with {missing[0]}=NUMBER.",
            )
        law = get_law(self.fit.law)
        value = float(law.evaluate(list(self.fit.main.theta), [given[r] for r in self.fit.inputs]))
        return 1.0 - value if self.fit.complement else value

    @property
    def falls(self) -> bool:
        """Tell whether the metric falls as models improve."""
        return self.fit.metric.kind in {"loss", "error"}

    def badness(self, flops: float) -> float:
        """Return the metric at a training compute, or its negative where larger is better."""
        return self.badness_of(self.at(flops))

    def badness_of(self, model: Model) -> float:
        """Return the metric of a model, or its negative where larger is better."""
        value = self.value(model)
        return value if self.falls else -value


def first_flops(reached: Callable[[float], bool]) -> float | None:
    """Return the smallest training compute at which a monotone test holds, None if none does.

    By bisection on ln C, to the last digit.

    Args:
        reached: Of FLOP; once true it stays true.
    """
    low, high = _LOG_LOW, _LOG_HIGH
    if not reached(math.exp(high)):
        return None
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if reached(math.exp(middle)):
            high = middle
        else:
            low = middle
    return math.exp(high)
