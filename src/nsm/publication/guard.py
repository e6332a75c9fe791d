"""What may never stand in a public output, checked before it is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from nsm.errors import PublicationError

# Columns that lead to one place or one person.
PRECISE = frozenset(
    {
        "area", "areas_drawn", "dwelling", "household", "person", "psu", "ssu", "segment", "lon",
        "lat", "longitude", "latitude", "geometry", "x", "y", "address", "interviewer", "team",
        "person_name", "name", "phone", "line", "seed", "frame_hash", "hash",
    }
)  # fmt: skip
PLACES = ("area", "district", "municipality", "province")
LEGAL = frozenset(
    {
        "documents", "documented", "legal_status", "residence_permit", "regular", "irregular",
        "migratory_regularity", "regularization", "permit", "visa", "pnre", "undocumented",
    }
)  # fmt: skip
PUBLIC_GEOGRAPHY = ("region", "territory", "zone", "stratum")
SHORTEST = 6  # characters of a key or seed that is searched for in a public text
_WORD = re.compile(r"[0-9A-Za-z_\-]+")


def check_columns(
    columns: Iterable[str], where: str, geography: Collection[str] = PUBLIC_GEOGRAPHY
) -> None:
    """Refuse columns that a public table may not have.

    Raises
    ------
    PublicationError
        A column names a unit or a place below `geography`, or legal status stands beside a place
        below the region.
    """
    names = [str(c) for c in columns]
    below = [c for c in names if c in PRECISE or (c in PLACES and c not in geography)]
    if below:
        raise PublicationError(
            "{where} would show {columns} to the public, which sees {geography} only. Leave them "
            "out, or give the table to the internal report.",
            where=where,
            columns=below,
            geography=list(geography),
        )
    check_legal(names, where)


def check_legal(columns: Iterable[str], where: str) -> None:
    """Refuse legal status beside a place below the region.

    Raises
    ------
    PublicationError
    """
    names = set(columns)
    legal, places = sorted(names & LEGAL), sorted(names & {*PLACES, *PRECISE})
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
