import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan.planning.shape import guess_shape, shape_assumptions


@pytest.mark.parametrize(
    ("params", "layers", "width"), [(6.97e9, 32, 4096), (175e9, 96, 12288), (405e9, 128, 16256)]
)
def test_it_meets_the_shapes_of_llama_7b_gpt3_and_nearly_llama_405b(params, layers, width):
    shape = guess_shape(params)
    assert (shape.layers, shape.width) == (layers, width)


@given(st.floats(1e8, 1e14))
def test_its_parameters_are_those_asked_for(params):
    assert guess_shape(params).params == pytest.approx(params, rel=0.12)


@given(st.floats(1e9, 1e14))
def test_above_a_billion_within_five_percent(params):
    assert guess_shape(params).params == pytest.approx(params, rel=0.05)


@given(st.floats(1e-3, 1e15))
def test_any_size_has_a_shape(params):
    shape = guess_shape(params)
    assert min(shape.layers, shape.width, shape.heads, shape.vocabulary) >= 1
    assert shape.vocabulary <= 128_000
    assert shape.layers % 8 == 0 or shape.layers < 16


def test_its_assumptions():
    guessed, length = shape_assumptions(guess_shape(175e9), sequence_length=2048)
    assert guessed.value == "96 layers, width 12288, 96 heads, vocabulary 128000"
    assert (length.value, length.unit) == (2048, "tokens")
