"""Federated trainings as Flower prints them: round by round, or each metric with all its rounds."""

from __future__ import annotations

import pytest

from scaleplan.runs.series import load_curves

ROUNDS = range(1, 7)


def loss(at, more=0.0):
    return round(4.0 * (at + 1) ** -0.4 + more, 4)


def pairs(values):
    return f"[{', '.join(f'({at}, {value})' for at, value in zip(ROUNDS, values, strict=True))}]"


LOSSES = [loss(at) for at in ROUNDS]
SHARES = [round(0.1 * at, 1) for at in ROUNDS]
STARTED = (
    "INFO flwr 2024-01-21 14:49:32,538 | server.py:104 | FL starting\n"
    "DEBUG flwr 2024-01-21 14:49:37,538 | server.py:222 | fit_round 1: strategy sampled 2 clients\n"
)
ONE_LINE = (
    f"{STARTED}INFO flwr 2024-01-21 14:58:38,542 | app.py:226 | app_fit: losses_distributed "
    f"{pairs(LOSSES)}\n"
    "INFO flwr 2024-01-21 14:58:38,542 | app.py:228 | app_fit: metrics_distributed "
    f"{{'accuracy': {pairs(SHARES)}}}\n"
    "INFO flwr 2024-01-21 14:58:38,542 | app.py:229 | app_fit: losses_centralized []\n"
)
HISTORY = (
    "INFO :      [ROUND 1]\nINFO :      configure_fit: strategy sampled 10 clients (out of 10)\n"
    "INFO :      [SUMMARY]\nINFO :      Run finished 6 round(s) in 80.12s\n"
    "INFO :      \tHistory (loss, distributed):\n"
    + "".join(f"INFO :      \t\tround {at}: {loss(at)}\n" for at in ROUNDS)
    + "INFO :      \tHistory (metrics, distributed, evaluate):\n"
    + "INFO :      \t{'accuracy': [(1, 0.1),\n"
    + "".join(f"INFO :      \t              ({at}, 0.{at}),\n" for at in range(2, 6))
    + "INFO :      \t              (6, 0.6)]}\nINFO :      \n"
)
PROGRESS = STARTED + "".join(
    f"INFO flwr 2024-01-21 14:5{at}:38,538 | server.py:125 | fit progress: "
    f"({at}, {loss(at)}, {{'acc': 0.{at}}}, 45.95)\n"
    for at in ROUNDS
)


@pytest.mark.parametrize("text", [ONE_LINE, HISTORY])
def test_what_clients_measured_is_read_by_rounds(log, text):
    path = log(text)
    [curve] = load_curves([path]).curves
    assert curve.validation.at.tolist() == [*ROUNDS]
    assert curve.validation.value.tolist() == LOSSES
    [shares] = load_curves([path], metric="val accuracy of clients").curves
    assert shares.validation.value.tolist() == SHARES


@pytest.mark.parametrize("text", [PROGRESS, PROGRESS + ONE_LINE])
def test_what_the_server_measured_each_round_is_read_once(log, text):
    [curve] = load_curves([log(text)]).curves
    assert curve.axis == "step"
    assert curve.validation.at.tolist() == [*ROUNDS]
    assert curve.validation.value.tolist() == LOSSES


def test_the_server_comes_before_its_clients_and_zeros_are_no_losses(log):
    zeros = pairs([0.0] * 6)
    text = ONE_LINE.replace("losses_centralized []", f"losses_centralized {pairs(SHARES)}")
    [curve] = load_curves([log(text)]).curves
    assert curve.validation.value.tolist() == SHARES
    [curve] = load_curves([log(ONE_LINE.replace(pairs(LOSSES), zeros))]).curves
    assert curve.validation.value.tolist() == SHARES


def test_metrics_of_fitting_are_those_of_training(log):
    trained = f"app_fit: metrics_distributed_fit {{'loss': {pairs(SHARES)}}}\n"
    text = ONE_LINE.replace("app_fit: losses_centralized []\n", trained)
    [curve] = load_curves([log(text)]).curves
    assert curve.training.value.tolist() == SHARES
    assert curve.validation.value.tolist() == LOSSES
