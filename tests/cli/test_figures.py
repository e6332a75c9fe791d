"""`nsm indicators estimate|gaps|need` and `nsm compare` on another survey's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call

MAPPING = """
[data]
file = "{file}"
home = "USA"
year = 2018

[design]
weight = "wt"
stratum = "st"
psu = "cluster"

[columns]
age = "years"
birth_country = {{from = "born", rule = "1: USA; 2: MEX"}}
employed = {{rule = "cases: 1: job == 1; 0: job == 2", number = true}}
household = "hh"
"""


def answers(seed: int, boost: float = 0.0) -> pd.DataFrame:
    rng = np.random.Generator(np.random.PCG64(seed))
    n = 800
    born = np.where(rng.random(n) < 0.3, 2, 1)
    return pd.DataFrame(
        {
            "st": np.arange(n) // 200,
            "cluster": np.arange(n) // 20,
            "hh": np.arange(n) // 2,
            "wt": 50.0,
            "years": rng.integers(18, 65, n),
            "born": born,
            "job": np.where(rng.random(n) < 0.5 + boost + 0.1 * (born == 2), 1, 2),
        }
    )


@pytest.fixture
def surveys(tmp_path: Path) -> tuple[str, str]:
    """Mappings of two rounds of a survey that knows nothing of ours."""
    names = []
    for round_, boost in ((1, 0.0), (2, 0.25)):
        answers(round_, boost).to_csv(tmp_path / f"round{round_}.csv.gz", index=False)
        mapping = tmp_path / f"round{round_}.toml"
        mapping.write_text(MAPPING.format(file=f"round{round_}.csv.gz"), encoding="utf-8")
        names.append(str(mapping))
    return names[0], names[1]


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


def test_estimate(surveys: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["indicators", "estimate", "employment_rate", "8.3.1", "--survey", surveys[0]]
    assert call(cli, [*arguments, "--by", "nativity", "--json"]) == 0
    found = rows(capsys)
    table = answers(1)
    expected = (table["job"] == 1).groupby(table["born"]).mean()
    assert [r["nativity"] for r in found] == [None, "foreign_born", "native_born"]
    assert [r["estimate"] for r in found[1:]] == pytest.approx([expected[2], expected[1]])
    assert call(cli, [*arguments, "--by", "nativity", "--lang", "es"]) == 0
    said = capsys.readouterr()
    assert "estimación" in said.out
    assert "8.3.1: La encuesta no tiene la columna 'informal'" in said.err


def test_gaps(surveys: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["indicators", "gaps", "employment_rate", "--survey", surveys[0]]
    between = ["--between", "foreign_born", "native_born", "--on", "nativity"]
    assert call(cli, [*arguments, *between, "--json"]) == 0
    (found,) = rows(capsys)
    table = answers(1)
    work = (table["job"] == 1).groupby(table["born"]).mean()
    assert found["estimate"] == pytest.approx(work[2] - work[1])
    assert found["se"] > 0
    wrong = ["--between", "foreign", "native_born", "--on", "nativity", "--lang", "es"]
    assert call(cli, [*arguments, *wrong]) == 2
    assert "'foreign_born'" in capsys.readouterr().err


def test_need(surveys: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["indicators", "need", "employment_rate", "--survey", surveys[0]]
    assert call(cli, [*arguments, "--cv", "0.02", "--by", "nativity", "--json"]) == 0
    found = {r["nativity"]: r for r in rows(capsys)}
    assert found["foreign_born"]["more_households"] > found["native_born"]["more_households"] > 0
    assert call(cli, [*arguments, "--cv", "0.02", "--by", "nativity", "--lang", "es"]) == 0
    assert "hogares por agregar en áreas nuevas" in capsys.readouterr().out
    assert call(cli, [*arguments, "--lang", "es"]) == 2
    assert "Indique cv o se" in capsys.readouterr().err


def test_compare(surveys: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", *surveys, "--indicator", "employment_rate", "--indicator", "mean_age"]
    assert call(cli, [*arguments, "--json"]) == 0
    found = {r["variable"]: r for r in rows(capsys)}
    rate = [(answers(k, b)["job"] == 1).mean() for k, b in ((1, 0.0), (2, 0.25))]
    assert found["employment_rate"]["estimate"] == pytest.approx(rate[1] - rate[0])
    assert found["employment_rate"]["verdict"] == "higher"
    assert found["employment_rate"]["adjusted"] >= found["employment_rate"]["p"]
    assert found["mean_age"]["verdict"] == "no clear difference"
    assert call(cli, [*arguments, "--by", "nativity", "--lang", "es"]) == 0
    assert "sin diferencia clara" in capsys.readouterr().out


def test_a_table_that_says_how_forms_differ(
    surveys: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crosswalk = tmp_path / "crosswalk.csv"
    crosswalk.write_text(
        "target,source,rule,status,note\nemployed,job,1: 1,partial,absent workers not asked\n",
        encoding="utf-8",
    )
    arguments = ["compare", *surveys, "--indicator", "employment_rate"]
    assert call(cli, [*arguments, "--crosswalk", str(crosswalk), "--json"]) == 0
    assert "employed: partial (absent workers not asked)" in rows(capsys)[0]["note"]
