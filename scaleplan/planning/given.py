"""A number of the plan as its assumptions state it: the user's own, or the default."""

from __future__ import annotations

from scaleplan.catalog import planning_default
from scaleplan.records import Assumption


def given_or_default(identifier: str, value: float | None) -> Assumption:
    """Return a default of data/planning.yaml as an assumption, with the user's value if he has one.

    Args:
        identifier: Its id there.
        value: The user's value, None for the default.
    """
    default = planning_default(identifier)
    if value is None:
        return default.assumption()
    return Assumption(name=default.name, value=value, unit=default.unit, source="given")
