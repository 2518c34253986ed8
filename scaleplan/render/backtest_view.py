"""What is shown of a back-test over scale: how far off forecasts were, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaleplan.planning.forecast import one_side
from scaleplan.render.view import Block, Column, Facts, Table, pairs_of
from scaleplan.units import format_percent, format_significant

if TYPE_CHECKING:
    from scaleplan.records import Fit


def backtest_blocks(fit: Fit) -> tuple[Block, ...]:
    """Return what `scaleplan fit` shows of its back-test."""
    return (_backtest(fit), _distances(fit)) if fit.widening.bins else (_backtest(fit),)


def _backtest(fit: Fit) -> Facts:
    widening = fit.widening
    growth = widening.share * widening.change
    size = f"{format_significant(growth, 2)} {fit.metric.unit}".strip()
    if fit.main.residual == "log":
        size = format_percent(growth, 2)
    if widening.errors == 0:
        tested = "not possible with these runs; intervals beyond the data rest on a default"
        assumed = f"{size} at one decade, assumed{one_side(fit)}"
        pairs = (("forecasts", tested), ("error of the form", assumed))
        return Facts(title="Back-test over scale", pairs=pairs)
    return Facts(
        title="Back-test over scale",
        pairs=pairs_of(
            (
                ("forecasts", f"{widening.errors} of larger runs from smaller ones"),
                ("farthest", f"{format_significant(widening.decades_tested, 2)} decades"),
                ("median error", format_percent(widening.median_error) + _of_what(fit)),
                (
                    "error of the form",
                    f"{size} at one decade, growing with the root of the distance: "
                    f"{format_percent(widening.share, 2)} of the metric's change in a decade"
                    f"{one_side(fit)}",
                ),
                ("weights of the laws", _weights(fit)),
            )
        ),
    )


def _of_what(fit: Fit) -> str:
    """Say what errors are relative to where that is not the metric."""
    return f" of 1 - {fit.metric.name}" if fit.complement else ""


def _weights(fit: Fit) -> str:
    """Say how much each law counts in the intervals; nothing where there is one law only."""
    laws = [fit.law, *(other.law for other in fit.alternatives)]
    if len(laws) == 1:
        return ""
    return ", ".join(
        f"{law} {format_percent(weight, 2)}"
        for law, weight in zip(laws, fit.widening.weights, strict=True)
    )


def _distances(fit: Fit) -> Table:
    """Show how the errors of the back-test grow with the distance beyond its runs."""
    return Table(
        title="Back-test by distance",
        columns=(
            Column(name="decades beyond the runs", kind="text"),
            Column(name="forecasts"),
            Column(name="median error"),
            Column(name="inside 90%"),
        ),
        rows=tuple(
            (
                " to ".join(format_significant(d, 2) for d in (b.decades_low, b.decades_high)),
                str(b.forecasts),
                format_percent(b.median_error),
                format_percent(b.inside, 2),
            )
            for b in fit.widening.bins
        ),
        footer="runs above a cut, forecast from those below it; inside: share that their widened "
        "90% interval holds" + (f"; errors are relative,{_of_what(fit)}" if fit.complement else ""),
    )
