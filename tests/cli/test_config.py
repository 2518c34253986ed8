from __future__ import annotations

import json

import pytest

PLAN = ("budget", "--params", "7B", "--format", "json", "-q")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gpus(result):
    assert result.exit_code == 0, result.stderr
    return {(row["gpu"], row["gpus"]) for row in json.loads(result.stdout)["rows"]}


def test_a_file_in_the_folder_gives_defaults_and_the_command_line_comes_first(invoke, folder):
    text = "cluster:\n  gpu: a100_sxm_80gb\n  gpus: 8,16\n  price: 1.1\n"
    (folder / "scaleplan.yaml").write_text(text, encoding="utf-8")
    assert gpus(invoke(*PLAN)) == {("a100_sxm_80gb", 8), ("a100_sxm_80gb", 16)}
    assert gpus(invoke(*PLAN, "--gpus", "32,64")) == {("a100_sxm_80gb", n) for n in (32, 64)}
    assert ("h100_sxm_80gb", 8) in gpus(invoke("--no-config", *PLAN, "--gpus", "8,16"))


def test_verbose_says_what_the_file_gives(invoke, folder):
    (folder / "own.yaml").write_text("columns: {params: n, loss: val}\n", encoding="utf-8")
    (folder / "a.csv").write_text("n,val\n1e6,3\n1e7,2.5\n1e8,2.2\n", encoding="utf-8")
    result = invoke("--config", "own.yaml", "--verbose", "runs", "a.csv", "--format", "json")
    assert "own.yaml: --columns params=n,loss=val" in result.stderr
    assert json.loads(result.stdout)["runs"][0]["params"] == 1e6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cluster: {gpuu: a100}\n", "Did you mean gpu?"),
        ("nonsense: 1\n", "nonsense is not known"),
        ("cluster: a100\n", "not a section"),
        ("a: &a {b: 1}\nc: *a\n", "scaleplan.yaml"),
        ("[1, 2]\n", "scaleplan.yaml"),
        ("", "is empty"),
        ("cluster: {mfu: 4}\n", "above 0 and at most 1"),
    ],
)
def test_what_a_file_cannot_say_is_refused(invoke, folder, text, said):
    (folder / "scaleplan.yaml").write_text(text, encoding="utf-8")
    result = invoke(*PLAN)
    assert result.exit_code in {2, 3}
    assert said in result.stderr
    assert result.stdout == ""


def test_a_missing_file_that_was_named_is_an_error(invoke, folder):
    assert invoke("--config", "none.yaml", *PLAN).exit_code == 3
    assert invoke("--config", "none.yaml", "--no-config", *PLAN).exit_code == 2


def test_the_cluster_holds_for_every_command_that_plans_on_one(invoke, folder):
    text = "cluster: {gpu: 'a100_sxm_80gb,h100', gpus: '16,32', price: 1.1, mfu: 30%}\n"
    (folder / "scaleplan.yaml").write_text(text, encoding="utf-8")
    command = ("next", "--budget", "1e20", "--prior", "besiroglu", "--format", "json")
    document = json.loads(invoke(*command).stdout)
    assert document["cluster"] == {"gpu": "a100_sxm_80gb", "gpus": 16}
    run = document["runs"][0]
    assert run["usd"] == pytest.approx(1.1 * run["gpu_hours"])
    assert {
        "name": "steady MFU",
        "value": 0.3,
        "unit": "share of dense peak",
        "source": "given",
    } in (document["assumptions"])
    typed = json.loads(invoke(*command, "--gpus", "8", "--gpu", "h100").stdout)
    assert typed["cluster"] == {"gpu": "h100_sxm_80gb", "gpus": 8}
    write_log(folder / "a.csv")
    report = ("report", "a.csv", "-o", "r.html", "--resamples", "0", "-q")
    asked = ("--params", "1e9", "--tokens", "2e10")
    assert invoke(*report, *asked).exit_code == 0
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert "a100_sxm_80gb" in page
    assert "1.1 $/h" in page


def write_log(path):
    rows = ["n_model,toks,val,other_loss"]
    for n in (1e7, 3e7, 1e8, 3e8):
        for d in (1e9, 4e9, 2e10):
            loss = 1.8 + 480 / n**0.35 + 2100 / d**0.37 + 0.001 * ((n / 1e7 + d / 1e9) % 3)
            rows.append(f"{n:.0f},{d:.0f},{loss:.6f},{loss + 1:.6f}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    with (path.parent / "scaleplan.yaml").open("a", encoding="utf-8") as defaults:
        defaults.write("columns: {params: n_model, tokens: toks, loss: val}\n")
    return path


def columns(result):
    assert result.exit_code == 0, result.stderr
    uses = json.loads(result.stdout)["cleaning"]["columns"]
    return {use["role"]: use["column"] for use in uses}


def test_one_typed_column_leaves_the_others_of_the_file(invoke, folder):
    log = write_log(folder / "a.csv")
    command = ("fit", log, "--resamples", "0", "--format", "json")
    kept = columns(invoke(*command))
    assert (kept["params"], kept["tokens"], kept["value"]) == ("n_model", "toks", "val")
    typed = columns(invoke(*command, "--columns", "score=other_loss"))
    assert (typed["params"], typed["tokens"], typed["value"]) == ("n_model", "toks", "other_loss")
    swapped = columns(invoke(*command, "--columns", "N=toks,D=n_model"))
    assert (swapped["params"], swapped["tokens"], swapped["value"]) == ("toks", "n_model", "val")
    metric = columns(invoke(*command, "--metric", "other_loss"))
    assert (metric["params"], metric["value"]) == ("n_model", "other_loss")
    twice = invoke(*command, "--columns", "params=toks", "--columns", "params=n_model")
    assert twice.exit_code == 2


def test_every_command_that_takes_columns_has_those_of_the_file():
    from typer.main import get_command

    from scaleplan.cli.app import app
    from scaleplan.configfile import _WITH_COLUMNS

    commands = get_command(app).commands
    taking = {
        name for name, command in commands.items()
        if any(param.name == "columns" for param in command.params)
    }  # fmt: skip
    assert taking == set(_WITH_COLUMNS)


def test_an_empty_file_says_what_to_do(invoke, folder):
    (folder / "scaleplan.yaml").write_text("# gpu: a100\n", encoding="utf-8")
    result = invoke(*PLAN)
    assert (result.exit_code, "Fill it or remove it. Its sections are" in result.stderr) == (
        3,
        True,
    )


def test_a_cluster_file_holds_for_next_and_report(invoke, folder):
    (folder / "own.yaml").write_text(
        "accelerators:\n  mine: {like: a100_sxm_80gb, usd_per_hour: 0.7}\nmfu: 25%\n",
        encoding="utf-8",
    )
    (folder / "scaleplan.yaml").write_text("cluster: {file: own.yaml}\n", encoding="utf-8")
    command = ("next", "--budget", "1e20", "--prior", "besiroglu", "--format", "json")
    document = json.loads(invoke(*command).stdout)
    assert document["cluster"] == {"gpu": "mine", "gpus": 8}
    run = document["runs"][0]
    assert run["usd"] == pytest.approx(0.7 * run["gpu_hours"])
    log = write_log(folder / "a.csv")
    report = ("report", log, "-o", "r.html", "--resamples", "0", "-q", "--params", "1e9")
    assert invoke(*report, "--tokens", "2e10").exit_code == 0
    page = (folder / "r.html").read_text(encoding="utf-8")
    assert "mine" in page
    assert "0.7 $/h" in page
