"""Which engine reduces per-step logs to runs, and what does it cost beside its own scan?

    python tests/benchmark/engines.py [ROWS] [csv|parquet]

Writes one log of ROWS rows (5,000,000) of 1,000 runs (CSV by default) and measures, each in a
process of its own: scan and group (the number of rows and the largest value of every column of each
run) by DuckDB and Polars; the reduction to runs (best validation row, counts of rows, of logged and
of finite values) written in Ibis and run by DuckDB, in DuckDB's own SQL, and in Polars; and
`scaleplan runs --engine duckdb`, which reads the log, checks it and makes its runs. Needs the extra
`large`; Polars is left out where it is not installed (extra `benchmark`).

Times include the start of the engine in Python. All figures are medians of three rounds; in each
round the tasks follow one another. Processor time is that of all threads: beside the time on the
clock it tells what other programs on the machine did not change, and the bound is on it, for
50,000,000 rows: of fewer, loading Ibis takes a larger share.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

RUNS = 1000
NUMBERS = ("step", "params", "tokens", "train_loss", "val_loss", "lr")
# In processor time of DuckDB's scan. Of Parquet the command misses it: the scan is so fast that
# loading Ibis, and going back for the rows that were found, weigh as much.
BOUND = 1.5
ROUNDS = 3
MOST_GIB = 2.0


def write_log(path: Path, rows: int) -> None:
    """Write runs of equal length, one after the other; every tenth row has a validation loss."""
    import duckdb

    each = max(1, rows // RUNS)
    kind = "header" if path.suffix == ".csv" else "format parquet"
    duckdb.sql(f"""
        copy (
            select 'run' || lpad((i // {each})::varchar, 4, '0') as run, i % {each} + 1 as step,
                1000000 * (1 + (i // {each}) % 40) as params, (i % {each} + 1) * 4096 as tokens,
                round(1.5 + 3 * pow(i % {each} + 1, -0.3) + hash(i * 7) % 1000 / 5e4, 5)
                    as train_loss,
                case when hash(i) % 100003 = 0 then 'nan'::double when i % 10 = 9 then
                    round(1.6 + 3 * pow(i % {each} + 1, -0.3) + hash(i * 13) % 1000 / 5e4, 5)
                    end as val_loss,
                0.0003::double as lr
            from range({each * RUNS}) t(i)
        ) to '{path}' ({kind})
    """)


def scan_duckdb(path: str) -> None:
    """Scan and group."""
    import duckdb

    largest = ", ".join(f"max({name})" for name in NUMBERS)
    duckdb.sql(f"select run, count(*), {largest} from '{path}' group by run").fetchall()


def reduce_duckdb(path: str) -> None:
    """Reduce in DuckDB's own SQL."""
    import duckdb

    cells = ", ".join(f"'{name}': {name}" for name in NUMBERS)
    duckdb.sql(
        "select run, count(*), min(step), max(step), count(val_loss), arg_max(train_loss, step), "
        "count(*) filter (isnan(val_loss)), "
        f"arg_min({{{cells}}}, row(val_loss, step, i)) filter (isfinite(val_loss)) "
        f"from (select *, row_number() over () as i from '{path}') group by run"
    ).fetchall()


def scan_polars(path: str) -> None:
    """Scan and group."""
    import polars as pl

    log = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    log.group_by("run").agg(pl.len(), *(pl.col(n).max() for n in NUMBERS)).collect(
        engine="streaming"
    )


def reduce_polars(path: str) -> None:
    """Reduce."""
    import polars as pl

    log = pl.scan_csv(path) if path.endswith(".csv") else pl.scan_parquet(path)
    finite = pl.when(pl.col("val_loss").cast(pl.Float64, strict=False).is_finite()).then(
        pl.col("val_loss").cast(pl.Float64, strict=False)
    )
    log.with_columns(finite=finite).group_by("run").agg(
        pl.len(), pl.col("step").min().alias("first"), pl.col("step").max().alias("last"),
        pl.col("val_loss").count().alias("logged"), pl.col("finite").count().alias("usable"),
        pl.col("train_loss").sort_by("step").last().alias("at_end"),
        *(pl.col(n).sort_by("finite", "step", nulls_last=True).first().alias(f"best_{n}")
          for n in NUMBERS),
    ).collect(engine="streaming")  # fmt: skip


def reduce_ibis(path: str, value: str = "c5", rule: str = "lowest") -> None:
    """Reduce by the expression of scaleplan, whatever stands around it."""
    from scaleplan.runs.large.duckdb_engine import open_log
    from scaleplan.runs.large.expression import Cells, representatives
    from scaleplan.runs.locating import locate

    with open_log(locate([path], [".csv"]), lambda name: name == "run") as log:
        kinds = {f"c{i}": kind for i, kind in enumerate(log.layout.kinds)}
        cells = Cells(
            kinds=kinds, run="c0", value=value, position="c1", weighed=(),
            checked=log.layout.checked,
        )  # fmt: skip
        log.rows(representatives(cells, rule))


def reduce_last(path: str) -> None:
    """Reduce to the last training loss, which every row has."""
    reduce_ibis(path, "c4", "last")


def runs_command(path: str) -> None:
    """Read into runs, all of it."""
    from scaleplan.runs.reading import load_runs

    load_runs([path], engine="duckdb")


TASKS = {
    "DuckDB: scan and group": scan_duckdb, "Polars: scan and group": scan_polars,
    "Ibis over DuckDB: reduction": reduce_ibis, "Ibis: by the last train_loss": reduce_last,
    "DuckDB's SQL: reduction": reduce_duckdb,
    "Polars: reduction": reduce_polars, "scaleplan runs": runs_command,
}  # fmt: skip


def measure(name: str, path: str) -> tuple[float, float, float]:
    """Return seconds, processor seconds and peak GiB of a task in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--task", name, path], stdout=subprocess.PIPE, encoding="utf-8",
        check=True,
    )  # fmt: skip
    seconds, processor, peak = json.loads(done.stdout)
    return seconds, processor, peak


def run_task(name: str, path: str) -> None:
    """Run a task in this process, and print what it took."""
    began, before = time.perf_counter(), time.process_time()
    TASKS[name](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(json.dumps([time.perf_counter() - began, time.process_time() - before, peak]))


def main(arguments: list[str]) -> int:
    """Print the table; 1 if the command takes more than its bound, or MOST_GIB."""
    if arguments[:1] == ["--task"]:
        run_task(arguments[1], arguments[2])
        return 0
    rows = int(float(arguments[0])) if arguments else 5_000_000
    ending = arguments[1] if len(arguments) > 1 else "csv"
    names = [n for n in TASKS if not n.startswith("Polars") or find_spec("polars")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"log.{ending}"
        write_log(path, rows)
        rounds = [{name: measure(name, str(path)) for name in names} for _ in range(ROUNDS)]
        size = path.stat().st_size / 1e6
    print(f"{rows:,} rows of {RUNS:,} runs, {size:.0f} MB of {ending}; x DuckDB's scan and group")
    print(f"{'':28s}{'clock':>9s}{'':>8s}{'processor':>12s}{'':>8s}{'peak':>10s}")
    scan = "DuckDB: scan and group"
    found = {}
    for name in names:
        clock, processor, peak = (statistics.median(r[name][i] for r in rounds) for i in range(3))
        times = [statistics.median(r[name][i] / r[scan][i] for r in rounds) for i in range(2)]
        print(f"{name:28s}{clock:7.1f} s{times[0]:6.2f} x{processor:10.1f} s{times[1]:6.2f} x"
              f"{peak:6.2f} GiB")  # fmt: skip
        found[name] = (times[1], peak)
    bounded = (
        "Ibis over DuckDB: reduction", "Ibis: by the last train_loss", "scaleplan runs",
    )  # fmt: skip
    met = {n: found[n][0] <= BOUND and found[n][1] <= MOST_GIB for n in bounded}
    said = ", ".join(f"{'met' if met[n] else 'missed'} by {n}" for n in bounded)
    print(f"bound of {BOUND} x in processor time and {MOST_GIB:.0f} GiB: {said}")
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
