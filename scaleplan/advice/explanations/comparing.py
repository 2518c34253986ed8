"""Notes on systems side by side: whether one number says it all, and how far it holds."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="comparing", says=says, rule=rule, reason=reason, action=action,
        source=source,
    )  # fmt: skip


COMPARING = (
    _entry(
        "SHARED_FORM_HOLDS",
        "One compute multiplier describes the difference between the systems.",
        "p >= 0.05 in an F test of common exponents and floor against each system's own, on "
        "residuals in units of their system's scatter, clipped at 5. The answer's value is the "
        "shared form's; its interval mixes the resamples of both forms by their Akaike weights.",
        "A form that is not rejected may still be wrong: on simulated pairs, intervals of the form "
        "chosen by the test alone covered 88 to 90% where 90% was asked, mixed ones 90 to 92%.",
        "Quote the multiplier; look at the free fits too.",
        "F test of nested fits; Burnham & Anderson 2002; own simulation, 2026",
    ),
    _entry(
        "SHARED_FORM_REJECTED",
        "The systems' curves differ in shape, so that no one multiplier holds.",
        "p < 0.05 in an F test of common exponents and floor against each system's own.",
        "The multiplier changes with the loss, and may pass 1: small runs then choose wrongly.",
        "Compare at the loss or compute of the run that is planned.",
        "F test of nested fits",
    ),
    _entry(
        "SYSTEMS_ALONG_COMPUTE",
        "Losses are compared along compute, not at the best split of it; without compute along "
        "tokens or parameters alone.",
        "Some system has no parameters and tokens, or the correlation of their logarithms is above "
        "0.95.",
        "Runs on one ray say nothing about other splits; along it the law is one power of compute.",
        "Train runs at other ratios of tokens to parameters.",
        "design of the runs",
    ),
    _entry(
        "SYSTEMS_NOT_COMPARABLE",
        "The systems differ in what their losses mean.",
        "Different metric, unit, tokenizer, data set, task or split in the logs; or FLOP for a "
        "parameter and token more than 10% apart.",
        "A loss on other text or in other tokens is another number.",
        "Evaluate all systems alike.",
        "conventions of the logs, as for MIXED",
    ),
    _entry(
        "SYSTEMS_DO_NOT_OVERLAP",
        "No loss was reached by both systems.",
        "The best run of one is worse than the worst run of the other.",
        "The multiplier then rests on one law's extrapolation.",
        "Train runs over a common range of losses.",
        "ranges of the runs",
    ),
    _entry(
        "SYSTEMS_OF_OTHER_RATIOS",
        "Systems on rays have different tokens per parameter.",
        "Medians more than a factor of 1.5 apart, where the law is along compute.",
        "Part of the difference is the split's.",
        "Train them at one ratio, or at several.",
        "design of the runs",
    ),
    _entry(
        "FLOORS_DIFFER",
        "The systems converge to different losses.",
        "The shared form is rejected, and the interval of the difference of floors leaves out 0.",
        "Towards the higher floor the multiplier grows without bound; below it there is none.",
        "Quote the multiplier together with its loss.",
        "C(L) = C0 (R / (L - E))^(1/gamma)",
    ),
    _entry(
        "LOSS_NOT_REACHED",
        "A loss that was asked for is below a floor.",
        "The loss is at or below E in the fit, or in more than 1% of the resamples.",
        "No compute reaches it, so that a ratio of computes means nothing.",
        "Ask for a higher loss.",
        "C(L) = C0 (R / (L - E))^(1/gamma)",
    ),
    _entry(
        "MULTIPLIER_EXTRAPOLATED",
        "A multiplier is given beyond the runs.",
        "The compute of either system is more than 0.5 decades outside its runs; warning above "
        "1.5.",
        "Its interval knows the parameters' uncertainty only.",
        "Train a run nearer to there.",
        "as for forecasts",
    ),
    _entry(
        "CURVES_CROSS",
        "Which system is better depends on the compute.",
        "The free curves cross, and the shared form is rejected. The interval is where that of the "
        "difference of both curves holds 0; a warning inside the compute of both systems' runs.",
        "What wins among small runs loses among large ones.",
        "Choose by the compute of the planned run.",
        "inversion of a test, after Fieller 1954",
    ),
)
