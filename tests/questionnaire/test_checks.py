"""Every planted defect gets its own code, place and message."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.questionnaire.forms import small

from nsm.questionnaire import Questionnaire
from nsm.questionnaire.findings import CODES

ES, EN = "i18n/es.yaml: ", "i18n/en.yaml: "

# Defect -> what is changed, code, place, part of the message.
DEFECTS: dict[str, tuple[tuple[str, str], str, str, str]] = {
    "name used twice": (
        ("- name: employed", "- name: age"),
        "Q101",
        "person.age",
        "The name 'age' stands 2 times",
    ),
    "name too long for Stata": (
        ("- name: employed", f"- name: {'x' * 33}"),
        "Q102",
        "person.xxx",
        "does not fit the data formats: at most 32",
    ),
    "name with an accent": (("- name: employed", "- name: año"), "Q102", "person.año", "'año'"),
    "name that a second pass makes": (
        ("- name: employed", "- name: two__parts"),
        "Q102",
        "person.two__parts",
        "single _",
    ),
    "reserved word": (("- name: employed", "- name: By"), "Q103", "person.By", "reserved"),
    "case clash": (
        ("- name: employed", "- name: SEX"),
        "Q104",
        "person.SEX",
        "'SEX' and 'sex' differ in upper and lower case only",
    ),
    "undefined name": (
        ("ask: born_abroad", "ask: born_abrod"),
        "Q201",
        "person.arrival_age (ask)",
        "There is no question 'born_abrod'. Did you mean 'born_abroad'?",
    ),
    "later question": (
        ("value: birth_country != home", "value: employed"),
        "Q202",
        "person.born_abroad (value)",
        "'employed' is asked later",
    ),
    "later question over a roster": (
        ("range: [1, 30]", "range: [1, 30]\n    ask: count(members, age > 5) > 1"),
        "Q301",
        "home.people",
        "circle",
    ),
    "question before a roster uses a name inside": (
        ("ask: any(members, born_abroad)", "ask: born_abroad"),
        "Q203",
        "closing.abroad_now (ask)",
        "'born_abroad' has one answer for each row of the roster 'members'",
    ),
    "text shows a name inside a roster": (
        (f"{EN}How many people live in another", "Does {person_name} live in another"),
        "Q204",
        "closing.abroad_now (en)",
        "'person_name' has one answer for each row",
    ),
    "text shows an unknown name": (
        (f"{ES}¿Qué edad tiene {{person_name}}?", "¿Qué edad tiene {persona}?"),
        "Q204",
        "person.age (es)",
        "The text shows 'persona', which does not exist",
    ),
    "text shows a later answer": (
        (f"{ES}¿Cómo se llama?", "¿Cómo se llama, de {age} años?"),
        "Q204",
        "person.person_name (es)",
        "'age', which is asked later",
    ),
    "undefined list": (
        ("list: sex", "list: sexo"),
        "Q205",
        "person.sex",
        "There is no code list 'sexo'",
    ),
    "unknown roster": (
        ("any(members,", "any(member,"),
        "Q206",
        "closing.abroad_now (ask)",
        "There is no roster 'member' in reach. Did you mean 'members'?",
    ),
    "condition that cannot be read": (
        ("ask: age >= 15", "ask: age = 15"),
        "Q207",
        "person.employed",
        "Write == instead of = (column 5).",
    ),
    "condition that forms cannot express": (
        ("ask: any(members, born_abroad)", "ask: max(members, age - 1) > 5"),
        "Q208",
        "small",
        "Forms take the max of a question, not of a computed value",
    ),
    "unknown key": (
        ("ask: age >= 15", "asked: age >= 15"),
        "Q209",
        "person.employed",
        "The key 'asked' has no meaning here. Did you mean 'ask'?",
    ),
    "unknown type": (
        ("type: boolean", "type: bool"),
        "Q209",
        "person.employed",
        "There is no type 'bool'. Did you mean 'boolean'?",
    ),
    "range that is none": (
        ("range: [1, 30]", "range: 30"),
        "Q209",
        "home.people",
        "A range is written [lowest, highest], not '30'.",
    ),
    "limit that is no number": (
        ("range: [1, 30]", "range: [1, many]"),
        "Q209",
        "home.people",
        "'many' is neither a number nor a constant of the survey.",
    ),
    "missing codes that are none": (
        ("missing: {998: dont_know}", "missing: dont_know"),
        "Q209",
        "person.age",
        "Codes for missing answers are written {98: dont_know}, not 'dont_know'.",
    ),
    "question that is a word": (
        (
            "  - name: person_name\n    type: text\n",
            "  - person_name\n  - name: person_name\n    type: text\n",
        ),
        "Q209",
        "modules/person.yaml",
        "A question is written as `name: ...` with its type, not as 'person_name'.",
    ),
    "computed from nothing": (
        ("value: birth_country != home", ""),
        "Q209",
        "person.born_abroad",
        "A calculated question needs a `value` or `cases`.",
    ),
    "circle of one": (
        ("ask: age >= 15", "ask: employed"),
        "Q301",
        "person.employed",
        "depends on itself: employed -> employed",
    ),
    "circle of two": (
        ("value: birth_country != home", "value: arrival_age > 3"),
        "Q301",
        "person.born_abroad",
        "born_abroad -> arrival_age -> born_abroad",
    ),
    "contradiction": (
        ("ask: age >= 15", "ask: age < 5 and age >= 15"),
        "Q302",
        "person.employed",
        "age < 5 and age >= 15 is never true here",
    ),
    "contradiction along the path": (
        (
            "range: [0, 110]\n    ask: born_abroad",
            'range: [0, 110]\n    ask: born_abroad and birth_country == "DOM"',
        ),
        "Q302",
        "person.arrival_age",
        "is never true here",
    ),
    "condition that is always true": (
        ("ask: age >= 15", 'ask: sex in ("M", "F")'),
        "Q303",
        "person.employed",
        'sex in ("M", "F") is never false here',
    ),
    "rule that refuses every answer": (
        ("refuse: arrival_age > age", "refuse: arrival_age >= 0"),
        "Q305",
        "person.arrival_age.refuse",
        "refuses every answer",
    ),
    "rule that refuses nothing": (
        ("refuse: arrival_age > age", "refuse: arrival_age + age < 0"),
        "Q306",
        "person.arrival_age.refuse",
        "stops no answer",
    ),
    "code that is not in the list": (
        ("ask: born_abroad", 'ask: birth_country == "MEX"'),
        "Q401",
        "person.arrival_age (ask)",
        "'birth_country' is never 'MEX'. Known: 'DOM', 'HTI', 'VEN'.",
    ),
    "selected code that is not in the list": (
        ("ask: age >= 15", 'ask: selected(languages, "spa") and age >= 15'),
        "Q202",
        "person.employed (ask)",
        "'languages' is asked later",
    ),
    "code twice": (
        ("codes: [DOM, HTI, VEN]", "codes: [DOM, HTI, VEN, HTI]"),
        "Q402",
        "codes/codes.yaml: birthplace",
        "These codes stand twice: 'HTI'.",
    ),
    "codes that overlap": (
        ("language: [spa, hat]", "language: [spa, SPA, hat]"),
        "Q403",
        "codes/codes.yaml: language",
        "the same to some programs: 'spa', 'SPA'",
    ),
    "leading zero": (
        ("language: [spa, hat]", "language: [1, 01]"),
        "Q403",
        "codes/codes.yaml: language",
        "the same to some programs: '1', '01'",
    ),
    "classes that overlap": (
        (
            "language: [spa, hat]",
            "language: {codes: {spa: {low: 0, high: 14}, hat: {low: 10, high: 19}}}",
        ),
        "Q403",
        "codes/codes.yaml: language",
        "The classes 'spa' and 'hat' overlap.",
    ),
    "missing code inside the range": (
        ("missing: {998: dont_know}", "missing: {98: dont_know}"),
        "Q404",
        "person.age",
        "These codes for missing answers are also answers: 98.",
    ),
    "lists that differ between modules": (
        (
            "about: {concept: closing, standard: own}\n",
            "about: {concept: closing, standard: own}\nlists: {sex: [M, F, X]}\n",
        ),
        "Q405",
        "modules/closing.yaml: sex",
        "The code list 'sex' of codes/codes.yaml has other codes in modules/closing.yaml: 'X'.",
    ),
    "orphan list": (
        ("language: [spa, hat]", "language: [spa, hat]\ncolor: [red]"),
        "Q406",
        "codes/codes.yaml: color",
        "No question uses the code list 'color'.",
    ),
    "code outside of the standard": (
        ("codes: [DOM, HTI, VEN]", "codes: [DOM, HTI, VEN, XYZ]"),
        "Q407",
        "codes/codes.yaml: birthplace",
        "These codes are not in ISO 3166-1 alpha-3: 'XYZ'.",
    ),
    "empty list": (
        ("language: [spa, hat]", "language: []"),
        "Q408",
        "codes/codes.yaml: language",
        "has no codes",
    ),
    "coded question without list": (
        ("    list: language\n", ""),
        "Q408",
        "person.languages",
        "A question of type many needs a `list` of codes.",
    ),
    "text compared with a number": (
        ("ask: born_abroad", "ask: birth_country == 5"),
        "Q501",
        "person.arrival_age (ask)",
        "birth_country (text) and 5 (number) cannot be compared",
    ),
    "empty range": (
        ("range: [1, 30]", "range: [30, 1]"),
        "Q502",
        "home.people",
        "The range from 30 to 1 holds no number.",
    ),
    "range of a text": (
        ("type: text", "type: text\n    range: [1, 9]"),
        "Q502",
        "person.person_name",
        "A question of type text has no range.",
    ),
    "number out of range": (
        ("ask: age >= 15", "ask: age >= 150"),
        "Q503",
        "person.employed (ask)",
        "'age' is compared with 150, but lies between 0 and 110.",
    ),
    "missing code in a condition": (
        ("ask: born_abroad", 'ask: outcome == "refused" or born_abroad'),
        "",
        "",
        "",
    ),
    "label missing in one language": (
        (f"{EN}age: How old is {{person_name}}?\n", ""),
        "Q601",
        "person.age (en)",
        "The text 'age' is missing in en. Add it to i18n/en.",
    ),
    "code label missing in one language": (
        ("i18n/en/codes.yaml: , F: Female", ""),
        "Q601",
        "person.sex, F (en)",
        "The text 'sex: F' is missing in en.",
    ),
    "translation wholly missing": (
        ("languages: [es, en]", "languages: [es, ht]"),
        "Q601",
        "person.age (ht)",
        "The text 'age' is missing in ht.",
    ),
    "rule without message": (
        (f"{ES}arrival_age.refuse: La edad al llegar es mayor que la edad de hoy.\n", ""),
        "Q601",
        "person.arrival_age.refuse (es)",
        "'arrival_age.refuse' is missing in es",
    ),
    "placeholders differ": (
        (f"{EN}age: How old is {{person_name}}?", "age: How old is this person?"),
        "Q602",
        "person.age (en)",
        "The text 'age' shows 'person_name' in es but not in en",
    ),
    "text too long": (
        (f"{EN}Closing", "Closing " + "x" * 500),
        "Q603",
        "closing (en)",
        "has 508 characters; more than 400 do not fit a screen",
    ),
    "orphan text": (
        (f"{EN}title:", "agee.hint: In years\ntitle:"),
        "Q604",
        "i18n: agee.hint",
        "belongs to no question, section, rule or code. Did you mean 'age.hint'?",
    ),
    "text not translated": (
        (f"{EN}How many people live here?", "¿Cuántas personas viven aquí?"),
        "Q605",
        "home.people (en)",
        "The text 'people' is the same in es and en.",
    ),
    "text twice in two files": (
        ("i18n/en/codes.yaml: outcome", "title: Another title\noutcome"),
        "Q405",
        "i18n/en/en.yaml",
        "The text of 'title' stands twice, and differs.",
    ),
    "unknown indicator": (
        ("frame: [region]", 'frame: [region]\nindicators: ["8.5.9"]'),
        "Q704",
        "survey.yaml: 8.5.9",
        "There is no indicator '8.5.9'.",
    ),
    "calibration variable missing": (
        ("calibration: [sex]", "calibration: [sex, regio]"),
        "Q711",
        "survey.yaml: weighting.calibration",
        "'regio' is neither a question nor a column of the frame. Did you mean 'region'?",
    ),
    "calibration variable not asked of all": (
        ("calibration: [sex]", "calibration: [sex, employed]"),
        "Q712",
        "survey.yaml: weighting.calibration",
        "'employed' is asked only where age >= 15",
    ),
    "sensitive without protocol": (
        ("type: boolean", "type: boolean\n    concept: violence_physical"),
        "Q801",
        "person.employed",
        "A sensitive question needs a `protocol`: 'private'",
    ),
    "proxy for a sensitive question": (
        (
            "type: boolean",
            "type: boolean\n    sensitive: true\n    protocol: private\n    proxy: true",
        ),
        "Q804",
        "person.employed",
        "Nobody answers a sensitive question for another.",
    ),
    "too long an interview": (
        (
            "frame: [region]",
            "frame: [region]\nroutes: {adult: {age: 30}}\nlimits: {minutes: 0.1}",
        ),
        "Q802",
        "survey.yaml: adult",
        "The interview of 'adult' takes about 1 minutes; the limit is 0.1.",
    ),
    "no concept": (
        ("about: {concept: closing, standard: own}", "about: {standard: own}"),
        "Q803",
        "closing.abroad_now",
        "The question has no concept",
    ),
}
del DEFECTS["missing code in a condition"]


def found(form: Questionnaire) -> list[tuple[str, str, str]]:
    table = form.check()
    return list(table[["code", "where", "message"]].itertuples(index=False, name=None))


def test_the_small_form_is_sound(tmp_path: Path) -> None:
    assert found(small(tmp_path)) == []


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str, tmp_path: Path) -> None:
    change, code, place, message = DEFECTS[defect]
    said = found(small(tmp_path, change))
    hits = [(w, m) for c, w, m in said if c == code and w.startswith(place) and message in m]
    assert hits, said


def test_most_defects_have_a_test() -> None:
    tested = {code for _, code, _, _ in DEFECTS.values()}
    elsewhere = {"Q304", "Q701", "Q702", "Q703", "Q901", "Q902"}
    assert tested | elsewhere == {code for code in CODES if code.startswith("Q")}


def test_a_code_for_missing_is_not_compared_with(tmp_path: Path) -> None:
    change = ("codes: [DOM, HTI, VEN]", "codes: {DOM: , HTI: , VEN: , UNKNOWN: {missing: true}}")
    ask = ("ask: born_abroad", 'ask: birth_country == "UNKNOWN"')
    said = found(small(tmp_path, change, ask))
    assert any(c == "Q401" and "write birth_country is missing" in m for c, _, m in said)


def test_a_circle_is_not_also_called_a_later_question(tmp_path: Path) -> None:
    said = found(small(tmp_path, ("value: birth_country != home", "value: arrival_age > 3")))
    assert [code for code, _, _ in said] == ["Q301"]


def test_findings_speak_spanish(tmp_path: Path) -> None:
    table = small(tmp_path, ("ask: age >= 15", "ask: age = 15")).check("es")
    assert "La condición no se puede leer. Escriba == en lugar de =" in table["message"][0]


def test_nothing_is_built_from_a_form_with_errors(tmp_path: Path) -> None:
    form = small(tmp_path, ("list: sex", "list: sexo"))
    with pytest.raises(Exception, match=r"'small' has .* errors, so nothing is built .* Q205"):
        form.to_xlsform(tmp_path / "form.xlsx")
    assert not (tmp_path / "form.xlsx").exists()
