"""A user's cluster from a YAML file: his accelerators, prices, MFU and node.

The file is input like any other: read by nodes, so that every value stays the text that was
written, with its line; no aliases, no tags, nothing twice, nothing unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from scaleplan.catalog import accelerator, accelerators, grid_intensity
from scaleplan.errors import InputError, UsageError
from scaleplan.plainfile import PlainValue, parse_plain, shown
from scaleplan.records import Accelerator, Cluster
from scaleplan.units import (
    format_significant,
    parse_count,
    parse_fraction,
    parse_gib,
    parse_positive,
    parse_usd,
)

_FILE_HINT = "A cluster file is a few lines of `key: value`; see `scaleplan budget --help`."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# A peak within this of twice a part's dense rate is the figure that data sheets give for sparse
# matrices, or for fp8.
_NEAR = 0.03
# TFLOP/s; above it the figure is in other units, or of a whole node.
_LARGEST_PEAK = 20_000.0
_LARGEST_MEMORY = 4096.0  # GiB

T = TypeVar("T")


def load_cluster(path: str) -> Cluster:
    """Read a cluster file.

    Args:
        path: A YAML file; its keys are the fields of `Cluster`, with a mapping of `accelerators`.

    Raises:
        InputError: If it cannot be read, or says something that is not allowed.
    """
    top = _Reader(path, "the file", parse_plain(path, _FILE_HINT))
    own = top.mapping("accelerators")
    found = {} if own is None else {
        name: _accelerator(name, own.below(name)) for name in own.values
    }  # fmt: skip
    cluster = Cluster(
        file=path, accelerators=tuple(found.values()), gpu=top.read("gpu", str),
        mfu=top.read("mfu", parse_fraction), mfu_gpus=top.read("mfu_gpus", _whole),
        usd_per_hour=top.read("usd_per_hour", parse_usd), pue=top.read("pue", _pue),
        country=top.read("country", _country), node_size=top.read("node_size", _whole),
        mtbf_gpu_hours=top.read("mtbf_gpu_hours", parse_positive),
        checkpoint_seconds=top.read("checkpoint_seconds", parse_positive),
        restart_minutes=top.read("restart_minutes", parse_positive),
        storage_gbs=top.read("storage_gbs", parse_positive),
    )  # fmt: skip
    top.refuse_others()
    if not any(getattr(cluster, one.name) for one in fields(cluster) if one.name != "file"):
        raise InputError("says nothing about a cluster", file=path, hint=_KEYS_HINT)
    return cluster


_KEYS = tuple(one.name for one in fields(Cluster) if one.name != "file")
_KEYS_HINT = f"Known keys: {', '.join(_KEYS)}."
_PART_KEYS = (
    "like", "peak_tflops", "dense", "memory_gib", "memory_bandwidth_gbs", "tdp_w",
    "power_w", "inter_node_gbs", "intra_node_gbs", "matmul_efficiency", "usd_per_hour",
)  # fmt: skip


class _Reader:
    """A mapping of the file whose values are taken one by one; what is left is unknown."""

    def __init__(self, file: str, where: str, value: PlainValue) -> None:
        self._file, self._where = file, where
        if isinstance(value.content, str):
            raise self.error(value.line, f"{where} is {shown(value.content)}, not keys and values")
        self.values = value.content
        self.line = value.line
        self._taken: list[str] = []

    def error(self, line: int, message: str, hint: str = _KEYS_HINT) -> InputError:
        return InputError(message, file=self._file, line=line, hint=hint)

    def read(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Return a value as what it means, None if it is not there."""
        self._taken.append(key)
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value.content, str):
            raise self.error(value.line, f"{key} is not a single value", "Write `key: value`.")
        try:
            return parse(value.content)
        except UsageError as error:
            raise self.error(value.line, f"{key}: {error.message}", error.hint) from error
        except ValueError as error:
            raise self.error(value.line, f"{key}: {error}", "Correct the value.") from error

    def mapping(self, key: str) -> _Reader | None:
        """Return a mapping, None if it is not there."""
        self._taken.append(key)
        value = self.values.get(key)
        return None if value is None else _Reader(self._file, key, value)

    def below(self, key: str) -> _Reader:
        return _Reader(self._file, key, self.values[key])

    def line_of(self, key: str) -> int:
        return self.values[key].line if key in self.values else self.line

    def refuse_others(self, known: tuple[str, ...] = _KEYS) -> None:
        """Refuse keys that nobody asked for."""
        for key, value in self.values.items():
            if key not in self._taken:
                from difflib import get_close_matches

                near = get_close_matches(key.lower(), known, n=2, cutoff=0.5)
                hint = f"Did you mean {' or '.join(near)}? " if near else ""
                message = f"{self._where} has no key {shown(key)}"
                raise self.error(value.line, message, f"{hint}Known keys: {', '.join(known)}.")


def _accelerator(name: str, entry: _Reader) -> Accelerator:
    """Return one of the user's accelerators, what he leaves out taken from the part it is like."""
    if not _NAME.fullmatch(name):
        message = f"{shown(name)} is no name for an accelerator"
        raise entry.error(entry.line, message, "Use up to 40 letters, digits, `.`, `_` and `-`.")
    like = entry.read("like", accelerator) or _catalogued(name)
    peak = entry.read("peak_tflops", parse_positive)
    memory = entry.read("memory_gib", parse_gib)
    dense = entry.read("dense", _yes_or_no) or False
    usd = entry.read("usd_per_hour", parse_usd)
    given: dict[str, Any] = {
        "peak_tflops": peak, "memory_gib": memory,
        "memory_bandwidth_gbs": entry.read("memory_bandwidth_gbs", parse_positive),
        "tdp_w": entry.read("tdp_w", parse_positive),
        "power_w": entry.read("power_w", parse_positive),
        "inter_node_gbs": entry.read("inter_node_gbs", parse_positive),
        "intra_node_gbs": entry.read("intra_node_gbs", parse_positive),
        "matmul_efficiency": entry.read("matmul_efficiency", parse_fraction),
    }  # fmt: skip
    entry.refuse_others(_PART_KEYS)
    if like is None and (peak is None or memory is None):
        message = f"{name} needs peak_tflops and memory_gib, or a part of the catalogue to be like"
        raise entry.error(entry.line, message, "For example `like: h100`; see `scaleplan gpus`.")
    base = like or _blank()
    if given["tdp_w"] is not None:
        base = replace(base, power_w=None, power_source="")  # measured was the other part's
    if given["power_w"] is not None:
        base = replace(base, power_source="cluster file")
    _check_peak(entry, peak, base.memory_gib if memory is None else memory, like, dense=dense)
    if memory is not None and memory > _LARGEST_MEMORY:
        message = f"memory_gib of {memory:g} is more than any accelerator has"
        raise entry.error(entry.line_of("memory_gib"), message, "Give the GiB of one device.")
    part = replace(
        base, id=name, name=name, source="cluster file",
        unverified=tuple(key for key in base.unverified if given.get(key, usd) is None),
        note="" if like is None else f"like {like.id}",
        **{key: value for key, value in given.items() if value is not None},
    )  # fmt: skip
    if usd is None:
        return part
    return replace(
        part, usd_per_hour=usd, usd_low=usd, usd_high=usd, price_date="",
        price_source="cluster file",
    )  # fmt: skip


def _catalogued(name: str) -> Accelerator | None:
    """Return the catalogue's part that a name stands for, None if there is none."""
    try:
        return accelerator(name)
    except UsageError:
        return None  # a name of the user's own


def _blank() -> Accelerator:
    return Accelerator(
        id="", name="", vendor="", year=None, peak_tflops=math.nan, memory_gib=math.nan,
        memory_bandwidth_gbs=None, tdp_w=None, power_w=None, power_source="",
        inter_node_gbs=None, intra_node_gbs=None, matmul_efficiency=None, utilisation_class="other",
        usd_per_hour=None, usd_low=None, usd_high=None, price_date="", price_source="",
        source="", unverified=(), note="",
    )  # fmt: skip


def _check_peak(
    entry: _Reader, peak: float | None, memory: float, like: Accelerator | None, *, dense: bool
) -> None:
    """Refuse a peak that is a figure for sparse matrices, or no figure of one accelerator."""
    if peak is None or dense:
        return
    line = entry.line_of("peak_tflops")
    if peak > _LARGEST_PEAK:
        message = f"peak_tflops of {peak:g} is more than any accelerator has"
        raise entry.error(line, message, "Give the dense bf16 TFLOP/s of one device.")
    suspects = (like,) if like is not None else accelerators()
    for part in suspects:
        times = peak / part.peak_tflops
        alike = like is not None or math.isclose(part.memory_gib, memory, rel_tol=_NEAR)
        if alike and (abs(times - 2.0) < 2.0 * _NEAR or abs(times - 4.0) < 4.0 * _NEAR):
            message = (
                f"peak_tflops of {peak:g} looks like {part.name}'s figure for sparse matrices or "
                f"fp8; its dense bf16 rate is {format_significant(part.peak_tflops)}"
            )
            raise entry.error(
                line, message,
                "Give the dense bf16 TFLOP/s, from which --precision fp8 plans FP8, or add "
                "`dense: true` if this is the dense rate.",
            )  # fmt: skip


def _whole(text: str) -> int:
    value = parse_positive(text)
    if value != int(value):
        message = f"{text} is not allowed; it must be a whole number of at least 1"
        raise ValueError(message)
    return int(value)


def _pue(text: str) -> float:
    value = parse_count(text)
    if not 1.0 <= value < math.inf:
        message = f"{text} is not allowed; a PUE is at least 1, usually 1.1 to 1.6"
        raise ValueError(message)
    return value


def _country(text: str) -> str:
    grid_intensity(text)
    return text


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"true", "false", "yes", "no"}:
        message = f"{shown(text)} is not true or false"
        raise ValueError(message)
    return text.lower() in {"true", "yes"}
