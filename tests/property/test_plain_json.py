"""Reading JSON Lines in blocks gives what reading them line by line gives, whatever is in them."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaleplan.errors import InputError
from scaleplan.runs import source
from scaleplan.runs.formats import json_lines, plain_blocks, plain_json, read_table
from scaleplan.runs.source import TextSource

NUMBERS = ["1", "2.5", "-3e-4", "0.1", "12", "7.25", "1e5", "0.30000000000000004", "null", "-0.0"]
ODD = [
    "NaN", "Infinity", "-Infinity", "1e999", '"x"', '"350M"', '"1.5"', "true", "false", "[1, 2]",
    "[]", "{}", '{"x": 1}', '""', '"nan"', '"\\u00e9 \\u202e"', '"\\ud800"', "9" * 30, '"a b"',
    "1E2", "0x1", "01", "'a'", "nul", '"a\tb"', "5e-324", "1e-400",
]  # fmt: skip
NAMES = ['"a"', '"b"', '"run \u00e9"', "7", "8", '"7"', "null", '"12e4"', "true", "1.5"]
BROKEN = [
    b"\n", b"\r\n", b"   \n", b"{}\n", b"[1]\n", b"7\n", b'{"run": "a"\n', b'{"loss": 1},\n',
    b'{"loss": 1} {"loss": 2}\n', b'{"loss": 1}{"loss": 2}\n', b'{"loss":\n1}\n', b"\xff\n",
    b'{"loss": 1, "loss": 2}\n', b'{"note": "\xff"}\n', b'{"note": "a\0b"}\n', b"}{\n", b"\r",
    b' {"loss": 1}\n', b'{"loss": 1} \n', b'{"more": 1}\n', b'{"a": {"b": 1}}\n', b'{"a/b": 2}\n',
    b"null\n", b'{"": 1}\n',
]  # fmt: skip


def keep_text(name):
    return name == "run"


def read(content, *, blocks, growing=False, size=0):
    """Return everything that reading gives, or what it is refused with."""
    try:
        text = TextSource("a.jsonl", io.BytesIO(content), growing=growing, size=size)
        text.long = blocks and text.long
        table = read_table(text, ".jsonl", keep_text)
    except InputError as error:
        return "refused", error.message, error.line, error.hint
    return (
        {
            name: (
                c.numbers.tobytes(), c.codes.astype(np.int32).tobytes(), c.vocabulary
            )
            for name, c in table.columns.items()
        },
        table.lines.tolist(), table.dropped, table.notes, dict(table.shared),
    )  # fmt: skip


def small_blocks(stack, *, processors=3):
    stack.enter_context(patch.object(plain_blocks, "_processors", lambda: processors))
    stack.enter_context(patch.object(source, "_HEAD_BYTES", 128))
    stack.enter_context(patch.object(plain_blocks, "_FIRST", 160))
    stack.enter_context(patch.object(plain_blocks, "_BLOCK", 400))


@st.composite
def logs(draw):
    rows = []
    odd = draw(st.sets(st.sampled_from(["step", "loss", "note"])))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    for _ in range(draw(st.integers(0, 60))):
        if draw(st.integers(0, 30)) == 0:
            rows.append(draw(st.sampled_from(BROKEN)))
            continue
        cells = {"run": draw(st.sampled_from(names))}
        for name in ("step", "loss", "note"):
            if draw(st.integers(0, 5)):
                plain = not (name in odd and draw(st.integers(0, 3)) == 0)
                cells[name] = draw(st.sampled_from(NUMBERS if plain else ODD))
        said = ", ".join(f'"{name}": {cell}' for name, cell in cells.items())
        rows.append(("{" + said + "}").encode() + end)
    content = b'{"run": "a", "step": 1, "loss": 2.5}\n{"run": "a", "step": 2}\n' + b"".join(rows)
    return content.rstrip(b"\r\n") if draw(st.booleans()) else content


def counted(stack):
    """Return a list of how many lines each block has that is read whole; 0 for the others."""
    taken = []
    add_plain = plain_json.add_plain

    def counting(*arguments):
        taken.append(add_plain(*arguments))
        return taken[-1]

    stack.enter_context(patch.object(json_lines, "add_plain", counting))
    return taken


def of_rows(count, **more):
    return b"".join(
        json.dumps({"run": "a", "step": i, "loss": 1 / (i + 1), **more}).encode() + b"\n"
        for i in range(count)
    )


@given(logs(), st.booleans(), st.sampled_from([1, 2, 4]), st.sampled_from([0, 1, 500, 10**6]))
@example(of_rows(60), False, 3, 0)
@example(of_rows(60) + of_rows(60, note="x"), False, 3, 0)
@example(of_rows(20) + b"{}\n" * 200, False, 3, 0)
@example(of_rows(20, ok=True) + of_rows(60, ok=False), False, 2, 0)
@example(of_rows(60)[:-1], True, 2, 4000)
@example(of_rows(30) + b'{"run": 7, "step": 1, "loss": 2}\n' * 60, False, 2, 0)
@settings(max_examples=200, deadline=None)
def test_blocks_give_what_lines_give(content, growing, processors, size):
    with ExitStack() as stack:
        small_blocks(stack, processors=processors)
        assert read(content, blocks=True, growing=growing, size=size) == read(
            content, blocks=False, growing=growing
        )


@pytest.mark.parametrize("name", ['"a"', "7"])
def test_plain_blocks_are_taken_whole(name):
    row = '{"run": %s, "step": %d, "loss": 2.5, "note": null, "ok": true, "to": "x"}\n'
    content = "".join(row % (name, i) for i in range(2000)).encode()
    with ExitStack() as stack:
        small_blocks(stack)
        taken = counted(stack)
        table = read(content, blocks=True)
    assert sum(taken) > 1900  # all but the first block
    assert 0 not in taken
    assert table[1] == list(range(1, 2001))


def test_an_odd_block_is_read_line_by_line_and_the_next_one_whole():
    rows = [b'{"run": "a", "step": %d, "loss": 2.5}\n' % i for i in range(2000)]
    rows[1000] = b'{"run": "a", "step": 1000, \n'
    with ExitStack() as stack:
        small_blocks(stack)
        taken = counted(stack)
        table = read(b"".join(rows), blocks=True)
    assert taken.count(0) == 1
    assert [note.line for note in table[2]] == [1001]
    assert len(table[1]) == 1999
