"""Inputs that no longer matter among the fitted runs: buying more of them buys nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scaleplan.laws import get_law
from scaleplan.records import Fit, Note
from scaleplan.units import format_percent

# An effect over the whole fitted range that is smaller than this many scatters of a run cannot be
# seen between any two runs.
_SCATTERS = 2.0
_NAMES = {"params": "parameters", "active_params": "active parameters", "tokens": "tokens"}


def saturated_input(fit: Fit) -> Iterator[Note]:
    """Say which of two inputs moved the metric by less than runs scatter, and which one did."""
    ranges = {r.role: r for r in fit.ranges}
    roles = fit.inputs[:2]
    if len(roles) < 2 or fit.quality is None or not fit.main.theta or fit.main.noise is None:
        return
    if any(r not in ranges for r in fit.inputs) or not set(roles) <= set(_NAMES):
        return
    law = get_law(fit.law)
    # Further inputs may be counts or levels, which have no middle.
    middle = [math.sqrt(ranges[r].low * ranges[r].high) for r in roles]
    middle += [ranges[r].low for r in fit.inputs[2:]]
    value = law.evaluate(list(fit.main.theta), middle)
    if not math.isfinite(value) or value <= 0.0:
        return
    noise = fit.main.noise if fit.main.residual == "log" else fit.main.noise / value
    effects = []
    for place, role in enumerate(roles):
        ends = []
        for end in (ranges[role].low, ranges[role].high):
            at = [end if i == place else v for i, v in enumerate(middle)]
            ends.append(law.evaluate(list(fit.main.theta), at))
        effects.append(abs(ends[0] - ends[1]) / value)
    for place, role in enumerate(roles):
        other = 1 - place
        if effects[place] < _SCATTERS * noise <= effects[other]:
            yield Note(
                id="INPUT_SATURATED", severity="warning",
                text=f"{_NAMES[role].capitalize()} are saturated: from the smallest to the largest "
                f"fitted value they move {fit.metric.name} by "
                f"{format_percent(effects[place], 2)}, one run scatters by "
                f"{format_percent(noise, 2)}; {_NAMES[roles[other]]} move it by "
                f"{format_percent(effects[other], 2)}.",
                action=f"Spend on {_NAMES[roles[other]]}.",
                numbers=(("effect", effects[place]), ("noise", noise),
                         ("other_effect", effects[other])),
                source="Ardalani et al. 2022, arXiv 2208.08489: parameter scaling of recommenders "
                "is out of steam, data scaling is not",
            )  # fmt: skip


SATURATION_RULES = (saturated_input,)
