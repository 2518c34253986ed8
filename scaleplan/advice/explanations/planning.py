"""Notes on plans: memory, step size, duration, and what the count of FLOPs leaves out."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="planning", says=says, rule=rule, reason=reason, action=action, source=source
    )


PLANNING = (
    _entry(
        "DOES_NOT_FIT",
        "The model does not fit in memory.",
        "states + activations + logits (with margin) + runtime > 90% of the memory, in every "
        "layout that was tried.",
        "A run that does not fit does not start.",
        "Use more or larger accelerators.",
        "Rajbhandari et al. 2020, arXiv 1910.02054; Korthikanti et al. 2022, arXiv 2205.05198",
    ),
    _entry(
        "THIN_STEPS",
        "Accelerators get too little work a step.",
        "batch / GPUs < 1,000 tokens.",
        "Efficiency is 1 / (1 + w0 g / B); below 1,000 tokens nothing was measured.",
        "Use fewer accelerators or a larger batch.",
        "Megatron-LM, MegaScale and Llama 3 fixed-batch tables",
    ),
    _entry(
        "LONGER_THAN_A_YEAR",
        "Even the fastest row takes over a year.",
        "days > 365.",
        "Hardware and methods change faster.",
        "Use more accelerators or a smaller model.",
        "a convention",
    ),
    _entry(
        "TINY_MODEL",
        "6 x params x tokens is a poor count here.",
        "Fewer than 1e8 parameters.",
        "Attention and embeddings are over a tenth of the work.",
        "Give measured --flops.",
        "Hoffmann et al. 2022, arXiv 2203.15556, appendix F",
    ),
)
