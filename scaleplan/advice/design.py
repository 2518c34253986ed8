"""What the design of the runs cannot tell: narrow ranges, inputs that move together, valleys."""

from __future__ import annotations

from collections.abc import Iterator

from scaleplan.fitting.noise import NO_NOISE
from scaleplan.laws import get_law
from scaleplan.records import Fit, Note
from scaleplan.units import format_percent, format_significant

# Thresholds from 80 simulated designs at 0.5% noise (own calculation, 2026): the spread of D/N
# identifies the split of compute, the range of each input the level of the loss.
_DECADES = 1.0
_RATIO_DECADES = 0.3
_CORRELATION = 0.97
# Starts that end further apart than this are in different valleys.
_OBJECTIVE, _PARAMS = 1e-4, 0.10
_SOURCE = "own simulation of 80 designs, 2026"


def narrow_ranges(fit: Fit) -> Iterator[Note]:
    """Warn when an input varies over less than a decade, or tokens per parameter hardly at all."""
    found = fit.quality.identifiability if fit.quality is not None else None
    if found is None or not fit.main.theta or get_law(fit.law).residual != "log":
        return
    decades = dict(found.decades)
    narrow = {r: d for r, d in decades.items() if r in fit.inputs and d < _DECADES}
    if narrow:
        said = " and ".join(
            f"{role} over {format_significant(d, 2)} decades" for role, d in narrow.items()
        )
        yield Note(
            id="NARROW_RANGE", severity="warning",
            text=f"The runs span {said} only: less than the one decade that an exponent needs.",
            action="Train smaller runs too, they are cheap; or forecast a short way only.",
            numbers=tuple((f"decades_{role}", d) for role, d in narrow.items()), source=_SOURCE,
        )  # fmt: skip
    ratio = decades.get("tokens_per_param")
    if ratio is not None and ratio < _RATIO_DECADES:
        yield Note(
            id="NARROW_RATIOS", severity="warning",
            text=f"Tokens per parameter span {format_significant(ratio, 2)} decades only; the "
            "split of compute between parameters and tokens rests on their spread.",
            action="Train runs at other ratios of tokens to parameters.",
            numbers=(("decades_tokens_per_param", ratio),), source=_SOURCE,
        )  # fmt: skip


def inputs_move_together(fit: Fit) -> Iterator[Note]:
    """Warn when the two inputs are nearly collinear; beyond 0.995 the fit was refused."""
    found = fit.quality.identifiability if fit.quality is not None else None
    if found is None or found.correlation is None or abs(found.correlation) <= _CORRELATION:
        return
    yield Note(
        id="NEARLY_COLLINEAR", severity="warning",
        text=f"{' and '.join(fit.input_columns[:2])} move together (correlation of logs "
        f"{found.correlation:.4f}): their exponents can hardly be told apart.",
        action="Train runs at other ratios of tokens to parameters.",
        numbers=(("correlation", found.correlation),), source=_SOURCE,
    )  # fmt: skip


def several_valleys(fit: Fit) -> Iterator[Note]:
    """Warn when the best three starts ended at different objectives or optimal sizes."""
    found = fit.quality.identifiability if fit.quality is not None else None
    if found is None or found.starts_objective is None:
        return
    params = found.starts_params or 0.0
    if found.starts_objective <= _OBJECTIVE and params <= _PARAMS:
        return
    sizes = f" and {format_percent(params, 2)} in N*" if found.starts_params is not None else ""
    yield Note(
        id="STARTS_DISAGREE", severity="warning",
        text="The best three starts ended at different optima: they differ by "
        f"{format_percent(found.starts_objective, 2)} in the objective{sizes}.",
        action="The best one is reported. Compare the forecasts under --delta 0.001 and "
        "--delta 0.01, or fit a law with fewer parameters.",
        numbers=(("starts_objective", found.starts_objective), ("starts_params", params)),
    )  # fmt: skip


def noise_free(fit: Fit) -> Iterator[Note]:
    """Say when runs follow the law to all digits, as no real ones do."""
    if fit.quality is None or not fit.main.theta or fit.quality.rmse_log is None:
        return
    if fit.quality.rmse_log < NO_NOISE and fit.quality.runs > len(fit.main.theta):
        yield Note(
            id="NOISE_FREE", severity="info",
            text=f"The runs follow the law to {format_percent(fit.quality.rmse_log, 2)}. Trained "
            "models scatter by 0.1% or more between seeds: these values seem to be computed, and "
            "the intervals hold no noise.",
            numbers=(("rmse_log", fit.quality.rmse_log),),
        )  # fmt: skip


DESIGN_RULES = (narrow_ranges, inputs_move_together, several_valleys, noise_free)
