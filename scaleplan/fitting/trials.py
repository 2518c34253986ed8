"""The laws that are fitted to the same runs by the same recipe, for a choice among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.forms import BENT, STRAIGHT_IN_LOGS, can_be_used, with_bent, with_floor
from scaleplan.fitting.picking import CEILING
from scaleplan.fitting.scores import below_one, is_score, score_laws
from scaleplan.fitting.selection import Comparison, Tried, compare, one_input_laws, try_law
from scaleplan.laws import Law, get_law

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.recipe import Recipe
    from scaleplan.runs.table import Runs

FALLING = {"loss", "error", "accuracy"}  # an accuracy is fitted as its error
_FEWEST_FOR_CEILING = 5  # runs, two more than parameters


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Fits laws to the same runs by the same recipe, saying which before each."""

    runs: Runs
    recipe: Recipe
    on_law: Callable[[str], None] | None

    @property
    def score(self) -> bool:
        """Tell whether the metric is a bounded score."""
        return is_score(self.runs)

    @property
    def falling(self) -> bool:
        """Tell whether what is fitted falls as models improve."""
        return self.runs.metric.kind in FALLING

    def of(self, law: Law, axes: Axes, *, bounded: bool = False) -> Tried:
        """Fit and back-test one law, or say why it cannot be fitted.

        Args:
            law: The law.
            axes: What it is fitted to.
            bounded: Whether its chance level may be no more than 1.
        """
        if self.on_law is not None:
            self.on_law(law.name)
        return try_law(
            law, axes.columns, axes.inputs, axes.values, scale=axes.scale,
            recipe=below_one(self.recipe) if bounded else self.recipe,
            falling=self.falling,
        )  # fmt: skip

    def singles(self, axes: Axes, asked: Law | None = None) -> list[Tried]:
        """Fit the laws of one input that are compared without being asked for, and that one."""
        laws = (*one_input_laws(), self._with_ceiling(axes), asked)
        tries = [self.of(law, axes) for law in dict.fromkeys(laws) if law]
        return [*tries, *self.curves(axes, but="" if asked is None else asked.name)]

    def curves(self, axes: Axes, *, but: str = "") -> list[Tried]:
        """Fit the S-curves of a score with enough runs; `but` names one that is not wanted."""
        if not self.score or self.recipe.limits:
            return []
        laws = score_laws(axes.inputs[0], of_loss=axes.of_loss)
        bounded = not axes.of_loss  # the law of a loss names its levels otherwise
        return [self.of(law, axes, bounded=bounded) for law in laws if law.name != but]

    def _with_ceiling(self, axes: Axes) -> Law | None:
        """Return the law of a score that levels off, where the metric is one; None if not.

        Scores between 0 and 1 have a limit that is known: what they lack of it is fitted.
        """
        fits = self.runs.metric.kind == "score" and not self.recipe.limits
        return get_law(CEILING) if fits and axes.values.size >= _FEWEST_FOR_CEILING else None

    def compared(self, axes: Axes, tries: list[Tried], *, prefer: str) -> Comparison:
        """Compare laws of one input, the bent one among them only where no other passes.

        Chosen beside others it costs more than it gives (see `forms.with_bent`); where they all
        fail it is often what they lack.

        Args:
            axes: What they are fitted to.
            tries: The laws, fitted.
            prefer: The law to choose while it is admissible.
        """
        comparison = compare(tries, prefer=prefer, falling=self.falling, score=self.score)
        known = any(t.law.name == BENT for t in tries)
        if comparison.passed or known or comparison.chosen is None:
            return comparison
        bent = self._bent(axes)
        if not can_be_used(bent):
            return comparison
        return compare([*tries, bent], prefer=prefer, falling=self.falling, score=self.score)

    def with_bent(self, axes: Axes, comparison: Comparison) -> Comparison:
        """Add the other forms beside a power law that was chosen, for its forecasts."""
        if comparison.chosen is None or comparison.chosen.law.name not in STRAIGHT_IN_LOGS:
            return comparison
        return with_bent(with_floor(comparison), self._bent(axes))

    def _bent(self, axes: Axes) -> Tried:
        with np.errstate(over="ignore", invalid="ignore"):  # where it does not settle it is no form
            return self.of(get_law(BENT), axes)
