"""The pattern of a person's own by which the lines of a printed log are read."""

from __future__ import annotations

import re

from scaleplan.errors import UsageError

# (a+)+ and the like, whose search grows exponentially with the line.
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)[+*{]")


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern, checked.

    Raises:
        UsageError: If it is no regular expression or names no group.
    """
    example = r"For example --pattern 'Epoch (?P<epoch>\d+), Loss: (?P<loss>[\d.]+)'."
    try:
        made = re.compile(pattern)
    except re.error as error:
        message = f"--pattern is not a regular expression: {error}"
        raise UsageError(message, hint=example) from None
    if _NESTED.search(pattern):
        message = "--pattern repeats a group that repeats inside, which can take for ever"
        raise UsageError(message, hint="Take the inner or the outer repetition out.")
    if not made.groupindex:
        raise UsageError("--pattern names no group", hint=example)
    return made
