"""Options that a command does not have are led to those that it, or another one, has."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("budget", "--params", "7B", "--hours", "3"), "Write it as --days 36h;"),
        (("budget", "--params", "7B", "--dollars", "100"), "Write it as --max-usd 50k;"),
        (("budget", "--params", "7B", "--seq-len=4096"), "Write it as --sequence-length 4096;"),
        (("budget", "--params", "7B", "--json"), "Write it as --format json;"),
        (("budget", "--model", "llama", "--gpus", "8"), "Write it as --shape llama3-8b;"),
        (("predict", "fit.yaml", "--gpus", "8"), "It is an option of budget, "),
        (("sizes", "runs.csv", "--max-usd", "8"), "It is an option of budget;"),
        (("sizes", "runs.csv", "--dollars", "8"), "It is an option of budget;"),
    ],
)
def test_what_was_meant(invoke, arguments, hint):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "no such option: --" in result.stderr
    assert ("Possible options" in result.stderr) <= ("It is an option" in hint)
    assert hint in result.stderr


def test_the_other_commands_are_known_to_the_script(run_cli):
    """It describes the command that was typed, and no other, until it is asked for them."""
    done = run_cli("predict", "fit.yaml", "--gpus", "8")
    assert done.returncode == 2
    assert "hint: It is an option of budget, next and report;" in done.stderr


def test_an_option_that_nobody_has(invoke):
    result = invoke("budget", "--paramz", "7B")
    assert result.exit_code == 2
    assert "--params" in result.stderr
    assert "See `scaleplan budget --help`." in result.stderr


def test_what_is_suggested_exists(invoke):
    """Each of the other names leads to an option of `budget` or of `fit`."""
    from scaleplan.cli import unknown_options

    known = invoke("budget", "--help").stdout + invoke("fit", "--help").stdout
    for meant in unknown_options._MEANT.values():
        assert meant.split()[0] in known
