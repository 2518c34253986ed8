"""Context parallelism: what it costs that each sequence is shared by several accelerators."""

from __future__ import annotations

from collections.abc import Sequence

from scaleplan.catalog import planning_default
from scaleplan.planning.memory import Layout, MemoryModel
from scaleplan.planning.throughput import link_rate
from scaleplan.planning.utilisation import steady_mfu
from scaleplan.records import Accelerator, Assumption, PlanRow

_FLOPS_PER_TFLOP = 1e12
# Bytes of each key and value that an accelerator receives: 2 in the forward pass, and in the
# backward pass 2 again and 2 of its gradient.
_PASSED_BYTES = 6.0
# FLOP of attention a token, times the tokens of the sequence and the widths of all heads' keys and
# values: 2 for each product, half of which are masked, and twice as many in the backward pass.
_ATTENTION_FLOPS = 3.0


def context_efficiency(
    model: MemoryModel, accelerator: Accelerator, layout: Layout, *, token_flops: float, node: int
) -> float:
    """Return the share of its speed that an accelerator keeps where sequences are shared.

    Keys and values travel around a ring while attention works on those that are there: the time
    that they take beyond attention's is waited for (Liu et al. 2023, arXiv 2310.01889, section 3).
    That comes on top of what published trainings lost: shorter products, work that is not quite
    equal. Of w_kv values a token, shared by c, an accelerator receives 6 w_kv (c - 1) bytes a token
    of its own and layer, for 3 s w_a FLOP of attention to s tokens over heads of w_a in all.

    Args:
        model: Layers, widths and tokens of a sequence.
        accelerator: Its peak, and its links: those of the node where it holds the group, else of
            the network.
        layout: How the model is spread.
        token_flops: FLOP of the training for each token, as the plan counts them.
        node: Accelerators of a node.
    """
    if layout.context == 1:
        return 1.0
    key_values, heads = model.shape.attention_widths
    rate = link_rate(accelerator, inside=layout.tensor * layout.context <= node)
    speed = accelerator.peak_tflops * _FLOPS_PER_TFLOP * steady_mfu(accelerator, None)
    passed = _PASSED_BYTES * key_values * (layout.context - 1) / rate
    attention = _ATTENTION_FLOPS * model.sequence_length * heads / speed
    work = token_flops / model.shape.layers / speed
    kept = planning_default("context_kept").value
    return kept / (1.0 + max(0.0, passed - attention) / work)


def context_assumptions(rows: Sequence[PlanRow]) -> tuple[Assumption, ...]:
    """Return what context parallelism rests on, where rows have any.

    Args:
        rows: Rows of a plan.
    """
    if all(row.context == 1 for row in rows):
        return ()
    return (
        planning_default("context_tokens").assumption(),
        planning_default("context_kept").assumption(),
        Assumption(
            name="keys and values of shared sequences",
            value="passed on in a ring while attention works on others",
            source="Liu et al. 2023, arXiv 2310.01889, section 3",
        ),
    )
