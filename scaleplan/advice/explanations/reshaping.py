"""Notes on tables that were brought into the form of one row a run and step."""

from __future__ import annotations

from scaleplan.records import Explanation

_OWN = "a decision of this program"


def _entry(id_: str, says: str, rule: str, reason: str, action: str) -> Explanation:
    return Explanation(
        id=id_, stage="reading", says=says, rule=rule, reason=reason, action=action, source=_OWN
    )


RESHAPING = (
    _entry(
        "TIDY_TABLE",
        "A table has one metric a row; it was made one with a column for each metric.",
        "A column such as metric, tag, key or variable whose cells name metrics, and one such as "
        "value with their numbers. Rows that agree in every other column but times and spreads "
        "became one; a column of train and val went into the names.",
        "Databases of trackers, melts of pandas and R write tables so.",
        "Name the column with --metric if its cells are no names of metrics.",
    ),
    _entry(
        "TRANSPOSED_TABLE",
        "A table has one run, or one step, a column; each became a row.",
        "The cells of the first column name quantities, a metric among them, and no other column "
        "has such a name.",
        "Tables of papers and spreadsheets stand so, and pandas' df.T.",
        "Give the first column another name if its cells are names of runs.",
    ),
    _entry(
        "MLPERF_QUALITY",
        "What a log of MLPerf calls an accuracy falls as training goes on.",
        "A benchmark whose quality is a loss or an error rate; of one that is not known, values "
        "above 1, or a last one below the first.",
        "MLPerf logs the quality of every benchmark as eval_accuracy, that of language models too.",
        "Say --columns accuracy=COLUMN if it is an accuracy.",
    ),
    _entry(
        "SUMMARY_UNSURE",
        "A row is called an average or a total, and is read as a run.",
        "A cell that is all the name of such a statistic, while the numbers of its row are not "
        "that statistic of the rows above it; rows whose numbers are it are dropped.",
        "Only the numbers tell whether a row sums up others; it may sum up other ones.",
        "Leave the row out if it is no run.",
    ),
    _entry(
        "SPLITS_OF_ROWS",
        "A step has a row for training and one for validation; they became one row.",
        "A column such as phase or split holds only words for data, train among them, and no step "
        "or epoch has two rows of the same data.",
        "The validation of a run is no run of its own.",
        "Call that column run if its rows are runs of their own.",
    ),
    _entry(
        "NESTED_RUNS",
        "Runs of a JSON document stand below two names; each is called by both.",
        "Mappings in mappings in mappings that share a name at the bottom, while none above is "
        "that of a metric, a size or a setting. A second name that is a count (125M) is the size.",
        "People keep their results by model, and by size or data set below.",
        "Give each run its params in a field of its own if the second name is none.",
    ),
    _entry(
        "JUDGED_BY_REWARD",
        "The reward of episodes is the metric, not a loss beside it.",
        "A reward or return of episodes, and no loss that was measured on validation data.",
        "The losses of reinforcement learning chase targets that move; what an agent collects says "
        "how well it acts.",
        "Name a loss with --metric.",
    ),
    _entry(
        "VALIDATION_UNKNOWN",
        "A reading of held-out data has a name that says no known metric, and is not used.",
        "A column of numbers that vary, with val, valid, eval, dev, test or the like in its name, "
        "beside a metric that was not measured on held-out data.",
        "Whether a run overfits is seen on held-out data; training alone does not tell.",
        "Name it with --metric; --columns loss=, error=, accuracy= or score= says its kind.",
    ),
    _entry(
        "EPOCHS_AS_STEPS",
        "Evaluations that are numbered by epochs stand at the step that training has reached.",
        "Rows without an epoch, each with the epoch of the row before it as its step.",
        "MMEngine counts evaluations by epochs and batches by steps, in one column.",
        "Log the step of the training with each evaluation if that is wrong.",
    ),
    _entry(
        "VALUES_UNUSED",
        "A value was given for a column that nothing uses.",
        "--set or runs.yaml names no column of the log and no role, but nearly one.",
        "What was meant is not known to the fit, which may lack a size or count it wrongly.",
        "Write the name as the log or `scaleplan fit --help` has it.",
    ),
    _entry(
        "EVENTS_UNREAD",
        "A TensorBoard event file is damaged, and what stands behind the damage was not read.",
        "A record whose checksum or length is wrong, with whole records or many bytes behind it.",
        "TensorBoard's reader stops there: the later points of the run are missing.",
        "Copy the file again, or export the scalars as CSV.",
    ),
    _entry(
        "TOTALS_LEFT_OUT",
        "A row sums up a whole training; the mean loss in it is no point of the curve.",
        "train_runtime or train_samples_per_second, and train_loss, in a row without another loss, "
        "of a log whose other rows have a training loss.",
        "Hugging Face's Trainer ends a training so. The mean over a run lies above where the run "
        "ended, so that as its last reading it would look like a rise.",
        "Give such rows a file of their own if the mean of each run is what you plan by.",
    ),
    _entry(
        "COUNTS_OF_ALL",
        "Steps or epochs that are written as how many of how many are read as how many.",
        "Each text in a column that counts steps or epochs is 5/20, and none is above its total.",
        "As text they would name runs, a row each.",
        "Call the column otherwise if it counts no steps.",
    ),
)
