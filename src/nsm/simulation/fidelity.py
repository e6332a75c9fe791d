"""How far a synthetic population is what its description asks for, and what is invented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nsm.condition import parse
from nsm.files import require_columns
from nsm.language import translate
from nsm.simulation.compared import Row, compared, row
from nsm.simulation.concentration import design_effect, intra_area_correlation
from nsm.simulation.counted import Counted
from nsm.simulation.counts import truth_column
from nsm.simulation.draws import generator
from nsm.simulation.groups import COLLECTIVE, DWELLING, HABITACULO, IMMIGRANT, NATIVE

if TYPE_CHECKING:
    from nsm.simulation.description import Published
    from nsm.simulation.population import Population

COLUMNS = ("measure", "wanted", "reached", "se", "kind", "source")
_BATCH = 500


def fidelity(
    population: Population, *, areas: int = 2000, seed: int = 1, language: str = "en"
) -> pd.DataFrame:
    """Compare a population with its description.

    Parameters
    ----------
    areas
        Areas whose persons are made, drawn at random, for what counts do not tell.
    seed
        Of that draw.
    language
        Of the names of measures.

    Returns
    -------
    table with columns `measure, wanted, reached, se, kind, source`. `kind` is `exact` (numbers of
    areas and persons that are not as wanted: 0), `structure` (of the description), `shape` (what
    concentration came out), `published` (from a draw of areas, with its standard error) and
    `invented` (no figure behind it).
    """
    if isinstance(population, Counted):
        rows = [*_exact(population), *_structure(population), *_shape(population)]
    else:
        rows = [*compared(population)]
    said = [(translate(made[0], language).format(**made[1]), *made[2:]) for made in rows]
    published = population.published
    if published:
        said += _published(population, published, (areas, seed), language)
    said += [
        (what.get(language, what["en"]), np.nan, np.nan, np.nan, "invented", "")
        for what in population.invented
    ]
    table = pd.DataFrame(said, columns=[*COLUMNS])
    notice = population.setting.notice
    table.attrs["notice"] = notice.get(language, notice["en"])
    return table


def _by_area(population: Counted, chosen: np.ndarray) -> np.ndarray:
    cells = population.counts
    return np.bincount(
        cells["area"][chosen], cells["persons"][chosen], len(population.frame)
    ).astype(np.int64)


def _exact(population: Counted) -> Iterator[Row]:
    """Count the areas where a margin does not hold."""
    frame, columns = population.frame, population.description.setting.columns
    place = population.counts["place"].to_numpy()
    men = population.counts["sex"].to_numpy() == 0
    inside = place != HABITACULO
    for text, column, chosen in (
        ("Areas whose population is not that of the frame", "population", inside),
        ("Areas whose men are not those of the frame", "men", inside & men),
        (
            "Areas whose persons in collective dwellings are not those of the frame",
            "collective",
            place == COLLECTIVE,
        ),
    ):
        wrong = _by_area(population, chosen) != frame[columns[column]].to_numpy()
        yield row(text, 0, wrong.sum(), "exact")
    groups, group = population.description.groups, population.counts["group"].to_numpy()
    status = groups.status[group]
    for number, origin in enumerate(population.description.origins, start=1):
        for immigrants in (True, False):
            wrong = 0
            total = 0
            for where in (DWELLING, HABITACULO):
                column = truth_column(origin.key, immigrants=immigrants, place=where)
                kind = status == IMMIGRANT if immigrants else status > IMMIGRANT
                found = _by_area(
                    population, kind & (groups.origin[group] == number) & (place == where)
                )
                wanted = population.placed.get(column, pd.Series(0, frame.index)).to_numpy()
                wrong += int((found != wanted).sum())
                total += int(wanted.sum())
            text = (
                "Areas whose immigrants of {origin} ({total}) are not those of the truth"
                if immigrants
                else "Areas whose descendants of {origin} ({total}) are not those of the truth"
            )
            if total:
                yield row(text, 0, wrong, "exact", origin=origin.key, total=f"{total:,}")


def _structure(population: Counted) -> Iterator[Row]:
    """Compare sex, ages and parents of every origin with the description."""
    description, cells = population.description, population.counts
    origin = description.groups.origin[cells["group"].to_numpy()]
    status = description.groups.status[cells["group"].to_numpy()]
    persons, sex = cells["persons"].to_numpy(), cells["sex"].to_numpy()
    for number, part in enumerate(description.origins, start=1):
        for kind, immigrants in ((part.immigrants, True), (part.descendants, False)):
            mine = (origin == number) & ((status == IMMIGRANT) == immigrants)
            if kind is None or not mine.any():
                continue
            men = np.average(sex[mine] == 0, weights=persons[mine])
            name = f"{part.key} ({'immigrants' if immigrants else 'descendants'})"
            yield row("Share of men, {group}", kind.men, men, "structure", group=name)
            worst = 0.0
            for which in (0, 1):
                chosen = mine & (sex == which)
                held = np.bincount(
                    cells["band"][chosen], persons[chosen], len(description.ages.starts)
                )
                worst = max(worst, float(abs(held / held.sum() - kind.ages[which]).max()))
            yield row(
                "Largest difference of an age share, {group}", 0, worst, "structure", group=name
            )
        mine = (origin == number) & (status > IMMIGRANT)
        if mine.any():
            two = np.average(status[mine] == IMMIGRANT + 2, weights=persons[mine])
            yield row(
                "Share of descendants with two immigrant parents, {group}",
                part.two_parents,
                two,
                "structure",
                group=part.key,
            )


def _shape(population: Counted) -> Iterator[Row]:
    """Tell how people of foreign origin and the young concentrate in areas."""
    cells = population.counts
    status = population.description.groups.status[cells["group"].to_numpy()]
    inside = (cells["place"] != HABITACULO).to_numpy()
    persons = _by_area(population, inside)
    immigrants = _by_area(population, inside & (status == IMMIGRANT))
    foreign = _by_area(population, inside & (status != NATIVE))
    young = _by_area(
        population, inside & (population.description.ages.starts[cells["band"].to_numpy()] < 15)
    )
    share = immigrants / np.maximum(persons, 1)
    for text, value in (
        ("Share of areas without an immigrant", (immigrants == 0).mean()),
        ("Share of areas above 30 % immigrants", (share > 0.3).mean()),
        (
            "Intra-area correlation of being an immigrant",
            intra_area_correlation(immigrants, persons),
        ),
        (
            "Intra-area correlation of being of foreign origin",
            intra_area_correlation(foreign, persons),
        ),
        ("Intra-area correlation of being under 15", intra_area_correlation(young, persons)),
        (
            "Design effect of the total of immigrants, whole areas drawn by population",
            design_effect(immigrants, persons, persons),
        ),
    ):
        yield row(text, np.nan, value, "shape")


def _published(
    population: Population,
    published: tuple[Published, ...],
    draw: tuple[int, int],
    language: str,
) -> list[tuple[Any, ...]]:
    """Estimate published figures from a draw of areas, with the error of the draw."""
    codes = np.array(population.areas)
    count = min(draw[0], len(codes))
    chosen = generator(draw[1], "fidelity").permutation(len(codes))[:count]
    sums = np.zeros((len(published), 2, count))
    for start in range(0, count, _BATCH):
        some = codes[np.sort(chosen[start : start + _BATCH])].tolist()
        persons = _with_truth(population.area_tables(some))
        area = pd.Index(some).get_indexer(persons["area"])
        for k, figure in enumerate(published):
            for part, values in enumerate(_values(persons, figure)):
                sums[k, part, start : start + len(some)] = np.bincount(area, values, len(some))
    rows = []
    for figure, (top, bottom) in zip(published, sums, strict=True):
        ratio = top.sum() / max(bottom.sum(), 1)
        spread = (top - ratio * bottom).std(ddof=1) * np.sqrt(count * (1 - count / len(codes)))
        name = figure.name.get(language, figure.name["en"])
        se = spread / max(bottom.sum(), 1)
        rows.append((name, figure.wanted, ratio, se, "published", figure.source))
    return rows


def _with_truth(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the persons with their true status and what is recorded of their dwelling."""
    persons = tables["persons"].merge(tables["truth"], on="person", validate="one_to_one")
    recorded = ["dwelling", "dwelling_type", "door_language"]
    return persons.merge(tables["dwellings"][recorded], on="dwelling", validate="many_to_one")


def _values(persons: pd.DataFrame, figure: Published) -> tuple[np.ndarray, np.ndarray]:
    """Return numerator and denominator of a figure for every person."""
    among = _holds(persons, figure.among)
    if figure.share:
        return among * _holds(persons, figure.share), among
    require_columns(persons, [figure.mean], "The table of persons")
    value = pd.to_numeric(persons[figure.mean]).to_numpy(dtype=float, na_value=np.nan)
    among = among * ~np.isnan(value)
    return among * np.nan_to_num(value), among


def _holds(persons: pd.DataFrame, text: str) -> np.ndarray:
    import narwhals as nw

    if not text:
        return np.ones(len(persons))
    table = nw.from_native(persons, eager_only=True)
    found = table.select(parse(text).where(table).alias("holds"))["holds"]
    return found.to_numpy().astype(float)
