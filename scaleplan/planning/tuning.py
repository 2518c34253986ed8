"""Laws of the best learning rate and batch size from a grid of both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.errors import FitError, InputError
from scaleplan.fitting.distributions import t_quantile
from scaleplan.fitting.remarks import unused_note
from scaleplan.planning.tuning_minima import minimum_of
from scaleplan.records import Exponent, Note, TunedGroup, Tuning, TuningLaw
from scaleplan.runs.inputs import TIMING_WORDS
from scaleplan.runs.text import words
from scaleplan.units import format_significant

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

RATE, BATCH = "learning_rate", "batch"
_FEWEST_RUNS = 4  # of one size and tokens: a parabola and a run to spare
_COLLINEAR = 0.995  # correlation of ln N and ln D beyond which their exponents are not told apart
_SPREAD = 0.2  # decades; over less an exponent says nothing


def tune(
    runs: Runs,
    *,
    sequence_length: float | None = None,
    target: tuple[float, float] | None = None,
    level: float = 0.9,
) -> Tuning:
    """Find the best settings for each size and tokens, and the power laws through them.

    Args:
        runs: All runs of a grid, diverged ones too.
        sequence_length: Tokens per sequence, to turn batches of sequences into tokens.
        target: Params and tokens to predict the settings for.
        level: Level of the intervals.

    Raises:
        InputError: If the log has no learning rates, params or tokens.
        FitError: If no group of runs has a usable minimum.
    """
    for role in ("params", "tokens", RATE):
        if not runs.has(role):
            raise InputError(
                f"the log gives no {role.replace('_', ' ')}",
                hint=f"Name the column with --columns {role}=COLUMN.",
            )
    batch, unit = _batch(runs, sequence_length)
    falling = runs.metric.kind in {"loss", "error"}
    values = runs.value if falling else -runs.value
    groups = _groups(runs, values, batch, falling=falling)
    good = [group for group in groups if not group.flag]
    if not good:
        raise FitError(
            f"no group of runs has a minimum that can be used: {groups[0].flag}" if groups
            else f"no model size and number of tokens has {_FEWEST_RUNS} runs",
            hint="Extend the grid to both sides of the best setting, a factor of 4 at least.",
        )  # fmt: skip
    settings = (RATE,) if batch is None else (RATE, BATCH)
    laws = [_law(setting, good, target, level) for setting in settings]
    return Tuning(
        metric=runs.metric, batch_unit=unit, level=level, groups=tuple(groups),
        laws=tuple(laws), target=target, cleaning=runs.cleaning,
        notes=(*(n for n in runs.notes if n.id not in _NOT_HERE),
               *unused_note(runs, _timings(runs), action=_NAME_IT), *_notes(groups, laws),
               *_leverage(good, laws, level)),
        assumptions=runs.assumptions,
    )  # fmt: skip


# What a reader of grids says about fits of losses, and which a grid of settings is made for.
_NOT_HERE = {"BEST_OF_PROPOSED", "POSSIBLY_DIVERGED"}
_NAME_IT = "Name a setting among them with --columns batch_size=COLUMN or learning_rate=COLUMN."


def _timings(runs: Runs) -> tuple[str, ...]:
    """Return the columns of time that runs took, which is no setting."""
    return tuple(name for name in runs.extra if TIMING_WORDS & set(words(name)))


def _batch(runs: Runs, length: float | None) -> tuple[FloatArray | None, str]:
    """Return the batch of each run, and its unit; None if there is none or it does not vary."""
    if runs.has("batch_tokens"):
        values, unit = runs.column("batch_tokens"), "tokens"
    elif runs.has("batch_size"):
        values, unit = runs.column("batch_size"), "sequences"
        if length is not None:
            values, unit = values * length, "tokens"
    else:
        return None, ""
    known = values[np.isfinite(values) & (values > 0.0)]
    return (values, unit) if np.unique(known).size > 1 else (None, "")


def _groups(
    runs: Runs, values: FloatArray, batch: FloatArray | None, *, falling: bool
) -> list[TunedGroup]:
    """Return the minimum of each (params, tokens), smallest model first."""
    columns = [runs.column("params"), runs.column("tokens"), runs.column(RATE)]
    columns += [] if batch is None else [batch]
    stacked = np.stack([*columns, values])
    usable = np.isfinite(stacked).all(axis=0) & (stacked[:-1] > 0.0).all(axis=0)
    sizes = np.round(np.log(stacked[:2, usable]), 6).T
    found = []
    for size in np.unique(sizes, axis=0):
        rows = np.flatnonzero(usable)[(sizes == size).all(axis=1)]
        if rows.size < _FEWEST_RUNS:
            continue
        rate = minimum_of(np.log(runs.column(RATE)[rows]), values[rows], "learning rate")
        size_of_step = None
        if batch is not None and np.unique(batch[rows]).size > 1:
            size_of_step = minimum_of(np.log(batch[rows]), values[rows], "batch")
        best = float(values[rows].min())
        # At the edge of one setting the other is best for a setting that is not.
        flags = [one.flag for one in (rate, size_of_step) if one is not None and one.flag]
        found.append(
            TunedGroup(
                params=float(stacked[0, rows[0]]), tokens=float(stacked[1, rows[0]]),
                runs=int(rows.size), used=rate.used, best_value=best if falling else -best,
                learning_rate=None if rate.at is None else math.exp(rate.at),
                learning_rate_error=rate.error,
                batch=None if size_of_step is None or size_of_step.at is None
                else math.exp(size_of_step.at),
                batch_error=None if size_of_step is None else size_of_step.error,
                flag="; ".join(flags),
            )
        )  # fmt: skip
    return found


def _law(
    setting: str, groups: list[TunedGroup], target: tuple[float, float] | None, level: float
) -> TuningLaw:
    """Fit setting = c N^a D^b to the minima, with the exponents that they can tell."""
    known = [g for g in groups if (g.learning_rate if setting == RATE else g.batch) is not None]
    y = np.log([(g.learning_rate if setting == RATE else g.batch) or 1.0 for g in known])
    log_n = np.log([g.params for g in known])
    log_d = np.log([g.tokens for g in known])
    use, reason = _exponents(log_n, log_d)
    columns = {"N": log_n, "D": log_d}
    matrix = np.stack([np.ones(len(known)), *(columns[name] for name in use)], axis=1)
    centred = matrix - np.concatenate([[0.0], matrix[:, 1:].mean(axis=0)]) if use else matrix
    fitted = np.linalg.lstsq(centred, y, rcond=None)[0]
    residuals = y - centred @ fitted
    spare = len(known) - 1 - len(use)
    covariance = None
    if spare > 0:
        covariance = np.linalg.inv(centred.T @ centred) * float(residuals @ residuals) / spare
    exponents = {
        name: _with_interval(float(fitted[k]), _error(covariance, k), spare, level)
        for k, name in enumerate(use, start=1)
    }
    shift = float(matrix[:, 1:].mean(axis=0) @ fitted[1:]) if use else 0.0
    coefficient = math.exp(float(fitted[0]) - shift)
    prediction = None
    if target is not None:
        logs = {"N": math.log(target[0]), "D": math.log(target[1])}
        row = np.array([1.0, *(logs[name] - float(columns[name].mean()) for name in use)])
        error = None
        if covariance is not None:
            error = math.sqrt(float(row @ covariance @ row))
        at = _with_interval(float(row @ fitted), error, spare, level)
        prediction = Exponent(
            value=math.exp(at.value), low=None if at.low is None else math.exp(max(at.low, -700.0)),
            high=None if at.high is None else math.exp(min(at.high, 700.0)),
        )  # fmt: skip
    name = {RATE: "lr", BATCH: "B"}[setting]
    powers = "".join(f" {one}^{format_significant(exponents[one].value, 3)}" for one in use)
    return TuningLaw(
        setting=setting, formula=f"{name} = {format_significant(coefficient, 4)}{powers}",
        coefficient=coefficient, params=exponents.get("N"), tokens=exponents.get("D"),
        groups=len(known), rms_log=float(np.sqrt(np.mean(residuals**2))) if known else 0.0,
        reason=reason, prediction=prediction,
    )  # fmt: skip


def _exponents(log_n: FloatArray, log_d: FloatArray) -> tuple[list[str], str]:
    """Return which of N and D the minima can tell the exponents of, and why."""
    spread = {
        name: float(np.ptp(values)) / math.log(10.0) if values.size else 0.0
        for name, values in (("N", log_n), ("D", log_d))
    }
    use = [name for name, decades in spread.items() if decades >= _SPREAD]
    count = log_n.size
    if len(use) == 2:
        together = abs(float(np.corrcoef(log_n, log_d)[0, 1]))
        if together > _COLLINEAR:
            return ["D"], (
                f"N and D rise together (correlation {together:.3f}): one exponent stands for both"
            )
        if count < 4:
            return ["D"], f"{count} minima are too few for two exponents: D alone"
        return use, f"{count} minima over {spread['N']:.1f} decades of N and {spread['D']:.1f} of D"
    if use and count >= 3:
        return use, f"only {use[0]} varies enough"
    return [], "sizes and tokens hardly vary: the geometric mean of the minima"


def _error(covariance: FloatArray | None, k: int) -> float | None:
    return None if covariance is None else math.sqrt(max(0.0, float(covariance[k, k])))


def _with_interval(value: float, error: float | None, spare: int, level: float) -> Exponent:
    if error is None or spare < 1:
        return Exponent(value=value, low=None, high=None)
    reach = t_quantile(0.5 + 0.5 * level, float(spare)) * error
    return Exponent(value=value, low=value - reach, high=value + reach)


def _notes(groups: list[TunedGroup], laws: list[TuningLaw]) -> list[Note]:
    found = []
    flagged = [group for group in groups if group.flag]
    if flagged:
        found.append(
            Note(
                id="MINIMA_EXCLUDED", severity="warning",
                text=f"{len(flagged)} of {len(groups)} groups are left out of the laws; the first, "
                f"{flagged[0].params:.3g} params and {flagged[0].tokens:.3g} tokens: "
                f"{flagged[0].flag}.",
                action="Extend the grid to both sides of the best setting there.",
                numbers=(("excluded", float(len(flagged))), ("groups", float(len(groups)))),
            )
        )  # fmt: skip
    for law in laws:
        for name, exponent in (("N", law.params), ("D", law.tokens)):
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


def _leverage(groups: list[TunedGroup], laws: list[TuningLaw], level: float) -> list[Note]:
    """Name the group that alone decides an exponent, if there is one."""
    found = []
    for law in laws:
        for name, part in (("N", "params"), ("D", "tokens")):
            whole: Exponent | None = getattr(law, part)
            if whole is None or whole.low is None or whole.high is None:
                continue
            moves = []
            for at in range(len(groups)):
                rest = _law(law.setting, groups[:at] + groups[at + 1 :], None, level)
                without: Exponent | None = getattr(rest, part)
                moves.append(0.0 if without is None else without.value - whole.value)
            most = int(np.argmax(np.abs(moves)))
            if abs(moves[most]) <= 0.5 * (whole.high - whole.low):
                continue
            group = groups[most]
            found.append(
                Note(
                    id="GROUP_DECIDES", severity="warning",
                    text=f"Without the group of {group.params:.3g} params and {group.tokens:.3g} "
                    f"tokens the exponent of {name} in the law of the {law.setting} is "
                    f"{whole.value + moves[most]:.2f}, not {whole.value:.2f}.",
                    action="Check that group.",
                    numbers=(("params", group.params), ("tokens", group.tokens)),
                )
            )  # fmt: skip
    return found
