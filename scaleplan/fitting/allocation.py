"""Whether the runs tell how to split compute between parameters and tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.diagnostics import worst_exponent
from scaleplan.fitting.missing import to_sharpen
from scaleplan.fitting.optimum import log_size_error
from scaleplan.laws import HasOptimum
from scaleplan.records import Note

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted

# Thresholds of the column-scaled Jacobian's condition number and of relative standard errors for
# the five-parameter law, from 80 simulated designs at 0.5% noise (own calculation, 2026): above
# 500 the median error of log10 N* is 0.76.
_CONDITION_NOTE, _CONDITION_WARN, _CONDITION_REFUSE = 60.0, 100.0, 500.0
_RELATIVE_NOTE, _RELATIVE_WARN, _RELATIVE_REFUSE = 0.1, 0.2, 0.5
# Other forms have larger condition numbers by nature; for them the thresholds are carried over to
# the error of log10 N* that they stood for in the same simulation.
_TARGET_FACTOR = 100.0
_DECADES_NOTE, _DECADES_WARN, _DECADES_REFUSE = 0.12, 0.3, 0.75
_AT_THE_END = 1e-6  # relative distance within which an exponent is at the end of its range


def allocation_note(fitted: Fitted) -> Note | None:
    """Return the note that refuses or qualifies the compute-optimal split, if one is due.

    Args:
        fitted: A fit of a law of params and tokens.
    """
    beyond = _exponents_beyond(fitted)
    if beyond:
        return _allocation_note(
            fitted,
            f"fitted {' and '.join(beyond)}: no published law has such exponents, and the split "
            "follows from them", (), refuse=True, warn=True, note=True,
        )  # fmt: skip
    if fitted.law.name == "chinchilla":
        return _note_of_the_additive_law(fitted)
    law, error = fitted.law, None
    if isinstance(law, HasOptimum):
        largest = float(np.prod(fitted.inputs[:2], axis=0).max())
        error = log_size_error(fitted.record(), law, _TARGET_FACTOR * largest, 1.0)
    if error is None:
        return None
    decades = error / math.log(10.0)
    return _allocation_note(
        fitted,
        f"standard error of log10 N* at {_TARGET_FACTOR:.0f} times the largest run: {decades:.2f}",
        (("condition", fitted.condition), ("log10_size_error", decades)),
        refuse=decades > _DECADES_REFUSE, warn=decades > _DECADES_WARN,
        note=decades > _DECADES_NOTE,
    )  # fmt: skip


def _exponents_beyond(fitted: Fitted) -> list[str]:
    """Return the free exponents of the split that are at or beyond an end of the law's range.

    The solver of sums of powers knows no ends, and the others stop at them: neither is an exponent
    to plan with.
    """
    law = fitted.law
    if not isinstance(law, HasOptimum):
        return []
    theta = fitted.theta.tolist()
    split = law.balance(theta)[1::2]
    return [
        f"{spec.symbol} = {value:.3g}"
        for spec, value, held in zip(law.parameters, theta, fitted.fixed.tolist(), strict=True)
        if not (spec.unit or held) and value in split
        and not spec.low < value < spec.high * (1.0 - _AT_THE_END)
    ]  # fmt: skip


def _note_of_the_additive_law(fitted: Fitted) -> Note | None:
    if fitted.covariance is None:
        return None
    relative, _ = worst_exponent(fitted)
    if relative is None:
        return None
    return _allocation_note(
        fitted,
        f"condition number {fitted.condition:.0f}, largest relative standard error of an exponent "
        f"{relative:.2f}",
        (("condition", fitted.condition), ("relative_standard_error", relative)),
        refuse=fitted.condition > _CONDITION_REFUSE or relative > _RELATIVE_REFUSE,
        warn=fitted.condition > _CONDITION_WARN or relative > _RELATIVE_WARN,
        note=fitted.condition > _CONDITION_NOTE or relative > _RELATIVE_NOTE,
    )  # fmt: skip


def _allocation_note(
    fitted: Fitted,
    facts: str,
    numbers: tuple[tuple[str, float], ...],
    *,
    refuse: bool,
    warn: bool,
    note: bool,
) -> Note | None:
    where = to_sharpen(*fitted.inputs[:2])
    if refuse:
        return Note(
            id="ALLOCATION_REFUSED", severity="error",
            text=f"These runs do not tell how to split compute between parameters and tokens "
            f"({facts}); no optimal size is given.",
            action=f"Train runs {where}: the spread of D/N, not "
            "the range of compute, identifies the split. The loss along the sampled ratios can "
            "still be forecast (--law power_floor --input flops).",
            numbers=numbers, source="own simulation of 80 designs, 2026",
        )  # fmt: skip
    if warn:
        return Note(
            id="ALLOCATION_WEAK", severity="warning",
            text=f"The split between parameters and tokens is known within a factor of about 2 "
            f"only ({facts}).",
            action=f"Add runs {where} before acting on N*.",
            numbers=numbers, source="own simulation of 80 designs, 2026",
        )  # fmt: skip
    if note:
        return Note(
            id="ALLOCATION_FAIR", severity="info",
            text="The split between parameters and tokens is known only moderately well "
            f"({facts}).",
            action=f"Runs {where} would sharpen it.",
            numbers=numbers, source="own simulation of 80 designs, 2026",
        )  # fmt: skip
    return None
