"""The example's indicators by twelve disaggregations, and the size of its reports."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from nsm.indicators import compute
from nsm.project import Project
from nsm.project.stages.indicators import disaggregations, expanded, registry, surveys

EXAMPLE = Path(__file__).parents[2] / "examples" / "eni-do"


def main() -> None:
    """Run the example in a folder of its own, then its indicators once more."""
    with tempfile.TemporaryDirectory() as place:
        copied = shutil.ignore_patterns("results", "nsm.lock", ".nsm")
        project = Project(Path(shutil.copytree(EXAMPLE, Path(place) / "eni", ignore=copied)))
        project.run()
        settings = project.settings.indicators
        known, by = registry(project), disaggregations(settings)
        codes = expanded(settings.codes, known)
        start, processor = time.perf_counter(), time.process_time()
        found = compute(surveys(project), codes, by=by, registry=known, declared=True)
        sys.stdout.write(
            f"{found.table['variable'].nunique()} indicators by {len(by) - 1} disaggregations: "
            f"{time.perf_counter() - start:.1f} s, processors {time.process_time() - processor:.1f}"
            f" s, {len(found)} estimates\n"
        )
        for report in sorted((project.folder / "results" / "publication").glob("*.html")):
            sys.stdout.write(f"{report.name}: {report.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
