"""The words by which columns name metrics, and what each says of its kind and unit."""

from __future__ import annotations

from scaleplan.records import MetricKind

# Word -> (kind, preference among metrics of that kind, unit); the longest phrases come first.
# Benchmarks that report the share of right answers under their own name.
_BENCHMARKS = (
    "mmlu", "hellaswag", "winogrande", "winograd", "xwinograd", "piqa", "boolq", "gsm8k",
    "humaneval", "truthfulqa", "triviaqa", "openbookqa", "arc",
)  # fmt: skip
_SCORES = ("ndcg", "recall", "mrr", "map", "map50", "rouge", "psnr", "auprc",
           "mf1", "mfscore", "mprecision", "mrecall")  # fmt: skip
# Shares of pixels or of their overlap with the truth, by which segmentation is judged.
_OVERLAPS = ("iou", "dice", "macc", "aacc")
# What an agent collects in an episode, as Stable-Baselines3, Spinning Up and CleanRL write it.
_REWARDS = (("ep", "rew"), ("ep", "rewmean"), ("eprewmean",), ("ep", "ret"),
            ("episode", "return"), ("episodic", "return"), ("mean", "return"),
            ("average", "return"), ("avg", "return"), ("rollout", "return"),
            ("train", "return"), ("eval", "return"), ("test", "return"))  # fmt: skip
_FAMILIES = ("poisson", "gamma", "tweedie", "binomial", "bernoulli", "gaussian", "normal")
_MEAN_PRECISION = (("map50", "95"), ("map", "50", "95"), ("map", "5", "95"),
                   ("map", "0", "5", "0", "95"), ("coco", "bbox", "map"), ("bbox", "map"),
                   ("bbox", "ap"))  # fmt: skip
DETECTION = 1  # the preference of that score, which is never read from training batches
_LIKELIHOODS = (("negative", "log", "likelihood"), ("neg", "log", "likelihood"))
# Errors of regression and of forecasts, each with a rank of its own: a log may have several.
_REGRESSION = (
    ("root", "mean", "squared", "error"), ("mean", "squared", "error"),
    ("mean", "absolute", "error"), ("mean", "squared", "logarithmic", "error"),
    ("mean", "absolute", "percentage", "error"), ("squared", "error"), ("absolute", "error"),
    ("nrmse",), ("rmsle",), ("msle",), ("crps",), ("mape",), ("smape",), ("mase",), ("wape",),
    ("brier", "score"), ("brier",),
)  # fmt: skip
# Agreement with what was measured, of regressions, rankings, texts and pictures; higher is better.
_AGREEMENT = (
    ("r2", "score"), ("r2",), ("r", "squared"), ("log", "likelihood"), ("spearman",),
    ("spearmanr",), ("pearson",), ("pearsonr",), ("kendall",), ("kendalltau",), ("concordance",),
    ("c", "index"), ("cindex",), ("mcc",), ("matthews", "correlation"), ("matthews", "corrcoef"),
    *((word, "kappa") for word in ("cohen", "cohens", "weighted", "val", "eval", "test")),
    ("average", "precision"), ("jaccard",), ("ssim",), ("chrf",), ("meteor",),
    ("rouge1",), ("rouge2",), ("rougel",), ("rougelsum",), ("cider",), ("sari",),
    ("bertscore",), ("sensitivity",), ("specificity",),
)  # fmt: skip
_LOWER_SCORES = (
    ("fid", "score"), ("kid", "score"), ("winkler", "score"), ("interval", "score"),
    ("energy", "score"), ("crps", "score"), ("davies", "bouldin", "score"), ("davies", "bouldin"),
    ("docking", "score"),
)  # fmt: skip
PHRASES: tuple[tuple[tuple[str, ...], MetricKind, int, str], ...] = (
    (("bits", "per", "byte"), "loss", 2, "bits/byte"),
    (("bits", "per", "char"), "loss", 3, "bits/character"),
    (("bits", "per", "token"), "loss", 1, "bits/token"),
    (("nats", "per", "token"), "loss", 1, "nats/token"),
    (("bits", "per", "word"), "loss", 3, "bits/word"),
    (("bits", "per", "dim"), "loss", 3, "bits/dimension"),
    (("bits", "per", "dimension"), "loss", 3, "bits/dimension"),
    (("bpd",), "loss", 3, "bits/dimension"),
    (("normalized", "entropy"), "loss", 6, "share of the base rate's entropy"),
    (("normalised", "entropy"), "loss", 6, "share of the base rate's entropy"),
    (("cross", "entropy"), "loss", 1, ""),
    (("log", "loss"), "loss", 1, ""),
    (("log", "perplexity"), "loss", 1, ""),
    *((phrase, "loss", 1, "") for phrase in _LIKELIHOODS),
    # Keras writes the errors of regression out; they are no shares.
    *((phrase, "loss", 7 + 3 * place, "") for place, phrase in enumerate(_REGRESSION)),
    (("error", "rate"), "error", 0, "fraction"),
    (("bpb",), "loss", 2, "bits/byte"),
    (("bpc",), "loss", 3, "bits/character"),
    (("perplexity",), "loss", 4, "ln of the perplexity"),
    (("ppl",), "loss", 4, "ln of the perplexity"),
    (("loss",), "loss", 0, ""),
    (("crossentropy",), "loss", 1, ""),
    (("xent",), "loss", 1, ""),
    (("ce",), "loss", 1, ""),
    (("nll",), "loss", 1, ""),
    (("logloss",), "loss", 1, ""),
    # XGBoost's and CatBoost's over several classes.
    *(((name,), "loss", 1, "") for name in ("mlogloss", "multilogloss")),
    (("multi", "class"), "loss", 1, ""),
    (("merror",), "error", 0, "fraction"),
    (("mse",), "loss", 7, ""),
    (("rmse",), "loss", 7, ""),
    (("mae",), "loss", 7, ""),
    (("error",), "error", 0, "fraction"),
    (("err",), "error", 0, "fraction"),
    (("errorrate",), "error", 0, "fraction"),
    (("wer",), "error", 1, "fraction"),
    (("cer",), "error", 1, "fraction"),
    (("accuracy",), "accuracy", 0, "fraction"),
    (("acc",), "accuracy", 0, "fraction"),
    (("top1",), "accuracy", 1, "fraction"),
    (("acc1",), "accuracy", 1, "fraction"),
    (("top5",), "accuracy", 2, "fraction"),
    (("acc5",), "accuracy", 2, "fraction"),
    *(((name,), "accuracy", 3, "fraction") for name in _BENCHMARKS),
    # The overlap by which segmentation is compared comes before the pixels that are right.
    *(((name,), "accuracy", -1, "fraction") for name in ("miou", "mdice")),
    *(((name,), "accuracy", 4, "fraction") for name in _OVERLAPS),
    *((phrase, "score", 10 + place, "") for place, phrase in enumerate(_AGREEMENT)),
    # Scores that are distances, or that punish: lower is better.
    *((phrase, "loss", 8, "") for phrase in _LOWER_SCORES),
    (("score",), "score", 0, ""),
    # The mean average precision by which detectors are compared, as Ultralytics, MMDetection and
    # Detectron2 write it.
    *((phrase, "score", DETECTION, "") for phrase in _MEAN_PRECISION),
    (("performance",), "score", 2, ""),
    *(
        ((name,), "score", 3, "")
        for name in ("reward", "auc", "f1", "hmean", "bleu", "elo", "auroc")
    ),
    *(((name,), "score", 4, "") for name in _SCORES),
    *((pair, "score", 3, "") for pair in _REWARDS),
    *(
        (pair, "score", 4, "")
        for pair in (("m", "ap50"), ("m", "ap"), ("segm", "ap"), ("hit", "rate"))
    ),
    *(
        (pair, "score", 5, "")
        for pair in (
            ("exact", "match"),
            ("win", "rate"),
            ("success", "rate"),
            ("pass", "rate"),
            ("solve", "rate"),
            ("pass", "1"),
            ("pass", "k"),
        )
    ),
    (("coverage",), "score", 6, ""),
    # Of a generalised linear model, in nats a row.
    *(((family, "deviance"), "loss", 7, "") for family in _FAMILIES),
    (("deviance",), "loss", 7, ""),
    (("fid",), "loss", 8, ""),
    (("fvd",), "loss", 8, ""),
)
