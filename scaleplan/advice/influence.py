"""Which runs the advice hangs on, and whether the law misses more than replicates scatter."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.records import Fit, Influence, Note
from scaleplan.units import format_count, format_flops, format_percent, format_significant

_NAMED = 5
_LACK_OF_FIT = 0.01


def moving_runs(fit: Fit) -> Iterator[Note]:
    """Warn about single runs, and ends of the ratios, without which N* is another one."""
    single = [one for one in fit.influences if one.runs == 1]
    tails = [one for one in fit.influences if one.runs > 1]
    for id_, found, who in (
        ("INFLUENTIAL_RUN", single, "single runs"), ("INFLUENTIAL_TAIL", tails, "parts of the runs")
    ):  # fmt: skip
        if not found:
            continue
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        first = found[0]
        chosen = ""
        if (
            fit.quality is not None
            and id_ == "INFLUENTIAL_RUN"
            and first.refitted < fit.quality.runs
        ):
            chosen = (
                f" {first.refitted} of {fit.quality.runs} runs, chosen by a first-order estimate, "
                "were left out in turn."
            )
        yield Note(
            id=id_, severity="warning",
            text=f"N* at {format_flops(first.at_flops)} FLOP hangs on {who}: "
            + "; ".join(_said(one) for one in found[:_NAMED]) + f"{more}. All are kept.{chosen}",
            action="Check them before acting on N*; leave runs out only for a reason that does "
            "not come from the fit, and train more runs like them.",
            numbers=(
                ("parts", float(len(found))), ("at_flops", first.at_flops),
                ("params", first.params),
                *((("params_without", first.params_without),)
                  if first.params_without is not None else ()),
            ),
        )  # fmt: skip


def _said(one: Influence) -> str:
    if one.params_without is None:
        return f"without {one.without} the rest does not tell it"
    change = one.params_without / one.params - 1.0
    sign = "+" if change > 0.0 else ""
    return (
        f"without {one.without} it goes from {format_count(one.params)} to "
        f"{format_count(one.params_without)} ({sign}{format_percent(change, 2)})"
    )


def lack_of_fit(fit: Fit) -> Iterator[Note]:
    """Say how far replicates scatter, and warn when the law misses by more than that."""
    found = fit.quality.pure_error if fit.quality is not None else None
    if found is None or fit.quality is None:
        return
    relative = found.relative
    scatter, noise = (
        format_percent(v, 3) if relative else format_significant(v)
        for v in (found.scatter, fit.quality.noise)
    )
    text = (
        f"{found.runs} runs in {found.groups} groups share all inputs and scatter by {scatter}; "
        f"runs scatter around the law by {noise}"
    )
    p = found.lack_of_fit_p
    numbers = (("scatter", found.scatter), ("groups", float(found.groups)))
    if p is None or p >= _LACK_OF_FIT:
        tail = "" if p is None else f" (lack of fit: p = {p:.2g})"
        yield Note(id="PURE_ERROR", severity="info", text=f"{text}{tail}.", numbers=numbers)
        return
    additive = fit.law == "chinchilla"
    other = "the coupled law (--law coupled)" if additive else "other laws (scaleplan compare)"
    yield Note(
        id="LACK_OF_FIT", severity="warning",
        text=f"{text}: more than replicates explain ({'p < 1e-6' if p < 1e-6 else f'p = {p:.2g}'})."
        " The form of the law, or a setting that is not among its inputs, is at fault.",
        action=f"Compare with {other}, and check what else differs between runs.",
        numbers=(*numbers, ("p", p)),
        source="F test of lack of fit, Draper & Smith 1998, section 2.1",
    )  # fmt: skip


INFLUENCE_RULES = (moving_runs, lack_of_fit)
