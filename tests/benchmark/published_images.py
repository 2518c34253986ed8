"""Predicted against published training rates and times of CNNs; run as a script.

    python tests/benchmark/published_images.py

Rates are images a second on one device in mixed precision. RTX 3090: benchmark-train-amp-nhwc-pt112
of github.com/huggingface/pytorch-image-models, results (5e7d47c). A100 and V100: READMEs of the
models in github.com/NVIDIA/DeepLearningExamples, PyTorch and MXNet. The last six, of ResNet-50:
pytorch/pytorch-train-throughput-fp16.csv of github.com/lambdal/deeplearning-benchmark (0551cb7).
Whole runs are hours by the clock on ImageNet, of the same READMEs. Exit code: 0 if the targets are
met, 1 if one is missed.
"""

from __future__ import annotations

import math
import statistics
import sys

from scaleplan.catalog import accelerator, planning_default
from scaleplan.planning.architectures import architecture
from scaleplan.planning.convolutions import convolution_use
from scaleplan.planning.families import plan_family
from scaleplan.planning.image_models import convolutional_network
from scaleplan.records.families import ExampleModel

_IMAGES = 1_281_167
# Networks that are not in the catalogue: counts from their layers, for the size they were timed at.
_COUNTED = {
    "efficientnet-v2-s": "params=21.46M,macs=4.75G,activations=20.13M,image=288",
    "inception-v3": "params=23.83M,macs=5.73G,activations=8.97M,image=299",
    "xception": "params=22.86M,macs=8.40G,activations=35.83M,image=299",
    "resnext-101-32x8d": "params=88.79M,macs=16.41G,activations=31.21M,image=224",
    "mobilenet-v3-l": "params=5.48M,macs=0.23G,activations=4.41M,image=224",
    "regnet-y-3.2": "params=19.44M,macs=3.20G,activations=11.26M,image=224",
    "regnet-y-1.6": "params=11.20M,macs=1.63G,activations=8.04M,image=224",
}
# Network, width of the image, part, images a second.
RATES = [
    ("resnet-18", 224, "rtx_3090", 3482), ("resnet-34", 224, "rtx_3090", 2037),
    ("resnet-50", 224, "rtx_3090", 1218), ("resnet-101", 224, "rtx_3090", 748),
    ("resnet-152", 224, "rtx_3090", 501), ("resnext-50-32x4d", 224, "rtx_3090", 1001),
    ("resnext-101-32x4d", 224, "rtx_3090", 609), ("resnext-101-32x8d", 224, "rtx_3090", 313),
    ("wide-resnet-50-2", 224, "rtx_3090", 669), ("densenet-121", 224, "rtx_3090", 914),
    ("vgg-16", 224, "rtx_3090", 546), ("mobilenet-v2", 224, "rtx_3090", 2313),
    ("mobilenet-v3-l", 224, "rtx_3090", 2732), ("efficientnet-b0", 224, "rtx_3090", 1752),
    ("efficientnet-b1", 224, "rtx_3090", 1326), ("efficientnet-b3", 288, "rtx_3090", 572),
    ("efficientnet-b4", 320, "rtx_3090", 355), ("efficientnet-v2-s", 288, "rtx_3090", 559),
    ("convnext-t", 224, "rtx_3090", 819), ("convnext-s", 224, "rtx_3090", 487),
    ("convnext-b", 224, "rtx_3090", 339), ("convnext-l", 224, "rtx_3090", 188),
    ("inception-v3", 299, "rtx_3090", 782), ("xception", 299, "rtx_3090", 498),
    ("regnet-y-3.2", 224, "rtx_3090", 497), ("regnet-y-1.6", 224, "rtx_3090", 650),
    ("resnet-50", 224, "a100_sxm_80gb", 2470), ("resnet-50", 224, "a100_sxm_80gb", 2180),
    ("resnet-50", 224, "v100_sxm_16gb", 1200), ("resnet-50", 224, "v100_sxm_16gb", 1376),
    ("resnext-101-32x4d", 224, "a100_sxm_40gb", 908),
    ("resnext-101-32x4d", 224, "v100_sxm_16gb", 535),
    ("efficientnet-b0", 224, "a100_sxm_80gb", 2489),
    ("efficientnet-b0", 224, "v100_sxm_16gb", 1301),
    ("efficientnet-b4", 380, "a100_sxm_80gb", 331), ("efficientnet-b4", 380, "v100_sxm_16gb", 204),
    ("resnet-50", 224, "rtx_3090", 905), ("resnet-50", 224, "rtx_4090", 1301),
    ("resnet-50", 224, "rtx_a6000", 916), ("resnet-50", 224, "a10", 638),
    ("resnet-50", 224, "h100_sxm_80gb", 2787), ("resnet-50", 224, "a100_sxm_80gb", 1582),
]  # fmt: skip
# Network, width, part, devices, epochs, hours.
RUNS = [
    ("resnet-50", 224, "a100_sxm_80gb", 1, 90, 14.6),
    ("resnet-50", 224, "a100_sxm_80gb", 8, 90, 1.8),
    ("resnet-50", 224, "v100_sxm_16gb", 1, 90, 24.2),
    ("resnet-50", 224, "v100_sxm_16gb", 4, 90, 6.0),
    ("resnet-50", 224, "v100_sxm_16gb", 8, 90, 3.0), ("resnet-50", 224, "a100_sxm_80gb", 1, 90, 14),
    ("resnet-50", 224, "v100_sxm_32gb", 1, 90, 30),
    ("resnext-101-32x4d", 224, "a100_sxm_40gb", 1, 90, 37),
    ("resnext-101-32x4d", 224, "v100_sxm_16gb", 1, 90, 62),
    ("resnext-101-32x4d", 224, "v100_sxm_16gb", 8, 90, 9),
    ("efficientnet-b0", 224, "a100_sxm_80gb", 8, 400, 11),
    ("efficientnet-b0", 224, "v100_sxm_16gb", 8, 400, 24),
    ("efficientnet-b4", 380, "a100_sxm_80gb", 8, 400, 66),
]  # fmt: skip
# Median error and share in the band of the rates; share of whole runs in the band. Whole runs of
# EfficientNet-B0 and B4 took 1.7 to 2.2 times the predicted hours, their rates 1.0 to 1.6: they
# augment and average weights besides.
_TARGETS = (0.15, 0.80, 0.75)


def network(name: str, image: int) -> ExampleModel:
    """Return a network of the tables above.

    Args:
        name: Its name in the catalogue, or above.
        image: Width of its images.
    """
    text = _COUNTED.get(name) or architecture(name).shape
    return convolutional_network(text, image=image, origin=name, source="")


def rate_ratios() -> list[float]:
    """Return published over predicted time of an image, by the planner's own function."""
    found = []
    for name, image, part_id, rate in RATES:
        part = accelerator(part_id)
        model = network(name, image)
        use, _, _ = convolution_use(model, part)
        predicted = 3.0 * model.forward_flops / (part.peak_tflops * 1e12 * use)
        found.append(1.0 / (rate * predicted))
    return found


def run_ratios() -> list[float]:
    """Return published over predicted hours of the whole runs."""
    found = []
    for name, image, part_id, gpus, epochs, hours in RUNS:
        plan = plan_family(
            network(name, image), examples=_IMAGES, epochs=epochs,
            accelerators=[accelerator(part_id)], gpus=[gpus], batch=256.0 * gpus, mfu=None,
            usd_per_hour=None, country=None, pue=None,
        )  # fmt: skip
        found.append(hours / (24.0 * plan.rows[0].days))
    return found


def in_band(ratios: list[float]) -> float:
    """Return the share of ratios within the band that is printed."""
    low, high = (planning_default(f"cnn_band_{end}").value for end in ("low", "high"))
    return sum(low <= ratio <= high for ratio in ratios) / len(ratios)


def main() -> int:
    """Print both tables and say whether the targets are met."""
    rates, runs = rate_ratios(), run_ratios()
    for (name, image, part, rate), ratio in zip(RATES, rates, strict=True):
        print(f"{name:20} {image:4} {part:14} {rate:6} images/s {ratio:8.2f}")
    for (name, image, part, gpus, epochs, hours), ratio in zip(RUNS, runs, strict=True):
        print(
            f"{name:20} {image:4} {part:14} x{gpus} {epochs:4} epochs {hours:6.1f} h {ratio:8.2f}"
        )
    error = statistics.median(abs(math.log(ratio)) for ratio in rates)
    spread = statistics.quantiles(rates, n=10, method="inclusive")
    shares = in_band(rates), in_band(runs)
    print(
        f"{len(rates)} rates of {len({rate[0] for rate in RATES})} networks on "
        f"{len({rate[2] for rate in RATES})} parts, published over predicted time: median error "
        f"{error:.1%}, 10% {spread[0]:.2f}, 90% {spread[-1]:.2f}, in band {shares[0]:.0%}"
    )
    print(f"{len(runs)} whole runs: median {statistics.median(runs):.2f}, in band {shares[1]:.0%}")
    met = error <= _TARGETS[0] and shares[0] >= _TARGETS[1] and shares[1] >= _TARGETS[2]
    print(f"targets (15%, 80% and 75% in the band): {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
