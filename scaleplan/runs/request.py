"""What a person asked of the columns of a log."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scaleplan.errors import UsageError
from scaleplan.runs.metrics import KIND_WORDS
from scaleplan.runs.numbers import read_number
from scaleplan.runs.roles import (
    GIVEN_ROLES,
    INPUT_ROLES,
    METRIC_ROLES,
    NUMBER_ROLES,
    TEXT_ROLES,
    role_named,
    text_role,
)
from scaleplan.runs.text import fold, listed, near, shown

# From the path of a model's config.json: all parameters, the active ones, and a remark.
CountConfig = Callable[[str], tuple[int, int, str]]


_SIZES = ("params", "active_params", "tokens", "unique_tokens", "flops")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Args:
        roles: Columns by role.
        metric: The metric's column.
        kind: Its kind.
        input_column: The single input.
        pattern: A regular expression that lines of printed logs are read by.
        given: (run or empty for all, column, text) that the log does not say.
        growing: Whether logs are still written, so that a last line without an end is half a line.
        count_config: Counts the parameters of a model's `config.json` beside a log.
        also: Further columns by role, for files that lack the ones before them.
        curves: Whether curves are asked for, not runs.
    """

    roles: Mapping[str, str]
    metric: str | None
    kind: str | None
    input_column: str | None
    pattern: str | None = None
    given: tuple[tuple[str, str, str], ...] = ()
    growing: bool = False
    count_config: CountConfig | None = None
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    curves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person says about logs beside their columns.

    Args:
        pattern: A regular expression whose named groups are the columns of a printed log.
        values: (run, or empty for all, column or role, text) that the log does not say.
        count_config: Counts the parameters of a model's `config.json` beside a log.
        also: Further columns by role, such as those of an earlier fit: each is taken in the files
            that have it and none before it, and none has to be there.
    """

    pattern: str | None = None
    values: tuple[tuple[str, str, str], ...] = ()
    count_config: CountConfig | None = None
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _require_different(roles: Mapping[str, str]) -> None:
    """Refuse one column for two sizes: a law of both would be a law of its square."""
    named = {role: fold(roles[role]) for role in _SIZES if role in roles}
    for role, column in named.items():
        other = next((one for one in named if one != role and named[one] == column), None)
        if other is not None:
            raise UsageError(
                f"--columns gives {shown(roles[role])} for both {role} and {other}",
                hint="Give each a column of its own, or leave one of them out.",
            )


def read_request(
    columns: Mapping[str, str] | None,
    metric: str | None,
    input_column: str | None,
    given: Given | None = None,
) -> Request:
    """Check the names of roles that a person gave.

    Raises:
        UsageError: If a role is not known, two options name different metrics, or a value that was
            given for a role of numbers is none.
    """
    given = given or Given()
    roles: dict[str, str] = {}
    kind = None
    for name, column in (columns or {}).items():
        role = role_named(name)
        if role is None:
            known = (*NUMBER_ROLES, *TEXT_ROLES, *METRIC_ROLES, *GIVEN_ROLES)
            alike = near(name, known)
            raise UsageError(
                f"{shown(name)} is not a role of a column; allowed are {listed(known, len(known))}",
                hint=f"Did you mean {' or '.join(alike)}?" if alike else "Give ROLE=COLUMN.",
            )
        if role not in METRIC_ROLES:
            roles[role] = column
            continue
        if metric is not None and fold(metric) not in {fold(column), fold(role)}:
            raise UsageError(
                f"--columns names {shown(column)} as the metric and --metric {shown(metric)}",
                hint="Give one of them.",
            )
        metric, kind = column, role if role in KIND_WORDS else None
    _require_different(roles)
    for run, name, text in given.values:
        _require_number(run, name, text)
    return Request(
        roles, metric, kind, input_column or roles.pop("input", None), given.pattern,
        given.values, count_config=given.count_config, also=given.also,
    )  # fmt: skip


def _require_number(run: str, name: str, text: str) -> None:
    """Refuse a value that was given for a role of numbers and is none."""
    role = role_named(name)
    if role not in NUMBER_ROLES:
        return
    number = read_number(text)
    if math.isnan(number) or (role in INPUT_ROLES and not 0.0 < number < math.inf):
        of = f"{shown(name)} of {shown(run)}" if run else shown(name)
        above = " above 0" if role in INPUT_ROLES else ""
        raise UsageError(
            f"{shown(text)} was given for {of}, which must be a number{above}",
            hint="Write it as 124M, 1.5B or 3e9.",
        )


def keeps_text(request: Request, column: str) -> bool:
    """Tell whether the cells of a column are text even where they look like numbers."""
    named = [role for role, name in request.roles.items() if name == column]
    named += [role for role, names in request.also.items() if column in names]
    if named:
        return any(role in TEXT_ROLES for role in named)
    if column in {request.metric, request.input_column}:
        return False
    return text_role(column) is not None
