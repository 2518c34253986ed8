"""Notes on how a model is spread: empty stages, shared sequences, recomputation."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="planning", says=says, rule=rule, reason=reason, action=action, source=source
    )


LAYOUTS = (
    _entry(
        "EMPTY_STAGES",
        "The stages of a pipeline stand empty for more than a quarter of the time.",
        "v m / (v max(m, p) + min(m, p) - 1) of the time for m micro-batches and p stages of v "
        "layers, where it is below 0.75: m / (m + p - 1) with one layer a stage.",
        "The first micro-batch fills the stages one after the other and the last empties them; "
        "stages of several layers take them in turns, which makes that shorter.",
        "Use fewer stages or fewer accelerators, or a larger batch if the training allows it.",
        "Narayanan et al. 2021, arXiv 2104.04473, section 2.2",
    ),
    _entry(
        "CONTEXT_PARALLEL",
        "Several accelerators share each sequence.",
        "A layout with cp > 1: tried where each keeps 8,192 tokens of a sequence or more. 0.87 of "
        "the speed is left, over 1 + what passing keys and values takes beyond attention.",
        "Where sequences are long a step has few of them: without sharing, accelerators or stages "
        "of a pipeline stand empty, and activations do not fit.",
        "Give --layout cp=1 for a program that cannot share sequences.",
        "Llama 3, arXiv 2407.21783, section 3.3.2; Liu et al. 2023, arXiv 2310.01889",
    ),
    _entry(
        "RECOMPUTED",
        "The forward pass is computed twice to save memory.",
        "A layout with full recomputation: 8 FLOP a parameter and token are computed, 6 count, and "
        "the time is 4/3 of that without.",
        "Only the input of each layer is kept; the backward pass computes the rest again.",
        "Take more accelerators, or measure --mfu with recomputation.",
        "Narayanan et al. 2021, arXiv 2104.04473, section 5.1",
    ),
)
