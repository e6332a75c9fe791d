"""A small sound form, as text, in which tests plant one defect each."""

from __future__ import annotations

from pathlib import Path

from nsm.questionnaire import Questionnaire

SURVEY = """\
name: small
languages: [es, en]
constants: {home: DOM}
table: households
contents:
  - home
  - roster: members
    count: people
    table: persons
    contents: [person]
  - closing
frame: [region]
weighting: {calibration: [sex]}
"""

HOME = """\
about: {concept: household, standard: own}
questions:
  - name: outcome
    type: one
    list: outcome
  - name: people
    type: integer
    range: [1, 30]
"""

PERSON = """\
about: {concept: person, standard: own}
questions:
  - name: person_name
    type: text
  - name: sex
    type: one
    list: sex
  - name: age
    type: integer
    range: [0, 110]
    missing: {998: dont_know}
  - name: birth_country
    type: one
    list: birthplace
  - name: born_abroad
    type: calculated
    value: birth_country != home
  - name: arrival_age
    type: integer
    range: [0, 110]
    ask: born_abroad
    refuse: arrival_age > age
  - name: employed
    type: boolean
    ask: age >= 15
  - name: languages
    type: many
    list: language
"""

CLOSING = """\
about: {concept: closing, standard: own}
questions:
  - name: abroad_now
    type: integer
    range: [0, 20]
    ask: any(members, born_abroad)
"""

CODES = """\
outcome: [completed, refused]
sex: {standard: SDMX CL_SEX, codes: [M, F]}
birthplace: {standard: ISO 3166-1 alpha-3, codes: [DOM, HTI, VEN]}
language: [spa, hat]
"""

SPANISH = """\
title: Formulario pequeño
home: Vivienda
outcome: Resultado
people: ¿Cuántas personas viven aquí?
members: Personas
person: Persona
person_name: ¿Cómo se llama?
sex: ¿{person_name} es hombre o mujer?
age: ¿Qué edad tiene {person_name}?
birth_country: ¿Dónde nació {person_name}?
born_abroad: Nacida en el extranjero
arrival_age: ¿A qué edad llegó {person_name}?
arrival_age.refuse: La edad al llegar es mayor que la edad de hoy.
employed: ¿Trabaja {person_name}?
languages: ¿Qué idiomas habla {person_name}?
closing: Cierre
abroad_now: ¿Cuántas personas viven ahora en otro país?
"""

ENGLISH = """\
title: Small form
home: Dwelling
outcome: Result
people: How many people live here?
members: Persons
person: Person
person_name: What is the name?
sex: Is {person_name} male or female?
age: How old is {person_name}?
birth_country: Where was {person_name} born?
born_abroad: Born abroad
arrival_age: How old was {person_name} on arrival?
arrival_age.refuse: The age on arrival is above the age of today.
employed: Does {person_name} work?
languages: Which languages does {person_name} speak?
closing: Closing
abroad_now: How many people live in another country now?
"""

LABELS = """\
outcome: {completed: %s, refused: %s}
sex: {M: %s, F: %s}
language: {spa: %s, hat: %s}
"""

FILES = {
    "survey.yaml": SURVEY,
    "modules/home.yaml": HOME,
    "modules/person.yaml": PERSON,
    "modules/closing.yaml": CLOSING,
    "codes/codes.yaml": CODES,
    "i18n/es.yaml": SPANISH,
    "i18n/en.yaml": ENGLISH,
    "i18n/es/codes.yaml": LABELS
    % ("Completa", "Rechazo", "Hombre", "Mujer", "Español", "Criollo haitiano"),
    "i18n/en/codes.yaml": LABELS
    % ("Complete", "Refusal", "Male", "Female", "Spanish", "Haitian Creole"),
}


def write(folder: Path, **changes: tuple[str, str]) -> Path:
    """Write the small form; each change replaces a text in the one file that holds it."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for old, new in changes.values():
        change(folder, old, new)
    return folder


def change(folder: Path, old: str, new: str) -> None:
    """Replace a text in the first file that holds it; `file: text` names the file."""
    name, _, rest = old.partition(": ")
    named = (folder / name).is_file()
    files = [folder / name] if named else [folder / file for file in FILES]
    sought = rest if named else old
    for file in files:
        text = file.read_text(encoding="utf-8")
        if sought in text:
            file.write_text(text.replace(sought, new, 1), encoding="utf-8")
            return
    raise AssertionError(f"no file holds {sought!r}")


def small(folder: Path, *changes: tuple[str, str]) -> Questionnaire:
    """Read the small form with some changes."""
    write(folder)
    for old, new in changes:
        change(folder, old, new)
    return Questionnaire.read(folder)
