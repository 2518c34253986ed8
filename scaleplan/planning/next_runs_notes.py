"""What there is to say about runs that are proposed."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.planning.next_runs_rows import Cluster
from scaleplan.planning.next_runs_target import cheapest_of
from scaleplan.planning.samples import samples_of
from scaleplan.records import Fit, NextRun, Note
from scaleplan.runs.table import FloatArray
from scaleplan.runs.text import listed
from scaleplan.units import format_count, format_flops, format_number_of

_NAMED = 3
_ROUNDED = 5e-3  # sizes of runs are rounded to three digits
_IDLE = 0.1  # a share of the accelerators that is worth a word
DESIGN = "own simulation, tests/benchmark/next_runs.py (2026)"


def next_notes(
    fit: Fit, rows: Sequence[NextRun], compute: float, target_flops: float, fewest: int
) -> tuple[Note, ...]:
    """Return the notes of a plan of runs.

    Args:
        fit: What they are planned with.
        rows: The runs.
        compute: The budget in FLOP.
        target_flops: Compute of the target.
        fewest: Runs below which a law is not fitted.
    """
    found = list(fit.notes)
    found.append(
        Note(
            id="IF_THE_FORM_HOLDS", severity="info",
            text="The half-width after the runs is what is expected if the form of the law holds "
            "and the runs scatter as the fitted ones do.",
            action="Read the results back with scaleplan fit --update FIT NEW.csv; plan again.",
            source=DESIGN,
        )
    )  # fmt: skip
    if samples_of(fit):
        found.append(
            Note(
                id="NO_TOKENS", severity="warning",
                text=f"{samples_of(fit)} are no tokens: the runs are chosen by the FLOP in the log "
                f"of the fit ({fit.flops_per_param_token:.3g} a parameter and one of "
                f"{samples_of(fit)}), and shapes, batches and learning rates of language models "
                "are left out.",
                action="Give --mfu for hours and dollars; take shapes and settings from your runs.",
            )
        )  # fmt: skip
    if compute >= target_flops:
        found.append(
            Note(
                id="BUDGET_REACHES_TARGET", severity="warning",
                text=f"The budget pays for the target run itself, {compute / target_flops:.2g} "
                "times over.",
                action="Train the target, or give a larger one.",
                numbers=(("budget_flops", compute), ("target_flops", target_flops)),
            )
        )  # fmt: skip
    found += _below_the_runs(fit, rows)
    if len(rows) < fewest:
        found.append(
            Note(
                id="FEW_RUNS", severity="warning",
                text=f"The budget pays for {len(rows)} runs of at least the cheapest size; a law "
                f"of five parameters takes {fewest}.",
                action="Raise the budget, or allow smaller runs with --cheapest.",
                numbers=(("runs", float(len(rows))),),
            )
        )  # fmt: skip
    return tuple(found)


def cluster_notes(
    cluster: Cluster, working: FloatArray
) -> tuple[Note, ...]:  # fmt: skip
    """Return what there is to say about the accelerators that the runs are trained on.

    Args:
        cluster: The accelerators.
        working: How many accelerators have work in each run, in any order.
    """
    least = float(working.min(initial=cluster.gpus))
    if cluster.gpus - least <= _IDLE * cluster.gpus:
        return ()
    return (
        Note(
            id="RUNS_TOO_SMALL", severity="warning",
            text=f"The smallest of the runs has work for {format_count(least)} of "
            f"{cluster.gpus:,} accelerators, a sequence for each copy of the model in a step; the "
            "others are paid for and wait.",
            action="Train several runs at once, each on fewer accelerators (--gpus).",
            numbers=(("working", least), ("gpus", float(cluster.gpus))),
        ),
    )  # fmt: skip


def _below_the_runs(fit: Fit, rows: Sequence[NextRun]) -> list[Note]:
    """Say which runs are smaller than any that the law was fitted to, in parameters or compute."""
    known = {one.role: one.low for one in fit.ranges}
    least, cheapest = known.get("params"), cheapest_of(fit)
    if least is None:
        return []
    below = 1.0 - _ROUNDED
    small = [r for r in rows if r.params < least * below or r.flops < cheapest * below]
    if not small:
        return []
    one = len(small) == 1
    own = (
        "Read the results back with scaleplan fit --update: it tests the law on them, and leaves "
        "them out where they do not lie on one with the others. Or raise --cheapest."
    )
    return [
        Note(
            id="BELOW_THE_RUNS", severity="info",
            text=f"{format_number_of(len(small), 'run')} "
            f"({listed([row.name for row in small], _NAMED)}) {'is' if one else 'are'} smaller "
            f"than any fitted ({format_count(least)} params, {format_flops(cheapest)} FLOP), down "
            f"to {format_count(min(row.params for row in small))} params and "
            f"{format_flops(min(row.flops for row in small))} FLOP: the law is not tested there, "
            "and with a large vocabulary so small a model may be embeddings for the most part.",
            action=own if fit.quality is not None
            else "Leave out what you cannot build, or raise the cheapest run with --cheapest.",
            numbers=(("runs", float(len(small))), ("least", least), ("cheapest", cheapest)),
        )
    ]  # fmt: skip
