"""`scaleplan fit --update`: logs of two rounds, whose columns may have different names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scaleplan.cli.values import Pairs
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scaleplan.cli.options import Reading
    from scaleplan.records import Fit
    from scaleplan.runs.table import Runs

Columns = dict[str, tuple[str, ...]]
_JOINT = "; "  # before what a column was filled up with, as `runs` writes it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """How the logs of two rounds are read.

    Args:
        old: The old logs: as they were fitted.
        new: The new ones: by the columns named for them, else by those of the fit, else by their
            own names.
        fitted: Columns of the fit, by role.
        instead: Columns named for the new logs, by role, where they are not those of the fit.
    """

    old: Reading
    new: Reading
    fitted: Columns = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)

    def both(self, new: Runs) -> Reading:
        """Return how both rounds are read together.

        Args:
            new: The new runs as they were read alone.

        Raises:
            UsageError: If they have a column of the fit beside the one named in its place.
        """
        there = {*new.extra, *new.labels, *(use.column for use in new.cleaning.columns)}
        further = dict(self.fitted)
        for role, named in self.instead.items():
            beside = [column for column in self.fitted.get(role, ()) if column in there]
            if beside:
                raise UsageError(
                    f"the new logs have {named}, named as {role}, and {beside[0]}, which is {role} "
                    "in the fit",
                    hint="Take one of the two out of the new logs, or fit all logs anew.",
                )
            further[role] = (*self.fitted.get(role, ()), named)
        further["value"] = (new.metric.column,)
        return replace(self.old, also=tuple(further.items()))


def names_for(fit: Fit, reading: Reading) -> tuple[Names, Names]:
    """Return how the logs of an old fit and of new runs are read, the likelier way first.

    The two differ in whether the kind of the metric was given: a fit does not say that.

    Args:
        fit: The old fit.
        reading: What the command line says of the new logs.

    Raises:
        UsageError: If a role is given two columns.
    """
    from scaleplan.cli.sources import columns_of
    from scaleplan.runs.metrics import describe
    from scaleplan.runs.roles import METRIC_ROLES, role_named

    fitted, instead, kept, metric_named = _columns(fit), {}, [], reading.metric is not None
    for name, column in (columns_of(reading) or {}).items():
        role = role_named(name) or name
        if role in METRIC_ROLES:
            metric_named = True
        elif column in fitted.get(role, ()):
            continue  # what the fit says already; the new logs may have it under its own name
        else:
            instead[role] = column
        kept.append((name, column))
    if reading.input_column is not None and reading.input_column not in fitted.get("input", ()):
        instead["input"] = reading.input_column
    found = []
    for kind_given in (False, True):
        kind = [Pairs(((fit.metric.kind, fit.metric.column),))] if kind_given else []
        metric = None if kind_given else fit.metric.column
        also = tuple(fitted.items())
        old = replace(reading, metric=metric, columns=kind, input_column=None, also=also)
        new = replace(
            reading, columns=[Pairs(tuple(kept)), *([] if metric_named else kind)],
            metric=reading.metric if metric_named else metric,
            input_column=instead.get("input"), also=also,
        )  # fmt: skip
        found.append(Names(old=old, new=new, fitted=fitted, instead=instead))
    first, second = found if describe(fit.metric.column) is not None else reversed(found)
    return first, second


def _columns(fit: Fit) -> Columns:
    """Return the columns that were given for the fit, by role."""
    from scaleplan.runs.roles import NUMBER_ROLES, TEXT_ROLES

    found: Columns = {}
    for use in fit.cleaning.columns if fit.cleaning is not None else ():
        column, _, filled = use.column.partition(_JOINT)
        if use.role not in {*NUMBER_ROLES, *TEXT_ROLES, "input"}:
            continue
        if use.how == "given" or use.role == "input" or filled:
            # Several columns, one for each file, stand with commas between.
            found[use.role] = tuple(dict.fromkeys((column, *column.split(", "))))
    return found
