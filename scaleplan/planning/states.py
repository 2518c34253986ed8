"""What a parameter takes of memory: its weight, its gradient and what the optimiser keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scaleplan.catalog import planning_choice
from scaleplan.records import Assumption, TrainingSetup
from scaleplan.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class ParamBytes(Record):
    """Bytes of one parameter; the optimiser's part holds the fp32 copy of the weight."""

    weight: float
    gradient: float
    optimiser: float

    @property
    def total(self) -> float:
        """Return the bytes without any sharing."""
        return self.weight + self.gradient + self.optimiser


@cache
def param_bytes(
    optimizer: str | None = None, precision: str | None = None, gradient_bytes: float | None = None
) -> ParamBytes:
    """Return what a parameter takes: 2 + 2 + 12 bytes for AdamW in mixed precision.

    Args:
        optimizer: An entry of `optimizers` in data/planning.yaml, None for AdamW.
        precision: An entry of `precisions`, None for bf16 weights with an fp32 copy.
        gradient_bytes: Bytes of a gradient, None for the precision's own.

    Raises:
        UsageError: If there is no such entry.
    """
    kept = planning_choice("precision", precision).numbers
    state = planning_choice("optimizer", optimizer).numbers["state"]
    return ParamBytes(
        weight=kept["weight"],
        gradient=kept["gradient"] if gradient_bytes is None else gradient_bytes,
        optimiser=kept["master"] + state * kept["state_share"],
    )


def state_bytes(params: float, *, zero: int, copies: int, kept: ParamBytes) -> float:
    """Return the bytes of weights, gradients and optimiser that one accelerator holds.

    For mixed precision 16 N; with ZeRO over n copies (4 + 12/n) N, (2 + 14/n) N and 16 N / n
    (Rajbhandari et al. 2020, arXiv 1910.02054, figure 1).

    Args:
        params: Parameters in this accelerator's part of the model.
        zero: ZeRO stage, 0 to 3.
        copies: Data-parallel copies n.
        kept: Bytes of a parameter.
    """
    return params * (
        kept.weight / (copies if zero >= 3 else 1)
        + kept.gradient / (copies if zero >= 2 else 1)
        + kept.optimiser / (copies if zero >= 1 else 1)
    )


def state_assumptions(setup: TrainingSetup) -> tuple[Assumption, ...]:
    """Return what the bytes of a parameter rest on."""
    optimizer = planning_choice("optimizer", setup.optimizer)
    precision = planning_choice("precision", setup.precision)
    kept = param_bytes(setup.optimizer, setup.precision, setup.gradient_bytes)
    unit = "B/parameter"
    given = "given" if setup.gradient_bytes is not None else precision.source
    return (
        Assumption(name="optimizer", value=optimizer.title, source=optimizer.source),
        Assumption(name="precision", value=precision.title, source=precision.source),
        Assumption(name="weight", value=kept.weight, unit=unit, source=precision.source),
        Assumption(name="gradient", value=kept.gradient, unit=unit, source=given),
        Assumption(
            name="optimizer with its copy of the weight", value=kept.optimiser, unit=unit,
            source=optimizer.source,
        ),
    )  # fmt: skip
