"""A page on which a manager moves budget, response, prevalence and targets, and sees what follows.

The page holds, for each stratum and variable, the variance of the estimated total for a row of
sample sizes, and finds the cheapest allocation itself. In n, variance is a / n - b between two
neighbors of the row; in prevalence it is a parabola through three points, which is exact for all
but the dwellings that do not answer; in response r it is V(1) + (1 - r) / r x (V(1/2) - V(1)),
which is exact.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nsm.estimation.estimates import COLUMNS, Estimates
from nsm.files import write_text
from nsm.language import translate
from nsm.publication import flag
from nsm.publication.report import script_json
from nsm.publication.rules import CAUTION, NOT_PUBLISHABLE

POINTS = 18  # sizes of a stratum
PREVALENCES = (0.5, 1.0, 1.5)  # times what is expected
_DATA = Path(__file__).parent / "data"

StrataAt = Callable[[np.ndarray | None], pd.DataFrame]


class World(NamedTuple):
    """Strata as functions of n where everybody answers, and where half do."""

    all: StrataAt
    half: StrataAt


class Explored(NamedTuple):
    """What the page needs beside the strata.

    Parameters
    ----------
    overhead
        What is paid besides the fieldwork that follows the allocation.
    plan
        Areas of each stratum in the plan.
    targets
        `domain, value, variable, target, words`.
    """

    overhead: float
    budget: float
    response: float
    minimum: int
    plan: Sequence[int]
    targets: pd.DataFrame
    rule: str
    currency: str
    locale: str
    title: str
    notice: str
    provenance: Mapping[str, str]


def tabulated(
    worlds: Sequence[World], variables: Sequence[str], domains: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the strata with cost, variance and expected cases for a row of sizes each.

    Parameters
    ----------
    worlds
        One for each of `PREVALENCES`.

    Returns
    -------
    By stratum: `stratum, domains, size` (N), `n` (sizes), and by prevalence `cost` (sizes),
    `cases`, `total`, `sure` (variance where all answer) and `silent` (what is added where half do),
    each a list by variable; `dwellings` for each size.
    """
    first = worlds[1].all(None)
    population = first["population"].to_numpy(dtype=float)
    sizes = [population ** (j / (POINTS - 1)) for j in range(POINTS)]
    tables = [[(w.all(n), w.half(n)) for n in sizes] for w in worlds]
    return [
        {
            "stratum": str(first["stratum"].iloc[h]),
            "domains": {d: str(first[d].iloc[h]) for d in domains},
            "size": float(population[h]),
            "n": [float(n[h]) for n in sizes],
            "dwellings": [
                float(t.iloc[h]["drawn_dwellings"] * n[h])
                for (t, _), n in zip(tables[1], sizes, strict=True)
            ],
            "worlds": [_world(rows, sizes, h, variables) for rows in tables],
        }
        for h in range(len(first))
    ]


def _world(
    rows: list[tuple[pd.DataFrame, pd.DataFrame]],
    sizes: list[np.ndarray],
    h: int,
    variables: Sequence[str],
) -> dict[str, Any]:
    pairs = [(a.iloc[h], b.iloc[h], float(n[h])) for (a, b), n in zip(rows, sizes, strict=True)]
    one = pairs[0][0]
    big = float(one["population"])
    return {
        "cost": [float(a["base_cost"] + n * a["cost"]) for a, _, n in pairs],
        "total": [float(one[f"mean_{y}"]) * big for y in variables],
        "cases": [[float(a[f"drawn_{y}"]) * n for a, _, n in pairs] for y in variables],
        "sure": [[_variance(a, y, n) for a, _, n in pairs] for y in variables],
        "silent": [
            [_variance(b, y, n) - _variance(a, y, n) for a, b, n in pairs] for y in variables
        ],
    }


def _variance(row: pd.Series, y: str, n: float) -> float:
    return float((row["population"] * row[f"sd_{y}"]) ** 2 / n - row[f"credit_{y}"])


def thresholds(rule: str) -> dict[str, dict[str, float]]:
    """Return from where on a rule says `caution` and `not_publishable`, found by trying it.

    Returns
    -------
    `cv` (above which), `cases` and `psus` (below which), each verdict -> number; all else is good.
    """
    good = {"n": 100_000.0, "cases": 10_000.0, "psus": 1_000.0, "df": 900.0, "deff": 20.0}
    tries = {
        "cv": np.arange(1, 601) / 1000,
        "cases": np.arange(1.0, 301.0),
        "psus": np.arange(1.0, 301.0),
    }
    found = {}
    for name, values in tries.items():
        table = pd.DataFrame({**good, "cv": 0.001, name: values}, index=range(len(values)))
        table = table.assign(variable="y", statistic="total", estimate=1e6)
        se = table["cv"] * table["estimate"]
        table = table.assign(se=se, lower=1e6 - 2 * se, upper=1e6 + 2 * se)
        verdict = flag(Estimates(table.reindex(columns=list(COLUMNS)), ()), rule, planned=True)
        words = verdict.table["verdict"].to_numpy()
        bad = {NOT_PUBLISHABLE: words == NOT_PUBLISHABLE, CAUTION: words != "publishable"}
        found[name] = {
            word: float(values[where].min() - 0.001 if name == "cv" else values[where].max() + 1)
            for word, where in bad.items()
            if where.any()
        }
    return found


def write_explorer(
    strata: Sequence[Mapping[str, Any]],
    variables: Mapping[str, str],
    given: Explored,
    path: str | os.PathLike[str],
    language: str = "en",
) -> Path:
    """Write the page: one HTML file that needs no network.

    Parameters
    ----------
    strata
        What `tabulated` gives.
    variables
        Name -> words, in the order of the tables.
    """
    import jinja2

    def say(text: str) -> str:
        return translate(text, language)

    data = {
        "strata": strata,
        "variables": [{"name": k, "words": v} for k, v in variables.items()],
        "prevalences": PREVALENCES,
        "targets": given.targets.astype(object)
        .where(given.targets.notna(), None)
        .to_dict("records"),
        "thresholds": thresholds(given.rule),
        "words": {text: say(text) for text in _SCRIPT_WORDS},
        "locale": given.locale.replace("_", "-"),
        **{
            k: getattr(given, k)
            for k in ("overhead", "budget", "response", "minimum", "plan", "currency")
        },
    }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string((_DATA / "explorer.html.j2").read_text(encoding="utf-8"))
    html = page.render(
        say=say,
        language=language,
        given=given,
        data=script_json(data),
        css=_asset("explorer.css"),
        js=_asset("explorer.js"),
    )
    return write_text(html, path)


def _asset(name: str) -> Any:
    from markupsafe import Markup

    return Markup((_DATA / name).read_text(encoding="utf-8"))  # noqa: S704 (a file of nsm's own)


_SCRIPT_WORDS = (
    "met",
    "missed",
    "publishable",
    "use with caution",
    "not publishable",
    "The targets need {cost}.",
    "No sample meets this target: {target}. The best CV there can be is {cv}.",
    "The budget does not pay for the least sample, which costs {cost}.",
    "With this budget all targets are met, with CVs at {factor} of what is allowed.",
    "With this budget CVs are {factor} times what is allowed.",
)
