"""The JSON contract, schema 1: keys may be added, never renamed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scaleplan import __version__

if TYPE_CHECKING:
    from scaleplan.errors import ScaleplanError
    from scaleplan.laws import Law
    from scaleplan.records import (
        Assumption,
        Cleaning,
        Fit,
        Forecast,
        ForecastPoint,
        Interval,
        LawFit,
        Note,
        OptimumRow,
        Parameter,
        Plan,
        PlanRow,
        Quality,
    )
    from scaleplan.render.catalogue_view import AcceleratorCatalogue, LawCatalogue

Document = dict[str, Any]


def write_document(document: Document) -> str:
    """Return the document as JSON text: ASCII only, `null` for what is not finite."""
    text = json.dumps(_finite(document), allow_nan=False, indent=2)
    # json leaves DEL as it is; it can only stand inside a string.
    return text.replace("\x7f", "\\u007f") + "\n"


def fit_document(fit: Fit) -> Document:
    """Return `scaleplan.fit/1`."""
    return {
        **head("fit", "fit"),
        "name": fit.name,
        "source": fit.source,
        "law": fit.law,
        "formula": fit.formula,
        "inputs": list(fit.inputs),
        "input_columns": list(fit.input_columns),
        "metric": asdict(fit.metric),
        "complement": fit.complement,
        "parameters": {p.symbol: _parameter(p, fit.interval) for p in fit.parameters},
        "interval": asdict(fit.interval) if fit.interval is not None else None,
        "quality": _quality(fit.quality) if fit.quality is not None else None,
        "cleaning": cleaning_document(fit.cleaning) if fit.cleaning is not None else None,
        "candidates": [asdict(candidate) for candidate in fit.candidates],
        "objectives": [asdict(row) for row in fit.objectives],
        "optimum": [_optimum(row) for row in fit.optimum],
        "isoflop": [asdict(minimum) for minimum in fit.isoflop],
        "approaches": [asdict(approach) for approach in fit.approaches],
        "influences": [asdict(influence) for influence in fit.influences],
        "optimum_interval": (
            asdict(fit.optimum_interval) if fit.optimum_interval is not None else None
        ),
        "levels": list(fit.levels),
        "widening": asdict(fit.widening),
        "ranges": {r.role: {"low": r.low, "high": r.high} for r in fit.ranges},
        "alternatives": [_law_fit(other) for other in fit.alternatives],
        "flops_per_param_token": fit.flops_per_param_token,
        "flops_per_active_token": fit.flops_per_active_token,
        "fingerprint": fit.fingerprint,
        "seed": fit.seed,
        **tail(fit.assumptions, fit.notes),
    }  # fmt: skip


def forecast_document(forecast: Forecast) -> Document:
    """Return `scaleplan.forecast/1`."""
    return {
        **head("forecast", "predict"),
        "fit": forecast.fit_name,
        "law": forecast.law,
        "formula": forecast.formula,
        "metric": asdict(forecast.metric),
        "points": [_point(point) for point in forecast.points],
        "interval": asdict(forecast.interval) if forecast.interval is not None else None,
        **({} if forecast.chain is None else {"then": asdict(forecast.chain)}),
        **tail(forecast.assumptions, forecast.notes),
    }


def plan_document(plan: Plan) -> Document:
    """Return `scaleplan.plan/1`."""
    from scaleplan.render.answers_view import answers_document

    forecast = plan.forecast
    return {
        **head("plan", "budget"),
        "model": {
            "params": plan.params, "active_params": plan.active_params, "tokens": plan.tokens,
            "flops": plan.flops,
        },
        "forecast": {
            **(_point(forecast.points[0]) if forecast.points else {}),
            "fit": forecast.fit_name,
            "law": forecast.law,
            "formula": forecast.formula,
            "metric": asdict(forecast.metric),
            "interval": asdict(forecast.interval) if forecast.interval is not None else None,
        },
        "optimum": _optimum(plan.optimum) if plan.optimum is not None else None,
        "rows": [_plan_row(row) for row in plan.rows],
        "accelerators": [asdict(accelerator) for accelerator in plan.accelerators],
        "storage": asdict(plan.storage) if plan.storage is not None else None,
        **answers_document(plan),
        "shape": asdict(plan.shape) if plan.shape is not None else None,
        "deployment": asdict(plan.deployment) if plan.deployment is not None else None,
        **tail(plan.assumptions, plan.notes),
    }  # fmt: skip


def laws_document(catalogue: LawCatalogue) -> Document:
    """Return `scaleplan.laws/1`."""
    return {
        **head("laws", "laws"),
        "laws": [_law(law) for law in catalogue.laws],
        "published": [asdict(published) for published in catalogue.published],
        **tail((), ()),
    }


def accelerators_document(catalogue: AcceleratorCatalogue) -> Document:
    """Return `scaleplan.gpus/1`."""
    return {
        **head("gpus", "gpus"),
        "default": catalogue.default,
        "accelerators": [asdict(accelerator) for accelerator in catalogue.accelerators],
        **tail((), ()),
    }


def error_document(error: ScaleplanError) -> Document:
    """Return `scaleplan.error/1`."""
    return {
        "schema": "scaleplan.error/1",
        "version": __version__,
        "error": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
        "file": error.file,
        "line": error.line,
    }


def note_document(note: Note) -> Document:
    """Return a note with its numbers beside its text."""
    fixed = {
        "id": note.id, "severity": note.severity, "text": note.text, "action": note.action,
        "source": note.source,
    }  # fmt: skip
    numbers = dict(note.numbers)
    taken = fixed.keys() & numbers.keys()
    if taken:
        message = f"note {note.id}: {', '.join(sorted(taken))} cannot name a number"
        raise ValueError(message)
    return {**fixed, **numbers}


def head(schema: str, command: str) -> Document:
    """Return what every document begins with."""
    return {"schema": f"scaleplan.{schema}/1", "version": __version__, "command": command}


def tail(assumptions: tuple[Assumption, ...], notes: tuple[Note, ...]) -> Document:
    """Return what every document ends with."""
    return {
        "assumptions": [asdict(assumption) for assumption in assumptions],
        "notes": [note_document(note) for note in notes],
    }


def cleaning_document(cleaning: Cleaning) -> Document:
    """Return what reading did to the rows."""
    return {
        "files": list(cleaning.files),
        "rows_read": cleaning.rows_read,
        "rows_used": cleaning.rows_used,
        "dropped": [asdict(note) for note in cleaning.dropped],
        "changed": [asdict(note) for note in cleaning.changed],
        "columns": [asdict(use) for use in cleaning.columns],
    }


def _quality(quality: Quality) -> Document:
    document = asdict(quality)
    found = quality.identifiability
    if found is not None:
        document["identifiability"]["decades"] = dict(found.decades)
    return document


def _law_fit(fit: LawFit) -> Document:
    return {"law": fit.law, "theta": list(fit.theta), "noise": fit.noise, "dof": fit.dof}


def _parameter(parameter: Parameter, interval: Interval | None) -> Document:
    """Return a parameter with the method and the number of runs behind its own interval."""
    shared = "" if interval is None else interval.method
    return {
        "value": parameter.value, "low": parameter.low, "high": parameter.high,
        "unit": parameter.unit, "meaning": parameter.meaning, "at_bound": parameter.at_bound,
        "fixed": parameter.fixed,
        "method": parameter.method or shared, "n": None if interval is None else interval.n,
    }  # fmt: skip


def _optimum(row: OptimumRow) -> Document:
    return {**asdict(row), "tokens_per_param": row.tokens_per_param}


def _point(point: ForecastPoint) -> Document:
    document = asdict(point)
    del document["others"]
    if point.then is None:
        del document["then"]
    return {**document, **({"others": dict(point.others)} if point.others else {})}


def _plan_row(row: PlanRow) -> Document:
    return {
        "gpus": row.gpus, "gpu": row.gpu, "mfu": row.mfu, "efficiency": row.efficiency,
        "ideal_days": row.ideal_days,
        "days": {"low": row.days_low, "expected": row.days, "high": row.days_high},
        "gpu_hours": row.gpu_hours, "usd": row.usd, "usd_low": row.usd_low,
        "usd_high": row.usd_high, "energy_kwh": row.energy_kwh, "tco2": row.tco2,
        "memory_gib_per_gpu": row.memory_gib_per_gpu, "fits": row.fits, "layout": row.layout,
        "batch_tokens": row.batch_tokens, "used_gpus": row.used_gpus,
        "needs_gpus": row.needs_gpus, "filled_share": row.filled_share,
        "links_share": row.links_share, "recompute_share": row.recompute_share,
        "layout_reason": row.layout_reason, "usable_gib": row.usable_gib,
        "states_gib": row.states_gib, "activations_gib": row.activations_gib,
        "micro_batches": row.micro_batches, "useful_gpus": row.useful_gpus,
        "most_gpus": row.most_gpus, "fitting_gpus": row.fitting_gpus,
        "failure_hours": row.failure_hours, "checkpoint_hours": row.checkpoint_hours,
        "goodput": row.goodput, "tokens_per_second": row.tokens_per_second,
        "loader_mb_s": row.loader_mb_s, "host_cores": row.host_cores, "host_gib": row.host_gib,
        "failure_share": row.failure_share, "asked": row.asked,
        "context": row.context, "context_share": row.context_share,
    }  # fmt: skip


def _law(law: Law) -> Document:
    return {
        "name": law.name, "title": law.title, "formula": law.formula, "inputs": list(law.inputs),
        "parameters": [
            {"symbol": p.symbol, "meaning": p.meaning, "unit": p.unit} for p in law.parameters
        ],
        "source": law.source, "holds": law.holds,
    }  # fmt: skip


def _finite(value: object) -> object:
    """Return the value with everything that is not finite turned into None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
