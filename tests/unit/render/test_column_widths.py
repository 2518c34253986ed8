from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scaleplan.render.column_widths import GAP, column_widths, fitting_columns
from scaleplan.render.view import Column, Table

_CELLS = st.text("abc 123", min_size=0, max_size=30)


@st.composite
def tables(draw):
    columns = draw(
        st.lists(
            st.builds(
                Column,
                name=st.text("xyz ", min_size=1, max_size=20),
                kind=st.sampled_from(["text", "number", "name"]),
                rank=st.integers(0, 3),
            ),
            min_size=1,
            max_size=8,
        )
    )
    rows = draw(st.lists(st.tuples(*[_CELLS] * len(columns)), max_size=4))
    return Table(title="t", columns=tuple(columns), rows=tuple(rows))


@given(tables(), st.integers(5, 200), st.integers(4, 40))
def test_numbers_and_names_are_never_narrower_than_their_cells(table, width, text_width):
    shown = fitting_columns(table, width, text_width=text_width)
    widths = column_widths(table, shown, width, text_width=text_width)
    for index, size in zip(shown, widths, strict=True):
        if table.columns[index].kind != "text":
            assert size >= max([len(row[index]) for row in table.rows], default=0)


@given(tables(), st.integers(5, 200), st.integers(4, 40))
def test_the_width_is_kept_unless_only_columns_of_rank_0_are_left(table, width, text_width):
    shown = fitting_columns(table, width, text_width=text_width)
    widths = column_widths(table, shown, width, text_width=text_width)
    if sum(widths) + GAP * len(widths) > width:
        assert all(table.columns[index].rank == 0 for index in shown)


@given(tables())
def test_columns_of_rank_0_always_stay(table):
    shown = fitting_columns(table, 1, text_width=10)
    assert {i for i, column in enumerate(table.columns) if column.rank == 0} <= set(shown)
