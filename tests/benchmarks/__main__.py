"""Run every benchmark, one after the other: `make benchmark`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run the scripts beside this one."""
    for script in sorted(Path(__file__).parent.glob("*.py")):
        if script.stem != "__main__":
            sys.stdout.write(f"== {script.stem}\n")
            sys.stdout.flush()
            runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
