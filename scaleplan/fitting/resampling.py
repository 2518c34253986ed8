"""Refits to resampled runs or residuals: the bootstraps.

Every resample is one row of a batch: the solver advances all of them together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scaleplan.errors import FitError, UsageError
from scaleplan.fitting.backtest import leverage
from scaleplan.fitting.clusters import codes_of
from scaleplan.fitting.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scaleplan.fitting.fitted import Fitted
    from scaleplan.laws.base import FloatArray, IndexArray

IntervalKind = Literal["auto", "delta", "case", "clustered", "residual", "wild", "profile"]
KINDS: tuple[IntervalKind, ...] = get_args(IntervalKind)

# With fewer runs than this multiple of the parameters most resamples repeat so few distinct runs
# that their fits are exact or degenerate (8 runs and 5 parameters: 60% have <= 5 distinct runs).
_CASE_RATIO = 4
# Residuals keep the design, so that fewer runs do. Of 8, 10 and 12 runs and 5 parameters 90%
# intervals of the residual bootstrap covered 73-81, 81-83 and 85-87%, those of the wild one 88-93%
# (own simulation, 2026).
_RESIDUAL_RATIO = 2
# Beyond this the sampling distribution is normal to the digits that are printed, and the delta
# method costs nothing.
_BOOTSTRAP_MOST_RUNS = 5_000
# Of 1,911 runs with E at 0 nine in ten resamples are refitted from several starts; two found the
# percentiles of ten to four digits in a quarter of the time (public sweep of learning rates, 2026).
_MANY_RUNS = 1_000
_BLOCK_DOUBLES = 4_000_000  # weights or values held at once while resampling
_BLOCK_RESAMPLES = 500
_BEYOND_AN_END = 2  # resamples; with fewer an end of an interval is a single draw, or none at all
_FULL_LEVERAGE = 1.0 - 1e-6  # such a run is met by a parameter of its own: it has no residual


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Parameters refitted to resampled runs.

    Args:
        theta: Shape (resamples, p).
        method: How runs or residuals were drawn.
    """

    theta: FloatArray
    method: str


def resample(
    fitted: Fitted,
    *,
    resamples: int,
    seed: int,
    clusters: Sequence[str] | None,
    kind: IntervalKind = "auto",
    on_progress: Callable[[int, int], None] | None = None,
) -> Resamples | None:
    """Refit to resampled runs.

    Args:
        fitted: The fit to all runs.
        resamples: How many; 0 for none.
        seed: Seed of the draws.
        clusters: A family name a run. Whole families are drawn together, and share the sign of the
            wild bootstrap. None takes single runs.
        kind: `case` or `clustered` draw runs with replacement, `residual` draws residuals, `wild`
            turns the sign of each run's own residual. `auto` draws runs, or families where they are
            known, if there are enough of them and not too many; `delta` and `profile` need no
            resamples.
        on_progress: Called with (done, all) resamples now and then.

    Returns:
        The refits, or None where none are needed or, under `auto`, none can be trusted.

    Raises:
        FitError: If a kind that was asked for cannot be trusted with these runs.
    """
    if kind in {"delta", "profile"}:
        return None
    if kind == "auto":
        kind = "case" if clusters is None else "clustered"
        if resamples < 1 or fitted.values.size > _BOOTSTRAP_MOST_RUNS:
            return None
        if _refusal(fitted, kind, clusters) is not None:
            return None
    elif resamples < 1:
        raise FitError(
            f"the {kind} bootstrap needs resamples, and --resamples is {resamples}",
            hint="Give --resamples 1000, or use --interval delta.",
        )
    refusal = _refusal(fitted, kind, clusters)
    if refusal is not None:
        other = "--interval delta or profile" + (", or leave out --cluster" if clusters else "")
        raise FitError(f"no {kind} bootstrap: {refusal}", hint=f"Use {other}.")
    fitted = _with_brief_refits(fitted)
    codes = _codes(fitted, None if kind in {"case", "residual"} else clusters)
    groups = int(codes.max()) + 1
    if kind in {"case", "clustered"}:
        method = "case bootstrap" if kind == "case" else f"bootstrap of {groups} clusters"
        draw = _case_refits(fitted, codes)
    else:
        method = _residual_method(kind, groups, fitted.values.size)
        draw = _residual_refits(fitted, codes, wild=kind == "wild")
    theta = _in_blocks(
        draw, fitted.values.size, resamples, np.random.default_rng(seed), on_progress
    )
    return Resamples(theta, f"{method}, {resamples} resamples")


def check_resamples(resamples: int, level: float, kind: IntervalKind) -> None:
    """Refuse so few resamples that an interval's ends are single draws.

    Args:
        resamples: How many are asked for; 0 for none.
        level: Level of the interval, for example 0.9.
        kind: How it is made.

    Raises:
        UsageError: If fewer than two would lie beyond each end: 40 for a 90% interval.
    """
    if resamples < 1 or kind in {"delta", "profile"}:
        return
    fewest = math.ceil(round(2.0 * _BEYOND_AN_END / (1.0 - level), 6))
    if resamples < fewest:
        verb = "resample is" if resamples == 1 else "resamples are"
        raise UsageError(
            f"{resamples} {verb} too few for a {100.0 * level:g}% interval; at least {fewest} are "
            f"needed, so that {_BEYOND_AN_END} lie beyond each end",
            hint="Give --resamples 1000, which is the default, or 0 for the delta method.",
        )


def _with_brief_refits(fitted: Fitted) -> Fitted:
    """Return the fit, of many runs with refits from fewer starts."""
    problem = fitted.problem
    if fitted.values.size <= _MANY_RUNS or not isinstance(problem, Problem):
        return fitted
    return replace(fitted, problem=replace(problem, brief=True))


def resampled_kind(kind: IntervalKind, cluster: str | None) -> IntervalKind:
    """Return the kind that is meant where a column of clusters was named, or not.

    Raises:
        UsageError: If clusters play no part in the kind that was asked for.
    """
    if cluster is None or kind in {"clustered", "wild"}:
        return kind
    if kind == "auto":
        return "clustered"
    raise UsageError(
        f"--cluster {cluster} plays no part in --interval {kind}",
        hint="Use it with --interval clustered or wild, or without --interval.",
    )


def _in_blocks(
    draw: Callable[[np.random.Generator, int], FloatArray],
    runs: int,
    resamples: int,
    rng: np.random.Generator,
    on_progress: Callable[[int, int], None] | None,
) -> FloatArray:
    """Return the refits of all resamples, (resamples, p); memory is bounded by blocks."""
    block = max(1, min(resamples, _BLOCK_DOUBLES // runs, _BLOCK_RESAMPLES))
    parts = []
    for first in range(0, resamples, block):
        count = min(block, resamples - first)
        parts.append(draw(rng, count))
        if on_progress is not None:
            on_progress(first + count, resamples)
    return np.concatenate(parts)


def _codes(fitted: Fitted, clusters: Sequence[str] | None) -> IndexArray:
    """Return the number of each run's cluster, shape (n,); each run is its own without any."""
    if clusters is None:
        return np.arange(fitted.values.size)
    return codes_of(clusters)


def _refusal(fitted: Fitted, kind: IntervalKind, clusters: Sequence[str] | None) -> str | None:
    """Return why resamples of this kind would not tell how sure the parameters are."""
    params = fitted.free
    if not params:
        return f"the {fitted.law.name} law has no parameters to estimate"
    if kind == "clustered" and clusters is None:
        return "no column says which runs belong together; name it with --cluster COLUMN"
    drawn = clusters if kind in {"clustered", "wild"} else None
    groups = int(_codes(fitted, drawn).max()) + 1
    ratio = _CASE_RATIO if kind in {"case", "clustered"} else _RESIDUAL_RATIO
    if groups < ratio * params:
        what = "runs" if drawn is None else "clusters"
        return f"{params} parameters need at least {ratio * params} {what}, and there are {groups}"
    if kind in {"residual", "wild"}:
        full = int((_leverages(fitted) > _FULL_LEVERAGE).sum())
        if full:
            return f"{full} run(s) decide a parameter alone, so that their scatter is unknown"
    return None


def _leverages(fitted: Fitted) -> FloatArray:
    """Return the diagonal of the hat matrix, shape (n,)."""
    return leverage(fitted, fitted.theta, fitted.inputs, fitted.inputs)


def _case_refits(
    fitted: Fitted, codes: IndexArray
) -> Callable[[np.random.Generator, int], FloatArray]:
    """Return what refits to clusters of runs drawn with replacement: multinomial weights."""
    groups = int(codes.max()) + 1

    def draw(rng: np.random.Generator, count: int) -> FloatArray:
        draws = rng.integers(0, groups, (count, groups))
        offsets = np.arange(count)[:, None] * groups
        counts = np.bincount((draws + offsets).ravel(), minlength=count * groups)
        return fitted.refit(counts.reshape(count, groups)[:, codes].astype(float))

    return draw


def _residual_refits(
    fitted: Fitted, codes: IndexArray, *, wild: bool
) -> Callable[[np.random.Generator, int], FloatArray]:
    """Return what refits to the fitted values less resampled residuals.

    A fit draws its own runs towards itself, by 1 - h of their scatter for a leverage h. Residuals
    are scaled back before they are drawn: by 1 / sqrt(1 - h), centred, for the residual bootstrap
    (Davison & Hinkley 1997, equation 6.9), and by 1 / (1 - h), the HC3 of MacKinnon & White 1985,
    for the wild one, with signs of +1 and -1 (Davidson & Flachaire 2008, who find these better than
    Mammen's weights).
    """
    inflation = 1.0 / (1.0 - _leverages(fitted))
    relative = fitted.residual == "log"
    predicted = fitted.predict(fitted.inputs)
    base = np.log(predicted) if relative else predicted
    own = fitted.residuals() * (inflation if wild else np.sqrt(inflation))
    own = own if wild else own - own.mean()
    groups = int(codes.max()) + 1

    def draw(rng: np.random.Generator, count: int) -> FloatArray:
        if wild:
            noise = own * (2.0 * rng.integers(0, 2, (count, groups)) - 1.0)[:, codes]
        else:
            noise = own[rng.integers(0, own.size, (count, own.size))]
        return fitted.refit_values(np.exp(base - noise) if relative else base - noise)

    return draw


def _residual_method(kind: IntervalKind, groups: int, runs: int) -> str:
    if kind == "residual":
        return "residual bootstrap (HC2 residuals)"
    shared = "" if groups == runs else f" shared in {groups} clusters"
    return f"wild bootstrap (HC3 residuals, random signs{shared})"


def percentile(values: FloatArray, level: float) -> tuple[float, float] | None:
    """Return the central percentile interval of finite values, None if over 1% are not finite."""
    finite = values[np.isfinite(values)]
    if finite.size < 0.99 * values.size:
        return None
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(finite, [tail, 100.0 - tail])
    return float(low), float(high)
