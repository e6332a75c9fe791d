"""Response rates against AAPOR's formulas, written out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fieldwork.exports import tables
from tests.questionnaire.walk import interviews

from nsm.errors import FieldworkError, OptionError, ValueInColumnError
from nsm.fieldwork import dispositions, phases, read_delivery, response_rates
from nsm.fieldwork.outcomes import CLASSES, GROUPS
from nsm.files import library
from nsm.questionnaire import Questionnaire

FORM = Questionnaire.read(library("questionnaires/eni-short"))
UNITS = pd.DataFrame(
    {
        "aapor": ["I"] * 500
        + ["P"] * 50
        + ["R"] * 100
        + ["NC"] * 60
        + ["O"] * 40
        + ["UH"] * 120
        + ["UO"] * 30
        + ["NE"] * 100
    }
)


def test_the_six_rates_are_those_of_aapor() -> None:
    found = response_rates(UNITS).iloc[0]
    e = 750 / 850
    expected = {
        "RR1": 500 / 900,
        "RR2": 550 / 900,
        "RR3": 500 / (750 + e * 150),
        "RR4": 550 / (750 + e * 150),
        "RR5": 500 / 750,
        "RR6": 550 / 750,
        "COOP1": 500 / 690,
        "COOP2": 550 / 690,
        "REF1": 100 / 900,
        "CON1": 690 / 900,
        "eligible": e,
    }
    assert found[list(expected)].to_dict() == pytest.approx(expected)
    assert found["n"] == 1000


def test_eligibility_can_be_given() -> None:
    assert response_rates(UNITS, eligible=0.5)["RR3"][0] == pytest.approx(500 / 825)
    assert response_rates(UNITS, eligible=1)["RR3"][0] == response_rates(UNITS)["RR1"][0]
    assert response_rates(UNITS, eligible=0)["RR3"][0] == response_rates(UNITS)["RR5"][0]
    with pytest.raises(OptionError, match=r"eligible=1.5 is no share"):
        response_rates(UNITS, eligible=1.5)


@given(st.lists(st.sampled_from(GROUPS), min_size=1))
def test_rates_are_ordered(groups: list[str]) -> None:
    found = response_rates(pd.DataFrame({"aapor": groups})).iloc[0].fillna(0.0)
    assert found["RR1"] <= found["RR3"] + 1e-12 <= found["RR5"] + 2e-12
    assert found["RR2"] <= found["RR4"] + 1e-12 <= found["RR6"] + 2e-12
    assert found["RR1"] <= found["RR2"] + 1e-12


def test_weights_count_instead_of_units() -> None:
    table = pd.DataFrame({"aapor": ["I", "R"], "w": [30.0, 10.0]})
    assert response_rates(table, weight="w")["RR1"][0] == 0.75


def test_groups_are_counted_apart_and_without_units_nothing_is_divided() -> None:
    table = pd.DataFrame({"aapor": ["I", "NE", "NE"], "zone": ["urban", "urban", "rural"]})
    found = response_rates(table, by="zone").set_index("zone")
    assert found["RR1"]["urban"] == 1
    assert pd.isna(found["RR1"]["rural"])
    assert found["n"].to_dict() == {"rural": 1, "urban": 2}


def test_a_disposition_alone_gives_the_same_main_rates() -> None:
    table = pd.DataFrame({"disposition": UNITS["aapor"].map(CLASSES)})
    found = response_rates(table).iloc[0]
    assert found["RR1"] == response_rates(UNITS)["RR2"][0]


def test_outcomes_become_dispositions() -> None:
    table = pd.DataFrame({"outcome": ["completed", "vacant", "not_found", None]})
    found = dispositions(table, FORM)
    assert found["disposition"].tolist() == ["respondent", "ineligible", "unknown", "unknown"]
    assert found["aapor"].tolist() == ["I", "NE", "UH", "UH"]


def test_what_has_no_group_is_refused() -> None:
    with pytest.raises(ValueInColumnError, match=r"1 rows have an outcome .*: 'gone'"):
        dispositions(pd.DataFrame({"outcome": ["gone"]}), FORM)
    with pytest.raises(FieldworkError, match=r"outcomes 'M', 'F' of 'sex' have no AAPOR group"):
        dispositions(pd.DataFrame({"sex": ["M"]}), FORM, "sex")
    with pytest.raises(ValueInColumnError, match="1 rows have a aapor other than I, P, R"):
        response_rates(pd.DataFrame({"aapor": ["X"]}))


def test_phases_multiply() -> None:
    done = interviews(FORM, 30, outcome="completed", household_size=2)
    lost = interviews(FORM, 10, seed=5, outcome="refused")
    for number, each in enumerate([*done, *lost]):
        each.row |= {"area": f"{number % 4:013d}", "dwelling": f"{number % 4:013d}-{number:03d}"}
    delivered = read_delivery(tables(FORM, [*done, *lost], Path()), FORM).tables
    found = phases(FORM, delivered, areas=[f"{n:013d}" for n in range(5)]).set_index("phase")
    rates = {"areas": 0.8, "dwellings": 0.75, "interviews": 1}
    assert found["RR3"].to_dict() == pytest.approx(rates)
    assert found["overall"]["interviews"] == pytest.approx(0.6)


def test_who_was_invited_and_refused_counts_in_the_response_of_interviews() -> None:
    form = Questionnaire.read(library("questionnaires") / "eni-core")
    area = "1009010110002"
    dwellings = pd.DataFrame({"dwelling": [f"{area}-001"], "area": area, "outcome": "completed"})
    persons = pd.DataFrame(
        {
            "person": [f"{area}-001-1-0{k}" for k in range(1, 4)],
            "dwelling": f"{area}-001",
            "interviewed": [True, True, False],
            "interview_result": ["completed", "refused", None],
            "answers": [True, False, None],
        }
    )
    found = phases(form, {"dwellings": dwellings, "persons": persons}).set_index("phase")
    assert found.loc["interviews", ["n", "I", "R"]].tolist() == [2, 1, 1]
