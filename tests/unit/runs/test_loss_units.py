"""Losses in other units than nats per token are asked about, and left as they are."""

from __future__ import annotations

import numpy as np
import pytest

SIZES = np.geomspace(1e7, 1e10, 12)


def log(values, column="loss", sizes="params,tokens"):
    rows = "\n".join(f"{n:g},{20 * n:g},{v:.8g}" for n, v in zip(SIZES, values, strict=True))
    return f"{sizes},{column}\n{rows}\n"


NATS = 1.7 + 400 / SIZES**0.34


def units(runs):
    return {n.id: n for n in runs.notes if n.id.startswith("LOSS_UNIT")}


def test_nats_per_token_raise_no_question(load):
    assert units(load(log(NATS))) == {}


@pytest.mark.parametrize("column", ["loss (bits/byte)", "bpb", "val_bits_per_byte"])
def test_a_unit_that_the_column_names_is_believed(load, column):
    assert units(load(log(NATS / 3, column))) == {}


def test_small_losses_of_language_models_may_be_bits_per_byte(load):
    runs = load(log(0.55 + 30 / SIZES**0.3))
    note = units(runs)["LOSS_UNIT"]
    assert note.severity == "info"
    assert "bits per byte" in note.text
    assert runs.metric.unit == "as logged"
    assert runs.value == pytest.approx(0.55 + 30 / SIZES**0.3)


def test_small_losses_of_other_models_are_their_own_affair(load):
    rows = "\n".join(f"{n:g},{0.6 + 30 / n**0.3:.6g}" for n in SIZES)
    assert units(load(f"params,loss\n{rows}\n")) == {}


def test_values_above_a_guess_may_be_perplexities(load):
    runs = load(log(np.exp(1.3 * NATS)))
    note = units(runs)["LOSS_UNIT"]
    assert note.severity == "warning"
    assert "perplexity?" in note.text
    assert runs.value == pytest.approx(np.exp(1.3 * NATS), rel=1e-6)


def test_two_units_in_one_file(load):
    note = units(load(log(np.where(np.arange(12) % 2, NATS, np.exp(NATS)))))["LOSS_UNITS_MIXED"]
    assert note.severity == "warning"
    assert dict(note.numbers)["runs_above"] == 6.0


def test_a_gap_that_the_sizes_explain_is_no_mixture(load):
    sizes = np.concatenate([np.geomspace(1e6, 2e6, 6), np.geomspace(1e10, 2e10, 6)])
    rows = "\n".join(f"{n:g},{20 * n:g},{1.7 + 400 / n**0.34:.6g}" for n in sizes)
    assert units(load(f"params,tokens,loss\n{rows}\n")) == {}
