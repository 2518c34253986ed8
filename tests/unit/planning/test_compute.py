import pytest

from scaleplan.planning.compute import accelerator_hours, attention_flops, training_flops


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


@pytest.mark.parametrize(
    ("params", "layers", "width", "length", "share"),
    [
        (8.03e9, 32, 4096, 8192, 0.13), (70.6e9, 80, 8192, 8192, 0.08),
        (405e9, 126, 16384, 8192, 0.04), (175e9, 96, 12288, 2048, 0.014),
    ],
)  # fmt: skip
def test_causal_attention_beside_6nd(params, layers, width, length, share):
    extra = attention_flops(1.0, layers=layers, width=width, sequence_length=length)
    assert extra / training_flops(params, 1.0) == pytest.approx(share, abs=0.006)


def test_the_full_score_matrix_is_twice_the_causal_half():
    shape = {"layers": 2, "width": 3, "sequence_length": 5}
    assert attention_flops(7, causal=False, **shape) == 2 * attention_flops(7, **shape)
