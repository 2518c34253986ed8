"""Several labels with shared exponents, and forecasts by laws that need more than N and D."""

from __future__ import annotations

import csv
import io
import json

import pytest

from scaleplan.catalog import published_laws


def loss(params, tokens, worth_n=1.0, worth_d=1.0):
    return 1.8 + 480 / (worth_n * params) ** 0.35 + 2100 / (worth_d * tokens) ** 0.37


@pytest.fixture
def recipes(tmp_path):
    lines = ["optimizer,params,tokens,loss"]
    for name, rho in (("muon", (1.4, 1.2)), ("adamw", (1.0, 1.0))):
        for n in (3e7, 1e8, 3e8, 1e9):
            for d in (1e9, 3e9, 1e10, 3e10, 1e11):
                wiggle = 1 + 0.001 * ((int(n / 1e7) * 7 + int(d / 1e9) * 5) % 3 - 1)
                lines.append(f"{name},{n:.0f},{d:.0f},{loss(n, d, *rho) * wiggle:.9f}")
    lines.append(f"adamw,1e9,2e11,{loss(1e9, 2e11):.9f}")
    path = tmp_path / "recipes.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def saved(invoke, recipes, tmp_path):
    output = tmp_path / "fit.yaml"
    result = invoke(
        "fit", recipes, "--by", "optimizer", "--law", "optimizer_factors", "-o", output,
        "--format", "json",
    )  # fmt: skip
    assert result.exit_code == 0
    return output, json.loads(result.stdout)


def test_factors_are_those_of_the_label_with_fewer_runs(saved):
    document = saved[1]
    assert document["levels"] == ["adamw", "muon"]  # adamw has one run more: the reference
    parameters = document["parameters"]
    assert parameters["rho_N2"]["value"] == pytest.approx(1.4, rel=0.05)
    assert parameters["rho_D2"]["value"] == pytest.approx(1.2, rel=0.05)
    assert parameters["rho_N2"]["meaning"] == "worth of a parameter, muon over adamw"
    assert "muon:" in document["formula"]
    assert "MIXED" not in {note["id"] for note in document["notes"]}


def predicted(invoke, fit, *arguments):
    result = invoke("predict", fit, *arguments, "--format", "csv", "--quiet")
    assert result.exit_code == 0, result.stderr
    return next(csv.DictReader(io.StringIO(result.stdout)))


def test_a_forecast_names_its_level(invoke, saved):
    fit = saved[0]
    point = ("--params", "2e9", "--tokens", "1e11")
    muon = float(predicted(invoke, fit, *point, "--with", "level=muon")["value"])
    adamw = float(predicted(invoke, fit, *point, "--with", "level=adamw")["value"])
    assert muon == pytest.approx(loss(2e9, 1e11, 1.4, 1.2), rel=2e-3)
    assert adamw == pytest.approx(loss(2e9, 1e11), rel=2e-3)
    assert float(predicted(invoke, fit, *point, "--with", "level=2")["value"]) == muon


def test_compute_alone_is_split_at_the_level(invoke, saved):
    row = predicted(invoke, saved[0], "--flops", "1e21", "--with", "level=adamw")
    gain = (0.35 * 480 / (0.37 * 2100)) ** (1 / 0.72)
    assert float(row["params"]) == pytest.approx(gain * (1e21 / 6) ** (0.37 / 0.72), rel=0.1)
    assert float(row["params"]) * float(row["tokens"]) * 6 == pytest.approx(1e21)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "needs level besides"),
        (("--with", "level=sgd"), "'sgd' is no level of this fit; it has adamw, muon"),
        (("--with", "level=adamw", "--with", "level=muon"), "gives level twice"),
        (("--with", "level=adamw,experts=8"), "has no input experts; it takes level"),
        (("--with", "level"), "'level' is not a parameter and its value"),
    ],
)
def test_wrong_further_inputs(invoke, saved, given, message):
    result = invoke("predict", saved[0], "--params", "1e9", "--tokens", "1e10", *given)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_plan_takes_the_level_too(invoke, saved):
    arguments = ("budget", "--gpus", "8", "--params", "1e9", "--tokens", "2e10", "--fit", saved[0])
    document = json.loads(invoke(*arguments, "--with", "level=muon", "--format", "json").stdout)
    assert document["forecast"]["value"] == pytest.approx(loss(1e9, 2e10, 1.4, 1.2), rel=2e-3)
    assert "needs level besides" in invoke(*arguments).stderr


def test_levels_need_a_label(invoke, recipes):
    result = invoke("fit", recipes, "--law", "optimizer_factors")
    assert result.exit_code == 3
    assert "--by" in result.stderr
    one = recipes.read_text(encoding="utf-8").replace("muon", "adamw")
    recipes.write_text(one, encoding="utf-8")
    result = invoke("fit", recipes, "--law", "optimizer_factors", "--by", "optimizer")
    assert result.exit_code == 4
    assert "all runs have the same value, adamw" in result.stderr


def test_published_laws_of_further_inputs_can_plan(invoke):
    needs = {
        law.id: [role for role in ("unique_tokens", "experts") if role in law_inputs(law.law)]
        for law in published_laws()
    }
    values = {"unique_tokens": "25B", "experts": "8"}
    tried = 0
    for name, roles in needs.items():
        if not roles:
            continue
        given = ",".join(f"{role}={values[role]}" for role in roles)
        result = invoke(
            "budget", "--gpus", "64", "--params", "1e9", "--tokens", "2e10", "--law", name,
            "--with", given, "--format", "json",
        )  # fmt: skip
        assert result.exit_code == 0, (name, result.stderr)
        assert json.loads(result.stdout)["forecast"]["value"] > 0
        tried += 1
    assert tried >= 2


def law_inputs(name):
    from scaleplan.laws import get_law

    return get_law(name).inputs


def test_a_published_law_is_forecast_by_its_id(invoke):
    row = predicted(invoke, "besiroglu_2024", "--flops", "5.88e23")
    # Worked from the published parameters: Besiroglu et al. 2024, arXiv 2404.10102.
    assert float(row["params"]) == pytest.approx(7.3016e10, rel=1e-3)
    assert float(row["tokens"]) == pytest.approx(1.3422e12, rel=1e-3)
    assert float(row["value"]) == pytest.approx(1.97386, rel=1e-3)
    refused = invoke("predict", "besiroglu_2024", "--flops", "1e20", "--law", "power")
    assert refused.exit_code == 2
    assert "cannot change besiroglu_2024" in refused.stderr
    assert invoke("predict", "besiroglu_2025", "--flops", "1e20").exit_code == 3


def test_along_one_ray_the_factor_is_of_compute(invoke, tmp_path):
    rows = [
        f"{name},{n:.0f},{20 * n:.0f},{1.8 + 1000 / (rho * 120 * n * n) ** 0.155:.9f}"
        for name, rho in (("muon", 1.6), ("adamw", 1.0))
        for n in (1e7, 2e7, 4e7, 8e7, 1.6e8, 3.2e8, 6.4e8, 1.28e9)
    ]
    log, fit = tmp_path / "rays.csv", tmp_path / "fit.yaml"
    text = "optimizer,params,tokens,loss\n" + "\n".join(rows) + "\n"
    log.write_text(text, encoding="utf-8")
    made = invoke(
        "fit", log, "--by", "optimizer", "--law", "compute_factors", "-o", fit, "--format", "json"
    )
    assert made.exit_code == 0, made.stderr
    document = json.loads(made.stdout)
    named = {"muon": 1.6, "adamw": 1.0}
    worth = named[document["levels"][1]] / named[document["levels"][0]]
    assert document["parameters"]["rho2"]["value"] == pytest.approx(worth, rel=1e-4)
    for name, rho in (("muon", 1.6), ("adamw", 1.0)):
        row = predicted(invoke, fit, "--flops", "1e22", "--with", f"level={name}")
        assert float(row["value"]) == pytest.approx(1.8 + 1000 / (rho * 1e22) ** 0.155, rel=1e-4)
