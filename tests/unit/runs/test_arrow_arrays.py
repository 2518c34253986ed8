from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from scaleplan.runs.formats.arrow_arrays import floats_of, numbers_of, places_of

pa = pytest.importorskip("pyarrow")


@pytest.mark.parametrize("cut", [slice(None), slice(3, 9), slice(8, 8), slice(11, None)])
@pytest.mark.parametrize("holes", [(), (0, 5, 8, 12)])
def test_arrays_are_those_of_pyarrow(cut, holes):
    numbers = [None if i in holes else i + 0.5 for i in range(13)]
    places = [None if i in holes else i for i in range(13)]
    floats, whole = pa.array(numbers, pa.float64())[cut], pa.array(places, pa.int32())[cut]
    wanted = [np.nan if one is None else one for one in numbers][cut]
    assert np.array_equal(floats_of(floats), wanted, equal_nan=True)
    assert places_of(whole).tolist() == [-1 if one is None else one for one in places][cut]
    assert places_of(whole).dtype == np.int32


@pytest.mark.parametrize("name", ["int8", "int32", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("holes", [(), (0, 3)])
def test_numbers_of_any_size(name, holes):
    values = [None if i in holes else i for i in range(5)]
    numbers = numbers_of(pa.array(values, pa.int64()).cast(getattr(pa, name)()))
    wanted = [np.nan if one is None else float(one) for one in values]
    np.testing.assert_array_equal(numbers.astype(np.float64), wanted)


def test_nothing_but_holes():
    assert np.isnan(numbers_of(pa.nulls(3, pa.int16()))).all()
    assert places_of(pa.nulls(2, pa.int32())).tolist() == [-1, -1]
    assert places_of(pa.nulls(2, pa.int32())).dtype == np.int32
    assert np.isnan(floats_of(pa.nulls(3, pa.float64()))).all()


def test_reading_a_large_table_does_not_load_pandas(tmp_path):
    from pyarrow import parquet

    table = pa.table({
        "run": pa.array(["a", "b", None, "b"]).dictionary_encode(),
        "step": [1, 2, None, 4], "val_loss": [1.0, None, 3.0, 2.5],
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "log.parquet")
    rows = "".join(f"r{i // 50_000},{i},{1 + 1 / (i + 1):.5f}\n" for i in range(100_000))
    (tmp_path / "log.csv").write_text("run,step,val_loss\n" + rows, encoding="utf-8")
    program = (
        "import sys; from scaleplan.runs.series import load_curves\n"
        f"load_curves([{str(tmp_path / 'log.parquet')!r}])\n"
        f"load_curves([{str(tmp_path / 'log.csv')!r}])\n"
        "assert 'pyarrow' in sys.modules; assert 'pandas' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
