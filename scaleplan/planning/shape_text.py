"""A transformer as people type it: `L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast, get_args

from scaleplan.catalog import planning_default
from scaleplan.errors import UsageError
from scaleplan.records.shapes import (
    Biases,
    Experts,
    LatentAttention,
    Norm,
    Positions,
    Transformer,
)
from scaleplan.units import parse_count

EXAMPLE = "L=32,d=4096,heads=32,kv=8,ffn=14336,vocab=128256,context=8192"
# What a key may be called besides its own name; read without case.
_NAMES = {
    "layers": ("l", "n_layers", "num_layers", "depth"),
    "width": ("d", "d_model", "hidden", "hidden_size"),
    "heads": ("h", "n_heads", "num_heads"),
    "kv": ("kv_heads", "num_kv_heads"),
    "head_width": ("dh", "d_head", "head_dim"),
    "ffn": ("ff", "d_ff", "ffn_width", "mlp", "intermediate"),
    "vocab": ("v", "vocabulary", "vocab_size"),
    "context": ("s", "ctx", "seq", "context_length"),
    "tied": ("tie",),
    "act": ("activation",),
    "bias": ("biases",),
    "norm": (),
    "norms": (),
    "positions": ("pos",),
    "experts": ("e",),
    "topk": ("k", "active_experts"),
    "expert_ffn": ("expert_width", "moe_ffn"),
    "shared": ("shared_experts",),
    "dense_layers": (),
    "q_rank": (),
    "kv_rank": (),
    "rope": (),
    "nope": (),
    "value": ("v_width",),
    "window": (),
    "window_layers": (),
}
_CALLED = {name: key for key, names in _NAMES.items() for name in (key, *names)}
_GATED = {"swiglu": True, "geglu": True, "reglu": True, "gelu": False, "relu": False}
_SWITCH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_POSITIONS = {"rope": "rotary", "alibi": "rotary", "none": "rotary"}  # none of them has weights
_MOST = 1e9  # no count in a shape is larger; it keeps parameters inside what a float holds
# LLaMA (arXiv 2302.13971) takes 2/3 of 4 d for a gated block, up to a multiple of 256.
_GATED_FFN, _FFN, _FFN_STEP = 8 / 3, 4, 256

Word = TypeVar("Word")


def read_shape(text: str, *, context: int) -> Transformer:
    """Read a transformer from `key=value` pairs with commas between them.

    Layers and width are needed. Left out, heads are as wide as planning.yaml says, each has keys
    and values of its own, the feed-forward block is a SwiGLU of 8/3 of the width, the head is not
    tied and there are no biases.

    Args:
        text: What was typed.
        context: Tokens per sequence where the text does not say.

    Raises:
        UsageError: If a key or value is not allowed, or values contradict each other.
    """
    return build(_pairs(text), context=context)


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise _wrong(f"{part.strip()[:40]!r} is not key=value", f"For example {EXAMPLE}.")
        key = canonical(name)
        if key in found:
            raise _wrong(f"{key} is given twice", f"For example {EXAMPLE}.")
        found[key] = value
    return found


def canonical(name: str) -> str:
    """Return the key that a name stands for.

    Raises:
        UsageError: If it is none.
    """
    key = _CALLED.get(name.lower())
    if key is None:
        raise _wrong(f"{name[:40]!r} is no part of a shape", _near(name.lower()))
    return key


def _near(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _NAMES, n=1)
    known = f"Known: {', '.join(_NAMES)}."
    return f"Did you mean {near[0]}? {known}" if near else known


def build(values: Mapping[str, str], *, context: int) -> Transformer:
    """Return the transformer that these values, by key, describe.

    Args:
        values: Texts by the keys of the grammar.
        context: Tokens per sequence where no value says.

    Raises:
        UsageError: As `read_shape`.
    """
    for needed in ("layers", "width"):
        if needed not in values:
            raise _wrong(f"{needed} is missing", f"For example {EXAMPLE}.")
    layers, width = _whole(values, "layers"), _whole(values, "width")
    usual = max(1, round(width / planning_default("head_width").value))
    heads = _whole(values, "heads", usual)
    if "heads" in values and width % heads and not {"head_width", "kv_rank"} & set(values):
        message = f"{heads} heads do not divide a width of {width}"
        raise _wrong(message, "Heads share the width, unless head_width says how wide each is.")
    gated = _word(values, "act", "swiglu", _GATED)
    window = _whole(values, "window", 0)
    model = Transformer(
        layers=layers, width=width, heads=heads, kv_heads=_whole(values, "kv", heads),
        head_width=_whole(values, "head_width", max(1, width // heads)),
        ffn_width=_whole(values, "ffn", _usual_ffn(width, gated=gated)), gated=gated,
        vocabulary=_whole(values, "vocab", int(planning_default("vocabulary").value)),
        context=_whole(values, "context", context), tied=_word(values, "tied", "no", _SWITCH),
        biases=cast("Biases", _word(values, "bias", "none", _choices(get_args(Biases)))),
        norm=cast("Norm", _word(values, "norm", "rms", _choices(get_args(Norm)))),
        norms=_whole(values, "norms", 2),
        positions=cast("Positions", _word(
            values, "positions", "rotary", {**_choices(get_args(Positions)), **_POSITIONS}
        )),
        experts=_experts(values, width, gated=gated), latent=_latent(values), window=window,
        window_layers=_whole(values, "window_layers", layers if window else 0),
    )  # fmt: skip
    return checked(model)


def checked(model: Transformer) -> Transformer:
    """Return a transformer whose parts agree with each other.

    Raises:
        UsageError: If they do not.
    """
    if model.latent is None and model.heads % model.kv_heads:
        raise _wrong(
            f"{model.heads} heads cannot share {model.kv_heads} heads of keys and values",
            "heads must be a multiple of kv: 1, heads, or a divisor of heads.",
        )
    if model.window_layers > model.layers:
        message = f"{model.window_layers} layers with a window are more than {model.layers} layers"
        raise _wrong(message, "window_layers counts those of all layers that have the window.")
    experts = model.experts
    if experts is None:
        return model
    if experts.active > experts.count:
        raise _wrong(
            f"a token cannot pass through {experts.active} of {experts.count} experts",
            "topk is at most experts.",
        )
    if experts.dense_layers >= model.layers:
        message = f"{experts.dense_layers} of {model.layers} layers without experts leave none"
        raise _wrong(message, "dense_layers counts the layers that have no experts.")
    return model


def _usual_ffn(width: int, *, gated: bool) -> int:
    if not gated:
        return _FFN * width
    return -(-int(_GATED_FFN * width) // _FFN_STEP) * _FFN_STEP


def _experts(values: Mapping[str, str], width: int, *, gated: bool) -> Experts | None:
    parts = [key for key in ("topk", "expert_ffn", "shared", "dense_layers") if key in values]
    if "experts" not in values:
        if parts:
            raise _wrong(f"{parts[0]} without experts", "Give the experts of a layer: experts=8.")
        return None
    ffn = _whole(values, "ffn", _usual_ffn(width, gated=gated))
    inner = _whole(values, "expert_ffn", ffn)
    return Experts(
        count=_whole(values, "experts"), active=_whole(values, "topk", 2), width=inner,
        shared_width=_whole(values, "shared", 0, least=0) * inner,
        dense_layers=_whole(values, "dense_layers", 0, least=0),
    )  # fmt: skip


def _latent(values: Mapping[str, str]) -> LatentAttention | None:
    needed = ("kv_rank", "rope", "nope", "value")
    given = [key for key in (*needed, "q_rank") if key in values]
    if not given:
        return None
    missing = [key for key in needed if key not in values]
    if missing:
        raise _wrong(
            f"{given[0]} without {missing[0]}",
            "Latent attention has kv_rank, rope, nope, value and maybe q_rank: "
            "q_rank=1536,kv_rank=512,rope=64,nope=128,value=128.",
        )
    return LatentAttention(
        query_rank=_whole(values, "q_rank", 0), key_value_rank=_whole(values, "kv_rank"),
        rotary_width=_whole(values, "rope"), plain_width=_whole(values, "nope"),
        value_width=_whole(values, "value"),
    )  # fmt: skip


def _whole(
    values: Mapping[str, str], key: str, default: int | None = None, *, least: int = 1
) -> int:
    if key not in values and default is not None:
        return default
    text = values[key]
    try:
        value = parse_count(text)
    except ValueError as error:
        raise _wrong(f"{key}: {error}", f"For example {EXAMPLE}.") from None
    # NaN and infinity fail the comparison before they are made whole.
    if not least <= value <= _MOST or value != int(value):
        message = f"{key} is {text[:40]}; it must be a whole number from {least} to {_MOST:.0e}"
        raise _wrong(message, f"For example {EXAMPLE}.")
    return int(value)


def _choices(names: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names}


def _word(values: Mapping[str, str], key: str, default: str, allowed: Mapping[str, Word]) -> Word:
    text = values.get(key, default)
    if text.lower() not in allowed:
        message = f"{key} is {text[:40]!r}; it must be one of {', '.join(allowed)}"
        raise _wrong(message, f"For example {EXAMPLE}.")
    return allowed[text.lower()]


def _wrong(message: str, hint: str) -> UsageError:
    return UsageError(f"shape: {message}", hint=hint)
