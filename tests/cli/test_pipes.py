"""The program among other programs: pipes, closed streams, full disks, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = f"{sys.executable} -m scaleplan"
PLAN = "budget --gpus 1000 --params 1e10"


def shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("arguments", [PLAN, f"{PLAN} --format json", "gpus", "--help"])
def test_a_reader_that_leaves_ends_it_quietly(arguments):
    done = shell(f"{PROGRAM} {arguments} | true")
    # The writer may have finished into the pipe's buffer before its reader left.
    assert done.returncode in {0, 141}
    assert done.stderr == ""


def test_a_pipe_without_reader_is_141():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "scaleplan", *PLAN.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""


def test_head_gets_the_first_line():
    done = shell(f"{PROGRAM} {PLAN} | head -1")
    assert done.stdout.startswith("scaleplan budget: 10.0B parameters")
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this machine has no /dev/full")
def test_full_disk_is_an_error_and_no_traceback():
    for arguments in (PLAN, "--help"):
        done = shell(f"{PROGRAM} {arguments} > /dev/full")
        assert done.returncode == 3
        assert done.stderr.startswith("error: ")
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_closed_standard_output_is_an_error():
    done = shell(f"{PROGRAM} {PLAN} >&-")
    assert done.returncode == 3
    assert done.stderr.startswith("error: standard output is closed")


def test_closed_standard_error_changes_no_exit_code():
    assert shell(f"{PROGRAM} budget --gpus 0 --params 1 2>&-").returncode == 2
    done = shell(f"{PROGRAM} {PLAN} 2>&-")
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this machine has no /dev/full")
def test_messages_that_nobody_can_take_change_no_exit_code():
    assert shell(f"{PROGRAM} fit nowhere.csv 2>/dev/full").returncode == 3
    assert shell(f"{PROGRAM} budget --gpus 0 --params 1 2>/dev/full").returncode == 2
    # CSV sends its notes to standard error.
    done = shell(f"{PROGRAM} budget --gpus 8 --params 1T --format csv 2>/dev/full")
    assert done.returncode == 0
    assert done.stdout.startswith("gpus,")


def test_closed_standard_input_is_an_error():
    done = shell(f"{PROGRAM} fit - <&-")
    assert done.returncode == 3
    assert done.stderr.startswith("error: standard input: is closed")
    assert "hint: " in done.stderr


def test_interrupt_in_the_middle_of_a_fit_leaves_no_file(chinchilla_csv):
    fit = chinchilla_csv.parent / "fit.yaml"
    command = [sys.executable, "-m", "scaleplan", "fit", str(chinchilla_csv)]
    # As long as a short fit takes on this machine now, and then as long again.
    began = time.monotonic()
    subprocess.run([*command, "--resamples", "40", "--quiet"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    whole = time.monotonic() - began
    process = subprocess.Popen(
        [*command, "-o", str(fit), "--resamples", "100_000_000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )  # fmt: skip
    time.sleep(2.0 * whole + 1.0)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == b""
    assert errors == b"interrupted\n"
    assert [path.name for path in chinchilla_csv.parent.iterdir()] == ["runs.csv"]


def test_interrupt_while_waiting_for_standard_input():
    process = subprocess.Popen(
        [sys.executable, "-m", "scaleplan", "fit", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    # Long enough to be past its imports; shorter only makes the test easier.
    time.sleep(2.0)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == b""
    assert errors == b"interrupted\n"


def test_piped_output_has_no_escape_codes_and_no_cut_number():
    done = shell(f"COLUMNS=40 FORCE_COLOR= {PROGRAM} {PLAN}")
    assert "\x1b" not in done.stdout
    assert "…" not in done.stdout


@pytest.mark.parametrize("variable", ["FORCE_COLOR=1", "GITHUB_ACTIONS=true"])
@pytest.mark.parametrize(
    "arguments", ["fit --help", f"{PLAN} --format json", f"{PLAN} --format csv", "budget --gpus 0"]
)
def test_a_forced_colour_reaches_no_help_no_error_and_no_machine(variable, arguments):
    done = shell(f"unset NO_COLOR _TYPER_FORCE_DISABLE_TERMINAL; {variable} {PROGRAM} {arguments}")
    assert done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_same_command_gives_the_same_bytes():
    for output_format in ("table", "json", "csv", "markdown"):
        command = f"{PROGRAM} {PLAN} --format {output_format}"
        assert shell(command).stdout == shell(f"COLUMNS=57 {command}").stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_narrow_encoding_loses_characters_and_not_the_result(encoding):
    done = shell(f"PYTHONIOENCODING={encoding} {PROGRAM} {PLAN}")
    assert done.returncode == 0
    assert "1000" in done.stdout
    assert done.stderr == ""


def test_a_log_can_come_through_a_pipe(chinchilla_csv):
    done = shell(f"cat {chinchilla_csv} | {PROGRAM} fit - --resamples 0 --format json")
    assert done.returncode == 0, done.stderr
    assert '"schema": "scaleplan.fit/1"' in done.stdout


def test_a_log_can_come_from_a_process_substitution(chinchilla_csv):
    command = f"predict <(cat {chinchilla_csv}) --params 1e9 --tokens 1e11 --format csv"
    done = shell(f"{PROGRAM} {command} --quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("params,tokens,flops,")


def test_a_fit_on_standard_input_is_read_as_one(chinchilla_csv, tmp_path, run_cli, invoke):
    kept = tmp_path / "fit.yaml"
    assert invoke("fit", chinchilla_csv, "--resamples", "0", "-o", kept, "-q").exit_code == 0
    text = kept.read_text(encoding="utf-8")
    asked = ("predict", "-", "--flops", "1e22", "-q")
    expected = invoke("predict", kept, *asked[2:])
    assert expected.exit_code == 0
    for done in (run_cli(*asked, stdin=text).stdout, invoke(*asked, stdin=text).stdout):
        assert done == expected.stdout
    plan = ("budget", "--gpus", "64", "--params", "1e9", "--fit")
    assert run_cli(*plan, "-", stdin=text).stdout == invoke(*plan, kept).stdout
    wrong = run_cli("fit", "-", stdin=text)
    assert (wrong.returncode, "standard input: is a saved fit" in wrong.stderr) == (3, True)
    broken = run_cli(*asked, stdin=text.replace("widening:", "widen:"))
    assert (broken.returncode, "standard input: is not a complete" in broken.stderr) == (3, True)
    log = run_cli(*asked, stdin=chinchilla_csv.read_text(encoding="utf-8"))
    assert (log.returncode, "fit of standard input" in log.stdout) == (0, True)


def test_a_fit_can_come_from_a_process_substitution(chinchilla_csv, tmp_path, invoke):
    kept = tmp_path / "fit.yaml"
    assert invoke("fit", chinchilla_csv, "--resamples", "0", "-o", kept, "-q").exit_code == 0
    for command in ("predict {} --flops 1e22 -q", "next {} --budget 1e20 -q"):
        done = shell(f"{PROGRAM} {command.format(f'<(cat {kept})')}")
        assert done.returncode == 0, done.stderr
        assert done.stdout == invoke(*command.format(kept).split()).stdout
