"""The report in a real Chromium: it fits phones and desktops, is readable, and fetches nothing."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

pytest.importorskip("matplotlib")

CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)  # fmt: skip
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.slow,
]
NAME = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"

# A page around the report: the report itself allows no script. A frame has its own width, below
# the least width of a window.
CHECKER = """<!doctype html><meta charset="utf-8"><title>checker</title><body>
<pre id="found"></pre><script>
const found = {};
function look(width, frame) {
  const page = frame.contentDocument, root = page.documentElement;
  const wide = [...page.querySelectorAll('body *')].filter(e => !e.closest('.scroll, svg')
    && e.getBoundingClientRect().right > width + 1).map(e => e.tagName + ' ' + e.className);
  const thin = [...page.querySelectorAll('dd')].filter(e => e.clientWidth < 120).length;
  const style = frame.contentWindow.getComputedStyle(page.body);
  found[width] = {
    scroll: root.scrollWidth, client: root.clientWidth, wide, thin, title: page.title,
    scripts: page.querySelectorAll('script, img, iframe, link, object').length,
    text: page.body.innerText, svgs: page.querySelectorAll('svg').length,
    ink: style.color, paper: style.backgroundColor,
    fetched: frame.contentWindow.performance.getEntriesByType('resource').map(e => e.name),
  };
}
[375, 1280].forEach(width => {
  const frame = document.createElement('iframe');
  frame.style.cssText = `border:0;height:900px;width:${width}px`;
  frame.onload = () => look(width, frame);
  frame.src = 'report.html';
  document.body.append(frame);
});
addEventListener('load', () => {
  document.getElementById('found').textContent = 'FOUND' + JSON.stringify(found) + 'END';
});
</script></body>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a report of a log whose names are markup, with the page that looks at it."""
    from typer.testing import CliRunner

    from scaleplan.cli.app import app

    folder = tmp_path_factory.mktemp("report")
    name = NAME.replace('"', '""')
    rows = [
        "run,params,tokens,flops,val<b>loss,very_long_name_of_a_column_that_plays_no_part_at_all"
    ]
    for i, params in enumerate((1e6, 3e6, 1e7, 3e7, 1e8)):
        for j, tokens in enumerate((1e8, 4e8, 1.6e9, 6e9)):
            loss = 1.8 + 480.0 / params**0.35 + 2100.0 / tokens**0.37
            # One run lies far off, so that a note names it.
            loss *= 1.3 if (i, j) == (2, 2) else 1.0 + 0.002 * ((7 * i + 11 * j) % 5 - 2)
            rows.append(f'"{name}{i}{j}",{params},{tokens},{6 * params * tokens},{loss},{i + j}')
    log = folder / "runs.csv"
    log.write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = CliRunner().invoke(app, [
        "report", str(log), "--metric", "val<b>loss", "--params", "10B", "--tokens", "200B",
        "--gpus", "64,256", "--gpu", "h100,a100", "--resamples", "50", "-q",
        "-o", str(folder / "report.html"),
    ])  # fmt: skip
    assert done.exit_code == 0, done.output
    (folder / "checker.html").write_text(CHECKER, encoding="utf-8")
    return folder


def look(folder, tmp_path, scheme):
    """Return what the checking page found at each width, and what the browser's console said."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}",
            "--allow-file-access-from-files", "--enable-logging=stderr",
            "--window-size=1400,1000", f"--blink-settings=preferredColorScheme={scheme}",
            "--virtual-time-budget=20000", "--dump-dom", (folder / "checker.html").as_uri(),
        ],
        capture_output=True, encoding="utf-8", errors="replace", timeout=120, check=True,
    )  # fmt: skip
    told = re.search(r"FOUND(.*)END</pre>", done.stdout, re.DOTALL)
    assert told, done.stdout[:500] + done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(html.unescape(told[1])), console


def luminance(colour):
    parts = [int(n) / 255.0 for n in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )  # fmt: skip
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("scheme", "dark"), [(0, True), (1, False)])
def test_a_report_reads_at_phone_and_desktop_width(folder, tmp_path, scheme, dark):
    found, console = look(folder, tmp_path, scheme)
    assert console == []
    assert set(found) == {"375", "1280"}
    for width, page in found.items():
        assert page["client"] == int(width)
        assert page["scroll"] <= page["client"]
        assert page["wide"] == []
        assert page["thin"] == 0
        assert page["fetched"] == []
        assert page["scripts"] == 0
        assert page["title"] == "scaleplan report"
        assert "<script>document.title='run'</script><img src=x" in page["text"]
        assert "val<b>loss" in page["text"]
        assert page["svgs"] >= 6
        ink, paper = luminance(page["ink"]), luminance(page["paper"])
        assert (paper < 0.1) is dark
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 7.0  # WCAG 2.2, level AAA
