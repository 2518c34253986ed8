"""A column called size is params where its values are; tokens of evaluations are no training's."""

from __future__ import annotations

import json

import pytest

from scaleplan.runs.reading import load_runs

ROWS = [("70M", "2.1B", 1.31), ("160M", "4.8B", 1.20), ("410M", "12.3B", 1.09), ("1.4B", "42B", 1)]
SIZES = [7e7, 1.6e8, 4.1e8, 1.4e9]


def sweep(load, heading, sizes):
    rows = "".join(f"{n},{d},{v}\n" for n, (_, d, v) in zip(sizes, ROWS, strict=True))
    return load(f"{heading},tokens,bpb\n{rows}")


@pytest.mark.parametrize("heading", ["size", "Size", "scale", "hparams/size", "config.scale"])
def test_a_size_beside_tokens_is_params_and_said(load, note_ids, heading):
    runs = sweep(load, heading, [n for n, _, _ in ROWS])
    assert runs.column("params") == pytest.approx(SIZES)
    assert runs.has("flops")
    [use] = [use for use in runs.cleaning.columns if use.role == "params"]
    assert (use.column, use.how) == (heading, "guessed")
    [note] = [note for note in runs.notes if note.id == "INPUT_GUESSED"]
    assert heading in note.text


@pytest.mark.parametrize(
    ("heading", "sizes"),
    [("size", [71e6, 162e6, 405e6, 1.4e9]), ("size (M)", [70, 160, 410, 1400])],
)
def test_counts_and_units_in_the_heading_are_params(load, heading, sizes):
    expected = [n if n > 1e6 else n * 1e6 for n in sizes]
    assert sweep(load, heading, sizes).column("params") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("heading", "sizes"),
    [("dataset/size", [5e4, 1e5, 2e5, 4e5]), ("image.size", [224, 256, 384, 512]),
     ("batch_size", [256, 512, 1024, 2048]), ("data_size", ["70M", "160M", "410M", "1B"]),
     ("size", [224, 256, 384, 512]), ("scale", [65536, 32768, 65536, 131072]),
     ("size", [2.1e9, 4.8e9, 12.3e9, 42e9]), ("size (GB)", [70, 160, 410, 1400]),
     ("size", ["small", "base", "large", "xl"])],
)  # fmt: skip
def test_sizes_of_other_things_are_no_params(load, note_ids, heading, sizes):
    runs = sweep(load, heading, sizes)
    assert not runs.has("params")
    assert "INPUT_GUESSED" not in note_ids(runs)


def test_a_size_beside_params_stays_what_it_is(load):
    runs = load("size,params,tokens,loss\n70M,7.1e7,2e9,3\n160M,1.6e8,4e9,2.8\n")
    assert runs.column("params") == pytest.approx([7.1e7, 1.6e8])


def written(tmp_path, models, settings="hyperparameters", listed="results"):
    paths = []
    for k, (params, planned, rows) in enumerate(models):
        document = {settings: {"params": params, "tokens": planned}, listed: rows}
        paths.append(tmp_path / f"{k}.json")
        paths[-1].write_text(json.dumps(document), encoding="utf-8")
    return [str(path) for path in paths]


def test_tokens_beside_params_come_before_those_of_evaluations(tmp_path):
    def sets(loss):
        return [{"loss": loss, "tokens": 245760}, {"loss": loss - 1, "tokens": 174077952}]

    models = [(1e7, 2.1e8, sets(4.9)), (1e8, 2e9, sets(4.1)), (4e8, 8e9, sets(3.8))]
    runs = load_runs(written(tmp_path, models))
    assert runs.column("tokens") == pytest.approx(sorted([2.1e8, 2e9, 8e9] * 2))
    [note] = [note for note in runs.notes if note.id == "TOKENS_OF_SETS"]
    assert "hyperparameters/tokens" in note.text


def test_one_evaluation_set_of_all_models_is_no_training_either(tmp_path):
    models = [(n, 20 * n, [{"loss": v, "tokens": 245760}]) for n, v in ((1e7, 4.0), (1e8, 3.0))]
    assert load_runs(written(tmp_path, models)).column("tokens") == pytest.approx([2e8, 2e9])


ENDS = [2e8, 2e9]
POINTS = [5e7, 1e8, 2e8, 5e8, 1e9, 2e9]


@pytest.mark.parametrize(("step", "expected"), [(True, ENDS), (False, POINTS)])
def test_points_of_a_training_keep_their_own_tokens(tmp_path, step, expected):
    def points(end):
        shares = ((1, 4.5), (2, 4.0), (4, 3.6))
        return [{"loss": v, "tokens": end * k / 4} | ({"step": k} if step else {})
                for k, v in shares]  # fmt: skip

    models = [(1e7, 2e8, points(2e8)), (1e8, 2e9, points(2e9))]
    runs = load_runs(written(tmp_path, models, settings="config", listed="history"))
    assert runs.column("tokens") == pytest.approx(expected)
    assert "TOKENS_OF_SETS" not in {note.id for note in runs.notes}
