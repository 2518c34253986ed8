"""Lines of programs that name things in a way of their own, in plain names.

Each is looked for by a word that hardly any other line has: most lines pass untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Marian: `Ep. 1 : Up. 1000 : Sen. 100,000 : Cost 7.2`, `[valid] Ep. 1 : Up. 5000 : perplexity : 9`.
_MARIAN = re.compile(
    r"\bEp\. (?P<epoch>\d+(?:\.\d+)?) : Up\. (?P<step>\d+) : (?:Sen\. [\d,]+ : )?(?P<cost>Cost )?"
)
# fairseq: `| epoch 002 | valid on 'valid' subset | loss 7.6`, where its training has `| loss 8.4`.
_FAIRSEQ = re.compile(r"\bvalid on '(?:(?P<test>test)|valid|validation|dev)' subset \|")
# MMEngine: `Epoch(train)  [1][ 50/250]  lr: 1e-2`, `Iter(val) [500/500]    mIoU: 45.1`.
_MMENGINE = re.compile(
    r"\b(?P<what>Epoch|Iter)\((?P<split>train|val|test)\)\s{0,4}(?:\[\s*(?P<epoch>\d+)\])?"
    r"\[\s*(?P<batch>\d+)(?:/\s*(?P<of>\d+))?\]"
)
# ESPnet: `3epoch results: [train] ..., [valid] ...`; what `3epoch:train:1-50batch:` says of a part
# of the batches is in the line of the epoch.
_ESPNET = re.compile(r"\b(?P<epoch>\d+)epoch(?P<part>:train:\d+-\d+batch:| results:)")
# LitGPT: `Epoch 1 | iter 16 step 2 | loss train: 10.9, val: 9.8 | iter time: 331 ms`.
_LITGPT = re.compile(r"\bloss train: (?P<train>[^\s,|]+), val: (?P<val>[^\s,|]+)")
# llama2.c: `100 | loss 9.1 | lr 1e-5`; gpt-2-simple: `[100 | 12.34] loss=3.2 avg=3.3`.
_COUNT_FIRST = re.compile(r"^\s*(?:(?P<step>\d+) \| |\[(?P<timed>\d+) \| [\d.]+\] )(?=[A-Za-z])")
# torchtune: `1|52|Loss: 2.37:   0%|  | 52/25880 [00:13<1:00:00]`.
_TORCHTUNE = re.compile(r"^\s*(?P<epoch>\d+)\|(?P<step>\d+)\|(?=[A-Za-z])")
# Levanter: `Progress on:train 1.2kit/10.0kit rate:1.2it/s`.
_LEVANTER = re.compile(r"\bProgress on:(?P<split>\w+) (?P<step>[\d.]+)(?P<of>[kMG]?)it/")
# Tesseract's `At iteration 14615/695400/698614, ..., BCER train=98.5%, BWER train=99.9%, ... New
# best BCER = 98.5`, of older versions `char train=98.5%`.
_TESSERACT = re.compile(
    r".*\bAt iteration \d+/(?P<step>\d+)/\d+, mean rms=.*?, (?:char|BCER) train=(?P<cer>[\d.]+%), "
    r"(?:word|BWER) train=(?P<wer>[\d.]+%).*",
    re.IGNORECASE,
)
# Flower's `fit progress: (3, 10.52, {'acc': 91.83}, 545.9)`, as its server measured.
_FLOWER = re.compile(r"\bfit progress: \((?P<round>\d+), (?P<loss>[^,\s]+), ")
# Darknet's `1000: 0.65, 0.88 avg loss, 0.001 rate, 0.9 seconds, 64000 images`: of the batch, then
# the mean of those so far.
_DARKNET = re.compile(
    r"^\s*(?P<step>\d+): \S+, (?P<loss>\S+) avg loss, (?P<rate>\S+) rate, .*?\b(?P<of>\d+) images.*"
)
# Caffe's `Iteration 200, Testing net (#0)`, and below it `Test net output #1: loss = 1.49 (* 1 =`.
_CAFFE = re.compile(r"\b(?P<split>Train|Test) net output #\d+: (?P<rest>[^(]*).*")
# TensorFlow's Estimator: `Saving dict for global step 218: accuracy = 0.7, global_step = 218, ...`.
_ESTIMATOR = re.compile(r"\bSaving dict for global step \d+: ")
# Flair's `EPOCH 1 done: loss 0.52 - lr 0.02`, the mean of `epoch 1 - iter 9/10 - loss 0.51`.
_FLAIR = re.compile(r"\bEPOCH (?P<epoch>\d+) done: loss ")
# Catalyst: `3/8 * Epoch (train): loss=2.1`, since 2021 `train (3/8) accuracy: 0.5 | loss: 2.1`.
_CATALYST = re.compile(
    r"\b(?P<epoch>\d+)/\d+ \* Epoch (?:\d+ )?\((?P<split>train|valid|infer)\):"
    r"|^\s*(?P<on>train|valid|infer) \((?P<of>\d+)/\d+\) (?=[A-Za-z])"
)
_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


def in_plain_names(text: str) -> str | None:
    """Return a line with what it counts and measures in plain names.

    Args:
        text: The line.

    Returns:
        The line, changed or not; None for one that measures a part of what a later one does.
    """
    if any(mark in text for mark in _PASSED):
        return None
    for mark, pattern, plain in _BY_MARK:
        if mark in text:
            return pattern.sub(plain, text)
    if ")" in text and "[" in text and ("Epoch(" in text or "Iter(" in text):
        text = _MMENGINE.sub(_mmengine, text)
    elif "epoch" in text and (found := _ESPNET.search(text)) is not None:
        if found["part"] != " results:":
            return None
        text = f"{text[: found.start()]}epoch {found['epoch']} | {text[found.end() :]}"
    elif "|" in text[:24]:
        text = _COUNT_FIRST.sub(_count_first, text)
        text = _TORCHTUNE.sub(r"epoch \g<epoch> | step \g<step> | ", text)
    return text


def _marian(match: re.Match[str]) -> str:
    """Return the counts of a line in plain names; costs are those of the batches trained on."""
    cost = "train loss " if match["cost"] else ""
    return f"epoch {match['epoch']} | step {match['step']} | {cost}"


def _mmengine(match: re.Match[str]) -> str:
    """Return the step or epoch of a line; that of an evaluation is the one before it."""
    batch, of = int(match["batch"]), int(match["of"] or 0)
    split = "" if match["split"] == "train" else f" {match['split']}: |"
    if match["what"] == "Iter":
        return split if split else f"iter {batch} |"
    epoch = int(match["epoch"] or 0)
    if split:
        # Before, training printed `Epoch [1][50/250]`, which is read as 1.2.
        return f"{split} epoch {epoch if of else epoch + 1} |"
    return f"epoch {epoch - 1 + batch / of!r} |" if of else f"epoch {epoch} |"


def _count_first(match: re.Match[str]) -> str:
    return f"step {match['step'] or match['timed']} | "


def _catalyst(match: re.Match[str]) -> str:
    return f"epoch {match['epoch'] or match['of']} | {match['split'] or match['on']}: "


def _levanter(match: re.Match[str]) -> str:
    step = round(float(match["step"]) * _PREFIXES[match["of"]])
    return f"{match['split']}: | step {step} | "


def _fairseq(match: re.Match[str]) -> str:
    return f"{match['test'] or 'valid'} |"


# AllenNLP's bars, below which it prints what they came to; Tesseract's best before, and at the end
# (in percent, without a sign of it); what Darknet prints of each layer.
_PASSED = (
    " ||: ", "ercent improvement time=", "Finished! Error rate", "Finished! Selected model with",
    " Avg IOU: ", " Avg (IOU: ",
)  # fmt: skip
_BY_MARK: tuple[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    ("Up. ", _MARIAN, _marian),
    ("' subset |", _FAIRSEQ, _fairseq),
    (" * Epoch ", _CATALYST, _catalyst),
    ("rain (", _CATALYST, _catalyst),
    ("alid (", _CATALYST, _catalyst),
    ("loss train:", _LITGPT, r"train loss: \g<train>, val loss: \g<val>"),
    ("ean rms=", _TESSERACT, r"step \g<step> | CER: \g<cer> | word error rate: \g<wer>"),
    (
        " avg loss, ",
        _DARKNET,
        r"step \g<step> | avg loss: \g<loss> | lr: \g<rate> | images: \g<of>",
    ),
    (" net output #", _CAFFE, r"\g<split>: \g<rest>"),
    ("Saving dict for global step", _ESTIMATOR, "| eval: "),
    (" done: loss ", _FLAIR, r"epoch \g<epoch> | train loss "),
    ("fit progress: (", _FLOWER, r"round \g<round> | val loss \g<loss> | "),
    ("Progress on:", _LEVANTER, _levanter),
)
