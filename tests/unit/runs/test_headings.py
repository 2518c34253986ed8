"""Names of columns below a title, or behind a `#`."""

import pytest

ROWS = "1e6,2e7,4.5\n2e6,4e7,4.0\n4e6,8e7,3.6\n"
NAMES = "params,tokens,loss\n"


def passed_over(runs):
    return [note for note in runs.notes if note.id == "LINES_PASSED_OVER"]


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Scaling sweep\n", 1), ("Scaling sweep, March\n\n(all on C4)\n\n", 2),
        ("Sweep of March,,\n,,\n", 1), ("\n# of March\nSweep 3\n# tokenizer: bpe\n", 2),
    ],
)  # fmt: skip
def test_a_title_above_the_names_is_passed_over_and_told(load, title, said):
    runs = load(title + NAMES + ROWS)
    assert runs.column("params").tolist() == [1e6, 2e6, 4e6]
    assert runs.origins[0] == ("runs.csv", title.count("\n") + 2)
    (note,) = passed_over(runs)
    assert note.numbers == (("lines", float(said)),)


@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@pytest.mark.parametrize("sign", ["#", "# ", "## "])
def test_names_may_stand_behind_a_sign(load, mark, sign):
    runs = load((sign + NAMES + ROWS).replace(",", mark))
    assert runs.column("tokens").tolist() == [2e7, 4e7, 8e7]
    assert runs.origins[2] == ("runs.csv", 4)
    assert not passed_over(runs)


def test_a_comment_in_words_is_not_taken_for_names(load):
    runs = load("# losses of all runs\n" + NAMES + ROWS)
    assert len(runs) == 3


def test_names_that_are_there_stay_where_rows_are_ragged(load, reasons):
    runs = load(NAMES + "1e6,2e7,4.5,x,y\n2e6\n4e6,8e7,3.6\n5e6\n8e6\na,b,c\n1,2,3\n")
    assert runs.column("params").tolist() == [4e6, 1.0]
    assert len(reasons(runs)) == 5
    assert not passed_over(runs)


def test_a_text_without_names_is_still_refused(load):
    with pytest.raises(Exception, match="has numbers where column names should be"):
        load("# March\n" + ROWS)
