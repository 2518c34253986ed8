"""The power laws through the best settings of a grid, and what can be said of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.distributions import t_quantile
from scaleplan.records import Exponent, Note, TunedGroup, TuningLaw
from scaleplan.units import format_number_of, format_significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scaleplan.laws.base import FloatArray

RATE, BATCH = "learning_rate", "batch"
SYMBOLS = {"params": "N", "tokens": "D", "flops": "C"}
_NAMES = {
    ("params", "tokens"): "sizes and tokens", ("flops",): "budgets", ("params",): "sizes",
    ("tokens",): "tokens", (): "sizes",
}  # fmt: skip
_COLLINEAR = 0.995  # correlation of ln N and ln D beyond which their exponents are not told apart
_SPREAD = 0.2  # decades; over less an exponent says nothing


def _columns(groups: Sequence[TunedGroup]) -> dict[str, FloatArray]:
    """Return the logarithms of the sizes of groups, by role."""
    found = {}
    for role in SYMBOLS:
        sizes = [getattr(group, role) for group in groups]
        if groups and None not in sizes:
            found[role] = np.log(np.asarray(sizes, dtype=np.float64))
    return found


def law_of(
    setting: str, groups: list[TunedGroup], target: Mapping[str, float] | None, level: float
) -> TuningLaw:
    """Fit setting = c N^a D^b (or c C^a) to the minima, with the exponents that they can tell.

    Args:
        setting: `learning_rate` or `batch`.
        groups: The minima.
        target: By role what to predict the setting for.
        level: Level of the intervals.
    """
    known = [g for g in groups if (g.learning_rate if setting == RATE else g.batch) is not None]
    y = np.log([(g.learning_rate if setting == RATE else g.batch) or 1.0 for g in known])
    columns = _columns(known)
    use, reason = _exponents(columns)
    matrix = np.stack([np.ones(len(known)), *(columns[role] for role in use)], axis=1)
    centred = matrix - np.concatenate([[0.0], matrix[:, 1:].mean(axis=0)]) if use else matrix
    fitted = np.linalg.lstsq(centred, y, rcond=None)[0]
    residuals = y - centred @ fitted
    spare = len(known) - 1 - len(use)
    covariance = None
    if spare > 0:
        covariance = np.linalg.inv(centred.T @ centred) * float(residuals @ residuals) / spare
    exponents = {
        role: _with_interval(float(fitted[k]), _error(covariance, k), spare, level)
        for k, role in enumerate(use, start=1)
    }
    shift = float(matrix[:, 1:].mean(axis=0) @ fitted[1:]) if use else 0.0
    coefficient = math.exp(float(fitted[0]) - shift)
    prediction = None
    if target:
        row = np.array(
            [1.0, *(math.log(target[role]) - float(columns[role].mean()) for role in use)]
        )
        error = None
        if covariance is not None:
            error = math.sqrt(float(row @ covariance @ row))
        at = _with_interval(float(row @ fitted), error, spare, level)
        prediction = Exponent(
            value=math.exp(at.value), low=None if at.low is None else math.exp(max(at.low, -700.0)),
            high=None if at.high is None else math.exp(min(at.high, 700.0)),
        )  # fmt: skip
    name = {RATE: "lr", BATCH: "B"}[setting]
    powers = "".join(
        f" {SYMBOLS[one]}^{format_significant(exponents[one].value, 3)}" for one in use
    )
    return TuningLaw(
        setting=setting, formula=f"{name} = {format_significant(coefficient, 4)}{powers}",
        coefficient=coefficient, params=exponents.get("params"), tokens=exponents.get("tokens"),
        flops=exponents.get("flops"),
        groups=len(known), rms_log=float(np.sqrt(np.mean(residuals**2))) if known else 0.0,
        reason=reason, prediction=prediction,
    )  # fmt: skip


def _exponents(columns: Mapping[str, FloatArray]) -> tuple[list[str], str]:
    """Return of which sizes the minima can tell the exponents, and why.

    Args:
        columns: Logarithms of the sizes by role, each of shape (n,).
    """
    spread = {
        role: float(np.ptp(values)) / math.log(10.0) if values.size else 0.0
        for role, values in columns.items()
    }
    use = [role for role, decades in spread.items() if decades >= _SPREAD]
    count = next((values.size for values in columns.values()), 0)
    if len(use) == 2:
        together = abs(float(np.corrcoef(columns["params"], columns["tokens"])[0, 1]))
        if together > _COLLINEAR:
            return ["tokens"], (
                f"N and D rise together (correlation {together:.3f}): one exponent stands for both"
            )
        if count < 4:
            return ["tokens"], f"{count} minima are too few for two exponents: D alone"
    elif not use or count < 3:
        return [], f"{_NAMES[tuple(columns)]} hardly vary: the geometric mean of the minima"
    elif len(spread) == 2:
        return use, f"only {SYMBOLS[use[0]]} varies enough"
    ranges = " and ".join(f"{spread[role]:.1f} of {SYMBOLS[role]}" for role in use)
    first, _, rest = ranges.partition(" ")
    return use, f"{count} minima over {first} decades {rest}"


def _error(covariance: FloatArray | None, k: int) -> float | None:
    return None if covariance is None else math.sqrt(max(0.0, float(covariance[k, k])))


def _with_interval(value: float, error: float | None, spare: int, level: float) -> Exponent:
    if error is None or spare < 1:
        return Exponent(value=value, low=None, high=None)
    reach = t_quantile(0.5 + 0.5 * level, float(spare)) * error
    return Exponent(value=value, low=value - reach, high=value + reach)


def _sizes(group: TunedGroup) -> str:
    """Return for example `1e+08 params and 2e+09 tokens`."""
    sizes = {role: getattr(group, role) for role in SYMBOLS}
    return " and ".join(f"{v:.3g} {role}" for role, v in sizes.items() if v is not None)


def law_notes(groups: list[TunedGroup], laws: list[TuningLaw]) -> list[Note]:
    """Return what there is to say of groups that were left out and exponents that stay unknown.

    Args:
        groups: All groups of the grid.
        laws: The laws through those that can be used.
    """
    found = []
    flagged = [group for group in groups if group.flag]
    if flagged:
        found.append(
            Note(
                id="MINIMA_EXCLUDED", severity="warning",
                text=f"{len(flagged)} of {format_number_of(len(groups), 'group')} "
                f"{'is' if len(flagged) == 1 else 'are'} left out of the laws; the first, "
                f"{_sizes(flagged[0])}: {flagged[0].flag}.",
                action="Extend the grid there, to both sides of the best setting.",
                numbers=(("excluded", float(len(flagged))), ("groups", float(len(groups)))),
            )
        )  # fmt: skip
    for law in laws:
        for name, exponent in (("N", law.params), ("D", law.tokens), ("C", law.flops)):
            if exponent is None or exponent.low is None or exponent.high is None:
                continue
            if exponent.low <= 0.0 <= exponent.high:
                found.append(
                    Note(
                        id="EXPONENT_NOT_FOUND", severity="info",
                        text=f"The exponent of {name} in the law of the {law.setting} is not told "
                        f"from 0: {exponent.value:.2f}, between {exponent.low:.2f} and "
                        f"{exponent.high:.2f}.",
                    )
                )  # fmt: skip
    return found


def leverage_notes(groups: list[TunedGroup], laws: list[TuningLaw], level: float) -> list[Note]:
    """Name the group that alone decides an exponent, if there is one.

    Args:
        groups: The groups behind the laws.
        laws: The laws.
        level: Level of the intervals.
    """
    found = []
    for law in laws:
        for part, name in SYMBOLS.items():
            whole: Exponent | None = getattr(law, part)
            if whole is None or whole.low is None or whole.high is None:
                continue
            moves = []
            for at in range(len(groups)):
                rest = law_of(law.setting, groups[:at] + groups[at + 1 :], None, level)
                without: Exponent | None = getattr(rest, part)
                moves.append(0.0 if without is None else without.value - whole.value)
            most = int(np.argmax(np.abs(moves)))
            if abs(moves[most]) <= 0.5 * (whole.high - whole.low):
                continue
            group = groups[most]
            found.append(
                Note(
                    id="GROUP_DECIDES", severity="warning",
                    text=f"Without the group of {_sizes(group)} the exponent of {name} in the law "
                    f"of the {law.setting} is {whole.value + moves[most]:.2f}, not "
                    f"{whole.value:.2f}.",
                    action="Check that group.",
                    numbers=tuple(
                        (role, size) for role in SYMBOLS
                        if (size := getattr(group, role)) is not None
                    ),
                )
            )  # fmt: skip
    return found
