"""Layouts that no cluster could have, and why."""

from __future__ import annotations

from scaleplan.errors import UsageError
from scaleplan.planning.layouts import node_size
from scaleplan.planning.memory import MemoryModel
from scaleplan.records import TrainingSetup


def check_layout(model: MemoryModel, setup: TrainingSetup) -> None:
    """Refuse a given layout that no cluster could have.

    Raises:
        UsageError: If it contradicts the node, the layers, the experts or itself.
    """
    node, layers = node_size(setup), model.shape.layers
    if setup.tensor is not None and setup.tensor > node:
        message = f"tp={setup.tensor} is more than the {node} accelerators of a node"
        raise UsageError(message, hint="Tensor parallelism stays in a node; see --node-size.")
    if setup.tensor is not None and model.shape.origin and model.shape.heads % setup.tensor:
        message = f"tp={setup.tensor} does not divide the {model.shape.heads} heads of the model"
        raise UsageError(message, hint="Tensor parallelism gives each accelerator whole heads.")
    if setup.pipeline is not None and setup.pipeline > layers:
        message = f"pp={setup.pipeline} is more than the {layers} layers of the model"
        raise UsageError(message, hint="A pipeline stage holds at least one layer.")
    if setup.experts is not None and model.dense_params == model.params:
        message = f"{setup.experts} experts contradict a dense model"
        raise UsageError(message, hint="Give --active-params: what one token passes through.")
    if setup.expert is not None and setup.expert > model.experts:
        message = f"ep={setup.expert} is more than the {model.experts} experts of a layer"
        raise UsageError(message, hint="Give --active-params, and --experts if there are more.")
    if setup.expert and setup.data and setup.data % setup.expert:
        message = f"ep={setup.expert} does not divide dp={setup.data}"
        raise UsageError(message, hint="Experts are spread over the copies of the model.")
    if setup.context is not None and setup.context > model.sequence_length:
        message = (
            f"cp={setup.context} is more than the {model.sequence_length} tokens of a sequence"
        )
        raise UsageError(message, hint="Context parallelism splits each sequence.")
    if model.micro_batch > model.sequences:
        message = f"a micro-batch of {model.micro_batch} is more than a whole batch"
        raise UsageError(message, hint="Give a smaller --micro-batch or a larger --batch.")
