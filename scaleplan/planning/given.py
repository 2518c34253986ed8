"""A number of the plan as its assumptions state it: the user's own, or the default."""

from __future__ import annotations

from collections.abc import Iterable

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


def given_in(assumptions: Iterable[Assumption], name: str) -> float | None:
    """Return the value of an assumption that is the user's own, None if it is not.

    Args:
        assumptions: Those of a plan.
        name: The name of the assumption.
    """
    for one in assumptions:
        if one.name == name and one.source == "given" and not isinstance(one.value, str):
            return one.value
    return None
