"""Predicted against published times of trainings that were gathered to be held out.

    python tests/benchmark/published_trainings.py [FILE]

FILE is `published_trainings.yaml` beside this script if it is not given; what its fields mean, and
the source of each training, stand there. Trainings of one source fall into one half: the first
byte of the SHA-256 of its name is even for the half on which constants may be chosen, and odd for
the half that only scores. In November 2026 that half was printed before and after each change of
the planner, which no value was chosen on; it is not unseen any more. A third part, `examined`, is
of an examiner of the planner: of its 20 trainings 11 were in the band of then. With both halves it
has been used in `times_validated.py` since, which chose the fixed cost of a token on clusters and
the bands by cross-validation. The exit code is 0: there is no target, the table is to be read.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from scaleplan.catalog import accelerator
from scaleplan.planning.compute import training_flops
from scaleplan.planning.families import plan_family
from scaleplan.planning.image_models import vision_transformer
from scaleplan.planning.plan import plan_rows
from scaleplan.planning.throughput import useful_batch

_FILE = Path(__file__).with_name("published_trainings.yaml")
_CHOOSING, _SCORING, _EXAMINED = "choosing", "scoring", "examined"
# Tokens a parameter of a rate, whose training has no end; they only set a batch that is not given.
_TOKENS_PER_PARAM = 20.0
# Accelerator-hours of a rate: it is held against a training as short as that, which loses nothing.
_RATE_HOURS = 50.0
_SEQUENCE = 2048
_BATCH = 256.0
_NODE = 8

Training = dict[str, Any]


def half(source: str) -> str:
    """Return the half that the trainings of a source fall into.

    Args:
        source: Its name in the file.
    """
    return _SCORING if hashlib.sha256(source.encode("utf-8")).digest()[0] % 2 else _CHOOSING


def ratio(training: Training) -> tuple[float, bool]:
    """Return published over predicted time, and whether the published time is in the band.

    Args:
        training: One of the file, whose time is planned as `scaleplan budget` does.
    """
    part, gpus = accelerator(training["part"]), int(training["gpus"])
    if training["kind"] == "image":
        model = vision_transformer(
            training["shape"], image=None, patch=None, origin=training["name"], source=""
        )
        work = float(training["rate"]) * _RATE_HOURS * 3600.0
        plan = plan_family(
            model, examples=work, epochs=1.0, accelerators=[part], gpus=[gpus],
            batch=_BATCH * gpus, mfu=None, usd_per_hour=None, country=None, pue=None,
        )  # fmt: skip
        row = plan.rows[0]
    else:
        active = float(training.get("active", training["params"]))
        work = float(training.get("tokens", _TOKENS_PER_PARAM * active))
        batch = _number(training.get("batch"))
        if "rate" in training:
            batch = batch or useful_batch(work)
            work = max(float(training["rate"]) * _RATE_HOURS * 3600.0, batch)
        row = plan_rows(
            params=float(training["params"]), active_params=active, tokens=work,
            flops=training_flops(active, work), accelerators=[part], gpus=[gpus], mfu=None,
            usd_per_hour=None, batch_tokens=batch,
            sequence_length=int(training.get("sequence", _SEQUENCE)), country=None, pue=None,
        )[0][0]  # fmt: skip
    if "hours" in training:
        days = float(training["hours"]) / 24.0
    else:
        days = work / (float(training["rate"]) * gpus) / 86_400.0
    return days / row.days, row.days_low <= days <= row.days_high


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


# Row of the table -> which trainings it counts.
_KINDS: dict[str, Callable[[Training], bool]] = {
    "whole trainings, over 8": lambda one: one["kind"] == "whole" and one["gpus"] > _NODE,
    "whole trainings, 1 to 8": lambda one: one["kind"] == "whole" and one["gpus"] <= _NODE,
    "running steps, over 8": lambda one: one["kind"] == "rate" and one["gpus"] > _NODE,
    "running steps, 1 to 8": lambda one: one["kind"] == "rate" and one["gpus"] <= _NODE,
    "vision transformers, 1": lambda one: one["kind"] == "image",
}


def main(arguments: list[str]) -> int:
    """Print one table of the three parts, and the trainings outside the band."""
    file = Path(arguments[0]) if arguments else _FILE
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    examined = set(document.get("examined", ()))
    found = [
        (_EXAMINED if one["source"] in examined else half(one["source"]), one, *ratio(one))
        for one in document["trainings"]
    ]
    print("published over predicted time; 80% are promised within the band")
    print(
        f"{'part':9} {'kind, accelerators':25} {'rows':>4} {'10%':>5} {'50%':>5} {'90%':>5} in band"
    )
    for side in (_CHOOSING, _SCORING, _EXAMINED):
        for kind, belongs in _KINDS.items():
            chosen = [
                (value, inside) for part, one, value, inside in found
                if part == side and belongs(one)
            ]  # fmt: skip
            if not chosen:
                continue
            values = [value for value, _ in chosen]
            share = sum(inside for _, inside in chosen) / len(chosen)
            low, high = _ends(values)
            print(
                f"{side:9} {kind:25} {len(values):4} {low:5.2f} {statistics.median(values):5.2f} "
                f"{high:5.2f} {share:7.0%}"
            )
    for side in (_CHOOSING, _SCORING, _EXAMINED):
        outside = [
            f"{one['name']} {value:.2f}" for part, one, value, inside in found
            if part == side and not inside
        ]  # fmt: skip
        print(f"outside, {side}: {', '.join(outside)}")
    return 0


def _ends(values: list[float]) -> tuple[float, float]:
    """Return the 10th and 90th percentile."""
    if len(values) == 1:
        return values[0], values[0]
    cuts = statistics.quantiles(values, n=10, method="inclusive")
    return cuts[0], cuts[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
