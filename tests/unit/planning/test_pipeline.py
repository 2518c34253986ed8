"""The time in which stages of a pipeline have work, against schedules that are carried out."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.planning.pipeline import filled_share


def carried_out(stages, chunks, micro_batches):
    """Return the share of a schedule in which each stage takes a chunk of all micro-batches.

    A chunk of a stage takes one step and waits for the stage before, or for the last stage of the
    chunk before; a stage does one thing at a time.
    """
    done, free = {}, [0] * stages
    for chunk, batch, stage in product(range(chunks), range(micro_batches), range(stages)):
        before = (chunk, batch, stage - 1) if stage else (chunk - 1, batch, stages - 1)
        done[chunk, batch, stage] = free[stage] = max(done.get(before, 0), free[stage]) + 1
    return chunks * micro_batches / max(done.values())


@pytest.mark.parametrize("stages", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("chunks", [1, 2, 4])
@pytest.mark.parametrize("micro_batches", [1, 2, 4, 5, 7, 8, 9, 20])
def test_it_is_what_the_schedule_takes(stages, chunks, micro_batches):
    layers = stages * chunks
    share = filled_share(stages=stages, layers=layers, micro_batches=micro_batches)
    assert share == pytest.approx(carried_out(stages, chunks, micro_batches))


def test_the_bubble_of_the_paper():
    """(p - 1) / m, and (p - 1) / (v m) where interleaved: Narayanan et al. 2021, section 2.2."""
    for stages, layers, micro in ((8, 8, 8), (8, 8, 64), (8, 32, 8), (12, 96, 384)):
        bubble = (stages - 1) / (layers // stages * micro)
        share = filled_share(stages=stages, layers=layers, micro_batches=micro)
        assert share == pytest.approx(1 / (1 + bubble))


@given(st.integers(1, 64), st.integers(1, 8), st.floats(1, 1e4), st.floats(0, 0.01))
def test_a_little_more_work_changes_little_and_never_empties_stages(stages, chunks, micro, more):
    layers = stages * chunks
    before = filled_share(stages=stages, layers=layers, micro_batches=micro)
    after = filled_share(stages=stages, layers=layers, micro_batches=micro * (1 + more))
    assert before * (1 - 1e-12) <= after <= before * (1 + more) * (1 + 1e-12)
    assert 0 < after <= 1


@given(st.integers(1, 12), st.floats(1, 1e4))
def test_more_layers_a_stage_fill_it_better(chunks, micro):
    few = filled_share(stages=8, layers=8 * chunks, micro_batches=micro)
    many = filled_share(stages=8, layers=8 * chunks + 8, micro_batches=micro)
    assert many >= few * (1 - 1e-12)
