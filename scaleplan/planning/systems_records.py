"""From the frontiers of systems to the rows that are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scaleplan.fitting.axes import metric_symbol
from scaleplan.laws import OptimizerFactors
from scaleplan.planning.frontiers import Frontier, central, crossings, multiplier
from scaleplan.planning.systems_fits import Compared, compute_of
from scaleplan.records.fits import Parameter
from scaleplan.records.systems import At, Multiplier, Ratio, System, SystemCrossing, Verdict

if TYPE_CHECKING:
    from scaleplan.laws.base import FloatArray

_LOSSES = 4  # at which systems are compared, inside what both reached
_LOOKED_BELOW, _LOOKED_ABOVE = 10.0, 1e4  # times the compute of the runs, for crossings
_Pair = Sequence[Frontier]


def system_record(compared: Compared, k: int, *, level: float) -> System:
    """Return a system with its own fit.

    Args:
        compared: All fits.
        k: Which system.
        level: Level of the intervals.
    """
    system = compared.fits.systems[k]
    compute, values = compute_of(system), system.axes.values
    symbol = metric_symbol(compared.runs[system.name], complement=system.axes.complement)
    theta = system.fitted.theta
    parameters = [
        _parameter(spec.symbol, spec.meaning, float(theta[j]), compared.fits.draws[k][:, j], level)
        for j, spec in enumerate(system.fitted.law.parameters)
    ]
    own, drawn = compared.free[k], compared.free_draws[k]
    meaning = "exponent of compute at the best split"
    parameters.append(_parameter("gamma", meaning, float(own.gamma), drawn.gamma, level))
    return System(
        name=system.name, runs=int(values.size), parameters=tuple(parameters),
        formula=system.fitted.law.write(
            [float(v) for v in theta], metric=symbol, names=system.axes.symbols
        ),
        noise=system.fitted.noise, flops_low=float(compute.min()),
        flops_high=float(compute.max()), value_low=float(values.min()),
        value_high=float(values.max()), worth=_worth(compared, k, level),
    )  # fmt: skip


def _parameter(
    symbol: str, meaning: str, value: float, draws: FloatArray, level: float
) -> Parameter:
    found = central(draws, level)
    low, high = (None, None) if found is None else found
    return Parameter(symbol=symbol, meaning=meaning, value=value, low=low, high=high, unit="")


def _worth(compared: Compared, k: int, level: float) -> tuple[Parameter, ...]:
    """Return the factors of a system under the shared form; of the reference none."""
    if k == 0:
        return ()
    shared = compared.fits.shared
    places = [(f"rho{k + 1}", "worth of compute")]
    if isinstance(shared.law, OptimizerFactors):
        places = [(f"rho_N{k + 1}", "worth of a parameter"), (f"rho_D{k + 1}", "worth of a token")]
    symbols = [spec.symbol for spec in shared.law.parameters]
    over = f"over {compared.names[0]}"
    return tuple(
        _parameter(
            symbol.rstrip("0123456789"), f"{meaning} {over}",
            float(shared.theta[symbols.index(symbol)]),
            compared.fits.shared_draws[:, symbols.index(symbol)], level,
        )
        for symbol, meaning in places
    )  # fmt: skip


def multiplier_rows(
    compared: Compared, *, target_loss: float | None, target_flops: float | None, level: float
) -> tuple[Multiplier, ...]:
    """Return the multipliers of every system at several losses.

    Args:
        compared: All fits.
        target_loss: A loss to compare at besides.
        target_flops: A compute of the reference, FLOP, to compare at besides.
        level: Level of the intervals.
    """
    rows = []
    for k in range(1, len(compared.free)):
        at, losses = _losses(compared, k)
        asked: list[tuple[At, float, float | None]] = [(at, loss, None) for loss in losses]
        if target_loss is not None:
            asked.append(("target_loss", target_loss, None))
        if target_flops is not None:
            reached = float(compared.of_answer[0].loss(target_flops))
            asked.append(("target_flops", reached, target_flops))
        rows += [_row(compared, k, *one, level=level) for one in asked]
    return tuple(rows)


def _losses(compared: Compared, k: int) -> tuple[At, tuple[float, ...]]:
    """Return losses that both systems have reached, falling; else those between them."""
    values = [compared.fits.systems[i].axes.values for i in (0, k)]
    best, worst = max(float(v.min()) for v in values), min(float(v.max()) for v in values)
    at: At = "common" if best < worst else "between"
    high, low = max(best, worst), min(best, worst)
    even = np.geomspace(high, low, _LOSSES if at == "common" else 2)
    return at, tuple(dict.fromkeys(float(f"{loss:.4g}") for loss in even))


def _row(
    compared: Compared, k: int, at: At, loss: float, flops: float | None, *, level: float
) -> Multiplier:
    """Return one multiplier; at a compute of the reference each resample has its own loss."""

    def ratio(forms: _Pair, drawn: _Pair) -> Ratio:
        where = loss if flops is None else drawn[0].loss(flops)
        point = loss if flops is None else forms[0].loss(flops)
        return _ratio(
            float(multiplier(forms[k], forms[0], point)),
            multiplier(drawn[k], drawn[0], where), level,
        )  # fmt: skip

    def reaches(which: int) -> float:
        where = loss if flops is None else compared.answer_draws[0].loss(flops)
        above = where - compared.answer_draws[which].floor
        return float(np.mean(above[np.isfinite(above)] > 0.0))

    answer = ratio(compared.of_answer, compared.answer_draws)
    reference, own = (float(compared.of_answer[i].flops(loss)) for i in (0, k))
    return Multiplier(
        system=compared.names[k], at=at, value=loss, reference_flops=reference, flops=own,
        answer=answer, shared=ratio(compared.shared, compared.shared_draws),
        free=ratio(compared.free, compared.free_draws),
        reference_reaches=reaches(0), system_reaches=reaches(k),
        decades_beyond_data=max(
            _beyond(compared, 0, reference), _beyond(compared, k, own)
        ),
        verdict=_verdict(answer, reaches(0), reaches(k)),
    )  # fmt: skip


def _ratio(value: float, draws: FloatArray, level: float) -> Ratio:
    with np.errstate(divide="ignore"):
        # Between resamples in logarithms: then the interval of a swapped pair is its inverse.
        found = central(np.log(draws), level)
    if math.isnan(value) or found is None:
        return Ratio(value=None, low=None, high=None)
    low, high = (math.exp(end) for end in found)
    return Ratio(value=value, low=low, high=high)


def _verdict(answer: Ratio, reference_reaches: float, system_reaches: float) -> Verdict:
    if answer.value is None:  # resamples may also fail for other reasons, and then say nothing
        return "not reached" if min(reference_reaches, system_reaches) < 1.0 else "not told apart"
    if answer.value == 0.0:
        return "not reached"
    if math.isinf(answer.value):
        return "reached by it alone"
    if answer.low is not None and answer.low > 1.0:
        return "better"
    return "worse" if answer.high is not None and answer.high < 1.0 else "not told apart"


def _beyond(compared: Compared, k: int, flops: float) -> float:
    """Return the decades that a compute lies outside a system's runs, 0 where it is not known."""
    if not 0.0 < flops < math.inf:
        return 0.0
    compute = compute_of(compared.fits.systems[k])
    return max(
        0.0, math.log10(flops / float(compute.max())), math.log10(float(compute.min()) / flops)
    )


def crossing_rows(compared: Compared, *, level: float) -> tuple[SystemCrossing, ...]:
    """Return where the free curves of each system and the reference meet.

    Args:
        compared: All fits.
        level: Level of the intervals.
    """
    rows = []
    for k in range(1, len(compared.free)):
        spans = [compute_of(compared.fits.systems[i]) for i in (0, k)]
        low = min(float(s.min()) for s in spans) / _LOOKED_BELOW
        high = max(float(s.max()) for s in spans) * _LOOKED_ABOVE
        both = max(float(s.min()) for s in spans), min(float(s.max()) for s in spans)
        found = crossings(
            compared.free[k], compared.free[0],
            (compared.free_draws[k], compared.free_draws[0]), low=low, high=high, level=level,
        )  # fmt: skip
        names = (compared.names[k], compared.names[0])
        for one in found:
            before = float(compared.free[k].loss(one.flops / 1.001))
            ahead = before < float(compared.free[0].loss(one.flops / 1.001))
            rows.append(
                SystemCrossing(
                    system=names[0], flops=one.flops, flops_low=one.low, flops_high=one.high,
                    value=one.loss,
                    decades_beyond_data=max(
                        0.0, math.log10(one.flops / both[1]), math.log10(both[0] / one.flops)
                    ),
                    better_below=names[0] if ahead else names[1],
                    better_above=names[1] if ahead else names[0],
                    supported=compared.answers == "free"
                    and not (one.low is None and one.high is None),
                )
            )  # fmt: skip
    return tuple(rows)
