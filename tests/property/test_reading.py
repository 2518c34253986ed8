"""Whatever is in a file, reading it gives runs or an error with a hint, and never anything else."""

from __future__ import annotations

import gzip
import io
import json
import random
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaleplan.errors import ScaleplanError
from scaleplan.runs.reading import load_runs

VALID = (
    "run,params,tokens,loss\na,1e6,2e7,4.5\nb,2e6,4e7,4.0\nc,350M,8e7,3.6\n",
    "name;N;D;val_loss\na;1.000;2.000.000;4,5\nb;2.000;4.000.000;4,25\n",
    "Step,r1 - loss,r1 - loss__MIN,r2 - loss\n1,5,5,4\n2,4,4,3\n3,3,3,\n",
    "epoch,step,train_loss,val_loss\n0,1,5,\n0,1,,4\n1,2,3,\n1,2,,2\n",
    "# unit: nats\nparams\ttokens\taccuracy\n1\t2\t50%\n2\t3\t60%\n",
    "tokenizer: bpe\nruns:\n- {params: 1e6, tokens: 2e7, loss: 4.5}\n- &a {params: 2, loss: 3}\n",
    '[{"run": "a", "params": 1e6, "loss": 4}, {"run": "b", "params": 2e6, "loss": null}]',
    '{"config": {"n_params": 5}, "summary": {"val_loss": NaN}}\n{"summary": {"val_loss": 3}}\n',
    '{"log_history": [{"step": 1, "loss": 3}, {"step": 2, "eval_loss": 2}], "total_flos": 1e9}',
    '{"params": [1, 2, 3], "loss": [3, 2, 1]}',
)
PIECES = [
    b",", b";", b"\t", b"|", b"\n", b"\r", b'"', b"'", b"\0", b"\xff", b"\xef\xbb\xbf", b"#", b":",
    b"- ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"<<: *a", b"!!x ", b"nan", b"inf", b"1e999",
    b"-1", b"0", b"%", b"\x1b[31m", b"1,5", b"10^400", b"2 x 10^21", b"\xc2\xa0", b"\\ud800",
    b"null", b"9" * 70, b"\xe2\x80\xae", b"---\n", b"loss", b"step", b"params", b"unit: M\n",
]  # fmt: skip


def read(content: bytes) -> None:
    """Read the content; check what must hold of any result and of any error."""
    refused = None
    try:
        runs = load_runs(["-"], stdin=io.BytesIO(content))
    except ScaleplanError as error:
        refused = error
    if refused is not None:
        assert refused.message
        assert refused.hint
        return
    count = len(runs)
    assert count > 0
    assert all(c.size == count for c in (*runs.columns.values(), *runs.extra.values()))
    assert all(len(labels) == count for labels in runs.labels.values())
    assert np.isfinite(runs.value).all()
    assert runs.cleaning.rows_used == count <= runs.cleaning.rows_read or "WANDB_CHART" in {
        note.id for note in runs.notes
    }
    said = [*runs.columns, *runs.extra, *runs.labels, *runs.metadata.values()]
    said += [text for labels in runs.labels.values() for text in labels]
    said += [note.text for note in runs.notes]
    said += [note.reason for note in (*runs.cleaning.dropped, *runs.cleaning.changed)]
    for text in said:
        assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text), text


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
@example(b"\x1f\x8b")
@example(b"\xff\xfe\x00")
@example(b"\xff\xfe\x00\x00")
def test_any_bytes(content):
    read(content)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text(text):
    read(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(VALID),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 8), st.sampled_from([b"", *PIECES])), max_size=4
    ),
    st.booleans(),
)
def test_logs_that_were_damaged(text, damages, zipped):
    content = text.encode()
    for place, cut, piece in damages:
        at = int(place * len(content))
        content = content[:at] + piece + content[at + cut :]
    read(gzip.compress(content) if zipped else content)


@pytest.mark.slow
def test_many_damaged_logs():
    generator = random.Random(20261124)
    for _ in range(5000):
        content = bytearray(generator.choice(VALID).encode() * generator.choice((1, 1, 2)))
        for _ in range(generator.randrange(6)):
            at = generator.randrange(len(content) + 1)
            content[at : at + generator.randrange(6)] = generator.choice(PIECES)
        read(bytes(content))


SIZES = st.floats(1e3, 1e12, allow_nan=False).map(lambda x: float(f"{x:.6g}"))
LOSSES = st.floats(0.01, 20.0, allow_nan=False).map(lambda x: float(f"{x:.6g}"))
TABLES = st.lists(st.tuples(SIZES, SIZES, LOSSES), min_size=1, max_size=12, unique=True)


def as_csv(rows, delimiter=","):
    lines = [delimiter.join(("params", "tokens", "loss"))]
    lines += [delimiter.join(repr(v) for v in row) for row in rows]
    return "\n".join(lines) + "\n"


def as_records(rows):
    return [dict(zip(("params", "tokens", "loss"), row, strict=True)) for row in rows]


def from_text(text):
    return load_runs(["-"], stdin=io.BytesIO(text.encode()))


@settings(max_examples=100, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_fingerprint(rows, generator):
    shuffled = list(rows)
    generator.shuffle(shuffled)
    assert from_text(as_csv(rows)).fingerprint == from_text(as_csv(shuffled)).fingerprint


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_every_format_gives_the_same_runs(rows):
    records = as_records(rows)
    yaml = "runs:\n" + "".join(
        "- {" + ", ".join(f"{k}: {v!r}" for k, v in r.items()) + "}\n" for r in records
    )
    lines = "".join(json.dumps(r) + "\n" for r in records)
    texts = [as_csv(rows), as_csv(rows, "\t"), yaml, json.dumps(records, indent=1), lines]
    found = [from_text(text) for text in texts]
    expected = [list(column) for column in zip(*rows, strict=True)]
    for runs in found:
        assert [runs.column(r).tolist() for r in ("params", "tokens", "value")] == expected
        assert runs.fingerprint == found[0].fingerprint


@settings(max_examples=100, deadline=None)
@given(TABLES, st.sampled_from([("{:,.0f}", ","), ("{:_.0f}", ","), ("{:.0f} params", ",")]))
def test_ways_to_write_a_count(rows, way):
    form, delimiter = way
    whole = [(round(p), round(t), v) for p, t, v in rows]
    text = delimiter.join(("params", "tokens", "loss")) + "\n"
    text += "".join(f'"{form.format(p)}",{t},{v!r}\n' for p, t, v in whole)
    assert from_text(text).column("params").tolist() == [
        float(p) for i, (p, t, v) in enumerate(whole) if (p, t, v) not in whole[:i]
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**9), LOSSES), min_size=2, max_size=9, unique=True))
def test_decimal_commas_and_points_agree(rows):
    points = "params;loss\n" + "".join(f"{p};{v:.4f}\n" for p, v in rows if f"{v:.4f}" > "0.0000")
    commas = points.replace(".", ",")
    grouped = "params;loss\n" + "".join(
        f"{p:,};{v:.4f}\n".replace(",", "_").replace(".", ",").replace("_", ".")
        for p, v in rows
        if f"{v:.4f}" > "0.0000"
    )
    expected = from_text(points)
    assert from_text(commas).fingerprint == expected.fingerprint
    assert from_text(grouped).fingerprint == expected.fingerprint
