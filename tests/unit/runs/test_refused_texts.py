"""Texts in which no metric is found: the error says what the text is not, and what to do."""

from __future__ import annotations

import pytest

from scaleplan.errors import InputError, UsageError
from scaleplan.runs.reading import load_runs
from scaleplan.runs.series import load_curves

NO_NAMES = (
    'softmax,100,128,0.01,2.37,"[22.5, 13.8, 3.9]",3.9\nneg,100,128,0.02,2.55,"[6, 4, 1]",1\n'
)


@pytest.mark.parametrize("name", ["train.log", "notes.md", "out.txt", "log"])
@pytest.mark.parametrize(
    "text",
    ["INFO:root:quality 0.5 : 0.6795, overall : 0.3657\n",
     "  - Step 0: Quality is `10.5` | worse\n  - *Step 1:* quality\n",
     "INFO : round 1: 2.3\nINFO : round 2: 2.1\n"],
)  # fmt: skip
def test_messages_without_a_known_metric_are_not_called_bad_yaml(tmp_path, text, name):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no line holds a metric that is known") as raised:
        load_runs([str(tmp_path / name)])
    assert (raised.value.line, "(read as YAML: " in raised.value.message) == (None, True)
    assert "--pattern" in (raised.value.hint or "")


def test_what_is_called_yaml_is_told_what_is_wrong_with_it(tmp_path):
    path = tmp_path / "runs.yaml"
    path.write_text("a: b: c\n", encoding="utf-8")
    with pytest.raises(InputError, match="is not valid YAML"):
        load_runs([str(path)])


@pytest.mark.parametrize("read", [load_runs, load_curves])
def test_a_table_without_a_line_of_names_is_told_so(tmp_path, read):
    path = tmp_path / "train_log.csv"
    path.write_text(NO_NAMES, encoding="utf-8")
    with pytest.raises(InputError, match="the first line has numbers where the names") as raised:
        read([str(path)])
    assert "Add a first line with a name for each column" in (raised.value.hint or "")
    with pytest.raises(UsageError, match="the first line has numbers where the names") as asked:
        read([str(path)], metric="quality")
    assert "Add a first line with a name for each column" in (asked.value.hint or "")


@pytest.mark.parametrize("names", ["step,14b,1.7B,70M", "step,a,b,2024", "name,quality"])
def test_other_names_are_not_taken_for_numbers(tmp_path, names):
    path = tmp_path / "log.csv"
    row = ",".join("1" for _ in names.split(","))
    path.write_text(f"{names}\n{row}\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match="the columns are"):
        load_runs([str(path)])


@pytest.mark.parametrize("name", ["metrics.jsonl", "runs.csv", "trainer_state.json", "train.log"])
def test_a_pointer_of_git_lfs_is_told(tmp_path, name):
    (tmp_path / name).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:64eaaa6c4af4\nsize 2529\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="a pointer of Git LFS") as raised:
        load_runs([str(tmp_path / name)])
    assert raised.value.file is not None
    assert "git lfs pull" in (raised.value.hint or "")
