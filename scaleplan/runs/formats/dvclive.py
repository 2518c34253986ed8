"""The folder of a run of DVCLive: a table a metric, what stood at the end, and the settings.

`plots/metrics/train/loss.tsv` has a `step` and one value a line; `metrics.json` repeats the last of
each and holds what was not plotted; `params.yaml` holds the settings. Source: DVCLive's guide, How
it works (dvc.org/doc/dvclive/how-it-works), and its `plots/metric.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import KeepText
from scaleplan.runs.formats.json_file import Decoder
from scaleplan.runs.formats.records import flatten
from scaleplan.runs.formats.yaml_file import YAML
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text

_METRICS = Path("plots", "metrics")
_ENDING = ".tsv"
_END, _SETTINGS = "metrics.json", "params.yaml"
_STEP = "step"
_SYSTEM = "system"  # the folder of what `monitor_system` measures: processors and memory
_USUAL = "dvclive"  # the name of a folder that says nothing of its run
_LARGEST = 1 << 24  # bytes of a file


def is_dvclive(folder: Path) -> bool:
    """Tell whether a folder is one run of DVCLive, by the first line of one of its tables."""
    first = next(iter(_tables(folder)), None)
    if first is None:
        return False
    try:
        with first.open(encoding="utf-8", errors="replace") as stream:
            names = stream.readline(1000).rstrip("\r\n").split("\t")
    except OSError:
        return False
    return _STEP in names[:2] and 2 <= len(names) <= 3


def read_dvclive(path: Path, name: str, keep_text: KeepText) -> RawTable:
    """Read one run.

    Args:
        path: Its folder.
        name: What messages call it.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If it holds no metrics, or a file of it cannot be read.
    """
    values: dict[float, dict[str, str]] = {}
    for file in _tables(path):
        metric = clean_text(file.relative_to(path / _METRICS).with_suffix("").as_posix())
        for step, value in _points(file):
            values.setdefault(step, {})[metric] = value
    if not values:
        raise InputError("holds no metrics", file=name, hint="Give the folder of a run with some.")
    shared: dict[str, str] = {}
    notes: list[Note] = []
    try:
        plotted = {metric for row in values.values() for metric in row}
        for key, value in _end(path, name).items():
            if key in plotted or key == _STEP:
                continue
            into = shared if describe(key) is None else values[max(values)]
            into[key] = value
        shared = {**_settings(path, name, keep_text), **shared}
    except InputError as error:
        notes.append(Note(
            id="SETTINGS_UNREAD", severity="info",
            text=f"What lies beside the metrics of {name} cannot be read: {error}.",
            action="Give sizes with --set.",
        ))  # fmt: skip
    builder = TableBuilder(name, keep_text=keep_text)
    names = list(dict.fromkeys(metric for row in values.values() for metric in row))
    rows = [values[step] for step in sorted(values)]
    columns = {metric: [row.get(metric, "") for row in rows] for metric in names}
    columns[_STEP] = [repr(step) for step in sorted(values)]
    columns["run"] = [_name(path)] * len(rows)
    builder.add(columns, [0] * len(rows))
    for note in notes:
        builder.note(note)
    return builder.build(shared)


def _tables(folder: Path) -> Iterator[Path]:
    """Yield the tables of a run's metrics."""
    metrics = folder / _METRICS
    for file in sorted(metrics.rglob(f"*{_ENDING}")) if metrics.is_dir() else ():
        if file.is_file() and file.relative_to(metrics).parts[0] != _SYSTEM:
            yield file


def _points(file: Path) -> Iterator[tuple[float, str]]:
    """Yield step and value of each line of a table; its last column has the values."""
    lines = _text(file, clean_text(str(file))).splitlines()
    reader = csv.reader(lines, delimiter="\t")
    header = next(reader, [])
    at = header.index(_STEP) if _STEP in header else -1
    for row in reader:
        if at < 0 or len(row) != len(header):
            continue  # a line that is still written
        try:
            yield float(row[at]), row[-1]
        except ValueError:
            continue


def _end(path: Path, name: str) -> dict[str, str]:
    """Return what stood at the end of the run, nested names joined by `/`."""
    file = path / _END
    if not file.is_file():
        return {}
    document = Decoder(f"{name}/{_END}").decode(_text(file, name))
    return flatten(document) if isinstance(document, Mapping) else {}


def _settings(path: Path, name: str, keep_text: KeepText) -> dict[str, str]:
    """Return the settings of the run."""
    file = path / _SETTINGS
    if not file.is_file() or not _text(file, name).strip():
        return {}
    with file.open("rb") as stream:
        table = YAML.read(TextSource(f"{name}/{_SETTINGS}", stream), keep_text)
    said = {key: column.text(0) for key, column in table.columns.items() if len(table) == 1}
    return {**said, **table.shared}


def _name(path: Path) -> str:
    """Return what a run is called: its folder, or the one that holds the folder of that name."""
    whole = path.resolve()
    return clean_text(whole.parent.name if whole.name == _USUAL else whole.name) or _USUAL


def _text(file: Path, name: str) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise InputError(f"{file.name} is too large for a run of DVCLive", file=name)
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror}", file=name) from error
