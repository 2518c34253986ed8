"""Rows of a spreadsheet that sum up the rows above them are no runs."""

from __future__ import annotations

import statistics

import pytest

from scaleplan.errors import InputError

PARAMS = (10e6, 20e6, 40e6, 80e6, 160e6, 300e6)
LOSSES = (5.2632, 4.5787, 4.0266, 3.5813, 3.2218, 2.9561)
ROWS = "run,params,loss\n" + "".join(
    f"run{i},{p:g},{v}\n" for i, (p, v) in enumerate(zip(PARAMS, LOSSES, strict=True))
)


@pytest.mark.parametrize(
    ("name", "params", "loss"),
    [
        ("Average", statistics.mean(PARAMS), statistics.mean(LOSSES)),
        ("MEAN", "", f"{statistics.mean(LOSSES):.2f}"),
        ("Mean of all runs", f"{statistics.mean(PARAMS) / 1e6:.0f}M", statistics.mean(LOSSES)),
        ("std", statistics.stdev(PARAMS), statistics.stdev(LOSSES)),
        ("Std. dev.", statistics.pstdev(PARAMS), statistics.pstdev(LOSSES)),
        ("Total", sum(PARAMS), statistics.mean(LOSSES)),
        ("median", "", statistics.median(LOSSES)),
        ("max", max(PARAMS), max(LOSSES)),
    ],
)
def test_a_row_that_sums_up_those_above_it_is_dropped(load, reasons, name, params, loss):
    runs = load(f"{ROWS}{name},{params},{loss}\n")
    assert len(runs) == 6
    ((line, reason),) = reasons(runs)
    assert line == 8
    assert "of lines 2 to 7, and no run" in reason
    assert runs.cleaning.rows_read == 7


@pytest.mark.parametrize("name", ["mean-pool", "mean", "max", "total_loss_run", "average-2", "sum"])
def test_a_run_of_such_a_name_stays(load, name):
    runs = load(f"{ROWS}{name},6e8,2.71\n")
    assert len(runs) == 7
    assert "SUMMARY_UNSURE" not in [note.id for note in runs.notes]


def test_ways_to_pool_are_runs(load):
    rows = "mean,0.712\nmax,0.701\nsum,0.699\ncls,0.723\nattention,0.724\n"
    assert len(load("pooling,val_acc\n" + rows)) == 5
    # The mean of the two others, in the digits that are given, is soon met by chance.
    assert len(load("pooling,val_acc\ncls,0.71\nmax,0.73\nmean,0.72\n")) == 3


def test_an_average_of_something_else_is_told(load, note_ids):
    runs = load(f"{ROWS}Average,1e8,3.1\n")
    assert len(runs) == 7
    assert "SUMMARY_UNSURE" in note_ids(runs)


def test_one_number_of_another_kind_does_not_make_an_average_a_run(load, reasons):
    text = "run,params,tokens,loss\n" + "".join(
        f"r{i},{2**i}e6,{3**i}e8,{9 - i}\n" for i in range(5)
    )
    assert [line for line, _ in reasons(load(f"{text}Average,6.2e6,24.2e8,6.5\n"))] == [7]
    assert not reasons(load(f"{text}mean,6.2e6,24.2e8,6.5\n"))


def test_each_block_has_its_own_mean(load, reasons):
    text = (
        "model,seed,val_loss\nA,0,3.31\nA,1,3.35\nA,2,3.29\nA,mean,3.3167\n"
        "B,0,3.11\nB,1,3.15\nB,2,3.2\nB,mean,3.1533\n"
    )
    assert [line for line, _ in reasons(load(text))] == [5, 9]


def test_rows_beside_a_summary_need_only_not_contradict_it(load, reasons):
    mean = statistics.mean(LOSSES)
    runs = load(f"{ROWS}Average,,{mean}\nCount,6,6\nmin,10e6,\n")
    assert [line for line, _ in reasons(runs)] == [8, 9, 10]


DESCRIBED = (
    ",params,tokens,loss\ncount,6,6,6\nmean,1e8,2e9,3.9\nstd,1.1e8,2.2e9,0.87\nmin,1e7,2e8,2.9\n"
    "25%,2.5e7,5e8,3.3\n50%,6e7,1.2e9,3.8\n75%,1.4e8,2.8e9,4.4\nmax,3e8,6e9,5.3\n"
)


def _turned(text: str) -> str:
    rows = [line.split(",") for line in text.splitlines()]
    return "".join(",".join(cells) + "\n" for cells in zip(*rows, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        DESCRIBED, _turned(DESCRIBED), DESCRIBED.replace(",params", "statistic,params"),
        DESCRIBED.replace(",", "  ").replace("  params", "       params"),
        "summary,params,loss\ncount,5,5\nmean,1e8,3\nstddev,2e7,1\nmin,1e6,2\nmax,2e8,4\n",
    ],
)  # fmt: skip
def test_a_summary_of_a_table_holds_no_runs(load, text):
    with pytest.raises(
        InputError, match=r"is a summary, with the count, mean, .* holds no runs"
    ) as e:
        load(text)
    assert "describe" in e.value.hint
