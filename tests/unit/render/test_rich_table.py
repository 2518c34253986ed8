from __future__ import annotations

import io
import re

import pytest

from scaleplan.records import Note
from scaleplan.render.formats import render, view_of
from scaleplan.render.rich_table import render_table
from scaleplan.render.view import Column, Facts, Paragraph, Table, View


def shown(view: View) -> str:
    return render_table(view, io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown_in_terminal(view: View, width: int, monkeypatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    return re.sub(r"\x1b\[[0-9;]*m", "", render_table(view, Terminal()))


def wide_table(columns: int, rows: int = 2) -> Table:
    return Table(
        title="wide",
        columns=tuple(Column(name=f"column{i}", rank=i) for i in range(columns)),
        rows=tuple(tuple(f"{r}{i:02d}.12345678" for i in range(columns)) for r in range(rows)),
    )


def test_piped_tables_keep_every_column_and_every_digit():
    text = shown(View(title="t", blocks=(wide_table(30),)))
    for row in range(2):
        line = next(line for line in text.splitlines() if f"{row}00.12345678" in line)
        assert all(f"{row}{i:02d}.12345678" in line for i in range(30))
    assert "…" not in text
    assert "\x1b" not in text


def test_a_narrow_terminal_drops_columns_of_highest_rank_and_says_which(monkeypatch):
    view = View(title="t", blocks=(wide_table(10),))
    text = shown_in_terminal(view, 60, monkeypatch)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert "000.12345678" in text
    assert "009.12345678" not in text
    assert "not shown at this width" in text
    assert "column9" in text.replace("\n", " ")


def test_a_terminal_too_narrow_for_one_number_still_shows_it_whole(monkeypatch):
    text = shown_in_terminal(View(title="t", blocks=(wide_table(1),)), 10, monkeypatch)
    assert "000.12345678" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160])
def test_a_plan_fits_the_terminal_and_no_number_is_cut(make, monkeypatch, width):
    text = shown_in_terminal(view_of(make.plan()), width, monkeypatch)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "8.88 h" in text
    assert "$22,200" in text
    assert "…" not in text


@pytest.mark.parametrize(
    "evil", ["[bold]x[/bold]", "[link=http://e]x[/]", "[/nonsense]", ":smile:"]
)
def test_text_is_never_read_as_markup(evil):
    view = View(
        title=evil,
        blocks=(
            Table(title=evil, columns=(Column(name=evil, kind="text"),), rows=((evil,),)),
            Facts(title=evil, pairs=((evil, evil),)),
            Paragraph(title=evil, text=evil),
        ),
        notes=(Note(id="X", severity="info", text=evil, action=evil),),
    )
    assert shown(view).count(evil) == 11


def test_control_characters_never_reach_the_output():
    evil = "a\x1b[31mred\x07\x9b31m\x7f\u202eb\nc"
    view = View(
        title=evil,
        blocks=(
            Table(title=evil, columns=(Column(name=evil, kind="text"),), rows=((evil,),)),
            Facts(title=evil, pairs=((evil, evil),)),
        ),
        notes=(Note(id="X", severity="error", text=evil, action=evil),),
    )
    text = shown(view)
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in text)
    assert "\u202e" not in text
    assert "a[31mred31mb c" in text


def test_long_text_wraps_between_words_and_beside_whole_numbers(monkeypatch):
    table = Table(
        title="t",
        columns=(Column(name="n"), Column(name="why", kind="text")),
        rows=(("1.23456789", "because " * 40),),
    )
    text = shown_in_terminal(View(title="t", blocks=(table,)), 50, monkeypatch)
    assert "1.23456789" in text
    assert text.count("because") == 40
    assert max(len(line) for line in text.splitlines()) <= 50


def test_the_same_record_gives_the_same_bytes(make):
    first = render(make.fit(), "table", io.StringIO())
    assert first == render(make.fit(), "table", io.StringIO())


def test_ascii_streams_get_no_box_characters_they_cannot_carry(make):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    text = render(make.plan(), "table", stream)
    assert "─" not in text
    assert "1000" in text
