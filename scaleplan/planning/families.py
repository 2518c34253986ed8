"""Training plans by examples: vision, recommenders and anything else that is not a language model.

    C = 3 x forward FLOP x examples x epochs

since backward costs twice forward. 6ND does not hold where weights are used at many positions of an
example (CNN), or only looked up (embedding tables).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scaleplan.catalog import planning_default
from scaleplan.errors import PlanError, UsageError
from scaleplan.planning.compute import FLOPS_PER_PARAM_TOKEN
from scaleplan.planning.convolutions import convolution_use
from scaleplan.planning.family_notes import family_notes
from scaleplan.planning.image_models import KEPT_BYTES
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.recommender import recommender_use
from scaleplan.records import Accelerator, Assumption, Note, PlanRow, TrainingSetup
from scaleplan.records.families import ExampleModel, FamilyPlan, FamilyRow

_TRAINING_OVER_FORWARD = 3.0
_GIB = 2.0**30
# Weights, gradients and Adam's states in mixed precision (Rajbhandari et al. 2020, arXiv
# 1910.02054, section 3.1), held by every accelerator: these models are small.
_STATE_BYTES = 16.0
# What each accelerator holds is counted here, by examples: the plan beneath only copies the model.
_COPIES = TrainingSetup(tensor=1, pipeline=1, zero=0, recompute="none")
_SECONDS_PER_HOUR = 3600.0
_GIVEN = "given"
# Ends of the band of the time; vision transformers and models known by their FLOP share one.
_BANDS = {
    "cnn": ("cnn_band_low", "cnn_band_high"),
    "recommender": ("recommender_band_low", "recommender_band_high"),
}
_OTHER_BAND = ("family_band_low", "family_band_high")


def plan_family(
    model: ExampleModel, *, examples: float, epochs: float, accelerators: Sequence[Accelerator],
    gpus: Sequence[int], batch: float | None, mfu: float | None, usd_per_hour: float | None,
    country: str | None, pue: float | None, around: Sequence[int] = (),
) -> FamilyPlan:  # fmt: skip
    """Plan the training of a model by what one example takes.

    The loss with the number of accelerators follows their work per step in units of 6 x parameters
    FLOP, which for language models is a token: what a step's exchange of gradients is hidden by.

    Args:
        model: What one example takes.
        examples: Examples of the data set.
        epochs: Passes over them.
        accelerators: One row each for every count.
        gpus: Numbers of accelerators.
        batch: Examples in a step; None takes the family's.
        mfu: The user's steady model-FLOP utilisation; None takes the family's.
        usd_per_hour: The user's price of an accelerator-hour.
        country: Where the power comes from.
        pue: Power usage effectiveness of the data centre.
        around: Counts that are shown beside those asked for, and not judged.

    Raises:
        UsageError: If a value is not allowed.
        PlanError: If there are more accelerators than a step has examples.
    """
    total = examples * epochs
    flops = _TRAINING_OVER_FORWARD * model.forward_flops * total
    step = min(default_batch(model) if batch is None else batch, total)
    if not (math.isfinite(flops) and flops > 0.0):
        message = f"{flops:g} FLOP of training are not allowed; they must be finite and above 0"
        raise UsageError(message, hint="Check --forward-flops, --examples and --epochs.")
    if batch is not None and batch > examples:
        message = f"a step of {batch:,.0f} examples is more than the {examples:,.0f} of the data"
        raise UsageError(message, hint="Give a smaller --batch, or all --examples.")
    if gpus and max(gpus) > step:
        raise PlanError(
            f"{max(gpus):,} accelerators cannot all have work: a step has {step:,.0f} examples",
            hint="Use fewer accelerators, or a larger --batch.",
        )
    rows: list[FamilyRow] = []
    stated: dict[str, Assumption] = {}
    ends = _BANDS.get(model.family, _OTHER_BAND)
    counts = sorted({*gpus, *(count for count in around if count <= step)}) if around else gpus
    for part in accelerators:
        for count in counts:
            use, bound, why = _utilisation(model, part, count, mfu)
            if model.embeddings is not None:
                measured = count  # its own model has the exchange between accelerators
            else:
                measured = gpus[0] if mfu is not None else int(planning_default("node_size").value)
            found, assumptions = plan_rows(
                params=_params(model), active_params=_params(model), tokens=total * _work(model),
                flops=flops, accelerators=[part], gpus=[count], mfu=use, mfu_gpus=measured,
                usd_per_hour=usd_per_hour, batch_tokens=step * _work(model), sequence_length=1,
                country=country, pue=pue, vision=model.family == "vit",
                by_examples=True, setup=_COPIES,
            )  # fmt: skip
            banded = found[0] if mfu is not None else _banded(found[0], ends)
            rows.append(_row(banded, model, part, total=total, step=step, bound=bound))
            listed = [*why, *_kept(assumptions, use)]
            listed += [planning_default(end).assumption() for end in ends if mfu is None]
            stated |= {one.name: one for one in listed}
    judged = [row for row in rows if row.gpus in gpus]
    batch_line = Assumption(
        name="global batch", value=step, unit="examples",
        source=_GIVEN if batch is not None else _batch_source(model),
    )  # fmt: skip
    return FamilyPlan(
        model=model, examples=examples, epochs=epochs, flops=flops, batch_examples=step,
        rows=tuple(rows), accelerators=tuple(accelerators),
        notes=family_notes(model, judged, step, epochs=epochs, measured=mfu is not None),
        assumptions=(batch_line, *stated.values()),
    )  # fmt: skip


def _banded(row: PlanRow, ends: tuple[str, str]) -> PlanRow:
    """Return a row with the band of its family, where the utilisation is not the user's own."""
    low, high = (planning_default(name).value for name in ends)
    cheap, dear = low * row.days / row.days_low, high * row.days / row.days_high
    return replace(
        row, days_low=low * row.days, days_high=high * row.days,
        usd_low=None if row.usd_low is None else row.usd_low * cheap,
        usd_high=None if row.usd_high is None else row.usd_high * dear,
    )  # fmt: skip


def _params(model: ExampleModel) -> float:
    """Return the dense parameters, or as many as a ResNet-50 would have for the same FLOP."""
    if model.params is not None:
        return model.params
    return max(1.0, model.forward_flops / planning_default("cnn_token_flops").value)


def _work(model: ExampleModel) -> float:
    """Return the work of an example in units of 6 x parameters FLOP."""
    each = _TRAINING_OVER_FORWARD * model.forward_flops
    return each / (FLOPS_PER_PARAM_TOKEN * _params(model))


def default_batch(model: ExampleModel) -> float:
    """Return the examples of a step that a family is usually trained with."""
    return planning_default(_batch_entry(model)).value


def _batch_entry(model: ExampleModel) -> str:
    return f"{'cnn' if model.family == 'other' else model.family}_batch"


def _batch_source(model: ExampleModel) -> str:
    return planning_default(_batch_entry(model)).assumption().source


def _utilisation(
    model: ExampleModel, part: Accelerator, gpus: int, mfu: float | None
) -> tuple[float | None, str, tuple[Assumption, ...]]:
    """Return the steady utilisation (None for the table of language runs), its bound and why."""
    if model.embeddings is not None and model.params is not None:
        return recommender_use(model.params, model.embeddings, part, gpus=gpus, dense=mfu)
    if mfu is not None:
        given = Assumption(name="steady MFU", value=mfu, unit="share of dense peak", source=_GIVEN)
        return mfu, "compute", (given,)
    return convolution_use(model, part) if model.family == "cnn" else (None, "compute", ())


def _kept(assumptions: Sequence[Assumption], mfu: float | None) -> tuple[Assumption, ...]:
    """Leave out what plan_rows states of batches, layouts and shapes of language models."""
    kept = (
        "whole-run MFU", "MFU of single", "nodes from which", "price", "power", "carbon",
        "growth of MFU", "fall of MFU",
        "parameters whose", "tokens per accelerator and step at which",
        "accelerator-hours between", "time to", "time that",
        *(("whole-run over steady",) if mfu is not None else ()),
    )  # fmt: skip
    return tuple(one for one in assumptions if one.name.startswith(kept))


def _row(
    row: PlanRow, model: ExampleModel, part: Accelerator, *, total: float, step: float, bound: str
) -> FamilyRow:
    usable = planning_default("usable_memory").value * part.memory_gib
    memory = _memory_gib(model, row.gpus, step / row.gpus, usable=usable)
    return FamilyRow(
        gpus=row.gpus, gpu=row.gpu, mfu=row.mfu, efficiency=row.efficiency, days_low=row.days_low,
        days=row.days, days_high=row.days_high, gpu_hours=row.gpu_hours, usd=row.usd,
        usd_low=row.usd_low, usd_high=row.usd_high, energy_kwh=row.energy_kwh, tco2=row.tco2,
        examples_per_second=total * row.gpus / (row.gpu_hours * _SECONDS_PER_HOUR),
        memory_gib_per_gpu=memory, fits=None if memory is None else memory <= usable, bound=bound,
    )  # fmt: skip


def _memory_gib(model: ExampleModel, gpus: int, examples: float, *, usable: float) -> float | None:
    """Return what one accelerator holds: dense states whole, tables spread, some examples.

    A table row has its values in fp32 and 4 bytes of row-wise Adagrad. A step that does not fit is
    taken in halves, down to one example.
    """
    if model.params is None:
        return None
    held = model.params * _STATE_BYTES
    if model.embeddings is not None:
        held += model.embeddings.rows * 4.0 * (model.embeddings.width + 1.0) / gpus
    elif model.activation_bytes is None:
        return None
    else:
        held += planning_default("runtime_gib").value * _GIB
        taken = max(1.0, examples)
        while taken > 1.0 and held + model.activation_bytes * taken > usable * _GIB:
            taken = max(1.0, taken / 2)
        return (held + model.activation_bytes * taken) / _GIB
    return held / _GIB + planning_default("runtime_gib").value


def macs_note(flops: float) -> Note:
    """Return the reminder that many tables print multiply-adds under the name FLOPs.

    Args:
        flops: Forward FLOP as they were given.
    """
    return Note(
        id="MACS_OR_FLOPS", severity="info",
        text=f"--forward-flops {flops:.3g} is taken as FLOP; many vision tables print "
        "multiply-adds, half as many, under that name (ResNet-50: 4.1G multiply-adds, 8.2 GFLOP).",
        action="Add --macs if yours are multiply-adds.",
        numbers=(("forward_flops", flops),),
    )  # fmt: skip


def by_flops(
    forward_flops: float,
    *,
    macs: bool,
    params: float | None,
    family: str,
    activations: float | None = None,
) -> tuple[ExampleModel, tuple[Note, ...]]:
    """Return a model known by its forward FLOP per example.

    Args:
        forward_flops: FLOP, or multiply-adds.
        macs: Whether they are multiply-adds.
        params: Parameters, if known.
        family: `cnn`, or anything else.
        activations: Values that all convolutions write, if known.
    """
    flops = forward_flops * (2.0 if macs else 1.0)
    model = ExampleModel(
        family="cnn" if family == "cnn" else "other",
        origin="--forward-flops" + (" --macs" if macs else ""), params=params, forward_flops=flops,
        activations=activations,
        activation_bytes=None if activations is None else KEPT_BYTES * activations,
    )  # fmt: skip
    return model, () if macs else (macs_note(forward_flops),)


def by_patches(params: float, patches: int) -> ExampleModel:
    """Return a vision transformer known by its size: 2 N x patches forward.

    Args:
        params: Parameters N.
        patches: Patches of an image.
    """
    return ExampleModel(
        family="vit", origin="2 x parameters x patches", params=params, patches=patches,
        forward_flops=2.0 * params * patches,
    )  # fmt: skip


def with_notes(plan: FamilyPlan, notes: Sequence[Note]) -> FamilyPlan:
    """Return the plan with further notes before its own."""
    return replace(plan, notes=(*notes, *plan.notes))
