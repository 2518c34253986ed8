"""The whole command `fit` on 240 runs with 1,000 resamples against importing scipy.optimize.

    python tests/benchmark/fit_command.py [ROUNDS]

It ends with 1 if the command takes more than BOUND times as long. The runs are drawn from the
Chinchilla law of Besiroglu et al. 2024 with 1% noise.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import PYTHON, interleaved, report

BOUND = 1.5
BASELINE = "python -c 'import scipy.optimize'"
FIT = "scaleplan fit, 240 runs, 1,000 resamples"


def write_runs(path: Path, count: int = 240) -> None:
    rng = np.random.default_rng(0)
    params = 10 ** rng.uniform(7.7, 10.2, count)
    tokens = 10 ** rng.uniform(8.9, 11.5, count)
    loss = 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658
    loss *= np.exp(0.01 * rng.standard_normal(count))
    lines = [f"{n:.6g},{d:.6g},{v:.6g}" for n, d, v in zip(params, tokens, loss, strict=True)]
    path.write_text("params,tokens,loss\n" + "\n".join(lines) + "\n", encoding="utf-8")


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs.csv"
        write_runs(runs)
        commands = {
            BASELINE: [PYTHON, "-c", "import scipy.optimize"],
            FIT: [
                PYTHON, "-m", "scaleplan", "fit", str(runs), "--resamples", "1000",
            ],
        }  # fmt: skip
        ratios = report(interleaved(commands, rounds=rounds), BASELINE)
        return int(ratios[FIT] > BOUND)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 11))
