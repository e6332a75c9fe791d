"""Synthetic migrants by area: a truth with the published totals, and a prior that is not it.

Everything here is invented but the totals, the five territory rates (up to one factor), the rate
of Pedernales, the province pattern of Creole as mother tongue and the urban share of the born in
Haiti. Not ENI results.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nsm.simulation import concentration as con

ORIGINS = ["HTI", "VEN", "OTHER"]
IMMIGRANTS = {"HTI": 497_825, "VEN": 25_872, "OTHER": 47_236}
DESCENDANTS = {"HTI": 252_349, "OTHER": 277_046 - 252_349}
# Immigrants as a fraction of the population of the territory, ENI-2017.
RATES = {"border": 0.083, "sugar": 0.073, "concentration": 0.055, "crops": 0.053, "rest": 0.038}
PEDERNALES, PEDERNALES_RATE = "0616", 0.273
# Percent of people whose household head has Creole as mother tongue (ENHOGAR-MICS 2019); the
# published seven are the highest. The others share what is left: 5.1. Valverde is set near the
# lowest of the seven, for it was among the highest in ENI-2012.
CREOLE = {"0610": 25.7, "0415": 20.1, "0707": 18.3, "0616": 17.1, "0808": 15.9, "0811": 15.8}
CREOLE |= {"0812": 10.9, "0427": 10.0}
CREOLE_ELSEWHERE = 5.1
# Urban share: published for the born in Haiti (ENI-2012); chosen for the others.
URBAN = {"HTI": 0.651, "VEN": 0.95, "OTHER": 0.90}
# Where immigrants born elsewhere live, relative to population: chosen (cities, tourism).
VENEZUELA = {"1001": 4.0, "1032": 1.5, "0125": 1.5, "0811": 4.0}
ELSEWHERE = {"1001": 3.0, "0811": 3.0, "0118": 4.0, "0320": 5.0, "0812": 2.0, "0125": 1.5}
HABITACULO = {"HTI": 11_300, "VEN": 30, "OTHER": 89}
HABITACULO_DESCENDANTS = {"HTI": 1_480, "OTHER": 20}
# Chosen so that the design effect of the total of immigrants lies between 10 and 25.
SPREAD, TAIL, PULL = 0.40, 0.05, -2.0
EMPTY_SHARE, HOT_SHARE, THRESHOLD, CAP = 0.40, 0.02, 0.30, 0.90


def factor(population: pd.Series) -> float:
    """Return the one factor that takes the 2017 rates to the 2022 population (by territory)."""
    return sum(IMMIGRANTS.values()) / sum(RATES[t] * n for t, n in population.items())


def province_totals(population: pd.DataFrame) -> pd.Series:
    """Return immigrants by province, whole: exact by territory up to the common factor.

    Parameters
    ----------
    population
        Indexed by province; columns territory, population.
    """
    by_territory = population.groupby("territory")["population"].sum()
    common = factor(by_territory)
    rates = pd.Series(RATES).reindex(by_territory.index)
    totals = con.apportion((rates * by_territory).to_numpy(), sum(IMMIGRANTS.values()))
    out = pd.Series(0, population.index)
    for territory, total in zip(by_territory.index, totals, strict=True):
        mine = population[population["territory"] == territory]
        weights = mine["population"] * mine.index.map(lambda p: CREOLE.get(p, CREOLE_ELSEWHERE))
        fixed = 0
        if PEDERNALES in mine.index:
            fixed = round(PEDERNALES_RATE * common * mine.loc[PEDERNALES, "population"])
            out[PEDERNALES] = fixed
            weights = weights.drop(PEDERNALES)
        out[weights.index] = con.apportion(weights.to_numpy(), int(total) - fixed)
    return out


def group_totals(groups: pd.DataFrame, by_province: pd.Series) -> np.ndarray:
    """Return immigrants by group (province x zone) and origin, whole: (groups, 3).

    Raked to the province totals and to each origin's urban and rural totals, then rounded so that
    the origins' totals and the province totals hold to the person.
    """
    people = groups["population"].to_numpy(dtype=float)
    tilt = [CREOLE, VENEZUELA, ELSEWHERE]
    base = [CREOLE_ELSEWHERE, 0.4, 0.5]
    seed = np.column_stack(
        [
            people * [t.get(p, b) for p in groups["province"]]
            for t, b in zip(tilt, base, strict=True)
        ]
    )
    urban = (groups["zone"] == "urban").to_numpy()
    province = pd.factorize(groups["province"], sort=True)[0]
    wanted = by_province.sort_index().to_numpy(dtype=float)
    for _ in range(500):
        for k, origin in enumerate(ORIGINS):
            for zone, share in ((urban, URBAN[origin]), (~urban, 1 - URBAN[origin])):
                seed[zone, k] *= IMMIGRANTS[origin] * share / seed[zone, k].sum()
        seed *= (wanted / np.bincount(province, seed.sum(1)))[province][:, None]
    return _rounded(seed, province, by_province.sort_index().to_numpy())


def _rounded(table: np.ndarray, province: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Round by province, then move single persons between origins until theirs hold too."""
    out = np.zeros(table.shape, dtype=np.int64)
    for p, total in enumerate(totals):
        mine = province == p
        out[mine] = con.apportion(table[mine].ravel(), int(total)).reshape(-1, table.shape[1])
    for k, origin in enumerate(ORIGINS[1:], start=1):
        missing = IMMIGRANTS[origin] - int(out[:, k].sum())
        step = 1 if missing > 0 else -1
        largest = np.argsort(-out[:, 0])[: abs(missing)]
        out[largest, k] += step
        out[largest, 0] -= step
    return out


def truth(areas: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the synthetic truth: one row per area, persons by origin and kind of dwelling."""
    groups = (
        areas.groupby(["province", "zone"], as_index=False)
        .agg(population=("population", "sum"), areas=("area", "size"))
        .merge(areas[["province", "territory"]].drop_duplicates(), on="province")
    )
    provinces = groups.groupby("province").agg(
        territory=("territory", "first"), population=("population", "sum")
    )
    totals = group_totals(groups, province_totals(provinces))
    group = areas.merge(groups[["province", "zone"]].reset_index(), on=["province", "zone"])
    where = group["index"].to_numpy()
    sheltered = _habitaculos(areas, where, totals, rng)
    indoors = totals - np.column_stack(
        [np.bincount(where, h, len(groups)).astype(np.int64) for h in sheltered.T]
    )
    people = (areas["population"] - areas["collective"]).to_numpy()
    immigrants = _immigrants(areas, groups, where, indoors, rng)
    room = np.floor(CAP * people).astype(np.int64) - immigrants.sum(1)
    columns = {"area": areas["area"]}
    columns |= {f"immigrants_{o.lower()}": immigrants[:, k] for k, o in enumerate(ORIGINS)}
    columns |= {f"habitaculo_{o.lower()}": sheltered[:, k] for k, o in enumerate(ORIGINS)}
    columns |= _descendants(people, immigrants, sheltered, room, rng)
    return pd.DataFrame(columns)


def _immigrants(
    areas: pd.DataFrame,
    groups: pd.DataFrame,
    where: np.ndarray,
    totals: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Immigrants in dwellings by area and origin: concentrated in all, then split by origin."""
    people = (areas["population"] - areas["collective"]).to_numpy()
    rates = totals.sum(1) / groups["population"].to_numpy()
    count = groups["areas"].to_numpy()
    empty = con.zero_shares(rates, count, EMPTY_SHARE)
    # At most 60 % of a group's immigrants live in hot spots, which hold some 40 % on average.
    hot = con.hot_shares(rates, count, HOT_SHARE, most=np.minimum(0.6 * rates / 0.4, 0.6))
    # Hot spots are small (bateyes and the like), and so are empty areas.
    kind = con.classify(where, empty, hot, people**PULL, rng)
    together = con.concentrate(
        where,
        totals.sum(1),
        people,
        kind,
        rng,
        threshold=THRESHOLD,
        cap=0.7,
        spread=SPREAD,
        tail=TAIL,
    )
    out = np.zeros((len(areas), 3), dtype=np.int64)
    left = together.copy()
    for k in (1, 2):
        # Those born elsewhere live where immigrants are, but not in the hot spots.
        taste = rng.gamma(0.5, 2.0, len(areas)) * np.where(kind == con.HOT, 0.05, 1.0)
        out[:, k] = con.scatter(totals[:, k], where, left * taste + 1e-9 * left, left, rng)
        left -= out[:, k]
    out[:, 0] = left
    return out


def _habitaculos(
    areas: pd.DataFrame, where: np.ndarray, totals: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Immigrants in habitaculos by area and origin: in one area of twelve, more often rural."""
    chosen = rng.random(len(areas)) < 1 / 12
    farms = np.where(areas["zone"] == "rural", 3.0, 1.0)
    weights = np.where(chosen, farms * rng.gamma(1.0, 1.0, len(areas)), 0.0)
    out = np.zeros((len(areas), 3), dtype=np.int64)
    for k, origin in enumerate(ORIGINS):
        share = totals[:, k] * np.bincount(where, weights, len(totals))
        share /= np.bincount(where, minlength=len(totals))
        mine = con.apportion(share, HABITACULO[origin], upper=totals[:, k] // 10)
        out[:, k] = con.scatter(mine, where, weights, np.full(len(areas), 400), rng)
    return out


def _descendants(
    people: np.ndarray,
    immigrants: np.ndarray,
    sheltered: np.ndarray,
    room: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Descendants: most beside immigrants of their origin, none in areas without immigrants."""
    one = np.zeros(len(people), dtype=np.int64)
    near = {"HTI": immigrants[:, 0], "OTHER": immigrants[:, 1:].sum(1)}
    shelter = {"HTI": sheltered[:, 0], "OTHER": sheltered[:, 1:].sum(1)}
    out: dict[str, np.ndarray] = {}
    extra: dict[str, np.ndarray] = {}
    anyone = immigrants.sum(1) > 0
    room = np.where(anyone, room, 0)
    for origin, total in DESCENDANTS.items():
        here = near[origin] / near[origin].sum()
        spread = np.where(anyone, people, 0) / people[anyone].sum()
        weights = (0.85 * here + 0.15 * spread) * rng.gamma(4.0, 0.25, len(people))
        away = HABITACULO_DESCENDANTS[origin]
        out[f"descendants_{origin.lower()}"] = con.scatter(
            np.array([total - away]), one, weights, room, rng
        )
        room = room - out[f"descendants_{origin.lower()}"]
        extra[f"habitaculo_descendants_{origin.lower()}"] = con.scatter(
            np.array([away]), one, shelter[origin].astype(float), shelter[origin], rng
        )
    return out | extra


def prior(areas: pd.DataFrame, table: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return the prior prevalence of immigrants: the truth blurred."""
    immigrants = table[[f"immigrants_{o.lower()}" for o in ORIGINS]].sum(axis=1)
    share = immigrants / areas["population"]
    typical = share.groupby([areas["municipality"], areas["zone"]]).transform("median")
    floor = share.groupby(areas["province"]).transform("median")
    known = typical.where(typical > 0, floor).clip(lower=0.01, upper=0.15)
    return con.blur(share.to_numpy(), known.to_numpy(), rng, threshold=THRESHOLD)


def measures(areas: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """Return what the README prints of the truth: shares of areas and design effects."""
    immigrants = table[[f"immigrants_{o.lower()}" for o in ORIGINS]].sum(axis=1).to_numpy()
    origin = [c for c in table.columns if c.startswith("descendants")]
    foreign = immigrants + table[origin].sum(axis=1).to_numpy()
    people = areas["population"].to_numpy()
    size = areas["dwellings"].to_numpy()
    return pd.Series(
        {
            "areas": len(areas),
            "share of areas without an immigrant": (immigrants == 0).mean(),
            "share of areas without a person of foreign origin": (foreign == 0).mean(),
            "share of areas above 30 % immigrants": (immigrants > 0.3 * people).mean(),
            "share of areas above 30 % foreign origin": (foreign > 0.3 * people).mean(),
            "highest share of immigrants": (immigrants / people).max(),
            "highest share of foreign origin": (foreign / people).max(),
            "deff of immigrants, take-all, PPS dwellings": con.design_effect(
                immigrants, people, size
            ),
            "deff of immigrants, take-all, PPS households": con.design_effect(
                immigrants, people, areas["households"].to_numpy()
            ),
            "deff of immigrants, take-all, SRS of areas": con.design_effect(immigrants, people),
            "deff of descendants, take-all, PPS households": con.design_effect(
                foreign - immigrants, people, areas["households"].to_numpy()
            ),
        }
    )
