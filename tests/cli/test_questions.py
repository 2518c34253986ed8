from __future__ import annotations

import json

import pytest


def document(invoke, *arguments):
    result = invoke("budget", *arguments, "--format", "json", "-q")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_deadline_finds_a_cluster(invoke):
    found = document(invoke, "--params", "70B", "--days", "30")
    deadline = found["answers"]["deadline"]
    rows = {row["gpus"]: row for row in found["rows"]}
    best = int(deadline["smallest_cluster_in_time"])
    assert rows[best]["days"]["expected"] <= 30.0
    assert all(row["days"]["expected"] > 30.0 for count, row in rows.items() if count < best)


def test_money_and_several_accelerators(invoke):
    found = document(invoke, "--max-usd", "$100k", "--gpu", "h100,a100")
    assert len(found["offers"]) == 2
    assert found["answers"]["money"]["expected_cost"] <= 100_000.0


def test_target_is_an_alias_for_any_metric(invoke):
    loss = document(invoke, "--target-loss", "2.0", "--gpus", "512")
    same = document(invoke, "--target", "2.0", "--gpus", "512")
    assert loss["model"] == same["model"]
    assert loss["forecast"]["value"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--target-loss", "1.2"], 5, "bound"),
        (["--params", "1T", "--days", "1"], 5, "Allow"),
        (["--params", "7B", "--tokens", "1T", "--max-usd", "10"], 5, "more than"),
        (["--params", "7B", "--days", "0"], 2, "deadline"),
        (["--params", "7B", "--days", "-3"], 2, "--days"),
        (["--params", "7B", "--days", "soon"], 2, "duration"),
        (["--max-usd", "nan"], 2, "--max-usd"),
        (["--max-usd", "0"], 2, "--max-usd"),
        (["--tokens", "1B", "--ratio", "20", "--params", "1B"], 2, "--ratio"),
        ([], 2, "no model to plan"),
        (["--params", "7B", "--price", "0"], 2, "--price"),
        (["--params", "7B", "--country", "Atlantis"], 2, "Atlantis"),
        (
            ["--unique-tokens", "1B", "--flops", "1e22", "--law", "gadre_2024_redpajama"],
            5,
            "repeats",
        ),
    ],
)
def test_what_cannot_be_planned_says_why(invoke, arguments, code, said):
    result = invoke("budget", *arguments)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "hint:" in result.stderr
    assert result.stdout == ""


def test_repeats_warn_under_strict(invoke):
    asked = ("budget", "--params", "1B", "--tokens", "1T", "--unique-tokens", "10B", "-q")
    result = invoke(*asked, "--strict")
    assert result.exit_code == 6
    assert "REPEAT" in result.stdout


def test_whole_numbers_of_the_assumptions_are_not_rounded(invoke):
    result = invoke(
        "budget", "--params", "7B", "--gpus", "64", "--sequence-length", "32768", "--batch",
        "4194304",
    )  # fmt: skip
    assert "sequence length: 32768 tokens" in result.stdout
    assert "global batch: 4,194,304 tokens" in result.stdout


def test_a_price_of_nothing_is_told_what_own_hardware_costs(invoke):
    result = invoke("budget", "--params", "7B", "--price", "0")
    assert result.exit_code == 2
    assert "hardware of your own" in result.stderr


def test_tokens_of_a_mixture_name_the_parameters_they_are_divided_by(invoke):
    result = invoke("budget", "--params", "8B", "--active-params", "1B", "--tokens", "160B")
    assert "160 an active parameter, 20.0 a parameter of all" in result.stdout
