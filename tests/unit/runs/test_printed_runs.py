"""Printed logs with several lines for one epoch or step: one curve, or refused as mixed."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.request import Given
from scaleplan.runs.series import load_curves

IMAGENET = "".join(
    "".join(
        f"Epoch: [{e}][{b:4}/5005]\tTime  0.2 ( 0.2)\tLoss {6 - e - b / 4000:.4e} (6.0e+00)\t"
        f"Acc@1   {5 * e}.00 ( 0.00)\n"
        for b in (0, 1001, 2002)
    )
    + "Test: [ 0/196]\tTime  0.9 ( 0.9)\tLoss 9.0000e+00 (9.0e+00)\tAcc@1  1.00 ( 1.00)\n"
    + f" *   Acc@1 {20 + e}.500 Acc@5 {40 + e}.500\n"
    for e in range(3)
)
FAIRSEQ = "".join(
    f"2020-04-22 07:41:45 | INFO | train | epoch {e:03} | loss {6 - e}.5 | num_updates {362 * e}\n"
    f"2020-04-22 07:41:45 | INFO | valid | epoch {e:03} | valid on 'valid' subset | "
    f"loss {6 - e}.75 | num_updates {362 * e} | best_loss 1.5\n"
    for e in (1, 2, 3)
)
RANKS = "".join(f"{r}: step {s} | loss {9 - s}.{r}\n" for s in range(1, 6) for r in (0, 1))


@pytest.fixture
def log(tmp_path):
    def write(text: str, name: str = "train.log") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_batches_of_epochs_are_points_between_them(log):
    (curve,) = load_curves([log(IMAGENET)], metric="Loss").curves
    expected = [e + b / 5005 for e in range(3) for b in (0, 1001, 2002)]
    assert curve.main.at.tolist() == pytest.approx(expected)
    assert curve.main.value[-1] == pytest.approx(6 - 2 - 2002 / 4000, abs=1e-4)
    runs = load_runs([log(IMAGENET)], metric="Loss")
    assert runs.value.tolist() == pytest.approx([6 - 2 - 2002 / 4000], abs=1e-4)


def test_an_evaluation_counts_with_what_it_comes_to(log):
    (curve,) = load_curves([log(IMAGENET)], metric="accuracy").curves
    # After batch 2002 of its epoch, not at the epoch's start; and not the first of 196 batches.
    assert curve.validation.at.tolist() == pytest.approx([e + 0.4 for e in range(3)])
    assert curve.validation.value.tolist() == pytest.approx([0.205, 0.215, 0.225])


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("Train Epoch: {e} [{b}/100 (50%)]\tLoss: {loss}\n", [1.0, 1.5, 2.0, 2.5]),
        ("Train: {e} [ {b}/100 (50%)]  Loss: {loss} (9.0)\n", [1.0, 1.5, 2.0, 2.5]),
        ("Epoch {e}/9 | Batch {b}/100 | loss {loss}\n", [1.0, 1.5, 2.0, 2.5]),
        ("Epoch [{e}/9] [{b}/100] loss {loss}\n", [1.0, 1.5, 2.0, 2.5]),
    ],
)
def test_batches_are_counted_in_many_ways(log, line, at):
    text = "".join(
        line.format(e=e, b=b, loss=9 - e - b / 100) for e in (1, 2) for b in (0, 50)
    )  # fmt: skip
    (curve,) = load_curves([log(text)]).curves
    assert curve.main.at.tolist() == pytest.approx(at)
    assert load_runs([log(text)]).value.tolist() == [6.5]


def test_a_line_of_an_epoch_without_its_batch_does_not_go_back(log):
    text = "".join(
        f"Epoch: [{e}] [50/100] loss {9 - e}\nEpoch: [{e}] Total time: 0:05:13\nval loss {8 - e}\n"
        for e in range(4)
    )
    assert load_runs([log(text)]).columns["epoch"].tolist() == [3.5]
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.at.tolist() == [0.5, 1.5, 2.5, 3.5]


def test_fairseq_tells_training_from_validation_and_counts_updates(log):
    (curve,) = load_curves([log(FAIRSEQ)]).curves
    assert curve.axis == "step"
    assert curve.validation.at.tolist() == [362.0, 724.0, 1086.0]
    assert curve.validation.value.tolist() == [5.75, 4.75, 3.75]
    assert curve.training.value.tolist() == [5.5, 4.5, 3.5]
    assert load_runs([log(FAIRSEQ)]).value.tolist() == [3.75]


def test_parts_of_a_line_say_what_was_measured(log):
    text = "".join(
        f"epoch {e} | Train: loss {9 - e} acc 0.{e} | Val: loss {8 - e}.5 acc 0.{e}5\n"
        for e in (1, 2)
    )
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.value.tolist() == [7.5, 6.5]
    assert curve.training.value.tolist() == [8.0, 7.0]


def test_a_share_of_right_answers_is_divided_out(log):
    text = "".join(
        f"epoch {e}\nTest set: Average loss: 0.{9 - e}, Accuracy: {9850 + e}/10000 (98%)\n"
        for e in (1, 2)
    )
    (curve,) = load_curves([log(text)], metric="accuracy").curves
    assert curve.validation.value.tolist() == [0.9851, 0.9852]


@pytest.mark.parametrize("read", [load_runs, load_curves])
def test_lines_of_several_processes_are_refused(log, read):
    with pytest.raises(InputError, match="of equal step have different loss") as raised:
        read([log(RANKS)])
    assert raised.value.line == 2


@pytest.mark.parametrize("read", [load_runs, load_curves])
def test_lines_of_an_epoch_that_nothing_tells_apart_are_refused(log, read):
    text = "".join(f"Epoch {e}: loss {9 - e}.{i}\n" for e in (1, 2, 3) for i in range(4))
    with pytest.raises(InputError, match="of equal epoch have different loss"):
        read([log(text)])
    with pytest.raises(InputError, match="of equal epoch have different"):
        read([log(text)], given=Given(pattern=r"Epoch (?P<epoch>\d): loss (?P<loss>[\d.]+)"))


def test_one_good_log_beside_a_mixed_one_does_not_hide_it(log):
    good = log("step 1 loss 3\nstep 2 loss 2\n", "good.log")
    with pytest.raises(InputError, match=r"mixed\.log:2: lines of equal step"):
        load_runs([good, log(RANKS, "mixed.log")])


def test_the_last_step_said_again_is_the_same_run(log):
    text = "".join(f"step {s} val loss {9 - s}\n" for s in range(1, 9)) + "final: val loss 0.5\n"
    assert load_runs([log(text)]).value.tolist() == [0.5]
    (curve,) = load_curves([log(text)]).curves
    assert curve.validation.value[-1] == 0.5


def test_lines_that_count_nothing_are_points_in_their_order(log):
    text = "loss 3.0\nloss 2.0\nloss 2.5\n"
    runs = load_runs([log(text)])
    assert runs.value.tolist() == [2.5]
    (note,) = (n for n in runs.notes if n.id == "CURVES_REDUCED")
    assert dict(note.numbers) == {"points": 3.0, "runs": 1.0}
    with pytest.raises(InputError, match="diverged: loss is nan at line 2"):
        load_runs([log("loss 3.0\nloss nan\n")])


@pytest.mark.parametrize(
    "lines",
    ["params: {i}000000 loss {i}.5\n", "step 100 params: {i}000 tokens: 9 loss {i}.5\n",
     "tokens: {i}000 loss {i}.5\n"],
)  # fmt: skip
def test_lines_with_sizes_of_their_own_are_finished_runs(log, lines):
    text = "".join(lines.format(i=i) for i in range(1, 6))
    assert load_runs([log(text)]).value.tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_an_epoch_keeps_the_step_of_the_line_before(log):
    text = "".join(
        f"step {100 * e} loss {9 - e}\nepoch {e} val loss {9 - e}.5\n" for e in (1, 2, 3)
    )
    runs = load_runs([log(text)])
    assert runs.value.tolist() == [6.5]
    assert runs.columns["step"].tolist() == [300.0]
