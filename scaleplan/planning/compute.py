"""How many floating-point operations a training run takes."""

from __future__ import annotations

# 2 FLOP a parameter and token forward, 4 backward (Kaplan et al. 2020, arXiv 2001.08361, sec. 2.1).
FLOPS_PER_PARAM_TOKEN = 6.0
# With full recomputation the forward pass comes twice, 8 FLOP for 6 (Narayanan et al. 2021, arXiv
# 2104.04473, section 5.1). 530B on 2,240 A100 had an MFU of 42.1% with it and 54.2% with little of
# it, 1.29 times (Korthikanti et al. 2022, arXiv 2205.05198).
FULL_RECOMPUTE = 4.0 / 3.0
_SECONDS_PER_HOUR = 3600.0
_FLOPS_PER_TFLOP = 1e12


def training_flops(
    active_params: float, tokens: float, *, flops_per_param_token: float = FLOPS_PER_PARAM_TOKEN
) -> float:
    """Return C = k N D.

    Args:
        active_params: Parameters that one token passes through, without the input embedding.
        tokens: Training tokens.
        flops_per_param_token: k; 6 for forward and backward of a transformer.
    """
    return flops_per_param_token * active_params * tokens


def accelerator_hours(flops: float, *, peak_tflops: float, utilisation: float) -> float:
    """Return the accelerator-hours of a run: C / (peak x utilisation).

    Args:
        flops: Model FLOP, not those of recomputation.
        peak_tflops: Dense peak of one accelerator, TFLOP/s.
        utilisation: Model-FLOP utilisation, above 0 and at most 1.
    """
    return flops / (peak_tflops * _FLOPS_PER_TFLOP * utilisation * _SECONDS_PER_HOUR)
