"""Option values: from what was typed to numbers, lists of numbers and pairs.

typer also calls a parser on an option's default, so each one passes on what is parsed already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaleplan import units
from scaleplan.cli.boundary import OptionError
from scaleplan.errors import UsageError
from scaleplan.records.base import Record

_LARGEST = 1e60  # far beyond every count of anything here
_COUNT_HINT = "Write numbers as 1e10, 10B or 10_000_000_000, and several with commas between."


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Numbers(Record):
    """Several numbers, typed with commas between them."""

    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Counts(Record):
    """Several whole numbers, typed with commas between them."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Pairs(Record):
    """Roles and the columns that play them, typed as `role=column,role=column`.

    `from_file` marks those of a file of defaults, which stand back behind what is typed.
    """

    values: tuple[tuple[str, str], ...]
    from_file: bool = False


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Gap(Record):
    """A gap, in the metric's unit or, typed with %, as a share of the validation value."""

    value: float
    relative: bool


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class GivenValues(Record):
    """(run, or empty for all, column, text), typed as `column=text` or `run:column=text`."""

    values: tuple[tuple[str, str, str], ...]


def _refusing(parse: Callable[[str | float], float], text: str | float, hint: str) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise OptionError(str(error), hint=hint) from None


def positive(text: str | float) -> float:
    """Read a number above 0."""
    value = _refusing(units.parse_positive, text, _COUNT_HINT)
    if value > _LARGEST:
        message = f"{text} is not allowed; it must be at most {_LARGEST:g}"
        raise OptionError(message, hint=_COUNT_HINT)
    return value


def fraction(text: str | float) -> float:
    """Read a share above 0 and at most 1, or a percentage."""
    return _refusing(units.parse_fraction, text, "Write a share as 0.4 or 40%.")


def gap(text: str | Gap) -> Gap:
    """Read a gap between training and validation: 0.05, or 5% of the validation value."""
    if isinstance(text, Gap):
        return text
    if text.strip().endswith("%"):
        return Gap(fraction(text), relative=True)
    return Gap(positive(text), relative=False)


def level(text: str | float) -> float:
    """Read the level of an interval, between 0 and 1."""
    share = fraction(text)
    if share >= 1.0:
        message = f"{text} is not allowed; no interval is certain"
        raise OptionError(message, hint="Usual levels are 0.8, 0.9 and 0.95.")
    return share


def days(text: str | float) -> float:
    """Read a time in days: a plain number is days, or with its unit as in 12h, 30d, 2w."""
    hint = "Write a deadline as 30, 30d, 36h or 2w."
    value = _refusing(_parse_days, text, hint)
    if not 0.0 < value < float("inf"):
        message = f"{text} is not allowed; a deadline must be above 0"
        raise OptionError(message, hint=hint)
    return value


def _parse_days(text: str | float) -> float:
    if isinstance(text, float):
        return text
    plain = text.strip().lower()
    return units.parse_days(plain if plain[-1:].isalpha() else f"{plain}d")


def money(text: str | float) -> float:
    """Read an amount of money in US dollars: 1M, $250k, 1_000_000."""
    plain = text.strip().lstrip("$").strip() if isinstance(text, str) else text
    return _refusing(units.parse_positive, plain, "Write money as 1M, $250k or 1_000_000.")


def price(text: str | float) -> float:
    """Read a price in US dollars an accelerator-hour."""
    return _refusing(units.parse_usd, text, "Write a price as 2.5 or $2.5/h.")


def hourly_price(text: str | float) -> float:
    """Read a price in US dollars an accelerator-hour, of rented or of own hardware."""
    return _refusing(
        units.parse_usd, text,
        "Write a price as 2.5 or $2.5/h; for hardware of your own, what an hour of it costs, at "
        "least its power: 0.1 is 1 kW at 10 cents. Times do not depend on it.",
    )  # fmt: skip


def at_least_one(text: str | float) -> float:
    """Read a power usage effectiveness: energy drawn over energy used by the machines."""
    value = _refusing(units.parse_positive, text, "A usual value is 1.1.")
    if value < 1.0:
        message = f"{text} is not allowed; a data centre draws at least what its machines use"
        raise OptionError(message, hint="Write at least 1; a usual value is 1.1.")
    return value


def number(text: str | float) -> float:
    """Read any finite number."""
    value = _refusing(units.parse_count, text, _COUNT_HINT)
    if value - value != 0.0:  # infinite or not a number
        message = f"{text} is not allowed; it must be finite"
        raise OptionError(message, hint=_COUNT_HINT)
    return value


def whole(text: str | float) -> int:
    """Read a whole number of at least 1."""
    value = positive(text)
    if value != int(value):
        message = f"{text} is not allowed; it must be a whole number of at least 1"
        raise OptionError(message, hint=_COUNT_HINT)
    return int(value)


def not_negative(text: str | float) -> int:
    """Read a whole number of at least 0."""
    if number(text) == 0.0:
        return 0
    try:
        return whole(text)
    except OptionError as error:
        message = f"{text} is not allowed; it must be a whole number of at least 0"
        raise OptionError(message, hint=error.hint) from None


def positives(text: str | Numbers) -> Numbers:
    """Read numbers above 0 with commas between them."""
    return text if isinstance(text, Numbers) else Numbers(tuple(map(positive, split_list(text))))


def numbers(text: str | Numbers) -> Numbers:
    """Read finite numbers with commas between them."""
    return text if isinstance(text, Numbers) else Numbers(tuple(map(number, split_list(text))))


def counts(text: str | Counts) -> Counts:
    """Read whole numbers above 0 with commas between them, each once."""
    if isinstance(text, Counts):
        return text
    return Counts(tuple(dict.fromkeys(whole(part) for part in split_list(text))))


def pairs(text: str | Pairs) -> Pairs:
    """Read `role=column,role=column`."""
    if isinstance(text, Pairs):
        return text
    found: list[tuple[str, str]] = []
    for part in split_list(text):
        role, equals, column = (piece.strip() for piece in part.partition("="))
        if not (role and equals and column):
            message = f"{part!r} is not role=column"
            raise OptionError(message, hint="For example --columns params=n_model,loss=val/ce.")
        found.append((role, column))
    return Pairs(tuple(found))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Names(Record):
    """Several names, typed with commas between them."""

    values: tuple[str, ...]


def names(text: str | Names) -> Names:
    """Read names with commas between them, each once."""
    return text if isinstance(text, Names) else Names(tuple(dict.fromkeys(split_list(text))))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Ranges(Record):
    """Parameters and the ranges they are kept in, typed as `E=0:3`."""

    values: tuple[tuple[str, float, float], ...]


def fixes(text: str | Ranges) -> Ranges:
    """Read `alpha=0.34,E=1.7`: parameters held at a value."""
    if isinstance(text, Ranges):
        return text
    found = []
    for symbol, value in _assignments(text, "alpha=0.34"):
        held = number(value)
        found.append((symbol, held, held))
    return Ranges(tuple(found))


def bounds(text: str | Ranges) -> Ranges:
    """Read `E=0:3,alpha=0.2:0.5`: parameters kept in a range."""
    if isinstance(text, Ranges):
        return text
    found = []
    for symbol, value in _assignments(text, "E=0:3"):
        low, _, high = value.partition(":")
        ends = (number(low), number(high)) if low.strip() and high.strip() else (1.0, 0.0)
        if ends[0] >= ends[1]:
            message = f"{value!r} is not a range from a smaller to a larger number, LOW:HIGH"
            raise OptionError(message, hint="For example --bound E=0:3.")
        found.append((symbol, *ends))
    return Ranges(tuple(found))


def _assignments(text: str, example: str) -> list[tuple[str, str]]:
    found = []
    for part in split_list(text):
        symbol, equals, value = (piece.strip() for piece in part.partition("="))
        if not (symbol and equals and value):
            message = f"{part!r} is not a parameter and its value"
            raise OptionError(message, hint=f"For example {example}; `scaleplan laws` has symbols.")
        found.append((symbol, value))
    return found


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Settings(Record):
    """Further inputs of a law, typed as `unique_tokens=25B,level=muon`."""

    values: tuple[tuple[str, str], ...]


def settings(text: str | Settings) -> Settings:
    """Read `role=value,role=value`; what a value means depends on the fit."""
    if isinstance(text, Settings):
        return text
    return Settings(tuple(_assignments(text, "unique_tokens=25B")))


def given_values(text: str | GivenValues) -> GivenValues:
    """Read values that a log does not say: `params=124M`, `base:params=7B,base:tokens=1T`."""
    if isinstance(text, GivenValues):
        return text
    found = []
    for part in split_list(text):
        left, equals, value = part.partition("=")
        run, colon, column = left.rpartition(":")
        if not equals or not column.strip() or not value.strip() or (colon and not run.strip()):
            message = f"{part!r} is not a column and its value"
            raise OptionError(message, hint="Write --set params=124M, or --set RUN:params=124M.")
        found.append((run.strip(), column.strip(), value.strip()))
    return GivenValues(tuple(found))


def all_given(groups: list[GivenValues] | None) -> tuple[tuple[str, str, str], ...]:
    """Return the values of an option that may be repeated."""
    return tuple(each for group in groups or [] for each in group.values)


def split_list(text: str) -> list[str]:
    """Return the parts between commas, refusing an empty list."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        message = f"{text!r} has an empty part between its commas"
        raise OptionError(message, hint="Write values with single commas between them: 64,256.")
    return parts


def refuse_together(**options: object) -> None:
    """Refuse options that say the same thing twice.

    Args:
        **options: Values by option name, `sequence_length` for `--sequence-length`.

    Raises:
        UsageError: If more than one is given.
    """
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if len(given) > 1:
        message = f"{' and '.join(given)} cannot be given together"
        raise UsageError(message, hint=f"Give one of {', '.join(given)}.")
