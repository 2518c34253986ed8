"""Numbers that papers and their code print, reproduced from the published parameters."""

from __future__ import annotations

import pytest

from scaleplan.catalog import published_law
from scaleplan.laws import get_law
from scaleplan.planning.allocation import least_flops, optimal_split, optimal_tokens
from scaleplan.planning.forecast import forecast
from scaleplan.planning.published import fit_from_published

CHINCHILLA = get_law("chinchilla")


def law_of(name):
    return fit_from_published(published_law(name))


@pytest.mark.parametrize(
    ("flops", "params", "tokens", "loss"),
    [(5.88e23, 7.3016e10, 1.3422e12, 1.97386), (1e21, 2.7785e9, 5.9985e10, 2.30553)],
)
def test_besiroglu_optimum(flops, params, tokens, loss):
    # Besiroglu et al. 2024, table 1, in the closed form of Hoffmann et al. 2022, equation 4.
    fit = law_of("besiroglu")
    point = forecast(fit, flops=[flops]).points[0]
    assert point.params == pytest.approx(params, rel=1e-4)
    assert point.tokens == pytest.approx(tokens, rel=1e-4)
    assert point.value == pytest.approx(loss, rel=1e-5)


def test_hoffmann_rounded_optimum():
    fit = law_of("hoffmann_2022_rounded")
    params, tokens = optimal_split(fit, 5.76e23)
    assert params == pytest.approx(3.219e10, rel=1e-3)
    assert tokens / params == pytest.approx(92.65, rel=1e-3)


@pytest.mark.parametrize(
    ("params", "tokens", "loss"), [(70e9, 1.4e12, 1.93665), (280e9, 300e9, 1.99326)]
)
def test_hoffmann_losses_of_chinchilla_and_gopher(params, tokens, loss):
    fit = law_of("hoffmann_2022_rounded")
    point = forecast(fit, params=[params], tokens=[tokens]).points[0]
    assert point.value == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "params", "tokens", "waste"),
    [
        ("besiroglu", 280e9, 300e9, 2.012),
        ("besiroglu", 70e9, 1.4e12, 1.0006),
        ("besiroglu", 175e9, 300e9, 1.6445),
        ("hoffmann_2022_rounded", 280e9, 300e9, 3.935),
        ("hoffmann_2022_rounded", 70e9, 1.4e12, 1.195),
    ],
    ids=["gopher", "chinchilla", "gpt3", "gopher-hoffmann", "chinchilla-hoffmann"],
)
def test_compute_waste_of_published_models(name, params, tokens, waste):
    fit = law_of(name)
    loss = forecast(fit, params=[params], tokens=[tokens]).points[0].value
    assert 6 * params * tokens / least_flops(fit, loss) == pytest.approx(waste, rel=1e-3)


@pytest.mark.parametrize(("params", "loss"), [(1e8, 2.82996), (1e9, 2.37564), (1e10, 1.99425)])
def test_kaplan_loss_of_params(params, loss):
    point = forecast(law_of("kaplan_n"), params=[params]).points[0]
    assert point.value == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize(("tokens", "loss"), [(1e9, 2.81564), (1e10, 2.26244), (3e11, 1.63776)])
def test_kaplan_loss_of_tokens(tokens, loss):
    point = forecast(law_of("kaplan_d"), tokens=[tokens]).points[0]
    assert point.value == pytest.approx(loss, abs=1e-5)


def test_published_standard_errors_follow_from_the_shipped_covariance():
    # Besiroglu et al. 2024, table 1.
    published = published_law("besiroglu_2024")
    errors = [published.covariance[k][k] ** 0.5 for k in (0, 1, 2, 4)]
    assert errors == pytest.approx([0.026, 124.58, 0.0154, 0.0206], rel=0.04)


def test_optimal_tokens_inverts_the_optimal_split():
    fit = law_of("besiroglu")
    params, tokens = optimal_split(fit, 1e23)
    assert optimal_tokens(fit, params) == pytest.approx(tokens, rel=1e-9)


# Hoffmann et al. 2022, table 3 (approach 1): params, FLOP, tokens.
TABLE_3 = [
    (400e6, 1.92e19, 8.0e9), (1e9, 1.21e20, 20.2e9), (10e9, 1.23e22, 205.1e9),
    (67e9, 5.76e23, 1.5e12), (175e9, 3.85e24, 3.7e12), (280e9, 9.90e24, 5.9e12),
    (520e9, 3.43e25, 11.0e12), (1e12, 1.27e26, 21.2e12), (10e12, 1.30e28, 216.2e12),
]  # fmt: skip


@pytest.mark.parametrize(("params", "flops", "tokens"), TABLE_3)
def test_six_n_d_is_the_convention_of_table_3(params, flops, tokens):
    assert 6 * params * tokens == pytest.approx(flops, rel=0.05)
