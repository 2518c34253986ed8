"""What a fit says about the columns it used and left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.backtest import jacobian
from scaleplan.fitting.distributions import f_tail
from scaleplan.fitting.form_tests import aicc, is_exact, p_text, runs_test, scaled
from scaleplan.fitting.turning import turn_of_runs, turn_remedy, turn_said
from scaleplan.laws import LAWS
from scaleplan.records import Note
from scaleplan.runs.repeated import FURTHER_SIZES
from scaleplan.units import format_count, format_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.fitting.axes import Axes
    from scaleplan.fitting.effect import Refusal
    from scaleplan.fitting.fitted import Fitted
    from scaleplan.fitting.selection import Tried
    from scaleplan.laws.base import FloatArray
    from scaleplan.runs.table import Runs

_MOST_NAMED = 8
_PATTERN = 0.001  # p-value; runs of one sweep often share what moves them
_BENT = 0.002  # the same of two further bends: 2 false alarms in 900 simulated sweeps of 9 to 40
_BENDS, _SPARE_RUNS, _CLIP_SIGMAS = 2, 4, 5.0
# Models further apart than this have essentially no support left (Burnham & Anderson 2002, 2.6).
_FAR_BETTER = 10.0
_SAME_SHARE = 1e-3  # sizes in a log have a few digits
_FURTHER = ("active_params", "dense_params", *FURTHER_SIZES)


def fallback_note(refusal: Refusal, axes: Axes) -> Note:
    """Return the warning that a law of one input stands in for that of two.

    Args:
        refusal: Why the law of params and tokens was refused.
        axes: What is fitted instead.
    """
    return Note(
        id="LAW_OF_TWO_INPUTS_REFUSED", severity="warning",
        text=f"No law of parameters and tokens was fitted: {refusal.reason}. A law of "
        f"{axes.columns[0]} alone is given instead; it holds along the sampled runs only, and "
        "no compute-optimal size follows from it.",
        action=refusal.train or refusal.remedy,
    )  # fmt: skip


def held_note(runs: Runs, column: str, axes: Axes) -> Note:
    """Return the note that all runs share one size, of which the law then says nothing.

    Args:
        runs: The runs.
        column: The column that never varies.
        axes: What is fitted.
    """
    role = next(use.role for use in runs.cleaning.columns if use.column == column)
    value = float(np.nanmax(runs.column(role)))
    return Note(
        id="INPUT_HELD", severity="info",
        text=f"All runs have {format_count(value)} {role}: the law of {axes.columns[0]} holds for "
        "that alone.",
        action=f"Train runs of several {role} before you plan with others.",
        numbers=((role, value),),
    )  # fmt: skip


def left_out_note(runs: Runs, axes: Axes) -> tuple[Note, ...]:
    """Return the note on columns that a law could take and the fitted one does not."""
    here = {role for role in _FURTHER if runs.has(role) and _varies(runs.column(role))}
    found = sorted(
        role for role in here - set(axes.roles)
        if not _follows(runs.column(role)[axes.rows], axes.inputs)
    )  # fmt: skip
    if not found:
        return ()
    known = here | {role for role in ("params", "tokens", "active_params") if runs.has(role)}
    laws = [law.name for law in LAWS if set(law.inputs) <= known and set(law.inputs) & set(found)]
    columns = ", ".join(use.column for use in runs.cleaning.columns if use.role in found)
    try_ = f"Try --law {laws[0]}, which takes them, or f" if laws else "F"
    return (
        Note(
            id="ROLES_LEFT_OUT", severity="warning",
            text=f"Runs differ in {columns}, which the fitted law does not take.",
            action=f"{try_}it runs that share them apart (--by).",
            numbers=(("columns", float(len(found))),),
        ),
    )  # fmt: skip


def pattern_note(
    runs: Runs, axes: Axes, fitted: Fitted, together: Sequence[Tried] = ()
) -> Note | None:
    """Return the warning that a law of one input does not follow the runs, None if it does.

    It says where the runs turn, or else names a law listed beside it that follows them far better
    and forecasts larger runs no worse.

    Args:
        runs: The runs.
        axes: What is fitted.
        fitted: The fit.
        together: The laws that forecast together, that of the fit first; empty names none.
    """
    if len(axes.columns) > 1 or is_exact(fitted):
        return None
    signs = runs_test(fitted.residuals(), fitted.inputs[0])
    found = (signs, _PATTERN), (bend_p(fitted), _BENT)
    p = min((p for p, limit in found if p is not None and p < limit), default=None)
    if p is None:
        return None
    turn = turn_of_runs(runs, axes)
    better = _far_better(fitted, together) if turn is None else None
    action = "Try --law shifted, m3 or broken, or more inputs, and see scaleplan compare."
    if better is not None:
        action = f"Use --law {better[0]}, or a law that bends twice (--law broken), instead."
    form = "the runs have another form."
    if turn is not None:
        form, action = f"{turn_said(turn, runs, axes)}.", turn_remedy(turn, runs, axes)
    return Note(
        id="RESIDUALS_NOT_RANDOM", severity="warning",
        text=f"What the {fitted.law.name} law leaves of {fitted.values.size} runs is not random "
        f"along {axes.columns[0]} ({p_text(p)}): {form}"
        + ("" if better is None else better[1]),
        action=action, numbers=(("p", p),),
        source="runs test, Wald & Wolfowitz 1940, Annals of Mathematical Statistics 11, 147; F "
        "test of two further bends beside the law, linear around the fit",
    )  # fmt: skip


def _far_better(fitted: Fitted, together: Sequence[Tried]) -> tuple[str, str] | None:
    """Return the law that follows the runs far better, and how much better; None without one."""
    own, first = aicc(fitted), fitted.log_residuals()
    if own is None or first is None or not together or together[0].test is None:
        return None
    before = together[0].test.rmse_log
    found = []
    for other in together[1:]:
        each, after = aicc(other.fitted), None if other.test is None else other.test.rmse_log
        residuals = None if other.fitted is None else other.fitted.log_residuals()
        if each is None or residuals is None or before is None or after is None or after > before:
            continue
        if own - each > _FAR_BETTER:
            rms = (format_percent(math.sqrt(float((r**2).mean())), 3) for r in (residuals, first))
            said = f" The {fitted.law.name} law is wrong here: the {other.law.name} law misses the "
            said += f"runs by {' against '.join(rms)}, and larger ones, fitted to the smaller, by "
            said += f"{format_percent(after, 3)} against {format_percent(before, 3)}."
            found.append((each, other.law.name, said))
    return min(found)[1:] if found else None


def bend_p(fitted: Fitted) -> float | None:
    """Return the p-value of a second and third power of ln x beside a law of one input.

    The law's parameters are linear around the fit, so that they may give way to the bends; None
    where there are too few runs or sizes.

    Args:
        fitted: The fit.
    """
    x = fitted.inputs[0]
    freedom = fitted.dof - _BENDS
    sizes = np.unique(x).size
    if (
        not fitted.free
        or x.min() <= 0.0
        or freedom < _SPARE_RUNS
        or sizes < fitted.free + _BENDS + _SPARE_RUNS
    ):
        return None
    design = jacobian(fitted, fitted.theta, fitted.inputs)
    if not np.isfinite(design).all():
        return None
    logs = scaled(np.log(x))
    limit = _CLIP_SIGMAS * fitted.noise
    left = -np.clip(fitted.residuals(), -limit, limit)
    design = design / np.where((scale := np.abs(design).max(axis=0)) > 0.0, scale, 1.0)
    bent = np.column_stack([design, logs**2, logs**3])
    before, after = _squares(design, left), _squares(bent, left)
    if not 0.0 < after < before:
        return None
    return float(f_tail((before - after) / _BENDS / (after / freedom), float(_BENDS), freedom))


def _squares(design: FloatArray, left: FloatArray) -> float:
    """Return what least squares leave."""
    solution = np.linalg.lstsq(design, left, rcond=None)[0]
    return float(((left - design @ solution) ** 2).sum())


def _follows(column: FloatArray, inputs: FloatArray) -> bool:
    """Tell whether a column is one of the inputs times a number, and so tells nothing more."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shares = column / inputs
    return bool(np.any(np.ptp(shares, axis=1) <= _SAME_SHARE * np.abs(shares[:, 0])))


def _varies(column: FloatArray) -> bool:
    return np.unique(column[np.isfinite(column)]).size > 1


def unused_note(
    runs: Runs, columns: tuple[str, ...],
    *, action: str = "Name a size among them with --columns tokens=COLUMN, or fit it with --input.",
) -> tuple[Note, ...]:  # fmt: skip
    """Return the note on numeric columns that vary and play no part, so that none is lost.

    Args:
        runs: The runs.
        columns: Those that play one, or need not be named.
        action: What to do where one should.
    """
    unused = [
        name
        for name, column in runs.extra.items()
        if name not in columns and np.unique(column[np.isfinite(column)]).size > 1
    ]
    if not unused:
        return ()
    shown = ", ".join(unused[:_MOST_NAMED]) + (", ..." if len(unused) > _MOST_NAMED else "")
    return (
        Note(
            id="UNUSED_COLUMNS", severity="info",
            text=f"{len(unused)} numeric column(s) vary and play no part: {shown}.",
            action=action, numbers=(("columns", float(len(unused))),),
        ),
    )  # fmt: skip
