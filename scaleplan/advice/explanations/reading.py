"""Notes on logs: what was read, guessed, joined, converted or left out."""

from __future__ import annotations

from scaleplan.records import Explanation

_OWN = "a decision of this program"


def _entry(
    id_: str, says: str, rule: str, reason: str, action: str, source: str = _OWN
) -> Explanation:
    return Explanation(
        id=id_, stage="reading", says=says, rule=rule, reason=reason, action=action, source=source
    )


READING = (
    _entry(
        "VALUES_REPLACED",
        "Values that were given replace some of the log.",
        "--set or runs.yaml names a column that holds other values already.",
        "A law is fitted to what was given, whatever was trained.",
        "Give values only for what the log does not say.",
    ),
    _entry(
        "MIXED",
        "Runs differ in something that makes their losses not comparable.",
        "A column of tokenizer, dataset, optimizer, schedule, task or unit holds more than one "
        "value.",
        "The irreducible loss E depends on data and tokenizer, A and B on the recipe. One law over "
        "several of them bends its exponents to explain the differences.",
        "Fit each apart with --by COLUMN, or compare them with --by optimizer "
        "--law optimizer_factors.",
        "Porian et al. 2024, arXiv 2406.19146: recipe and counting explain the gap between "
        "published laws",
    ),
    _entry(
        "LOSS_UNIT",
        "The unit of a loss was recognised, or is doubtful.",
        "nats = bits x ln 2; bits per byte = nats per token / (ln 2 x bytes per token). Typical "
        "ranges: 1.5 to 11 nats per token, 0.5 to 8 bits per byte, perplexity above 4.",
        "An offset or a factor between units changes E and with it every forecast far out.",
        "Name the unit in the column, as loss (nats/token) or bits_per_byte.",
    ),
    _entry(
        "LOSS_UNITS_MIXED",
        "Losses of different units stand in one column.",
        "Runs declare different units, or fall into two groups of ranges that one unit does not "
        "explain.",
        "Differences of unit look like differences of scale.",
        "Convert them, or fit each apart with --by unit.",
    ),
    _entry(
        "POSSIBLY_DIVERGED",
        "A run ended far above runs of its size.",
        "The last loss is far above the same run's best, or above what smaller runs reach.",
        "One diverged run moves exponents, and a robust loss only limits that.",
        "Look at its curve with `scaleplan check`; leave it out for a reason that is in the curve.",
    ),
    _entry(
        "REPLICATES",
        "Several runs share all inputs.",
        "Equal params and tokens (and further inputs) in more than one run.",
        "They tell the scatter of a run apart from what the law misses.",
        "Keep them; use --best-of if they are a sweep of learning rates.",
        "Draper & Smith 1998, section 2.1",
    ),
    _entry(
        "BEST_OF",
        "Of runs that share their sizes only the best was kept.",
        "--best-of: lowest loss (highest accuracy) of each group of equal inputs.",
        "A law describes well-tuned runs; a sweep holds badly tuned ones on purpose.",
        "Check that the best is not on the edge of the sweep.",
    ),
    _entry(
        "BEST_OF_NOTHING",
        "--best-of found no runs that share their sizes.",
        "Every group of equal inputs has one run.",
        "Nothing was left out.",
        "Leave the option out, or name the columns with --best-of-each.",
    ),
    _entry(
        "BEST_OF_PROPOSED",
        "The runs look like a sweep of settings at equal sizes.",
        "Groups of equal inputs differ in learning rate, batch size or the like, and scatter by "
        "more than replicates do.",
        "Badly tuned runs raise E and hide the law.",
        "Use --best-of.",
    ),
    _entry(
        "REPEATED_DATA",
        "Training tokens exceed unique tokens in some runs.",
        "tokens / unique_tokens > 1.",
        "Up to about 4 epochs a repeated token is worth nearly a fresh one, at 16 little, at 40 "
        "nothing; laws of params and tokens take all tokens for fresh.",
        "Fit the data_constrained law, which has unique tokens among its inputs.",
        "Muennighoff et al. 2023, arXiv 2305.16264",
    ),
    _entry(
        "FLOPS_CONVENTION",
        "Logged FLOPs are not 6 x params x tokens.",
        "median of flops / (params x tokens) more than a tenth from 6, or uneven over runs.",
        "Embeddings, attention, recomputation and backward passes are counted differently; the "
        "optimal size for a budget depends on what the budget counts.",
        "Use the same count for plans as for logs.",
        "Kaplan et al. 2020, arXiv 2001.08361, table 1; Hoffmann et al. 2022, appendix F",
    ),
    _entry(
        "ACTIVE_MORE_THAN_ALL",
        "A token uses more parameters than the model has.",
        "active parameters / params > 1.001 in some rows.",
        "One of the two leaves out embeddings or experts: a law of params holds for that count "
        "alone, and compute follows the other one.",
        "Count both alike, or fit the count that compute follows.",
    ),
    _entry(
        "FLOPS_NOT_DERIVED",
        "Compute was not derived, since samples are not tokens.",
        "The data column counts images, examples or interactions.",
        "6 x params x tokens holds for dense transformers and tokens only.",
        "Log the FLOPs of each run for laws of compute.",
    ),
    _entry(
        "PARAMS_CONVENTION",
        "Parameters are counted without embeddings.",
        "The log has no column of all parameters.",
        "With and without embeddings exponents differ, most below 100M parameters.",
        "Count planned models in the same way.",
        "Porian et al. 2024, arXiv 2406.19146; Pearce & Song 2024, arXiv 2406.12907",
    ),
    _entry(
        "COLUMNS_JOINED",
        "Files name one role differently, and were read as one column.",
        "Columns of different names play the same role in different files.",
        "They may count different things.",
        "Name the column with --columns, or fit files apart.",
    ),
    _entry(
        "SPARSE_COLUMN",
        "The column whose name fits a role best is hardly filled; another one is read.",
        "Another column of the role has a value in more than twice as many rows with a metric.",
        "A table may head groups of rows with a nominal size (12M) and give the exact one in each.",
        "Name the other column with --columns if it is the one.",
    ),
    _entry(
        "UNUSED_COLUMNS",
        "Numeric columns vary and play no part in the fit.",
        "Columns without a known role and with more than one value.",
        "One of them may be the size that the metric depends on.",
        "Name it with --columns ROLE=COLUMN or --input COLUMN.",
    ),
    _entry(
        "NO_SIZE",
        "No column for the size of a run was found.",
        "No name of params, tokens or flops was recognised.",
        "A law needs an input.",
        "Name one with --columns or --input.",
    ),
    _entry(
        "METADATA_DIFFER",
        "Files state different values of the same setting.",
        "A key outside the rows has several values.",
        "What holds for one file may not for all.",
        "Check that the files belong together.",
    ),
    _entry(
        "DUPLICATE_COLUMN",
        "A table has two columns of one name.",
        "Equal headings.",
        "Which of them is meant cannot be known.",
        "Rename one.",
    ),
    _entry(
        "DUPLICATE_KEY",
        "A JSON object gives a key twice.",
        "Equal keys in one object.",
        "The last one is used, as in most readers.",
        "Correct the file.",
    ),
    _entry(
        "ENCODING",
        "A file is not UTF-8.",
        "Bytes that UTF-8 does not allow.",
        "Names may be misread; numbers are not.",
        "Save it as UTF-8.",
    ),
    _entry(
        "SKIPPED_FILE",
        "A file of a folder is no log.",
        "It could not be read as one.",
        "Folders hold other files too.",
        "Name it alone to see what is wrong.",
    ),
    _entry(
        "TASKS_DIFFER",
        "Some tasks of an evaluation have an accuracy and others a loss.",
        "lm-evaluation-harness measures each task in its own way.",
        "A law is one of one metric; rows without it are dropped.",
        "Choose one with --metric, and a task with --by task.",
    ),
    _entry(
        "TENSORBOARD",
        "A CSV of TensorBoard holds one metric.",
        "Columns Wall time, Step, Value.",
        "The run and metric come from the file's name.",
        "Give other metrics of the run as files beside it.",
    ),
    _entry(
        "WANDB_CHART",
        "A CSV of a Weights & Biases chart holds one metric of several runs.",
        "Columns RUN - METRIC with __MIN and __MAX.",
        "Runs come from the headings.",
        "Add sizes of the runs, which charts do not export.",
    ),
    _entry(
        "INPUT_UNIT",
        "The unit of an input was taken from its name.",
        "A unit in the heading.",
        "Values are multiplied by it.",
        "Check the fitted range that is shown.",
    ),
    _entry(
        "ERROR_ABOVE_ONE",
        "An error above 1 is taken as one without an upper bound.",
        "The median of an error, whose name does not make it a rate, is above 1.",
        "An RMSE has no bound; laws of shares need values from 0 to 1.",
        "Write it with % or name the column error (%) if it is a percentage.",
    ),
    _entry(
        "UNIT_UNKNOWN",
        "A unit in the heading of a size is not understood.",
        "A column of params, tokens or compute whose brackets hold no known unit.",
        "Sizes a million times too small fit as smoothly as right ones.",
        "Write K, M, B, T, 1e6 or PFLOP-days in the heading, or scale the column.",
    ),
    _entry(
        "SMALL_COUNTS",
        "The largest size of a sweep is too small for what it counts.",
        "No params of 10,000, tokens of 100,000 or FLOP of 1e9 or more.",
        "Such a column was probably written in thousands, millions or billions.",
        "Name the unit in the heading: Params (M).",
    ),
    _entry(
        "METRIC_DIRECTION",
        "Whether a metric is better low or high is read off its values, or a word in its name.",
        "Words such as cost, regret, latency, distance or penalty mean lower; else rank "
        "correlation with what grows in training: 0.3 or more in size decides.",
        "A forecast and every verdict depend on the direction; a divergence that rests on it is a "
        "warning, no error.",
        "Say it with --columns loss=NAME or --columns score=NAME.",
    ),
    _entry(
        "METRIC_MIXED",
        "Some values of a percentage look like shares.",
        "Values of at most 1 while all others are ten times as large and more.",
        "A share among percentages is divided by 100 once too often.",
        "Write all values in one unit.",
    ),
    _entry(
        "LINES_PASSED_OVER",
        "Lines of a printed log, or around a table, were passed over.",
        "No known name with a number in them, or no row of a table.",
        "A log says more than metrics.",
        "Describe the lines that count with --pattern.",
    ),
    _entry(
        "TABLE_PASSED_OVER",
        "Of several tables in one text, some were read.",
        "The first with a metric and a size or a step, and those with the same names.",
        "Tables with other columns are other runs, or none.",
        "Copy the table you mean into a file of its own.",
    ),
    _entry(
        "SETTINGS_UNREAD",
        "Settings beside a log cannot be read.",
        "hparams.yaml, config.yaml or config.json is damaged, too large, or describes no model "
        "that can be counted.",
        "Sizes in it are not used.",
        "Give sizes with --set.",
    ),
    _entry(
        "PARAMS_FROM_CONFIG",
        "The parameters of a run are counted from the config.json beside its log.",
        "No column and no setting gives params; the config lies in the log's folder, or in that of "
        "the run if the log is a checkpoint's. All weights count, a tied table once.",
        "A law of params needs one convention; with small models embeddings are a large share.",
        "If other runs count parameters otherwise, give this one's with --set params=124M.",
    ),
    _entry(
        "PARAMS_HIDDEN",
        "A run has a param and a metric of one name.",
        "Equal names in MLflow.",
        "Only one of them can be the column.",
        "Rename one of them.",
    ),
    _entry(
        "LARGE_ENGINE",
        "An engine (DuckDB, Spark) reduced the rows of per-step logs to one a run.",
        "Logs of 256 MiB or more in CSV, JSON Lines or Parquet, or --engine duckdb or spark.",
        "The engine reads on all cores and keeps no more than the runs in memory. What it might "
        "understand in another way than our own reading is refused, so that the runs are the same.",
        "Nothing; --engine small reads the log in our own way.",
    ),
    _entry(
        "LARGE_READ_SMALL",
        "Large logs were read in our own way, not by DuckDB.",
        "Something in the log might give other runs in the engine: no column names the runs, gaps "
        "are filled from other rows, cells are no plain numbers.",
        "A number that differs in silence is worse than a longer wait.",
        "Change what the note names, or wait.",
    ),
    _entry(
        "LARGE_EXTRA",
        "Large logs would be reduced by DuckDB, which is not installed.",
        "Logs of 256 MiB or more in CSV, JSON Lines or Parquet, without the extra `large`.",
        "Our own reading keeps all rows in memory.",
        "pip install 'scaleplan[large]'",
    ),
)
