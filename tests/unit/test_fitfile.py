"""A fit file is written whole, reads back as it was, and is refused when it is not whole."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from records_for_tests import fit_like, score_fit

from scaleplan.errors import ExitCode, InputError
from scaleplan.fitfile import SCHEMA, is_fit_file, load_fit, save_fit
from scaleplan.records import Note


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "fit.yaml"
    save_fit(fit_like(), str(target))
    return target


@pytest.mark.parametrize("fit", [fit_like(), score_fit()], ids=["chinchilla", "linear"])
def test_round_trip(fit, tmp_path):
    target = tmp_path / "fit.yaml"
    save_fit(fit, str(target))
    assert load_fit(str(target)) == fit


def test_texts_from_logs_survive(tmp_path):
    note = Note(id="X", severity="info", text="a: [b] 'c' \"d\" #e \n yes 1e5 012 – ∞")
    fit = replace(fit_like(), notes=(note, note))
    save_fit(fit, str(tmp_path / "fit.yaml"))
    assert load_fit(str(tmp_path / "fit.yaml")).notes == (note, note)


def test_no_anchors_and_plain_floats(path):
    text = path.read_text(encoding="utf-8")
    assert "&id" not in text
    assert text.startswith(f"schema: {SCHEMA}\n")
    assert yaml.safe_load(text)["main"]["theta"][1] == 482.01


def test_is_fit_file(path, tmp_path):
    other = tmp_path / "runs.yaml"
    other.write_text("runs: []\n", encoding="utf-8")
    assert is_fit_file(str(path))
    assert not is_fit_file(str(other))
    assert not is_fit_file(str(tmp_path / "absent.yaml"))


def refused(path, match):
    with pytest.raises(InputError, match=match) as caught:
        load_fit(str(path))
    assert caught.value.exit_code == ExitCode.INPUT
    assert caught.value.hint
    return caught.value


def test_another_schema(path):
    path.write_text(
        path.read_text(encoding="utf-8").replace(SCHEMA, "scaleplan.fit-file/9"), encoding="utf-8"
    )
    refused(path, "scaleplan.fit-file/9")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_cut_off(path, share):
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: int(len(text) * share)], encoding="utf-8")
    refused(path, "complete|whole")


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        ("law: chinchilla", "law: nonsense", "nonsense"),
        ("- 482.01", "- many", "theta"),
        ("complement: false", "complement: 3", "complement"),
        ("kind: loss", "kind: lost", "lost"),
    ],
)
def test_edited_into_nonsense(path, before, after, match):
    text = path.read_text(encoding="utf-8")
    if before not in text:
        pytest.skip(f"{before} does not occur in this file")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    refused(path, match)


def test_garbage(tmp_path):
    target = tmp_path / "fit.yaml"
    target.write_bytes(b"schema: scaleplan.fit-file/1\n\xff\xfe")
    refused(target, "not text")
    target.write_text("schema: " + SCHEMA + "\na: &a [1]\nb: *a\n", encoding="utf-8")
    refused(target, "aliases")
    target.write_text("schema: " + "[" * 5000, encoding="utf-8")
    refused(target, "whole YAML")
    target.write_text("[" * 5000, encoding="utf-8")
    refused(target, "no saved fit")
    refused(tmp_path / "absent.yaml", "cannot be read")


def test_an_unwritable_place(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        save_fit(fit_like(), str(tmp_path / "no" / "fit.yaml"))
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save_fit(fit_like(), str(folder))
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_failed_write_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(InputError, match="No space left"):
        save_fit(fit_like(seed=7), str(path))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this machine has no /dev/full")
def test_a_device_is_written_to_and_stays_one(tmp_path):
    with pytest.raises(InputError, match="No space left"):
        save_fit(fit_like(), "/dev/full")
    assert Path("/dev/full").is_char_device()
    save_fit(fit_like(), os.devnull)
    assert Path(os.devnull).is_char_device()


def test_through_a_link_the_file_is_written_and_the_link_stays(tmp_path):
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o600)
    link.symlink_to(real)
    save_fit(fit_like(), str(link))
    assert link.is_symlink()
    assert load_fit(str(real)) == fit_like()
    assert real.stat().st_mode & 0o777 == 0o600


def test_a_file_from_before_a_field_was_added_reads_with_its_default(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    del document["optimum_interval"]
    for parameter in document["parameters"]:
        del parameter["method"]
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    assert load_fit(str(path)) == fit_like()
