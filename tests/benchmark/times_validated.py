"""What small models lose on clusters, and the bands of planned times, by cross-validation.

    python tests/benchmark/times_validated.py [FOLDER]

All language trainings of `published_times.py` (whose FOLDER it takes) and `published_trainings.py`
are put together, and each family of models is left out in turn: names that begin with the same
letters are of one family. Rates of running steps are held against single steps, whole trainings
against whole ones. On the others the constant is chosen, by the mean of |log(published /
predicted)|, held at 1 at most for the few trainings that took far longer than planned, with each
training weighing 1 over the root of the trainings of its family; the errors are those of the family
left out. The ends of a band are the 10th and 90th percentile of the others. Exit code: 0, there is
no target; 0 with a message if there is no such folder.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import published_times
import published_trainings
import yaml

from scaleplan.catalog import planning_default
from scaleplan.planning import utilisation

_COST = "utilisation_fixed_params_cluster"
_COSTS = (2e7, 4e7, 6e7, 8e7, 1e8, 1.2e8, 1.6e8, 2e8, 2.5e8, 3e8)
_HOURS = ((0.001, 0.002), (30.0, 3e3), (100.0, 3e3), (100.0, 1e4), (300.0, 1e4), (300.0, 3e4))
_CHOSEN_ON = "chosen"  # the 38 runs that the classes' MFU was chosen on
_LARGEST_ERROR = 1.0
_TAIL = 0.1

Run = dict[str, Any]
Rows = Sequence[int]


def main(arguments: list[str]) -> int:
    """Print the errors by the cost on clusters, then the bands by size."""
    folder = Path(arguments[0]) if arguments else published_times._DEFAULT
    file = folder / "published_runs.yaml"
    if not file.is_file():
        print(f"no published_runs.yaml in {folder}: nothing to compare with")
        return 0
    runs = _gathered(file)
    families = [re.match("[a-z]+", run["id"].lower())[0] for run in runs]  # type: ignore[index]
    members = Counter(families)
    weights = [members[family] ** -0.5 for family in families]
    split = planning_default("time_band_params").value
    small = [i for i, run in enumerate(runs) if _active(run) < split]
    large = [i for i, run in enumerate(runs) if _active(run) >= split]
    print(
        f"{len(runs)} trainings of {len(members)} families, {len(small)} below {split:.2g} active "
        "parameters; mean of |log(published / predicted)|\n"
    )
    _costs(runs, families, weights, small, large)
    _hours(runs, weights)
    _bands(runs, families, weights, small, large)
    return 0


def _gathered(file: Path) -> list[Run]:
    """Return the trainings of both files in the form of `published_times.py`."""
    usable = filter(published_times._usable, published_times._load(file, "runs"))
    found = [run | {"of": _CHOSEN_ON} for run in usable]
    for others in (published_times.HELD_OUT, published_times.FEW, published_times.CARDS):
        found += [run | {"of": "others"} for run in others]
    text = published_trainings._FILE.read_text(encoding="utf-8")
    for one in yaml.safe_load(text)["trainings"]:
        if one["kind"] != "image":
            found.append(_as_run(one))
    return found


def _as_run(one: Run) -> Run:
    active = float(one.get("active", one["params"]))
    tokens = float(one.get("tokens", published_trainings._TOKENS_PER_PARAM * active))
    known = "hours" in one
    hours = one["hours"] * one["gpus"] if known else tokens / one["rate"] / 3600.0
    batch = one.get("batch")
    return {
        "id": one["name"], "params": float(one["params"]), "tokens": tokens, "of": "others",
        "params_active": active if "active" in one else None, "accelerator": one["part"],
        "num_accelerators": one["gpus"], "gpu_hours": float(hours), "steps": not known,
        "sequence": one.get("sequence"),
        "batch_tokens": None if batch is None else float(batch),
    }  # fmt: skip


def _active(run: Run) -> float:
    return float(run["params_active"] or run["params"])


def _logs(runs: list[Run], changed: dict[str, float] | None = None) -> list[float]:
    """Return log(published / predicted) of each, with these values of planning defaults."""

    def default(name: str) -> object:
        found = planning_default(name)
        return replace(found, value=changed[name]) if changed and name in changed else found

    with patch.object(utilisation, "planning_default", default):
        return [math.log(published_times.published_over_predicted(run)) for run in runs]


def _costs(
    runs: list[Run], families: list[str], weights: list[float], small: Rows, large: Rows
) -> None:
    logs = {cost: _logs(runs, {_COST: cost}) for cost in _COSTS}
    everything = range(len(runs))

    def error(of: Callable[[int], float], rows: Rows) -> float:
        held = sum(weights[i] * min(abs(of(i)), _LARGEST_ERROR) for i in rows)
        return held / sum(weights[i] for i in rows)

    print(f"{'fixed cost of a token on clusters':34} {'all':>6} {'small':>6} {'large':>6}")
    for cost in _COSTS:
        told = " (that in a node)" if cost == _COSTS[0] else ""
        errors = [error(logs[cost].__getitem__, rows) for rows in (everything, small, large)]
        print(
            f"{f'{cost / 1e6:.0f}M parameters{told}':34} " + " ".join(f"{e:6.4f}" for e in errors)
        )
    chosen = {
        family: min(
            _COSTS,
            key=lambda cost, family=family: error(  # type: ignore[misc]
                logs[cost].__getitem__, [i for i in everything if families[i] != family]
            ),
        )
        for family in set(families)
    }
    errors = [
        error(lambda i: logs[chosen[families[i]]][i], rows) for rows in (everything, small, large)
    ]
    print(f"{'chosen without the family':34} " + " ".join(f"{e:6.4f}" for e in errors))
    counted = sorted(Counter(chosen.values()).items())
    print("chosen: " + ", ".join(f"{cost / 1e6:.0f}M {times} times" for cost, times in counted))


def _hours(runs: list[Run], weights: list[float]) -> None:
    """Print the errors by the hours between which a training becomes a long one."""
    whole = [i for i, run in enumerate(runs) if not run.get("steps")]
    node = planning_default("node_size").value
    inside = [i for i in whole if (runs[i]["num_accelerators"] or math.inf) <= node]
    beyond = [i for i in whole if i not in inside]
    print(f"\n{'whole trainings, hours of short and long':44} {'all':>6} {'a node':>6} {'more':>6}")
    for ends in _HOURS:
        logs = _logs(runs, dict(zip(utilisation.LONG_HOURS, ends, strict=True)))
        errors = (
            sum(weights[i] * min(abs(logs[i]), _LARGEST_ERROR) for i in rows)
            / sum(weights[i] for i in rows)
            for rows in (whole, inside, beyond)
        )
        told = "all are long" if ends[1] < 1.0 else f"{ends[0]:,.0f} to {ends[1]:,.0f}"
        print(f"{told:44} " + " ".join(f"{e:6.4f}" for e in errors))


def _bands(
    runs: list[Run], families: list[str], weights: list[float], small: Rows, large: Rows
) -> None:
    logs = _logs(runs)

    def covered(inside: list[bool]) -> str:
        new = [i for i in range(len(runs)) if runs[i]["of"] != _CHOSEN_ON]
        parts = (small, large, [i for i in small if i in new], [i for i in large if i in new])
        shares = (f"{sum(inside[i] for i in part):4}/{len(part):<4}" for part in parts)
        return " ".join(shares)

    print(f"\n{'in the band':44} small     large     others*")
    for title, groups in (("one for all", [range(len(runs))]), ("by size", [small, large])):
        inside = [False] * len(runs)
        for group, family in itertools.product(groups, set(families)):
            rest = [i for i in group if families[i] != family]
            low, high = (_quantile(logs, weights, rest, q) for q in (_TAIL, 1.0 - _TAIL))
            for i in group:
                if families[i] == family:
                    inside[i] = low <= logs[i] <= high
        print(f"{f'ends chosen without the family, {title}':44} {covered(inside)}")
    bands = [published_times.band(run) for run in runs]
    inside = [low <= math.exp(log) <= high for log, (low, high) in zip(logs, bands, strict=True)]
    print(f"{'the bands of the planner':44} {covered(inside)}")
    print("*small and large without the 38 runs that the MFU of the classes was chosen on")
    for title, group in (("small", small), ("large", large)):
        ends = (math.exp(_quantile(logs, weights, group, q)) for q in (_TAIL, 0.5, 1.0 - _TAIL))
        print(f"{title}: 10%, 50% and 90% at " + ", ".join(f"{end:.2f}" for end in ends))


def _quantile(values: list[float], weights: list[float], rows: Rows, share: float) -> float:
    """Return a weighted quantile of some of the values, between neighbours on a line."""
    ordered = sorted(rows, key=values.__getitem__)
    total = sum(weights[i] for i in ordered)
    places = list(itertools.accumulate(weights[i] for i in ordered))
    middles = [(place - 0.5 * weights[i]) / total for place, i in zip(places, ordered, strict=True)]
    above = next((k for k, middle in enumerate(middles) if middle >= share), len(middles) - 1)
    below = max(above - 1, 0)
    width = middles[above] - middles[below]
    part = 0.0 if width == 0.0 else min(max((share - middles[below]) / width, 0.0), 1.0)
    low, high = values[ordered[below]], values[ordered[above]]
    return low + part * (high - low)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
