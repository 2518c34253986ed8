"""Steps that begin again in each epoch are those of one run."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.series import load_curves


@pytest.fixture
def curves(tmp_path):
    """Write a log and read its curves: the steps of each, and the ids of the notes."""

    def read(text, **options):
        path = tmp_path / "log.csv"
        path.write_text(text, encoding="utf-8")
        found = load_curves([str(path)], **options)
        steps = [curve.main.at.tolist() for curve in found.curves]
        return steps, [note.id for note in found.notes]

    return read


def log(name="step", epochs=(1, 2, 3), steps=(0, 100, 200, 300), more=""):
    """Return a log of 4 x 3 rows whose loss falls, with other cells at the end of each row."""
    count, lines = 0, []
    for epoch in epochs:
        for step in steps:
            count += 1
            lines.append(f"{epoch},{step},{4 / count**0.5:.4f}{more}")
    return f"epoch,{name},val_loss{',mode' if more else ''}\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["step", "iter", "iteration"])
@pytest.mark.parametrize(
    ("epochs", "within", "expected"),
    [
        ((1, 2, 3), (0, 100, 200, 300), [100.0 * i for i in range(12)]),
        ((0, 1), (100, 200, 300, 400), [100.0 * i for i in range(1, 9)]),
        ((3, 4), (0, 1, 2), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]),
        # the last batch of each epoch is logged beside every hundredth
        ((1, 2), (0, 100, 200, 237), [0.0, 100.0, 200.0, 237.0, 238.0, 338.0, 438.0, 475.0]),
    ],
)
def test_an_epoch_and_a_step_within_it_count_one_run(
    load, note_ids, curves, name, epochs, within, expected
):  # fmt: skip
    text = log(name, epochs, within)
    runs = load(text)
    assert runs.column("step").tolist() == [expected[-1]]
    assert "STEPS_OF_EPOCHS" in note_ids(runs)
    steps, notes = curves(text)
    assert steps == [expected]
    assert "STEPS_OF_EPOCHS" in notes
    assert "RUNS_SPLIT" not in notes


def test_a_validation_with_a_count_of_its_own_stands_at_the_end_of_its_epoch(load, curves):
    text = "mode,epoch,iter,loss,mAP,mAP_50\n" + "".join(
        f"train,{e},50,{3 / e},,\ntrain,{e},100,{2.5 / e},,\nval,{e},238,,0.{e},0.{e + 2}\n"
        for e in (1, 2, 3, 4)
    )
    assert load(text).column("step").tolist() == [400.0]
    assert curves(text)[0] == [[50.0 * i for i in range(1, 9)]]
    assert curves(text, metric="mAP")[0] == [[100.0, 200.0, 300.0, 400.0]]


def test_an_epoch_that_begins_again_is_that_of_another_run(load, curves):
    text = log() + log().partition("\n")[2]
    steps, notes = curves(text)
    assert [each[-1] for each in steps] == [1100.0, 1100.0]
    assert "RUNS_SPLIT" in notes
    with pytest.raises(InputError, match="the steps go back here"):
        load(text)


def test_runs_with_names_count_their_own_epochs(load):
    text = "run,epoch,step,val_loss\n" + "".join(
        f"{run},{row}\n" for run in "ab" for row in log().splitlines()[1:]
    )
    assert load(text).column("step").tolist() == [1100.0, 1100.0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("1,10,3 1,20,2.9 2,30,2.8 2,40,2.7", [[10.0, 20.0, 30.0, 40.0]]),
        # a run that begins again in its first epoch
        ("1,10,3 1,20,2.9 1,30,2.8 1,10,3.1 1,20,2.8 1,30,2.6", [[10.0, 20.0, 30.0]] * 2),
        # an epoch was passed over; the second one begins elsewhere
        ("1,10,3 1,20,2.9 3,10,2.8 3,20,2.7", [[10.0, 20.0]] * 2),
        ("1,10,3 1,20,2.9 1,30,2.8 1,400,2.7 2,300,2.6 2,350,2.5", None),
    ],
)
def test_other_counts_stay_as_they_are(curves, rows, expected):
    steps, notes = curves("epoch,step,val_loss\n" + rows.replace(" ", "\n"))
    assert "STEPS_OF_EPOCHS" not in notes
    assert expected is None or steps == expected


@pytest.mark.parametrize("text", [
    "Config,Params,Tokens,Val Loss\n3M,6598528,131.9M,6.01\n6M,10195200,203.9M,5.29\n"
    "10M,13790208,275.8M,4.88\n17M,22164864,443.3M,4.03\n150M,~150M,-,pending\n",
    "Params,Tokens,Val Loss\n6598528,131.9M,6.01\n10195200,203.9M,5.29\n"
    "13790208,275.8M,4.88\n22164864,443.3M,4.03\n,1.1B,3.9\n",
])  # fmt: skip
def test_sizes_that_differ_on_every_row_are_those_of_runs(curves, text):
    with pytest.raises(InputError, match="each of its 5 rows is a run of its own"):
        curves(text)


def test_configurations_name_runs(load):
    runs = load("Config,Params,Val Loss\nsmall,1e6,4\nlarge,1e7,3\n")
    assert runs.labels["run"] == ("small", "large")


def test_configurations_of_several_runs_each_do_not_name_them(load, curves):
    text = "Config,Type,Step,Loss\n" + "".join(
        f"{size},{kind},{step},{4 - step / 10}\n"
        for size in "SM" for kind in ("base", "new") for step in range(4)
    )  # fmt: skip
    assert len(load(text)) == 4
    assert [len(each) for each in curves(text)[0]] == [4] * 4


def test_sizes_in_the_first_row_of_each_run_do_not_split_it(curves):
    steps, _ = curves("params,step,val_loss\n" + "".join(
        f"{'' if step else size},{step},{5 - 0.1 * step}\n"
        for size in ("1e6", "2e6") for step in range(5)
    ))  # fmt: skip
    assert [len(each) for each in steps] == [5, 5]


def test_a_name_in_a_row_of_settings_names_none_of_the_others(load, curves):
    text = "exp_name,step,loss\nmine,,\n,1,3\n,2,2.5\n,3,2.2\n,4,2.1\n"
    assert "run" not in load(text).labels
    steps, notes = curves(text)
    assert steps == [[1.0, 2.0, 3.0, 4.0]]
    assert "NOT_JUDGED" not in notes
