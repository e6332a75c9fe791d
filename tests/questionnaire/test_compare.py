"""What changed between two forms, and how one becomes the other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.questionnaire.forms import small

from nsm.errors import ColumnError, QuestionnaireError
from nsm.questionnaire.compare import diff
from nsm.questionnaire.crosswalk import COLUMNS, check_crosswalk, draft_crosswalk, harmonize

ES, EN = "i18n/es.yaml: ", "i18n/en.yaml: "
CHANGES: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str, str, str]]]] = {
    "nothing": ([], []),
    "added": (
        [
            ("- name: languages", "- name: literate\n    type: boolean\n  - name: languages"),
            (f"{EN}title:", "literate: Reads?\ntitle:"),
        ],
        [("added", "literate", "", "Reads?")],
    ),
    "removed": (
        [("  - name: languages\n    type: many\n    list: language\n", "")],
        [("removed", "languages", "Which languages does {person_name} speak?", "")],
    ),
    "reworded in one language": (
        [(f"{EN}How many people live here?", "How many persons live here?")],
        [
            (
                "reworded",
                "people",
                "[en] How many people live here?",
                "[en] How many persons live here?",
            )
        ],
    ),
    "recoded": (
        [("codes: [DOM, HTI, VEN]", "codes: [DOM, HTI, USA]")],
        [("recoded", "birth_country", "VEN: Venezuela", "USA: United States")],
    ),
    "relabeled": (
        [("i18n/en/codes.yaml: Female", "Woman")],
        [("relabeled", "sex", "F: Female", "F: Woman")],
    ),
    "re-routed": (
        [("ask: age >= 15", "ask: age >= 12")],
        [("re-routed", "employed", "age >= 15", "age >= 12")],
    ),
    "asked of everybody": (
        [("    ask: age >= 15\n", "")],
        [("re-routed", "employed", "age >= 15", "everybody")],
    ),
    "redefined": (
        [("value: birth_country != home", 'value: birth_country == "HTI"')],
        [
            (
                "redefined",
                "born_abroad",
                'birth_country != "DOM"',
                'birth_country == "HTI"',
            )
        ],
    ),
    "retyped": (
        [("range: [1, 30]", "range: [1, 60]")],
        [("retyped", "people", "integer 1 - 30", "integer 1 - 60")],
    ),
    "other code for missing": (
        [("missing: {998: dont_know}", "missing: {999: dont_know}")],
        [("recoded", "age", "998: Does not know", "999: Does not know")],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_told(case: str, tmp_path: Path) -> None:
    changes, expected = CHANGES[case]
    found = diff(small(tmp_path / "a"), small(tmp_path / "b", *changes))
    shown = found[["change", "question", "was", "now"]]
    assert list(shown.itertuples(index=False, name=None)) == expected


def test_a_question_of_the_same_concept_is_the_same_question(tmp_path: Path) -> None:
    before = (
        "- name: employed\n    type: boolean",
        "- name: employed\n    type: boolean\n    concept: job",
    )
    after = (
        "- name: employed\n    type: boolean",
        "- name: works\n    type: boolean\n    concept: job",
    )
    text = (f"{ES}employed:", "works:"), (f"{EN}employed:", "works:")
    found = diff(small(tmp_path / "a", before), small(tmp_path / "b", after, *text))
    assert found[["change", "concept", "was", "now"]].to_numpy().tolist() == [
        ["renamed", "job", "employed", "works"]
    ]


def test_a_change_and_its_reverse_mirror_each_other(tmp_path: Path) -> None:
    one = small(tmp_path / "a")
    other = small(tmp_path / "b", ("ask: age >= 15", "ask: age >= 12"))
    there, back = diff(one, other), diff(other, one)
    pd.testing.assert_series_equal(there["was"], back["now"], check_names=False)


# Crosswalks


def rows(**changes: str) -> dict[str, str]:
    return {
        "target": "sex",
        "source": "sex",
        "rule": "copy",
        "status": "full",
        "note": "",
    } | changes


WRONG: dict[str, tuple[dict[str, str], str, str]] = {
    "unknown target": (rows(target="sexo"), "X101", "no variable 'sexo'"),
    "unknown status": (rows(status="done"), "X104", "status 'done' is none. Known: 'full'"),
    "unexplained impossible": (rows(rule="", status="impossible"), "X105", "says why"),
    "unexplained partial": (rows(status="partial"), "X105", "what is lost"),
    "unreadable": (rows(rule="value: age ="), "X106", "The rule cannot be read."),
    "unknown source": (rows(source="sexx"), "X107", "no variable 'sexx'. Did you mean 'sex'"),
    "source code without a place": (rows(rule="M: M"), "X108", "go nowhere: 'F'"),
    "code that is not there": (rows(rule="M: M; F: F; X: F"), "X109", "codes: 'X'"),
    "code that the target lacks": (rows(rule="M: M; F: W"), "X110", "does not have: 'W'"),
    "not full": (rows(rule="M: M; F: M"), "X111", "Nothing becomes 'F'"),
}


@pytest.mark.parametrize("defect", WRONG)
def test_a_wrong_crosswalk_is_told(defect: str, tmp_path: Path) -> None:
    row, code, message = WRONG[defect]
    form = small(tmp_path)
    table = draft_crosswalk(form, form)
    table = pd.concat([table[table["target"] != "sex"], pd.DataFrame([row])], ignore_index=True)
    found = check_crosswalk(table, form, form)
    hits = found[(found["code"] == code) & found["message"].str.contains(message, regex=False)]
    assert len(hits) == 1, found[["code", "message"]].to_numpy().tolist()


def test_a_target_has_one_row(tmp_path: Path) -> None:
    form = small(tmp_path)
    table = draft_crosswalk(form, form)
    short = check_crosswalk(table[table["target"] != "sex"], form, form)
    assert short["code"].tolist() == ["X103"]
    assert "1 targets have no row: 'sex'" in short["message"][0]
    double = check_crosswalk(pd.concat([table, table.tail(1)]), form, form)
    assert double["code"].tolist() == ["X102"]


def test_a_crosswalk_has_its_columns(tmp_path: Path) -> None:
    form = small(tmp_path)
    with pytest.raises(ColumnError, match="rule"):
        check_crosswalk(pd.DataFrame(columns=["target", "source"]), form, form)


def test_a_form_becomes_itself(tmp_path: Path) -> None:
    form = small(tmp_path)
    table = draft_crosswalk(form, form)
    assert check_crosswalk(table, form, form).empty
    data = pd.DataFrame({"person": ["1", "2"], "sex": ["M", "F"], "age": [3, 40]})
    pd.testing.assert_frame_equal(harmonize(data, table, form, form), data)


def test_a_draft_marks_what_codes_lose(tmp_path: Path) -> None:
    source = small(tmp_path / "a")
    target = small(tmp_path / "b", ("codes: [DOM, HTI, VEN]", "codes: [DOM, HTI, USA]"))
    row = draft_crosswalk(source, target).set_index("target").loc["birth_country"]
    assert row.tolist() == [
        "birth_country",
        "DOM: DOM; HTI: HTI",
        "partial",
        "codes differ: USA, VEN",
    ]


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_variables_are_harmonized_by_every_kind_of_rule(engine: str, tmp_path: Path) -> None:
    form = small(tmp_path)
    table = draft_crosswalk(form, form).set_index("target")
    table.loc["sex", "rule"] = "M: F; F: M"
    table.loc["employed", ["source", "rule"]] = ["", "value: age >= 15"]
    table.loc["birth_country", ["source", "rule", "status", "note"]] = [
        "",
        'cases: HTI: age < 15; DOM: sex == "M"',
        "partial",
        "a test",
    ]
    table.loc["age", "rule"] = "value: age * 2"
    data = pd.DataFrame(
        {"person": ["1", "2", "3"], "sex": ["M", "F", None], "age": [3.0, 40.0, None]}
    )
    native = data if engine == "pandas" else __import__("polars").from_pandas(data)
    made = harmonize(native, table.reset_index()[list(COLUMNS)], form, form)
    made = made if engine == "pandas" else made.to_pandas()
    assert made["sex"].fillna("-").tolist() == ["F", "M", "-"]
    assert made["age"].fillna(-1).tolist() == [6, 80, -1]
    assert made["birth_country"].fillna("-").tolist() == ["HTI", "-", "-"]
    assert made["person"].tolist() == ["1", "2", "3"]


def test_data_are_not_made_by_a_wrong_crosswalk(tmp_path: Path) -> None:
    form = small(tmp_path)
    table = draft_crosswalk(form, form).replace("copy", "M: M")
    with pytest.raises(QuestionnaireError, match=r"The crosswalk has \d+ errors. First"):
        harmonize(pd.DataFrame({"sex": ["M"]}), table, form, form)
