"""What a training curve says: rules over one run's series of validation and training metric."""

from __future__ import annotations

from scaleplan.advice.curves.checking import check_curves
from scaleplan.advice.curves.verdict import judge

__all__ = ["check_curves", "judge"]
