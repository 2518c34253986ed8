"""The YAML format; its reader is loaded when a YAML file is read, not for every log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scaleplan.errors import InputError
from scaleplan.runs.formats.base import Format, KeepText

if TYPE_CHECKING:
    from scaleplan.runs.raw import RawTable
    from scaleplan.runs.source import TextSource


class NotYamlError(InputError):
    """A text is not valid YAML."""


_KEY = re.compile(r"[^\s,;|\t{}\[\]\"'#][^,;|\t{}\[\]\"']*:(\s|$)")


def recognises(head: str) -> bool:
    """Tell whether the first line that is no comment reads as YAML and not as column names."""
    for line in head.lstrip("\ufeff").splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return (
                stripped == "---"
                or stripped.startswith(("--- ", "- ", "%YAML"))
                or _KEY.match(stripped) is not None
            )
    return False


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a YAML log; see `yaml_events.read`."""
    from scaleplan.runs.formats import yaml_events

    return yaml_events.read(source, keep_text)


YAML = Format(name="YAML", extensions=(".yaml", ".yml"), recognises=recognises, read=read)
