"""Printed logs as frameworks write them: stamps, colours, bars of progress, much said before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

DEEPSPEED = """start
steps: 10 loss: 4.9000 iter time (s): 1.2 samples/sec: 25.9
[INFO] epoch=0/micro_step=10/global_step=10, RunningAvgSamplesPerSec=25.1
steps: 20 loss: 4.8000 iter time (s): 1.2 samples/sec: 25.9
[INFO] epoch=0/micro_step=20/global_step=20, RunningAvgSamplesPerSec=25.1
steps: 30 loss: 4.7000 iter time (s): 1.2 samples/sec: 25.9
"""
RANK_0 = "[2023-04-01 12:00:00,123] [INFO] [logging.py:96:log_dist] [Rank 0]"
TITAN = (
    "[titan] 2025-03-01 10:00:00,123 - root - INFO - \x1b[31mstep: {}  \x1b[32mloss:  {}  \x1b[0m"
)


@pytest.fixture
def log(tmp_path):
    def write(text: str, name: str = "train.log") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return str(path)

    return write


def points(source: str) -> tuple[list[float], list[float]]:
    (curve,) = load_curves([source]).curves
    return curve.main.at.tolist(), curve.main.value.tolist()


@pytest.mark.parametrize("name", ["train.log", "train.out", "train"])
@pytest.mark.parametrize(
    "tag",
    ["[2024-01-01 10:00:00] ", "[INFO] ", "[rank0]: ", "[0]: ", "[1/9] ", "\x1b[34m[INFO]\x1b[0m ",
     "[\x1b[34mINFO\x1b[0m] "],
)  # fmt: skip
def test_lines_that_begin_with_a_bracket_are_messages(log, tag, name):
    text = f"{tag}starting\n{tag}step 1 loss 3.0\n{tag}step 2 loss 2.0\n"
    assert points(log(text, name)) == ([1.0, 2.0], [3.0, 2.0])


@pytest.mark.parametrize("name", ["runs.log", "runs.txt", "runs"])
@pytest.mark.parametrize(
    "text",
    [
        '[{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}]',
        '[\n  {"step": 1, "loss": 3.0},\n  {"step": 2, "loss": 2.0}\n]\n',
        '{"step": [1, 2], "loss": [3.0, 2.0]}',
    ],
)
def test_a_list_in_json_is_read_as_json_whatever_it_is_called(log, text, name):
    assert points(log(text, name)) == ([1.0, 2.0], [3.0, 2.0])


@pytest.mark.parametrize("text", ['[{"step": 1, "loss": 3.0},', "[1, 2, 3", "[[1], [2]] step"])
def test_damaged_json_is_refused_as_json(log, text):
    with pytest.raises(InputError, match="is not valid JSON"):
        load_runs([log(text)])


def test_colours_are_no_part_of_a_line(log):
    text = "".join(f"{TITAN.format(i, 9 - i)}\n" for i in (1, 2, 3))
    assert points(log(text)) == ([1.0, 2.0, 3.0], [8.0, 7.0, 6.0])
    inside = "INFO \x1b[31mstep: {} \x1b[38;2;1;2;3mloss: {}\x1b[K\x1b[0m\n"
    text = "\x1b]0;training\x07" + "".join(inside.format(i, 9 - i) for i in (1, 2, 3))
    assert points(log(text)) == ([1.0, 2.0, 3.0], [8.0, 7.0, 6.0])


@pytest.mark.parametrize("lines", [250, 3000])
def test_a_program_may_say_much_before_it_trains(log, lines):
    said = "".join(
        f"2024-01-01 10:00:00 INFO shard {i} of the data is ready\n" for i in range(lines)
    )
    assert points(log(f"{said}step 1 loss 3.0\nstep 2 loss 2.0\n", "log.txt"))[0] == [1.0, 2.0]


def test_a_long_table_that_is_called_txt_stays_a_table(log):
    rows = "".join(f"{i + 1} {9 - i / 1000:.4f}\n" for i in range(8000))
    at, values = points(log(f"step loss\n{rows}", "table.txt"))
    assert (len(at), at[-1], values[-1]) == (8000, 8000.0, 1.001)


def test_a_dictionary_may_stand_behind_a_bar_of_progress(log):
    bar = " 10%|█         | 100/1000 [00:40<10:00,  1.02s/it]      "
    text = f"{bar}{{'loss': 3.5, 'epoch': 0.1}}\n{bar}{{'loss': 3.25, 'epoch': 0.2}}{bar}\n"
    assert points(log(text)) == ([0.1, 0.2], [3.5, 3.25])


def test_deepspeed_counts_its_losses_itself(log):
    assert points(log(DEEPSPEED)) == ([10.0, 20.0, 30.0], [4.9, 4.8, 4.7])


def test_a_step_said_on_the_line_before_counts_too(log):
    text = "".join(
        f"{RANK_0} step={i}, skipped=0, lr=[9.0e-06]\nINFO steps: {i} loss: {9 - i}\n"
        for i in (1, 2)
    )
    assert points(log(text)) == ([1.0, 2.0], [8.0, 7.0])


def test_how_many_steps_there_will_be_is_no_step(log):
    text = "steps: 1000\nval loss 11.0\nstep 1 max steps: 9 loss 3\nstep 2 max steps: 9 loss 2\n"
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [0.0]
    assert curve.training.at.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("steps", "start"),
    [((1, 2, 3), 0.0), ((10, 20, 30), 0.0), ((5001, 5002, 5003), 5000.0), ((5010, 5020), 5000.0)],
)
def test_a_value_before_the_first_step_is_that_of_the_start(log, steps, start):
    lines = "".join(f"step {i}/9999 | loss 3.5 | lr 6e-4\n" for i in steps)
    path = log(f"num_parameters: 1000\nval loss 11.0\n{lines}val loss 3.25\n")
    (curve,) = load_curves([path]).curves
    assert curve.validation.at.tolist() == [start, steps[-1]]
    runs = load_runs([path])
    assert runs.value.tolist() == [3.25]
    assert runs.columns["step"].tolist() == [steps[-1]]


def test_a_start_is_found_where_steps_have_marks_of_thousands(log):
    text = "val loss 11.0\nstep 1,000 loss 3.5\nstep 2,000 loss 3.0\nval loss 3.25\n"
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [0.0, 2000.0]


LLM_C = "s:0 tel:11.0095\ns:1 trl:11.0094 lr:0.000001 norm:20.32\ns:2 trl:10.85\ns:2 tel:10.80\n"
FAIRSEQ = """\
2021-01-01 10:00:00 | INFO | fairseq_cli.train | Namespace(arch='x', lr=[0.0005])
2021-01-01 10:00:10 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "11.2", \
"wps": "10000", "num_updates": "100", "lr": "1.2e-05", "train_wall": null}
2021-01-01 10:00:20 | INFO | valid | {"epoch": 1, "valid_loss": "8.0", "valid_num_updates": "100"}
2021-01-01 10:00:30 | INFO | train_inner | {"epoch": 2, "update": 1.1, "loss": "9.2", \
"wps": "10000", "num_updates": "200", "lr": "2.2e-05", "train_wall": null}
2021-01-01 10:00:40 | INFO | valid | {"epoch": 2, "valid_loss": "7.5", "valid_num_updates": "200"}
"""


@pytest.mark.parametrize(
    ("text", "steps", "values", "training"),
    [
        (LLM_C, [0, 2], [11.0095, 10.80], [math.nan, 10.85]),
        (FAIRSEQ, [100, 200], [8.0, 7.5], [11.2, 9.2]),
    ],
)
def test_short_names_and_dictionaries_in_lines(tmp_path, text, steps, values, training):
    path = tmp_path / "main.log"
    path.write_text(text, encoding="utf-8")
    runs = load_runs([str(path)], all_points=True)
    assert runs.column("step").tolist() == steps
    assert runs.value.tolist() == values
    assert np.array_equal(runs.column("train_value"), training, equal_nan=True)
