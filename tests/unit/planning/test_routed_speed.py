"""What a mixture of experts loses of its speed grows with the parameters it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from scaleplan.catalog import accelerator, planning_default
from scaleplan.planning.throughput import half_speed_tokens
from scaleplan.planning.utilisation import base_utilisation, routed

H100 = accelerator("h100_sxm_80gb")


def test_nothing_jumps_between_a_dense_model_and_a_mixture():
    shares = np.linspace(0.01, 1.0, 400)
    moes = [routed(share, 1.0) for share in shares]
    assert moes == sorted(moes, reverse=True)
    assert max(-np.diff(moes)) < 0.01
    uses = [base_utilisation(H100, active_params=7e9, moe=moe) for moe in moes]
    assert max(np.abs(np.diff(np.log(uses)))) < 0.005


def test_the_ends_are_what_was_measured():
    dense = base_utilisation(H100, active_params=7e9, moe=0.0)
    factor = planning_default("utilisation_moe_factor").value
    # DeepSeek-V3, OLMoE and Mixtral 8x7B, by their shares of active parameters.
    for active, params in ((37e9, 671e9), (1.3e9, 6.9e9), (12.9e9, 46.7e9)):
        moe = routed(active, params)
        assert moe == 1.0
        use = base_utilisation(H100, active_params=7e9, moe=moe)
        assert use == pytest.approx(factor * dense)
        assert half_speed_tokens(moe=moe) == pytest.approx(
            planning_default("half_speed_tokens_moe").value
        )
    assert routed(7e9, 7e9) == 0.0
    assert half_speed_tokens(moe=0.0) == planning_default("half_speed_tokens_dense").value
