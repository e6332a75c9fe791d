"""Runs kept in a folder, so that a stopped simulation goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import pandas as pd

from nsm.errors import SimulationError
from nsm.files import local_path, write_table, write_text

KEY = "simulation.json"
BLOCK = 10

Block = tuple[pd.DataFrame, pd.DataFrame]


class Kept:
    """Blocks of runs, in memory or in a folder.

    Parameters
    ----------
    folder
        Where they are kept; None: in memory.
    key
        What the runs depend on, by part.

    Raises
    ------
    SimulationError
        The folder holds the runs of another simulation.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, key: Mapping[str, str]) -> None:
        self.folder = None if folder is None else local_path(folder, exists=False)
        self.blocks: dict[tuple[str, int], Block] = {}
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / KEY
        if not file.exists():
            write_text(json.dumps(dict(key), indent=1) + "\n", file)
            return
        before = json.loads(file.read_text(encoding="utf-8"))
        other = [part for part in {**before, **key} if before.get(part) != key.get(part)]
        if other:
            raise SimulationError(
                "{folder} holds a simulation with other settings: {parts} changed. Its runs were "
                "left as they are: take another folder, or delete this one.",
                folder=str(self.folder),
                parts=other,
            )
        for path in sorted(self.folder.glob("runs-*.parquet")):
            scheme, first = path.stem[len("runs-") :].rsplit("-", 1)
            loads = path.with_name(path.name.replace("runs-", "loads-"))
            if loads.exists():
                self.blocks[scheme, int(first)] = (pd.read_parquet(path), pd.read_parquet(loads))

    def add(self, place: tuple[str, int], block: Block) -> None:
        """Keep a block."""
        self.blocks[place] = block
        if self.folder is not None:
            name = f"{place[0]}-{place[1]:06d}.parquet"
            write_table(block[1], self.folder / f"loads-{name}")
            write_table(block[0], self.folder / f"runs-{name}")

    def missing(self, schemes: list[str], count: int) -> list[tuple[str, int]]:
        """Return the blocks that are still to be made, in order."""
        wanted = [(s, k) for k in range(0, count, BLOCK) for s in schemes]
        return [place for place in wanted if len(self._runs(place)) < _size(place, count)]

    def whole(self, schemes: list[str], count: int) -> Block:
        """Return all runs and loads."""
        places = [(s, k) for s in schemes for k in range(0, count, BLOCK)]
        runs, loads = (
            pd.concat([self.blocks[p][part] for p in places], ignore_index=True) for part in (0, 1)
        )
        return runs[runs["run"] < count], loads[loads["run"] < count]

    def _runs(self, place: tuple[str, int]) -> pd.Index:
        return pd.Index(self.blocks[place][1]["run"] if place in self.blocks else [])


def _size(place: tuple[str, int], count: int) -> int:
    return min(BLOCK, count - place[1])
