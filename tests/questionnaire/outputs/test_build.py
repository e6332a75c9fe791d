"""What is made from a questionnaire is read by independent readers."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

import frictionless
import pandas as pd
import pytest
from lxml import etree
from tests.questionnaire.forms import small, write
from tests.questionnaire.walk import interviews

from nsm.errors import OptionError, QuestionnaireError
from nsm.fieldwork import read_delivery
from nsm.questionnaire import Questionnaire
from nsm.questionnaire.outputs.cspro import dictionary
from nsm.questionnaire.outputs.datapackage import datapackage
from nsm.questionnaire.outputs.ddi import NAMESPACE, ddi
from nsm.questionnaire.outputs.flowchart import flowchart
from nsm.questionnaire.outputs.printed import printed_form

ROOT = Path(__file__).parents[3] / "questionnaires"
SHORT = Questionnaire.read(ROOT / "eni-short")
FULL = Questionnaire.read(ROOT / "eni")
DDI = f"{{{NAMESPACE}}}"


def test_everything_is_written(tmp_path: Path) -> None:
    made = sorted(path.name for path in SHORT.build(tmp_path))
    assert made == sorted(path.name for path in tmp_path.iterdir())
    assert {"eni_short.xlsx", "eni_short.xml", "eni_short-es.html", "eni_short.dcf"} <= set(made)
    assert {"codebook-en.html", "datapackage.json", "eni_short-ddi.xml", "flow-es.svg"} <= set(made)


def test_an_unknown_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"no output 'cspr'\. Did you mean 'cspro'"):
        SHORT.build(tmp_path, ["cspr"])


def test_nothing_is_written_from_a_form_with_errors(tmp_path: Path) -> None:
    form = small(tmp_path / "form", ("list: sex", "list: sexo"))
    with pytest.raises(QuestionnaireError, match="nothing is built"):
        form.build(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [SHORT, FULL], ids=lambda form: form.name)
def test_ddi_follows_its_schema(form: Questionnaire) -> None:
    schema = os.environ.get("DDI_CODEBOOK_SCHEMA")
    if not schema:
        pytest.skip("DDI_CODEBOOK_SCHEMA does not name codebook.xsd (LGPL, not part of nsm)")
    document = etree.fromstring(ddi(form).encode())
    etree.XMLSchema(etree.parse(schema)).assertValid(document)


def test_ddi_holds_every_variable_in_every_language() -> None:
    root = etree.fromstring(ddi(SHORT).encode())
    variables = root.findall(f".//{DDI}var")
    assert [v.get("name") for v in variables] == [q.name for q in SHORT.every_question if q.held]
    age = next(v for v in variables if v.get("name") == "age")
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    assert [label.get(language) for label in age.findall(f"{DDI}labl")] == ["es", "en"]
    assert age.find(f"{DDI}valrng/{DDI}range").attrib == {"min": "0", "max": "110"}
    assert age.find(f"{DDI}invalrng/{DDI}item").get("VALUE") == "998"
    # the order of the schema, for machines that do not have it
    order = ["labl", "security", "qstn", "valrng", "invalrng", "universe", "catgry", "concept"]
    order += ["derivation", "varFormat", "notes"]
    for variable in variables:
        places = [order.index(part.tag.removeprefix(DDI)) for part in variable]
        assert places == sorted(places)


def test_clean_data_fit_the_data_package(tmp_path: Path) -> None:
    rows = interviews(SHORT, 8, seed=3)
    tables = read_delivery(_delivered(rows), SHORT).tables
    package = datapackage(SHORT, "es")
    for resource in package["resources"]:
        names = [each["name"] for each in resource["schema"]["fields"]]
        table = tables[resource["name"]].reindex(columns=names)
        table.to_csv(tmp_path / resource["path"], index=False)
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["type", "note"])


def _delivered(rows: list) -> dict[str, pd.DataFrame]:
    """The interviews as tables of their own, as a delivery may come."""
    tables: dict[str, list] = {"dwellings": [], "households": [], "persons": []}
    for each in rows:
        tables["dwellings"].append({name: each.row[name] for name in SHORT.columns("dwellings")})
        if each.row["household_size"] is not None:
            tables["households"].append({k: v for k, v in each.row.items() if k != "area"})
        keys = {k: each.row[k] for k in ("dwelling", "household_number")}
        tables["persons"] += [{**keys, **person} for person in each.rosters["members"]]
    return {name: pd.DataFrame(table) for name, table in tables.items()}


def test_data_that_do_not_fit_are_found_by_the_package(tmp_path: Path) -> None:
    package = datapackage(SHORT, "es")
    resource = next(r for r in package["resources"] if r["name"] == "persons")
    resource["schema"].pop("foreignKeys")
    names = [field["name"] for field in resource["schema"]["fields"]]
    row = dict.fromkeys(names, "") | {"person": "1", "sex": "X", "age": "130"}
    pd.DataFrame([row]).to_csv(tmp_path / "persons.csv", index=False)
    found = frictionless.Resource({**resource}, basepath=str(tmp_path)).validate()
    broken = {(each[0], each[1]) for each in found.flatten(["type", "fieldName"])}
    assert broken == {("constraint-error", "sex"), ("constraint-error", "age")}


def test_cspro_items_have_room_for_every_code() -> None:
    made = json.loads(json.dumps(dictionary(FULL)))
    level = made["levels"][0]
    names = [item["name"] for item in level["ids"]["items"]]
    for record in level["records"]:
        for item in record["items"]:
            names.append(item["name"])
            for values in item.get("valueSets", ()):
                for value in values["values"]:
                    (pair,) = value["pairs"]
                    said = pair.get("range") or [pair["value"]]
                    assert max(map(len, said)) <= item["length"], item["name"]
                    if item["contentType"] == "numeric":
                        assert all(float(text) is not None for text in said)
    assert len(names) == len(set(names))
    assert {name.lower() for name in names} == {q.name for q in FULL.every_question if q.held}


def test_the_flow_chart_is_an_image_with_every_question() -> None:
    root = etree.fromstring(flowchart(SHORT, "en").encode())
    texts = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"A1", "B2", "C3"} <= texts
    assert len(root.findall(".//{http://www.w3.org/2000/svg}rect")) == len(
        [t for t in texts if t and t[0].isupper() and t[1:].isdigit()]
    )


class Page(HTMLParser):
    """Collects the texts of a page, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(v) for k, v in attrs if k in {"src", "href"}]


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_printed_form_shows_every_question_and_loads_nothing(language: str) -> None:
    page = Page(printed_form(FULL, language))
    said = " ".join(page.texts)
    for question in FULL.every_question:
        if not question.silent:
            text = FULL.text(question.name, language)
            assert text.split("{")[0].strip() in said, question.name
    assert page.loads == []


def test_labels_stay_text_on_the_page(tmp_path: Path) -> None:
    change = ("i18n/en.yaml: How many people live here?", "How many <b>people</b> & others?")
    page = printed_form(small(tmp_path, change), "en")
    assert "How many &lt;b&gt;people&lt;/b&gt; &amp; others?" in page


def test_the_codebook_says_universe_codes_and_definition(tmp_path: Path) -> None:
    table = small(tmp_path).codebook("en").set_index("variable")
    assert table.loc["employed", "asked"] == "B3 ≥ 15"
    assert table.loc["sex", "codes"] == "M: Male; F: Female"
    assert table.loc["age", ["range", "missing"]].tolist() == ["0 - 110", "998: Does not know"]
    assert table.loc["born_abroad", "computed"] == 'birth_country != "DOM"'
    assert table.loc["abroad_now", "asked"] == "someone in «Persons» has «Born abroad» = Yes"


def test_a_language_that_nsm_does_not_speak_is_a_file_away(tmp_path: Path) -> None:
    folder = write(tmp_path / "form", more=("languages: [es, en]", "languages: [es, fr]"))
    for name in ("en.yaml", "en/codes.yaml"):
        text = (folder / "i18n" / name).read_text(encoding="utf-8")
        target = folder / "i18n" / name.replace("en", "fr", 1)
        target.parent.mkdir(exist_ok=True)
        more = "sex: {M: Homme, F: Femme}\n" if "/" in name else ""
        kept = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("sex: {"))
        target.write_text(kept + more, encoding="utf-8")
    extra = "yes_no: {1: Oui, 0: Non}\nmissing: {dont_know: Ne sait pas}\n"
    extra += "birthplace: {DOM: République dominicaine, HTI: Haïti, VEN: Venezuela}\n"
    (folder / "i18n/fr/more.yaml").write_text(extra, encoding="utf-8")
    form = Questionnaire.read(folder)
    found = form.check()
    assert found[found["severity"] == "error"].empty, found["message"].tolist()
    made = {path.name: path for path in form.build(tmp_path / "out")}
    assert "Homme" in made["small-fr.html"].read_text(encoding="utf-8")
    assert "Français (fr)" in made["small.xml"].read_text(encoding="utf-8")
