"""Panels and their rotation: which areas are visited in which wave, and with what weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nsm.errors import OptionError, SelectionError
from nsm.selection.sample import Sample
from nsm.selection.source import checked_seed


def panels(sample: Sample, count: int, *, seed: int) -> pd.DataFrame:
    """Divide the main areas into panels, each a sample by itself.

    Areas are dealt out in the order of the list, stratum by stratum, from a random panel on, so
    every panel keeps the implicit stratification. Certain areas are dealt out as well: a panel then
    holds one of them with probability 1 / count.

    Parameters
    ----------
    count
        Number of panels.

    Returns
    -------
    DataFrame: the main areas with `panel` (1 ... count) and `panel_weight`, the base weight of a
    single panel: base weight times the areas of the stratum over those in the panel.

    Raises
    ------
    SelectionError
        A stratum has fewer areas than panels.
    """
    if count < 1:
        raise OptionError("{count} panels cannot be made. Ask for at least 1.", count=count)
    rng = np.random.Generator(np.random.PCG64(checked_seed(seed)))
    main = sample.main.sort_values(["stratum", "order"], kind="stable").reset_index(drop=True)
    sizes = main["stratum"].value_counts()
    small = sorted(sizes[sizes < count].index)
    if small:
        raise SelectionError(
            "{few} strata have fewer areas than the {count} panels: {strata}. Make fewer panels or "
            "plan more areas there.",
            few=len(small),
            count=count,
            strata=small,
        )
    panel = np.zeros(len(main), dtype=np.int64)
    for places in main.groupby("stratum", sort=True).indices.values():
        panel[places] = (np.arange(len(places)) + rng.integers(count)) % count + 1
    main["panel"] = panel
    in_panel = main.groupby(["stratum", "panel"])["panel"].transform("size")
    in_stratum = main.groupby("stratum")["panel"].transform("size")
    main["panel_weight"] = main["base_weight"] * in_stratum / in_panel
    return main


def rotation(pattern: Sequence[int], waves: int) -> pd.DataFrame:
    """Lay out which panels are visited in which wave, one new panel entering each wave.

    Parameters
    ----------
    pattern
        1 where a panel is visited, 0 where it rests, from its first wave on: `[1, 1, 0, 0, 1, 1]`
        is the 2-2-2 rotation.
    waves
        Number of waves, all with a full set of panels.

    Returns
    -------
    DataFrame: `wave, panel, visit`, one row per visit; panels are numbered by entry.

    Raises
    ------
    OptionError
        The pattern is not of 0 and 1, or visits nobody.

    Examples
    --------
    >>> rotation([1, 1], waves=2).values.tolist()
    [[1, 1, 2], [1, 2, 1], [2, 2, 2], [2, 3, 1]]
    """
    if not pattern or set(pattern) - {0, 1} or not any(pattern) or waves < 1:
        raise OptionError(
            "A rotation needs a pattern of 0 and 1 with at least one 1, and at least one wave; it "
            "was given {pattern!r} and {waves}.",
            pattern=str(list(pattern)),
            waves=waves,
        )
    visits = np.cumsum(pattern)
    rows = [
        (wave, wave + len(pattern) - 1 - age, int(visits[age]))
        for wave in range(1, waves + 1)
        for age in range(len(pattern) - 1, -1, -1)
        if pattern[age]
    ]
    return pd.DataFrame(rows, columns=["wave", "panel", "visit"])


def rotation_overlap(schedule: pd.DataFrame) -> pd.DataFrame:
    """Return the share of the panels of a wave (row) that are visited in another wave (column)."""
    seen = pd.crosstab(schedule["wave"], schedule["panel"]).clip(upper=1)
    return (seen @ seen.T).div(seen.sum(axis=1), axis=0)


def wave_sample(paneled: pd.DataFrame, schedule: pd.DataFrame, wave: int) -> pd.DataFrame:
    """Return the areas of one wave with their weight.

    Parameters
    ----------
    paneled
        The result of `panels`, with as many panels as the schedule has.
    schedule
        The result of `rotation`.

    Returns
    -------
    DataFrame: the areas of the wave with `visit` and `wave_weight`, the base weight times the
    areas of the stratum over those of the wave.

    Raises
    ------
    OptionError
        The wave or some panels do not exist.
    """
    now = schedule.loc[schedule["wave"] == wave, ["panel", "visit"]]
    missing = sorted(set(schedule["panel"]) - set(paneled["panel"]))
    if now.empty or missing:
        raise OptionError(
            "Wave {wave} cannot be made: the schedule has waves {first} to {last} and its panels "
            "{missing} hold no area. Make {panels} panels.",
            wave=wave,
            first=int(schedule["wave"].min()),
            last=int(schedule["wave"].max()),
            missing=missing,
            panels=int(schedule["panel"].max()),
        )
    areas = paneled.merge(now, on="panel", how="inner")
    in_wave = areas.groupby("stratum")["panel"].transform("size")
    in_stratum = areas["stratum"].map(paneled["stratum"].value_counts())
    return areas.assign(wave_weight=areas["base_weight"] * in_stratum / in_wave)
