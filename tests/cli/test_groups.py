"""`fit --by`: the groups of one log side by side."""

from __future__ import annotations

import csv
import io
import json

import pytest

from scaleplan.fitfile import load_fit


def surface(rows, recipe, size, params=(3e7, 1e8, 3e8, 1e9), tokens=(1e9, 3e9, 1e10, 3e10, 1e11)):
    """Add exact runs of L = 1.8 + size/N^0.35 + 2100/D^0.37."""
    for n in params:
        for d in tokens:
            loss = 1.8 + size / n**0.35 + 2100.0 / d**0.37
            rows.append(f"{recipe},{n:.0f},{d:.0f},{loss:.9f}")


@pytest.fixture
def recipes(tmp_path):
    rows = ["optimizer,params,tokens,loss"]
    surface(rows, "adamw", 480.0)
    surface(rows, "muon", 400.0)
    rows += ["sgd,1e8,1e9,4.0", "sgd,1e9,1e9,3.0"]
    path = tmp_path / "recipes.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_each_group_has_its_own_fit(invoke, recipes):
    result = invoke("fit", recipes, "--by", "optimizer", "--format", "json", "--law", "chinchilla")
    document = json.loads(result.stdout)
    assert document["schema"] == "scaleplan.fits/1"
    assert [group["name"] for group in document["groups"]] == ["adamw", "muon", "sgd"]
    adamw, muon, sgd = document["groups"]
    assert adamw["fit"]["parameters"]["A"]["value"] == pytest.approx(480.0, rel=1e-3)
    assert muon["fit"]["parameters"]["A"]["value"] == pytest.approx(400.0, rel=1e-3)
    assert (adamw["runs"], sgd["runs"]) == (20, 2)
    assert sgd["fit"] is None
    assert "2 usable runs" in sgd["refusal"]["error"]
    assert {note["id"] for note in document["notes"]} >= {"GROUP_REFUSED"}
    assert "MIXED" not in {note["id"] for note in document["notes"]}
    assert document["cleaning"]["rows_read"] == 42


def test_table_and_csv_name_the_groups(invoke, recipes):
    table = invoke("fit", recipes, "--by", "optimizer").stdout
    assert "Groups of optimizer" in table
    assert "sgd: refused" in table
    text = invoke("fit", recipes, "--by", "optimizer", "--format", "csv", "--quiet").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["group"] for row in rows} == {"adamw", "muon"}
    assert set(rows[0]) == {"group", "law", "symbol", "value", "low", "high", "unit"}


def test_each_fit_is_kept_in_its_own_file(invoke, recipes, tmp_path):
    output = str(tmp_path / "fit-{group}.yaml")
    assert invoke("fit", recipes, "--by", "optimizer", "-o", output).exit_code == 0
    assert load_fit(str(tmp_path / "fit-muon.yaml")).name.endswith("optimizer = muon")
    assert not (tmp_path / "fit-sgd.yaml").exists()
    shown = invoke("predict", tmp_path / "fit-adamw.yaml", "--params", "1e9", "--tokens", "1e11")
    assert shown.exit_code == 0


def test_one_file_for_several_groups_is_refused(invoke, recipes, tmp_path):
    result = invoke("fit", recipes, "--by", "optimizer", "-o", tmp_path / "fit.yaml")
    assert result.exit_code == 2
    assert "one file for several groups" in result.stderr


def test_a_group_name_is_no_path(invoke, tmp_path):
    rows = ["dataset,params,tokens,loss"]
    surface(rows, "../../evil", 480.0)
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    output = str(tmp_path / "out-{group}.yaml")
    assert invoke("fit", path, "--by", "dataset", "-o", output).exit_code == 0
    assert [p.name for p in tmp_path.glob("out-*")] == ["out-_.._evil.yaml"]


def test_an_unknown_column_lists_the_known(invoke, recipes):
    result = invoke("fit", recipes, "--by", "optimiser")
    assert result.exit_code == 2
    assert "no column 'optimiser' for the groups" in result.stderr
    assert "Did you mean optimizer?" in result.stderr


def test_no_group_that_can_be_fitted_ends_with_4(invoke, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("dataset,params,loss\na,1e8,3\nb,1e8,2.9\n", encoding="utf-8")
    result = invoke("fit", path, "--by", "dataset")
    assert result.exit_code == 4
    assert "none of the 2 groups can be fitted" in result.stderr


def test_numbers_can_name_groups(invoke, recipes):
    text = recipes.read_text(encoding="utf-8")
    text = text.replace("optimizer", "width").replace("adamw", "64").replace("muon", "128")
    recipes.write_text(text.replace("sgd", ""), encoding="utf-8")
    result = invoke("fit", recipes, "--by", "width", "--format", "json")
    names = [group["name"] for group in json.loads(result.stdout)["groups"]]
    assert names == ["64", "128", "(none)"]
