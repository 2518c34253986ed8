"""What the hints of errors on printed logs say to do works."""

from __future__ import annotations

import re
import shlex

import pytest

from scaleplan.runs.formats.pattern_hint import how_to_describe


def epochs(shift=0.0):
    return "".join(
        f"TRAIN: Epoch {e} Loss: {3 / e + 0.5 + shift:.4f} Accuracy: {60 + e}%\n"
        f"TEST: Loss: {3 / e + 0.6 + shift:.4f} Accuracy: {58 + e}%\n"
        for e in range(1, 9)
    )


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my logs").mkdir()
    names = [f"my logs/{name}.log" for name in "abcd"]
    for place, name in enumerate(names):
        (tmp_path / name).write_text(epochs(0.2 - 0.05 * place), encoding="utf-8")
    return names


def test_sizes_of_printed_runs_are_given_run_by_run(invoke, logs):
    refused = invoke("fit", *logs)
    assert refused.exit_code == 3
    assert "--input" not in refused.stderr
    (option,) = re.findall(r"--set ('[^']+'|\S+?),", refused.stderr)
    first = shlex.split(option)[0]
    assert first == "my logs/a.log:params=124M"
    sizes = zip(logs[1:], (250, 500, 1000), strict=True)
    others = [f"--set={name}:params={size}M" for name, size in sizes]
    done = invoke("fit", *logs, "--set", first, *others)
    assert done.exit_code == 0, done.stderr


def test_one_run_is_no_law(invoke, logs):
    refused = invoke("fit", logs[0])
    assert refused.exit_code == 3
    assert "A law needs runs of several sizes" in refused.stderr
    assert "--input" not in refused.stderr
    assert invoke("check", logs[0]).exit_code == 0


def test_a_number_that_may_be_a_size_is_named(invoke, tmp_path):
    path = tmp_path / "runs.csv"
    rows = [f"r{i},{0.5 + i / 50},{64 * 2**i},{i + 2},{2 + 3 * 0.7**i}\n" for i in range(7)]
    text = "run,nmi,width,depth_of_it,val_loss\n" + "".join(rows)
    path.write_text(text, encoding="utf-8")
    refused = invoke("fit", str(path))
    assert refused.exit_code == 3
    (option,) = re.findall(r"for example --input '([^']+)'", refused.stderr)
    assert option == "width"
    assert invoke("fit", str(path), "--input", option).exit_code == 0


FORMS = {
    "networks": "[{e}] Accuracy of the network on the 10000 test images: {a} %",
    "times": "2026-01-01 10:00:{e:02d},123 INFO trainer: [{s:3d}/ 100] fooness={f:.3f} (lr 0.001)",
    "commas": "Iter {s}, Foo: {f:.3f}, Bar: {b}",
    "yaml": "foo: {f:.3f} after {s} rounds",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("command", ["runs", "check"])
def test_a_pattern_that_is_proposed_reads_the_log(invoke, tmp_path, form, command):
    path = tmp_path / "train.log"
    lines = [
        form.format(e=e, s=10 * e, a=58 + 3 * e, f=1 / e + 0.3, b=7 * e % 5) for e in range(1, 11)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    refused = invoke(command, str(path))
    assert refused.exit_code == 3
    (hint,) = re.findall(r"such as (--pattern .*)\.$", refused.stderr, re.MULTILINE)
    done = invoke(command, str(path), *shlex.split(hint), "--format", "json", "-q")
    assert done.exit_code == 0, done.stderr


def test_a_text_without_numbers_has_the_example():
    assert "(?P<epoch>" in how_to_describe("nothing here\nand nothing there\n")
    assert "(?P<epoch>" in how_to_describe("")


def test_the_time_that_data_took_to_come_is_no_metric():
    lines = [
        f"(epoch: 1, iters: {i}00, time: 0.{i}, data: 0.00{i}) Q_A: {1 / i:.3f} Q_B: {2 / i:.3f}\n"
        for i in range(1, 9)
    ]
    assert "(?P<q_a>" in how_to_describe("".join(lines))
