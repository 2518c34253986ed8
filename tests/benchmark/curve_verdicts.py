"""Does `scaleplan check` call curves what they are, and do its forecasts hold?

    python tests/benchmark/curve_verdicts.py [COUNT] [--choosing]

COUNT curves of each kind (300), from seeds that played no part in choosing the rules; --choosing
takes those that did. Then curves with other noise, and curves whose level shifts: how many healthy
ones are called overfitting, and how many of those that overfit so that it matters are found.
Overfitting matters if the noise-free validation metric ends above its minimum by more than 6
standard deviations of a reading, and has been above half of that rise for a tenth of the readings
and 3 readings or more. Then the curves of this project's own image models, labelled by a stated
rule: overfitting if the mean of the last three validation losses lies 5% or more above the lowest
of the running means of three, while the training loss falls. Last, forecasts of the end from the
first half: how many of the 90% intervals hold the last reading, and how wide they are, for healthy
and underfitting curves (no learning rate logged), falls that end, and learning rates that were
logged up to there and follow a cosine, or stay and come down only after the half.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from made_curves import COURSES, KINDS, VARIANTS, Made, make, make_course

from scaleplan.advice.curves import judge
from scaleplan.advice.curves.ahead import forecast_at
from scaleplan.advice.curves.trend import trend_of
from scaleplan.runs.series import Curve, Series, load_curves

IMAGES = Path(__file__).parents[2] / "sample_runs" / "images" / "epochs.csv"
FIRST_SCORED = 1_000_000


def verdicts(count: int, first: int) -> dict[str, Counter[str]]:
    """Return what curves of each kind were called."""
    return {
        kind: Counter(judge(make(kind, first + i).curve).verdict for i in range(count))
        for kind in KINDS
    }


def table(found: dict[str, Counter[str]]) -> list[str]:
    """Return precision and recall of each kind, and where the rest went."""
    lines = ["kind           recall  precision  called"]
    for kind in KINDS:
        total = sum(found[kind].values())
        recall = found[kind][kind] / total
        named = sum(found[other][kind] for other in KINDS)
        precision = found[kind][kind] / named if named else float("nan")
        called = ", ".join(f"{name} {n}" for name, n in found[kind].most_common())
        lines.append(f"{kind:13s} {recall:7.1%}  {precision:9.1%}  {called}")
    return lines


def matters(made: Made) -> bool:
    """Tell whether an overfitting curve rises far and long enough, by this file's first lines."""
    truth = _sign(made) * made.truth
    low = truth.min()
    risen = float(truth[-1] - low)
    above = int((truth[int(np.argmin(truth)) :] > low + 0.5 * risen).sum())
    return risen > 6.0 * made.noise and above >= max(3, 0.1 * truth.size)


def other_noise(count: int, first: int) -> list[str]:
    """Return what curves with other noise were called."""
    lines = [
        "other noise    healthy called overfitting, diverged, shifted  overfitting found where it "
        "matters"
    ]
    for variant in VARIANTS:
        called = Counter(
            judge(make("healthy", first + i, variant).curve).verdict for i in range(count)
        )
        wrong = ("overfitting", "diverged", "shifted")
        shares = ", ".join(f"{called[name] / count:6.1%}" for name in wrong)
        made = [make("overfitting", first + i, variant) for i in range(count)]
        found = [judge(one.curve).verdict == "overfitting" for one in made if matters(one)]
        lines.append(f"{variant:13s}  {shares:45s}  {np.mean(found):6.1%} of {len(found)}")
    return lines


def own_label(curve: Curve) -> str:
    """Return `overfitting` or `not`, by the rule in this file's first lines."""
    validation, training = curve.validation.value, curve.training.value
    means = np.convolve(validation, np.ones(3) / 3.0, mode="valid")
    rises = means[-1] > 1.05 * means.min()
    falls = (
        training[-3:].mean()
        < np.convolve(training, np.ones(3) / 3.0, mode="valid")[int(np.argmin(means))]
    )
    return "overfitting" if rises and falls else "not"


def own_runs() -> list[str]:
    """Return how the project's own curves are called."""
    curves = load_curves([str(IMAGES)]).curves
    pairs = Counter(
        (own_label(c), "overfitting" if judge(c).verdict == "overfitting" else "not")
        for c in curves
    )  # fmt: skip
    return [
        f"own image models ({len(curves)}): overfitting found {pairs['overfitting', 'overfitting']}"
        f" of {pairs['overfitting', 'overfitting'] + pairs['overfitting', 'not']}, "
        f"false alarms {pairs['not', 'overfitting']} of "
        f"{pairs['not', 'overfitting'] + pairs['not', 'not']}"
    ]


def forecasts(kind: str, count: int, first: int) -> tuple[float, float, float, int]:
    """Return coverage, median half-width and median error (shares of the value), and the count."""
    inside, widths, errors = [], [], []
    for i in range(count):
        made: Made = (make_course if kind in COURSES else make)(kind, first + i)
        found = from_first_half(made.curve, sign=_sign(made))
        if found is None:
            continue
        low, value, high, last = found
        inside.append(low <= last <= high)
        widths.append(0.5 * (high - low) / abs(last))
        errors.append(abs(value - last) / abs(last))
    return float(np.mean(inside)), float(np.median(widths)), float(np.median(errors)), len(inside)


def _sign(made: Made) -> float:
    return 1.0 if made.curve.metric.kind == "loss" else -1.0


def from_first_half(curve: Curve, *, sign: float) -> tuple[float, float, float, float] | None:
    """Return (low, value, high) of a forecast from the first half, and what was reached."""
    series, rate = curve.validation, curve.learning_rate
    half = series.at <= 0.5 * series.at[-1]
    kept = half & np.isfinite(series.value)
    if not np.isfinite(series.value[-1]):
        return None
    known = rate.at <= 0.5 * series.at[-1]
    found = forecast_at(
        trend_of(series.at[kept], sign * series.value[kept]), float(series.at[-1]), level=0.9,
        rate=Series(rate.at[known], rate.value[known]),
    )  # fmt: skip
    if found is None:
        return None
    return found.low, found.value, found.high, sign * float(series.value[-1])


def main(arguments: list[str]) -> None:
    """Print the tables."""
    counts = [int(a) for a in arguments if a.isdigit()]
    count = counts[0] if counts else 300
    first = 0 if "--choosing" in arguments else FIRST_SCORED
    half = "choosing" if first == 0 else "scoring"
    print(f"{count} simulated curves of each kind, {half} seeds")
    print("\n".join(table(verdicts(count, first))))
    print("\n".join(other_noise(count, first)))
    print("\n".join(own_runs()))
    print("forecast of the last reading from the first half, 90% intervals")
    for kind in ("healthy", "underfitting", *COURSES):
        covered, width, error, known = forecasts(kind, count, first)
        print(
            f"{kind:13s} held {covered:.1%} of {known}, half-width {width:.2%}, error {error:.2%}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
