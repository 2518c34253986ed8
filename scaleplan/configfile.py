"""Defaults that a person keeps beside his work: `scaleplan.yaml`, or the file of `--config`.

Its sections are `cluster` (gpu, gpus, price, mfu, country, pue, file), `columns` (role to column)
and `fit` (law). What is typed on the command line counts before it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from scaleplan.errors import InputError
from scaleplan.plainfile import PlainValue, parse_plain

NAME = "scaleplan.yaml"
_HINT = (
    "Its sections are cluster (gpu, gpus, price, mfu, country, pue, file), columns (role: column) "
    "and fit (law)."
)
# Section -> key -> (option, the commands that have it).
_CLUSTER = {
    **{key: (key, ("budget", "next", "report")) for key in ("gpu", "gpus", "price", "mfu")},
    **{key: (key, ("budget",)) for key in ("country", "pue")},
}
# `next` trains one run at a time on one kind of accelerator: the first of several.
_ONE_ONLY = {"next": ("gpu", "gpus")}
_SECTIONS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "cluster": {**_CLUSTER, "file": ("cluster", ("budget", "next", "report"))},
    "fit": {"law": ("law", ("fit", "predict", "sizes", "report"))},
}
_WITH_COLUMNS = (
    "runs", "fit", "predict", "backtest", "tune", "compare", "sizes", "check", "report",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Config:
    """Defaults of options, by command and parameter, and what they say in words."""

    file: str
    defaults: dict[str, dict[str, object]]
    said: tuple[str, ...]


def load_config(path: str) -> Config:
    """Read a file of defaults.

    Args:
        path: A YAML file.

    Raises:
        InputError: If it cannot be read, or says something that is not known.
    """
    top = parse_plain(path, _HINT)
    if isinstance(top.content, str):
        raise InputError("is text, not keys and values", file=path, line=top.line, hint=_HINT)
    defaults: dict[str, dict[str, object]] = {}
    said: list[str] = []
    for section, value in top.content.items():
        if section == "columns":
            pairs = _texts(path, section, value)
            given = ",".join(f"{role}={column}" for role, (column, _) in pairs.items())
            for command in _WITH_COLUMNS:
                defaults.setdefault(command, {})["columns"] = [given]
            said.append(f"--columns {given}")
            continue
        if section not in _SECTIONS:
            raise _unknown(path, section, value.line, (*_SECTIONS, "columns"))
        for key, (text, line) in _texts(path, section, value).items():
            if key not in _SECTIONS[section]:
                raise _unknown(path, f"{section}.{key}", line, tuple(_SECTIONS[section]))
            option, commands = _SECTIONS[section][key]
            given_to: dict[str, list[str]] = {}
            for command in commands:
                one = option in _ONE_ONLY.get(command, ())
                own = text.split(",", maxsplit=1)[0].strip() if one else text
                defaults.setdefault(command, {})[option] = own
                given_to.setdefault(own, []).append(command)
            said += [f"{'/'.join(names)} --{option} {own}" for own, names in given_to.items()]
    return Config(path, defaults, tuple(said))


def _texts(path: str, section: str, value: PlainValue) -> dict[str, tuple[str, int]]:
    if isinstance(value.content, str):
        message = f"{section} is not a section of keys and values"
        raise InputError(message, file=path, line=value.line, hint=_HINT)
    found = {}
    for key, inner in value.content.items():
        if not isinstance(inner.content, str):
            message = f"{section}.{key} is not a single value"
            raise InputError(message, file=path, line=inner.line, hint=_HINT)
        found[key] = (inner.content, inner.line)
    return found


def _unknown(path: str, name: str, line: int, known: tuple[str, ...]) -> InputError:
    near = difflib.get_close_matches(name.rpartition(".")[2], known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return InputError(f"{name} is not known", file=path, line=line, hint=hint + _HINT)
