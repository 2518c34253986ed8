"""What there is to say about a training plan by examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scaleplan.planning.convolutions import assumed_values_note
from scaleplan.planning.long_runs import lasting
from scaleplan.records import Note
from scaleplan.records.families import ExampleModel, FamilyRow
from scaleplan.units import format_count

# Examples per accelerator and step of the smallest that was measured: 8,192 on 256 accelerators.
_FEWEST_EXAMPLES = 32.0
_MOST_EPOCHS = 1000


def family_notes(
    model: ExampleModel, rows: Sequence[FamilyRow], step: float, *, epochs: float, measured: bool
) -> tuple[Note, ...]:
    """Return what there is to say about a plan by examples.

    Args:
        model: What one example takes.
        rows: The rows that were asked for.
        step: Examples in a step.
        epochs: Passes over the data.
        measured: Whether the utilisation is the user's own.
    """
    notes: list[Note] = []
    if model.family == "cnn" and model.activations is None and not measured:
        notes.append(assumed_values_note(model))
    thin = sorted({row.gpus for row in rows if step / row.gpus < _FEWEST_EXAMPLES})
    if thin and model.embeddings is None:
        notes.append(Note(
            id="FEW_EXAMPLES_A_STEP", severity="warning",
            text=f"With {', '.join(map(str, thin))} accelerators a step gives each fewer than "
            f"{_FEWEST_EXAMPLES:g} examples: no measurement covers this, and they work less well "
            "on so few than is assumed.",
            action="Use fewer accelerators, or a larger --batch if the training allows it.",
            numbers=(("examples_per_gpu_step", step / thin[-1]),),
            source="Goyal et al. 2017, arXiv 1706.02677: 8,192 examples on 256 accelerators",
        ))  # fmt: skip
    if model.embeddings is not None:
        notes.append(Note(
            id="ROUGH", severity="info" if measured else "warning",
            text="Times of recommenders are rough: one published run has all the figures to check "
            "them against, DLRM on one V100; it took 1.5 times the predicted time.",
            action="Measure some steps and give --mfu of the dense part.",
        ))  # fmt: skip
    elif model.family != "cnn" and not measured:
        notes.append(Note(
            id="ROUGH", severity="info",
            text="Times of this kind rest on what language models reach: three trainings of CLIP "
            "on 128 to 400 A100 took 1.2 to 1.9 times the predicted time, steps of vision "
            "transformers on one GPU 0.8 to 1.2 times.",
            action="Measure some steps and give --mfu.",
            source="github.com/mlfoundations/open_clip, docs/PRETRAINED.md",
        ))  # fmt: skip
    failing = [row for row in rows if row.fits is False]
    if failing:
        fitting = [row.gpus for row in rows if row.fits]
        notes.append(Note(
            id="DOES_NOT_FIT", severity="warning" if fitting else "error",
            text="The model does not fit in memory on "
            f"{', '.join(f'{row.gpus} x {row.gpu}' for row in failing)}.",
            action=f"Use at least {min(fitting)} accelerators." if fitting
            else "Use more or larger accelerators.",
            numbers=(("gpus", float(failing[-1].gpus)),),
        ))  # fmt: skip
    if any(row.memory_gib_per_gpu is None for row in rows):
        notes.append(Note(
            id="MEMORY_UNKNOWN", severity="info",
            text="Memory is not known: activations do not follow from a FLOP count.",
            action="Give a published network, --shape resnet-50 or vit-b-16, to have it counted.",
        ))  # fmt: skip
    return (*notes, *_lengths(rows, epochs))


def _lengths(rows: Sequence[FamilyRow], epochs: float) -> Iterator[Note]:
    """Yield what there is to say of trainings that last long, or see their data very often."""
    yield from lasting(min((row.days for row in rows), default=0.0))
    if epochs > _MOST_EPOCHS:
        yield Note(
            id="EPOCHS_UNSEEN", severity="warning",
            text=f"{format_count(epochs)} epochs are more than the {_MOST_EPOCHS:,} that the "
            "longest published trainings make: what they bring is not known.",
            action="Check --epochs; take fewer, or more examples.",
            numbers=(("epochs", epochs),),
            source="Touvron et al. 2021, arXiv 2012.12877 (DeiT), and Chen et al. 2020, arXiv "
            "2002.05709 (SimCLR): up to 1,000 epochs of ImageNet",
        )  # fmt: skip
