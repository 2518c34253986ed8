"""A step with what was measured at it on the lines below is one point."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves

STEPS = range(10, 130, 10)


def loss(step):
    return round(4.0 * step**-0.2, 4)


@pytest.mark.parametrize(
    ("block", "metric"),
    [
        (
            "2024-01-01 10:00:00 h:0 olmo.train:816 INFO [step={s}/7393,epoch=0]\n"
            "    optim/total_grad_norm=7.3\n    train/CrossEntropyLoss={v}\n"
            "    train/Perplexity=57,123.4\n    throughput/total_tokens={t:,}\n"
            "    throughput/device/tokens_per_second=12,345\n",
            "train/CrossEntropyLoss",
        ),
        (
            "INFO [step={s}/50000,epoch=1,eta=1:00:00]\n    optim/LR (group 0)=0.0001\n"
            "    throughput/total tokens={t:,}\n    train/CE loss={v}\n    train/PPL=57.1\n",
            "train/CE loss",
        ),
        (
            "[batch={s}/4800]:\n         Train time/epoch: 0\n         Train time/batch: {s}\n"
            "         Train time/token: {t}\n         Train loss/train/total: {v}\n"
            "         Train metrics/train/LanguagePerplexity: 57.1\n",
            "Train loss/train/total",
        ),
    ],
)
def test_lines_below_a_step_belong_to_it(log, block, metric):
    text = "".join(block.format(s=s, v=loss(s), t=s * 4_194_304) for s in STEPS)
    [curve] = load_curves([log(f"starting\n{text}")]).curves
    assert curve.metric.name == metric
    assert curve.training.at.tolist() == list(STEPS)
    assert curve.training.value.tolist() == [loss(s) for s in STEPS]
    assert curve.sizes["tokens"] == STEPS[-1] * 4_194_304


def test_a_step_without_a_list_stays_a_line(log):
    text = "".join(f"[step={s}/500]\nloss: {loss(s)}\n" for s in STEPS)
    [curve] = load_curves([log(text)]).curves
    assert curve.training.at.tolist() == list(STEPS)
    assert curve.training.value.tolist() == [loss(s) for s in STEPS]
