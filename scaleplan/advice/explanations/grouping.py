"""Notes on runs: which rows of logs are one run, and which of them stands for it."""

from __future__ import annotations

from scaleplan.records import Explanation

_OWN = "a decision of this program"


def _entry(
    id_: str, says: str, rule: str, reason: str, action: str, source: str = _OWN
) -> Explanation:
    return Explanation(
        id=id_, stage="reading", says=says, rule=rule, reason=reason, action=action, source=source
    )


GROUPING = (
    _entry(
        "INPUT_HELD",
        "All runs share one size, and a law of the other is fitted.",
        "A column of params or tokens without a second value.",
        "What never varied leaves no trace.",
        "Train runs of several sizes first.",
    ),
    _entry(
        "ROLES_LEFT_OUT",
        "Runs differ in something that laws know and the fitted one does not take.",
        "Active parameters, experts, granularity or bits that vary.",
        "Their effect counts as scatter.",
        "Name a law that takes them, or fit such runs apart.",
    ),
    _entry(
        "ENDED_NOT_FINITE",
        "A run's metric ended as NaN or infinity.",
        "The last values of a curve are not finite; the best point before them is used.",
        "A run that diverged late may still be usable; one that diverged early is not.",
        "Leave it out if it diverged early.",
    ),
    _entry(
        "CURVES_REDUCED",
        "Logs of every step or epoch were reduced to one point a run.",
        "The last point of each run, or its best validation point where the metric rises again.",
        "Points of one run share its noise and its learning-rate schedule; before the end the rate "
        "has not decayed, so that the loss lies above what a run of that length would reach.",
        "--all-points keeps them, and then resamples whole runs.",
        "Hoffmann et al. 2022, arXiv 2203.15556, section 3.1; Choshen et al. 2024, arXiv "
        "2410.11840",
    ),
    _entry(
        "RUN_NAME_SHARED",
        "Several runs stand under one name.",
        "Rows of one name differ in parameters, experts, bits or the shape of the model; differ in "
        "tokens while every run stands at one step; are those of a tracker's table of runs; or "
        "stand in several files that have no steps, so that each row is a run.",
        "Joined as one curve, runs of other sizes would be lost, all but the best of them. Names "
        "that people give are seldom unique, and a column `model` may hold an architecture.",
        "Give runs names of their own.",
    ),
    _entry(
        "IMPOSSIBLE_POINTS",
        "Points of training curves with an impossible metric were passed over.",
        "A loss at or below 0, or a share outside 0 to 1, beside points that are possible.",
        "Trackers write 0 where nothing was measured yet; as the lowest loss it would stand for "
        "the whole run.",
        "Nothing, or leave those rows out of the log.",
    ),
    _entry(
        "CURVES_MERGED",
        "Rows that hold other columns only were joined to the next point.",
        "Rows of one run without the metric fill gaps of the rows that follow.",
        "Trackers write training and validation metrics on rows of their own.",
        "Check the columns that are shown if a join looks wrong.",
    ),
    _entry(
        "RUN_IN_SEVERAL_FILES",
        "Runs of one name stand in several files.",
        "Equal names in the run columns of different files.",
        "Resumed runs write a second file; two different runs must not be joined.",
        "Rename the runs if they are different ones.",
    ),
    _entry(
        "GROUP_WITHOUT_VALUE",
        "Runs without a value in the column of groups are a group of their own.",
        "An empty cell in the column of --by.",
        "They may belong to one of the other groups, or to none.",
        "Write the value into the log, or leave these runs out.",
    ),
    _entry(
        "HISTORY",
        "The rows of a file hold metrics only: they are epochs of one run.",
        "Every column is a metric or a learning rate, one of validation beside one of training or "
        "a size that stands once beside them, and nothing names runs, steps or sizes row by row.",
        "Keras keeps the history of a training so.",
        "Give the size of the model (--set params=...), or add a column of sizes if rows are runs.",
    ),
    _entry(
        "LISTS_AS_CURVES",
        "Cells that hold a list of numbers are read as the curve of the run of their row.",
        "Cells such as [3.1, 2.8, 2.6] in the column of the metric: for check always, for fit and "
        "runs if it is named or no plain number gives it. Lists of the same lengths go with it.",
        "Scripts save one record a run with the history of its losses in it.",
        "Log the step of each value if they are no epochs.",
    ),
    _entry(
        "METRIC_NOT_NUMBERS",
        "Cells of the metric hold words, and are no points of a curve.",
        "Text that is no number and does not say nan, inf or that the run diverged.",
        "A word does not say that a run was lost.",
        "Name another metric with --metric, or correct the cells.",
    ),
    _entry(
        "STEP_NOT_NUMBER",
        "Cells of what counts the points of runs hold words: their rows are no points of a curve.",
        "Text that is no number where a step, an epoch or a number of tokens should be: ~10B.",
        "An empty cell is of the step of the row above it; another word says that it is not.",
        "Write it as a number, or leave the cell empty if the row is of the step above it.",
    ),
    _entry(
        "METRIC_NOT_IN_FILE",
        "A file has no column of the metric that the other files are read by.",
        "None of the metric's columns is in the file, nor is one of its runs in a file with it.",
        "Another metric, or another split of one, cannot stand for it without being told so.",
        "Name a metric that all files have with --metric, or rename the column.",
    ),
    _entry(
        "DATA_SEEN_UNKNOWN",
        "A log gives the size of the data set and not what was trained on.",
        "A column of different tokens, and none of tokens, FLOP or epochs.",
        "Runs that saw their data several times cost more than 6 x params x tokens, and more data "
        "is not the same as more training.",
        "Log the tokens that were trained on, or the epochs.",
        "Kaplan et al. 2020, arXiv 2001.08361, section 4",
    ),
    _entry(
        "SETTING_MATTERS",
        "Runs with the same inputs differ by a number that the law does not take.",
        "F test of a level for each value among runs that share the law's inputs, p below 0.01 "
        "shared among such columns, for numbers that explain a quarter of their scatter or more. "
        "Readings, times, costs and indices are left out, and so is what takes more values than a "
        "third of the runs.",
        "The law lies between such runs and holds for none; their difference counts as a run's "
        "scatter.",
        "Fit each apart with --by COLUMN, or with a law that takes it.",
        "Frisch & Waugh 1933, Econometrica 1, 387: levels beside the law's own freedom",
    ),
    _entry(
        "GROUPS_DIFFER",
        "Runs differ by a label that the law does not take, at one size or in what size does.",
        "F tests of a level, and of a slope in the log of each input, for each value of a column "
        "of text beside the law, p below 0.005 shared among both and such columns, and differences "
        "of more than half a run's scatter, for slopes over the fitted range. Columns with a name "
        "for nearly every run, or whose values are sizes, are left out.",
        "One law through two kinds of runs lies between them and holds for neither; its scatter "
        "is their difference.",
        "Fit each apart with --by COLUMN, or compare them with scaleplan compare --by.",
        "Frisch & Waugh 1933, Econometrica 1, 387: levels beside the law's own freedom",
    ),
    _entry(
        "STEPS_OF_EPOCHS",
        "A log counts steps within each epoch.",
        "Whole epochs that rise by one, and steps that fall there, near the same start each time, "
        "and rise everywhere else.",
        "Taken alone such steps make a run of every epoch. The steps of an epoch follow from the "
        "last logged step, the next first one and the usual distance.",
        "Add a column named run if every epoch is a run of its own.",
    ),
    _entry(
        "INPUT_GUESSED",
        "The only other number of a log is taken as the size of a run, or a column called size or "
        "scale beside tokens or FLOP as the parameters.",
        "One column left that varies and is not known as a score, a setting, an index, a time or "
        "a resource; none has the name of a size. Of size: all values 10,000 or more and not all "
        "powers of two, or written with a suffix as 70M.",
        "Whoever logs one number beside a metric mostly means it as its cause.",
        "Name the size with --input or --columns.",
    ),
    _entry(
        "TOKENS_OF_SETS",
        "A document gives tokens twice: beside the parameters, and beside each metric.",
        "Settings that hold params and one number of tokens a file; rows without steps or epochs "
        "whose own tokens do not rise to half of it.",
        "An evaluation counts the tokens of its set of text; a law needs those of the training.",
        "Name the column with --columns tokens=COLUMN.",
    ),
    _entry(
        "SPLITS_OF_FILES",
        "Files are read as the training and the validation of one run.",
        "Files of one folder with the same columns and steps in common, whose names differ only in "
        "one word for the data: learn, train, test, val, eval, dev; or whose folders' names do.",
        "CatBoost writes learn_error.tsv and test_error.tsv; overfitting shows in both together.",
        "Read each alone, or add a column named run, if they are runs of their own.",
    ),
    _entry(
        "POINTS_OF_FILES",
        "Files with one row each are read as the points of one run.",
        "Files of one folder whose names differ in a number alone, and whose steps or epochs "
        "differ by as much.",
        "AllenNLP writes metrics_epoch_0.json, metrics_epoch_1.json and so on.",
        "Read each alone, or add a column named run, if they are runs of their own.",
    ),
    _entry(
        "LOSS_IN_PARTS",
        "A detector is judged by its average precision.",
        "Several losses of validation that are parts of one, no total, and one column of the "
        "precision averaged over overlaps of 0.5 to 0.95.",
        "No part of a loss says how good a model is; detectors are compared by that precision.",
        "Choose another metric with --metric.",
        "Lin et al. 2014, arXiv 1405.0312: the metric of COCO",
    ),
    _entry(
        "NAMES_ROUNDED",
        "Names of runs are numbers whose digits a spreadsheet left out.",
        "A name such as 2.80497E+06, with fewer decimals than its exponent.",
        "Names that began with the same digits are one name now, and their runs one run.",
        "Export the log again, or set the column to text before a spreadsheet opens it.",
    ),
    _entry(
        "SHARE_ABOVE_ONE",
        "A score that is a share by its name has values above 1.",
        "An AUC, F1, mAP, BLEU or the like whose largest value lies between 1 and 100.",
        "People write such scores in percent and out of 1; laws of shares end at the limit.",
        "Write them with % or name the column auc (%) to have the limit of 100 used.",
    ),
    _entry(
        "HEADING_AGAIN",
        "A table has its heading again in the middle, with the columns in another order.",
        "A row whose cells are the names of the columns, none in its old place.",
        "Read by the first heading, a loss would be taken for a size.",
        "Give each table a file of its own if they are not of one kind.",
    ),
    _entry(
        "COPIED_FILES",
        "Files hold the same bytes; what they say is counted once.",
        "Two rows or more, no byte that differs, and no settings beside them, or parts of their "
        "names, that do.",
        "A log that was copied is no second run, and would count twice in a fit.",
        "Say in a column that it is another run, if it came to the same numbers.",
    ),
    _entry(
        "ROWS_DROPPED",
        "Some rows of a log were left out.",
        "Rows of another length than the heading, lines that are not valid JSON, rows that sum up "
        "others.",
        "A curve without them may look smoother, or end earlier, than the run did.",
        "Correct what is wrong; scaleplan runs lists each with its reason.",
    ),
    _entry(
        "ENDS_OF_EPOCHS",
        "A step of -1 marks what was measured at the end of an epoch.",
        "Steps of which some are -1, none else is below 0, beside epochs.",
        "As a number it would stand before the first step.",
        "Write the number of steps if it is another one.",
        "sentence-transformers' evaluators write it so",
    ),
    _entry(
        "POINTS_OF_RUNS",
        "Every point of the runs' curves is fitted.",
        "--all-points, with runs that have several points each.",
        "Points of one run share what made it better or worse than others. Resamples draw whole "
        "runs; covariances are those of independent points times points over runs, and degrees of "
        "freedom count runs.",
        "Leave out --all-points to fit where each run ended.",
        "Kish 1965, Survey Sampling, design effect at full correlation; Cameron & Miller 2015",
    ),
    _entry(
        "POINTS_NOT_SETTLED",
        "Points of warm-up, and after a run has overfitted, are not fitted.",
        "--all-points: points before a tenth of their run, of runs of 10 points or more; and those "
        "after the lowest mean of three, if the last three lie 5% above it (of a score: 5% of its "
        "range below the highest).",
        "The first fall follows no law of size, and a run that overfits tells of its data set.",
        "Leave out --all-points to fit the best or last point of each run.",
        "Choshen et al. 2024, arXiv 2410.11840; the 5% are a convention",
    ),
    _entry(
        "POINTS_OF_ONE_RUN",
        "Every point that is fitted is of one run.",
        "--all-points, and no column or file tells several runs apart.",
        "How runs differ from one another cannot be seen in one.",
        "Fit several runs, with a column run.",
        "Cameron & Miller 2015, A practitioner's guide to cluster-robust inference",
    ),
)
