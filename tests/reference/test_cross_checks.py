"""Cross-checks of public sweeps: isoFLOP minima, influential runs, the best of each size.

Skipped where the data folder is absent; see public_data.py.
"""

from __future__ import annotations

import numpy as np
import pytest
from public_data import FOLDER, PUBLIC_DATA_IS_HERE, columns

from scaleplan.fitting.api import fit
from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.isoflop import Sweep, by_minima, isoflop_minima
from scaleplan.fitting.leave_out import influences
from scaleplan.fitting.recipe import Recipe
from scaleplan.laws import get_law
from scaleplan.runs.reading import load_runs

pytestmark = pytest.mark.skipif(not PUBLIC_DATA_IS_HERE, reason="public sweeps are not here")


def isoflop_sweep():
    params, tokens, flops, loss = columns(
        "llama3_isoflop.csv", "params", "tokens", "budget_flops", "loss"
    )
    return Sweep(params, tokens, flops, loss)


def test_llama3_isoflop_minima():
    # Grattafiori et al. 2024 (arXiv 2407.21783): D* = 0.29 C^0.53; 402B parameters on 16.55T tokens
    # at 3.8e25 FLOP, from parabolas as here.
    minima = isoflop_minima(isoflop_sweep())
    assert [m.status for m in minima] == ["used"] * 10
    law = by_minima(minima, [3.8e25], 0.9)
    assert law.tokens_exponent == pytest.approx(0.5322, abs=1e-3)
    assert law.tokens_exponent_low < 0.53
    assert law.tokens_exponent_high > 0.537
    assert law.sizes[0].params == pytest.approx(402e9, rel=0.04)
    assert law.sizes[0].tokens == pytest.approx(16.55e12, rel=0.08)


def test_llama3_isoflop_parabolas_over_all_points(monkeypatch):
    # Every run of each budget, the refit of the published method: exponent 0.5368, 393B, 16.1T.
    monkeypatch.setattr("scaleplan.fitting.isoflop.NEAR_FACTOR", 1e9)
    law = by_minima(isoflop_minima(isoflop_sweep()), [3.8e25], 0.9)
    assert law.tokens_exponent == pytest.approx(0.5368, abs=5e-4)
    assert law.sizes[0].params == pytest.approx(393e9, rel=0.005)
    assert law.sizes[0].tokens == pytest.approx(16.1e12, rel=0.005)


def test_hoffmann_isoflop_minima():
    # Hoffmann et al. 2022, table 2: N* grows as C^0.49 by approach 2; these runs are read off a
    # figure.
    params, tokens, flops, loss = columns(
        "chinchilla_runs.csv", "params", "tokens", "flops", "loss"
    )
    law = by_minima(isoflop_minima(Sweep(params, tokens, flops, loss)), [5.76e23], 0.9)
    assert law.params_exponent == pytest.approx(0.49, abs=0.03)


def test_the_under_trained_runs_of_hoffmann_are_found_influential():
    # The five runs that Besiroglu et al. leave out are among those with the fewest tokens per
    # parameter; with them D/N is 6.8 instead of 17.9 at 5.88e23 FLOP.
    params, tokens, loss = columns("chinchilla_runs.csv", "params", "tokens", "loss")
    fitted = fit_law(
        get_law("chinchilla"), np.stack([params, tokens]), loss, recipe=Recipe(delta=1e-3)
    )
    found = influences(
        fitted, [f"run {i}" for i in range(245)], budget=5.88e23, flops_per_param_token=6.0
    )
    assert "fewest tokens per parameter" in found[0].without
    assert found[0].params_without < 0.75 * found[0].params


def test_the_best_run_of_each_size_of_a_learning_rate_grid():
    # Li et al. 2025 (arXiv 2503.04715): 17 sizes; 117 rows without a loss, 181 diverged.
    runs = load_runs([str(FOLDER / "lr_batch_grid.csv")], best_of_each=())
    assert len(runs) == 17
    assert runs.cleaning.rows_read == 2028
    assert len(runs.cleaning.dropped) == 2011
    assert runs.value.max() < 3.0
    found = fit(runs, resamples=0)
    assert found.law == "chinchilla"
    assert found.quality.rmse_log < 0.02
    proposal = load_runs([str(FOLDER / "lr_batch_grid.csv")]).notes
    assert any(n.id == "BEST_OF_PROPOSED" and "17 groups" in n.text for n in proposal)
