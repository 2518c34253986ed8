"""Logs of MLPerf's training benchmarks: lines of `:::MLLOG` and one event each, in JSON.

An event has a key, a value and metadata that say where in the training it was. What is logged as
`eval_accuracy` is the quality that the benchmark asks for: of language models it is the loss on
validation data, of speech the word error rate. Sources: github.com/mlcommons/logging, and the table
of benchmarks in github.com/mlcommons/training_policies, training_rules.adoc, section 3.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scaleplan.errors import InputError
from scaleplan.records import Note
from scaleplan.runs.formats.base import Format, KeepText
from scaleplan.runs.metrics import describe
from scaleplan.runs.raw import RawTable, TableBuilder
from scaleplan.runs.source import TextSource
from scaleplan.runs.text import clean_text

_EVENT = re.compile(r":::MLLOG (\{.*\})")
_LOOKED_AT = 40  # lines: what a launcher prints first
_QUALITY = "eval_accuracy"
# What the benchmarks' quality is where it is none that rises.
_FALLING = {
    "gpt3": "eval_loss", "llama2_70b_lora": "eval_loss", "llama31_405b": "eval_loss",
    "llama31_8b": "eval_loss", "flux1": "eval_loss", "rnnt": "eval_wer",
}  # fmt: skip
_RISING = frozenset(
    {"resnet", "ssd", "maskrcnn", "bert", "dlrm", "dlrm_dcnv2", "unet3d", "gnn", "rgat", "minigo",
     "ncf", "transformer", "gnmt", "retinanet"}
)  # fmt: skip
_PLACES = ("samples_count", "step_num", "step", "epoch_num")
# More epochs than any benchmark takes: what is called their number is one of samples or tokens.
_MOST_EPOCHS = 1e5
_NAMES = {
    "opt_base_learning_rate": "learning_rate", "opt_name": "optimizer",
    "submission_benchmark": "benchmark",
}  # fmt: skip
# Sizes of the data that are read before the training, or counted after it.
_NO_SETTINGS = frozenset({"train_samples", "eval_samples", "trained_samples"})


@dataclass(slots=True)
class _Log:
    """What the events of one log say so far.

    Attributes:
        settings: What is said once of the whole run.
        rows: By what counts a place, and the place: what was measured there.
        lines: The line of each of them.
        times: When the training began and ended, in milliseconds.
        lost: Lines that measure something at a place that is no finite number.
    """

    settings: dict[str, str] = field(default_factory=dict)
    rows: dict[tuple[str, float], dict[str, str]] = field(default_factory=dict)
    lines: dict[tuple[str, float], int] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)

    def take(self, line: int, event: Mapping[str, Any]) -> None:
        """Take one event."""
        key, value = str(event.get("key", "")), event.get("value")
        metadata = event.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        if key in {"run_start", "run_stop"}:
            self.times.setdefault(key, _finite(event.get("time_ms")) or 0.0)
        measured = _measured(key, value, metadata)
        if not measured:
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                self.settings.setdefault(clean_text(key), clean_text(str(value)))
            return
        place = next((p for p in _PLACES if _is_number(metadata.get(p))), None)
        if place is None:
            return
        where = _finite(metadata[place])
        if where is None:
            self.lost.append(line)
            return
        at = (place, where)
        self.rows.setdefault(at, {}).update(measured)
        if any(name.startswith("eval_") for name in measured):
            self.lines[at] = line
        self.lines.setdefault(at, line)


def read(source: TextSource, keep_text: KeepText) -> RawTable:
    """Read a log.

    Args:
        source: The text; lines without an event are passed over.
        keep_text: Tells by name which columns are text.

    Raises:
        InputError: If no event is an evaluation or a loss.
    """
    log = _Log()
    for number, text in enumerate(source.lines(), 1):
        found = _EVENT.search(text)
        event = _decoded(found[1]) if found is not None else None
        if event is not None:
            log.take(number, event)
    counted = _counted_by(log)
    if counted is None:
        raise InputError(
            "no event of MLPerf's log measures anything (eval_accuracy, train_loss)",
            file=source.name, hint="Give the log of a run that came to its first evaluation.",
        )  # fmt: skip
    places = sorted(at for at in log.rows if at[0] == counted)
    rows = [log.rows[at] for at in places]
    notes = list(source.notes())
    quality = _quality(log.settings.get("submission_benchmark", ""), rows)
    if quality != _QUALITY and any(_QUALITY in row for row in rows):
        notes.append(_quality_note(quality))
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {
        quality if name == _QUALITY else name: [row.get(name, "") for row in rows]
        for name in names
    } | _axes(counted, [at for _, at in places], log.settings)  # fmt: skip
    builder = TableBuilder(source.name, keep_text=keep_text)
    builder.add(columns, [log.lines[at] for at in places])
    for line in log.lost:
        builder.drop(line, "it is measured at no finite place in the training")
    for note in notes:
        builder.note(note)
    return replace(builder.build(_shared(log)), printed=True)


def _decoded(text: str) -> Mapping[str, Any] | None:
    try:
        event = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None  # half a line, or one that another process wrote into
    return event if isinstance(event, Mapping) else None


def _measured(key: str, value: Any, metadata: Mapping[str, Any]) -> dict[str, str]:  # noqa: ANN401
    """Return what an event measures, by name; empty for any other event."""
    found: dict[str, str] = {}
    if key == "tracked_stats":
        for name, number in value.items() if isinstance(value, Mapping) else ():
            said = describe(str(name))
            if said is not None and not said.qualifiers and _is_number(number):
                found[name if said.split != "plain" else f"train_{name}"] = str(number)
    elif describe(key) is not None and key.startswith(("eval_", "train_")):
        if _is_number(value):
            found[f"eval_{metadata['metric']}" if metadata.get("metric") else key] = str(value)
        elif isinstance(value, Mapping):
            found = {f"{key}/{name}": str(n) for name, n in value.items() if _is_number(n)}
    if found and _is_number(metadata.get("lr")):
        found["learning_rate"] = str(metadata["lr"])
    return {clean_text(name): number for name, number in found.items()}


def _is_number(value: Any) -> bool:  # noqa: ANN401 - of JSON
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _finite(value: Any) -> float | None:  # noqa: ANN401 - of JSON
    return float(value) if _is_number(value) and math.isfinite(float(value)) else None


def _counted_by(log: _Log) -> str | None:
    """Return what counts the places of evaluations, or of losses where there are none."""
    evaluated = [at for at, row in log.rows.items() if any(n.startswith("eval_") for n in row)]
    counts = Counter(place for place, _ in evaluated or log.rows)
    return counts.most_common(1)[0][0] if counts else None


def _quality(benchmark: str, rows: list[dict[str, str]]) -> str:
    """Return what the quality of a benchmark is called; the values tell of one that is not known.

    Args:
        benchmark: Its name.
        rows: What was measured, from the first place to the last.
    """
    name = benchmark.casefold()
    if name in _FALLING or name in _RISING:
        return _FALLING.get(name, _QUALITY)
    values = [float(row[_QUALITY]) for row in rows if _QUALITY in row]
    falls = len(values) > 1 and values[-1] < values[0]
    return "eval_loss" if values and (falls or max(values) > 1.0) else _QUALITY


def _axes(counted: str, places: list[float], settings: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the columns that say where in the training each row was."""
    told = [f"{place:.12g}" for place in places]
    if counted in {"step", "step_num"}:
        return {"step": told}
    if counted == "epoch_num" and max(places) <= _MOST_EPOCHS:
        return {"epoch": told}
    batch = _setting(settings, "global_batch_size")
    length = _setting(settings, "max_sequence_length")
    # Whole numbers of steps, all of them, are no chance: GPT-3's counts are of tokens.
    tokens = length > 1.0 and all(place % (batch * length) == 0.0 for place in places)
    step = batch * (length if tokens else 1.0)
    return {
        "tokens_seen" if tokens else "samples_seen": told,
        "step": [f"{round(place / step):d}" for place in places],
    }


def _setting(settings: Mapping[str, str], name: str) -> float:
    return max(_finite(settings.get(name, "")) or 1.0, 1.0)


def _shared(log: _Log) -> dict[str, str]:
    """Return what is said of the whole run, under the names that settings have elsewhere."""
    said = {_NAMES.get(k, k): v for k, v in log.settings.items() if k not in _NO_SETTINGS}
    start, stop = log.times.get("run_start", 0.0), log.times.get("run_stop", 0.0)
    return said | ({"run_seconds": f"{(stop - start) / 1e3:.12g}"} if stop > start > 0.0 else {})


def _quality_note(quality: str) -> Note:
    kind = "a word error rate" if quality == "eval_wer" else "a loss"
    return Note(
        id="MLPERF_QUALITY", severity="info",
        text=f"What MLPerf logs as eval_accuracy is the quality that a benchmark asks for; here it "
        f"is {kind}, which falls, and is read as {quality}.",
        action=f"Say --columns accuracy={quality} if it is an accuracy.",
    )  # fmt: skip


def recognises(head: str) -> bool:
    """Tell whether one of the first lines of a text is an event of MLPerf's log."""
    return any(_EVENT.search(line) for line in head.splitlines()[:_LOOKED_AT])


MLPERF = Format(name="MLPerf log", extensions=(), recognises=recognises, read=read)
