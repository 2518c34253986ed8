from __future__ import annotations

import pytest

from scaleplan.cli import values
from scaleplan.cli.boundary import OptionError
from scaleplan.errors import UsageError


@pytest.mark.parametrize(
    ("parse", "text", "found"),
    [
        (values.positives, "7B,1e10, 70_000_000_000", values.Numbers((7e9, 1e10, 7e10))),
        (values.numbers, "-3,0,4", values.Numbers((-3.0, 0.0, 4.0))),
        (values.counts, "64,256,64,1k", values.Counts((64, 256, 1000))),
        (values.pairs, "params=n,loss=val/ce", values.Pairs((("params", "n"), ("loss", "val/ce")))),
        (values.pairs, "loss=a=b", values.Pairs((("loss", "a=b"),))),
        (values.fraction, "40%", 0.4),
        (values.level, "0.95", 0.95),
        (values.price, "$2.50/h", 2.5),
        (values.not_negative, "0", 0),
        (values.whole, "1e3", 1000),
        (values.at_least_one, "1.2", 1.2),
    ],
)
def test_what_is_read(parse, text, found):
    assert parse(text) == found


@pytest.mark.parametrize(
    "parse",
    [values.positives, values.numbers, values.counts, values.pairs],
)
def test_a_parsed_default_passes(parse):
    default = {
        values.positives: values.Numbers((1.0,)),
        values.numbers: values.Numbers((1.0,)),
        values.counts: values.Counts((1,)),
        values.pairs: values.Pairs((("a", "b"),)),
    }[parse]
    assert parse(default) is default


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (values.positives, "1e10,"),
        (values.positives, ""),
        (values.numbers, "inf"),
        (values.numbers, "nan"),
        (values.counts, "1.5"),
        (values.counts, "1e400"),
        (values.pairs, "a=,b=c"),
        (values.pairs, "=x"),
        (values.level, "100%"),
        (values.at_least_one, "0.99"),
        (values.not_negative, "-1"),
        (values.whole, "0.5"),
        (values.price, "-2"),
    ],
)
def test_what_is_refused_has_a_hint(parse, text):
    with pytest.raises(OptionError) as caught:
        parse(text)
    assert caught.value.hint


def test_contradictions_name_the_options():
    with pytest.raises(UsageError, match="--sequence-length and --fit cannot be given together"):
        values.refuse_together(sequence_length=1, fit="x", law=None)
    values.refuse_together(fit=None, law="x")
