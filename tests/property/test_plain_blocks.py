"""Reading a large table in blocks gives what reading it line by line gives, whatever is in it."""

from __future__ import annotations

import io
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaleplan.errors import InputError
from scaleplan.runs import source
from scaleplan.runs.formats import plain_blocks, read_table
from scaleplan.runs.source import TextSource

PLAIN = ["1", "2.5", "-3e-4", "0.1", "12", "7.25", "1e5", "0.30000000000000004"]
ODD = [
    "", " ", "nan", "NaN", "inf", "-inf", "1e999", "350M", " 1.5", "1.5 ", "1_000", "+2", "-", ".5",
    "5.", "0x10", "1d5", "true", "a b", "é", "\xa0 1", "\u202e", "1;5", "#", "'", "007", "12e4",
    "9" * 30, "١", "None", "\x1f", "\x0b", "\x85", "\t3",
]  # fmt: skip
ENDS = ["\n", "\r\n"]
BROKEN = [
    b"\n", b"\r\n", b"1,2\n", b"1,2,3,4,5\n", b"1,2,3,4,\n", b"   \n", b'"a",1,2,3\n',
    b"\xff,1,2,3\n", b'"a\nb",1,2,3\n', b"run,step,loss,note\n", b"# x\n", b"\r", b'1,2,"3\n',
    b"a,1,2,\0\n",
]  # fmt: skip


def keep_text(name):
    return name == "run"


def read(content, *, blocks, growing=False, size=0):
    """Return everything that reading gives, or what it is refused with."""
    try:
        text = TextSource("a.csv", io.BytesIO(content), growing=growing, size=size)
        text.long = blocks and text.long
        table = read_table(text, ".csv", keep_text)
    except InputError as error:
        return "refused", error.message, error.line, error.hint
    return (
        {
            name: (c.numbers.tobytes(), c.codes.astype(np.int32).tobytes(), c.vocabulary)
            for name, c in table.columns.items()
        },
        table.lines.tolist(), table.dropped, table.notes, table.decimal_comma, dict(table.shared),
    )  # fmt: skip


def small_blocks(stack, *, arrow=True, processors=3):
    stack.enter_context(patch.object(plain_blocks, "_processors", lambda: processors))
    stack.enter_context(patch.object(source, "_HEAD_BYTES", 32))
    stack.enter_context(patch.object(plain_blocks, "_FIRST", 64))
    stack.enter_context(patch.object(plain_blocks, "_BLOCK", 256))
    if not arrow:
        stack.enter_context(patch.object(plain_blocks, "find_spec", lambda _: None))


def cells(odd):
    return st.sampled_from(PLAIN) if not odd else st.sampled_from(PLAIN * 2 + ODD)


@st.composite
def tables(draw):
    rows = []
    odd_columns = draw(st.sets(st.integers(1, 3)))
    end = draw(st.sampled_from(ENDS))
    for _ in range(draw(st.integers(0, 60))):
        if draw(st.integers(0, 30)) == 0:
            rows.append(draw(st.sampled_from(BROKEN)))
            continue
        run = draw(st.sampled_from(["a", "b", "7", "", "run é"]))
        row = [run, *(draw(cells(i in odd_columns)) for i in range(1, 4))]
        rows.append((",".join(row) + end).encode())
    content = b"run,step,loss,note\n" + b"".join(rows)
    return content.rstrip(b"\r\n") if draw(st.booleans()) else content


HEAD = b"run,step,loss,note\n"


@given(
    tables(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([0, 1, 500, 10**6]),
)
@example(HEAD + b"a,1,2,3\n" * 40, True, False, 3, 0)
@example(HEAD + b"a,1,2,3\n" * 20 + b"\n" + b"a,1,nan,x\n" * 20, True, True, 3, 0)
@example(HEAD + b'1,2,"3\n' + b"\n" * 60 + b"a,1,1,1", False, False, 1, 0)
@example(HEAD + b"\n" * 7 + b"a,1,2,\0", False, True, 1, 0)
@example(HEAD + b"a,1,2,\0\n", False, False, 1, 0)
# A column of numbers that turns into text, while blocks below are being read as numbers.
@example(HEAD + b"a,1,2,3\n" * 20 + b"a,1,2,x\n" * 90 + b"a,1,2,7\n" * 90, True, False, 4, 0)
@settings(max_examples=200, deadline=None)
def test_blocks_give_what_lines_give(content, arrow, growing, processors, size):
    with ExitStack() as stack:
        small_blocks(stack, arrow=arrow, processors=processors)
        assert read(content, blocks=True, growing=growing, size=size) == read(
            content, blocks=False, growing=growing
        )


@pytest.mark.parametrize("arrow", [True, False])
def test_plain_blocks_are_taken_whole(arrow):
    content = b"run,step,loss,note\n" + b"".join(b"a,%d,2.5,\n" % i for i in range(2000))
    taken = []
    add_plain = plain_blocks.add_plain

    def counted(*arguments):
        taken.append(add_plain(*arguments))
        return taken[-1]

    with ExitStack() as stack:
        small_blocks(stack, arrow=arrow)
        stack.enter_context(patch("scaleplan.runs.formats.delimited.add_plain", counted))
        table = read(content, blocks=True)
    assert sum(taken) > 1900  # all but the first block
    assert 0 not in taken
    assert table[1] == list(range(2, 2002))


def test_an_odd_block_is_read_line_by_line_and_the_next_one_whole():
    rows = [b"a,%d,2.5,x\n" % i for i in range(2000)]
    rows[1000] = b"a,1000,2.5\n"
    taken = []
    add_plain = plain_blocks.add_plain

    def counted(*arguments):
        taken.append(add_plain(*arguments))
        return taken[-1]

    with ExitStack() as stack:
        small_blocks(stack)
        stack.enter_context(patch("scaleplan.runs.formats.delimited.add_plain", counted))
        table = read(b"run,step,loss,note\n" + b"".join(rows), blocks=True)
    assert taken.count(0) == 1
    assert [(note.line, note.reason) for note in table[2]] == [
        (1002, "the row has 3 cells, the header 4 ('a' ...)")
    ]


def test_a_file_of_one_endless_line_is_refused_and_not_read_into_memory():
    with ExitStack() as stack:
        small_blocks(stack)
        stack.enter_context(patch.object(source, "LONGEST_LINE", 1000))
        stack.enter_context(patch.object(source, "_LONGEST_BYTES", 4000))
        found = read(b"run,step,loss,note\na,1,2,3\n" + b"9" * 20_000, blocks=True)
    assert found[0] == "refused"
    assert "longer than" in found[1]
    assert found[2] == 3
