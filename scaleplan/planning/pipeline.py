"""How long the stages of a pipeline have work."""

from __future__ import annotations


def filled_share(*, stages: int, layers: int, micro_batches: float) -> float:
    """Return the share of the time in which the stages of a pipeline have work.

    A stage holds v = layers / p chunks of a layer, which m micro-batches pass in turn. The first is
    back at a stage after p steps, so that each of v rounds takes max(m, p) steps, and the last
    round leaves the pipeline min(m, p) - 1 steps later: v m / (v max(m, p) + min(m, p) - 1). From
    m = p on that is 1 / (1 + (p - 1) / (v m)) of interleaved stages, and with one layer a stage m /
    (m + p - 1) (Narayanan et al. 2021, arXiv 2104.04473, sections 2.2.2 and 2.2.1).

    Args:
        stages: Stages p.
        layers: Layers of the model.
        micro_batches: Micro-batches m of a step in each copy of the model, at least 1.
    """
    chunks = max(1, layers // stages)
    steps = chunks * max(micro_batches, stages) + min(micro_batches, stages) - 1.0
    return chunks * micro_batches / steps
