"""Notes on forecasts: distance, width, range, and whether size and data fit together."""

from __future__ import annotations

from scaleplan.records import Explanation

_STATIONARY = "stationarity under C = k N D (Hoffmann et al. 2022, arXiv 2203.15556, section 3.3)"


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="forecasting", says=says, rule=rule, reason=reason, action=action,
        source=source,
    )  # fmt: skip


FORECASTING = (
    _entry(
        "INPUT_LEFT_OUT",
        "A size was asked for that the law does not take.",
        "A law of one input, and the other size outside what the fitted runs have.",
        "Runs of one size cannot tell what another would reach.",
        "Train runs of several sizes, or plan with that of the runs.",
        "own rule",
    ),
    _entry(
        "INTERVAL_FAILED",
        "Intervals of the back-test failed as far out as this forecast reaches.",
        "Below 65% of five or more forecasts from smaller runs of the log, of this distance and "
        "farther, lay inside their widened 90% interval.",
        "What did not hold inside the log will hardly hold beyond it.",
        "Plan with a wider margin, or train a run nearer to the target.",
        "own rule; forecasts above one cut come from one fit, and fail together",
    ),
    _entry(
        "OFF_THE_RAY",
        "The tokens per parameter lie far from those of the fitted runs.",
        "A law of one input, and a ratio more than 2 times outside that of the smallest and the "
        "largest run.",
        "A law of one input is a cut through one of two: it holds along the ratio it was cut at.",
        "Train at the ratio that is planned, and fit a law of params and tokens.",
        "own rule",
    ),
    _entry(
        "EXTRAPOLATION",
        "The point lies beyond the fitted runs.",
        "d = log10 of the distance outside the range of params, tokens or flops, the largest of "
        "them: note above 0.5, warning above 1.5, error above 2.5 decades.",
        "Published forecasts held over 300x (2.5 decades) and failed by 2 to 3% at 19x.",
        "Train a run between the data and the target first.",
        "range of published successes and failures",
    ),
    _entry(
        "CHAIN_EXTRAPOLATED",
        "A chained forecast enters the second fit outside what it has seen.",
        "The predicted input of the second fit is below its smallest or above its largest fitted "
        "value.",
        "The link from loss to accuracy bends, and nothing there says how.",
        "Add runs nearer to the target to the second fit.",
        "two-step forecasts: Bhagia et al. 2024, arXiv 2412.04403",
    ),
    _entry(
        "CHAIN_WITHOUT_INTERVAL",
        "A chained forecast has no interval.",
        "One of the two fits has no covariance or no run to spare.",
        "The joint interval is made of both.",
        "Fit both to more runs.",
        "joint distribution of a new run",
    ),
    _entry(
        "BEYOND_BACKTEST",
        "The interval itself is extrapolated.",
        "d beyond the farthest forecast of the back-test.",
        "How errors grow was learned up to there only.",
        "Read the interval as a lower limit of the uncertainty.",
        "back-test over scale",
    ),
    _entry(
        "OUTSIDE_HULL",
        "Size and data were tested, but not together.",
        "(ln N, ln D) outside the convex hull of the runs though inside both ranges.",
        "Forms differ most at ratios that no run had.",
        "Train a run at that ratio.",
        "convex hull of the runs",
    ),
    _entry(
        "NO_INTERVAL",
        "No interval is known.",
        "No covariance was published, or there are too few runs.",
        "A number without an interval looks exact and is not.",
        "Do not read it as exact.",
        "a decision of this program",
    ),
    _entry(
        "WIDE_INTERVAL",
        "The interval is wide.",
        "Half-width above 4% of the value; a warning where it passes half of the reducible part.",
        "Decisions between designs turn on smaller differences.",
        "Compare designs under one law.",
        "Choshen et al. 2024, arXiv 2410.11840",
    ),
    _entry(
        "FLOOR_REACHED",
        "The forecast lies within noise of the fitted floor.",
        "(L - E) / L < max(2 sigma, 5%), where the interval of E excludes zero: a warning below 2 "
        "sigma, else a note.",
        "More scale cannot be seen above the scatter of a run.",
        "Spend on data or recipe, which move E.",
        "a convention",
    ),
    _entry(
        "FORM_SPREAD",
        "Admissible laws disagree.",
        "Largest minus smallest forecast above half the width of the interval.",
        "The runs do not choose, and the interval holds both.",
        "Train a run between the data and the point.",
        "mixture of forms by back-test",
    ),
    _entry(
        "SCORE_ABOVE_ONE",
        "A performance above 1 is predicted.",
        "P > 1 for a score.",
        "An accuracy or another share cannot pass 1; a straight line does.",
        "State what the score is, or fit 1 - accuracy.",
        "definition",
    ),
    _entry(
        "OUTSIDE_RANGE",
        "The forecast lies outside the range of the metric.",
        "Accuracy or error outside 0 to 1, or a loss at or below 0.",
        "The law has left the range where it can hold.",
        "Use a law with a floor.",
        "definition",
    ),
    _entry(
        "CAPACITY_LIMITED",
        "Underfit side: the model is small for its data.",
        "r = (alpha A N^-alpha) / (beta B D^-beta): note above 1.5, warning above 2. r is what 1% "
        "more parameters buys over what 1% more tokens buys; r = 1 at the optimum. Shares of the "
        "loss (50/50) are not the test: they differ from 1 : 1 wherever alpha and beta differ.",
        "The same compute spent on a larger model and fewer tokens gives a lower loss.",
        "Train a larger model, unless inference cost matters more.",
        _STATIONARY,
    ),
    _entry(
        "SMALLER_ON_PURPOSE",
        "The model is smaller than the optimum of its training compute, for a good reason.",
        "r (see CAPACITY_LIMITED) above 1.5 where memory or a deadline set the size, or where it "
        "is within a fifth of the least compute over training and inference.",
        "A larger model would not fit, not end in time, or cost more over its life.",
        "Take more or larger accelerators where memory is the reason.",
        _STATIONARY,
    ),
    _entry(
        "MIXTURE_AS_DENSE",
        "A law of dense models predicts a mixture of experts.",
        "active < all parameters, and the law knows neither experts nor active parameters.",
        "The law is evaluated at the active parameters. A mixture does better than a dense model "
        "of those and worse than one of all; whether it is small for its data is judged where both "
        "say the same.",
        "Plan with a law fitted to mixtures.",
        "Clark et al. 2022, arXiv 2202.01169",
    ),
    _entry(
        "DATA_LIMITED",
        "Overfit side: the model is large for its data.",
        "r (see CAPACITY_LIMITED) below 1/1.5, warning below 1/2.",
        "With fresh data that is under-training; with repeated data it overfits.",
        "Train a smaller model on more tokens, or watch the gap.",
        _STATIONARY,
    ),
    _entry(
        "BALANCED",
        "Neither side binds.",
        "r between 1/1.5 and 1.5.",
        "The valley is flat: nothing to gain by moving along it.",
        "Nothing.",
        _STATIONARY,
    ),
    _entry(
        "COMPUTE_WASTE",
        "The same metric is reachable with less compute.",
        "W = C / C*(L): note above 1.2, warning above 1.5, where C* is the least compute whose "
        "optimum reaches L.",
        "W is the price of the chosen split; a small model for cheap inference may be worth it.",
        "Take the optimal size, or count inference with --inference-tokens.",
        _STATIONARY,
    ),
    _entry(
        "CRITICAL_SIZE",
        "The model is nearly the smallest that can reach its metric at all.",
        "N < 1.15 (1 + alpha/beta)^(-1/alpha) N*(L).",
        "Below that size no amount of data reaches this loss; near it tokens grow without bound.",
        "Train a larger model.",
        "de Vries 2023, Go smol or go home",
    ),
    _entry(
        "PUBLISHED_LAW",
        "The forecast uses a published law, not your runs.",
        "No fit was given.",
        "E, A and B depend on data and tokenizer, levels do not carry over.",
        "Fit your own runs for levels; ratios carry over better.",
        "the law's own source",
    ),
    _entry(
        "HISTORICAL_LAW",
        "A published law that later work corrected.",
        "As the catalogue says.",
        "Its parameters or exponents were revised.",
        "Use the revised law.",
        "the catalogue entry",
    ),
    _entry(
        "REPEAT",
        "Data are repeated.",
        "e = D / U epochs: note above 4, warning above 16, error above 40. The marginal repeat is "
        "worth exp(-(e - 1) / R) of a fresh token, R = 15.4.",
        "Up to 4 epochs repeats are nearly fresh; at 40 they bring nothing.",
        "Collect more data, or train fewer epochs.",
        "Muennighoff et al. 2023, arXiv 2305.16264",
    ),
    _entry(
        "REPEAT_MODEL_MISSING",
        "The law in use takes repeated tokens for fresh.",
        "D > U and no input for unique tokens.",
        "The forecast is too good.",
        "Use the data_constrained law.",
        "Muennighoff et al. 2023, arXiv 2305.16264",
    ),
    _entry(
        "REPEAT_MAY_HARM",
        "Repeats may raise the loss.",
        "e > 4 and N above the best size for U.",
        "The published form cannot rise; large models on repeated data do overfit.",
        "Watch validation loss; use more weight decay.",
        "Muennighoff et al. 2023, arXiv 2305.16264",
    ),
    _entry(
        "DATA_SET_SMALL",
        "Few unique tokens for the size of a model that sees them many times.",
        "e > 4, and L(N, U) / L(N, infinity) - 1 above 2% (warning) or 5% (error), with L(N, U) = "
        "((N_c / N)^(0.076 / 0.103) + D_c / U)^0.103, D_c = 1.8e13, and N_c = 6.4e13 without "
        "embeddings.",
        "At its best checkpoint a model of that size loses so much to its data set; trained on, it "
        "loses more.",
        "Collect more data, or train a smaller model.",
        "Kaplan et al. 2020, arXiv 2001.08361, equations 1.5 and 4.2",
    ),
    _entry(
        "GAP_LARGE",
        "The predicted gap between training and validation passes the limit.",
        "G(N, D) = c N^d D^e fitted to validation minus training; --max-gap, else 10% of the "
        "validation value.",
        "Beyond it the model learns its training set, not the task.",
        "Take a smaller model, more data, or stronger regularisation.",
        "G = c S^d is the article's form; the limit is a convention",
    ),
    _entry(
        "NEW_RUNS_OFF_RAY",
        "New runs have other tokens per parameter than those of a law of one size.",
        "Ratios of tokens to parameters more than 1.25 times outside those of the old runs.",
        "Runs on one ray do not tell parameters from tokens; a law along it knows no other ratio.",
        "Fit all logs anew: together they may carry a law of params and tokens.",
        "a decision of this program",
    ),
    _entry(
        "GAP_IMPOSSIBLE",
        "The predicted gap leaves the training value no room.",
        "A gap above the predicted loss or error itself, or one that with the predicted accuracy "
        "makes more than 1.",
        "A power law of the gap grows without an end; a training loss cannot fall below 0.",
        "Read the gap nearer to the fitted sizes, or train a run of such a size.",
        "a decision of this program",
    ),
    _entry(
        "GAP_UNKNOWN",
        "No gap follows from the logs.",
        "Training values are missing, or lie at or above validation in over a quarter of the runs.",
        "Dropout and averages over an epoch put training above validation.",
        "Log training loss in evaluation mode.",
        "a decision of this program",
    ),
    _entry(
        "GAP_FORM_REJECTED",
        "The power law of the gap is rejected.",
        "p < 0.01 in an F test of curvature in the logs.",
        "The gap is then no power of the size in this range.",
        "Read the table inside the fitted sizes only.",
        "F test of nested models",
    ),
    _entry(
        "GAP_FLAT",
        "The gap does not surely grow with size.",
        "The interval of the exponent d in G = c N^d D^e holds zero.",
        "An upper end of sizes that rests on it is noise.",
        "Log more sizes.",
        "t interval of the exponent",
    ),
    _entry(
        "NO_GOOD_SIZE",
        "Every size underfits or overfits on this data set.",
        "The smallest size that does not underfit is larger than the one whose gap passes the "
        "limit.",
        "The data are too few for a model that captures them.",
        "Collect more data, regularise more, or accept a larger gap.",
        "a decision of this program",
    ),
)
