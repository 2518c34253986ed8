"""The effective number of experts, which the laws of mixtures of experts share."""

from __future__ import annotations

from scaleplan.laws.base import T


def effective_experts(experts: T, start: T, most: T) -> T:
    """Return E^ with 1/E^ = 1/(E - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max.

    It is E_start at one expert and levels off at E_max; Clark et al. 2022 (arXiv 2202.01169),
    section 4.3, taken over by Ludziejewski et al. 2025 (arXiv 2502.05172), equation 5.

    Args:
        experts: E, at least 1.
        start: E_start, below E_max.
        most: E_max.
    """
    value: T = 1.0 / (1.0 / (experts - 1.0 + 1.0 / (1.0 / start - 1.0 / most)) + 1.0 / most)
    return value


def effective_experts_and_slopes(experts: T, start: T, most: T) -> tuple[T, T, T]:
    """Return E^ and the derivatives of ln E^ with respect to E_start and E_max."""
    offset = 1.0 / (1.0 / start - 1.0 / most)
    reached = experts - 1.0 + offset
    value: T = 1.0 / (1.0 / reached + 1.0 / most)
    share = offset / reached
    return value, value * (share / start) ** 2, value * (1.0 - share * share) / most**2
