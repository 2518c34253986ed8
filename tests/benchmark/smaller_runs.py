"""Do runs smaller than those there are make forecasts of larger ones better, on real sweeps?

    python tests/benchmark/smaller_runs.py [REPEATS]

From each public sweep of parameters and tokens, wherever it is wide enough: up to 14 runs of one
decade of compute are fitted as `fit --update` does, alone and with up to 14 of the decade below,
and the runs more than half a decade above are forecast (rms error of ln loss over 4 draws of the
runs). `of the decade` has up to 28 runs of the upper decade instead, which cost about ten times as
much. The last line counts the splits where the smaller runs helped.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from public_sweeps import find_folder, two_input_sweeps

from scaleplan.errors import FitError
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.forms import coupling_p
from scaleplan.laws import get_law
from scaleplan.planning.update import COUPLED_BELOW
from scaleplan.planning.update_small import SMALL_RUNS_BELOW, small_runs_p

RUNS, ABOVE = 14, 0.5
LEAST_DECADES = 2.2
FEWEST = (9, 6, 3)  # runs of the decade, of the one below, above


def shown(inputs, loss):
    """Return the additive or the coupled law, whichever the runs show."""
    both = [fit_law(get_law(name), inputs, loss) for name in ("chinchilla", "coupled")]
    return both[int(coupling_p(*both) < COUPLED_BELOW)]


def errors(inputs, loss, upper, lower, top):
    """Return the mean squared errors without, with tested, and with more of the same decade."""
    goal = np.log(loss[top])
    few = upper[:RUNS]
    both = np.concatenate([few, lower[:RUNS]])
    alone, whole = shown(inputs[:, few], loss[few]), shown(inputs[:, both], loss[both])
    small = np.arange(both.size) >= few.size
    kept = alone if small_runs_p(whole, alone, small) < SMALL_RUNS_BELOW else whole
    more = shown(inputs[:, upper[: 2 * RUNS]], loss[upper[: 2 * RUNS]])
    return [
        float(np.mean((np.log(fit.predict(inputs[:, top])) - goal) ** 2))
        for fit in (alone, kept, more)
    ]


def splits(inputs, loss):
    """Yield the upper end of a decade, and which runs lie in it, below it and above."""
    level = np.log10(6.0 * inputs[0] * inputs[1])
    if np.ptp(level) < LEAST_DECADES:
        return
    for end in np.arange(level.min() + 1.5, level.max() - ABOVE, 0.5):
        upper = np.flatnonzero((level > end - 1.0) & (level <= end))
        lower = np.flatnonzero((level > end - 2.0) & (level <= end - 1.0))
        top = np.flatnonzero(level > end + ABOVE)
        if all(len(s) >= n for s, n in zip((upper, lower, top), FEWEST, strict=True)):
            yield end, upper, lower, top


def main(repeats: int) -> None:
    folder = find_folder()
    if folder is None:
        sys.exit("the public sweeps (shared/data) are not beside the project")
    ratios = []
    print(f"{'':34s} to FLOP   alone   with smaller   of the decade")
    for name, inputs, loss in two_input_sweeps(folder):
        if "245" in name:  # the 240 and five more
            continue
        for end, upper, lower, top in splits(inputs, loss):
            rng = np.random.default_rng(0)
            try:
                found = [
                    errors(inputs, loss, rng.permutation(upper), rng.permutation(lower), top)
                    for _ in range(repeats)
                ]
            except FitError:
                continue
            alone, smaller, more = np.sqrt(np.mean(found, axis=0))
            ratios.append(smaller / alone)
            shown_errors = f"{alone:7.4f}   {smaller:12.4f}   {more:13.4f}"
            print(f"{name:34s} 10^{end:4.1f} {shown_errors}", flush=True)
    known = [ratio for ratio in ratios if math.isfinite(ratio)]
    helped, middle = sum(ratio < 1.0 for ratio in known), math.exp(float(np.mean(np.log(known))))
    lost = len(ratios) - len(known)
    print(
        f"smaller runs helped in {helped} of {len(known)} splits; error {middle:.2f} times that "
        f"without, in the geometric mean; no forecast without them in {lost}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
