"""A mapping of a data file whose values are checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaleplan.errors import InputError


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping of a data file whose values are checked when they are read."""

    file: str
    name: str
    values: Mapping[str, Any]

    def wrong(self, key: str, allowed: str) -> InputError:
        """Return the error for a value that is not what is `allowed`."""
        found = f"is {self.values[key]!r}" if key in self.values else "is missing"
        return InputError(
            f"entry {self.name}: {key} {found}; it must be {allowed}", file=self.file,
            hint="Correct the data file; in YAML a number with an exponent is written 1.0e+18.",
        )  # fmt: skip

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text, or the default where there is none."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "text")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false, false where there is none."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def number(self, key: str) -> float:
        """Return a number."""
        value = self.optional_number(key)
        if value is None:
            raise self.wrong(key, "a number")
        return value

    def optional_number(self, key: str) -> float | None:
        """Return a number, None where there is none."""
        value = self.values.get(key)
        if value is not None and floats([value]) is None:
            raise self.wrong(key, "a number")
        return None if value is None else float(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers."""
        values = floats(self.values.get(key))
        if values is None:
            raise self.wrong(key, "a list of numbers")
        return values

    def pair(self, key: str) -> tuple[float, float]:
        """Return a low and a high number."""
        low, *others = self.numbers(key) or (0.0,)
        if len(others) != 1 or not low <= others[0]:
            raise self.wrong(key, "a list of a low and a high number")
        return low, others[0]

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def entry(self, key: str) -> Entry:
        """Return a mapping."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "a mapping")
        return Entry(self.file, f"{self.name}.{key}", value)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """Return a list of mappings, each by its id."""
        value = self.values.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, "a list of mappings")
        named = ((str(item.get("id", f"{key}[{i}]")), item) for i, item in enumerate(value))
        return tuple(Entry(self.file, name, item) for name, item in named)


def floats(value: object) -> tuple[float, ...] | None:
    """Return a list of numbers as a tuple, None if it is anything else."""
    if not isinstance(value, list) or not all(type(item) in {int, float} for item in value):
        return None
    return tuple(float(item) for item in value)
