"""Where people of foreign origin live, for a description without a truth table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nsm.errors import ConfigError
from nsm.files import require_columns
from nsm.frame.apportion import apportion
from nsm.simulation import concentration as con
from nsm.simulation.counts import truth_column
from nsm.simulation.description import Description
from nsm.simulation.groups import DWELLING, HABITACULO
from nsm.simulation.section import Section

_MOST_IN_HABITACULOS = 400
_SPREADS = (0.02, 4.0)
_BISECTIONS = 16


@dataclass(frozen=True)
class Placement:
    """How people of foreign origin concentrate.

    Parameters
    ----------
    by, rates
        A column of the frame and the relative prevalence of immigrants in each of its classes; no
        column: the same everywhere.
    empty, hot
        Shares of areas without an immigrant, and above the threshold.
    threshold, cap
        Prevalence above which an area is a hot spot, and that none exceeds.
    spread, tail
        Coefficient of variation of prevalence in other areas; mean excess of hot spots.
    icc
        Intra-area correlation of being an immigrant; if above 0, the spread that gives it is found.
    pull
        Power of population with which an area becomes a hot spot or empty: below 0, small ones.
    near
        Share of descendants who live near immigrants of their origin.
    habitaculo, habitaculo_descendants, habitaculo_areas
        Shares of immigrants and of descendants in habitaculos; share of areas that have some.
    tilt_by, tilt
        A column of the frame, and for each origin (or `habitaculo`) relative weights by its class.
    """

    by: str
    rates: Mapping[str, float]
    empty: float
    hot: float
    threshold: float
    cap: float
    spread: float
    icc: float
    tail: float
    pull: float
    near: float
    habitaculo: float
    habitaculo_descendants: float
    habitaculo_areas: float
    tilt_by: str
    tilt: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, part: Section, origins: tuple[str, ...]) -> Placement:
        """Read the part `placement` of a description."""
        tilt = part.part("tilt", {})
        by = part.text("by", "")
        out = cls(
            by=by,
            rates=part.named("rates") if by else {},
            empty=part.share("empty"),
            hot=part.share("hot"),
            threshold=part.share("threshold", 0.3),
            cap=part.share("cap", 0.7),
            spread=part.number("spread", 0.6, low=0.01),
            icc=part.share("icc", 0.0),
            tail=part.number("tail", 0.09),
            pull=part.number("pull", 0.0, low=-10, high=10),
            near=part.share("near", 0.85),
            habitaculo=part.share("habitaculo", 0.0),
            habitaculo_descendants=part.share("habitaculo_descendants", 0.0),
            habitaculo_areas=part.share("habitaculo_areas", 0.1),
            tilt_by=tilt.text("by", ""),
            tilt={name: tilt.named(name) for name in ("habitaculo", *origins) if name in tilt},
        )
        tilt.close()
        part.close()
        return out


def place(
    frame: pd.DataFrame, description: Description, rules: Placement, rng: np.random.Generator
) -> pd.DataFrame:
    """Place the people of foreign origin that a description counts.

    Parameters
    ----------
    frame
        One row per area.

    Returns
    -------
    table in the order of the frame: the key, and a column for each origin and place (see
    `counts.truth_column`). Totals are those of the description.

    Raises
    ------
    ConfigError
        The totals do not fit into the areas.
    """
    columns = description.setting.columns
    people = (frame[columns["population"]] - frame[columns["collective"]]).to_numpy(np.int64)
    group, rates = _groups(frame, rules)
    away = _habitaculos(frame, description, rules, rng)
    totals = np.array([o.immigrants.total for o in description.origins]) - away.sum(axis=0)
    immigrants = _immigrants((people, group, rates), totals, (frame, description, rules), rng)
    out = {columns["area"]: frame[columns["area"]].to_numpy()}
    for k, origin in enumerate(description.origins):
        out[truth_column(origin.key, immigrants=True, place=DWELLING)] = immigrants[:, k]
        out[truth_column(origin.key, immigrants=True, place=HABITACULO)] = away[:, k]
    return pd.DataFrame(out | _descendants(people, immigrants, away, (description, rules), rng))


def _groups(frame: pd.DataFrame, rules: Placement) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of each area and the relative rate of each group."""
    if not rules.by:
        return np.zeros(len(frame), dtype=np.int64), np.ones(1)
    require_columns(frame, [rules.by], "The frame")
    group, labels = pd.factorize(frame[rules.by], sort=True)
    lost = [str(label) for label in labels if label not in rules.rates]
    if lost:
        raise ConfigError(
            "The placement gives no rate for {column} = {labels}. Add them to its rates.",
            column=rules.by,
            labels=lost,
        )
    return group, np.array([rules.rates[label] for label in labels])


def _tilt(frame: pd.DataFrame, rules: Placement, name: str) -> np.ndarray:
    if name not in rules.tilt:
        return np.ones(len(frame))
    require_columns(frame, [rules.tilt_by], "The frame")
    return frame[rules.tilt_by].map(rules.tilt[name]).fillna(0.0).to_numpy(dtype=float)


def _habitaculos(
    frame: pd.DataFrame, description: Description, rules: Placement, rng: np.random.Generator
) -> np.ndarray:
    """Return immigrants in habitaculos (areas, origins)."""
    chosen = rng.random(len(frame)) < rules.habitaculo_areas
    weights = chosen * rng.gamma(1.0, 1.0, len(frame)) * _tilt(frame, rules, "habitaculo")
    one = np.zeros(len(frame), dtype=np.int64)
    room = np.full(len(frame), _MOST_IN_HABITACULOS)
    counts = [
        con.scatter(
            np.array([round(rules.habitaculo * o.immigrants.total)]), one, weights, room, rng
        )
        for o in description.origins
    ]
    return np.column_stack(counts)


def _immigrants(
    where: tuple[np.ndarray, np.ndarray, np.ndarray],
    totals: np.ndarray,
    what: tuple[pd.DataFrame, Description, Placement],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return immigrants in dwellings (areas, origins): concentrated in all, then split."""
    people, group, relative = where
    frame, description, rules = what
    by_group = np.bincount(group, people)
    wanted = apportion(relative * by_group, int(totals.sum()))
    areas = np.bincount(group)
    rates = wanted / np.maximum(by_group, 1)
    _require_room(wanted, by_group, rules)
    empty = con.zero_shares(rates, areas, rules.empty)
    hot = con.hot_shares(rates, areas, rules.hot, most=np.minimum(0.6 * rates / 0.4, 0.6))
    kind = con.classify(group, empty, hot, np.maximum(people, 1) ** rules.pull, rng)
    together = _spread((group, wanted, people, kind), rules, int(rng.integers(2**63)))
    out = np.zeros((len(people), len(totals)), dtype=np.int64)
    left, one = together.copy(), np.zeros(len(people), dtype=np.int64)
    largest = int(np.argmax(totals))
    for k, origin in enumerate(description.origins):
        if k == largest:
            continue
        # Smaller origins live where immigrants are, but hardly in the hot spots.
        taste = rng.gamma(0.5, 2.0, len(people)) * _tilt(frame, rules, origin.key)
        taste *= np.where(kind == con.HOT, 0.05, 1.0)
        out[:, k] = con.scatter(totals[[k]], one, left * taste + 1e-9 * left, left, rng)
        left -= out[:, k]
    out[:, largest] = left
    return out


def _spread(
    what: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], rules: Placement, seed: int
) -> np.ndarray:
    """Return immigrants by area, with the spread or the intra-area correlation that is wanted."""
    people = what[2]

    def counts(spread: float) -> np.ndarray:
        rng = np.random.Generator(np.random.PCG64(seed))
        return con.concentrate(
            *what,
            rng,
            threshold=rules.threshold,
            cap=rules.cap,
            spread=spread,
            tail=rules.tail,
        )

    if not rules.icc:
        return counts(rules.spread)
    low, high = _SPREADS
    reach = [con.intra_area_correlation(counts(spread), people) for spread in _SPREADS]
    if not reach[0] <= rules.icc <= reach[1]:
        raise ConfigError(
            "The placement asks for an intra-area correlation of {icc}; with these shares of empty "
            "areas and hot spots it can be {least} to {most}.",
            icc=rules.icc,
            least=f"{reach[0]:.4f}",
            most=f"{reach[1]:.4f}",
        )
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        found = con.intra_area_correlation(counts(middle), people)
        low, high = (middle, high) if found < rules.icc else (low, middle)
    return counts(high)


def _require_room(wanted: np.ndarray, people: np.ndarray, rules: Placement) -> None:
    full = np.flatnonzero(wanted > rules.cap * people)
    if len(full):
        raise ConfigError(
            "The placement asks for {wanted} immigrants among {people} persons of class {number} "
            "of {column!r}, more than the cap of {cap} allows.",
            wanted=int(wanted[full[0]]),
            people=int(people[full[0]]),
            number=int(full[0]) + 1,
            column=rules.by,
            cap=rules.cap,
        )


def _descendants(
    people: np.ndarray,
    immigrants: np.ndarray,
    away: np.ndarray,
    what: tuple[Description, Placement],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Return descendants by origin and place: most beside immigrants of their origin."""
    description, rules = what
    one = np.zeros(len(people), dtype=np.int64)
    anyone = immigrants.sum(axis=1) > 0
    room = np.where(anyone, np.floor(0.9 * people).astype(np.int64) - immigrants.sum(axis=1), 0)
    out: dict[str, np.ndarray] = {}
    for k, origin in enumerate(description.origins):
        if origin.descendants is None:
            continue
        shelter = min(
            round(rules.habitaculo_descendants * origin.descendants.total), away[:, k].sum()
        )
        beside = immigrants[:, k] / max(immigrants[:, k].sum(), 1)
        spread = np.where(anyone, people, 0) / max(people[anyone].sum(), 1)
        weights = (rules.near * beside + (1 - rules.near) * spread) * rng.gamma(
            4.0, 0.25, len(people)
        )
        total = np.array([origin.descendants.total - shelter])
        inside = con.scatter(total, one, weights, room, rng)
        room = room - inside
        outside = con.scatter(np.array([shelter]), one, away[:, k].astype(float), away[:, k], rng)
        out[truth_column(origin.key, immigrants=False, place=DWELLING)] = inside
        out[truth_column(origin.key, immigrants=False, place=HABITACULO)] = outside
    return out
