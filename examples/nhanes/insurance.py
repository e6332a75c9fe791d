"""Health insurance of the foreign-born and the native-born in the United States, 2017-2020."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import nsm
from nsm import Estimates, Survey, mean

DATA = Path(__file__).with_name("nhanes_2017_2020.csv.gz")
YEARS = {1: "under 5", 2: "05 to 14", 3: "15 to 29", 4: "30 and more"}
GAP = mean("uninsured", where="fborn == 1") - mean("uninsured", where="fborn == 0")
COLUMNS = ["estimate", "se", "lower", "upper", "n", "psus"]


def read() -> pd.DataFrame:
    """Return the persons, with labels in words."""
    table = pd.read_csv(DATA)
    return table.assign(
        sex=table["RIAGENDR"].map({1: "male", 2: "female"}),
        years=table["DMDYRUSZ"].map(YEARS),
        age=table["RIDAGEYR"],
    )


def survey(weight: str = "WTINTPRP") -> Survey:
    """Return the survey: of the interview, or with `WTMECPRP` of the examination."""
    return nsm.Survey(read(), weight=weight, stratum="SDMVSTRA", psu="SDMVPSU")


def shown(estimates: Estimates, *labels: str) -> str:
    """Return some columns as text."""
    return estimates.table[[*labels, *COLUMNS]].round(4).to_string(index=False)


def main() -> None:
    """Print the study."""
    interview = survey()
    print(interview.describe())
    obese = survey("WTMECPRP").mean("obese_child")
    print("\nObesity, 2 to 19 years (published: 19.7 %)\n" + shown(obese))
    print(
        "\nWithout health insurance\n" + shown(interview.mean("uninsured", by="natgrp"), "natgrp")
    )
    print("\nGap, foreign-born minus native-born\n" + shown(interview.estimate(GAP)))
    for by in ("sex", "agegrp"):
        print(f"\nGap by {by}\n" + shown(interview.estimate(GAP, by=by), by))
    years = interview.mean("uninsured", by="years", where="fborn == 1")
    print("\nForeign-born, by years in the country\n" + shown(years, "years"))
    model = interview.glm(
        "uninsured ~ natgrp * agegrp + sex", family="binomial", where="RIDAGEYR >= 18"
    )
    print("\nAdults: odds ratios\n" + model.exponentiated.round(3).to_string(index=False))
    test = model.wald("natgrp:agegrp")
    print(
        f"Interaction: F = {test.statistic:.2f} on {test.df1:g}, {test.df2:g} df, p = {test.p:.4f}"
    )


if __name__ == "__main__":
    main()
