"""Adaptive cluster sampling: where a sampled area is a hit, its neighbors are visited too.

A network is a set of hits joined by neighborhood. A sample that meets a network takes all of it;
neighbors that are no hits (edge areas) are visited, but count only if drawn themselves.

References
----------
Thompson (1990), Journal of the American Statistical Association 85, 1050-1059; Thompson & Seber
(1996), Adaptive Sampling, ch. 4.
"""

from __future__ import annotations

from collections.abc import Collection
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from nsm.errors import OptionError, SelectionError
from nsm.files import require_columns
from nsm.selection.quality import frame_probabilities
from nsm.selection.sample import Sample
from nsm.selection.source import source


def to_visit(hits: Collection[str], visited: Collection[str], neighbors: pd.DataFrame) -> list[str]:
    """Return the areas that fieldwork must visit next: unvisited neighbors of hits.

    Parameters
    ----------
    hits
        Visited areas that meet the condition.
    visited
        All areas visited so far.
    neighbors
        Pairs of adjacent areas, columns `area` and `neighbor`; each pair once is enough.
    """
    pairs = _both_ways(neighbors)
    beside = pairs.loc[pairs["area"].isin(set(hits)), "neighbor"]
    return sorted(set(beside) - set(visited))


def _both_ways(neighbors: pd.DataFrame) -> pd.DataFrame:
    require_columns(neighbors, ["area", "neighbor"], "The table of neighbors")
    pairs = neighbors[["area", "neighbor"]].astype("str")
    turned = pairs.rename(columns={"area": "neighbor", "neighbor": "area"})
    return pd.concat([pairs, turned], ignore_index=True).drop_duplicates()


def networks(hits: Collection[str], neighbors: pd.DataFrame) -> pd.Series:
    """Return the network number of each hit, as a series indexed by area."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    areas = sorted(hits)
    place = {area: k for k, area in enumerate(areas)}
    pairs = _both_ways(neighbors)
    inside = pairs[pairs["area"].isin(place) & pairs["neighbor"].isin(place)]
    ends = (inside["area"].map(place).to_numpy(int), inside["neighbor"].map(place).to_numpy(int))
    graph = coo_array((np.ones(len(inside)), ends), shape=(len(areas), len(areas)))
    labels = connected_components(graph, directed=False)[1] if areas else np.arange(0)
    return pd.Series(labels, index=pd.Index(areas, name="area"), name="network", dtype="int64")


def adaptive_weights(
    sample: Sample,
    visits: pd.DataFrame,
    neighbors: pd.DataFrame,
    *,
    estimator: str = "multiplicity",
    frame: Any = None,
) -> pd.DataFrame:
    """Give a base weight to every visited area.

    Parameters
    ----------
    sample
        The first sample, its main areas all visited.
    visits
        All visited areas: the key of the sample and `hit`, true or false.
    neighbors
        Pairs of adjacent areas, columns `area` and `neighbor`.
    estimator
        `multiplicity`: each area of a network gets the mean over the network of the weights of its
        sampled areas (modified Hansen-Hurwitz; right for every design). `network`: one over the
        probability that the sample meets the network (modified Horvitz-Thompson), known for `srs`,
        `bernoulli` and `poisson`; it needs the `frame`.

    Returns
    -------
    DataFrame: `area, hit, network` (missing where it is no hit), `initial` (drawn at first),
    `adaptive_weight`. Edge areas that were not drawn have weight 0.

    Raises
    ------
    SelectionError
        A sampled area or a neighbor of a hit was not visited, or the estimator is not known for the
        method.
    """
    require_columns(visits, [sample.key, "hit"], "The table of visits")
    table = visits.assign(area=visits[sample.key].astype("str"))[["area", "hit"]]
    main = sample.main.assign(area=sample.main[sample.key].astype("str")).set_index("area")
    hits = set(table.loc[table["hit"].astype(bool), "area"])
    missed = sorted(set(main.index) - set(table["area"]))
    missed = missed or to_visit(hits, list(table["area"]), neighbors)
    if missed:
        raise SelectionError(
            "{count} areas still have to be visited: {areas}.", count=len(missed), areas=missed
        )
    net = networks(hits, neighbors)
    table["network"] = table["area"].map(net).astype("Int64")
    table["initial"] = table["area"].isin(set(main.index))
    own = table["area"].map(main["base_weight"]).fillna(0.0)
    by_network = own.groupby(table["network"])
    if estimator == "multiplicity":
        shared = by_network.transform("mean")
    elif estimator == "network":
        met = by_network.transform("max") > 0
        shared = (1 / table["network"].map(_chances(sample, net, frame)).astype(float)).where(
            met, 0
        )
    else:
        raise OptionError(
            "There is no estimator {estimator!r}; take 'multiplicity' or 'network'.",
            estimator=estimator,
        )
    return table.assign(adaptive_weight=own.where(table["network"].isna(), shared))


def _chances(sample: Sample, net: pd.Series, frame: Any) -> pd.Series:
    """Return by network the probability that the first sample meets it."""
    method = sample.receipt["method"]
    if method not in {"srs", "bernoulli", "poisson"} or frame is None:
        raise SelectionError(
            "The probability of meeting a network is known for srs, bernoulli and poisson and "
            "needs the frame; the sample was drawn by {method!r}. Take estimator 'multiplicity'.",
            method=method,
        )
    table = source(frame, sample.key).table
    column = sample.receipt["stratum"]
    areas = pd.DataFrame(
        {
            "network": table[sample.key].astype("str").map(net),
            "stratum": "all" if column is None else table[column].astype("str"),
            "missing": 1 - frame_probabilities(sample, table),
        }
    ).dropna(subset="network")
    if method != "srs":
        return 1 - areas.groupby("network")["missing"].prod()
    strata = sample.strata.set_index("stratum")
    members = areas.groupby(["network", "stratum"]).size()
    names = members.index.get_level_values("stratum")
    missed = [
        _all_missed(strata.loc[[name]].iloc[0], int(count))
        for name, count in zip(names, members, strict=True)
    ]
    return 1 - pd.Series(missed, index=members.index).groupby(level="network").prod()


def _all_missed(stratum: pd.Series, members: int) -> float:
    """Return the probability that simple random sampling misses all `members` of a stratum."""
    n = int(stratum["n"] + stratum["released"])
    population = int(stratum["population"])
    return comb(population - members, n) / comb(population, n)
