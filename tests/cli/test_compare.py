"""`compare`: laws and objectives side by side."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

HUBER = "Huber of log residuals"


def test_document_has_every_law_and_objective(invoke, chinchilla_csv):
    result = invoke(
        "compare", chinchilla_csv, "--params", "1e10", "--tokens", "2e11", "--format", "json"
    )
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.comparison/1"
    assert document["target"] == {"params": 1e10, "tokens": 2e11, "flops": 1.2e22}
    rows = {(row["law"], row["objective"]): row for row in document["laws"]}
    assert len(rows) == len(document["laws"])
    truth = 1.8 + 480 / 1e10**0.35 + 2100 / 2e11**0.37
    for objective in (
        "Huber of log residuals",
        "least squares of log residuals",
        "least squares of the metric",
    ):
        row = rows["chinchilla", objective]
        assert row["value"] == pytest.approx(truth, rel=0.005)
        assert row["low"] < truth < row["high"]
        # The optimum of the truth at 1.2e22 FLOP, from its closed form.
        gain = (0.35 * 480 / (0.37 * 2100)) ** (1 / 0.72)
        assert row["params"] == pytest.approx(gain * (1.2e22 / 6) ** (0.37 / 0.72), rel=0.1)
        assert row["params"] * row["tokens"] * 6 == pytest.approx(1.2e22)
    assert rows["chinchilla", HUBER]["verdict"] == "chosen"
    assert rows["linear", "least squares of the metric"]["verdict"] == "rejected"
    assert document["laws"][0]["verdict"] == "chosen"


def test_chosen_laws_and_objectives_only(invoke, chinchilla_csv):
    result = invoke(
        "compare", chinchilla_csv, "--law", "power_floor,coupled", "--objective", "log",
        "--format", "csv", "--quiet",
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["law"], row["objective"]) for row in rows] == [
        ("coupled", "least squares of log residuals"),
        ("power_floor", "least squares of log residuals"),
    ]


def test_a_single_input(invoke, tmp_path):
    path = tmp_path / "images.csv"
    rows = [f"{n},{0.02 + 3.0 / n**0.5:.9f}" for n in (100, 200, 400, 800, 1600, 3200, 6400, 12800)]
    path.write_text("images,error\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("compare", path, "--input", "images", "--at", "60000", "--format", "json")
    document = json.loads(result.stdout)
    best = document["laws"][0]
    assert best["law"] == "power_floor"
    assert best["value"] == pytest.approx(0.02 + 3.0 / 60000**0.5, rel=1e-4)
    assert best["params"] is None


def test_a_law_that_cannot_be_fitted_is_shown_with_its_reason(invoke, tmp_path):
    path = tmp_path / "ray.csv"
    rows = [
        f"{n:.0f},{20 * n:.0f},{1.8 + 400 / n**0.3}" for n in (1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10)
    ]
    path.write_text("params,tokens,loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("compare", path, "--format", "json")
    rows = {row["law"]: row for row in json.loads(result.stdout)["laws"]}
    assert rows["chinchilla"]["verdict"] == "refused"
    assert "one ray" in rows["chinchilla"]["reason"]
    assert rows["power_floor"]["verdict"] == "chosen"
    assert "refused" in invoke("compare", path).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--objective", "huber,l1"), 2, "'l1' is no objective"),
        (("--law", "chinchila"), 2, "there is no law 'chinchila'"),
        (("--params", "1e9", "--tokens", "1e9", "--flops", "1e20"), 2, "the same thing twice"),
        (("--params", "0"), 2, "0 is not allowed"),
    ],
)
def test_wrong_options(invoke, chinchilla_csv, arguments, code, message):
    result = invoke("compare", chinchilla_csv, *arguments)
    assert result.exit_code == code
    assert message in result.stderr


def test_no_law_at_all_ends_with_4(invoke, tmp_path):
    path = tmp_path / "two.csv"
    path.write_text("params,tokens,loss\n1e8,1e9,3\n1e9,1e10,2.5\n", encoding="utf-8")
    result = invoke("compare", path)
    assert result.exit_code == 4


@pytest.mark.parametrize(
    ("name", "law", "score"),
    [("pass_rate", "sigmoid", lambda x: 0.22 + 0.39 / (1.0 + (1200.0 / x) ** 1.9)),
     ("reward", "power_ceiling", lambda x: 9.0 - 30.0 / x**0.4)],
)  # fmt: skip
def test_the_law_that_fit_would_use_is_always_compared(invoke, tmp_path, name, law, score):
    rng = np.random.default_rng(3)
    x = np.geomspace(30.0, 1e4, 22)
    values = score(x) * np.exp(0.004 * rng.standard_normal(x.size))
    rows = "".join(f"{a:.5g},{v:.5g}\n" for a, v in zip(x, values, strict=True))
    path = tmp_path / "runs.csv"
    path.write_text(f"gpu_hours,{name}\n{rows}", encoding="utf-8")
    fitted = json.loads(invoke("fit", path, "--input", "gpu_hours", "--format", "json").stdout)
    shown = invoke("compare", path, "--input", "gpu_hours", "--format", "json")
    first = json.loads(shown.stdout)["laws"][0]
    assert (first["law"], first["verdict"]) == (law, "chosen")
    assert fitted["law"] == law
