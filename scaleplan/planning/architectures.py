"""The shapes of published models that ship in data/architectures.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scaleplan.errors import UsageError

# JSON: the one data file that a planning module reads itself, and only when a model is named.
_FILE = Path(__file__).parent.parent / "data" / "architectures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A published model: its shape as people type it, and where it stands."""

    id: str
    family: str
    shape: str
    aliases: tuple[str, ...]
    source: str


@cache
def architectures() -> tuple[Architecture, ...]:
    """Return the published shapes, in the file's order."""
    entries = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Architecture(
            id=entry["id"], family=entry["family"], shape=entry["shape"],
            aliases=tuple(entry["aliases"]), source=entry["source"],
        )
        for entry in entries
    )  # fmt: skip


def architecture(name: str) -> Architecture:
    """Return the published model of this name, read without case and separators.

    Args:
        name: `llama3-8b`, `GPT-2 XL`, `ResNet50`.

    Raises:
        UsageError: If there is none of that name.
    """
    known = {_plain(text): one for one in architectures() for text in (one.id, *one.aliases)}
    wanted = _plain(name)
    if wanted in known:
        return known[wanted]
    from difflib import get_close_matches

    near = dict.fromkeys(known[text].id for text in get_close_matches(wanted, known, n=4))
    message = f"shape {name[:60]!r} is neither a published model, nor a file, nor key=value pairs"
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {_families()}."
    raise UsageError(message, hint=f"{hint} Or write it: L=32,d=4096,heads=32,kv=8,ffn=14336.")


def _families() -> str:
    """Return the makers' names, which say enough to guess an id."""
    return ", ".join(dict.fromkeys(one.id.rpartition("-")[0] for one in architectures()))


def _plain(name: str) -> str:
    """Leave letters, digits and points: 1.3b is not 13b."""
    return re.sub(r"[^a-z0-9.]", "", name.lower())
