import pytest

from scaleplan.planning.compute import accelerator_hours, training_flops


def test_six_flop_a_parameter_and_token():
    # Chinchilla 70B on 1.4T tokens: 5.88e23 (Hoffmann et al. 2022, table 3, rounds to 5.76e23).
    assert training_flops(70e9, 1.4e12) == pytest.approx(5.88e23)
    assert training_flops(70e9, 1.4e12, flops_per_param_token=8) == pytest.approx(7.84e23)


def test_h100_hours_of_1e23_flop():
    hours = accelerator_hours(1e23, peak_tflops=989.5, utilisation=0.4)
    assert hours == pytest.approx(70_181, rel=1e-4)


def test_days_of_gpt3_by_the_authors_own_formula():
    # Narayanan et al. 2021, section 5.1: 8 T P / (n X) with 140 TFLOP/s on 1024 GPUs is 34 days.
    flops = training_flops(175e9, 300e9, flops_per_param_token=8)
    hours = accelerator_hours(flops, peak_tflops=140, utilisation=1)
    assert hours / 1024 / 24 == pytest.approx(34, abs=0.2)
