"""Every way people write numbers, and every way they get it wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaleplan import units


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e10", 1e10), ("10B", 1e10), ("10_000_000_000", 1e10), ("10,000,000,000", 1e10),
        ("1 234 567", 1234567.0), ("1.5 T", 1.5e12), ("125m", 1.25e8), ("7b params", 7e9),
        ("100k tokens", 1e5), ("3 x 10^21", 3e21), ("3.2×10²¹", 3.2e21), ("10^21", 1e21),
        ("2 PFLOP-days", 2e15 * 86400), ("1.5e3 PF-days", 1.5e18 * 86400), ("2 EFLOPs", 2e18),
        ("3.4 nats/token", 3.4), ("-1", -1.0), ("+2.5", 2.5), (".5", 0.5), ("1E18", 1e18),
        ("70 billion", 7e10), ("12", 12.0), (7, 7.0), (2.5, 2.5), ("1,000.5", 1000.5),
    ],
)  # fmt: skip
def test_parse_count(text, value):
    assert units.parse_count(text) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    "text", ["", "  ", "abc", "1.2.3", "0x10", "1e5x", "12abc", "1,5", "--5", "1e", "7" * 200,
             "10^999", "5 apples", "1/2", "[7]", "\x1b[31m5"],
)  # fmt: skip
def test_parse_count_refuses(text):
    with pytest.raises(ValueError, match=r"number|range"):
        units.parse_count(text)


def test_nan_and_infinity_are_read_so_that_cleaning_can_name_them():
    assert math.isnan(units.parse_count("NaN"))
    assert units.parse_count("inf") == math.inf


@pytest.mark.parametrize("text", ["0", "-3", "nan", "inf"])
def test_parse_positive_refuses(text):
    with pytest.raises(ValueError, match="above 0"):
        units.parse_positive(text)


@pytest.mark.parametrize(("text", "value"), [("0.4", 0.4), ("40%", 0.4), ("1", 1.0)])
def test_parse_fraction(text, value):
    assert units.parse_fraction(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["0", "4", "140%", "-0.1"])
def test_parse_fraction_refuses(text):
    with pytest.raises(ValueError, match="at most 1"):
        units.parse_fraction(text)


@pytest.mark.parametrize(
    ("text", "days"), [("30", 30), ("30d", 30), ("36h", 1.5), ("2w", 14), ("90min", 1 / 16)]
)
def test_parse_days(text, days):
    assert units.parse_days(text) == pytest.approx(days)


@pytest.mark.parametrize(
    ("text", "gib"), [("80", 80), ("80GiB", 80), ("80GB", 80e9 / 2**30), ("1 TiB", 1024)]
)
def test_parse_gib(text, gib):
    assert units.parse_gib(text) == pytest.approx(gib)


@pytest.mark.parametrize(
    ("text", "usd"), [("2.5", 2.5), ("$2.50", 2.5), ("$2.5/h", 2.5), ("1M", 1e6), ("3 per hour", 3)]
)
def test_parse_usd(text, usd):
    assert units.parse_usd(text) == pytest.approx(usd)


@pytest.mark.parametrize("parse", [units.parse_days, units.parse_gib])
def test_other_parsers_refuse(parse):
    with pytest.raises(ValueError, match="is not"):
        parse("soon")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7.3e10, "73.0B"), (1.34e12, "1.34T"), (9.999e11, "1.00T"), (999, "999"),
        (12345, "12.3K"), (5.88e23, "5.88e23"), (None, "–"), (math.inf, "∞"), (0, "0"),
    ],
)  # fmt: skip
def test_format_count(value, text):
    assert units.format_count(value) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [(34.2, "34.2 d"), (0.3, "7.20 h"), (0.01, "14.4 min"), (2000, "5.48 y"), (1e-5, "0.864 s")],
)
def test_format_days(days, text):
    assert units.format_days(days) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (2.5e6, "$2.50M"),
        (45678, "$45,700"),
        (12.3, "$12.30"),
        (0.0, "$0.00"),
        (0.000123, "$0.00012"),
        (None, "–"),
    ],
)
def test_format_usd(usd, text):
    assert units.format_usd(usd) == text


def test_format_percent_and_energy():
    assert units.format_percent(0.365) == "36.5%"
    assert units.format_percent(None) == "–"
    assert units.format_energy(1234) == "1.23 MWh"
    assert units.format_energy(2.5e6) == "2.50 GWh"
    assert units.format_energy(12) == "12.0 kWh"


@given(st.floats(min_value=1e-3, max_value=1e30))
def test_what_is_written_reads_back(value):
    for text, digits in ((units.format_count(value), 3), (units.format_flops(value), 3)):
        assert units.parse_count(text) == pytest.approx(value, rel=0.6 * 10 ** (1 - digits))
    assert units.parse_count(units.format_significant(value, 6)) == pytest.approx(value, rel=1e-5)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_value_error(text):
    try:
        value = units.parse_count(text)
    except ValueError:
        return
    assert isinstance(value, float)
