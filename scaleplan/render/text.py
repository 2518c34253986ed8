"""Text that came from a file, made safe to show."""

from __future__ import annotations

import re

# C0 and C1 controls and DEL drive terminals; the bidirectional ones (Unicode TR36) reorder what
# is read; lone surrogates cannot be encoded.
_BLANKS = re.compile(r"[\t\n\r\v\f\x85\u2028\u2029]+")
_CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def plain_text(text: str) -> str:
    """Return the text on one line, without control characters."""
    return _CONTROLS.sub("", _BLANKS.sub(" ", text))
