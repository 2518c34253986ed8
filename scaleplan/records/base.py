"""What all records have: comparison, hash and text from their fields.

`dataclass` writes these three anew for each class and compiles them, which took 7% of the time of a
whole plan; the decorators of what every plan loads leave them out and inherit these.
"""

from __future__ import annotations

from dataclasses import Field, fields  # both at run time: the hints of records are resolved
from typing import Any, ClassVar


class Record:
    """A frozen dataclass; equal to another of its class whose fields are equal."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __eq__(self, other: object) -> bool:
        """Compare the fields with those of another record of the same class."""
        if other.__class__ is not self.__class__:
            return NotImplemented
        return _values(self) == _values(other)

    def __hash__(self) -> int:
        """Return the hash of the fields together."""
        return hash(_values(self))

    def __repr__(self) -> str:
        """Return `Class(field=value, ...)`."""
        said = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
        return f"{self.__class__.__qualname__}({said})"


def _values(record: Any) -> tuple[Any, ...]:  # noqa: ANN401 - fields are of any type
    return tuple(getattr(record, name) for name in record.__dataclass_fields__)
