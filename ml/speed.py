"""How long a score takes in a warm process, reasons included, and how many rows of a file are scored per second.

One lead at a time is what a worker and a live call do: a row by name in, a `Score` with bounds, tier and reasons out.
A file is what `strowger score` does: CSV in, CSV out, each row with its reasons.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from app.errors import BadTable
from ml.model import LeadModel
from ml.score import score_file

ONE_BY_ONE, WARM_UP = 5_000, 300
FILE_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds per lead alone, rows per second from file to file."""

    p50_ms: float
    p99_ms: float
    rows_per_s: float

    def __str__(self) -> str:
        return f"one lead p50 {self.p50_ms:.2f} ms, p99 {self.p99_ms:.2f} ms; a file {self.rows_per_s:,.0f} rows/s"


def speed_of(model: LeadModel, rows: Sequence[Mapping[str, object]]) -> Speed:
    """`rows` by name; they are taken round and round."""
    times = []
    for row in islice(cycle(rows), ONE_BY_ONE + WARM_UP):
        began = time.perf_counter_ns()
        model.score(row)
        times.append(time.perf_counter_ns() - began)
    p50, p99 = np.quantile(np.array(times[WARM_UP:]) / 1e6, [0.5, 0.99])
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "in.csv", Path(folder) / "out.csv"
        _write(table, rows)
        began = time.perf_counter_ns()
        score_file(table, out, model)
        seconds = (time.perf_counter_ns() - began) / 1e9
    return Speed(float(p50), float(p99), FILE_ROWS / seconds)


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory that `score` ever held, in MB, on a small file and on one of `large_mb`."""

    small_mb: float
    small_peak: float
    large_mb: float
    large_peak: float

    def __str__(self) -> str:
        return (
            f"{self.large_peak:.0f} MB at most for a file of {self.large_mb:.0f} MB, "
            f"{self.small_peak:.0f} MB for one of {self.small_mb:.0f} MB"
        )


_CHILD = """
import sys
from pathlib import Path
from ml.commands import score
from ml.speed import peak_mb
score(*map(Path, sys.argv[1:]))
print(peak_mb())
"""


def memory_of(model: Path, rows: Sequence[Mapping[str, object]], sizes: tuple[int, int] = (10, 100)) -> Memory:
    """In processes of their own, so that nothing else is counted. `sizes` of the files in MB."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "in.csv", Path(folder) / "out.csv"
        for size in sizes:
            _write(table, rows, size * 1_000_000)
            words = [sys.executable, "-c", _CHILD, str(table), str(out), str(model)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
            if done.returncode:
                raise BadTable(f"scoring a file of {size} MB left with {done.returncode}.")
            found += [table.stat().st_size / 1e6, float(done.stdout)]
    return Memory(*found)


def peak_mb() -> float:
    """The most that this process has held. What the kernel counts for `getrusage` begins with the parent's memory."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def rows_of(path: Path, most: int = 5_000) -> list[dict[str, object]]:
    from ml.table import open_table

    table = open_table(path)
    return [dict(zip(table.header, row, strict=True)) for row in islice(table.rows(), most)]


def _write(path: Path, rows: Sequence[Mapping[str, object]], size: int | None = None) -> None:
    """`FILE_ROWS` of them, or as many as make `size` bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        if size is None:
            writer.writerows(islice(cycle(rows), FILE_ROWS))
            return
        while file.tell() < size:
            writer.writerows(rows)
