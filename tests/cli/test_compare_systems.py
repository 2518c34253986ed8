"""`compare` of systems: two or more logs, or the values of one column."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

A = (1.8, 480.0, 0.34, 2100.0, 0.37)
GAMMA = 0.34 * 0.37 / 0.71


def better(times: float) -> tuple[float, ...]:
    """Return A for a system whose compute is worth so many times that of A."""
    floor, size, alpha, data, beta = A
    return (floor, size * times**-GAMMA, alpha, data * times**-GAMMA, beta)


def rows_of(theta, *, runs=30, seed=0, noise=0.005, ratio=None, scale=1.0):
    rng = np.random.default_rng(seed)
    params = scale * 10 ** rng.uniform(7, 9, runs)
    tokens = params * (10 ** rng.uniform(0.7, 2.0, runs) if ratio is None else ratio)
    floor, size, alpha, data, beta = theta
    loss = floor + size / params**alpha + data / tokens**beta
    loss = loss * np.exp(noise * rng.standard_normal(runs))
    return [f"{n:.6g},{d:.6g},{v:.8g}" for n, d, v in zip(params, tokens, loss, strict=True)]


@pytest.fixture
def log(tmp_path):
    def write(name, theta, **how):
        path = tmp_path / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        text = "params,tokens,loss\n" + "\n".join(rows_of(theta, **how)) + "\n"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def document(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def ids(found):
    return {note["id"] for note in found["notes"]}


def test_a_known_multiplier_is_found_by_both_forms(invoke, log):
    one, two = log("adamw", A, seed=1), log("muon", better(2.0), seed=2)
    found = document(invoke("compare", one, two, "--format", "json"))
    assert found["schema"] == "scaleplan.systems/1"
    assert (found["reference"], found["form"], found["law"]) == ("adamw", "shared", "chinchilla")
    assert [system["name"] for system in found["systems"]] == ["adamw", "muon"]
    assert len(found["multipliers"]) == 4
    for row in found["multipliers"]:
        assert row["low"] < 2.0 < row["high"]
        assert row["free"]["low"] < 2.0 < row["free"]["high"]
        assert row["high"] / row["low"] < 1.5
        assert row["verdict"] == "better"
        assert row["reference_flops"] / row["flops"] == pytest.approx(row["multiplier"])
    # Multiplying both terms by 2^-gamma is as much as multiplying N and D by these.
    worth = found["systems"][1]["worth"]
    assert worth["rho_N"]["low"] < 2.0 ** (GAMMA / 0.34) < worth["rho_N"]["high"]
    assert worth["rho_D"]["low"] < 2.0 ** (GAMMA / 0.37) < worth["rho_D"]["high"]
    assert "SHARED_FORM_HOLDS" in ids(found)
    assert found["test"]["rejected"] is False
    assert found["crossings"] == [] or not any(row["supported"] for row in found["crossings"])


def test_the_reference_is_chosen_by_name(invoke, log):
    one, two = log("adamw", A, seed=1), log("muon", better(2.0), seed=2)
    found = document(invoke("compare", one, two, "--reference", "muon", "--format", "json"))
    assert [system["name"] for system in found["systems"]] == ["muon", "adamw"]
    assert all(row["low"] < 0.5 < row["high"] for row in found["multipliers"])
    assert all(row["verdict"] == "worse" for row in found["multipliers"])


def test_values_of_a_column_are_systems_and_small_ones_are_left_out(invoke, tmp_path):
    path = tmp_path / "all.csv"
    rows = [
        f"{row},{name}"
        for seed, (name, times, runs) in enumerate(
            [("adamw", 1.0, 30), ("muon", 1.5, 30), ("soap", 0.5, 24), ("lion", 1.0, 4)], start=1
        )
        for row in rows_of(better(times), seed=seed, runs=runs)
    ]
    path.write_text("params,tokens,loss,optimizer\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = document(
        invoke("compare", path, "--by", "optimizer", "--reference", "adamw", "--format", "json")
    )
    assert found["by"] == "optimizer"
    by_name = {}
    for row in found["multipliers"]:
        by_name.setdefault(row["system"], []).append(row)
    assert set(by_name) == {"muon", "soap"}
    assert all(row["low"] < 1.5 < row["high"] for row in by_name["muon"])
    assert all(row["low"] < 0.5 < row["high"] for row in by_name["soap"])
    (refused,) = [note for note in found["notes"] if note["id"] == "GROUP_REFUSED"]
    assert refused["text"].startswith("lion: 4 usable runs cannot fix the 5 parameters")
    assert found["law"] == "chinchilla"
    assert found["cleaning"]["rows_used"] == 88


def test_other_floors_are_said_aloud_and_make_losses_unreachable(invoke, log):
    one = log("short", (2.2, *A[1:]), seed=1, noise=0.002)
    two = log("long", (1.7, 620.0, 0.34, 2700.0, 0.37), seed=2, noise=0.002)
    found = document(invoke("compare", one, two, "--target-loss", "2.0", "--format", "json"))
    assert found["form"] == "free"
    assert {"SHARED_FORM_REJECTED", "FLOORS_DIFFER", "LOSS_NOT_REACHED"} <= ids(found)
    row = found["multipliers"][-1]
    assert (row["at"], row["verdict"]) == ("target_loss", "reached by it alone")
    assert (row["multiplier"], row["reference_flops"], row["reference_reaches"]) == (None, None, 0)
    assert row["flops"] > 0.0
    rising = [row["multiplier"] for row in found["multipliers"][:-1]]
    assert rising == sorted(rising)
    table = invoke("compare", one, two, "--target-loss", "1.5").stdout
    assert "not reached" in table
    # The curves cross once, where the difference of floors is that of the reducible parts.
    floors, parts = 2.2 - 1.7, (620.0 / 480.0) - 1.0
    (crossing,) = found["crossings"]
    assert crossing["supported"] is True
    assert (crossing["better_below"], crossing["better_above"]) == ("short", "long")
    assert crossing["flops_low"] < crossing["flops"] < crossing["flops_high"]
    assert crossing["value"] == pytest.approx(2.2 + floors / parts, rel=0.1)


def test_a_target_in_compute_of_the_reference(invoke, log):
    one, two = log("a", A, seed=1), log("b", better(3.0), seed=2)
    found = document(invoke("compare", one, two, "--target-flops", "1e20", "--format", "json"))
    row = found["multipliers"][-1]
    assert row["at"] == "target_flops"
    assert row["reference_flops"] == pytest.approx(1e20, rel=1e-6)
    assert row["low"] < 3.0 < row["high"]


def test_runs_on_one_ray_are_compared_along_compute(invoke, log):
    one = log("a", A, seed=1, ratio=20, runs=14, noise=0.002)
    two = log("b", better(1.6), seed=2, ratio=20, runs=14, noise=0.002)
    found = document(invoke("compare", one, two, "--format", "json"))
    assert found["law"] == "power_floor"
    assert "SYSTEMS_ALONG_COMPUTE" in ids(found)
    assert all(row["low"] < 1.6 < row["high"] for row in found["multipliers"])
    assert found["systems"][1]["worth"]["rho"]["value"] == pytest.approx(1.6, rel=0.1)


@pytest.mark.parametrize("size", ["tokens", "params"])
def test_logs_of_one_size_alone_are_compared_along_it(invoke, tmp_path, size):
    x = np.geomspace(1e8, 1e11, 10)
    rng = np.random.default_rng(0)
    rows = [
        f"{name},{one:.6g},{1.8 + 2000.0 / (worth * one) ** 0.37 + noise:.6f}"
        for name, worth in (("a", 1.0), ("b", 0.5))
        for one, noise in zip(x, 0.003 * rng.standard_normal(10), strict=True)
    ]
    log = tmp_path / "runs.csv"
    log.write_text("\n".join([f"optimizer,{size},loss", *rows]) + "\n", encoding="utf-8")
    found = document(invoke("compare", log, "--by", "optimizer", "--format", "json"))
    assert found["resource"] == size
    assert found["systems"][1]["worth"]["rho"]["value"] == pytest.approx(0.5, rel=0.1)
    assert f"along {size} alone" in next(
        note["text"] for note in found["notes"] if note["id"] == "SYSTEMS_ALONG_COMPUTE"
    )


def test_logs_without_a_size_that_varies_are_told_of_input(invoke, tmp_path):
    log = tmp_path / "runs.csv"
    rows = [f"{name},1e9,{3.0 - 0.1 * k}" for name in "ab" for k in range(1, 9)]
    log.write_text("\n".join(["optimizer,tokens,loss", *rows]) + "\n", encoding="utf-8")
    result = invoke("compare", log, "--by", "optimizer")
    assert result.exit_code == 3
    assert "--input COLUMN" in " ".join(result.stderr.split())


def test_rays_of_other_ratios_are_warned_of(invoke, log):
    one = log("a", A, seed=1, ratio=20, runs=14)
    two = log("b", A, seed=2, ratio=200, runs=14)
    assert "SYSTEMS_OF_OTHER_RATIOS" in ids(document(invoke("compare", one, two, "--format=json")))


def test_systems_without_a_common_loss(invoke, log):
    one, two = log("small", A, seed=1), log("large", A, seed=2, scale=1e3)
    found = document(invoke("compare", one, two, "--format", "json"))
    assert "SYSTEMS_DO_NOT_OVERLAP" in ids(found)
    assert {row["at"] for row in found["multipliers"]} == {"between"}


def test_systems_measured_otherwise_are_warned_of(invoke, tmp_path):
    for name, tokenizer, seed in (("a", "bpe", 1), ("b", "bytes", 2)):
        rows = [f"{row},{tokenizer}" for row in rows_of(A, seed=seed)]
        text = "params,tokens,loss,tokenizer\n" + "\n".join(rows) + "\n"
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    found = document(invoke("compare", tmp_path / "a.csv", tmp_path / "b.csv", "--format", "json"))
    (note,) = [note for note in found["notes"] if note["id"] == "SYSTEMS_NOT_COMPARABLE"]
    assert "b has tokenizer bytes, not bpe" in note["text"]


def test_one_input_that_is_no_compute(invoke, tmp_path):
    images = np.geomspace(100, 100_000, 14)
    for seed, (name, times) in enumerate([("plain", 1.0), ("augmented", 2.0)]):
        noise = np.exp(0.003 * np.random.default_rng(seed).standard_normal(images.size))
        error = (0.02 + 3.0 / (times * images) ** 0.5) * noise
        rows = [f"{n:.0f},{e:.8f}" for n, e in zip(images, error, strict=True)]
        text = "images,error\n" + "\n".join(rows) + "\n"
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    found = document(
        invoke("compare", tmp_path / "plain.csv", tmp_path / "augmented.csv", "--input", "images",
               "--format", "json")
    )  # fmt: skip
    assert found["resource"] == "images"
    assert all(row["low"] < 2.0 < row["high"] for row in found["multipliers"])


def test_a_folder_and_a_pattern_are_one_system_each(invoke, log, tmp_path):
    log("first/x", A, seed=1), log("first/y", A, seed=2)
    log("second/x", better(2.0), seed=3), log("second/y", better(2.0), seed=4)
    found = document(
        invoke("compare", tmp_path / "first", str(tmp_path / "second" / "*.csv"), "--format=json")
    )
    assert [system["runs"] for system in found["systems"]] == [60, 60]
    assert found["systems"][0]["name"] == "first"


def test_equal_file_names_are_told_apart_by_their_folders(invoke, log):
    one, two = log("first/runs", A, seed=1), log("second/runs", better(2.0), seed=2)
    found = document(invoke("compare", one, two, "--format", "json"))
    assert [system["name"] for system in found["systems"]] == ["first/runs", "second/runs"]


def test_tables_csv_and_markdown(invoke, log):
    one, two = log("a", A, seed=1), log("b", better(2.0), seed=2)
    table = invoke("compare", one, two)
    assert "Multiplier of training compute over a" in table.stdout
    assert "not rejected: the shared form answers" in table.stdout
    rows = list(csv.DictReader(io.StringIO(invoke("compare", one, two, "--format=csv").stdout)))
    assert [row["system"] for row in rows] == ["b"] * 4
    assert float(rows[0]["low"]) < 2.0 < float(rows[0]["high"])
    assert "| multiplier |" in invoke("compare", one, two, "--format", "markdown").stdout


def test_the_same_seed_gives_the_same_bytes(invoke, log):
    one, two = log("a", A, seed=1), log("b", better(2.0), seed=2)
    first = invoke("compare", one, two, "--format", "json", "--seed", "3").stdout
    assert invoke("compare", one, two, "--format", "json", "--seed", "3").stdout == first
    assert invoke("compare", one, two, "--format", "json", "--seed", "4").stdout != first


def test_the_picture_shows_systems_and_crossing(invoke, log, tmp_path):
    one = log("short", (2.2, *A[1:]), seed=1, noise=0.002)
    two = log("long", (1.7, 620.0, 0.34, 2700.0, 0.37), seed=2, noise=0.002)
    picture = tmp_path / "systems.svg"
    assert invoke("compare", one, two, "--plot", picture).exit_code == 0
    drawn = picture.read_text(encoding="utf-8")
    for text in ("short, 90%", "long, 90%", "crossing", "no difference"):
        assert text in drawn


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("a", "a"), 2, "is given twice"),
        (("a", "b", "--reference", "aa"), 2, "there is no system 'aa'; there are a, b"),
        (("a", "b", "--law", "chinchilla,coupled"), 2, "compared by one law, not by 2"),
        (("a", "b", "--law", "kaplan"), 2, "not compared by the kaplan law; allowed are chinchil"),
        (("a", "b", "--flops", "1e20"), 2, "--flops plays no part where systems are compared"),
        (("a", "b", "--objective", "log"), 2, "--objective plays no part"),
        (("a", "--target-loss", "2"), 2, "--target-loss is for systems side by side"),
        (("a", "--reference", "a"), 2, "--reference is for systems side by side"),
        (("a", "b", "--resamples", "5"), 2, "5 resamples are too few"),
        (("a", "empty"), 3, "empty.csv"),
        (("a", "few"), 4, "few: 5 usable runs cannot fix the 5 parameters"),
        (("a", "fewer"), 4, "fewer: 8 runs are too few for an interval"),
        (("labelled", "--by", "recipe"), 3, "all runs have recipe = one; two or more"),
        (("labelled", "--by", "recip"), 2, "recip"),
    ],
)
def test_what_is_refused(invoke, log, tmp_path, arguments, code, message):
    log("a", A, seed=1), log("b", better(2.0), seed=2)
    log("few", A, seed=3, runs=5), log("fewer", A, seed=3, runs=8)
    (tmp_path / "empty.csv").write_text("params,tokens,loss\n", encoding="utf-8")
    rows = [f"{row},one" for row in rows_of(A, seed=4)]
    text = "params,tokens,loss,recipe\n" + "\n".join(rows) + "\n"
    (tmp_path / "labelled.csv").write_text(text, encoding="utf-8")
    files = {path.stem: path for path in tmp_path.glob("*.csv")}
    first = next((i for i, each in enumerate(arguments) if each.startswith("--")), len(arguments))
    given = [*(files[each] for each in arguments[:first]), *arguments[first:]]
    result = invoke("compare", *given)
    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    assert "hint:" in result.stderr


def test_a_copy_under_another_name_is_the_same_system(invoke, log):
    one, two = log("a", A, seed=1), log("copy", A, seed=1)
    result = invoke("compare", one, two)
    assert result.exit_code == 2
    assert "a and copy hold the same runs" in result.stderr


def test_runs_that_do_not_carry_the_law_are_refused(invoke, log, tmp_path):
    good, flat = log("good", A, seed=1), tmp_path / "flat.csv"
    rng = np.random.default_rng(0)
    rows = [
        f"{10 ** rng.uniform(7, 9):.6g},{10 ** rng.uniform(9, 11):.6g},{rng.uniform(2.9, 3.1):.4f}"
        for _ in range(20)
    ]
    flat.write_text("params,tokens,loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("compare", good, flat)
    assert result.exit_code == 4
    assert "flat: " in result.stderr


@pytest.mark.parametrize(
    ("runs", "family", "method"),
    [
        (30, False, "bootstrap of the runs of each system"),
        (12, False, "wild bootstrap in each system"),
        (60, True, "bootstrap of the clusters of runs of each system"),
    ],
)
def test_how_runs_are_drawn_again(invoke, tmp_path, runs, family, method):
    paths = [tmp_path / f"{name}.csv" for name in "ab"]
    for seed, path in enumerate(paths):
        head = "params,tokens,loss" + (",family" if family else "")
        rows = [
            row + (f",f{i // 2}" if family else "")
            for i, row in enumerate(rows_of(better(1.0 + seed), seed=seed, runs=runs))
        ]
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    found = document(invoke("compare", *paths, "--format", "json"))
    assert found["interval"]["method"].startswith(method)
    assert all(row["low"] < 2.0 < row["high"] for row in found["multipliers"])


def test_an_accuracy_is_compared_by_its_error(invoke, tmp_path):
    images = np.geomspace(100, 100_000, 14)
    for seed, (name, times) in enumerate([("plain", 1.0), ("augmented", 2.0)]):
        noise = np.exp(0.003 * np.random.default_rng(seed).standard_normal(images.size))
        accuracy = 1.0 - (0.02 + 3.0 / (times * images) ** 0.5) * noise
        rows = [f"{n:.0f},{a:.8f}" for n, a in zip(images, accuracy, strict=True)]
        text = "images,accuracy\n" + "\n".join(rows) + "\n"
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    paths = (tmp_path / "plain.csv", tmp_path / "augmented.csv")
    given = ("--input", "images", "--target-loss", "0.9")
    found = document(invoke("compare", *paths, *given, "--format", "json"))
    assert found["complement"] is True
    assert found["multipliers"][-1]["metric_value"] == pytest.approx(0.1)
    assert all(row["low"] < 2.0 < row["high"] for row in found["multipliers"])
    assert "1 - accuracy" in invoke("compare", *paths, *given).stdout


def test_a_loss_and_an_accuracy_are_no_pair(invoke, log, tmp_path):
    other = tmp_path / "scored.csv"
    rows = [f"{n:.0f},{20 * n:.0f},{0.3 + 0.02 * i:.3f}" for i, n in enumerate([1e7, 2e7, 4e7])]
    other.write_text("params,tokens,accuracy\n" + "\n".join(rows) + "\n", encoding="utf-8")
    result = invoke("compare", log("a", A, seed=1), other)
    assert result.exit_code == 3
    assert "different kinds (a: loss, scored: accuracy)" in result.stderr
