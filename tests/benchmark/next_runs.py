"""How much surer forecasts get by planned runs than by a ladder, on truths that the law has or not.

    python tests/benchmark/next_runs.py [--reps 30] [--seed 0] [--shares 0.4,0.6] [--bands 6,25]
        [--smaller 0.3,1]

A pilot of 9 runs from 1e17 to 1e18 FLOP, noise 0.5%, is fitted; 2e19 FLOP more are spent in several
ways; the law is fitted again to all runs, and the compute-optimal run of 1e22 FLOP is forecast: by
the additive law, by the coupled one, by the coupled one where k = 1 is rejected at 0.05, and as
`fit --update` does (`by test`): by the one of them that the runs show, fitted without the runs
smaller than the pilot where these do not lie on one law with the others.
The baseline is a ladder: runs with 20 tokens per parameter, each 3 times the compute of the one
below. `besiroglu` is an additive truth, `coupled` and `strong` are coupled ones, `farseer` is
neither. The last line of each has the mean share of the budget that the anchor was given at least.
--shares, --bands and --smaller add designs with other shares for the anchor, other bands of tokens
per parameter, and other shares of the pilot's smallest run as the least: what the defaults were
chosen from, with seed 0.
"""

from __future__ import annotations

import argparse
import math
import sys
import time

import numpy as np
from scipy.optimize import minimize_scalar

from scaleplan.fitting.fitted import fit_law
from scaleplan.fitting.forms import coupling_p
from scaleplan.laws import get_law
from scaleplan.planning.next_runs_anchor import ANCHOR_SHARES, choose_runs
from scaleplan.planning.next_runs_beliefs import beliefs_at, form_of
from scaleplan.planning.next_runs_candidates import RATIO_BAND, candidates, naive_sets, runs_of
from scaleplan.planning.next_runs_target import SMALLER
from scaleplan.planning.update import COUPLED_BELOW
from scaleplan.planning.update_small import SMALL_RUNS_BELOW, small_runs_p, smaller

NOISE, K = 0.005, 6.0
CHEAPEST, BUDGET, TARGET = 1e17, 2e19, 1e22
MOST = 30  # the default of `scaleplan next --runs`
LAWS = ("chinchilla", "coupled")
COLUMNS = (*LAWS, "p < 0.05", "by test")
NEXT = "scaleplan next"


def farseer(params, tokens):
    """Return the loss by the Farseer law with its published constants (arXiv 2506.10972)."""
    floor = np.exp(-0.062465473 * params**0.13 + 0.1284880679)
    size = np.exp(230.73437 * params**-0.1729 - 1.544209554)
    return floor + size * tokens ** -np.exp(-1.665630816 * params**0.0459 + 3.133347199)


def additive(params, tokens):
    return 1.8172 + 482.01 / params**0.3478 + 2085.43 / tokens**0.3658


def coupled(params, tokens, k=0.7):
    """Return a coupled law of about the same loss as the additive one."""
    return 1.6 + (1200.0 / params**0.42 + 5200.0 / tokens**0.44) ** k


def strongly_coupled(params, tokens):
    """Return a law with the extreme coupling of k = 0.45."""
    return 1.2 + (2.2e4 / params**0.62 + 3.6e5 / tokens**0.68) ** 0.45


TRUTHS = {
    "besiroglu": additive,
    "farseer": farseer,
    "coupled": coupled,
    "strong": strongly_coupled,
}


def best_ratio(truth, flops):
    def loss(log_n):
        n = np.float64(math.exp(log_n))
        return float(truth(n, np.float64(flops / K / n)))

    found = minimize_scalar(loss, bounds=(math.log(1e6), math.log(1e13)), method="bounded")
    n = math.exp(found.x)
    return n, flops / K / n


def pilot(rng, truth):
    flops = np.repeat([CHEAPEST, 3e17, 1e18], 3)
    ratio = np.tile([5.0, 20.0, 80.0], 3)
    params = np.sqrt(flops / K / ratio)
    tokens = flops / K / params
    return observed(rng, truth, params, tokens)


def observed(rng, truth, params, tokens):
    loss = truth(params, tokens) * np.exp(NOISE * rng.standard_normal(params.size))
    return np.stack([params, tokens]), loss


def designed(
    pilot_inputs, pilot_loss, target, seed, *, shares=ANCHOR_SHARES, band=RATIO_BAND,
    smaller=SMALLER,
):  # fmt: skip
    """Return the runs that `scaleplan next` would propose, and the anchor's least share."""
    fits = [fit_law(get_law(name), pilot_inputs, pilot_loss).record() for name in LAWS]
    believed = [f for f in (form_of(fit, value=1.0, weight=1.0) for fit in fits) if f]
    if not believed:
        return None, math.nan
    ratio = target[1] / target[0]
    pool = candidates(
        cheapest=smaller * CHEAPEST, dearest=BUDGET, ratio=ratio, count=400,
        flops_per_param_token=K, band=band, least=tuple(smaller * pilot_inputs.min(axis=1)),
    )  # fmt: skip
    anchors = runs_of(np.array(shares) * BUDGET, np.full(len(shares), ratio), K)
    places = [len(pool) + place for place in range(len(shares))]
    pool = pool.joined(anchors)
    beliefs = beliefs_at(believed, pool.params, pool.tokens, target=target, seed=seed)
    anchor, rows = choose_runs(beliefs, pool.flops, BUDGET, anchors=places, fewest=1, most=MOST)
    return pool.take(rows), float(pool.flops[anchor]) / BUDGET


def strategies(inputs, loss, target, seed, asked):
    """Return the runs of each strategy by its name, and the anchor's least share."""
    naive = naive_sets(BUDGET, ratio=target[1] / target[0], flops_per_param_token=K, dearest=1e30)
    found = {"no new runs": None, **{name: runs for name, _, runs in naive}}
    for share in numbers(asked.shares):
        found[f"share {share:g}"], _ = designed(inputs, loss, target, seed, shares=(share,))
    for band in numbers(asked.bands):
        found[f"band {band:g}"], _ = designed(inputs, loss, target, seed, band=band)
    for least in numbers(asked.smaller):
        found[f"smaller {least:g}"], _ = designed(inputs, loss, target, seed, smaller=least)
    found[NEXT], share = designed(inputs, loss, target, seed)
    return found, share


def numbers(text):
    return [float(part) for part in text.split(",") if part]


def forecasts(inputs, loss, target):
    """Return ln of the forecast by each law, by a test of the form, and as `fit --update` does."""
    fitted = [fit_law(get_law(name), inputs, loss) for name in LAWS]
    found = [forecast(one, target) for one in fitted]
    p = coupling_p(*fitted)
    whole = fitted[int(p < COUPLED_BELOW)]
    return [*found, found[int(p < 0.05)], forecast(without_small(whole, inputs, loss), target)]


def forecast(fitted, target):
    return math.log(float(fitted.predict(np.array(target)[:, None])[0]))


def without_small(whole, inputs, loss):
    """Return the fit, or that of the other runs where the smallest do not lie on one with them."""
    least = (*inputs[:, :9].min(axis=1), CHEAPEST)  # of the pilot
    for small in smaller(inputs[0], inputs[1], K * inputs[0] * inputs[1], least):
        if (~small).sum() < 9:
            continue
        upper = [fit_law(get_law(name), inputs[:, ~small], loss[~small]) for name in LAWS]
        other = upper[int(coupling_p(*upper) < COUPLED_BELOW)]
        if small_runs_p(whole, other, small) < SMALL_RUNS_BELOW:
            return other
    return whole


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reps", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--truths", default=",".join(TRUTHS))
    parser.add_argument("--shares", default="", help="further designs: shares for the anchor")
    parser.add_argument("--bands", default="", help="further designs: bands of the ratio")
    parser.add_argument("--smaller", default="", help="further designs: least shares of the pilot")
    asked = parser.parse_args()
    for name in asked.truths.split(","):
        truth = TRUTHS[name]
        target = best_ratio(truth, TARGET)
        goal = math.log(float(truth(*map(np.float64, target))))
        errors, counts, shares = {}, {}, []
        start = time.perf_counter()
        for rep in range(asked.reps):
            rng = np.random.default_rng([asked.seed, rep])
            inputs, loss = pilot(rng, truth)
            plans, share = strategies(inputs, loss, target, rep, asked)
            shares.append(share)
            for strategy, runs in plans.items():
                both, all_loss = inputs, loss
                if runs is not None:
                    new, new_loss = observed(
                        np.random.default_rng([asked.seed, rep, 1]), truth, runs.params, runs.tokens
                    )
                    both = np.concatenate([inputs, new], axis=1)
                    all_loss = np.concatenate([loss, new_loss])
                got = [f - goal for f in forecasts(both, all_loss, target)]
                errors.setdefault(strategy, []).append(got)
                counts.setdefault(strategy, []).append(0 if runs is None else len(runs))
        took = time.perf_counter() - start
        print(f"{name}: {asked.reps} repetitions in {took:.0f} s", file=sys.stderr, flush=True)
        print(f"truth {name}: target N {target[0]:.3g}, D {target[1]:.3g}; rms error of ln loss")
        print(f"  {'':16s} {'runs':>5s} " + " ".join(f"{n:>10s}" for n in COLUMNS))
        rms = {s: np.sqrt(np.mean(np.square(rows), axis=0)) for s, rows in errors.items()}
        for strategy, values in rms.items():
            shown = " ".join(f"{value:10.4f}" for value in values)
            print(f"  {strategy:16s} {np.mean(counts[strategy]):5.1f} {shown}")
        better = " ".join(f"{v:10.2f}" for v in rms["ladder"] / rms[NEXT])
        print(f"  {'ladder/next':16s} {'':5s} {better}  anchor {np.mean(shares):.2f}", flush=True)


if __name__ == "__main__":
    main()
