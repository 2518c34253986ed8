"""Records made by hand, with the awkward cases in them."""

from __future__ import annotations

import pytest

from scaleplan import records

_METRIC = records.Metric(name="val_loss", kind="loss", unit="nats/token")
_INTERVAL = records.Interval(level=0.9, method="case bootstrap, 1000 resamples", n=30)
_NOTES = (
    records.Note(
        id="FEW_RUNS",
        severity="warning",
        text="30 runs carry 5 parameters",
        action="Train more runs.",
        numbers=(("runs", 30.0), ("parameters", 5.0)),
        source="a rule",
    ),
    records.Note(id="FLOPS_DERIVED", severity="info", text="flops = 6 N D"),
)
_ASSUMPTIONS = (
    records.Assumption(name="FLOP per token", value=6.0, unit="FLOP", source="Kaplan 2020"),
    records.Assumption(name="tokenizer", value="not stated"),
)


def make_accelerator(**changes):
    values = {
        "id": "h100_sxm_80gb", "name": "H100 SXM", "vendor": "NVIDIA", "year": 2022,
        "peak_tflops": 989.4, "memory_gib": 80.0, "memory_bandwidth_gbs": 3350.0, "tdp_w": 700.0,
        "power_w": None, "power_source": "",
        "inter_node_gbs": 50.0, "intra_node_gbs": 450.0, "matmul_efficiency": 0.8,
        "utilisation_class": "h100", "usd_per_hour": 2.5, "usd_low": 1.5, "usd_high": 4.0,
        "price_date": "2025-06", "price_source": "a list", "source": "a datasheet",
        "unverified": ("tdp_w",), "note": "",
    }  # fmt: skip
    return records.Accelerator(**{**values, **changes})


def make_point(**changes):
    values = {
        "params": 1e10, "tokens": 2e11, "flops": 1.2e22, "input_value": None, "value": 2.1234567,
        "low": 2.05, "high": 2.2, "decades_beyond_data": 0.824, "mean_low": 2.1, "mean_high": 2.15,
    }  # fmt: skip
    return records.ForecastPoint(**{**values, **changes})


def make_forecast(**changes):
    values = {
        "fit_name": "fit of runs.csv", "law": "chinchilla",
        "input_columns": ("params", "tokens"),
        "formula": "L = 1.817 + 477.8/N^0.3473 + 2143/D^0.3672", "metric": _METRIC,
        "points": (make_point(),), "interval": _INTERVAL, "notes": _NOTES,
        "assumptions": _ASSUMPTIONS,
    }  # fmt: skip
    return records.Forecast(**{**values, **changes})


def make_row(**changes):
    values = {
        "gpus": 1000, "gpu": "h100_sxm_80gb", "mfu": 0.38, "efficiency": 0.93, "ideal_days": 0.14,
        "days_low": 0.31, "days": 0.37, "days_high": 0.52, "gpu_hours": 8880.0, "usd": 22200.0,
        "usd_low": 13320.0, "usd_high": 35520.0, "energy_kwh": 8100.0, "tco2": 3.6,
        "memory_gib_per_gpu": 41.3, "fits": True, "layout": "data 125 x tensor 8",
        "batch_tokens": 4e6,
    }  # fmt: skip
    return records.PlanRow(**{**values, **changes})


def make_plan(**changes):
    values = {
        "params": 1e10, "active_params": 1e10, "tokens": 2e11, "flops": 1.2e22,
        "forecast": make_forecast(), "rows": (make_row(gpus=500), make_row()),
        "accelerators": (make_accelerator(),),
        "optimum": records.OptimumRow(
            flops=1.2e22, params=9e9, params_low=None, params_high=None, tokens=2.2e11, value=2.12,
            low=2.04, high=2.19,
        ),
        "notes": _NOTES, "assumptions": _ASSUMPTIONS,
    }  # fmt: skip
    return records.Plan(**{**values, **changes})


def make_cleaning(**changes):
    values = {
        "files": ("runs.csv",), "rows_read": 45, "rows_used": 30,
        "dropped": tuple(
            records.RowNote(file="runs.csv", line=line, reason="loss is -1", run=f"run{line}")
            for line in range(2, 17)
        ),
        "changed": (),
        "columns": (
            records.ColumnUse(role="params", column="n_model", how="guessed"),
            records.ColumnUse(role="loss", column="val_loss", how="given"),
        ),
    }  # fmt: skip
    return records.Cleaning(**{**values, **changes})


def make_fit(**changes):
    values = {
        "name": "fit of runs.csv", "source": "fitted", "law": "chinchilla",
        "formula": "L = 1.817 + 477.8/N^0.3473 + 2143/D^0.3672", "inputs": ("params", "tokens"),
        "input_columns": ("n_model", "tokens"), "metric": _METRIC, "complement": False,
        "main": records.LawFit(
            law="chinchilla", theta=(1.817, 477.8, 0.3473, 2143.0, 0.3672), covariance=None,
            noise=0.003, dof=25, residual="log",
        ),
        "alternatives": (), "objectives": (),
        "parameters": (
            records.Parameter(
                symbol="E", meaning="irreducible loss", value=1.817, low=1.75, high=1.88,
                unit="nats/token",
            ),
            records.Parameter(
                symbol="A", meaning="size of the first term", value=477.8, low=None, high=None,
                unit="", at_bound=True, method="profile likelihood",
            ),
        ),
        "interval": _INTERVAL,
        "quality": records.Quality(
            runs=30, objective_name="sum of Huber(delta=0.001)", objective=0.01, rmse_log=0.0031,
            noise=0.003, starts=120, starts_agreeing=118, condition=4321.0,
        ),
        "optimum": (
            records.OptimumRow(
                flops=1e21, params=2.6e9, params_low=2e9, params_high=3.4e9, tokens=6.4e10,
                value=2.31, low=2.28, high=2.35, tokens_low=4.9e10, tokens_high=8.3e10,
                tokens_per_param_low=14.4, tokens_per_param_high=41.7, params_valley_low=1.5e9,
                params_valley_high=4.4e9,
            ),
        ),
        "optimum_interval": _INTERVAL,
        "candidates": (
            records.Candidate(
                law="chinchilla", rmse_log=0.0031, aicc=0.0, backtest_rmse_log=0.01,
                verdict="chosen", reason="lowest error on larger runs",
            ),
        ),
        "widening": records.Widening(
            share=0.1, change=0.2, weights=(1.0,), decades_tested=1.2, cuts=5, errors=40,
            median_error=0.012,
            bins=(
                records.BackTestBin(
                    decades_low=0.0, decades_high=0.5, forecasts=25, median_error=0.009,
                    inside=0.96,
                ),
                records.BackTestBin(
                    decades_low=0.5, decades_high=1.2, forecasts=15, median_error=None, inside=0.8
                ),
            ),
        ),
        "ranges": (records.Range(role="params", low=3e7, high=3e9),),
        "flops_per_param_token": 6.0, "cleaning": make_cleaning(), "notes": _NOTES,
        "assumptions": _ASSUMPTIONS, "fingerprint": "abc", "seed": 0, "version": "0.1.0",
    }  # fmt: skip
    return records.Fit(**{**values, **changes})


class Make:
    """The makers under one name, so that a test takes one fixture."""

    accelerator = staticmethod(make_accelerator)
    cleaning = staticmethod(make_cleaning)
    fit = staticmethod(make_fit)
    forecast = staticmethod(make_forecast)
    plan = staticmethod(make_plan)
    point = staticmethod(make_point)
    row = staticmethod(make_row)


@pytest.fixture
def make():
    return Make
