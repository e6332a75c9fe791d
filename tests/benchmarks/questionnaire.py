"""Speed of questionnaires: checking and building a form of 400 questions, validating a million.

`python tests/benchmarks/questionnaire.py [thousands of persons]`
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nsm.fieldwork import validate
from nsm.files import library
from nsm.questionnaire import Questionnaire

LARGE = 400
KINDS = ("{type: integer, range: [0, 90]", "{type: boolean", "{type: one, list: difficulty")


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def timed(what: str, run: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = run()
    tell(f"{what:<48} {time.perf_counter() - start:8.2f} s")
    return result


def large_form(folder: Path) -> Path:
    """The full survey with a module more, so that it has 400 questions."""
    have = len(Questionnaire.read(library("questionnaires/eni")).questions)
    text = (library("questionnaires/eni") / "survey.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "      - self_identification\n", "      - self_identification\n      - more\n"
    )
    (folder / "modules").mkdir(parents=True)
    (folder / "survey.yaml").write_text(text, encoding="utf-8")
    lines = ["table: persons", "ask: answers and age >= 15", "about: {standard: own}", "questions:"]
    words = ["more: More"]
    for n in range(LARGE - have):
        kind = ("{type: integer, range: [0, 90]", "{type: boolean", "{type: one, list: difficulty")[
            n % 3
        ]
        ask = f", ask: more_{n - 3} > {n % 80}" if n % 3 == 0 and n > 3 else ""
        lines.append(f"  - {kind}, name: more_{n}, concept: more_{n}{ask}}}")
        words.append(f"more_{n}: Question number {n} of {{person_name}}?")
    (folder / "modules" / "more.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for language in ("es", "en"):
        (folder / "i18n").mkdir(exist_ok=True)
        title = "title: Survey\n" if language == "en" else "title: Encuesta\n"
        own = "\n".join(words) + "\n"
        said = (library("questionnaires/eni") / "i18n" / f"{language}.yaml").read_text("utf-8")
        said = "\n".join(line for line in said.splitlines() if not line.startswith("title:"))
        path = folder / "i18n" / f"{language}.yaml"
        path.write_text(title + said + "\n" + own, encoding="utf-8")
    return folder


def delivery(persons: int, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Tables of the short form with `persons` rows, four to a household."""
    rng = np.random.default_rng(seed)
    homes = persons // 4
    area = pd.Series(np.arange(homes) // 100).astype(str).str.zfill(13)
    dwelling = area + "-" + pd.Series(np.arange(homes) % 100).astype(str).str.zfill(3)
    dwellings = pd.DataFrame({"area": area, "dwelling": dwelling, "team": "1", "interviewer": "7"})
    dwellings = dwellings.assign(
        dwelling_type="private", door_language="spa", outcome="completed", native_interviews=0.0
    )
    households = pd.DataFrame(
        {"dwelling": dwelling, "household": dwelling + "-1", "household_number": 1.0}
    ).assign(household_size=4.0)
    each = np.repeat(np.arange(homes), 4)
    line = np.tile(np.arange(1, 5), homes)
    n = len(each)
    table = pd.DataFrame({"area": area.to_numpy()[each], "dwelling": dwelling.to_numpy()[each]})
    table["household"] = table["dwelling"] + "-1"
    table["person"] = table["household"] + "-0" + pd.Series(line).astype(str)
    table["line"] = line.astype(float)
    table["person_name"] = "N" + pd.Series(rng.integers(0, 9999, n)).astype(str)
    table["relationship"] = np.where(line == 1, "head", "child")
    table["sex"] = rng.choice(["M", "F"], n)
    table["age"] = rng.integers(15, 90, n).astype(float)
    for column in ("birth_country", "citizenship", "mother_birth_country", "father_birth_country"):
        table[column] = rng.choice(["DOM", "HTI"], n, p=[0.9, 0.1])
    abroad = table["birth_country"] != "DOM"
    parents = (table[["mother_birth_country", "father_birth_country"]] != "DOM").any(axis=1)
    table["status"] = np.select([abroad, parents], ["immigrant", "descendant"], "native")
    asked = table["status"] != "native"
    table["interviewed"] = asked
    table["arrival_year"] = np.where(abroad, 2020.0, np.nan)
    table["documents"] = np.where(asked, "passport", None)
    table["schooling"] = np.where(asked, "primary", None)
    table["employed"] = asked.astype("boolean").where(asked)
    table["sector"] = np.where(asked, "trade", None)
    table["hours"] = np.where(asked, rng.integers(1, 90, n), np.nan)
    table["pay"] = np.where(asked, rng.integers(1, 90_000, n), np.nan)
    return {"dwellings": dwellings, "households": households, "persons": table}


def main(thousands: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = large_form(Path(place) / "form")
        form = timed("read 400 questions", lambda: Questionnaire.read(folder))
        tell(f"{'questions':<48} {len(form.questions):8d}")
        found = timed("check", form.check)
        assert not (found["severity"] == "error").any(), found.head()
        timed(
            "XLSForm, compiled by pyxform",
            lambda: form.to_xlsform(f"{place}/f.xlsx"),
        )
        for kind in ("printed", "codebook", "ddi", "frictionless", "cspro", "flow"):
            timed(f"build {kind}", lambda kind=kind: form.build(place, [kind]))
        timed("build everything", lambda: form.build(f"{place}/all"))
    short = Questionnaire.read(library("questionnaires/eni-short"))
    tables = delivery(thousands * 1000)
    what = f"validate {thousands:,} thousand persons"
    result = timed(what, lambda: validate(short, tables))
    tell(result.findings[["code", "where", "count"]].head().to_string(index=False))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
