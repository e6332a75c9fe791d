"""Words for the codes of derived variables, which no questionnaire has."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, Mapping[str, str]]

_UNKNOWN = {"en": "Unknown", "es": "Se desconoce"}

CODES: Mapping[str, Words] = {
    "status": {
        "immigrant": {"en": "Immigrant", "es": "Inmigrante"},
        "descendant": {"en": "Descendant", "es": "Descendiente"},
        "native": {"en": "Native", "es": "Nativo"},
        "unknown": _UNKNOWN,
    },
    "nativity": {
        "native_born": {"en": "Born in the country", "es": "Nacido en el país"},
        "foreign_born": {"en": "Born abroad", "es": "Nacido en el extranjero"},
        "unknown": _UNKNOWN,
    },
    "citizenship_status": {
        "citizen": {"en": "Citizen", "es": "Nacional del país"},
        "non_citizen": {"en": "Not a citizen", "es": "Extranjero"},
        "stateless": {"en": "Stateless", "es": "Apátrida"},
        "unknown": _UNKNOWN,
    },
    "parents_abroad": {
        "two": {"en": "Both born abroad", "es": "Ambos nacidos en el extranjero"},
        "one": {"en": "One born abroad", "es": "Uno nacido en el extranjero"},
        "none": {"en": "None born abroad", "es": "Ninguno nacido en el extranjero"},
        "unknown": _UNKNOWN,
    },
    "generation": {
        "1": {"en": "First, came as adult", "es": "Primera, llegó de adulto"},
        "1.5": {"en": "First, came as child", "es": "Primera, llegó de niño"},
        "1?": {"en": "First, age unknown", "es": "Primera, edad desconocida"},
        "2": {"en": "Second, two parents", "es": "Segunda, dos padres"},
        "2.5": {"en": "Second, one parent", "es": "Segunda, un padre o madre"},
        "2?": {"en": "Second, one parent unknown", "es": "Segunda, se desconoce uno"},
        "3+": {"en": "Third and later", "es": "Tercera y siguientes"},
        "unknown": _UNKNOWN,
    },
    "duration_class": {
        "0-4": {"en": "0-4 years", "es": "0-4 años"},
        "5-9": {"en": "5-9 years", "es": "5-9 años"},
        "10+": {"en": "10 years and more", "es": "10 años y más"},
        "unknown": _UNKNOWN,
    },
}

COLUMNS: Words = {
    "nativity": {"en": "Birthplace", "es": "Lugar de nacimiento"},
    "citizenship_status": {"en": "Citizenship", "es": "Nacionalidad"},
    "duration_class": {"en": "Years of residence", "es": "Años de residencia"},
    "generation": {"en": "Generation", "es": "Generación"},
}
