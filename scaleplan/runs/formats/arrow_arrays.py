"""Arrays of pyarrow as arrays of numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scaleplan.runs.raw_table import CodeArray
    from scaleplan.runs.table import FloatArray


def floats_of(array: Any) -> FloatArray:  # noqa: ANN401 - an array of pyarrow
    """Return an array of 64-bit floats, NaN where it has no value; not copied if it has all.

    pyarrow's own `to_numpy` loads pandas where that is installed, which takes long.

    Args:
        array: Of pyarrow, its type `float64`.
    """
    return np.asarray(_filled(array, np.dtype(np.float64), np.nan))


def numbers_of(array: Any) -> np.ndarray[Any, np.dtype[Any]]:  # noqa: ANN401 - as above
    """Return an array of integers, or of floats of any size, as floats where it has no value.

    Args:
        array: Of pyarrow, of a type of numpy.
    """
    return _filled(array, np.dtype(array.type.to_pandas_dtype()), np.nan)


def places_of(array: Any) -> CodeArray:  # noqa: ANN401 - an array of pyarrow
    """Return an array of 32-bit integers, -1 where it has no value; not copied if it has all.

    Args:
        array: Of pyarrow, its type `int32`.
    """
    return np.asarray(_filled(array, np.dtype(np.int32), -1), dtype=np.int32)


def _filled(array: Any, kind: np.dtype[Any], empty: float) -> np.ndarray[Any, np.dtype[Any]]:  # noqa: ANN401
    valid, held = array.buffers()
    inside = slice(array.offset, array.offset + len(array))
    if held is None:
        return np.full(len(array), empty)
    values = np.frombuffer(held, dtype=kind)[inside]
    if not array.null_count:
        return values
    known = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), bitorder="little")[inside]
    return np.where(known.astype(bool), values, empty)
