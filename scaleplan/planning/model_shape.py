"""Which transformer a plan is for: one that was typed, read or published, or one near its size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scaleplan.errors import UsageError
from scaleplan.planning.shape import guess_transformer
from scaleplan.planning.transformer import count_params, measure
from scaleplan.records.base import Record
from scaleplan.records.shapes import Accounting, ModelShape, Transformer
from scaleplan.units import format_count

# A size that is typed beside a shape may be rounded: 8B for 8.03B, 70B for 69.0B.
_ROUNDING = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class GivenShape(Record):
    """A transformer that the user named, and where it comes from."""

    transformer: Transformer
    origin: str
    source: str = ""


def find_shape(text: str, *, context: int) -> GivenShape:
    """Return the transformer that `--shape` names.

    Args:
        text: `key=value` pairs, a config.json or its folder, or a published model.
        context: Tokens per sequence where the shape does not say.

    Raises:
        UsageError: If it is none of them, or its parts contradict each other.
        InputError: If the file is not usable.
    """
    # Only who names a shape pays for reading one.
    from scaleplan.planning.architectures import architecture
    from scaleplan.planning.shape_config import read_config
    from scaleplan.planning.shape_text import read_shape

    shown = text.strip()
    if not shown:
        raise UsageError("--shape is empty", hint="For example --shape L=32,d=4096,heads=32.")
    if _is_path(shown):
        model, remark = read_config(shown, context=context)
        # A hub's config has the longest context the model was stretched to, not the training's.
        if model.positions != "learned":
            model = replace(model, context=min(model.context, context))
        return GivenShape(transformer=model, origin=shown, source=remark)
    if "=" in shown:
        return GivenShape(transformer=read_shape(shown, context=context), origin="--shape")
    published = architecture(shown)
    if published.family != "language":
        message = f"{published.id} is no language model"
        raise UsageError(message, hint=f"Add --family {published.family}.")
    model = read_shape(published.shape, context=context)
    return GivenShape(transformer=model, origin=published.id, source=published.source)


def _is_path(text: str) -> bool:
    if text.endswith(".json") or "/" in text or "\\" in text:
        return True
    try:
        return "=" not in text and Path(text).is_dir()
    except (OSError, ValueError):
        return False


def agreed_size(
    given: GivenShape, *, params: float | None, active_params: float | None
) -> tuple[float, float]:
    """Return the exact (params, active params) of a shape, which typed sizes may round.

    Args:
        given: The shape.
        params: What `--params` says.
        active_params: What `--active-params` says.

    Raises:
        UsageError: If a typed size is more than 2% away.
    """
    counts = count_params(given.transformer)
    typed = (("--params", params, counts.total), ("--active-params", active_params, counts.active))
    for option, value, exact in typed:
        if value is not None and abs(value / exact - 1.0) > _ROUNDING:
            message = (
                f"{option} {format_count(value)} and --shape, which has {format_count(exact)}, "
                "contradict each other"
            )
            raise UsageError(message, hint=f"Leave {option} out: the shape gives it.")
    return float(counts.total), float(counts.active)


def shape_of(
    given: GivenShape | None, *, params: float, active_params: float, sequence_length: int,
    accounting: Accounting,
) -> ModelShape:  # fmt: skip
    """Return the given transformer with its counts, or one near the size.

    Args:
        given: What the user named; None takes a Llama-like one near `params`.
        params: All parameters.
        active_params: Those a token uses.
        sequence_length: Tokens per training sequence.
        accounting: How FLOP are counted.
    """
    if given is None:
        model = guess_transformer(params, active_params=active_params, context=sequence_length)
        return measure(
            model, origin="assumed", sequence_length=sequence_length, accounting=accounting,
            asked_params=params,
        )  # fmt: skip
    return measure(
        given.transformer, origin=given.origin, sequence_length=sequence_length,
        accounting=accounting, source=given.source,
    )  # fmt: skip
