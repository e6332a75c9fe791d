"""What may never stand in a public output, checked before it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsm.errors import PublicationError

if TYPE_CHECKING:
    from nsm.frame import Frame

# Columns that lead to one place or one person.
PRECISE = frozenset(
    {
        "area", "areas_drawn", "dwelling", "household", "person", "psu", "ssu", "segment", "lon",
        "lat", "longitude", "latitude", "geometry", "x", "y", "address", "interviewer", "team",
        "person_name", "name", "phone", "line", "seed", "frame_hash", "hash",
    }
)  # fmt: skip
LEGAL = frozenset(
    {
        "documents", "documented", "legal_status", "residence_permit", "regular", "irregular",
        "migratory_regularity", "regularization", "permit", "visa", "pnre", "undocumented",
    }
)  # fmt: skip
SHORTEST = 6  # characters of a key or seed that is searched for in a public text
_WORD = re.compile(r"[0-9A-Za-z_\-]+")


@dataclass(frozen=True)
class Geography:
    """Which places the public sees, and which are too small for it.

    Parameters
    ----------
    public
        Columns of places that public tables and maps may have.
    small
        Columns of places that they may not have, unless they are among `public`.
    """

    public: tuple[str, ...] = ("region", "territory", "zone", "stratum")
    small: tuple[str, ...] = ("area", "district", "municipality", "province")

    @classmethod
    def of(cls, frame: Frame) -> Geography:
        """Return that of a frame: its largest units and its classes are public, units below not."""
        first, *below = frame.levels
        classes = frame.description.get("classes", {})
        if not below:  # the frame knows no unit but the area
            return cls(tuple(dict.fromkeys([*classes, "stratum"])), (first,))
        return cls(tuple(dict.fromkeys([first, *classes, "stratum"])), tuple(below))


def check_columns(columns: Iterable[str], where: str, geography: Geography | None = None) -> None:
    """Refuse columns that a public table may not have.

    Raises
    ------
    PublicationError
        A column names a unit or a place that is not public in `geography`, or legal status stands
        beside a place below the largest units.
    """
    known = geography or Geography()
    names = [str(c) for c in columns]
    below = [c for c in names if c in PRECISE or (c in known.small and c not in known.public)]
    if below:
        raise PublicationError(
            "{where} would show {columns} to the public, which sees {geography} only. Leave them "
            "out, or give the table to the internal report.",
            where=where,
            columns=below,
            geography=list(known.public),
        )
    check_legal(names, where, known)


def check_legal(columns: Iterable[str], where: str, geography: Geography | None = None) -> None:
    """Refuse legal status beside a place below the largest units.

    Raises
    ------
    PublicationError
    """
    names = set(columns)
    legal, places = (
        sorted(names & LEGAL),
        sorted(names & {*(geography or Geography()).small, *PRECISE}),
    )
    if legal and places:
        raise PublicationError(
            "{where} would show legal status ({legal}) beside a precise place or unit ({places}). "
            "Leave one of them out.",
            where=where,
            legal=legal,
            places=places,
        )


def check_text(text: str, secrets: Iterable[object], where: str) -> None:
    """Refuse a public text in which the key of a sampled area or a seed can be read.

    Parameters
    ----------
    secrets
        Keys and seeds; those shorter than six characters are not searched for, since they would be
        found everywhere.

    Raises
    ------
    PublicationError
        It says how many were found, not which.
    """
    wanted = {str(s) for s in secrets if len(str(s)) >= SHORTEST}
    found = wanted & set(_WORD.findall(text))
    if found:
        raise PublicationError(
            "{where} holds {count} keys of sampled areas or seeds, so it was not written. Look for "
            "them in the sections that were handed over.",
            where=where,
            count=len(found),
        )
