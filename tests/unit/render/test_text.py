from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from scaleplan.render.text import plain_text


@given(st.text(st.characters()))
def test_no_text_keeps_a_control_character(text):
    shown = plain_text(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    shown.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_stays_as_it_is(text):
    assert plain_text(text) == text


def test_line_breaks_become_blanks():
    assert plain_text("a\r\nb\tc\u2028d") == "a b c d"
