"""Speed of frames: persons to areas, reading, checking, merging, splitting.

`python tests/benchmarks/frame.py [millions of persons]`; 100 millions need some 0.5 GB of disk.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from nsm.frame import Frame, from_persons

COUNTS = {
    "population": "",
    "men": 'sex == "M"',
    "immigrants": 'birth_country != "DOM"',
    "adults": "age >= 15",
}


def persons(file: Path, millions: int) -> None:
    """Write shuffled persons of 40,000 areas with text keys."""
    size = millions * 1_000_000
    with duckdb.connect() as base:
        base.execute("SET preserve_insertion_order = false")
        base.execute(
            f"""
            COPY (
                SELECT '0' || lpad(((hash(i) % 40000) * 7)::VARCHAR, 12, '0') AS area,
                    CASE WHEN hash(i + 1) % 2 = 0 THEN 'M' ELSE 'F' END AS sex,
                    CASE hash(i + 7) % 20 WHEN 0 THEN 'HTI' ELSE 'DOM' END AS birth_country,
                    (hash(i + 3) % 90)::INTEGER AS age
                FROM range({size}) t(i)
            ) TO '{file}' (FORMAT parquet, COMPRESSION zstd)
            """  # noqa: S608  (a number and a path of our own)
        )


def timed(what: str, act: Callable[[], Any]) -> Any:
    """Run, print the seconds and the peak memory so far, and return the result."""
    start = time.perf_counter()
    found = act()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{what:55} {time.perf_counter() - start:7.2f} s {peak:6.2f} GB")  # noqa: T201  (its output)
    return found


def main() -> None:
    """Time each task once."""
    millions = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "persons.parquet"
        persons(file, millions)
        counted = timed(
            f"{millions} million persons to 40,000 areas",
            lambda: from_persons(file, counts=COUNTS, scratch=Path(folder) / ".nsm"),
        )
    assert counted.total("population") == millions * 1_000_000
    frame = timed("read frames/do", lambda: Frame.read("frames/do"))
    timed("read its polygons", lambda: frame.boundaries)
    timed("hash", lambda: frame.hash)
    timed("check", frame.check)
    merged = timed("merge to 60 households", lambda: frame.merge(60))
    timed("split to 120 households", lambda: frame.split(120))
    timed("diff", lambda: frame.diff(merged))
    timed("polygons of 158 municipalities", lambda: frame.roll_up("municipality").boundaries)


if __name__ == "__main__":
    main()
