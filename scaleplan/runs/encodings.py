"""How the bytes of a text are encoded: what their marks say, and what shows without one."""

from __future__ import annotations

import re

# Longest first: the UTF-32 mark begins with that of UTF-16.
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")  # besides those of lines and colours
# Of a text in UTF-16, this share of the characters at the least are Latin letters, digits or marks.
_LATIN, _FEWEST_PAIRS = 0.6, 8


def utf16_without_mark(head: bytes) -> str:
    """Return which UTF-16 bytes are, by the NULs of Latin letters and digits; empty if neither."""
    pairs = len(head) // 2
    first, second = head[::2].count(0), head[1::2].count(0)
    if pairs < _FEWEST_PAIRS or min(first, second) > 0:
        return ""
    most = _LATIN * pairs
    return "UTF-16LE" if second >= most else "UTF-16BE" if first >= most else ""


def line_of_nul(head: bytes) -> int:
    """Return the line of the first NUL below lines of plain text, 0 where there is no such text."""
    before = head[: max(0, head.find(b"\0"))]
    lines = before.count(b"\n")
    return lines + 1 if lines and _CONTROLS.search(before) is None else 0


def from_windows_1252(match: re.Match[str]) -> str:
    """Return the character of a byte that is no UTF-8 and was escaped as a surrogate."""
    byte = bytes([ord(match.group()) - 0xDC00])
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return byte.decode("latin-1")  # the five bytes that Windows-1252 leaves open
