"""Many small symmetric systems of equations, solved side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scaleplan.runs.table import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Symmetric positive matrices as L D L^T, L having ones on its diagonal.

    Element by element: for the two or three unknowns of a shape a call of LAPACK for each matrix
    costs more than the arithmetic.

    Args:
        lower: Below the diagonal of L: row i holds its i entries, arrays that broadcast together.
        diagonal: Of D, an array a row.
    """

    lower: Sequence[Sequence[FloatArray]]
    diagonal: Sequence[FloatArray]

    @classmethod
    def of(cls, matrix: Sequence[Sequence[FloatArray]]) -> Factors:
        """Factor matrices (Golub and Van Loan, Matrix Computations, section 4.1).

        Args:
            matrix: Rows of arrays that broadcast together; what lies above the diagonal is not
                looked at.
        """
        lower: list[list[FloatArray]] = []
        diagonal: list[FloatArray] = []
        for i, row in enumerate(matrix):
            scaled: list[FloatArray] = []  # L times D
            for j in range(i):
                rest = row[j]
                for k in range(j):
                    rest = rest - scaled[k] * lower[j][k]
                scaled.append(rest)
            lower.append([one / diagonal[j] for j, one in enumerate(scaled)])
            left = row[i]
            for one, below in zip(scaled, lower[i], strict=True):
                left = left - one * below
            diagonal.append(left)
        return cls(lower, diagonal)

    def solved(self, right: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the solutions, an array an unknown.

        Args:
            right: The right-hand sides, an array a row.
        """
        found = [
            one / below for one, below in zip(self._forward(right), self.diagonal, strict=True)
        ]
        for i in reversed(range(len(found))):
            for k in range(i + 1, len(found)):
                found[i] = found[i] - self.lower[k][i] * found[k]
        return found

    def inverse_form(self, row: Sequence[FloatArray]) -> FloatArray:
        """Return x^T A^-1 x.

        Args:
            row: x, an array an entry.
        """
        first, *others = (
            one * one / below
            for one, below in zip(self._forward(row), self.diagonal, strict=True)
        )  # fmt: skip
        return sum(others, start=first)

    def last_fit(self) -> Factors:
        """Return the factors of the last of the fits, which are the last axis but one."""
        return Factors(
            [[one[:, -1:] for one in row] for row in self.lower],
            [one[:, -1:] for one in self.diagonal],
        )

    def _forward(self, right: Sequence[FloatArray]) -> list[FloatArray]:
        """Return L^-1 times these."""
        found: list[FloatArray] = []
        for i, one in enumerate(right):
            for k in range(i):
                one = one - self.lower[i][k] * found[k]  # noqa: PLW2901 - less and less of it
            found.append(one)
        return found
