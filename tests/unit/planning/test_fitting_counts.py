"""The smallest count that is said to hold a model is the first of all that does."""

from __future__ import annotations

import pytest

from scaleplan.catalog import accelerator
from scaleplan.planning.family import Model
from scaleplan.planning.wish import Machines

COUNTS = [*range(1, 9), *range(16, 2049, 8)]
CASES = [
    # part, params, tokens, tokens of a sequence, sequences of a batch
    ("h100", 7e10, 1.4e12, 4096, None), ("h100", 4.05e11, 1e11, 131072, 16),
    ("h100", 4.05e11, 1e11, 131072, None), ("h100", 3.24e11, 4.5e10, 131072, 1),
    ("a100", 2.48e11, 7e10, 131072, None), ("a100", 3.71e11, 6.7e10, 131072, None),
    ("h100", 1.54e12, 3.2e10, 2048, 1), ("h200", 6.8e11, 1.2e10, 32768, 3),
    ("h100", 1.27e12, 2.3e10, 32768, None),
]  # fmt: skip


@pytest.mark.parametrize(("part", "params", "tokens", "length", "sequences"), CASES)
def test_it_is_the_first_that_fits(part, params, tokens, length, sequences):
    machines = Machines(
        accelerators=(accelerator(part),), sequence_length=length,
        batch_tokens=None if sequences is None else float(sequences * length),
    )  # fmt: skip
    model = Model(
        params=params, active_params=params, tokens=tokens, flops=6 * params * tokens, how=""
    )
    row_at = machines.row_at(model, accelerator(part))
    first = next((count for count in COUNTS if row_at(count).fits), None)
    assert first is not None
    assert not row_at(1).fits
    assert row_at(1).fitting_gpus == first
