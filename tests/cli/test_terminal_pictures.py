"""`--plot -`: pictures as text below the tables."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("uniplot")

LANGUAGE = "sample_runs/language/runs.csv"
FIT = ("fit", LANGUAGE, "--resamples", "0", "-q", "--plot", "-")


def test_the_picture_of_a_fit_stands_below_its_tables(invoke):
    result = invoke(*FIT)
    assert result.exit_code == 0
    plain = invoke(*FIT[:-2]).stdout
    assert result.stdout.startswith(plain)
    drawn = result.stdout[len(plain) :]
    assert invoke(*FIT).stdout.endswith(drawn)
    assert max(map(len, drawn.splitlines())) <= 80
    for text in ("val_loss (as logged)", "training compute (FLOP)", "1e12", "* compute-optimal",
                 "o runs", "Residuals", "training tokens", "10M ┤"):  # fmt: skip
        assert text in drawn
    law = drawn[drawn.index("Law and runs") : drawn.index("Residuals")]
    assert 20 <= law.count("o") <= 40 + law.count("o runs")
    rows = [line.partition("│")[2] for line in law.splitlines() if "│" in line]
    starred = [row.index("*") for row in rows if "*" in row]
    assert starred == sorted(starred)  # the loss falls with compute


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (("budget", "--params", "7B", "--gpus", "8,64,512"), ("US dollars", "days", "ideal 1/C")),
        (("predict", "besiroglu_2024", "--flops", "1e22"), ("X forecast", ": interval")),
        (
            ("compare", LANGUAGE, "--objective", "huber"),
            ("= back-test", "power_floor ┤", "@ power"),
        ),
        (("check", "sample_runs/images/epochs.csv"), ("X best checkpoint", "* validation")),
    ],
)
def test_every_command_with_pictures_draws(invoke, arguments, texts):
    result = invoke(*arguments, "-q", "--plot", "-")
    assert result.exit_code == 0
    for text in texts:
        assert text in result.stdout


def test_a_terminal_without_unicode_gets_ascii(run_cli):
    done = run_cli("predict", "besiroglu_2024", "--flops", "1e22", "-q", "--plot", "-",
                   PYTHONIOENCODING="ascii")  # fmt: skip
    assert done.returncode == 0
    drawn = done.stdout[done.stdout.index("Law; band") :]
    assert drawn.isascii()
    assert "?" not in drawn
    assert "1e20" in drawn
    assert "\x1b" not in drawn


def test_colours_are_added_where_they_are_asked_for(run_cli):
    done = run_cli("predict", "besiroglu_2024", "--flops", "1e22", "-q", "--plot", "-",
                   NO_COLOR="", FORCE_COLOR="1")  # fmt: skip
    assert "\x1b[" in done.stdout


@pytest.mark.parametrize("output_format", ["json", "csv", "markdown"])
def test_other_formats_have_no_place_for_it(invoke, output_format):
    result = invoke(*FIT, "--format", output_format)
    assert result.exit_code == 2
    assert result.stdout == ""
    error = json.loads(result.stderr)["error"] if output_format == "json" else result.stderr
    assert f"--format {output_format} has no place" in error


def test_without_uniplot_the_extra_is_named(invoke, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uniplot" else find(name)
    )
    result = invoke(*FIT)
    assert result.exit_code == 2
    assert "pip install 'scaleplan[plot]'" in result.stderr


def test_what_draws_nothing_is_refused(invoke, tmp_path):
    watched = invoke("check", "sample_runs/images/epochs.csv", "--watch", "--plot", "-")
    assert watched.exit_code == 2
    assert "--watch" in watched.stderr
    updated = invoke("fit", LANGUAGE, "--update", "fit.yaml", "--plot", str(tmp_path / "a.png"))
    assert updated.exit_code == 2
    assert "--update" in updated.stderr


def test_names_cannot_drive_the_terminal(invoke, tmp_path):
    log = tmp_path / "a.csv"
    rows = "".join(f"\x1b[31m[red]模型 $x$,{s},{2 / s + 1:.4f}\n" for s in range(1, 21))
    log.write_text("run,step,val_loss\n" + rows, encoding="utf-8")
    result = invoke("check", str(log), "-q", "--plot", "-")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "[31m[red]模型 $x$: " in result.stdout
