"""Fits of things that are no tokens: images, interactions, examples of a recommender.

6 x params x tokens counts the products of a dense transformer with each token. What an image or an
interaction costs is another matter (lookups in a table cost no product at all), so that the compute
of such a fit is known only where its log gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.errors import FitError, PlanError

if TYPE_CHECKING:
    from scaleplan.records import ColumnUse, Fit


def samples_of(fit: Fit, role: str = "tokens") -> str:
    """Return the column of what a fit counts in the place of tokens, empty where it counts them.

    Args:
        fit: The fit.
        role: `tokens`, or `unique_tokens` for different ones.
    """
    use = _uses(fit).get(role)
    if use is None or use.how == "derived" or "token" in use.column.lower():
        return ""
    # Here, because a plan by a published law or of tokens starts without reading names of columns.
    from scaleplan.runs.roles import SAMPLE_NAMES, spellings

    return use.column if any(name in SAMPLE_NAMES for name in spellings(use.column)) else ""


def knows_compute(fit: Fit) -> bool:
    """Tell whether training compute follows from params and tokens: not from samples alone."""
    flops = _uses(fit).get("flops")
    return not samples_of(fit) or (flops is not None and flops.how != "derived")


def check_compute(fit: Fit) -> None:
    """Refuse to say what compute buys where nobody knows what the runs took.

    Raises:
        FitError: If the fit counts samples and its log gives no FLOP.
    """
    if knows_compute(fit):
        return
    samples = samples_of(fit)
    raise FitError(
        f"{samples} are no tokens: 6 x params x {samples} is not what training on them takes, and "
        "the log of the fit gives no FLOP",
        hint="Log the FLOP of each run in a column flops and fit again; scaleplan predict takes "
        "--params and --tokens without them.",
    )


def check_plan(fit: Fit) -> None:
    """Refuse to plan a model of samples as a transformer of tokens.

    Raises:
        PlanError: If the fit counts samples.
    """
    samples = samples_of(fit)
    if samples:
        raise PlanError(
            f"{fit.name} counts {samples}, not tokens: a plan of 6 x params x tokens on a "
            "transformer's layout says nothing about it",
            hint="scaleplan predict gives its forecast; time, memory and cost are planned by "
            "examples: scaleplan budget --family recommender (or vit, cnn, other) --examples "
            "NUMBER.",
        )


def _uses(fit: Fit) -> dict[str, ColumnUse]:
    return {} if fit.cleaning is None else {use.role: use for use in fit.cleaning.columns}
