"""Notes on numbers of a plan that are allowed and yet hardly meant."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str) -> Explanation:
    return Explanation(
        id=id_, stage="planning", says=says, rule=rule, reason=reason, action=action,
        source="a decision of this program",
    )  # fmt: skip


UNLIKELY = (
    _entry(
        "UNLIKELY_PRICE",
        "The given price is far above what the accelerator is rented for.",
        "price > 3 x the highest price of the catalogue for that part.",
        "A price of a node or of a day is read as one of an accelerator and an hour.",
        "Give US dollars an accelerator-hour.",
    ),
    _entry(
        "FAILURES_IN_TIMES",
        "Failures or checkpoints were given, and the times contain those of published runs.",
        "--mtbf, --checkpoint-seconds, --restart-minutes or --storage without --mfu; times are "
        "longer by goodput(usual) / goodput(given) where that is above 1. A warning above 1.25.",
        "Without --mfu the time is that of whole published runs, and the usual failures are in it; "
        "those that cost more are held against them, or a cluster that fails every few minutes "
        "would be planned like one that fails once a day. Those that cost less change nothing: the "
        "band of the times holds the clusters that failed least.",
        "Give --mfu of single steps, from which all failures and checkpoints are taken off.",
    ),
    _entry(
        "UNLIKELY_PUE",
        "The given PUE is above that of any data centre for clusters.",
        "PUE > 2.5.",
        "The 2025 Uptime survey has a mean of 1.54; a PUE of 50 is a percentage.",
        "Give the power of the site over that of its machines, such as 1.2.",
    ),
    _entry(
        "MOSTLY_IDLE",
        "Most accelerators have no work.",
        "Accelerators of the layout < half of those of the row.",
        "A step has too few sequences to be spread further, and idle accelerators are paid for.",
        "Plan with fewer, or a larger --batch.",
    ),
)
