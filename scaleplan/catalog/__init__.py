"""What ships in data/*.yaml: accelerators, published laws and the planner's defaults.

Every reader raises `InputError`, with file and entry, if a data file is damaged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar, cast, get_args

import yaml

from scaleplan.catalog.entries import Entry as _Entry
from scaleplan.catalog.entries import floats as _floats
from scaleplan.errors import UsageError
from scaleplan.records import Accelerator, Assumption, Metric, MetricKind, PublishedLaw, Range
from scaleplan.records.base import Record

_DATA = Path(__file__).parents[1] / "data"
_ACCELERATORS = "accelerators.yaml"
_LAWS = "published_laws.yaml"
_PLANNING = "planning.yaml"
# libyaml reads the accelerators in 4 ms, the loader written in Python in 36 ms; not every
# installation of PyYAML has the former. Both build plain values only.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Words that only say who made it, left out where a name is looked up.
_MAKERS = re.compile(r"\b(?:nvidia|amd|intel|google|cloud|aws|tesla|geforce|instinct)\b")

_SHORTEST_NEAR = 2  # of two letters nearly any other two are near

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PlanningDefault(Record):
    """A number that the planner uses unless it is told another: with unit, source and date."""

    name: str
    value: float
    unit: str
    source: str
    date: str

    def assumption(self) -> Assumption:
        """Return it as a plan states it."""
        source = f"{self.source} ({self.date})"
        return Assumption(name=self.name, value=self.value, unit=self.unit, source=source)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PlanningChoice(Record):
    """A named alternative of the planner, such as an optimiser: its numbers by key."""

    name: str
    title: str
    numbers: Mapping[str, float]
    source: str


@cache
def _read(file: str) -> _Entry:
    text = (_DATA / file).read_text(encoding="utf-8")
    return _Entry(file, "file", {"top": yaml.load(text, Loader=_Loader)}).entry("top")


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return the accelerators of the catalogue, in its order."""
    top = _read(_ACCELERATORS)
    sources = top.entry("sources")
    return tuple(_accelerator(entry, sources) for entry in top.entries("accelerators"))


def _accelerator(entry: _Entry, sources: _Entry) -> Accelerator:
    year = entry.optional_number("year")
    priced, powered = ("usd_per_hour" in entry.values, "power_w" in entry.values)
    band = entry.pair("usd_band") if priced else (None, None)
    return Accelerator(
        id=entry.text("id"), name=entry.text("name"), vendor=entry.text("vendor"),
        year=None if year is None else int(year), peak_tflops=entry.number("peak_tflops"),
        memory_gib=entry.number("memory_gib"),
        memory_bandwidth_gbs=entry.optional_number("memory_bandwidth_gbs"),
        tdp_w=entry.optional_number("tdp_w"), power_w=entry.optional_number("power_w"),
        power_source=sources.text(entry.text("power_source")) if powered else "",
        inter_node_gbs=entry.optional_number("inter_node_gbs"),
        intra_node_gbs=entry.optional_number("intra_node_gbs"),
        matmul_efficiency=entry.optional_number("matmul_efficiency"),
        utilisation_class=entry.text("utilisation_class"),
        usd_per_hour=entry.optional_number("usd_per_hour"), usd_low=band[0], usd_high=band[1],
        price_date=entry.text("price_date") if priced else "",
        price_source=sources.text(entry.text("price_source")) if priced else "",
        source="; ".join(sources.text(key) for key in entry.texts("sources")),
        unverified=entry.texts("unverified"), note=entry.text("note", ""),
        fp8=entry.flag("fp8"),
    )  # fmt: skip


@cache
def accelerator(name: str) -> Accelerator:
    """Return the accelerator with this id, full name or short name.

    Args:
        name: Read without case, separators and maker: `h100`, `A100-40GB`, `tpu-v4`.

    Raises:
        UsageError: If the catalogue has none of that name.
    """
    aliases = _read(_ACCELERATORS).entry("aliases")
    return _find(
        name, accelerators(), kind="accelerator", key=lambda part: (part.id, part.name),
        aliases={alias: aliases.text(alias) for alias in aliases.values},
        hint="`scaleplan gpus` lists them all.",
    )  # fmt: skip


def default_accelerator() -> Accelerator:
    """Return the accelerator that is planned with where none is named."""
    return accelerator(_read(_ACCELERATORS).text("default"))


@cache
def published_laws() -> tuple[PublishedLaw, ...]:
    """Return the published laws, in the catalogue's order."""
    return tuple(_published_law(entry) for entry in _read(_LAWS).entries("laws"))


def _published_law(entry: _Entry) -> PublishedLaw:
    runs = entry.optional_number("runs")
    metric, ranges = entry.entry("metric"), entry.entry("ranges")
    kind = metric.text("kind")
    if kind not in get_args(MetricKind):
        raise metric.wrong("kind", f"one of {', '.join(get_args(MetricKind))}")
    if not isinstance(entry.values.get("historical"), bool):
        raise entry.wrong("historical", "true or false")
    return PublishedLaw(
        id=entry.text("id"), law=entry.text("law"), title=entry.text("title"),
        theta=entry.numbers("theta"), covariance=_covariance(entry),
        noise=entry.optional_number("noise"), runs=None if runs is None else int(runs),
        metric=Metric(
            name=metric.text("name"), kind=cast("MetricKind", kind), unit=metric.text("unit")
        ),
        ranges=tuple(
            Range(role=role, low=ranges.pair(role)[0], high=ranges.pair(role)[1])
            for role in ranges.values
        ),
        flops_per_param_token=entry.number("flops_per_param_token"),
        params_convention=entry.text("params_convention"), source=entry.text("source"),
        note=entry.text("note", ""), historical=entry.values["historical"],
        input=entry.text("input") if "input" in entry.values else None,
    )  # fmt: skip


def _covariance(entry: _Entry) -> tuple[tuple[float, ...], ...] | None:
    rows = entry.values.get("covariance")
    if rows is None:
        return None
    size = len(entry.numbers("theta"))
    matrix = tuple(_floats(row) or () for row in rows) if isinstance(rows, list) else ()
    if [len(row) for row in matrix] != [size] * size:
        raise entry.wrong("covariance", f"a list of {size} lists of {size} numbers, or null")
    return matrix


def published_law(name: str) -> PublishedLaw:
    """Return the published law with this id or alias, read without case and separators.

    Raises:
        UsageError: If the catalogue has none of that name.
    """
    laws = _read(_LAWS).entries("laws")
    aliases = {alias: law.text("id") for law in laws for alias in law.texts("aliases")}
    return _find(
        name, published_laws(), kind="published law", key=lambda law: (law.id,), aliases=aliases,
        hint="`scaleplan laws` lists them all.",
    )  # fmt: skip


@cache
def planning_default(identifier: str) -> PlanningDefault:
    """Return a default of the planner by its id in data/planning.yaml.

    Raises:
        InputError: If the data file has no such entry, or a damaged one.
    """
    top = _read(_PLANNING)
    entry = top.entry("defaults").entry(identifier)
    return PlanningDefault(
        name=entry.text("name"), value=entry.number("value"), unit=entry.text("unit"),
        source=entry.text("source"), date=entry.text("date", top.text("date")),
    )  # fmt: skip


@cache
def planning_choice(kind: str, name: str | None = None) -> PlanningChoice:
    """Return an entry of `optimizers` or `precisions` of data/planning.yaml, None for the default.

    Raises:
        UsageError: If there is none of that name.
    """
    top = _read(_PLANNING)
    entries = top.entry(f"{kind}s")
    wanted = top.text(f"default_{kind}") if name is None else name
    found = _find(
        wanted, tuple(entries.values), kind=kind, key=lambda one: (one,), aliases={},
        hint=f"Known: {', '.join(entries.values)}.",
    )  # fmt: skip
    entry = entries.entry(found)
    keys = [key for key in entry.values if key not in {"title", "source"}]
    return PlanningChoice(
        name=found, title=entry.text("title"), numbers={key: entry.number(key) for key in keys},
        source=entry.text("source"),
    )  # fmt: skip


def planning_choices(kind: str) -> tuple[str, ...]:
    """Return the names of the optimizers or precisions of data/planning.yaml."""
    return tuple(_read(_PLANNING).entry(f"{kind}s").values)


@cache
def grid_intensity(country: str | None = None) -> PlanningDefault:
    """Return the carbon intensity of a country's electricity in gCO2e/kWh.

    Args:
        country: Code of two or three letters, or English name; None is the world's mean.

    Raises:
        UsageError: If the catalogue does not have the country.
    """
    top = _read(_PLANNING)
    grid = top.entry("grid")
    countries = grid.entry("countries")
    wanted = grid.text("default") if country is None else country
    code = _find(
        wanted, tuple(countries.values), kind="country", key=lambda code: (code,),
        aliases={
            countries.entry(code).text(key): code for code in countries.values
            for key in ("name", "short") if key in countries.entry(code).values
        },
        hint=f"Known: {', '.join(countries.values)}.",
    )  # fmt: skip
    entry = countries.entry(code)
    return PlanningDefault(
        name=f"carbon intensity of the grid ({entry.text('name')})", value=entry.number("value"),
        unit=grid.text("unit"), source=grid.text("source"), date=top.text("date"),
    )  # fmt: skip


def _find(
    name: str, items: Iterable[T], *, kind: str, key: Callable[[T], tuple[str, ...]],
    aliases: Mapping[str, str], hint: str,
) -> T:  # fmt: skip
    """Look a name up among names and aliases, or say which ones are near."""
    known = {_plain(text): item for item in items for text in key(item)}
    known |= {_plain(alias): known[_plain(target)] for alias, target in aliases.items()}
    wanted = _plain(name)
    if wanted in known:
        return known[wanted]
    from difflib import get_close_matches

    # Names as people write them, ids before aliases.
    written = {_plain(text): text for text in aliases if len(text) > _SHORTEST_NEAR}
    written |= {_plain(key(item)[0]): key(item)[0] for item in known.values()}
    near = [written[text] for text in get_close_matches(wanted, written, n=3, cutoff=0.5)]
    message = f"{kind} {name[:60]!r} is not in the catalogue"
    raise UsageError(message, hint=f"Did you mean {' or '.join(near)}? {hint}" if near else hint)


def _plain(name: str) -> str:
    """Leave only lower-case letters and digits, without the maker."""
    shown = name.lower()
    return re.sub(r"[^a-z0-9]", "", _MAKERS.sub("", re.sub(r"[_\-]", " ", shown))) or shown
