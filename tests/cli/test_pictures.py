from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

LANGUAGE = "sample_runs/language/runs.csv"
FIT = ("fit", LANGUAGE, "--resamples", "0", "-q")

matplotlib = pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    ("ending", "start"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")],
)
def test_every_format_is_written_alike_twice(invoke, tmp_path, ending, start):
    contents = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{ending}"
        assert invoke(*FIT, "--plot", str(path)).exit_code == 0
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(start)


def svg_texts(path):
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_the_picture_of_a_fit_has_its_axes(invoke, tmp_path):
    path = tmp_path / "fit.svg"
    invoke(*FIT, "--plot", str(path))
    texts = svg_texts(path)
    for text in ("training compute (FLOP)", "val_loss (as logged)", "Residuals", "runs",
                 "parameters", "training tokens", "1e13"):  # fmt: skip
        assert text in texts


def test_plans_forecasts_and_curves_have_pictures(invoke, tmp_path):
    for arguments, text in (
        (("budget", "--params", "7B", "--gpus", "64"), "US dollars"),
        (("budget", "--params", "7B", "--gpus", "64"), "plan"),
        (("compare", LANGUAGE, "--objective", "huber"), "back-test: larger runs from smaller ones"),
        (("predict", "besiroglu_2024", "--flops", "1e22"), "edge of the fitted runs"),
        (("predict", "besiroglu_2024", "--flops", "1e22"), "forecast"),
        (("check", "sample_runs/images/epochs.csv"), "best checkpoint"),
    ):
        path = tmp_path / "a.svg"
        assert invoke(*arguments, "-q", "--plot", str(path)).exit_code == 0
        assert text in svg_texts(path)


def test_names_are_drawn_as_they_stand(invoke, tmp_path):
    log = tmp_path / "a.csv"
    rows = "".join(f"$x^2$ <b>,{s},{2 / s + 1:.4f}\n" for s in range(1, 21))
    log.write_text("run,step,val_loss\n" + rows, encoding="utf-8")
    path = tmp_path / "a.svg"
    assert invoke("check", str(log), "-q", "--plot", str(path)).exit_code == 0
    assert any("$x^2$ &lt;b&gt;" in text for text in svg_texts(path))


def test_many_systems_with_long_names_are_all_named_below_the_panels(invoke, tmp_path):
    pytest.importorskip("matplotlib")
    rows = ["optimizer,params,tokens,loss"]
    for k in range(8):
        for flops in (1e18, 3e18, 1e19, 1e20):
            for ratio in (5, 20, 80):
                params = (flops / 6 / ratio) ** 0.5
                loss = 1.8 + 480 / params**0.34 + 2100 / (ratio * params * (1 + 0.1 * k)) ** 0.37
                rows.append(f"an optimizer of type {k},{params},{ratio * params},{loss}")
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    picture = tmp_path / "systems.svg"
    done = invoke(
        "compare", str(tmp_path / "log.csv"), "--by", "optimizer", "--resamples", "100", "--plot",
        str(picture), "-q",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    said = svg_texts(picture)
    for k in range(8):
        assert said.count(f"an optimizer of type {k}") == (1 if k == 0 else 2)


def test_unknown_endings_are_refused_before_any_work(invoke, tmp_path):
    result = invoke(*FIT, "--plot", str(tmp_path / "a.gif"))
    assert result.exit_code == 2
    assert ".png, .svg, .pdf, .html" in result.stderr
    assert invoke(*FIT, "--plot", str(tmp_path / "none" / "a.png")).exit_code == 3


def test_without_matplotlib_the_extra_is_named(invoke, tmp_path, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    result = invoke(*FIT, "--plot", str(tmp_path / "a.png"))
    assert result.exit_code == 2
    assert "pip install 'scaleplan[plot]'" in result.stderr


class Page(HTMLParser):
    """Collects what a report is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in {"src", "href", "xlink:href"} and v]


def test_a_report_stands_alone(invoke, tmp_path):
    path = tmp_path / "report.html"
    result = invoke(
        "report", LANGUAGE, "--params", "2M", "--gpus", "8", "-o", str(path), "-q",
        "--resamples", "0",
    )  # fmt: skip
    assert result.exit_code == 0
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert "script" not in page.tags
    assert all(link.startswith("#") for link in page.links)
    assert page.tags.count("svg") == 6  # three of the fit, three of the plan
    assert page.tags.count("table") >= 5
    for word in ("NARROW_RANGE", "Sources of the assumptions", "Training on h100_sxm_80gb"):
        assert word in text


def test_markup_in_a_log_stays_text_in_a_report(invoke, tmp_path):
    log = tmp_path / "a.csv"
    rows = [f"<script>alert({i})</script>,{n:g},{2 + 50 / n**0.5}"
            for i, n in enumerate((1e4, 1e5, 1e6, 1e7, 1e8, 1e9))]  # fmt: skip
    log.write_text("run,params,val<b>loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    path = tmp_path / "report.html"
    result = invoke("report", str(log), "--metric", "val<b>loss", "-o", str(path), "-q",
                    "--resamples", "0")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    text = path.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>loss" not in text
