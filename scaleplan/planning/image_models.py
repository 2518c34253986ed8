"""Exact parameters and FLOP of vision transformers and residual networks."""

from __future__ import annotations

from dataclasses import dataclass

from scaleplan.errors import UsageError
from scaleplan.planning.memory import token_bytes
from scaleplan.planning.shape import memory_shape
from scaleplan.planning.shape_text import build
from scaleplan.planning.transformer import count_params, score_flops
from scaleplan.records.families import ExampleModel
from scaleplan.units import parse_count, parse_positive

_CHANNELS = 3  # red, green, blue
_FLOPS_PER_MAC = 2.0
_MOST = 1e6
# He et al. 2016, arXiv 1512.03385, table 1: channels of the stem and of the four stages, and how
# much wider a bottleneck's output is.
_STEM, _STAGES, _EXPANSION = 64, (64, 128, 256, 512), 4
# A convolution keeps its output, and that of the normalisation after it, in 16 bits.
KEPT_BYTES = 4.0


def vision_transformer(
    text: str, *, image: int | None, patch: int | None, origin: str, source: str
) -> ExampleModel:
    """Return a vision transformer's exact counts.

    Patch projection, class token, learned positions, layers with biases and layer normalisation,
    and one linear head (Dosovitskiy et al. 2021, arXiv 2010.11929, section 3.1).

    Args:
        text: `L=12,d=768,heads=12,ffn=3072,patch=16,image=224,classes=1000`.
        image: Width of an image in pixels, in place of the text's.
        patch: Width of a patch.
        origin: Where the text comes from.
        source: Where a published shape stands.

    Raises:
        UsageError: If a value is not allowed.
    """
    values = _pairs(text)
    size, classes = image or _whole(values, "image", 224), _whole(values, "classes", 1000)
    width = patch or _whole(values, "patch", 16)
    patches = patch_count(size, width)
    layers = {key: value for key, value in values.items() if key not in _IMAGE_KEYS}
    model = build(
        {
            "act": "gelu", "bias": "all", "norm": "layer", "vocab": "1", "tied": "yes",
            "positions": "learned", **layers,
        },
        context=patches + 1,
    )  # fmt: skip
    counted = count_params(model)
    hidden = model.width
    projection = _CHANNELS * width**2 * hidden
    blocks = counted.attention + counted.feed_forward
    # The class token, and the projection's and the head's biases.
    params = counted.total - hidden + projection + 2 * hidden + (hidden + 1) * classes
    tokens = patches + 1
    forward = tokens * (2.0 * blocks + score_flops(model, tokens, causal=False))
    forward += _FLOPS_PER_MAC * (patches * projection + hidden * classes)
    kept = tokens * model.layers * token_bytes(memory_shape(model, origin=origin))
    return ExampleModel(
        family="vit", origin=origin, params=float(params), forward_flops=forward, patches=patches,
        activation_bytes=kept, source=source,
    )  # fmt: skip


def patch_count(image: int, patch: int) -> int:
    """Return how many patches an image is cut into.

    Raises:
        UsageError: If the patch is larger than the image.
    """
    if patch > image:
        message = f"patches of {patch} pixels are larger than an image of {image}"
        raise UsageError(message, hint="For example --image-size 224 --patch-size 16.")
    return int((image // patch) ** 2)


@dataclass(slots=True)
class _Tally:
    """What the convolutions add up to; sizes in pixels."""

    params: int = 0
    macs: float = 0.0
    written: float = 0.0

    def convolution(self, inputs: int, outputs: int, kernel: int, size: int) -> None:
        """Add a convolution without bias and the normalisation after it."""
        weights = inputs * outputs * kernel**2
        self.params += weights + 2 * outputs
        self.macs += float(weights) * size**2
        self.written += float(outputs * size**2)


def residual_network(text: str, *, image: int | None, origin: str, source: str) -> ExampleModel:
    """Return a residual network's exact counts.

    As in He et al. 2016, arXiv 1512.03385, table 1, with the stride of a bottleneck in its 3 x 3
    convolution (v1.5, as in common libraries).

    Args:
        text: `blocks=3-4-6-3,block=bottleneck,image=224,classes=1000`.
        image: Width of an image in pixels, in place of the text's.
        origin: Where the text comes from.
        source: Where a published shape stands.

    Raises:
        UsageError: If a value is not allowed.
    """
    values = _pairs(text)
    unknown = values.keys() - {"blocks", "block", "image", "classes"}
    counts = values.get("blocks", "").split("-")
    kind = values.get("block", "bottleneck")
    if unknown or len(counts) != len(_STAGES) or kind not in {"basic", "bottleneck"}:
        message = f"shape {text[:60]!r} is no residual network"
        hint = (
            "For example blocks=3-4-6-3,block=bottleneck,image=224; any other network by its "
            "counts: params=5.3M,macs=386M,activations=6.75M."
        )
        raise UsageError(message, hint=hint)
    size = image or _whole(values, "image", 224)
    classes = _whole(values, "classes", 1000)
    tally = _Tally()
    size = -(-size // 2)
    tally.convolution(_CHANNELS, _STEM, 7, size)
    size, inputs = -(-size // 2), _STEM
    for stage, channels in enumerate(_STAGES):
        for block in range(_whole({"blocks": counts[stage]}, "blocks", 1)):
            before = size
            size = -(-size // 2) if stage and not block else size
            inputs = _block(tally, kind, inputs, channels, before, size)
    params = tally.params + (inputs + 1) * classes
    macs = tally.macs + inputs * classes
    return ExampleModel(
        family="cnn", origin=origin, params=float(params), forward_flops=_FLOPS_PER_MAC * macs,
        activations=tally.written, activation_bytes=KEPT_BYTES * tally.written, source=source,
    )  # fmt: skip


def convolutional_network(
    text: str, *, image: int | None, origin: str, source: str
) -> ExampleModel:
    """Return a convolutional network, by its blocks or by its counts.

    Args:
        text: What `residual_network` or `counted_network` reads.
        image: Width of an image in pixels, in place of the text's.
        origin: Where the text comes from.
        source: Where it stands, if published.

    Raises:
        UsageError: If a value is not allowed.
    """
    read = counted_network if "macs" in _pairs(text) else residual_network
    return read(text, image=image, origin=origin, source=source)


def counted_network(text: str, *, image: int | None, origin: str, source: str) -> ExampleModel:
    """Return a convolutional network whose counts are stated.

    Multiply-adds and what convolutions write grow with the area of an image.

    Args:
        text: `params=5.29M,macs=386M,activations=6.75M,image=224`.
        image: Width of an image in pixels, in place of the one that the counts are for.
        origin: Where the text comes from.
        source: Where published counts stand.

    Raises:
        UsageError: If a value is not allowed.
    """
    values = _pairs(text)
    if values.keys() - {"params", "macs", "activations", "image"} or not {
        "macs", "activations"
    } <= values.keys():  # fmt: skip
        message = f"shape {text[:60]!r} is no counted network"
        raise UsageError(message, hint="For example params=5.3M,macs=386M,activations=6.75M.")
    stated = _whole(values, "image", 224)
    area = (image or stated) ** 2 / stated**2
    written = area * _amount(values, "activations")
    return ExampleModel(
        family="cnn", origin=origin, params=_amount(values, "params") if "params" in values else
        None, forward_flops=_FLOPS_PER_MAC * area * _amount(values, "macs"), activations=written,
        activation_bytes=KEPT_BYTES * written, source=source,
    )  # fmt: skip


def _amount(values: dict[str, str], key: str) -> float:
    try:
        return parse_positive(values[key])
    except ValueError as error:
        raise UsageError(f"shape: {key}: {error}", hint="For example macs=386M.") from None


def _block(tally: _Tally, kind: str, inputs: int, channels: int, before: int, size: int) -> int:
    """Add one block and return its output channels."""
    if kind == "basic":
        outputs = channels
        tally.convolution(inputs, channels, 3, size)
        tally.convolution(channels, channels, 3, size)
    else:
        outputs = channels * _EXPANSION
        tally.convolution(inputs, channels, 1, before)
        tally.convolution(channels, channels, 3, size)
        tally.convolution(channels, outputs, 1, size)
    if inputs != outputs or before != size:
        tally.convolution(inputs, outputs, 1, size)
    return outputs


_IMAGE_KEYS = {"image", "patch", "classes"}


def _pairs(text: str) -> dict[str, str]:
    """Return the values by key; the transformer's grammar gets its own names for them."""
    from scaleplan.planning.shape_text import canonical

    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            message = f"shape: {part.strip()[:40]!r} is not key=value"
            raise UsageError(message, hint="For example L=12,d=768,heads=12,patch=16,image=224.")
        known = _IMAGE_KEYS | {"blocks", "block", "params", "macs", "activations"}
        found[name.lower() if name.lower() in known else canonical(name)] = value
    return found


def _whole(values: dict[str, str], key: str, default: int) -> int:
    try:
        value = parse_count(values.get(key, default))
    except ValueError as error:
        raise UsageError(f"shape: {key}: {error}", hint="It is a whole number.") from None
    if not 1 <= value <= _MOST or value != int(value):
        message = (
            f"shape: {key} is {str(values[key])[:40]}; it must be a whole number from 1 to 1e6"
        )
        raise UsageError(message, hint="For example image=224,patch=16,classes=1000.")
    return int(value)
