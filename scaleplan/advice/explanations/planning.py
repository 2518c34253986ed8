"""Notes on plans: memory, step size, duration, and what the count of FLOPs leaves out."""

from __future__ import annotations

from scaleplan.records import Explanation


def _entry(id_: str, says: str, rule: str, reason: str, action: str, source: str) -> Explanation:
    return Explanation(
        id=id_, stage="planning", says=says, rule=rule, reason=reason, action=action, source=source
    )


PLANNING = (
    _entry(
        "DOES_NOT_FIT",
        "The model does not fit in memory.",
        "states + activations + logits (with margin) + runtime > 90% of the memory, in every "
        "layout that was tried.",
        "A run that does not fit does not start.",
        "Use more or larger accelerators.",
        "Rajbhandari et al. 2020, arXiv 1910.02054; Korthikanti et al. 2022, arXiv 2205.05198",
    ),
    _entry(
        "THIN_STEPS",
        "Accelerators get too little work a step.",
        "batch / GPUs < 1,000 tokens.",
        "Efficiency is 1 / (1 + w0 g / B); below 1,000 tokens nothing was measured.",
        "Use fewer accelerators or a larger batch.",
        "Megatron-LM, MegaScale and Llama 3 fixed-batch tables",
    ),
    _entry(
        "LONGER_THAN_A_YEAR",
        "Even the fastest row takes over a year.",
        "days > 365.",
        "Hardware and methods change faster.",
        "Use more accelerators or a smaller model.",
        "a convention",
    ),
    _entry(
        "EPOCHS_UNSEEN",
        "Images or other examples are seen more often than in any published training.",
        "epochs > 1,000.",
        "What so many repeats bring was not measured.",
        "Check the number of epochs; take fewer, or more examples.",
        "Touvron et al. 2021, arXiv 2012.12877 (DeiT); Chen et al. 2020, arXiv 2002.05709 (SimCLR)",
    ),
    _entry(
        "TINY_MODEL",
        "6 x params x tokens is a poor count here.",
        "Fewer than 1e8 parameters.",
        "Attention and embeddings are over a tenth of the work.",
        "Give measured --flops.",
        "Hoffmann et al. 2022, arXiv 2203.15556, appendix F",
    ),
    _entry(
        "LARGE_BATCH",
        "The batch is beyond what trains with 20% overhead.",
        "tokens needed = D (1 + 0.2 B / B20), B20 = 22.91 D^0.47.",
        "Steps saved by a larger batch are paid for in tokens.",
        "Use a smaller --batch, or raise --tokens by as much.",
        "McCandlish et al. 2018, arXiv 1812.06162; Zhang et al. 2024, arXiv 2410.21676",
    ),
    _entry(
        "UNLIKELY_MFU",
        "The given MFU is above what any run has published.",
        "Whole-run MFU above the highest published one.",
        "Recomputed FLOPs, a sparse peak or half of the accelerators are often behind it.",
        "Count 6 FLOP a parameter and token against the dense bf16 peak.",
        "MegaScale, arXiv 2402.15627, table 2; published runs",
    ),
    _entry(
        "LAYOUT_TAKES_MORE",
        "The layout that was asked for takes more accelerators than there are.",
        "tp x pp x dp of --layout above the number of GPUs.",
        "A copy of the model is spread over tp x pp accelerators.",
        "Use as many, or a smaller layout.",
        "a definition",
    ),
    _entry(
        "SLOW_CHECKPOINTS",
        "Writing checkpoints takes much of the time.",
        "The time that a checkpoint stops training is over 5% of the best interval between them, "
        "sqrt(2 delta M) for a mean time M between failures.",
        "A checkpoint is as large as the model, and large clusters fail often.",
        "Give the --storage that such a cluster has, or --checkpoint-seconds.",
        "Young 1974, A first order approximation to the optimum checkpoint interval",
    ),
    _entry(
        "SHARDED_ALONE",
        "Sharing weights between copies is limited by the network here.",
        "ZeRO-3 on more than a node, tokens / GPU and step below 6 P u / (F BW t p): about 7,000 "
        "(A100) to 13,000 (H100) where layers are not split.",
        "Weights are gathered from other copies in every step.",
        "Split layers with --layout tp=8, or use fewer accelerators.",
        "Narayanan et al. 2021, arXiv 2104.04473, ZeRO-3 rows",
    ),
    _entry(
        "SLOW_LINKS",
        "Layers are split over links slower than NVLink.",
        "Steps take (1 + r) / (1 + r_NVLink) times as long, r = (2/9) (t - 1) P u / (h BW).",
        "Tensor parallelism sends four all-reduces a layer; pipeline stages and copies send less.",
        "Take more of them, of which each holds less, or parts with faster links.",
        "Shoeybi et al. 2019, arXiv 1909.08053, section 3",
    ),
    _entry(
        "FEW_NODES",
        "Small models use more of a peak inside a node than on many.",
        "u(g) = u1 c^s with s = ln(g / node) / ln 8 between one node and eight and c = "
        "(N + 20M b) / (N + 100M b), where b is the part's peak over its memory's bandwidth, over "
        "an A100's.",
        "Published trainings of small models on clusters took that much longer, by launches, the "
        "network, data or software made for larger models. Steps of one program lost less: 4% from "
        "8 to 64 A100 (InternLM 7B), 2% from 8 to 128 (torchtitan) and 9% from 16 to 64 H100 "
        "(nanotron).",
        "Give --mfu of your own steps: it is carried to other counts by what splitting the batch "
        "costs, and then failures are taken off.",
        "tests/benchmark/times_validated.py",
    ),
    _entry(
        "FEW_EXAMPLES_A_STEP",
        "Each accelerator gets few examples of a step.",
        "Examples of a step over accelerators below 32.",
        "Nothing smaller was measured, and matrix products of few examples use less of a peak.",
        "Use fewer accelerators, or a larger --batch.",
        "Goyal et al. 2017, arXiv 1706.02677",
    ),
    _entry(
        "FLOPS_BEYOND_6ND",
        "The shape does more than 6 x params x tokens.",
        "Products of the shape, attention scores among them, over 6ND above 1.1.",
        "Small models, large vocabularies and long contexts leave 6ND out of its range.",
        "Times count attention with the full matrix of scores, as tables of one model at many "
        "lengths do; --flop-count full counts FLOP and MFU so as well.",
        "Hoffmann et al. 2022, arXiv 2203.15556, appendix F",
    ),
    _entry(
        "MACS_OR_FLOPS",
        "Multiply-adds and FLOPs differ by two.",
        "Vision tables print MACs under the name FLOPs.",
        "A plan from MACs taken as FLOPs is half as long as the training.",
        "Say --macs if the figure counts multiply-adds.",
        "ResNet-50: 4.1 GMAC are 8.2 GFLOP a forward pass",
    ),
    _entry(
        "ACTIVATIONS_ASSUMED",
        "A FLOP count does not tell how fast a CNN trains.",
        "The FLOP of one example are given, what its convolutions write is not.",
        "EfficientNet-B0 has a tenth of the FLOP of ResNet-50 and trains no faster.",
        "Give --activations or a published --shape, or measure --mfu.",
        "Radosavovic et al. 2020, arXiv 2003.13678, section 4.1",
    ),
    _entry(
        "ROUGH",
        "The time of this family is rough.",
        "Four published trainings or fewer of the family with all of hours, size and hardware.",
        "Memory bandwidth, not the peak, limits recommenders; of vision transformers and models "
        "known by their FLOP the MFU is that of language models.",
        "Measure a step and give --mfu.",
        "a decision of this program",
    ),
    _entry(
        "MEMORY_UNKNOWN",
        "Activations of this family are not known.",
        "No shape of its layers is given.",
        "What fits cannot be said.",
        "Try the batch on one accelerator.",
        "a decision of this program",
    ),
    _entry(
        "IF_THE_FORM_HOLDS",
        "The expected half-width rests on the form of the law.",
        "Covariances of the fitted laws with the planned runs added, at the noise of the fit.",
        "A form that fails further out is not made better by more runs near the data.",
        "Fit old and new runs together, and plan again.",
        "c-optimal design: Silvey 1980, chapter 3; Chaloner & Verdinelli 1995",
    ),
    _entry(
        "BELOW_THE_RUNS",
        "Proposed runs are smaller than any that the law was fitted to.",
        "Fewer parameters, or less compute, than the smallest fitted run.",
        "They are cheap and tell exponents and forms apart, if the law holds so far down.",
        "Read them back with fit --update, which tests that; leave out what cannot be built, or "
        "raise the cheapest run.",
        "a decision of this program",
    ),
    _entry(
        "RUNS_TOO_SMALL",
        "Proposed runs have no work for all accelerators.",
        "Sequences of a step times the heads a copy of the model may be split over inside a node: "
        "less than 90% of the accelerators.",
        "Time and cost are those with the others idle.",
        "Train several runs at once, each on fewer accelerators.",
        "at least one sequence for each copy of the model",
    ),
    _entry(
        "BUDGET_REACHES_TARGET",
        "The budget pays for the target itself.",
        "Budget above the target's compute.",
        "A forecast is worth less than the run.",
        "Train the target, or give a larger one.",
        "a decision of this program",
    ),
    _entry(
        "NO_TOKENS",
        "The runs to train are of images, interactions or the like, not of tokens.",
        "The fit's column of training data is one of samples, and its log gives the FLOP of each "
        "run.",
        "Batch laws, learning rates, shapes and speeds of language models say nothing about them; "
        "what a run takes follows from the FLOP in the log.",
        "Give --mfu for hours and dollars, and take shapes and settings from your own runs.",
        "a decision of this program",
    ),
    _entry(
        "PRIOR_ONLY",
        "A first sweep is planned without runs.",
        "A published law as prior, spread as far as published laws lie apart.",
        "Levels differ between data and tokenizers; shapes of laws less.",
        "Train the runs, fit them, and plan with that fit.",
        "a decision of this program",
    ),
    _entry(
        "BACKTEST_CORRELATED",
        "Forecasts of a back-test share runs.",
        "Several forecasts rest on the same larger runs.",
        "Their errors are not independent: the share inside is less sure than the count says.",
        "Read shares over few runs with care.",
        "a decision of this program",
    ),
    _entry(
        "MINIMA_EXCLUDED",
        "Minima at the edge of a grid, and sizes with too few runs, were left out.",
        "The best learning rate or batch of a size is the smallest or largest tried, or the size "
        "has fewer than 4 runs.",
        "The optimum lies there or beyond, and a parabola would invent it; through 3 runs one "
        "always goes.",
        "Widen the grid at these sizes.",
        "a decision of this program",
    ),
    _entry(
        "SETTING_MISSING",
        "Runs of a grid lack a size or a setting.",
        "A run has no learning rate, batch, params, tokens or flops where others do.",
        "It belongs to no group of equal sizes, or to no place in it.",
        "Give what is missing with --set, or leave the runs out.",
        "a decision of this program",
    ),
    _entry(
        "OLD_RUNS_MISSING",
        "The logs of the old runs are not at hand.",
        "Files named in the old fit do not exist or hold other runs.",
        "Old and new runs cannot be fitted together.",
        "Give them with --old LOG.",
        "a decision of this program",
    ),
    _entry(
        "EXPONENT_NOT_FOUND",
        "An exponent cannot be told from these minima.",
        "Too few sizes, or its interval holds zero.",
        "The best setting may or may not move with size.",
        "Run the grid at more sizes.",
        "a decision of this program",
    ),
    _entry(
        "GROUP_DECIDES",
        "One size decides the law of the minima.",
        "Without one group the exponent moves by much.",
        "A law should not rest on one grid.",
        "Add sizes beside it.",
        "a decision of this program",
    ),
    _entry(
        "LAW_IN_DOUBT",
        "New runs lie off what the old fit predicted.",
        "z-scores of the new runs beyond chance.",
        "The form or the recipe has changed with scale.",
        "Check the new runs; fit all together and compare forms.",
        "a decision of this program",
    ),
    _entry(
        "SMALL_RUNS_LEFT_OUT",
        "New runs smaller than any old one do not lie on one law with the others.",
        "Chow's predictive test of the law of all runs, p below 0.01; residuals clipped at 6 "
        "standard deviations.",
        "The law bends at small sizes, and would be wrong at large ones if they were fitted too.",
        "Spend on larger runs; fit old and new logs together to see the law with them.",
        "own simulation, tests/benchmark/next_runs.py",
    ),
    _entry(
        "INTERVALS_TOO_NARROW",
        "New runs fall outside their intervals too often.",
        "Share inside far below the level.",
        "The stated uncertainty is too small.",
        "Widen, or train a run between.",
        "a decision of this program",
    ),
)
