"""From what was typed to the files that are read: paths, patterns, folders, standard input."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scaleplan.errors import InputError, UsageError
from scaleplan.runs.checkpoints import only_last_checkpoints
from scaleplan.runs.companions import without_companions
from scaleplan.runs.formats.stores import kind_of
from scaleplan.runs.text import clean_text, listed, near

STANDARD_INPUT = "-"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One input.

    Args:
        path: The file; None for standard input and addresses.
        name: What messages call it.
        extension: Lower case with its dot, `.gz` taken off; may be empty.
        found: Whether it was found in a folder or by a pattern, not named itself.
        url: An address (`s3://bucket/log.csv`), or a pattern of some, which engines read.
    """

    path: Path | None
    name: str
    extension: str
    found: bool = False
    url: str = ""


def locate(sources: Sequence[str], extensions: Sequence[str]) -> tuple[Located, ...]:
    """Return the inputs that sources stand for, each file once.

    Args:
        sources: Files, patterns, folders and `-`.
        extensions: What the files of a folder must end with to be looked at.

    Raises:
        InputError: If a source does not exist, or a folder or pattern holds nothing.
        UsageError: If there is no source, or standard input is named twice.
    """
    if not sources:
        raise UsageError("no log was given", hint="Give a file, a folder, or - for standard input.")
    result: list[Located] = []
    seen: set[str] = set()
    for source in sources:
        for each in _expand(source, extensions):
            key = each.url or STANDARD_INPUT
            if each.path is not None:
                key = os.path.realpath(each.path)
            if key == STANDARD_INPUT and key in seen:
                raise UsageError("standard input (-) is given twice", hint="Give it once.")
            if key not in seen:
                seen.add(key)
                result.append(each)
    return tuple(result)


def _expand(source: str, extensions: Sequence[str]) -> list[Located]:
    if source == STANDARD_INPUT:
        return [Located(path=None, name="standard input", extension="")]
    if not source or "\0" in source:
        raise InputError("an empty name is no file", hint="Give the path of a log.")
    path = Path(source)
    if path.is_dir() and not kind_of(path):
        return _in_folder(path, extensions)
    if path.exists():
        return [_file(path)]
    if _ADDRESS.match(source):
        return [address(source)]
    if glob.has_magic(source):
        files = [Path(p) for p in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207 - Path.glob refuses absolute patterns
        inside = [f for p in files if p.is_dir() for f in _below(p, extensions)]
        plain = [p for p in files if not p.is_dir()]
        if plain or inside:
            return [_file(p, found=True) for p in (*plain, *inside)]
        raise InputError(
            "no file matches this pattern", file=clean_text(source), hint="Check the pattern."
        )
    if path.is_symlink():
        raise InputError(
            "is a link that leads to no file, or back to itself", file=clean_text(source),
            hint="Give the file that it should lead to.",
        )  # fmt: skip
    raise InputError("no such file", file=clean_text(source), hint=_missing_hint(path))


def address(url: str) -> Located:
    """Return what stands at an address."""
    name = url.partition("?")[0] if url.startswith("http") else url
    return Located(path=None, name=clean_text(url), extension=_extension(name), url=url)


def _missing_hint(path: Path) -> str:
    """Name files beside the missing one that resemble it."""
    folder = path.parent
    try:
        names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    except OSError:
        names = []  # a folder that cannot be listed has no suggestions
    alike = near(path.name, names)
    return f"Did you mean {listed(map(clean_text, alike))}?" if alike else "Check the path."


def _in_folder(folder: Path, extensions: Sequence[str]) -> list[Located]:
    files = _below(folder, extensions)
    if not files:
        raise InputError(
            f"the folder holds no log ({listed(extensions)})", file=clean_text(str(folder)),
            hint="Name the files themselves if their names end otherwise.",
        )  # fmt: skip
    return [_file(p, found=True) for p in files]


def _below(folder: Path, extensions: Sequence[str]) -> list[Path]:
    """Return the files below a folder that may be logs, sorted, hidden ones left out."""
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise InputError(
            f"the folder cannot be read: {error.strerror or error}",
            file=clean_text(str(error.filename or folder)), hint="Check its rights.",
        )  # fmt: skip

    for place, folders, files in os.walk(folder, onerror=refuse):
        # A run of MLflow or DVCLive is one log, however many files it keeps.
        found += [Path(place, f) for f in folders if kind_of(Path(place, f))]
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not kind_of(Path(place, f))
        )
        found += [
            Path(place, f) for f in files
            if not f.startswith(".") and Path(place, f).exists()
            and (_extension(f) in extensions or kind_of(Path(place, f)))
        ]  # fmt: skip
    return sorted(only_last_checkpoints(without_companions(found)))


def _file(path: Path, *, found: bool = False) -> Located:
    extension = kind_of(path) or _extension(path.name)
    return Located(path=path, name=clean_text(str(path)), extension=extension, found=found)


def _extension(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix
