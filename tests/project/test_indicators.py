"""Indicators of a project: computed, published, and what cannot be made named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call
from nsm.errors import OptionError
from nsm.project import Project
from nsm.project.goals import goals
from nsm.project.published import Published, published
from nsm.project.stages.indicators import expanded, registry

SETTINGS = """
[indicators]
codes = ["population", "employment_rate", "mean_pay", "8.3.1", "5.2.1"]
by = [["sex"], ["territory"], ["status"], ["wealth"]]
gap = ["immigrant", "native"]
planned = ["all", "territory"]

[indicators.targets]
employment_rate = {value = 0.9, year = 2030, better = "higher"}
mean_pay = {value = 1, year = 2020}

"""


@pytest.fixture(scope="module")
def computed(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished project with indicators; not to be changed."""
    folder = Path(shutil.copytree(finished.folder, tmp_path_factory.mktemp("indicators") / "small"))
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    start, end = text.index("[indicators]"), text.index("[publication]")
    file.write_text(text[:start] + SETTINGS + text[end:], encoding="utf-8")
    project = Project(folder)
    assert [state.stage for state in project.run()] == ["indicators", "publication"]
    return project


@pytest.fixture(scope="module")
def found(computed: Project) -> Published:
    return published(computed)


def test_each_disaggregation_is_a_table(computed: Project, found: Published) -> None:
    assert list(found.indicators) == [(), ("sex",), ("territory",), ("status",)]
    table = pd.read_parquet(computed.results("indicators", "indicators.parquet"))
    headline = pd.read_parquet(computed.results("estimation", "headline.parquet"))
    mine = table[
        table["variable"].eq("immigrants") & table[["sex", "territory"]].isna().all(axis=1)
    ]
    first = headline.set_index("variable").loc["immigrants"]
    assert mine["estimate"].iloc[0] == pytest.approx(first["estimate"], rel=1e-9)
    assert mine["se"].iloc[0] == pytest.approx(first["se"], rel=1e-6)


def test_what_cannot_be_made_is_named_and_the_rest_made(computed: Project) -> None:
    missing = pd.read_csv(computed.results("indicators", "missing.csv"), dtype=str).fillna("")
    rows = {(r["code"], r["by"]): r for r in missing.to_dict("records")}
    assert rows[("", "wealth")]["reason_en"] == "The survey has no column 'wealth'."
    assert "No hay encuesta de 'selected'" in rows[("5.2.1", "")]["reason_es"]
    page = computed.results("publication", "report-internal-en.html").read_text(encoding="utf-8")
    assert "Indicators that could not be computed" in page
    assert "&#39;selected&#39;" in page or "'selected'" in page
    public = computed.results("publication", "report-public-en.html").read_text(encoding="utf-8")
    assert "Indicators that could not be computed" not in public


def test_a_gap_is_as_good_as_its_worse_side(found: Published) -> None:
    assert found.gaps is not None
    sides = found.indicators[("status",)].table
    order = ["publishable", "caution", "not_publishable"]
    row = found.gaps.table.set_index("variable").loc["employment_rate"]
    both = sides[sides["variable"].eq("employment_rate")].set_index("status")
    expected = both.loc["immigrant", "estimate"] - both.loc["native", "estimate"]
    assert row["estimate"] == pytest.approx(expected)
    mine = both.loc[["immigrant", "native"], "verdict"]
    assert row["verdict"] == max(mine, key=order.index)
    for gap in found.gaps.table.itertuples():
        same = sides["variable"].eq(gap.variable) & sides["category"].map(str).eq(str(gap.category))
        same &= sides["status"].isin(["immigrant", "native"])
        assert pd.notna(gap.suppressed) or sides.loc[same, "suppressed"].isna().all()


def test_goals_are_in_the_report_and_wrong_ones_named(computed: Project) -> None:
    table, failures = goals(computed)
    assert table["variable"].tolist() == ["employment_rate"]
    assert table["distance"].iloc[0] == pytest.approx(0.9 - table["estimate"].iloc[0])
    assert "2020" in str(failures["mean_pay"])
    page = computed.results("publication", "report-public-es.html").read_text(encoding="utf-8")
    assert "Metas nacionales" in page


def test_the_goals_on_the_command_line(
    computed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["-C", str(computed.folder)]
    assert call(cli, ["indicators", "targets", *place, "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)[0]["target"] == 0.9
    assert "mean_pay" in said.err
    assert call(cli, ["indicators", "targets", *place, "--lang", "es"]) == 0
    assert "cambio anual necesario" in capsys.readouterr().out


def test_households_to_add_count_all_that_were_screened(
    computed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["indicators", "need", "employment_rate", "--cv", "0.01", "--by", "status"]
    assert call(cli, [*arguments, "-C", str(computed.folder), "--json"]) == 0
    found = {row["status"]: row for row in json.loads(capsys.readouterr().out)}
    persons = pd.read_parquet(computed.results("weighting", "persons.parquet"))
    screened = persons.loc[persons["weight"] > 0, "household"].nunique()
    assert found["immigrant"]["households"] == screened
    assert found["native"]["rate"] > 0


def test_a_project_beside_itself_has_not_changed(
    computed: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(computed.folder)
    arguments = ["compare", place, place, "--indicator", "immigrants", "--indicator", "mean_pay"]
    assert call(cli, [*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["estimate"] for row in found] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert {row["verdict"] for row in found} == {"no clear difference"}


def test_codes_are_codes_families_or_all(computed: Project) -> None:
    known = registry(computed)
    assert expanded(("8.6.1", "8.6.1"), known) == ["8.6.1"]
    assert set(expanded(("all",), known)) == {c for c, one in known.items() if one.computable}
    with pytest.raises(OptionError, match=r"'populaton'.*'population'"):
        expanded(("populaton",), known)


def test_hidden_cells_are_hidden_in_every_table(found: Published) -> None:
    hidden: dict[object, bool] = {}
    for keys, made in found.indicators.items():
        for row in made.table.to_dict("records"):
            if row["statistic"] not in {"total", "count", "proportion"}:
                continue
            cell = (row["variable"], str(row["category"]), *(f"{k}={row[k]}" for k in keys))
            assert hidden.setdefault(cell, pd.notna(row["suppressed"])) == pd.notna(
                row["suppressed"]
            )
    assert np.sum(list(hidden.values())) < len(hidden) / 2
