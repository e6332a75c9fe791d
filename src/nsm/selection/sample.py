"""`Sample`: the drawn areas, with the receipt that draws them again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.errors import FileError, SelectionError
from nsm.files import local_path, read_table, write_table, write_text
from nsm.selection.reserve import MAIN, RESERVE, release
from nsm.selection.source import hash_like, source

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TABLE, _STRATA, _RECEIPT = "sample.parquet", "strata.csv", "sample.json"


def versions() -> dict[str, str]:
    """Return the versions that a draw depends on."""
    import nsm

    return {"nsm": nsm.__version__, "numpy": np.__version__}


@dataclass(frozen=True)
class Sample:
    """Areas drawn from a frame.

    Attributes
    ----------
    table
        One row per drawn area, in the order of the key: the columns of the frame and `stratum,
        probability, base_weight, certainty, order, role` (`main` or `reserve`). `probability` is
        that of being a main area; reserves have no weight before they are released. `order` is the
        place in the stratum: main areas as in the list, reserves in the order of release.
    strata
        `stratum, population, n, certain, reserve, released`.
    receipt
        Method, seed, columns used, hash of the frame, versions: what `verify` needs.
    """

    table: pd.DataFrame
    strata: pd.DataFrame
    receipt: dict[str, Any]

    @property
    def key(self) -> str:
        """The column that names the areas."""
        return str(self.receipt["key"])

    @property
    def main(self) -> pd.DataFrame:
        """The areas to be visited: planned ones and released reserves."""
        return self.table[self.table["role"] == MAIN].reset_index(drop=True)

    @property
    def excluded(self) -> pd.DataFrame:
        """The strata of which nothing is drawn: `stratum, population`. Totals are of the rest."""
        empty = self.strata["n"] + self.strata["released"] == 0
        return self.strata.loc[empty, ["stratum", "population"]].reset_index(drop=True)

    def reserve(self) -> pd.DataFrame:
        """Return the reserve areas not yet released, by stratum in the order of release."""
        waiting = self.table[self.table["role"] == RESERVE]
        return waiting.sort_values(["stratum", "order"]).reset_index(drop=True)

    def release(self, counts: Mapping[str, int]) -> Sample:
        """Return the sample after the release of the next reserves: {stratum: number}.

        All base weights of the stratum follow: they shrink as its sample grows.

        Raises
        ------
        SelectionError
            A stratum is unknown or has fewer reserves left.
        """
        table, strata = release(self.table, self.strata, counts)
        return Sample(table, strata, self.receipt)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write `sample.parquet`, `strata.csv` and `sample.json` to a folder; return it."""
        place = local_path(folder, exists=False)
        write_table(self.table, place / _TABLE)
        write_table(self.strata, place / _STRATA)
        write_text(json.dumps(self.receipt, indent=2, sort_keys=True) + "\n", place / _RECEIPT)
        return place

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Sample:
        """Read a sample that was saved to a folder.

        Raises
        ------
        FileError
            A file is missing or is not what its name says.
        """
        place = local_path(folder)
        file = local_path(place / _RECEIPT)
        try:
            receipt = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FileError(
                "{file} is not the receipt of a sample: {reason}", file=str(file), reason=str(error)
            ) from error
        strata = read_table(place / _STRATA, text=["stratum"])
        return cls(read_table(place / _TABLE), strata, receipt)

    def verify(self, frame: Any) -> bool:
        """Draw the sample again from its receipt and compare; True if it is the same.

        Raises
        ------
        SelectionError
            The frame is another one, or the draw differs; the message says where.
        """
        from nsm.selection.draws import draw

        given = source(frame, self.key)
        now, then = (
            hash_like(frame, given, self.receipt["frame_hash"]),
            self.receipt["frame_hash"],
        )
        if now != then:
            raise SelectionError(
                "The frame is not the one the sample was drawn from: its hash is {now}, the "
                "sample's {then}. Verify with the frame as it was.",
                now=now[:18],
                then=then[:18],
            )
        asked = {k: v for k, v in self.receipt.items() if k not in {"frame_hash", "versions"}}
        strata = self.strata.set_index("stratum")
        plan: Any = {str(k): int(v) for k, v in strata["n"].items()}
        if asked["stratum"] is None:
            plan = int(strata["n"].iloc[0])
        reserves = {str(k): int(v) for k, v in strata["reserve"].items() if v}
        again = draw(frame, plan, **asked, reserve=reserves)
        again = again.release({str(k): int(v) for k, v in strata["released"].items() if v})
        _same(self.table, again.table, self.key, self.receipt["versions"])
        return True

    def balance(self, frame: Any, columns: Sequence[str]) -> pd.DataFrame:
        """Compare totals of the frame with their estimates from the main areas.

        Returns
        -------
        DataFrame: `variable, total, estimate, deviation` (relative to the total).
        """
        from nsm.selection.quality import balance_table

        return balance_table(self.main, source(frame, self.key).table, columns)

    def spread(self, frame: Any, columns: Sequence[str]) -> float:
        """Return the spatial balance in coordinates `columns`: 0 is a perfect spread.

        See `nsm.selection.spatial_balance`.
        """
        from nsm.selection.quality import spread_of_sample

        return spread_of_sample(self, source(frame, self.key).table, columns)

    def map(self, frame: Any, *, x: str = "x", y: str = "y", language: str = "en") -> Figure:
        """Draw a map of the frame and the sample, as a matplotlib figure (internal use)."""
        from nsm.selection.figures import sample_map

        return sample_map(self, frame, columns=(x, y), language=language)


def _same(one: pd.DataFrame, other: pd.DataFrame, key: str, drawn_with: dict[str, str]) -> None:
    """Raise SelectionError unless both tables hold the same draw."""
    kept, again = set(one[key].astype("str")), set(other[key].astype("str"))
    if kept != again:
        raise SelectionError(
            "The draw differs: {count} areas are in the sample but not in the draw made now "
            "({areas}). The sample was changed by hand, or other versions draw otherwise (then "
            "{then}, now {now}).",
            count=len(kept - again) or len(again - kept),
            areas=sorted(kept ^ again)[:6],
            then=str(drawn_with),
            now=str(versions()),
        )
    one, other = (t.sort_values(key).reset_index(drop=True) for t in (one, other))
    for column in ("stratum", "role", "order", "certainty"):
        differing = one.loc[(one[column] != other[column]).to_numpy(), key]
        if len(differing):
            raise SelectionError(
                "{count} areas differ from the draw made now in {column!r}: {areas}.",
                count=len(differing),
                column=column,
                areas=[str(v) for v in differing.iloc[:6]],
            )
    for column in ("probability", "base_weight"):
        close = np.isclose(one[column], other[column], rtol=1e-9, equal_nan=True)
        if not close.all():
            raise SelectionError(
                "{count} areas differ from the draw made now in {column!r}: {areas}.",
                count=int(np.sum(~close)),
                column=column,
                areas=[str(v) for v in one.loc[~close, key].iloc[:6]],
            )
