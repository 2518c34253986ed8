"""Results as objects: a record with its document, its table and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scaleplan.api.numbers import Number, number, numbers
from scaleplan.errors import UsageError

if TYPE_CHECKING:
    from scaleplan.records import CurveCheck, Fit, Forecast, ForecastPoint, Note, Plan
    from scaleplan.render.formats import Result
    from scaleplan.runs.table import Runs


@dataclass(frozen=True, slots=True)
class Shown:
    """A result with its record."""

    record: Any

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what there is to say about it."""
        found: tuple[Note, ...] = self.record.notes
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `--format json` prints, as Python values."""
        from scaleplan.render.formats import document_of

        shown: Result = self._shown()
        return document_of(shown)

    def to_frame(self) -> Any:  # noqa: ANN401 - pandas is not needed to import this
        """Return the main table as a pandas data frame.

        Raises:
            UsageError: If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UsageError("to_frame needs pandas", hint="pip install pandas") from None
        import io

        return pd.read_csv(io.StringIO(self.to_csv()))

    def to_csv(self) -> str:
        """Return the main table as CSV text."""
        from scaleplan.render.plain import render_csv

        return render_csv(self.to_dict())

    def _shown(self) -> Any:  # noqa: ANN401 - each result has its own record
        return self.record

    def __str__(self) -> str:
        """Return what the command prints."""
        import io

        from scaleplan.render.formats import render

        return render(self._shown(), "table", io.StringIO())


class RunSet(Shown):
    """Cleaned runs."""

    record: Runs

    def __len__(self) -> int:
        return len(self.record)

    def save(self, path: str) -> None:
        """Write the runs as .csv, .yaml or .parquet, read back as the same runs."""
        from scaleplan.runfile import save_runs

        save_runs(self.record, path)

    def _shown(self) -> Any:  # noqa: ANN401
        from scaleplan.render.runs_view import RunsShown

        return RunsShown(runs=self.record, notes=self.record.notes)


class Prediction(Shown):
    """Forecasts; of a single one `value`, `low` and `high` are at hand."""

    record: Forecast

    @property
    def points(self) -> tuple[ForecastPoint, ...]:
        """Return all forecasts."""
        return self.record.points

    @property
    def point(self) -> ForecastPoint:
        """Return the only forecast.

        Raises:
            UsageError: If there are several.
        """
        if len(self.record.points) != 1:
            count = len(self.record.points)
            raise UsageError(f"{count} points were predicted", hint="Use .points for all of them.")
        return self.record.points[0]

    @property
    def value(self) -> float:
        """Return the predicted metric."""
        return self.point.value

    @property
    def low(self) -> float | None:
        """Return the lower bound of a new run; None where it is not known."""
        return self.point.low

    @property
    def high(self) -> float | None:
        """Return the upper bound of a new run; None where it is not known."""
        return self.point.high


class FitResult(Shown):
    """A fitted or published law."""

    record: Fit

    @property
    def law(self) -> str:
        """Return the law's name."""
        return self.record.law

    @property
    def parameters(self) -> dict[str, float]:
        """Return the parameters by symbol."""
        return {p.symbol: p.value for p in self.record.parameters}

    def predict(
        self, *, params: Number | Sequence[Number] = (), tokens: Number | Sequence[Number] = (),
        flops: Number | Sequence[Number] = (), at: Number | Sequence[Number] = (),
        **others: Number,
    ) -> Prediction:  # fmt: skip
        """Forecast runs that were not trained.

        Args:
            params: Model sizes; with tokens every combination is predicted.
            tokens: Training tokens.
            flops: Training compute in FLOP; alone, the compute-optimal split.
            at: Values of the single input of a law of one column.
            **others: Further inputs of the law by role, such as `level`; and `unique_tokens`,
                which tells what repeated tokens are worth.

        Raises:
            UsageError: If the points do not give what the law needs.
        """
        from scaleplan.advice import concerning, forecast_notes
        from scaleplan.advice.repeats import repeated_points
        from scaleplan.planning.forecast import forecast
        from scaleplan.planning.repeats import knowing
        from scaleplan.records.advice import joined_notes

        sizes, data = numbers(params), numbers(tokens)
        besides = {role: number(v) for role, v in others.items()}
        fit = knowing(self.record, besides)
        found = forecast(
            fit, params=sizes, tokens=data, flops=numbers(flops), inputs=numbers(at),
            others=besides,
        )  # fmt: skip
        notes = joined_notes(
            found.notes, forecast_notes(found, fit), tuple(repeated_points(found, fit)),
            concerning(fit, found.points, best_size=not (sizes or data)),
        )  # fmt: skip
        return Prediction(replace(found, notes=notes))

    def save(self, path: str) -> None:
        """Keep the fit as a YAML file for `load_fit`, predict and budget."""
        from scaleplan.fitfile import save_fit

        save_fit(self.record, path)


class PlanResult(Shown):
    """A training plan."""

    record: Plan


class CheckResult(Shown):
    """Verdicts on training curves."""

    record: CurveCheck

    @property
    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each run by its name."""
        return {run.run: run.verdict for run in self.record.runs}
