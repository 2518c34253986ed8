from __future__ import annotations

import io

from scaleplan.records import Note
from scaleplan.render.formats import render
from scaleplan.render.markdown import escaped, render_markdown
from scaleplan.render.view import Column, Table, View


def test_markup_in_text_is_escaped():
    assert escaped("a|b") == "a\\|b"
    assert escaped("<script>*x*`y`[z](u)") == "\\<script\\>\\*x\\*\\`y\\`\\[z\\](u)"
    assert escaped("n_model and _x_") == "n_model and \\_x\\_"
    assert escaped("two\nlines\x1b[0m") == "two lines\\[0m"


def test_tables_keep_their_columns():
    table = Table(
        title="t",
        columns=(Column(name="a|b", kind="text"), Column(name="n")),
        rows=(("x|y", "1"),),
        footer="end",
    )
    lines = render_markdown(View(title="t", blocks=(table,))).splitlines()
    assert lines[4:] == ["| a\\|b | n |", "| :--- | ---: |", "| x\\|y | 1 |", "", "end"]


def test_notes_say_their_severity_and_action():
    note = Note(id="FEW_RUNS", severity="warning", text="few runs", action="Train more.")
    text = render_markdown(View(title="t", blocks=(), notes=(note,)))
    assert "- **warning** `FEW_RUNS`: few runs. Train more." in text


def test_a_plan_shows_every_column(make):
    text = render(make.plan(), "markdown", io.StringIO())
    assert "| GPUs | time | time range |" in text
    assert "layout" in text
