"""The roles that columns play, and the names that the field's logs give them.

Names are written folded (lower case, no separators) and in the order in which they are preferred.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scaleplan.runs.text import fold, split_unit, words
from scaleplan.units import parse_count

TOKEN_NAMES = (
    "tokens", "ntokens", "numtokens", "tokenstrained", "trainingtokens", "traintokens",
    "totaltokens", "totaltrainingtokens", "tokensseen", "numtokensseen", "numinputtokensseen",
    "numtraintokens", "tokenstotal", "tokencount", "consumedtokens", "trainedtokens",
    "tokensprocessed", "processedtokens", "tokensconsumed", "dtokens", "seentokens", "tok",
)  # fmt: skip
# Counted in things that are not tokens: 6ND is not what training on them costs.
SAMPLE_NAMES = (
    "samplesseen", "examplesseen", "imagesseen", "consumedsamples", "interactions",
    "numinteractions", "ninteractions", "samples", "nsamples", "numsamples", "images", "nimages",
    "numimages", "examples", "nexamples", "numexamples", "trainexamples", "trainingexamples",
    "trainingsamples", "datasetsize", "trainsetsize", "datapoints", "seenexamples", "seensamples",
    "seenimages", "trainsamples", "trainsize", "ntrain", "numtrain", "ntrainsamples",
    "numtrainsamples", "ntrainexamples", "numtrainexamples", "sizetrain", "trainingsize",
    "trainingsetsize", "numtrainingexamples", "numtrainingsamples", "ntrainingsamples",
)  # fmt: skip

NUMBER_ROLES: Mapping[str, tuple[str, ...]] = {
    "params": (
        "params", "nparams", "numparams", "paramcount", "parametercount", "parameters",
        "nparameters", "numparameters", "totalparams", "totalparameters", "numtotalparams",
        "paramstotal", "modelparams", "modelparameters", "modelsize", "trainableparams",
        "numtrainableparams", "nominalparams", "numberofparameters", "numberofparams",
        "numberoftrainableparameters", "trainableparameters", "ofparameters", "ofparams",
    ),
    "active_params": (
        "activeparams", "activeparameters", "activatedparams", "nactiveparams", "numactiveparams",
        "paramsactive", "nactive",
    ),
    "non_embedding_params": (
        "nonembeddingparams", "nonembeddingparameters", "numnonembeddingparams",
        "paramsnonembedding", "paramsnoembed", "paramsnoembedding", "paramsnoembeddings",
        "nonembedparams", "nonembparams", "numscalingparams", "nparamsnonembedding",
    ),
    "embedding_params": (
        "embeddingparams", "embeddingparameters", "numembeddingparams", "paramsembedding",
        "embedparams", "sparseparams",
    ),
    "dense_params": ("denseparams", "denseparameters", "numdenseparams", "paramsdense"),
    "tokens": (*TOKEN_NAMES, *SAMPLE_NAMES),
    "unique_tokens": (
        "uniquetokens", "nuniquetokens", "numuniquetokens", "datasettokens", "uniquesamples",
        "uniqueexamples", "uniqueimages", "datasetsize", "trainsetsize", "images", "examples",
    ),
    "epochs": ("epochs", "nepochs", "numepochs", "numtrainepochs"),
    "flops": (
        "flops", "flop", "totalflops", "totalflop", "trainingflops", "trainingflop", "trainflops",
        "trainflop", "computeflops", "computeflop", "flopstotal", "totalflos", "trainingcompute",
        "traincompute", "cflops", "cflop", "flopsbudget", "budgetflops", "computebudget", "compute",
        "budget",
    ),
    "step": ("step", "globalstep", "iteration", "iter", "trainingstep", "trainstep",
             "trainingiteration", "globalsteps", "currentstep", "currentsteps", "totaltimesteps",
             "timestep", "timesteps", "numtimesteps", "totalenvinteracts", "envstep", "envsteps",
             "numupdates", "nupdates", "update", "episode", "round"),
    "epoch": ("epoch", "currentepoch"),
    "seed": ("seed", "randomseed", "rngseed"),
    "learning_rate": ("learningrate", "lr", "peaklr", "maxlr", "peaklearningrate"),
    "batch_tokens": ("batchtokens", "batchsizetokens", "batchsizeintokens", "tokensperbatch",
                     "tokensperstep", "tokensperiteration", "tokensperiter"),
    "batch_size": ("batchsize", "globalbatchsize", "trainbatchsize", "batchsequences", "globalbsz",
                   "gbsz", "gbs", "bsz", "bs"),
    "experts": ("experts", "nexperts", "numexperts", "expertcount", "moenumexperts"),
    "granularity": ("granularity", "expertgranularity", "moegranularity"),
    "bits": ("bits", "nbits", "numbits", "bitwidth", "precisionbits", "trainingbits"),
    "weight_bits": ("weightbits", "wbits", "bitsweights", "weightprecisionbits"),
    "activation_bits": ("activationbits", "abits", "bitsactivations", "activationprecisionbits"),
    "kv_cache_bits": ("kvcachebits", "kvbits", "bitskvcache"),
    "vocab_size": ("vocabsize", "vocabularysize", "nvocab", "numvocab"),
}  # fmt: skip
# Names of the same and of what finished runs were given: their numbers tell (`counters.py`).
BATCH_NAMES = ("batch", "batches", "batchidx", "batchindex", "minibatch")
AXIS_NAMES: Mapping[str, tuple[str, ...]] = {
    "step": ("steps", "trainsteps", "trainingsteps", "iterations", "iters", "niter", "updates",
             "episodes", "rounds", *BATCH_NAMES),
    "epoch": ("epochs", "nepoch", "nepochs", "epochnum", "epochnumber", "epochidx"),
}  # fmt: skip
CONFIG_NAMES = ("config", "configname", "modelconfig")  # of runs, or of several runs each
TEXT_ROLES: Mapping[str, tuple[str, ...]] = {
    "run": ("run", "runid", "runuuid", "runname", "displayname", "experiment", "experimentname",
            "trial", "trialid", "name", "id", "model", "modelname", *CONFIG_NAMES,
            "jobname", "expname", "trialname"),
    "family": ("family", "modelfamily", "series"),
    "optimizer": ("optimizer", "optimiser", "optim", "optimizername"),
    "dataset": ("dataset", "datasetname", "trainset", "traindata", "trainingdata", "corpus",
                "data"),
    "tokenizer": ("tokenizer", "tokeniser", "tokenizername"),
    "schedule": ("schedule", "lrschedule", "scheduler", "lrscheduler", "lrschedulertype"),
    "unit": ("unit", "lossunit", "metricunit"),
    "task": ("task", "benchmark", "evaltask"),
    "split": ("split", "subset"),
    "status": ("status", "state", "runstate"),
}  # fmt: skip
# Single letters count only as they stand; numbers below what such a quantity can be say that the
# letter means something else (a budget in dollars, the C of an inverse law).
LETTERS: Mapping[str, str] = {"N": "params", "D": "tokens", "C": "flops"}
SMALLEST_FLOPS = 1e6
VAGUE_FLOPS = frozenset({"c", "compute", "budget", "computebudget"})
# What a column of sizes without further name is called.
SIZE_NAMES = ("S", "x", "X", "size", "scale", "Size", "Scale")
INPUT_ROLES = ("input", "params", "active_params", "tokens", "unique_tokens", "flops")
METRIC_ROLES = ("value", "metric", "loss", "error", "accuracy", "score")
# Roles without names of their own, for a person to give.
GIVEN_ROLES = ("input", "train_value")

# `tokens` of an evaluation are not the tokens of the training.
_ELSEWHERE = frozenset({"eval", "evaluation", "val", "valid", "validation", "test"})
# TFLOPs are a speed and GFLOPs the cost of one image where nothing says `train`; nothing is so
# fast, and no image so costly, that it is counted in EFLOPs.
_WRITTEN_OUT = {"kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p", "exa": "e",
                "zetta": "z", "yotta": "y"}  # fmt: skip
_PREFIX = "|".join(_WRITTEN_OUT)
_SCALED_FLOPS = re.compile(
    rf"(?:(?:total|train|training)(?P<said>[kmgtpezy]|{_PREFIX})"
    r"|(?:^|compute|budget|flops?)(?P<alone>[ezy]|exa|zetta|yotta))flop(?:s|os)?$"
)
_POWER = re.compile(r"(?:1?e|x1e)(\d{1,2})")  # at the end of a name: C_FLOPs_1e21, params_e9
# Lightning's LearningRateMonitor names the optimizer: lr-AdamW, lr-SGD-1, lr-Adam/pg1.
_MONITORED_RATE = re.compile(r"lr-[A-Za-z]\w*(?:-\d+)?(?:/pg\d+)?")
_FLOP_DAYS = re.compile(r"(?:compute)?(?:pf|petaflops?|pflops?)s?days?$")
_PFLOP_DAY = 1e15 * 86400.0  # the unit of Kaplan et al. 2020
SUFFIXES = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3, "m": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "billion": 1e9, "billions": 1e9, "t": 1e12, "trillion": 1e12,
    "trillions": 1e12,
}  # fmt: skip
# A letter before the name counts it; G before parameters may be a generator's, T trainable ones.
_PREFIXED = re.compile(r"(?:(?P<tokens>[kmbgt])tok(?:en)?s|(?P<params>[kmb])param(?:eter)?s)")
SCALED_ROLES = frozenset(
    {"params", "active_params", "non_embedding_params", "embedding_params", "dense_params",
     "tokens", "unique_tokens"}
)  # fmt: skip
# Weights & Biases counts the rows it was sent; a step of the training beside it says more.
_LOGGED_CALLS, _LAST = "_step", 99
_RANKS = {
    (role, name): rank
    for roles in (NUMBER_ROLES, TEXT_ROLES)
    for role, names in roles.items()
    for rank, name in enumerate(names)
}


def spellings(column: str) -> tuple[str, ...]:
    """Return the names, folded, under which a column may be known: in full, then its last part.

    Parts are joined by `/` or `.`; the `value` at the end of some trackers' keys says nothing.
    """
    name = split_unit(column)[0]
    parts = [p for p in re.split(r"[/.]", name) if p]
    if len(parts) > 1 and fold(parts[-1]) == "value":
        parts = parts[:-1]
    last = fold(parts[-1]) if parts else ""
    full = fold(name)
    if len(parts) < 2 or _ELSEWHERE & {w for p in parts[:-1] for w in words(p)}:
        return (full,)
    return (full, last)


def rank(role: str, column: str) -> int | None:
    """Return how well a column's name fits a role, 0 best; None if it does not."""
    name = split_unit(column)[0]
    if LETTERS.get(name) == role:
        return 0
    for place, spelling in enumerate(spellings(column)):
        if role == "step" and column == _LOGGED_CALLS:
            return _LAST
        found = _RANKS.get((role, spelling))
        if found is None and role == "learning_rate" and _MONITORED_RATE.fullmatch(name):
            found = 50
        if found is None and role == "flops" and flop_factor(spelling) != 1.0:
            found = 50
        if found is None and (role in SCALED_ROLES or ends_in_power(role, name)):
            found = _RANKS.get((role, without_suffix(name)))
        if found is None and prefix_factor(role, spelling) is not None:
            found = 50
        if found is not None:
            return 2 * found + place
    return None


def text_role(column: str) -> str | None:
    """Return the role of a column of text, if its name is known."""
    for role in TEXT_ROLES:
        if rank(role, column) is not None:
            return role
    return None


def role_named(name: str) -> str | None:
    """Return the role that a person means by a name: `params`, `N`, `n_params`, `loss`."""
    if name in LETTERS:
        return LETTERS[name]
    folded = fold(name)
    known = (*NUMBER_ROLES, *TEXT_ROLES, *METRIC_ROLES, *GIVEN_ROLES)
    for role in known:
        if fold(role) == folded:
            return role
    return next((role for role in known if (role, folded) in _RANKS), None)


def is_named(role: str, name: str) -> bool:
    """Tell whether a name, however it is written, is one of those of a role."""
    return (role, fold(name)) in _RANKS


def flop_factor(folded: str) -> float:
    """Return how many FLOP the folded name of a column counts in, 1 if it does not say."""
    match = _SCALED_FLOPS.search(folded)
    if match is not None:
        prefix = match["said"] or match["alone"]
        return parse_count(f"1{_WRITTEN_OUT.get(prefix, prefix)}flops")
    return _PFLOP_DAY if _FLOP_DAYS.fullmatch(folded) else 1.0


def prefix_factor(role: str, folded: str) -> float | None:
    """Return what the letter before a folded name says that is counted: BTokens, Mparams."""
    match = _PREFIXED.fullmatch(folded)
    if match is None or role != ("params" if match["params"] else "tokens"):
        return None
    return SUFFIXES[(match["params"] or match["tokens"]).replace("g", "b")]


def ends_in_power(role: str, name: str) -> bool:
    """Tell whether the name of a column of FLOP ends in a power of ten; `b` or `m` is none."""
    return role == "flops" and len(words(name)) > 1 and bool(_POWER.fullmatch(words(name)[-1]))


def suffix_factor(word: str) -> float | None:
    """Return what the last word of a name says that is counted: m, billions, 1e21; else None."""
    power = _POWER.fullmatch(word)
    return SUFFIXES.get(word) if power is None else 10.0 ** int(power[1])


def without_suffix(name: str) -> str:
    """Return the folded name without a last word such as `m`, `billions`, `in millions`, `1e9`."""
    parts = words(name)
    if len(parts) < 2 or suffix_factor(parts[-1]) is None:
        return ""
    return "".join(parts[:-2] if parts[-2] == "in" else parts[:-1])
