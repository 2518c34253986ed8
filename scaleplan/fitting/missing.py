"""What a design lacks for a law, as advice on what to train next: runs, sizes, tokens or ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import FloatArray

COLLINEAR = 0.995  # correlation of logs beyond which two exponents cannot be told apart
RATIOS = "at other ratios of tokens to parameters"
BUDGETS = "at other budgets"
_NOUNS = {
    "params": "model size", "active_params": "model size", "tokens": "number of tokens",
    "flops": "budget",
}  # fmt: skip
_NTH = ("a first", "a second", "a third")
# Below so many decades of an input, or of its ratio, more of them helps most; three values of an
# input give its exponent and the floor nothing to be checked with.
_NARROW, _FEW_VALUES = 1.0, 3


def to_train(
    roles: Sequence[str], names: Sequence[str], inputs: FloatArray, *, runs: int, values: int
) -> str:
    """Return which runs a design lacks for a law; empty if it lacks none.

    Args:
        roles: What each input is.
        names: The column behind each.
        inputs: Shape (inputs, n), positive where there are two.
        runs: The fewest runs that the law takes.
        values: The fewest values of each input.
    """
    lacking = max(0, runs - inputs.shape[1])
    counts = [np.unique(column).size for column in inputs]
    parts = [
        f"of {' and '.join(_NTH[count:values])} {_NOUNS.get(role, f'value of {name}')}"
        for role, name, count in zip(roles, names, counts, strict=True) if count < values
    ]  # fmt: skip
    if len(inputs) == 2 and min(counts) > 1:
        together = correlation(inputs)
        if abs(together) > COLLINEAR:
            parts.append(RATIOS if together > 0.0 else BUDGETS)
    what = " and ".join(parts)
    if not lacking:
        return f"Train runs {what}." if what else ""
    more = f"Train at least {lacking} more run{'s' if lacking > 1 else ''}"
    return (
        f"{more}, some of them {what}." if what and lacking > 1 else f"{more} {what}".strip() + "."
    )


def correlation(inputs: FloatArray) -> float:
    """Return the correlation of the logarithms of two inputs, shape (2, n), each of which varies.

    Args:
        inputs: Positive.
    """
    return float(np.corrcoef(np.log(inputs))[0, 1])


def to_sharpen(params: FloatArray, tokens: FloatArray) -> str:
    """Return where to train so that the split of compute is known better.

    Args:
        params: Shape (n,), positive.
        tokens: Shape (n,), positive.
    """
    parts = [RATIOS] if _decades(tokens / params) < _NARROW else []
    for noun, column in (("model size", params), ("number of tokens", tokens)):
        if _decades(column) < _NARROW:
            parts.append(f"over a wider range of the {noun}")
        elif np.unique(column).size <= _FEW_VALUES:
            parts.append(f"at a fourth {noun}")
    return " and ".join(parts or ["at both ends of the ratios of tokens to parameters"])


def _decades(column: FloatArray) -> float:
    return float(np.log10(column.max() / column.min()))
