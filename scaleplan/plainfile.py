"""Small YAML files that people write: a tree of texts with their lines, and nothing else.

Read by nodes, so that every value stays the text that was written; no aliases, no tags, nothing
twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaleplan.errors import InputError

_LARGEST_FILE = 100_000  # bytes; such a file is a page of text


@dataclass(frozen=True, slots=True)
class PlainValue:
    """A text, or a mapping, with the line it stands on."""

    content: str | Mapping[str, PlainValue]
    line: int


def parse_plain(path: str, hint: str) -> PlainValue:
    """Return the tree of a file, every scalar as text.

    Args:
        path: The file.
        hint: What an error says to do.

    Raises:
        InputError: If it cannot be read or holds more than keys and values.
    """
    import yaml

    try:
        with Path(path).open("rb") as handle:
            data = handle.read(_LARGEST_FILE + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path, hint=hint) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", file=path, hint=hint) from error
    if len(data) > _LARGEST_FILE:
        raise InputError(f"is larger than {_LARGEST_FILE:,} bytes", file=path, hint=hint)
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        raise InputError("is not YAML", file=path, line=line, hint=hint) from error
    if root is None:
        raise InputError("is empty", file=path, hint=f"Fill it or remove it. {hint}")
    return _value(root, path, set())


def _value(node: Any, path: str, seen: set[int]) -> PlainValue:  # noqa: ANN401 - a node of yaml
    """Return a node as text or mapping; each node once, so that aliases cannot grow it."""
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise InputError(
            "holds a YAML alias", file=path, line=line, hint="Write the value out again."
        )
    seen.add(id(node))
    if isinstance(node.value, str):
        return PlainValue(node.value.strip(), line)
    found: dict[str, PlainValue] = {}
    for pair in node.value:
        if not isinstance(pair, tuple):
            hint = "Write values with commas between them: `gpus: 64,256`."
            raise InputError("a list is not used here", file=path, line=line, hint=hint)
        key, inner = pair
        if not isinstance(key.value, str):
            message, hint = "a key is not a plain text", "Use text as keys."
            raise InputError(message, file=path, line=key.start_mark.line + 1, hint=hint)
        if key.value in found:
            message, hint = f"the key {shown(key.value)} is there twice", "Keep one of them."
            raise InputError(message, file=path, line=key.start_mark.line + 1, hint=hint)
        found[key.value] = _value(inner, path, seen)
    return PlainValue(found, line)


def shown(text: str) -> str:
    """Return a text as an error quotes it: escaped, and not for long."""
    return repr(text[:60])
