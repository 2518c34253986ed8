"""What the columns of proposed runs are called, so that they are read beside the old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.runs.factors import factor

if TYPE_CHECKING:
    from scaleplan.records import Fit

_ROLES = ("run", "params", "tokens", "flops", "batch_tokens", "learning_rate")


def own_columns(fit: Fit) -> tuple[tuple[str, str], ...]:
    """Return (role, column) as the logs of a fit call them.

    A column whose name scales its numbers, such as `params (M)`, is left out, and so is one that
    was derived or has another name in each file: the name of the role says the same, and counts
    single ones.

    Args:
        fit: A fit of runs; a published law has no columns.
    """
    uses = {} if fit.cleaning is None else {use.role: use for use in fit.cleaning.columns}
    return tuple(
        (role, uses[role].column) for role in _ROLES
        if role in uses and uses[role].how != "derived" and ", " not in uses[role].column
        and factor(role, uses[role].column) == 1.0
    )  # fmt: skip
