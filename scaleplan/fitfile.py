"""A Fit as a YAML file and back, so that predict and budget never refit.

The file is written whole or not at all, and read strictly: a file of another schema, cut in half or
edited into nonsense is an error that says so.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shlex
import tempfile
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Literal, Union, get_args, get_origin

from scaleplan.errors import InputError, UsageError
from scaleplan.fitvalues import check_values
from scaleplan.records import Fit

SCHEMA = "scaleplan.fit-file/1"
_LARGEST_FILE = 50_000_000  # bytes; a fit with its list of dropped rows is far smaller
_HEAD = 4096  # bytes in which the schema line must stand
_FIRST = b"schema: scaleplan.fit"
# What writes the tables of a fit into a file that ends so.
_AS_TABLE = {
    ".csv": "--format csv > fit.csv", ".json": "--format json > fit.json",
    ".md": "--format markdown > fit.md", ".html": "scaleplan report -o report.html",
    ".htm": "scaleplan report -o report.html",
}  # fmt: skip
_OTHER_THINGS = frozenset(
    {*_AS_TABLE, ".tsv", ".jsonl", ".parquet", ".xlsx", ".pdf", ".png", ".svg", ".tex", ".doc",
     ".docx"}
)  # fmt: skip


def _plain_dumper() -> Any:  # noqa: ANN401 - the C or the Python dumper, known at run time
    """Return a dumper class that writes repeated values out instead of as anchors."""
    import yaml

    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return type("PlainDumper", (base,), {"ignore_aliases": lambda *_: True})


def save_fit(fit: Fit, path: str) -> None:
    """Write a fit to a YAML file, whole or not at all.

    Args:
        fit: The fit.
        path: Where to; an existing file is replaced.

    Raises:
        UsageError: If the name promises something else than YAML.
        InputError: If the file cannot be written.
    """
    check_fit_name(path)
    text = dump_plain({"schema": SCHEMA, **_plain(asdict(fit))})
    write_text(text, path, what="the fit")


def check_fit_name(path: str) -> None:
    """Refuse a name for a fit that promises something else than YAML.

    Raises:
        UsageError: If it ends so; an ending that is not known promises nothing.
    """
    ending = Path(path).suffix.lower()
    if ending in _OTHER_THINGS:
        table = _AS_TABLE.get(ending, "")
        raise UsageError(
            f"{path} ends in {ending}; a fit is kept as YAML, which predict and budget read",
            hint="Give -o fit.yaml." + (f" Its tables: {table}." if table else ""),
        )


def write_text(text: str, path: str, *, what: str) -> None:
    """Write a text to a file, whole or not at all.

    Args:
        text: The text.
        path: Where to; an existing file is replaced.
        what: What it is, for the error.

    Raises:
        InputError: If the file cannot be written.
    """
    try:
        write_whole(Path(path), text.encode())
    except OSError as error:
        raise _cannot_write(path, error, what) from error


def dump_plain(document: dict[str, Any]) -> str:
    """Return a document of plain values as YAML, without anchors."""
    import yaml

    return str(
        yaml.dump(document, Dumper=_plain_dumper(), sort_keys=False, allow_unicode=True, width=100)
    )


def write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; a device or pipe is written to as it stands.

    Args:
        target: The file.
        content: All of it.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not target.is_file():
        with target.open("wb") as out:
            out.write(content)
        return
    target = target.resolve()  # through a link, the file it points to is replaced
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".scaleplan-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(temporary).chmod(mode)
        Path(temporary).replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):  # gone if it became the target
            Path(temporary).unlink()


def _cannot_write(path: str, error: OSError, what: str) -> InputError:
    return InputError(
        f"{what} cannot be written: {error.strerror}", file=path,
        hint="Choose a folder that exists and that you may write to.",
    )  # fmt: skip


def _plain(value: Any) -> Any:  # noqa: ANN401 - a tree of records
    """Turn tuples into lists, for YAML."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def is_fit_file(path: str) -> bool:
    """Tell whether a file says that it is a fit of scaleplan: in its first lines, as we write it.

    A YAML file that another program wrote again may have its keys in another order.
    """
    try:
        with Path(path).open("rb") as handle:
            head = handle.read(_HEAD)
            if _FIRST in head or Path(path).suffix.lower() not in {".yaml", ".yml"}:
                return _FIRST in head
            return b"\n" + _FIRST in handle.read(_LARGEST_FILE)
    except OSError:
        return False  # the reader of run logs gives the error, with its hint


def is_fit_stream(stream: BinaryIO) -> bool:
    """Tell whether a stream begins as a fit of scaleplan does, and leave it as it is."""
    if isinstance(stream, io.BufferedReader):
        head = stream.peek(_HEAD)[:_HEAD]
    elif stream.seekable():
        start = stream.tell()
        head = stream.read(_HEAD)
        stream.seek(start)
    else:
        return False
    return _FIRST in head


def load_fit(path: str, *, stdin: BinaryIO | None = None) -> Fit:
    """Read a fit file.

    Args:
        path: A file written by `save_fit`, or `-` for standard input.
        stdin: Standard input, if it may be read.

    Raises:
        InputError: If it cannot be read, is of another schema or incomplete, or holds what no
            fit can.
    """
    import yaml

    again = "Make it again with `scaleplan fit RUNS -o fit.yaml`."
    given = stdin if path == "-" else None
    path = path if given is None else "standard input"
    try:
        if given is None and Path(path).stat().st_size > _LARGEST_FILE:
            raise InputError("is too large to be a fit file", file=path, hint=again)
        content = Path(path).read_bytes() if given is None else given.read(_LARGEST_FILE + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path, hint=again) from error
    except UnicodeDecodeError as error:
        raise InputError("is not text", file=path, hint=again) from error
    if len(content) > _LARGEST_FILE:
        raise InputError("is too large to be a fit file", file=path, hint=again)
    if not _says_schema(text):
        log = (
            "`scaleplan fit RUNS -o fit.yaml`"
            if given is not None
            else (f"`scaleplan fit {shlex.quote(path)} -o fit.yaml`")
        )
        raise InputError(
            "is no saved fit", file=path, hint=f"If it is a log of runs, fit it first: {log}."
        )
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            raise InputError("holds YAML aliases, which fit files never do", file=path, hint=again)
        document = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            "is not a whole YAML file: it may have been cut off", file=path,
            line=None if mark is None else mark.line + 1, hint=again,
        ) from error  # fmt: skip
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else None
        raise InputError(
            "is no saved fit" if found is None
            else f"has the schema {found!r}; this version of scaleplan reads {SCHEMA!r}",
            file=path, hint=again,
        )  # fmt: skip
    del document["schema"]
    fit: Fit = _build(Fit, document, "fit", path)
    check_values(fit, path)
    return fit


def _says_schema(text: str) -> bool:
    """Tell whether some line of a text says which schema it has, as all that we write does."""
    return re.search(r"^\s*[\"']?schema[\"']?\s*:", text, re.MULTILINE) is not None


def _broken(path: str, what: str) -> InputError:
    return InputError(
        f"is not a complete fit file: {what}", file=path,
        hint="Make it again with `scaleplan fit RUNS -o fit.yaml`.",
    )  # fmt: skip


def _build(kind: Any, data: Any, where: str, path: str) -> Any:  # noqa: ANN401 - see `kind`
    """Build a record, tuple or scalar of type `kind` from plain YAML data."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _build_union(arguments, data, where, path)
    if origin is tuple:
        return _build_tuple(arguments, data, where, path)
    if is_dataclass(kind):
        return _build_record(kind, data, where, path)
    if origin is Literal:
        if data not in arguments:
            allowed = ", ".join(map(str, arguments))
            raise _broken(path, f"{where} is {str(data)[:40]!r}, not one of {allowed}")
    elif kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        data = float(data)
    elif not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise _broken(path, f"{where} is {str(data)[:40]!r}, not of type {kind.__name__}")
    return data


def _build_union(kinds: tuple[Any, ...], data: Any, where: str, path: str) -> Any:  # noqa: ANN401
    if data is None and type(None) in kinds:
        return None
    if isinstance(data, str) and str in kinds:
        return data
    first = next((k for k in kinds if k not in {type(None), str}), str)
    return _build(first, data, where, path)


def _build_tuple(kinds: tuple[Any, ...], data: object, where: str, path: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _broken(path, f"{where} is not a list")
    each = [kinds[0]] * len(data) if kinds[-1] is Ellipsis else list(kinds)
    if len(each) != len(data):
        raise _broken(path, f"{where} has {len(data)} entries, not {len(each)}")
    return tuple(
        _build(kind, item, f"{where}[{i}]", path)
        for i, (kind, item) in enumerate(zip(each, data, strict=True))
    )


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a class of records
    """Return the types of a record's fields; finding them out costs more than building it."""
    return typing.get_type_hints(kind)


def _build_record(kind: Any, data: Any, where: str, path: str) -> Any:  # noqa: ANN401
    if not isinstance(data, Mapping):
        raise _broken(path, f"{where} is not a mapping")
    names = [field.name for field in fields(kind)]
    # A key that was added later has a default, so that older files stay readable.
    optional = {field.name for field in fields(kind) if field.default is not MISSING}
    missing = [name for name in names if name not in data and name not in optional]
    extra = [str(key) for key in data if key not in names]
    if missing or extra:
        said = f"lacks {', '.join(missing)}" if missing else f"has unknown keys {', '.join(extra)}"
        raise _broken(path, f"{where} {said}")
    hints = _hints(kind)
    return kind(
        **{
            name: _build(hints[name], data[name], f"{where}.{name}", path)
            for name in names
            if name in data
        }
    )
