"""Notes on training curves: what a run that is going on does."""

from __future__ import annotations

from scaleplan.records import Explanation

_OWN = "rules chosen on simulated curves, tests/benchmark/curve_verdicts.py"


def _entry(
    id_: str, says: str, rule: str, reason: str, action: str, source: str = _OWN
) -> Explanation:
    return Explanation(
        id=id_, stage="checking", says=says, rule=rule, reason=reason, action=action, source=source
    )


CHECKING = (
    _entry(
        "VAL_RISING",
        "Validation has turned: the run overfits.",
        "The trend (running median, then mean, over 4% of the points) ends above its lowest point "
        "by more than (4 + sqrt(2 ln n)) standard errors and 1% of the fall so far, or rises "
        "steadily (t >= 4 over 5 points or more), at least 3 evaluations after the best one, while "
        "the training metric does not rise; or rises over the whole run (t >= 4, its lowest point "
        "in the first tenth) while training falls (t <= -4). Where training has come below half of "
        "validation and falls on, 1 stands for the 4 in the first of these, and a level that 8 "
        "readings or more have kept since, 3.5 of their scatters above the lowest stretch, is "
        "enough. A first evaluation below all others by twice their range was the best one. "
        "Standard errors are those of a wander: sigma and the correlation rho of neighbouring "
        "readings are fitted to robust variances of second differences at growing distances, n "
        "counts independent readings, and t is divided by sqrt((1 + rho) / (1 - rho)). "
        "Training above validation (dropout) is no sign of anything.",
        "From there on the model learns its training set.",
        "Use the best checkpoint; stop earlier, regularise more, or add data.",
    ),
    _entry(
        "DIVERGED",
        "The values are lost, or have jumped up and stay there.",
        "Not finite to the end; or the training trend (without one: a sudden rise of the "
        "validation trend, while no training loss beside it falls on) ends above its lowest point "
        "by over 25% of its fall, beyond noise, and 1% of its value, and its last reading has not "
        "come back.",
        "Nothing that is trained from here is worth its price.",
        "Go back to a checkpoint before, lower the learning rate or clip gradients.",
    ),
    _entry(
        "LEVEL_SHIFT",
        "The values jumped to another level and fall on from there.",
        "As for divergence, but the rise is below 75% of the fall, most of it came within a tenth "
        "of the run, and from its highest point on the readings fall (t <= -2, independent ones "
        "counted).",
        "Another data mixture, context length, or weight of a loss term moves the level of a run "
        "that trains on; values before and after it are no common scale.",
        "Compare from there on only; if nothing was changed, go back to a checkpoint before.",
    ),
    _entry(
        "PLATEAU",
        "The last half has brought nothing.",
        "A straight line through the readings of the last half falls by less than 2.2 standard "
        "errors of its slope (what noise explains), or by less than 0.5% of the fall so far; and "
        "no fall that goes on over the whole run (t <= -4; straight, or as ln x) explains it as "
        "well as one that has ended by the middle. If it rises by more than 2.2, or "
        "ends above the best reading, and neither overfits nor has diverged, this is said.",
        "More of the same brings nothing more.",
        "Stop, lower the learning rate, or take a larger model.",
    ),
    _entry(
        "STILL_FALLING",
        "The run has stopped too early: it still improves.",
        "Twice the steps would bring over 6.5% of the fall so far (more where the first reading "
        "comes late: (1 + 14 x first / last position) times as much) and 2% of the value: the "
        "smaller of the forecast and 0.85 ln 2 times the slope in ln steps of the last third, "
        "whose t is below -2.5, and not more than its bound (0 for a loss) leaves. Where that "
        "slope brings over 30% of the fall so far the main fall is not over, which no forecast "
        "follows: the slope alone decides, and no gain is named. The forecast "
        "averages E + A (x + s)^-a and E + A exp(-x / t) over grids of s, a and t by their "
        "likelihood, after a main fall that comes late from its middle on; with a logged learning "
        "rate x is the area under it, and what it has come down by is a term of its own. Not for "
        "runs whose logged learning rate has come down, or is still coming down: those have not "
        "ended.",
        "The same model can be better for more steps.",
        "Train longer, or raise the learning rate.",
    ),
    _entry(
        "TOO_SHORT",
        "Too few points.",
        "Fewer than 4 finite readings.",
        "No trend can be seen.",
        "Log more points.",
    ),
    _entry(
        "SPIKES",
        "Single readings jumped and came back.",
        "A reading over 8 standard deviations from the running median.",
        "One bad batch, or the sign of a learning rate near its limit.",
        "Look at these steps.",
    ),
    _entry(
        "OTHER_SCALE",
        "The training loss is on another scale than that of validation.",
        "It ends more than 4 times above it.",
        "Dropout and augmentation leave it above validation, but by less: it is a sum over batches "
        "or examples, or has other terms. Its course still tells whether training goes on.",
        "Log both as means over the same unit; the gap is not shown.",
    ),
    _entry(
        "JUMPED_AT_END",
        "The last reading has jumped, and is not judged.",
        "It lies above the last third of those before it by more than 8 standard deviations of a "
        "reading, a quarter of their range, 1% of their level, and twice what they had risen; "
        "after 4 to 8 readings by more than twice their range and a quarter of their level.",
        "One reading does not tell a spike from the beginning of divergence.",
        "Look at the next readings: a spike comes back, a run that diverges does not.",
    ),
    _entry(
        "GAP_GROWS",
        "The gap to training grows, and validation does not rise yet.",
        "(validation - training) / validation > 10% and rising (t > 2.5) over the last quarter.",
        "A gap alone proves nothing; a growing one comes before a turn.",
        "Watch validation.",
    ),
    _entry(
        "OVERCONFIDENT",
        "Validation loss rises while accuracy or the error rate there does not get worse.",
        "Overfitting by the loss; mean accuracy of the last third since then not below the first.",
        "The model is as right as before and surer where it is wrong.",
        "Calibrate, or choose the checkpoint by accuracy.",
        "Guo et al. 2017, arXiv 1706.04599",
    ),
    _entry(
        "SKILL_STILL_GROWS",
        "Validation loss stands still while accuracy or the error rate there improves.",
        "A plateau by the loss; slope of accuracy, or of an error turned round, since it began "
        "above 2.5 standard errors.",
        "Loss and skill are not the same: fine-tuned speech models go on for long so.",
        "Judge by the other one with --metric NAME.",
    ),
    _entry(
        "RUNS_SPLIT",
        "One file holds several runs without a name.",
        "Steps fall back to within 5% of the first one.",
        "Joined they would look like one run that jumps.",
        "Name runs in a column.",
    ),
    _entry(
        "OUT_OF_ORDER",
        "Rows are not in the order of their steps.",
        "A step below the one before.",
        "They were sorted.",
        "Nothing.",
    ),
    _entry(
        "RESTARTED",
        "A run went back to earlier steps.",
        "Steps go back and rise again for 2 rows or more below where they had been.",
        "A resumed run repeats the steps since its checkpoint; what stood there before is of a "
        "course that was given up, also where its steps are other ones.",
        "Nothing.",
    ),
    _entry(
        "STEPS_REPEATED",
        "A run wrote some steps twice.",
        "Equal steps in one run that no restart explains: with other values on fewer than one step "
        "in five (more are refused as rows of several runs).",
        "A curve has one value at a step; the one that was written last is taken.",
        "Look at what writes the log.",
    ),
    _entry(
        "EVALUATED_AFTERWARDS",
        "The last step of a run was evaluated again after training.",
        "A log of training and validation ends with rows of one of them alone at the last step, "
        "where both had been written already, with another value; no other step stands twice.",
        "Programs evaluate the best checkpoint, or a test set, when training is over, which says "
        "nothing of the last step; in its place it would hide overfitting. What the step itself "
        "read is used.",
        "Nothing.",
    ),
    _entry(
        "NOT_JUDGED",
        "There is nothing to judge in a run or a file.",
        "No point of the metric, neither of validation nor of training; no column of a metric; or "
        "a table of finished runs, each of whose rows is the end of a curve.",
        "It would otherwise be missing from the table without a word.",
        "Name another metric, or leave the file out.",
    ),
    _entry(
        "METRICS_DIFFER",
        "Runs are judged by different metrics.",
        "Files, or runs in one file, that lack the metric of the others are judged by what they "
        "have: another validation metric, or the training metric.",
        "Each verdict holds for its run; the values are no common scale.",
        "Do not compare them with each other.",
    ),
    _entry(
        "HOLE",
        "A run has a hole.",
        "A distance over 10 times the median one.",
        "What happened there is not known.",
        "Check the log.",
    ),
    _entry(
        "NOT_FINITE",
        "A run has readings that are not finite.",
        "NaN or infinity among them.",
        "A burst that ends is a warning; one that lasts is divergence.",
        "Look at these steps.",
    ),
)
