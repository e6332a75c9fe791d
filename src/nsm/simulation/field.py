"""Simulated fieldwork: what comes back from the dwellings of the drawn areas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nsm.files import require_columns
from nsm.simulation.draws import Draws, generator
from nsm.simulation.field_rules import FieldRules
from nsm.simulation.population import Population

USUAL = "recorded"
_DWELLING_DRAWS = ("unknown", "response", "outcome")
_PERSON_DRAWS = ("interview",)


def fieldwork(
    population: Population, sample: pd.DataFrame, *, seed: int, scenario: str = USUAL
) -> dict[str, pd.DataFrame]:
    """Screen every dwelling and habitaculo of the drawn areas, and interview.

    Parameters
    ----------
    population
        Whom to ask.
    sample
        The drawn areas, with the prior prevalence; of a column `role` only `main` is visited.
    seed
        Decides who answers. An area's answers do not depend on which others are drawn.
    scenario
        `recorded`: response depends only on what is recorded of every dwelling. Another scenario
        of the description may let it depend on migrant status.

    Returns
    -------
    `areas`, `dwellings` (all listed, with outcome and disposition), `households` and `persons` (of
    respondent dwellings). Answers only: no derived status.

    Raises
    ------
    ColumnError, KeyColumnError, OptionError
    """
    rules = population.field
    columns = population.setting.columns
    key, prior = columns["area"], columns["prior"]
    require_columns(sample, [key, prior], "The sample")
    if "role" in sample:
        sample = sample[sample["role"] == "main"]
    sample = sample.sort_values(key, ignore_index=True)
    tables = population.area_tables(sample[key].tolist())
    areas = pd.DataFrame(
        {key: sample[key], "prior_class": rules.prior_class(sample[prior].to_numpy(dtype=float))}
    )
    dwellings = _listed(tables, areas, rules, seed)
    factor = rules.scenario(scenario)
    dwellings = _visited(dwellings, rules, seed, factor.dwelling)
    answered = dwellings.loc[dwellings["disposition"] == "respondent", "dwelling"]
    households = tables["households"]
    households = households[households["dwelling"].isin(answered)].reset_index(drop=True)
    persons = _interviewed(tables, dwellings, rules, (seed, factor.interview))
    out = {
        "areas": _areas(areas, dwellings, rules, key),
        "dwellings": dwellings.drop(columns=["occupied", "foreign"]),
        "households": _assigned(households, dwellings),
        "persons": persons,
    }
    for table in out.values():
        table.attrs["notice"] = population.setting.notice["en"]
    return out


def respond(
    dwellings: pd.DataFrame, rng: np.random.Generator, rules: FieldRules, *, scenario: str = USUAL
) -> np.ndarray:
    """Draw the disposition of every dwelling: cheap, for many repetitions.

    Parameters
    ----------
    dwellings
        Columns `area, occupied, prior_class, dwelling_type, door_language`, and `foreign` (whether
        anybody of foreign origin lives there) for scenarios that depend on it.
    rng
        Of this repetition.

    Returns
    -------
    ndarray (dwellings,) of dispositions.
    """
    numbers = {name: rng.random(len(dwellings)) for name in ("unknown", "response")}
    codes, areas = pd.factorize(dwellings["area"])
    effect = rng.normal(size=len(areas))[codes]
    return _dispositions(dwellings, numbers, effect, (rules, rules.scenario(scenario).dwelling))


def _dispositions(
    dwellings: pd.DataFrame,
    numbers: Mapping[str, np.ndarray],
    effect: np.ndarray,
    how: tuple[FieldRules, float],
) -> np.ndarray:
    rules, factor = how
    chance = rules.response.of_rows(dwellings)
    if rules.area_sd:
        chance = expit(logit(np.clip(chance, 1e-9, 1 - 1e-9)) + rules.area_sd * effect)
    if factor != 1:
        chance = chance * np.where(dwellings["foreign"], factor, 1.0)
    cases = {
        "unknown": numbers["unknown"] < rules.unknown.of_rows(dwellings),
        "ineligible": ~dwellings["occupied"].to_numpy(dtype=bool),
        "respondent": numbers["response"] < chance,
    }
    return np.select([*cases.values()], [*cases], "nonrespondent")


def _listed(
    tables: Mapping[str, pd.DataFrame], areas: pd.DataFrame, rules: FieldRules, seed: int
) -> pd.DataFrame:
    """Return all dwellings of the areas with what is recorded of them, in listing order."""
    dwellings = tables["dwellings"].sort_values("dwelling", ignore_index=True)
    classes = areas.set_index(areas.columns[0])["prior_class"]
    codes, names = pd.factorize(dwellings["area"])
    start = np.array([generator(seed, "natives", a).integers(rules.natives_in) for a in names])
    chosen = (dwellings["number"].to_numpy() - 1 - start[codes]) % rules.natives_in == 0
    status = tables["truth"]["truth_status"].to_numpy() != "native"
    foreign = set(tables["persons"].loc[status, "dwelling"])
    return pd.DataFrame(
        {
            "area": dwellings["area"],
            "dwelling": dwellings["dwelling"],
            "number": dwellings["number"],
            "dwelling_type": dwellings["dwelling_type"],
            "in_frame": dwellings["in_frame"],
            "prior_class": classes.loc[names].to_numpy()[codes],
            "door_language": dwellings["door_language"],
            "native_interviews": chosen.astype(np.int64),
            "occupied": dwellings["occupied"],
            "foreign": dwellings["dwelling"].isin(foreign),
        }
    )


def _visited(dwellings: pd.DataFrame, rules: FieldRules, seed: int, factor: float) -> pd.DataFrame:
    codes, names = pd.factorize(dwellings["area"])
    draws = Draws(seed, [*names], np.bincount(codes), table="visits", purposes=_DWELLING_DRAWS)
    effect = np.array([generator(seed, "response", a).normal() for a in names])[codes]
    numbers = {name: draws[name] for name in _DWELLING_DRAWS}
    disposition = _dispositions(dwellings, numbers, effect, (rules, factor))
    outcome = np.empty(len(dwellings), dtype=object)
    for name, shares in rules.outcomes.items():
        mine = disposition == name
        ends = np.cumsum([*shares.values()])
        place = np.searchsorted(ends, draws["outcome"][mine] * ends[-1], side="right")
        outcome[mine] = np.array([*shares], dtype=object)[place]
    heard = dwellings["door_language"].where(disposition != "unknown")
    return dwellings.assign(
        door_language=heard,
        outcome=pd.Series(outcome, dtype="str"),
        disposition=pd.Series(disposition, dtype="str"),
    )


def _areas(
    areas: pd.DataFrame, dwellings: pd.DataFrame, rules: FieldRules, key: str
) -> pd.DataFrame:
    listed = dwellings.groupby("area").agg(
        dwellings_listed=("in_frame", "sum"), listed=("in_frame", "size")
    )
    days = np.arange(len(areas)) // rules.areas_a_day
    return pd.DataFrame(
        {
            key: areas[key],
            "prior_class": areas["prior_class"],
            "dwellings_listed": listed.loc[areas[key], "dwellings_listed"].to_numpy(),
            "habitaculos_listed": (listed["listed"] - listed["dwellings_listed"])
            .loc[areas[key]]
            .to_numpy(),
            "visit_date": [rules.start + timedelta(days=int(d)) for d in days],
        }
    )


def _assigned(households: pd.DataFrame, dwellings: pd.DataFrame) -> pd.DataFrame:
    assigned = dwellings.set_index("dwelling")["native_interviews"]
    return households.assign(native_interviews=assigned.loc[households["dwelling"]].to_numpy())


def _interviewed(
    tables: Mapping[str, pd.DataFrame],
    dwellings: pd.DataFrame,
    rules: FieldRules,
    how: tuple[int, float],
) -> pd.DataFrame:
    """Return the rosters of respondent dwellings, with the interviews that were given."""
    seed, factor = how
    persons = tables["persons"]
    row = pd.Index(dwellings["dwelling"]).get_indexer(persons["dwelling"])
    recorded = dwellings.iloc[row][["prior_class", "dwelling_type", "door_language"]]
    recorded = recorded.reset_index(drop=True).assign(sex=persons["sex"])
    foreign = (tables["truth"]["truth_status"] != "native").to_numpy()
    native_interviews = dwellings["native_interviews"].to_numpy()[row] == 1
    selected = (persons["age"] >= rules.youngest).to_numpy() & (foreign | native_interviews)
    selected &= (recorded["dwelling_type"] != "collective").to_numpy()
    codes, names = pd.factorize(persons["area"])
    purposes = (*_PERSON_DRAWS, *rules.items)
    draws = Draws(seed, [*names], np.bincount(codes), table="interviews", purposes=purposes)
    chance = rules.interviews.of_rows(recorded) * np.where(foreign, factor, 1.0)
    given = selected & (draws["interview"] < chance)
    columns = {name: persons[name] for name in ("person", "household", "dwelling", "area")}
    columns |= {name: persons[name] for name in rules.roster}
    columns["interviewed"] = selected.astype(np.int64)
    disposition = pd.Series(np.where(given, "respondent", "nonrespondent"), dtype="str")
    columns["interview_disposition"] = disposition.where(selected)
    for name in rules.interview:
        answers = persons[name].where(given)
        if name in rules.items:
            share, code = rules.items[name]
            answers = answers.mask(answers.notna() & (draws[name] < share), code)
        columns[name] = answers
    answered = dwellings["disposition"].to_numpy()[row] == "respondent"
    return pd.DataFrame(columns)[answered].reset_index(drop=True)
