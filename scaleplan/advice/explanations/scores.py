"""Notes on fits of scores, on laws that are no forecast, and on what sizes count."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="fitting", says=says, rule=rule, reason=reason, action=action, source=source
    )


SCORES = (
    _entry(
        "LINEAR_NO_FORECAST",
        "The straight line P = aS + b is left aside, though no test of the runs rejects it.",
        "It falls to 0 within 3 decades beyond the largest run, its error on larger runs is 1.5 "
        "times that of the best law or twice that of a power law, its AICc is 4 above the best "
        "law's, it leaves the range of the metric, or it follows the runs no better than a "
        "constant does.",
        "A line may follow few runs well, and says what no metric can be where it is asked.",
        "Nothing; --law linear shows it all the same.",
        "a decision of this program",
    ),
    _entry(
        "EMBEDDINGS_COUNTED",
        "The size that is fitted counts embeddings, which are much of the small models only.",
        "Embeddings > 10% of the smallest run, by a column of non-embedding parameters or by "
        "vocabulary times width, and less of the largest.",
        "Small models then look larger than what computes in them, which tilts the exponent of N.",
        "Fit both counts, and plan with sizes counted as in the fit.",
        "Pearce & Song 2024, arXiv 2406.12907; Kaplan et al. 2020, arXiv 2001.08361, section 3.2",
    ),
    _entry(
        "CHANCE_LEVEL",
        "Runs lie at chance.",
        "accuracy <= 1/K + 2 sqrt(p(1-p)/n) for K classes and n test examples.",
        "A model that guesses tells nothing about the slope.",
        "Fit larger runs only, or a law with a chance level (--law saturating).",
        "binomial standard error",
    ),
    _entry(
        "CEILING_REACHED",
        "Runs lie at the ceiling of the test.",
        "accuracy >= 1 - 2 sqrt(p(1-p)/n), with at least 3 / n of room.",
        "What is left cannot be seen with this test set.",
        "Use a harder or larger test set.",
        "binomial standard error; rule of three (Hanley & Lippman-Hand 1983)",
    ),
    _entry(
        "TEST_NOISE",
        "Noise of the test set dominates.",
        "sqrt(p(1-p)/n) of the median run is larger than the scatter around the law.",
        "Differences between runs are smaller than what another test set would give.",
        "Use more test examples.",
        "binomial standard error",
    ),
    _entry(
        "SCORE_LAW_OF_COMPUTE",
        "A score is fitted against compute alone.",
        "No law of parameters and tokens describes it, an S-curve of compute does.",
        "Benchmarks rise from chance to a limit, which sums of powers do not.",
        "Ask for the law of both sizes with --law, or forecast by compute.",
        "a decision of this program",
    ),
)
