"""Run every benchmark, one after the other: `make benchmark`."""

from __future__ import annotations

import runpy
from pathlib import Path


def main() -> None:
    """Run the scripts beside this one."""
    for script in sorted(Path(__file__).parent.glob("*.py")):
        if script.stem != "__main__":
            print(f"== {script.stem}", flush=True)
            runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
