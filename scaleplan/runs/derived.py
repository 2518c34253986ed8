"""Columns that follow from others: flops, tokens, params, and FLOP per parameter and token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scaleplan.records import Assumption, ColumnUse, Metric, Note
from scaleplan.runs.columns import Assignment
from scaleplan.runs.data_seen import tokens_of_data_sets, tokens_of_ratios
from scaleplan.runs.gathering import Gathered
from scaleplan.runs.named_sizes import called_samples
from scaleplan.runs.raw import numeric_column
from scaleplan.runs.table import FloatArray
from scaleplan.units import format_significant

# Forward and backward pass of a dense transformer: 2 + 4 FLOP a parameter and token.
FLOPS_PER_PARAM_TOKEN = 6.0
_SOURCE = "Kaplan et al. 2020, arXiv 2001.08361, section 2.1"
_FAR_FROM_SIX = 0.15  # attention at long context and embedding conventions stay below this
_UNEVEN = 0.10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derived:
    """The rows with what could be derived, how, and the ratios of compute to size.

    `flops_per_param_token` counts all parameters, `flops_per_active_token` those a token uses.
    """

    rows: Gathered
    uses: tuple[ColumnUse, ...]
    assumptions: tuple[Assumption, ...]
    notes: tuple[Note, ...]
    flops_per_param_token: float | None
    flops_per_active_token: float | None


def derive(rows: Gathered, chosen: Assignment, metric: Metric) -> Derived:
    """Fill flops, tokens or params where they follow from the other two.

    Args:
        rows: Cleaned rows.
        chosen: Which column plays which role.
        metric: What `value` is.

    Returns:
        The rows with derived columns, each recorded as such.
    """
    uses: list[ColumnUse] = []
    assumptions: list[Assumption] = []
    notes: list[Note] = []
    rows = _sum_of_parts(_tokens_of_steps(rows, uses, assumptions), uses, assumptions)
    rows, use, told = _data_seen(rows, uses, assumptions)
    notes += [] if told is None else [told]
    samples = chosen.counts_samples or (use is not None and called_samples(use))
    said = _convention_notes(rows, chosen)
    counted = "active_params" if "active_params" in rows.roles else "params"
    if samples or (metric.kind != "loss" and "tokens" not in rows.roles):
        if samples and "flops" not in rows.roles and counted in rows.roles:
            notes.append(_samples_note(rows))
        return Derived(
            rows=rows, uses=tuple(uses), assumptions=tuple(assumptions), notes=(*notes, *said),
            flops_per_param_token=_median_ratio(rows, "params"),
            flops_per_active_token=_median_ratio(rows, "active_params"),
        )  # fmt: skip
    logged = {role: _median_ratio(rows, role) for role in ("params", "active_params")}
    for target, factors, formula in (
        ("flops", (counted, "tokens"), f"6 x {counted} x tokens"),
        ("tokens", ("flops", counted), f"flops / (6 x {counted})"),
        (counted, ("flops", "tokens"), "flops / (6 x tokens)"),
    ):
        rows = _fill(rows, target, factors, formula, uses, assumptions)
    # Flops that were derived are 6 x active_params x tokens where there are active ones, and then
    # say what all parameters take.
    ratios = {
        role: (logged[role] or _median_ratio(rows, role) or FLOPS_PER_PARAM_TOKEN)
        if {role, "tokens"} <= set(rows.roles) else None
        for role in logged
    }  # fmt: skip
    return Derived(
        rows=rows, uses=tuple(uses), assumptions=tuple(assumptions), notes=(*notes, *said),
        flops_per_param_token=ratios["params"], flops_per_active_token=ratios["active_params"],
    )  # fmt: skip


def _data_seen(
    rows: Gathered, uses: list[ColumnUse], assumptions: list[Assumption]
) -> tuple[Gathered, str | None, Note | None]:
    """Derive tokens from a ratio, or from the size of the data set; return the formula, if any."""
    told = None
    rows, use, assumed = tokens_of_ratios(rows)
    if use is None:
        rows, use, assumed, told = tokens_of_data_sets(rows)
    uses += [] if use is None else [use]
    assumptions += [] if assumed is None else [assumed]
    return rows, None if use is None else use.column, told


def _fill(
    rows: Gathered, target: str, factors: Sequence[str], formula: str,
    uses: list[ColumnUse], assumptions: list[Assumption],
) -> Gathered:  # fmt: skip
    """Derive a role where it is missing and both others are there."""
    if any(f not in rows.roles for f in factors):
        return rows
    first, second = (rows.roles[f].numbers for f in factors)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # such rows stay empty
        made = first * second * FLOPS_PER_PARAM_TOKEN if target == "flops" else (
            first / (FLOPS_PER_PARAM_TOKEN * second)
        )  # fmt: skip
    had = rows.roles[target].numbers if target in rows.roles else np.full(len(rows), np.nan)
    gaps = np.isnan(had) & np.isfinite(made)
    if not gaps.any():
        return rows
    if target in rows.roles:
        count = int(np.count_nonzero(gaps))
        formula += f" in {count} of {len(rows)} runs"
    uses.append(ColumnUse(role=target, column=formula, how="derived"))
    assumptions.append(Assumption(name=target, value=formula, source=_SOURCE))
    return _with(rows, target, np.where(gaps, made, had), formula)


def _with(rows: Gathered, role: str, numbers: FloatArray, name: str) -> Gathered:
    return replace(
        rows, roles={**rows.roles, role: numeric_column(numbers)},
        names={**rows.names, role: rows.names.get(role, name)},
    )  # fmt: skip


def _tokens_of_steps(
    rows: Gathered, uses: list[ColumnUse], assumptions: list[Assumption]
) -> Gathered:
    """Derive tokens = step x tokens a batch for logs that count steps only."""
    if "tokens" in rows.roles or not {"step", "batch_tokens"} <= set(rows.roles):
        return rows
    numbers = rows.roles["step"].numbers * rows.roles["batch_tokens"].numbers
    formula = f"{rows.names['step']} x {rows.names['batch_tokens']}"
    numbers = np.where(numbers > 0.0, numbers, np.nan)
    if not np.isfinite(numbers).any():
        return rows
    uses.append(ColumnUse(role="tokens", column=formula, how="derived"))
    assumptions.append(Assumption(name="tokens", value=formula))
    return _with(rows, "tokens", numbers, formula)


def _sum_of_parts(rows: Gathered, uses: list[ColumnUse], assumptions: list[Assumption]) -> Gathered:
    """Derive params = embedding + dense parameters where no total is given."""
    if "params" in rows.roles or not {"embedding_params", "dense_params"} <= set(rows.roles):
        return rows
    parts = [rows.roles[r].numbers for r in ("embedding_params", "dense_params")]
    formula = f"{rows.names['embedding_params']} + {rows.names['dense_params']}"
    uses.append(ColumnUse(role="params", column=formula, how="derived"))
    assumptions.append(Assumption(name="params", value=formula))
    return _with(rows, "params", parts[0] + parts[1], formula)


def _ratios(rows: Gathered, size: str) -> FloatArray | None:
    """Return flops / (size x tokens) of the runs that have all three, None if there are none.

    Args:
        rows: Cleaned rows.
        size: `params`, or `active_params`.
    """
    if not {"flops", size, "tokens"} <= set(rows.roles):
        return None
    flops, params, tokens = (rows.roles[r].numbers for r in ("flops", size, "tokens"))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        ratio = flops / (params * tokens)
    known = ratio[np.isfinite(ratio) & (ratio > 0.0)]
    return known if known.size else None


def _median_ratio(rows: Gathered, size: str) -> float | None:
    found = _ratios(rows, size)
    return None if found is None else float(np.median(found))


def _convention_notes(rows: Gathered, chosen: Assignment) -> tuple[Note, ...]:
    """Say where the logged compute is not 6 x params x tokens, or not in one proportion."""
    counts = rows.names["tokens"] if chosen.counts_samples else "tokens"
    active = _ratios(rows, "active_params")
    size = "params" if _ratios(rows, "params") is not None else "active_params"
    measured = _ratios(rows, size)
    if measured is None:
        return ()
    middle = float(np.median(measured))
    far, even = _far(measured), _even(measured)
    if not far and even:
        return ()
    flops, shown = rows.names["flops"], format_significant(middle)
    low, high = (format_significant(float(v)) for v in (measured.min(), measured.max()))
    text = (
        f"The logged {flops} are {shown} x {size} x {counts} (from {low} to {high}), not 6 x "
        f"{size} x tokens."
        if far
        else f"The logged {flops} are not in one proportion to {size} x {counts}: from {low} to "
        f"{high}, median {shown}."
    )
    action = "Compute-optimal sizes use the median; check how FLOPs and parameters were counted."
    explained = size == "params" and active is not None and not _far(active) and _even(active)
    if explained:
        text += f" They are 6 x {rows.names['active_params']} x {counts}."
        action = (
            "Compute-optimal sizes of a law of params use the median; for one of active "
            f"parameters give --columns params={rows.names['active_params']}."
        )
    return (
        Note(
            id="FLOPS_CONVENTION",
            severity="info" if chosen.counts_samples or (explained and even) else "warning",
            text=text, action=action,
            numbers=(("median", middle), ("low", float(measured.min())),
                     ("high", float(measured.max()))),
            source=_SOURCE,
        ),
    )  # fmt: skip


def _far(measured: FloatArray) -> bool:
    return abs(float(np.median(measured)) / FLOPS_PER_PARAM_TOKEN - 1.0) > _FAR_FROM_SIX


def _even(measured: FloatArray) -> bool:
    return float(measured.max() / measured.min()) - 1.0 <= _UNEVEN


def _samples_note(rows: Gathered) -> Note:
    return Note(
        id="FLOPS_NOT_DERIVED", severity="info",
        text=f"{rows.names['tokens']} are not tokens, so that flops were not derived from them: "
        "6 x params x tokens counts tokens and a dense transformer.",
        action="Log the FLOPs of each run if you want laws of compute.",
    )  # fmt: skip
