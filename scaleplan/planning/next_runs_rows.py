"""The proposed runs as a launcher needs them: shape, batch, learning rate, hours and dollars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from scaleplan.catalog import planning_default
from scaleplan.planning.attention import attention_growth
from scaleplan.planning.compute import accelerator_hours
from scaleplan.planning.cost import prices
from scaleplan.planning.goodput import goodput
from scaleplan.planning.shape import guess_shape
from scaleplan.planning.throughput import choose_batch, half_speed_tokens, useful_batch
from scaleplan.planning.utilisation import (
    LONG_HOURS,
    node_share,
    reached,
    routed,
    step_defaults,
)
from scaleplan.records import Accelerator, Assumption, NextRun
from scaleplan.records.next_runs import PLANNED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scaleplan.laws.base import FloatArray
    from scaleplan.planning.next_runs_candidates import RunSet

_DIGITS = 3  # of a learning rate; more would claim what nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What the runs are trained on.

    Args:
        accelerator: The part.
        gpus: How many of it, used by one run at a time.
        mfu: The user's steady model-FLOP utilisation on them, None for published runs'.
        usd_per_hour: The user's price of an accelerator-hour, None for the catalogue's.
        sequence_length: Tokens per sequence.
        active_share: Of all parameters of a run, the part that a token uses.
        tokens: Whether runs see tokens, in sequences; what they see else may come in any batch.
    """

    accelerator: Accelerator
    gpus: int
    mfu: float | None
    usd_per_hour: float | None
    sequence_length: int
    active_share: float = 1.0
    tokens: bool = True

    @property
    def price(self) -> float | None:
        """Return US dollars per accelerator-hour, None where nobody knows."""
        return prices(self.accelerator, self.usd_per_hour).expected

    def gpu_hours(self, runs: RunSet) -> FloatArray:
        """Return the accelerator-hours of each run, shape (n,)."""
        if self.mfu is not None:
            kept = planning_default("realised_median").value * goodput(self.gpus)
            use = self.mfu * kept * self.working(runs) / self.gpus
        else:
            working = self.working(runs)
            moe = routed(self.active_share, 1.0)
            lost = (
                half_speed_tokens(moe=moe, accelerator=self.accelerator)
                * working
                / self.batch(runs)
            )
            # Those without work are paid for all the same.
            use = self._reached(runs, moe) / (1.0 + lost) * working / self.gpus
        one = accelerator_hours(1.0, peak_tflops=self.accelerator.peak_tflops, utilisation=1.0)
        return np.asarray(runs.flops * one / use)

    def _reached(self, runs: RunSet, moe: float) -> FloatArray:
        """Return the MFU of each run before what the number of accelerators costs its steps."""
        sizes, place = np.unique(runs.params, return_inverse=True)
        active = [float(size) * self.active_share for size in sizes]
        known = [reached(self.accelerator, size, moe=moe, vision=False) for size in active]
        steps, long, cluster, growth = (
            np.array(column)[place]
            for column in (
                [each.steps for each in known], [each.long for each in known],
                [each.cluster for each in known], [self._growth(size) for size in active],
            )
        )  # fmt: skip
        one = accelerator_hours(1.0, peak_tflops=self.accelerator.peak_tflops, utilisation=1.0)
        short, most = (planning_default(name).value for name in LONG_HOURS)
        hours = np.log(runs.flops * growth * one / steps / short) / np.log(most / short)
        share = np.clip(hours, 0.0, 1.0)
        nodes = node_share(self.gpus / planning_default("node_size").value)
        use = steps ** (1.0 - share) * np.minimum(long, steps) ** share * cluster**nodes
        return np.asarray(use / growth)

    def _growth(self, active_params: float) -> float:
        if not self.tokens:
            return 1.0
        return attention_growth(
            guess_shape(active_params), active_params=active_params,
            sequence_length=self.sequence_length,
        )  # fmt: skip

    def working(self, runs: RunSet) -> FloatArray:
        """Return how many accelerators have work in each run, shape (n,).

        A step gives each copy of the model a sequence; a copy may be split over heads inside a
        node. Further stages of a pipeline would wait for each other.
        """
        sequences = np.maximum(1.0, np.floor(self.batch(runs) / self.sequence_length))
        if not self.tokens or float(sequences.min()) >= self.gpus:
            return np.full(len(runs), float(self.gpus))
        node = int(planning_default("node_size").value)
        heads = [min(node, guess_shape(float(size)).heads) for size in runs.params]
        split = np.exp2(np.floor(np.log2(np.array(heads, dtype=np.float64))))
        return np.asarray(np.minimum(float(self.gpus), sequences * split))

    def batch(self, runs: RunSet) -> FloatArray:
        """Return the tokens of a step of each run, shape (n,)."""
        batch = useful_batch(1.0) * runs.tokens ** _batch_exponent()
        return np.asarray(np.minimum(np.maximum(batch, self.sequence_length), runs.tokens))


def _batch_exponent() -> float:
    return planning_default("batch_exponent").value


def learning_rate(params: float, tokens: float) -> float:
    """Return a peak learning rate: 1.79 N^-0.713 D^0.307 (Li et al. 2025, arXiv 2503.04715).

    It is never larger than at the ends of their grid: too large a rate costs a run, too small a
    one costs a little loss.

    Args:
        params: Parameters, without embeddings where it matters.
        tokens: Training tokens.
    """
    params = max(params, planning_default("learning_rate_params_low").value)
    tokens = min(tokens, planning_default("learning_rate_tokens_high").value)
    rate = (
        planning_default("learning_rate_coefficient").value
        * params ** planning_default("learning_rate_params_exponent").value
        * tokens ** planning_default("learning_rate_tokens_exponent").value
    )
    return float(f"{rate:.{_DIGITS - 1}e}")


def next_rows(
    runs: RunSet,
    *,
    anchor: int | None,
    without: Sequence[float | None],
    cluster: Cluster,
    first: int = 1,
    samples: str = "",
) -> tuple[NextRun, ...]:
    """Return the proposed runs, largest first.

    Args:
        runs: The runs.
        anchor: Which of them is the anchor.
        without: For each, the law's half-width at the target if it is left out.
        cluster: What they are trained on.
        first: The number of the first of them; earlier ones name runs that were planned before.
        samples: What is counted in the place of tokens. Shapes, batches and learning rates are
            those of language models, and so is the speed unless the user gives it.
    """
    timed = not samples or cluster.mfu is not None
    hours = cluster.gpu_hours(runs) if timed else None
    total, price = float(runs.flops.sum()), cluster.price
    order = sorted(range(len(runs)), key=lambda at: (-runs.flops[at], runs.params[at]))
    found = []
    for number, at in enumerate(order, start=first):
        params, tokens = float(runs.params[at]), float(runs.tokens[at])
        own = None if hours is None else float(hours[at])
        found.append(
            NextRun(
                name=f"{PLANNED}{number}", role="anchor" if at == anchor else "spread",
                params=params, tokens=tokens, flops=float(runs.flops[at]),
                share=float(runs.flops[at]) / total, law_half_width_without=without[at],
                hours=None if own is None else own / cluster.gpus, gpu_hours=own,
                usd=None if price is None or own is None else own * price,
                **(_NO_SETTINGS if samples else _settings(params, tokens, cluster)),
            )
        )  # fmt: skip
    return tuple(found)


class _Settings(TypedDict):
    """What a launcher of a language model needs besides its size."""

    layers: int | None
    width: int | None
    heads: int | None
    batch_tokens: float | None
    steps: int | None
    learning_rate: float | None


_NO_SETTINGS = _Settings(
    layers=None, width=None, heads=None, batch_tokens=None, steps=None, learning_rate=None
)


def _settings(params: float, tokens: float, cluster: Cluster) -> _Settings:
    """Return shape, batch and learning rate of a language model."""
    shape, length = guess_shape(params), cluster.sequence_length
    # Heads of one width, and an even one: rotary embeddings turn pairs.
    step = 2 * shape.heads
    width = max(1, round(shape.width / step)) * step
    batch = choose_batch(tokens, sequence_length=length, asked=None)
    batch = max(1, round(batch / length)) * length if tokens >= length else tokens
    return _Settings(
        layers=shape.layers,
        width=width,
        heads=shape.heads,
        batch_tokens=float(batch),
        steps=max(1, round(tokens / batch)),
        learning_rate=learning_rate(params, tokens),
    )


def row_assumptions(cluster: Cluster, *, samples: str = "") -> tuple[Assumption, ...]:
    """Return what shapes, batches, learning rates, hours and dollars rest on.

    Args:
        cluster: What the runs are trained on.
        samples: What is counted in the place of tokens; then there are no shapes and the like.
    """
    settings = () if samples else _setting_assumptions(cluster)
    timed = not samples or cluster.mfu is not None
    return (*(_time_assumptions(cluster) if timed else ()), *settings)


def _time_assumptions(cluster: Cluster) -> tuple[Assumption, ...]:
    part, price = cluster.accelerator, cluster.price
    kinds = (f"utilisation_{part.utilisation_class}", *step_defaults([part]))
    speed = (
        (
            Assumption(
                name="steady MFU", value=cluster.mfu, unit="share of dense peak", source="given"
            ),
        )
        if cluster.mfu is not None
        else tuple(planning_default(kind).assumption() for kind in kinds)
    )
    known = cluster.usd_per_hour is not None
    return (
        Assumption(name="cluster", value=f"{cluster.gpus} x {part.id}, one run at a time",
                   source="option"),
        *speed,
        Assumption(
            name="price", value="unknown" if price is None else price, unit="$/h",
            source="given" if known else f"{part.price_source} ({part.price_date})",
        ),
    )  # fmt: skip


def _setting_assumptions(cluster: Cluster) -> tuple[Assumption, ...]:
    aspect, batch = planning_default("shape_aspect"), planning_default("batch_coefficient")
    exponent = planning_default("batch_exponent")
    rate = planning_default("learning_rate_coefficient")
    size = planning_default("learning_rate_params_exponent")
    data = planning_default("learning_rate_tokens_exponent")
    return (
        Assumption(name="shape", value=f"width about {aspect.value:g} x layers",
                   source=aspect.source),
        Assumption(name="batch", value=f"{batch.value:g} D^{exponent.value:g}", unit="tokens",
                   source=batch.source),
        Assumption(
            name="peak learning rate",
            value=f"{rate.value:g} N^{size.value:g} D^{data.value:g}, held where their grid ends; "
            "a guess to start from",
            source=rate.source,
        ),
        Assumption(name="sequence length", value=cluster.sequence_length, unit="tokens",
                   source="option"),
    )  # fmt: skip
