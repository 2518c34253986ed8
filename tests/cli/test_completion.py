from __future__ import annotations

import pytest

from scaleplan.cli import completion


def test_laws_begin_with_what_was_typed():
    assert "auto" in completion.laws("")
    assert completion.laws("chin") == ["chinchilla"]
    assert completion.laws("zzz") == []


def test_published_laws():
    assert "besiroglu_2024" in completion.published("besi")


def test_gpus_continue_a_list():
    names = completion.gpus("")
    assert "all" in names
    first = next(name for name in names if name != "all")
    assert f"{first},{first}" in completion.gpus(f"{first},")
    assert "all" not in [name.rpartition(",")[2] for name in completion.gpus(f"{first},")]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (
            "scaleplan fit runs.csv --law po",
            {"power", "power_floor", "power_ceiling", "power_product"},
        ),
        ("scaleplan budget --format ma", {"markdown"}),
        ("scaleplan pre", {"predict"}),
    ],
)
def test_bash_is_offered(run_cli, typed, offered):
    words = typed.split()
    result = run_cli(
        _SCALEPLAN_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(words) - 1),
    )
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) == offered


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("scaleplan fit LOG --input tok", {"tok_seen"}),
        ("scaleplan compare LOG --by opt", {"optimizer"}),
        ("scaleplan fit LOG --metric ", {"val/ce"}),
        ("scaleplan predict LOG --metric v", {"val/ce"}),
        ("scaleplan check LOG --metric v", {"val/ce"}),
        ("scaleplan fit nowhere.csv --by opt", set()),
    ],
)
def test_bash_is_offered_the_columns_of_the_logs(run_cli, tmp_path, typed, offered):
    log = tmp_path / "runs.csv"
    log.write_text(
        "name,n_model,tok_seen,val/ce,optimizer\na,1e6,1e8,3.5,adamw\n", encoding="utf-8"
    )
    words = typed.replace("LOG", str(log)).split(" ")
    result = run_cli(
        _SCALEPLAN_COMPLETE="complete_bash", COMP_WORDS=" ".join(words),
        COMP_CWORD=str(len(words) - 1),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert set(result.stdout.split()) == offered
