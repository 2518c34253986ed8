"""How often few runs are fitted by the coupled form, and what that does to larger forecasts.

    python tests/benchmark/form_choice.py [SWEEPS]

Sweeps of 12 to 29 runs with heavy-tailed noise of 0.3 to 2%, of an additive truth and of coupled
ones (k of 0.4, 0.6 and 1.5), are fitted as `fit` does. A row is a limit of the p-value of k = 1,
beside a back-test that improves by a fifth: how many sweeps pass it, and the error at three larger
models of the coupled fit over that of the additive one (the geometric mean).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from coverage import runs_of
from sweeps import CHOOSING, TWO, Sweep

from scaleplan.errors import ScaleplanError
from scaleplan.fitting.choice import choose
from scaleplan.fitting.forms import ADDITIVE, COUPLED, coupling_p
from scaleplan.fitting.recipe import DEFAULT
from scaleplan.laws import get_law

LIMITS = (0.05, 0.01, 0.001, 0.0001)
LARGER = np.array([(1e10, 2e11), (1e10, 1e12), (3e9, 6e10)]).T
BETTER = 0.8


def made(kind: str, rng: np.random.Generator) -> Sweep:
    """Return one sweep; its last three runs are the larger ones, without noise."""
    count, noise = int(rng.integers(12, 30)), float(rng.choice([0.003, 0.01, 0.02]))
    size = 10.0 ** rng.uniform(7.0, 9.0, count)
    inputs = np.concatenate([np.stack([size, size * 10.0 ** rng.uniform(0.5, 2.5, count)]), LARGER],
                            axis=1)  # fmt: skip
    k = 1.0 if kind == ADDITIVE else float(rng.choice([0.4, 0.6, 1.5]))
    capacity, data = 480.0 * inputs[0] ** -0.35, 2000.0 * inputs[1] ** -0.366
    values = 1.8 + (capacity ** (1.0 / k) + data ** (1.0 / k)) ** k
    scatter = np.exp(noise / 1.7 * rng.standard_t(3, count))
    held = np.arange(count + 3) >= count
    values[~held] *= scatter
    return Sweep(kind, CHOOSING, TWO, inputs, values, held)


def judged(kind: str, sweeps: int) -> Iterator[tuple[float, bool, float]]:
    """Yield of each sweep the p-value, whether the back-test is better, and the ratio of errors."""
    rng = np.random.default_rng([5, len(kind)])
    for _ in range(sweeps):
        data = made(kind, rng)
        try:
            choice = choose(runs_of(data, ~data.held), "auto", DEFAULT)
        except ScaleplanError:
            continue
        known = {tried.law.name: tried for tried in choice.comparison.tried}
        both = [known.get(ADDITIVE), known.get(COUPLED)]
        fits = [tried.fitted for tried in both if tried is not None and tried.fitted is not None]
        if len(fits) < 2:
            continue
        tests = [tried.test.rmse_log for tried in both if tried is not None and tried.test]
        after, before = (tests[1], tests[0]) if len(tests) == 2 else (None, None)
        better = after is not None and before is not None and after <= BETTER * before
        error = [
            float(np.sqrt(np.mean(np.log(
                get_law(name).evaluate(list(fit.theta), list(LARGER)) / data.values[data.held]
            ) ** 2)))
            for name, fit in zip((ADDITIVE, COUPLED), fits, strict=True)
        ]  # fmt: skip
        yield coupling_p(*fits), better, error[1] / error[0]


def main(sweeps: int) -> None:
    print(f"{sweeps} sweeps of 12 to 29 runs of each truth")
    print("truth       p below  sweeps  error of the coupled fit over that of the additive one")
    for kind in (ADDITIVE, COUPLED):
        found = list(judged(kind, sweeps))
        for limit in LIMITS:
            ratios = [ratio for p, better, ratio in found if p < limit and better]
            ratio = f"{np.exp(np.mean(np.log(ratios))):.2f}" if ratios else "-"
            print(f"{kind:10} {limit:8g} {len(ratios):7}  {ratio}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
