"""A transformer from the `config.json` that model hubs keep beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaleplan.errors import InputError, UsageError
from scaleplan.planning.shape_text import checked
from scaleplan.planning.transformer import count_params
from scaleplan.records.shapes import Biases, Experts, LatentAttention, Norm, Transformer

_LARGEST_BYTES = 4_000_000  # a config is some thousands
_MOST = 10**9
_USUAL_CONTEXT = 4096  # tokens a sequence where a config does not say
# Keys by which model types name the same thing, the usual one first.
_KEYS = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "width": ("hidden_size", "n_embd", "d_model", "dim", "model_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "n_head_kv", "n_kv_heads"),
    "head_width": ("head_dim", "attention_head_dim"),
    "ffn": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "mlp_hidden_size"),
    "vocab": ("vocab_size", "padded_vocab_size"),
    "context": (
        "max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len",
    ),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "topk": (
        "num_experts_per_tok", "experts_per_token", "num_experts_per_token", "moe_topk",
        "moe_top_k",
    ),
    "sparse_step": ("decoder_sparse_step", "interleave_moe_layer_step"),
    "expert_ffn": ("moe_intermediate_size", "expert_ffn_hidden_size"),
}  # fmt: skip
# Type of model: gated block, biases, normalisation, normalisations a layer, learned positions.
_TYPES: dict[str, tuple[bool, Biases, Norm, int, bool]] = {
    "gpt2": (False, "all", "layer", 2, True),
    "gpt_bigcode": (False, "all", "layer", 2, True),
    "opt": (False, "all", "layer", 2, True),
    "gpt_neox": (False, "all", "layer", 2, False),
    "bloom": (False, "all", "layer", 2, False),
    "phi": (False, "all", "layer", 1, False),
    "falcon": (False, "none", "layer", 1, False),
    "mpt": (False, "none", "plain", 2, False),
    "starcoder2": (False, "all", "layer", 2, False),
    "gptj": (False, "none", "layer", 1, False),
    "olmo": (True, "none", "none", 2, False),
    "qwen2": (True, "qkv", "rms", 2, False),
    "qwen2_moe": (True, "qkv", "rms", 2, False),
    "stablelm": (True, "none", "layer", 2, False),
    "gemma2": (True, "none", "rms", 4, False),
    "gemma3_text": (True, "none", "rms", 4, False),
}
_USUAL: tuple[bool, Biases, Norm, int, bool] = (True, "none", "rms", 2, False)
# Types that are as `_USUAL`, to the weights of some normalisations.
_LIKE_LLAMA = {
    "llama", "llama4_text", "mistral", "mixtral", "qwen3", "qwen3_moe", "gemma", "gemma_text",
    "phi3", "olmo2", "olmo3", "olmoe", "deepseek_v2", "deepseek_v3", "gpt_oss", "granite",
    "granitemoe", "cohere", "internlm2", "smollm3", "glm4", "glm4_moe", "kimi_k2", "minimax",
}  # fmt: skip
_NOT_DECODERS = {"bert", "roberta", "t5", "bart", "vit", "clip", "whisper", "deberta-v2", "electra"}
_ALTERNATING = {"gemma2": 2, "gemma3_text": 6}  # one layer in so many sees everything


def read_config(path: str, *, context: int) -> tuple[Transformer, str]:
    """Read a transformer from a `config.json`, or from the folder that holds it.

    Args:
        path: File or folder.
        context: Tokens per sequence where the file does not say.

    Returns:
        The transformer, and a remark where its type of model is not known; empty otherwise.

    Raises:
        InputError: If it cannot be read, is no JSON object, or does not describe a decoder-only
            transformer.
    """
    file = Path(path)
    if file.is_dir():
        file /= "config.json"
    values = _load(file)
    for nested in ("text_config", "llm_config", "language_config"):
        if isinstance(values.get(nested), dict):
            values = {**values, **values[nested]}
    try:
        config = _Config(str(file), values)
        model = checked(_transformer(config, context))
    except UsageError as error:
        raise InputError(error.message, hint=error.hint, file=str(file)) from None
    if config.kind in _TYPES or config.kind in _LIKE_LLAMA:
        return model, ""
    return model, f"model_type {config.kind[:40]!r} is not known here: read as Llama's"


def count_config(path: str) -> tuple[int, int, str]:
    """Return all parameters of a `config.json`, those of one token, and a remark.

    The context that it may not say has no part in either, but for positions that are learned.

    Args:
        path: File or folder.

    Raises:
        InputError: As `read_config`.
    """
    model, remark = read_config(path, context=_USUAL_CONTEXT)
    found = count_params(model)
    return found.total, found.active, remark


def _load(file: Path) -> dict[str, Any]:
    hint = "Give a model's config.json, or write the shape: L=32,d=4096,heads=32."
    try:
        if not file.is_file():
            raise InputError("there is no such file", hint=hint, file=str(file))
        if file.stat().st_size > _LARGEST_BYTES:
            message = f"the file is larger than {_LARGEST_BYTES // 10**6} MB, so it is no config"
            raise InputError(message, hint=hint, file=str(file))
        values = json.loads(file.read_bytes(), parse_int=_bounded)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", hint=hint, file=str(file)) from error
    except (ValueError, RecursionError) as error:
        # Bad JSON, a wrong encoding, a NUL in the path and nesting without end.
        message = f"this is no JSON ({str(error)[:80] or type(error).__name__})"
        raise InputError(message, hint=hint, file=str(file)) from error
    if not isinstance(values, dict):
        message = f"this is a JSON {type(values).__name__}, not an object"
        raise InputError(message, hint=hint, file=str(file))
    return values


def _bounded(text: str) -> int:
    """Read a whole number; Python refuses thousands of digits with advice of its own."""
    if len(text) > 30:
        message = "a number of more than 30 digits"
        raise ValueError(message)
    return int(text)


class _Config:
    """The values of a file, checked when they are read."""

    def __init__(self, file: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.values = values
        kind = values.get("model_type")
        self.kind = kind if isinstance(kind, str) else ""

    def wrong(self, message: str) -> InputError:
        return InputError(
            message, file=self.file,
            hint="Correct the file, or write the shape: --shape L=32,d=4096,heads=32,kv=8.",
        )  # fmt: skip

    def whole(self, name: str, default: int | None = None) -> int:
        for key in _KEYS.get(name, (name,)):
            if self.values.get(key) is not None:
                return self._checked(key)
        if default is None:
            keys = _KEYS.get(name, (name,))
            raise self.wrong(f"{keys[0]} is missing (or {', '.join(keys[1:])})")
        return default

    def _checked(self, key: str) -> int:
        value = self.values[key]
        if isinstance(value, list) and value and all(value[0] == item for item in value):
            value = value[0]  # one entry a layer
        if type(value) not in {int, float} or not 0 <= value <= _MOST or value != int(value):
            message = f"{key} is {str(value)[:40]}; it must be a whole number from 0 to {_MOST:.0e}"
            raise self.wrong(message)
        return int(value)

    def size(self, name: str, default: int | None = None) -> int:
        value = self.whole(name, default)
        if value < 1:
            raise self.wrong(f"{_KEYS.get(name, (name,))[0]} is 0; it must be at least 1")
        return value

    def true(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is {str(value)[:40]!r}; it must be true or false")
        return value


def _transformer(config: _Config, context: int) -> Transformer:
    if config.kind in _NOT_DECODERS or config.true("is_encoder_decoder", default=False):
        raise config.wrong(f"model_type {config.kind[:40]!r} is no decoder-only transformer")
    gated, biases, norm, norms, learned = _TYPES.get(config.kind, _USUAL)
    if config.true("attention_bias", default=False) and biases == "none":
        biases = "qkv"
    width, heads, layers = config.size("width"), config.size("heads"), config.size("layers")
    shared = config.kind == "falcon" and config.true("multi_query", default=True)
    shared = shared and not config.true("new_decoder_architecture", default=False)
    kv_heads = 1 if shared else config.size("kv_heads", heads)
    # Four times the width goes without saying in blocks of two matrices only.
    ffn = config.size("ffn", None if gated else 4 * width)
    window, window_layers = _window(config, layers)
    experts = _experts(config, layers, ffn)
    return Transformer(
        layers=layers, width=width, heads=heads, kv_heads=kv_heads,
        head_width=config.size("head_width", max(1, width // heads)),
        ffn_width=config.size("intermediate_size_mlp", ffn),
        vocabulary=config.size("vocab"), context=config.size("context", context), gated=gated,
        # Left out it is the library's default, which is to tie.
        tied=config.true("tie_word_embeddings", default=True), biases=biases, norm=norm,
        norms=norms, positions="learned" if learned else "rotary",
        experts=experts, latent=_latent(config), window=window,
        window_layers=window_layers,
    )  # fmt: skip


def _experts(config: _Config, layers: int, ffn: int) -> Experts | None:
    count = config.whole("experts", 0)
    if count < 2:  # one expert is a dense block
        return None
    inner = config.size("expert_ffn", ffn)
    shared = config.whole("shared_expert_intermediate_size", 0)
    # Llama 4 has one shared expert, which its config does not mention.
    alone = 1 if config.kind.startswith("llama4") else 0
    shared = shared or config.whole("n_shared_experts", alone) * inner
    step = config.size("sparse_step", 1)
    dense = config.whole("first_k_dense_replace", layers - layers // step)
    return Experts(
        count=count, active=config.size("topk", 2), width=inner, shared_width=shared,
        dense_layers=dense,
    )  # fmt: skip


def _latent(config: _Config) -> LatentAttention | None:
    if not config.whole("kv_lora_rank", 0):
        return None
    return LatentAttention(
        query_rank=config.whole("q_lora_rank", 0), key_value_rank=config.size("kv_lora_rank"),
        rotary_width=config.size("qk_rope_head_dim"), plain_width=config.size("qk_nope_head_dim"),
        value_width=config.size("v_head_dim"),
    )  # fmt: skip


def _window(config: _Config, layers: int) -> tuple[int, int]:
    """Return the sliding window and how many layers have it."""
    window = config.whole("sliding_window", 0)
    if not window or not config.true("use_sliding_window", default=True):
        return 0, 0
    named = config.values.get("layer_types")
    if isinstance(named, list):
        return window, min(layers, sum(name == "sliding_attention" for name in named))
    every = config.whole("sliding_window_pattern", _ALTERNATING.get(config.kind, 0))
    return window, layers - (layers // every if every else 0)
