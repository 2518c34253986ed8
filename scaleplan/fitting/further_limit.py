"""What an S-curve may come to: how far on its limit may lie, by the runs that were fitted.

Where the runs have hardly bent, the best limit is often close above them, and the delta method
takes it for known. The profile of the limit has no such centre: it ends where the runs contradict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.interval import FURTHER_LEVEL, S_CURVES
from scaleplan.fitting.profile import profile_end

if TYPE_CHECKING:
    from scaleplan.fitting.fitted import Fitted


def further_limit(fitted: Fitted) -> tuple[float, ...]:
    """Return the parameters of an S-curve whose limit lies as far on as the runs allow.

    Args:
        fitted: A fit of any law.

    Returns:
        One value a parameter; empty for other laws, for a limit that is held or lies at the end of
        its range, and where the runs give no scale for a profile.
    """
    symbols = [spec.symbol for spec in fitted.law.parameters]
    name = S_CURVES.get(fitted.law.name)
    if name is None or fitted.fixed[symbols.index(name)]:
        return ()
    k = symbols.index(name)
    # An error in the limit is the better the lower, a gain the larger, whichever its sign.
    down = fitted.law.parameters[k].is_floor or bool(fitted.theta[k] < 0.0)
    found = profile_end(fitted, k, level=FURTHER_LEVEL, down=down)
    if found is None or not np.isfinite(found).all():
        return ()
    return tuple(float(value) for value in found)
