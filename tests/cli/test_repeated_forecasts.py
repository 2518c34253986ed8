"""`predict --unique-tokens`: forecasts of runs that see their data several times."""

from __future__ import annotations

import json
import math

import pytest

import scaleplan

PUBLISHED = "besiroglu_2024"
BIG = ("predict", PUBLISHED, "--params", "1B", "--tokens", "1T", "--format", "json", "-q")


def read(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def ids(document):
    return {note["id"] for note in document["notes"]}


def test_repeats_are_worth_less_than_fresh_tokens(invoke):
    fresh = read(invoke(*BIG))
    repeated = read(invoke(*BIG, "--unique-tokens", "10B"))
    assert repeated["points"][0]["value"] > fresh["points"][0]["value"]
    assert {"REPEAT", "DATA_SET_SMALL"} <= ids(repeated)
    assert "REPEAT" not in ids(fresh)
    (note,) = [note for note in repeated["notes"] if note["id"] == "REPEAT"]
    assert note["severity"] == "error"
    assert note["epochs"] == pytest.approx(100.0)
    # Muennighoff et al. 2023, equation 5 with the decay of 15.39 of their notebook.
    worth = 1e10 * (1.0 + 15.387756 * (1.0 - math.exp(-99.0 / 15.387756)))
    assert note["effective_tokens"] == pytest.approx(worth, rel=1e-3)


def test_enough_tokens_change_nothing(invoke):
    fresh = read(invoke(*BIG))
    repeated = read(invoke(*BIG, "--unique-tokens", "1T"))
    assert repeated["points"][0]["value"] == pytest.approx(fresh["points"][0]["value"], rel=1e-3)
    assert not {"REPEAT", "DATA_SET_SMALL", "REPEAT_MAY_HARM"} & ids(repeated)


def test_budget_and_predict_say_the_same(invoke):
    repeated = read(invoke(*BIG, "--unique-tokens", "10B"))
    plan = read(
        invoke("budget", "--params", "1B", "--tokens", "1T", "--unique-tokens", "10B", "--gpus",
               "64", "--format", "json", "-q")
    )  # fmt: skip
    assert plan["forecast"]["value"] == repeated["points"][0]["value"]
    said = [
        [note["text"] for note in document["notes"] if note["id"].startswith("REPEAT")]
        for document in (plan, repeated)
    ]
    assert said[0] == said[1] != []


def test_the_answer_from_python_is_that_of_the_command(invoke):
    repeated = read(invoke(*BIG, "--unique-tokens", "10B"))
    law = scaleplan.load_fit(PUBLISHED)
    found = law.predict(params="1B", tokens="1T", unique_tokens="10B")
    assert found.value == repeated["points"][0]["value"]
    assert {note.id for note in found.record.notes} == ids(repeated)


def test_a_law_that_knows_no_repeats_is_refused_with_what_does(invoke):
    result = invoke(
        "predict", "gadre_2024_redpajama", "--params", "1B", "--tokens", "1T", "--unique-tokens",
        "10B",
    )  # fmt: skip
    assert result.exit_code != 0
    assert "--law chinchilla" in result.stderr.replace("\n", " ")


def test_unique_tokens_are_given_once(invoke):
    result = invoke(
        "predict", "muennighoff_2023_repeats", "--params", "1B", "--tokens", "1T",
        "--unique-tokens", "10B", "--with", "unique_tokens=10B",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "twice" in result.stderr
    once = invoke(
        "predict", "muennighoff_2023_repeats", "--params", "1B", "--tokens", "1T", "--with",
        "unique_tokens=10B", "--format", "json", "-q",
    )  # fmt: skip
    assert "REPEAT" in ids(read(once))
