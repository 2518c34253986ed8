"""What the warning on CNNs that are known by their FLOP says of other networks."""

from __future__ import annotations

import pytest

from scaleplan.planning.architectures import architecture
from scaleplan.planning.image_models import convolutional_network


def per_flop(name):
    known = architecture(name)
    model = convolutional_network(known.shape, image=None, origin=name, source="")
    return model.activations / model.forward_flops


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("mobilenet-v2", 4.0, 8.3), ("efficientnet-b0", 4.0, 8.3), ("efficientnet-b4", 4.0, 8.3),
     ("vgg-16", 0.28, 0.38)],
)  # fmt: skip
def test_networks_write_so_many_times_what_a_residual_one_does_for_a_flop(name, low, high):
    assert low < per_flop(name) / per_flop("resnet-50") < high
