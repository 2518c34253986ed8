"""Printed logs with their own source in them, in Markdown, or with what was measured before it."""

from __future__ import annotations

import pytest

from scaleplan.runs.formats.printed_parts import without_marks
from scaleplan.runs.series import load_curves

SOURCE = """import torch
    print0(f"step:{step}/{train_steps} val_loss:{val_loss:.6f} time:{ms:.0f}ms", console=True)
    print(f"epoch {epoch:>3d} | loss {loss:.4e} | acc {100 * acc:.1f}")
"""


def test_templates_of_a_source_are_no_points(load):
    lines = "".join(f"step:{100 * i}/500 val_loss:{4 - i / 10:.4f} time:9ms\n" for i in range(6))
    runs = load(SOURCE + lines, name="run.txt")
    assert runs.value.tolist() == [3.5]
    assert runs.columns["step"].tolist() == [500.0]


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("loss {loss:.4f} of {n:,d}", "loss  of "),
        ("{acc:.1%}", ""),
        ("{loss: 2.31}", "{loss: 2.31}"),
        ("{acc: 50.1%}", "{acc: 50.1%}"),
        ("{'loss': 2.3}", "{'loss': 2.3}"),
        ("- **Loss**: **2.3**", "- Loss: 2.3"),
        ("10**9 tokens", "10**9 tokens"),
    ],
)
def test_marks_that_go(line, plain):
    assert without_marks(line) == plain


@pytest.mark.parametrize("form", ["- **{}**: {}", "- **{}:** {}", "* {}: **{}**"])
def test_epochs_of_a_report_in_markdown(load, form):
    text = "".join(
        f"#### Epoch {e}/4:\n{form.format('Training Loss', 3 - e / 2)}\n"
        f"{form.format('Validation Loss', 3.1 - e / 2)}\n\n"
        for e in (1, 2, 3, 4)
    )
    load(text, name="report.md")
    (curve,) = load_curves(["report.md"]).curves
    assert curve.validation.value.tolist() == pytest.approx([2.6, 2.1, 1.6, 1.1])
    assert curve.training.value.tolist() == pytest.approx([2.5, 2.0, 1.5, 1.0])


@pytest.mark.parametrize("share", [1, 100])
def test_results_before_a_dash(load, share):
    text = "".join(
        f"ITERATION - loss: 0.6: 100%|###| 57/57 [01:01<00:00,  2.59it/s]\n"
        f"Training Results - Epoch: {e}  Avg accuracy: {0.5 * share:.2f} Avg loss: {3 - e / 2}\n"
        f"Validation Results - Epoch: {e}  Avg accuracy: {0.4 * share:.2f} Avg loss: {4 - e / 2}\n"
        for e in (1, 2, 3)
    )
    runs = load(text, name="ignite.log")
    assert runs.metric.name == "Validation Avg loss"
    assert runs.value.tolist() == [2.5]
    (curve,) = load_curves(["ignite.log"]).curves
    assert curve.training.value.tolist() == [2.5, 2.0, 1.5]
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "line",
    [
        "[2021-01-01 10:00:0{e},1] \n{e}/8 * Epoch (train): loss={t} | lr=0.001\n"
        "{e}/8 * Epoch (valid): loss={v}\n",
        "train ({e}/8) accuracy: 0.5 | loss: {t} | lr: 0.001\n"
        "valid ({e}/8) accuracy: 0.4 | loss: {v}\n* Epoch ({e}/8) \n",
    ],
)
def test_epochs_of_catalyst(load, line):
    text = "".join(line.format(e=e, t=3 - e / 2, v=3.1 - e / 2) for e in (1, 2, 3, 4))
    load(text, name="train.log")
    (curve,) = load_curves(["train.log"]).curves
    assert curve.validation.value.tolist() == pytest.approx([2.6, 2.1, 1.6, 1.1])
    assert curve.training.value.tolist() == pytest.approx([2.5, 2.0, 1.5, 1.0])
    assert curve.validation.at.tolist() == [1.0, 2.0, 3.0, 4.0]
