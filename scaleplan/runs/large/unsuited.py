"""Why an engine does not get a log."""

from __future__ import annotations


class Unsuited(Exception):
    """The engine might give other runs than our own reading."""
