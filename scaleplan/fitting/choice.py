"""Which law is fitted to which columns: the one asked for, or the one that the runs can carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, UsageError
from scaleplan.fitting.axes import Axes, axes_for, single_roles
from scaleplan.fitting.effect import Refusal
from scaleplan.fitting.form_tests import plain_reason
from scaleplan.fitting.forms import ADDITIVE, COUPLED, choose_form
from scaleplan.fitting.identifiability import check_design
from scaleplan.fitting.remarks import fallback_note, held_note
from scaleplan.fitting.scores import NAMES, compute_note, proven
from scaleplan.fitting.selection import Comparison, Tried, compare, one_input_laws
from scaleplan.fitting.settings import kinds_of
from scaleplan.fitting.trials import Trials
from scaleplan.fitting.turning import refusal_of_turn
from scaleplan.laws import ComputeFactors, Law, OptimizerFactors, get_law
from scaleplan.records import Candidate, Note

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaleplan.fitting.recipe import Recipe
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

PRODUCT = "power_product"
_ASKED = "asked for"


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The law to use and what it was compared with.

    Args:
        tried: The law, fitted and back-tested.
        axes: The columns it is fitted to.
        comparison: All laws looked at, with their verdicts.
        notes: What there is to say about the choice.
        refused: Why no law of params and tokens was fitted, where one of one input stands for it.
    """

    tried: Tried
    axes: Axes
    comparison: Comparison
    notes: tuple[Note, ...] = ()
    refused: Refusal | None = None

    @property
    def together(self) -> tuple[Tried, ...]:
        """Return the laws that forecast together, the main one first.

        They are admissible, fitted to the same numbers and of the same kind: a straight line far
        from the data leaves the metric's range and would say nothing beside a power law, and next
        to an accuracy the laws of its error mean something else.
        """
        main = self.tried
        if main.fitted is None:  # pragma: no cover - a choice is fitted
            raise TypeError(main.law.name)
        kind, values = main.fitted.residual, main.fitted.values
        others = [
            t for t in self.comparison.admissible
            if t.fitted is not None and t.law.name != main.law.name
            and t.fitted.residual == kind and t.law.inputs == main.law.inputs
            and np.array_equal(t.fitted.values, values)
        ]  # fmt: skip
        return (main, *others)


def choose(
    runs: Runs, name: str, recipe: Recipe,
    *, alone: bool = False, on_law: Callable[[str], None] | None = None,
) -> Choice:  # fmt: skip
    """Return the law to use: the one of that name, or for `auto` the one the runs can carry.

    Args:
        runs: Cleaned runs.
        name: The law's name, or `auto`.
        recipe: What is minimised, and which parameters are held.
        alone: Whether a law that is asked for is compared with no other.
        on_law: Called with the name of each law before it is fitted.

    Raises:
        FitError: If the runs cannot carry the law, or none.
        InputError: If a column that the law needs is missing.
        UsageError: If there is no such law, or it has no parameter that the recipe limits.
    """
    trials = Trials(runs, recipe, on_law)
    if name != "auto":
        return _asked_for(trials, _law_of(runs, name), alone=alone)
    if recipe.limits:
        message = "parameters can be fixed or bounded only for a law that is asked for"
        raise UsageError(message, hint="Add --law NAME, for example --law chinchilla.")
    both = get_law(ADDITIVE)
    refused, held = None, []
    falling = trials.falling  # the law of two inputs has a floor
    if falling and not runs.has("input") and runs.has("params") and runs.has("tokens"):
        axes = axes_for(runs, both)
        tried = trials.of(both, axes)
        if tried.fitted is not None:
            one = _single_axes(runs, axes)
            others = [trials.of(law, one) for law in one_input_laws()]
            second = trials.of(get_law(COUPLED), axes)
            return _of_two_inputs(trials, axes, [tried, second, *others])
        design = check_design(both, axes.columns, axes.inputs)
        refused = design or Refusal(tried.refusal, tried.remedy)
        held = [c for c, column in zip(axes.columns, axes.inputs, strict=True) if _one(column)]
    product = _product(trials) if runs.metric.kind == "score" else None
    if product is not None:
        return product
    axes, comparison = _best_single(trials)
    if comparison.chosen is None:
        design = check_design(get_law("linear"), axes.columns, axes.inputs)
        if design is not None:
            raise design.error()
        # Of laws that were all refused the power law has the fewest parameters and can bend: what
        # speaks against it speaks against all.
        reasons = {c.law: c.reason for c in comparison.candidates}
        single = Refusal(
            f"no law can be fitted to these runs: {reasons['power']}",
            "See `scaleplan laws`, or choose the columns with --columns and --input.",
        )
        single = refusal_of_turn(runs, axes, single)
        whole = single if refused is None or held else refused.beside(single, axes.columns[0])
        raise whole.apart(kinds_of(runs)).error()
    notes: tuple[Note, ...] = ()
    if held:
        notes = (held_note(runs, held[0], axes),) if held[0] not in axes.columns else ()
    elif refused is not None:
        notes = (fallback_note(refused, axes),)
    instead = refused if notes and not held else None
    if comparison.chosen.law.residual == "raw":
        axes = axes_for(runs, comparison.chosen.law, axes.roles[0])
        return Choice(trials.of(comparison.chosen.law, axes), axes, comparison, notes, instead)
    return Choice(comparison.chosen, axes, comparison, notes, instead)


def _product(trials: Trials) -> Choice | None:
    """Choose the product of powers for a score without a limit; None where it does not hold."""
    runs, law = trials.runs, get_law(PRODUCT)
    if runs.has("input") or not (runs.has("params") and runs.has("tokens")):
        return None
    axes = axes_for(runs, law)
    tried = trials.of(law, axes)
    if tried.fitted is None:
        return None
    others = trials.singles(_single_axes(runs, axes))
    comparison = compare([tried, *others], prefer=PRODUCT, falling=False)
    return Choice(tried, axes, comparison) if comparison.chosen is tried else None


def _single_axes(runs: Runs, axes: Axes) -> Axes:
    """Return what the laws of one input are fitted to beside those of two: what they take alone.

    Criteria compare laws on the same runs only: where some have none of that, they take params.
    """
    law = get_law("power_floor")
    one = axes_for(runs, law, single_roles(runs)[0]).within(axes.rows)
    return (
        one if one.rows.size == axes.rows.size else axes_for(runs, law, "params").within(axes.rows)
    )


def _one(column: FloatArray) -> bool:
    return np.unique(column).size == 1


def _of_two_inputs(trials: Trials, axes: Axes, tries: list[Tried]) -> Choice:
    """Choose between the two forms, fitted first and second, unless the runs reject both.

    A score that neither describes may still be an S-curve of compute.
    """
    forms = choose_form(tries[0], tries[1])
    prefer = forms.main.law.name
    if trials.score and trials.runs.has("flops"):
        compute = axes_for(trials.runs, get_law("power"), "flops").within(axes.rows)
        if compute.rows.size == axes.rows.size:
            curves = trials.curves(compute)
            comparison = compare([*tries[:2], *curves], prefer=prefer, falling=True, score=True)
            chosen = comparison.chosen
            if chosen is not None and chosen.law.name in NAMES and proven(chosen, tries[:2]):
                wide = compare([*tries, *curves], prefer=chosen.law.name, falling=True, score=True)
                wide = _as_used(wide, chosen.law.name, _ASKED)
                further = wide.candidates[2 : len(tries)]
                comparison = replace(comparison, candidates=(*comparison.candidates, *further))
                notes = (compute_note(comparison, compute, prefer),)
                return Choice(chosen, compute, comparison, notes)
    return Choice(forms.main, axes, forms.applied(compare(tries, prefer=prefer, falling=True)))


def _law_of(runs: Runs, name: str) -> Law:
    """Return the law of a name, with as many levels as these runs have."""
    law = get_law(name)
    if isinstance(law, OptimizerFactors | ComputeFactors) and runs.levels:
        if len(runs.levels) < 2:
            raise FitError(
                f"all runs have the same value, {runs.levels[0]}: the {name} law compares two or "
                "more",
                hint="Fit them with --law chinchilla, or name another column with --by.",
            )
        return type(law)(len(runs.levels))
    return law


def _best_single(trials: Trials) -> tuple[Axes, Comparison]:
    """Compare the laws of one input on the first column that can carry any of them."""
    tries = []
    for role in single_roles(trials.runs):
        axes = axes_for(trials.runs, get_law("power"), role)
        comparison = trials.compared(axes, trials.singles(axes), prefer="power_floor")
        if comparison.chosen is not None:
            return axes, trials.with_bent(axes, comparison)
        tries.append((axes, comparison))
    return tries[0]


def _asked_for(trials: Trials, law: Law, *, alone: bool) -> Choice:
    """Fit the law that was asked for, and test it against the others of its kind."""
    runs, recipe = trials.runs, trials.recipe
    recipe.check(law)
    axes = axes_for(runs, law)
    design = check_design(law, axes.columns, axes.inputs, held=sum(recipe.fixed(law)))
    if design is not None:
        raise design.error()
    tried = trials.of(law, axes)
    if tried.fitted is None:
        hint = "Use --law auto to compare the laws that these runs can carry."
        if recipe.limits:
            hint = "Change what --fix and --bound give, or leave them out."
        raise refusal_of_turn(runs, axes, Refusal(tried.refusal, hint)).error()
    if recipe.limits or alone:
        # The others have other parameters: a law with some held is compared with nothing.
        return Choice(
            tried,
            axes,
            _as_used(compare([tried], prefer=law.name, falling=trials.falling), law.name, _ASKED),
        )
    if law.name in {ADDITIVE, COUPLED}:
        other = trials.of(get_law(COUPLED if law.name == ADDITIVE else ADDITIVE), axes)
        both = (tried, other) if law.name == ADDITIVE else (other, tried)
        forms = choose_form(*both, asked=law.name)
        return Choice(
            tried,
            axes,
            forms.applied(compare([tried, other], prefer=law.name, falling=trials.falling)),
        )
    if law.inputs != ("x",) or not law.parameters:
        return Choice(
            tried,
            axes,
            _as_used(compare([tried], prefer=law.name, falling=trials.falling), law.name, _ASKED),
        )
    # Compare on one footing: straight lines are judged on the error when the metric is accuracy.
    common = axes_for(runs, get_law("power"), axes.roles[0])
    tries = trials.singles(common, law)
    comparison = trials.compared(common, tries, prefer=law.name)
    comparison = _as_used(comparison, law.name, _ASKED)
    if common.complement == axes.complement:
        comparison = trials.with_bent(common, comparison)
    return Choice(tried, axes, comparison)


def _as_used(comparison: Comparison, name: str, why: str) -> Comparison:
    """Mark the law that is used whatever the comparison says, keeping what speaks against it."""
    passed = {tried.law.name for tried in comparison.admissible}

    def marked(candidate: Candidate) -> Candidate:
        if candidate.law == name and name in passed:
            return replace(candidate, verdict="chosen", reason=why)
        if candidate.law == name:
            reason = plain_reason(candidate.reason)
            return replace(candidate, verdict="rejected", reason=f"{why}; but {reason}")
        if candidate.verdict == "chosen":
            return replace(candidate, verdict="admissible", reason="the data do not reject it")
        return replace(candidate, reason=plain_reason(candidate.reason))

    return replace(comparison, candidates=tuple(marked(c) for c in comparison.candidates))
