"""How fast a convolutional network trains on one accelerator: by its products or by its memory.

    t = max( 3 F / (peak x u),  k A / memory bandwidth )

for an example of F forward FLOP whose convolutions write A values. What convolutions write is
normalised, activated and added element by element, forward and backward, and these passes over
memory take most of a step: time follows A rather than F (Radosavovic et al. 2020, arXiv 2003.13678,
section 4.1). Depthwise networks write four to eight times as much a FLOP as residual ones.
"""

from __future__ import annotations

from scaleplan.catalog import planning_default
from scaleplan.records import Accelerator, Assumption, Note
from scaleplan.records.families import ExampleModel
from scaleplan.units import format_count

_TRAINING_OVER_FORWARD = 3.0


def written_values(model: ExampleModel) -> float:
    """Return the values that all convolutions of an example write.

    Those of a network that is known by its FLOP alone are as many a FLOP as ResNet-50's.

    Args:
        model: The network.
    """
    if model.activations is not None:
        return model.activations
    return model.forward_flops / planning_default("cnn_flops_per_value").value


def convolution_use(
    model: ExampleModel, part: Accelerator
) -> tuple[float, str, tuple[Assumption, ...]]:
    """Return the model-FLOP utilisation of a step, what bounds it, and what that rests on.

    Args:
        model: The network.
        part: The accelerator.
    """
    highest = planning_default("cnn_highest_utilisation")
    if part.memory_bandwidth_gbs is None:
        return highest.value, "compute", (highest.assumption(),)
    passes = planning_default("cnn_bytes_per_value")
    moving = passes.value * written_values(model) / (part.memory_bandwidth_gbs * 1e9)
    working = _TRAINING_OVER_FORWARD * model.forward_flops / (part.peak_tflops * 1e12)
    share = working / moving
    names = ["cnn_bytes_per_value", "cnn_highest_utilisation"]
    names += [] if model.activations is not None else ["cnn_flops_per_value"]
    why = tuple(planning_default(name).assumption() for name in names)
    bound = "bandwidth" if share < highest.value else "compute"
    return min(share, highest.value), bound, why


def assumed_values_note(model: ExampleModel) -> Note:
    """Return the warning that a FLOP count does not tell how fast a network trains.

    Args:
        model: A network whose activations are not known.
    """
    values = written_values(model)
    return Note(
        id="ACTIVATIONS_ASSUMED", severity="warning",
        text="How fast a CNN trains follows the values its convolutions write, which its FLOP do "
        f"not tell: they are taken to be {format_count(values)} an example, as many a FLOP as "
        "ResNet-50's. Depthwise networks (MobileNet, EfficientNet) write four to eight times as "
        "many and take that much longer; plain ones (VGG) a third.",
        action="Give --activations, --shape efficientnet-b0 or another published network, or "
        "measure --mfu.",
        numbers=(("activations", values),),
        source="Radosavovic et al. 2020, arXiv 2003.13678, section 4.1",
    )  # fmt: skip
