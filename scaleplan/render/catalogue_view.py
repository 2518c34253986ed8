"""What is shown of the catalogues of laws and accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scaleplan.render.view import UNKNOWN, Column, Table, View, band, number, ranges_text
from scaleplan.units import format_significant, format_usd

if TYPE_CHECKING:
    from scaleplan.laws import Law
    from scaleplan.records import Accelerator, PublishedLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class LawCatalogue:
    """The laws that can be fitted, and the published fits that can be used as they are."""

    laws: tuple[Law, ...]
    published: tuple[PublishedLaw, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorCatalogue:
    """The accelerators, and the one that is used where none is named."""

    accelerators: tuple[Accelerator, ...]
    default: str


def laws_view(catalogue: LawCatalogue) -> View:
    """Return what `scaleplan laws` shows."""
    laws = Table(
        title="Laws to fit (scaleplan fit --law)",
        columns=(
            Column(name="law", kind="name"),
            Column(name="formula", kind="text"),
            Column(name="inputs", kind="text", rank=3),
            Column(name="what it is", kind="text", rank=2),
            Column(name="source", kind="text", rank=1),
        ),
        rows=tuple(
            (law.name, law.formula, ", ".join(law.inputs), law.title, law.source)
            for law in catalogue.laws
        ),
    )
    published = Table(
        title="Published fits (scaleplan budget --law)",
        columns=(
            Column(name="id", kind="name"),
            Column(name="law", kind="name", rank=3),
            Column(name="parameters", kind="text", rank=4),
            Column(name="fitted range", kind="text", rank=2),
            Column(name="what it is", kind="text"),
            Column(name="source", kind="text", rank=1),
        ),
        rows=tuple(_published_row(law, catalogue) for law in catalogue.published),
    )
    return View(title="scaleplan laws", blocks=(laws, published))


def _published_row(published: PublishedLaw, catalogue: LawCatalogue) -> tuple[str, ...]:
    form = next((law for law in catalogue.laws if law.name == published.law), None)
    symbols = [spec.symbol for spec in form.parameters] if form is not None else []
    if len(symbols) != len(published.theta):
        symbols = [f"theta{i + 1}" for i in range(len(published.theta))]
    values = ", ".join(
        f"{symbol} = {format_significant(value)}"
        for symbol, value in zip(symbols, published.theta, strict=True)
    )
    ranges = ranges_text(published.ranges)
    return (published.id, published.law, values, ranges, published.title, published.source)


def accelerators_view(catalogue: AcceleratorCatalogue) -> View:
    """Return what `scaleplan gpus` shows: sources are numbered, for each serves many rows."""
    found = [source for a in catalogue.accelerators for source in _sources(a)]
    sources = {source: str(i) for i, source in enumerate(dict.fromkeys(found), start=1)}
    table = Table(
        title="Accelerators (scaleplan budget --gpu); rates are dense bf16, per device",
        columns=(
            Column(name="id", kind="name"),
            Column(name="year", rank=5),
            Column(name="TFLOP/s"),
            Column(name="GiB"),
            Column(name="GB/s", rank=4),
            Column(name="W", rank=3),
            Column(name="$/h"),
            Column(name="$/h range", rank=2),
            Column(name="price date", kind="name", rank=3),
            Column(name="unverified", kind="text", rank=6),
            Column(name="sources", kind="name", rank=1),
        ),
        rows=tuple(_accelerator_row(a, sources) for a in catalogue.accelerators),
        footer=f"used where none is named: {catalogue.default}",
    )
    listed = Table(
        title="Sources",
        columns=(Column(name="number", kind="name"), Column(name="source", kind="text")),
        rows=tuple((index, source) for source, index in sources.items()),
    )
    return View(title="scaleplan gpus", blocks=(table, listed))


def _sources(accelerator: Accelerator) -> list[str]:
    """Return where the rates and the price come from, each source once."""
    parts = [*accelerator.source.split(";"), accelerator.price_source, accelerator.power_source]
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _accelerator_row(accelerator: Accelerator, sources: dict[str, str]) -> tuple[str, ...]:
    return (
        accelerator.id,
        UNKNOWN if accelerator.year is None else str(accelerator.year),
        number(accelerator.peak_tflops),
        format_significant(accelerator.memory_gib, 3),
        number(accelerator.memory_bandwidth_gbs),
        format_significant(accelerator.tdp_w, 3),
        format_usd(accelerator.usd_per_hour),
        band(format_usd(accelerator.usd_low), format_usd(accelerator.usd_high)),
        accelerator.price_date,
        ", ".join(accelerator.unverified),
        ", ".join(sources[source] for source in _sources(accelerator)),
    )
