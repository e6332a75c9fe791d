"""What every description of a population says first: country, year, language, columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nsm.simulation.section import Section

_COLUMNS = {
    "area": "area",
    "population": "population",
    "men": "men",
    "collective": "collective",
    "households": "households",
    "dwellings": "dwellings",
    "occupied": "occupied",
    "prior": "prior",
}


@dataclass(frozen=True)
class Setting:
    """Where and when a population lives.

    Parameters
    ----------
    name
        Of the population.
    country, language
        Codes, as the questionnaire has them.
    year
        Of the survey.
    notice
        Language -> what must stand beside every table: that it is synthetic.
    columns
        What the frame's columns are called: see the keys of the part `frame`.
    sizes
        Columns of households by size 1, 2 ...; the last class is open.
    """

    name: str
    country: str
    language: str
    year: int
    notice: Mapping[str, str]
    columns: Mapping[str, str]
    sizes: tuple[str, ...]

    @classmethod
    def of(cls, whole: Section) -> Setting:
        """Read the parts `population` and `frame` of a description."""
        head, frame = whole.part("population"), whole.part("frame", {})
        out = cls(
            name=head.text("name"),
            country=head.text("country"),
            language=head.text("language"),
            year=head.whole("year", low=1900),
            notice=dict(head.part("notice").values),
            columns={key: frame.text(key, default) for key, default in _COLUMNS.items()},
            sizes=frame.texts("sizes", [f"hh_{k}" for k in range(1, 10)]),
        )
        if "en" not in out.notice:
            head.refuse("notice", "{file}: {key} must have a text in English (en), not {value}.")
        head.close()
        frame.close()
        return out

    @property
    def key(self) -> str:
        """The column with the code of an area."""
        return self.columns["area"]
