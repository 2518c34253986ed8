"""Notes on fits: rejected forms, what the design of the runs leaves open, runs that decide."""

from __future__ import annotations

from scaleplan.records import Explanation

_OWN = "own simulation of 80 designs, 2026"


def _entry(
    id_: str, says: str, rule: str, reason: str, action: str, source: str = _OWN
) -> Explanation:
    return Explanation(
        id=id_, stage="fitting", says=says, rule=rule, reason=reason, action=action, source=source
    )


FITTING = (
    _entry(
        "LINEAR_REJECTED",
        "The straight line P = aS + b, or another law by its name, is rejected by the runs.",
        "Of the line: p < 0.005 in an F test of curvature or in a runs test of the residuals' "
        "signs, which 1% of true lines with constant noise meet. Of a law that is used, also an "
        "AICc or a back-test error far above another law's, or values that the metric cannot have.",
        "A line through a curve fits inside the data and is wrong outside, where the decision is.",
        "Use --law auto.",
        "F test of nested models and Wald-Wolfowitz runs test, 1% together; own simulation, 2026",
    ),
    _entry(
        "FEW_RUNS",
        "There are hardly more runs than parameters.",
        "runs - parameters < 3, or fewer than 8 runs for a law of two inputs.",
        "Residuals then say nothing about the noise, nor about the form.",
        "Train more runs; small ones are cheap.",
        "Choshen et al. 2024, arXiv 2410.11840: 5 models are the least that helps",
    ),
    _entry(
        "PARAMETERS_UNDETERMINED",
        "The runs leave parameters open.",
        "An interval over a factor of 1e6, or wider than four times a value with an end at zero.",
        "Other values fit as well: parameters trade against each other along a valley.",
        "Do not quote them; forecasts near the data can be good all the same.",
    ),
    _entry(
        "OBJECTIVE_MATTERS",
        "The optimal size depends on what is minimised.",
        "N* at one budget differs by over 25%, and by more than half of its own interval, between "
        "Huber at two thresholds, least squares of logs and least squares of the metric.",
        "A well determined answer does not depend on how outliers are weighed.",
        "Take the spread as part of the uncertainty.",
        "Besiroglu et al. 2024, arXiv 2404.10102; 240 public runs give 5 to 98 tokens a parameter",
    ),
    _entry(
        "AT_BOUND",
        "A parameter ended on an end of its range, or beyond it.",
        "Value equal to a bound, or an exponent of a sum of powers outside of what is published.",
        "The optimum lies beyond, or the runs do not hold the term; intervals assume neither.",
        "Check the column behind it; spread the runs further.",
    ),
    _entry(
        "NO_BACKTEST",
        "No forecast could be tested on these runs.",
        "Fewer runs below every cut of scale than a fit needs.",
        "Intervals far out then rest on the form of the law alone.",
        "Train more runs, spread over scale.",
    ),
    _entry(
        "WRONG_DIRECTION",
        "Larger runs are worse.",
        "The fitted law rises over the data where it should fall.",
        "A column is misread, or the runs overfit or diverge.",
        "Check columns and curves.",
        "a decision of this program",
    ),
    _entry(
        "SCORE_UNIT",
        "The metric is taken as a score whose limit, if it has one, is not known.",
        "Its name is neither a loss, an error nor an accuracy, nor that of a share (AUC, F1, "
        "recall ...) with values between 0 and 1.",
        "Laws of shares cannot be used for it; a limit is fitted (--law power_ceiling) instead.",
        "Give --columns accuracy=COLUMN if it is a share of 1.",
        "a decision of this program",
    ),
    _entry(
        "NARROW_RANGE",
        "An input varies over less than a decade.",
        "log10(largest / smallest) < 1.",
        "The range of each input identifies its exponent and the floor.",
        "Train smaller runs too.",
    ),
    _entry(
        "NARROW_RATIOS",
        "Tokens per parameter hardly vary.",
        "log10 of the range of D/N < 0.3.",
        "The split of compute is told by runs off the ray, not by longer rays.",
        "Train at other ratios.",
    ),
    _entry(
        "NEARLY_COLLINEAR",
        "Parameters and tokens move together.",
        "|correlation of ln N and ln D| > 0.97; beyond 0.995 the fit is refused.",
        "Their exponents trade against each other.",
        "Train at other ratios.",
    ),
    _entry(
        "STARTS_DISAGREE",
        "The best starts ended in different valleys.",
        "Best three starts differ by over 0.01% in the objective or 10% in N*.",
        "The surface has several minima; small changes of the data can switch between them.",
        "Compare forecasts under --delta 0.001 and 0.01, or use a law with fewer parameters.",
        "a decision of this program",
    ),
    _entry(
        "NOISE_FREE",
        "The runs follow the law to all digits.",
        "rms log residual < 1e-6.",
        "Seeds of real trainings differ by 0.1% or more; such values are computed.",
        "Nothing, if that was intended; intervals hold no noise.",
        "a decision of this program",
    ),
    _entry(
        "ALLOCATION_REFUSED",
        "The runs do not tell how to split compute.",
        "Condition number of the column-scaled Jacobian, or the largest relative standard error of "
        "an exponent, beyond what simulated designs could still use.",
        "N* would be a number without meaning.",
        "Train at other ratios; or forecast along the ray with --law power_floor --input flops.",
    ),
    _entry(
        "ALLOCATION_WEAK",
        "The split is known within a factor of about two.",
        "As ALLOCATION_REFUSED, at a lower threshold.",
        "Loss is flat around the optimum, so that forecasts suffer less than N* does.",
        "Add runs at other ratios before acting on N*.",
    ),
    _entry(
        "ALLOCATION_FAIR",
        "The split is known moderately well.",
        "As ALLOCATION_WEAK, at a lower threshold.",
        "N* has a wide interval.",
        "More ratios sharpen it.",
    ),
    _entry(
        "FLOOR_UNIDENTIFIED",
        "The irreducible loss cannot be told from zero, or from the lowest loss reached.",
        "The interval of E is wider than the loss that is left, or E sits at zero or at a bound "
        "given for it.",
        "How much scale can still bring depends on E and nothing else.",
        "Train runs that come closer to the floor.",
    ),
    _entry(
        "LAW_OF_TWO_INPUTS_REFUSED",
        "No law of parameters and tokens could be fitted.",
        "The design check refused it; a law of one input is given instead.",
        "It holds along the sampled runs only.",
        "Train what the note names: a third model size, a third number of tokens, or other ratios.",
    ),
    _entry(
        "RESIDUALS_NOT_RANDOM",
        "What a law of one input leaves over has a pattern along it.",
        "Runs test of the signs of residuals in order of the input, p below 0.001, or F test of a "
        "second and third power of ln x beside the law, p below 0.002.",
        "Residuals in long stretches of one sign mean a wrong form, which forecasts inherit. Where "
        "two lines in ln x that meet have slopes of opposite sign, both with p < 0.005, the note "
        "says that the metric turns, and where.",
        "Compare other laws, or find what else changes with the input; look at runs beyond a turn.",
    ),
    _entry(
        "INFLUENTIAL_RUN",
        "N* hangs on single runs.",
        "Without one run N* moves by a factor of over 1.25, and the others miss that run by more "
        "than chance (F test, 5% shared among all runs); each is left out in turn.",
        "A decision should not rest on one training.",
        "Check these runs; leave one out only for a reason outside the fit.",
        "Cook & Weisberg 1982; never dropped by the program (Choshen et al. 2024)",
    ),
    _entry(
        "INFLUENTIAL_TAIL",
        "N* hangs on one end of the ratios.",
        "Without the lowest or highest tokens per parameter N* moves by a factor of over 1.25, and "
        "the rest misses them by more than chance (F test at 5%).",
        "The ends identify the split and are where forms fail first.",
        "Train more runs like them.",
        "as INFLUENTIAL_RUN",
    ),
    _entry(
        "INFLUENTIAL_RUNS",
        "Which runs decide was not computed for all.",
        "Leaving out is estimated to first order where runs are very many.",
        "The largest of the estimates are refitted.",
        "Nothing.",
        "as INFLUENTIAL_RUN",
    ),
    _entry(
        "OUTLIERS",
        "Runs lie far from the fit.",
        "|residual| above 5 s, with s 1.4826 times the median of the n - p largest |residuals| of "
        "n runs and p parameters: it is the scatter of a run within 16%, where a plain MAD of "
        "residuals is 7 to 36% too small. A run pulls the fit to itself: one 6 s off is named half "
        "of the time among 20 runs, one 7 s off among 12.",
        "Huber's loss limits their pull, and nothing is dropped.",
        "Check them for divergence or another setting.",
        "Street, Carroll & Ruppert 1988, The American Statistician 42, 152; own simulation, 2026",
    ),
    _entry(
        "PURE_ERROR",
        "How far replicates scatter.",
        "Runs that share all inputs.",
        "It is the noise of a run, free of any law.",
        "Nothing.",
        "Draper & Smith 1998, sec. 2.1",
    ),
    _entry(
        "LACK_OF_FIT",
        "The law misses more than replicates scatter.",
        "F = MS(lack of fit) / MS(pure error), p < 0.01.",
        "The form is wrong, or a setting that is no input matters.",
        "Compare other laws; check what else differs.",
        "Draper & Smith 1998, section 2.1",
    ),
    _entry(
        "BIASED_RESAMPLES",
        "Resamples are shifted against the fit.",
        "The bootstrap interval does not hold the estimate.",
        "The runs barely determine the parameter.",
        "Compare with --interval profile.",
        "Efron & Tibshirani 1993, chapter 14",
    ),
    _entry(
        "ISOFLOP_EDGE",
        "A sweep's best run is at its edge.",
        "Smallest or largest size is the best of its budget.",
        "The minimum lies there or beyond; a parabola would invent it.",
        "Train beyond the edge.",
        "Hoffmann et al. 2022, arXiv 2203.15556, section 3.2",
    ),
    _entry(
        "ISOFLOP_MAXIMUM",
        "A sweep bends the wrong way.",
        "The parabola opens downwards.",
        "Some of its runs diverged or differ in a setting.",
        "Check these runs.",
        "Hoffmann et al. 2022, section 3.2",
    ),
    _entry(
        "ISOFLOP_FEW_SIZES",
        "A budget holds fewer than three sizes.",
        "Sizes < 3.",
        "Three points are needed for a minimum.",
        "Train more sizes.",
        "Hoffmann et al. 2022, section 3.2",
    ),
    _entry(
        "APPROACHES_DIFFER",
        "Minima of sweeps and the fitted law recommend different sizes.",
        "N* of Approach 2 and 3 differ by over 15% at the largest fitted or asked budget.",
        "A parabola is biased where the exponents differ, a law where its form is wrong.",
        "Take the spread as the uncertainty of N*.",
        "Hoffmann et al. 2022, section 3; Besiroglu et al. 2024",
    ),
    _entry(
        "INPUT_SATURATED",
        "One of two inputs no longer matters.",
        "From its smallest to its largest fitted value it moves the metric by less than two "
        "scatters of a run, while the other moves it by more.",
        "Recommenders show it: more parameters bring nothing, more data do.",
        "Spend on the other input.",
        "Ardalani et al. 2022, arXiv 2208.08489",
    ),
    _entry(
        "GROUP_REFUSED",
        "One group of --by could not be fitted.",
        "As its text says.",
        "Other groups are not affected.",
        "Train more runs of it.",
        "a decision of this program",
    ),
    _entry(
        "FORMS_APART",
        "Compared laws disagree at the target.",
        "Admissible laws differ by more than the chosen law's interval.",
        "The runs do not choose between them.",
        "Train a run between the data and the target.",
        "a decision of this program",
    ),
)
