"""Commas in the numbers of printed logs."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.request import Given
from scaleplan.runs.series import load_curves


@pytest.mark.parametrize("pattern", [None, r"epoch (?P<epoch>\d+): loss (?P<loss>[\d,]+)"])
def test_a_comma_may_mark_decimals(log, pattern):
    # 2,916 could be a number of thousands; the other ones say that it is not.
    path = log("epoch 1: loss 3,6000\nepoch 2: loss 3,24\nepoch 3: loss 2,916\n")
    (curve,) = load_curves([path], given=Given(pattern=pattern)).curves
    assert curve.main.value.tolist() == [3.6, 3.24, 2.916]
    runs = load_runs([path], given=Given(pattern=pattern))
    assert runs.value.tolist() == [2.916]
    assert next(note.reason for note in runs.cleaning.changed) == "loss: '3,6000' read as 3.6"


def test_a_percentage_may_have_a_decimal_comma(log):
    (curve,) = load_curves([log("epoch 1: acc 97,5%\nepoch 2: acc 98,25 %\n")]).curves
    assert curve.main.value.tolist() == pytest.approx([0.975, 0.9825])


def test_a_comma_may_group_thousands(log):
    path = log("step 1,000: loss 1,234.5 tps: 7,123\nstep 2,000: loss 1,100.25 tps: 7,123\n")
    (curve,) = load_curves([path]).curves
    assert curve.main.at.tolist() == [1000.0, 2000.0]
    assert curve.main.value.tolist() == [1234.5, 1100.25]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("epoch 1: loss 3,600\nepoch 2: loss 2,916\n", "loss 3,600"),  # all with three digits
        ("epoch 1: loss 3,6000 acc 0.5\nepoch 2: loss 2,9 acc 0.5\n", "loss 3,6000"),
        ("step 1,000: loss 3,60\nstep 2,000: loss 2,90\n", "step 1,000"),
    ],
)
def test_commas_that_may_be_either_are_refused(log, text, cell):
    for read in (load_runs, load_curves):
        with pytest.raises(InputError, match=f"{cell}: the comma may mark") as raised:
            read([log(text)])
        assert raised.value.line == 1


def test_a_list_is_no_number(log):
    text = "step 1 acc 1,2,3 loss 3.5\nstep 2 acc 1,2,3 loss 2.5, lr=[9.0e-06, 9.0e-06]\n"
    runs = load_runs([log(text)])
    assert runs.value.tolist() == [2.5]
    assert not runs.extra
