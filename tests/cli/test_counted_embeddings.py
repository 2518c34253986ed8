"""Sizes that count embeddings are told apart where the log gives both, or vocabulary and width."""

from __future__ import annotations

import json

import numpy as np
import pytest

SHAPES = ((128, 4), (256, 6), (512, 8), (1024, 12), (2048, 16))


def found(invoke, tmp_path, *, vocabulary, columns):
    rng = np.random.default_rng(3)
    lines = [",".join(columns)]
    for width, layers in SHAPES:
        body = 12 * layers * width**2
        for tokens in np.geomspace(1e9, 1e11, 4):
            loss = 1.7 + 400 / body**0.34 + 400 / tokens**0.28
            cells = {
                "params": body + vocabulary * width, "non_embedding_params": body,
                "vocab_size": vocabulary, "d_model": width, "tokens": tokens,
                "loss": loss * np.exp(0.002 * rng.standard_normal()),
            }  # fmt: skip
            lines.append(",".join(f"{cells[name]:.8g}" for name in columns))
    log = tmp_path / "runs.csv"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = invoke("fit", log, "--resamples", "0", "--format", "json")
    assert result.exit_code == 0, result.stderr
    notes = json.loads(result.stdout)["notes"]
    return [note for note in notes if note["id"] == "EMBEDDINGS_COUNTED"]


@pytest.mark.parametrize("known", [("non_embedding_params",), ("vocab_size", "d_model")])
def test_embeddings_of_small_models_are_told(invoke, tmp_path, known):
    columns = ("params", *known, "tokens", "loss")
    (note,) = found(invoke, tmp_path, vocabulary=50257, columns=columns)
    assert note["smallest"] == pytest.approx(0.891, abs=0.01)
    assert note["largest"] == pytest.approx(0.113, abs=0.01)
    assert ("--columns params=non_embedding_params" in note["action"]) == (len(known) == 1)


@pytest.mark.parametrize(("vocabulary", "columns"), [
    (256, ("params", "non_embedding_params", "tokens", "loss")),  # few of any model
    (50257, ("params", "tokens", "loss")),  # nothing tells
    (50257, ("non_embedding_params", "tokens", "loss")),  # not counted
    (50257, ("params", "vocab_size", "tokens", "loss")),
])  # fmt: skip
def test_nothing_is_said_where_there_are_few_or_nothing_tells(
    invoke, tmp_path, vocabulary, columns
):
    assert found(invoke, tmp_path, vocabulary=vocabulary, columns=columns) == []
