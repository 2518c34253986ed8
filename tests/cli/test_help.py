from __future__ import annotations

import re

import pytest
from typer.main import get_command

from scaleplan import __version__
from scaleplan.cli.app import app

COMMANDS = sorted(get_command(app).commands)


def test_version(invoke):
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"scaleplan {__version__}\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_has_an_example_and_nothing_cut(invoke, command, option):
    result = invoke(*command, option)
    assert result.exit_code == 0
    assert re.search(r"Examples?:\n +scaleplan ", result.stdout)
    # What may be repeated is written with three dots; a text that was cut would have them too.
    assert not re.search(r"[a-z ]\.\.\.", result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command):
    for option in get_command(app).commands[command].params:
        assert option.help, f"{command} {option.name}"


@pytest.mark.parametrize("command", COMMANDS)
def test_common_options(command):
    names = {name for option in get_command(app).commands[command].params for name in option.opts}
    assert {"--format", "--quiet", "-q", "--seed", "--strict"} <= names
