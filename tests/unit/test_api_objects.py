from __future__ import annotations

import json

import pytest

import scaleplan

LANGUAGE = "sample_runs/language/runs.csv"


def test_the_road_from_runs_to_a_plan(tmp_path):
    runs = scaleplan.read_runs(LANGUAGE)
    assert len(runs) == 28
    fit = scaleplan.fit(runs, resamples=0)
    assert fit.law == "coupled"
    assert fit.parameters["k"] == pytest.approx(0.4787, abs=1e-3)
    found = fit.predict(params="668640", tokens="16M")
    assert found.low < found.value < found.high
    assert fit.predict(flops=["1e13", 1e14]).points[1].flops == 1e14
    with pytest.raises(scaleplan.ScaleplanError, match="2 points"):
        _ = fit.predict(flops=[1e13, 1e14]).value
    fit.save(str(tmp_path / "fit.yaml"))
    again = scaleplan.load_fit(str(tmp_path / "fit.yaml"))
    assert again.parameters == fit.parameters
    plan = scaleplan.budget(fit=again, params="2M", gpus=[1, 8], gpu="a100")
    assert [row.gpus for row in plan.record.rows] == [1, 8]


def test_documents_are_those_of_the_commands(invoke):
    fit = scaleplan.fit(LANGUAGE, resamples=0)
    shown = json.loads(invoke("fit", LANGUAGE, "--resamples", "0", "--format", "json").stdout)
    assert fit.to_dict()["parameters"] == shown["parameters"]
    assert str(fit) == invoke("fit", LANGUAGE, "--resamples", "0").stdout
    assert fit.to_csv().startswith("symbol,value,low,high")


def test_questions_and_published_laws():
    plan = scaleplan.budget(target=2.0, gpus=512)
    assert plan.record.forecast.points[0].value == pytest.approx(2.0)
    assert scaleplan.load_fit("besiroglu_2024").predict(flops=1e22).value > 2.0
    money = scaleplan.budget(max_usd="100k", gpu=["h100", "a100"])
    assert len(money.to_dict()["offers"]) == 2


def test_curves_are_judged():
    found = scaleplan.check("sample_runs/images/epochs.csv")
    assert found.verdicts["w1-n250"] == "overfitting"


def test_frames_need_pandas():
    pandas = pytest.importorskip("pandas")
    frame = scaleplan.read_runs(LANGUAGE).to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == 28


@pytest.mark.parametrize("value", ["ten", -1, 0, float("nan")])
def test_bad_numbers_are_refused(value):
    with pytest.raises(scaleplan.ScaleplanError):
        scaleplan.budget(params=value, gpus=8)


@pytest.mark.parametrize(
    ("runs", "more", "said"),
    [
        (None, {}, "NoneType is not a set of runs"),
        ([1.0, 2.0], {}, "list is not a set of runs"),
        (LANGUAGE, {"resamples": -1}, "resamples=-1 is not allowed"),
        (LANGUAGE, {"resamples": 10.5}, "resamples=10.5 is not allowed"),
        (LANGUAGE, {"seed": -2}, "seed=-2 is not allowed"),
    ],
)
def test_what_cannot_be_fitted_is_refused(runs, more, said):
    with pytest.raises(scaleplan.ScaleplanError, match=said):
        scaleplan.fit(runs, **more)


def test_plans_and_forecasts_carry_the_warnings_of_their_fit(invoke, tmp_path):
    """The warnings that the commands give, each once."""
    kept = str(tmp_path / "fit.yaml")
    invoke("fit", LANGUAGE, "--resamples", "0", "-q", "-o", kept)
    fit = scaleplan.load_fit(kept)
    assert any(note.severity == "warning" for note in fit.notes)
    point = fit.predict(params="2M", tokens="40M")
    plan = scaleplan.budget(fit=fit, params="2M", tokens="40M", gpus=8)
    asked = ("--params", "2M", "--tokens", "40M", "--format", "json")
    commands = (("predict", kept), ("budget", "--fit", kept, "--gpus", "8"))
    for found, command in zip((point, plan), commands, strict=True):
        shown = json.loads(invoke(*command, *asked).stdout)["notes"]
        serious = {(n["id"], n["text"]) for n in shown if n["severity"] == "warning"}
        own = [(n["id"], n["text"]) for n in found.to_dict()["notes"]]
        assert serious <= set(own)
        assert len(set(own)) == len(own)
        assert "FLOPS_CONVENTION" in {note.id for note in found.notes}
    again = scaleplan.fit(LANGUAGE, resamples=0)
    assert len({(n.id, n.text) for n in again.notes}) == len(again.notes)


def test_plans_read_numbers_as_the_command_line_does():
    plain = scaleplan.budget(params="7B", tokens="1T", mfu=0.4, days=30)
    written = scaleplan.budget(params="7B", tokens="1T", mfu="40%", days="30d")
    assert written.to_dict() == plain.to_dict()


@pytest.mark.parametrize(
    "given",
    [{"mfu": "fast"}, {"mfu": 40}, {"days": "soon"}, {"days": -1}, {"price": 0}, {"mfu": [0.4]}],
)
def test_plans_refuse_what_is_no_number_by_its_name(given):
    with pytest.raises(scaleplan.ScaleplanError, match=rf"^{next(iter(given))}: "):
        scaleplan.budget(params="7B", **given)
