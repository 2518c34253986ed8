"""What stands behind every note: `scaleplan explain ID`."""

from __future__ import annotations

import difflib
import re

from scaleplan.advice.explanations.checking import CHECKING
from scaleplan.advice.explanations.comparing import COMPARING
from scaleplan.advice.explanations.fitting import FITTING
from scaleplan.advice.explanations.forecasting import FORECASTING
from scaleplan.advice.explanations.grouping import GROUPING
from scaleplan.advice.explanations.layouts import LAYOUTS
from scaleplan.advice.explanations.planning import PLANNING
from scaleplan.advice.explanations.reading import READING
from scaleplan.advice.explanations.reshaping import RESHAPING
from scaleplan.advice.explanations.scores import SCORES
from scaleplan.advice.explanations.unlikely import UNLIKELY
from scaleplan.errors import UsageError
from scaleplan.records import Explanation

__all__ = ["EXPLANATIONS", "explanation"]

EXPLANATIONS: tuple[Explanation, ...] = (
    *READING, *RESHAPING, *GROUPING, *FITTING, *SCORES, *COMPARING, *FORECASTING, *PLANNING,
    *LAYOUTS, *UNLIKELY, *CHECKING,
)  # fmt: skip
# One rule speaks about every law that is rejected, under the law's own name.
_ANY_LAW = re.compile(r"[A-Z0-9_]+_REJECTED")


def explanation(id_: str) -> Explanation:
    """Return what stands behind a note.

    Args:
        id_: The id as notes print it, in any case, with or without brackets.

    Raises:
        UsageError: If there is no such note.
    """
    asked = id_.strip().strip("[]").upper().replace("-", "_")
    known = {one.id: one for one in EXPLANATIONS}
    if asked in known:
        return known[asked]
    if _ANY_LAW.fullmatch(asked):
        return known["LINEAR_REJECTED"]
    near = difflib.get_close_matches(asked, known, n=3, cutoff=0.5)
    raise UsageError(
        f"there is no note {asked}",
        hint=f"Did you mean {' or '.join(near)}?" if near
        else "`scaleplan explain` lists them all.",
    )  # fmt: skip
