"""All that is made from a questionnaire, written into one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.errors import OptionError, nearest
from nsm.files import write_table, write_text

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

KINDS = ("xlsform", "printed", "codebook", "ddi", "frictionless", "cspro", "flow")


def build(
    form: Questionnaire, folder: str | os.PathLike[str], only: Iterable[str] = ()
) -> list[Path]:
    """Write what is made from a questionnaire.

    | kind | files |
    |---|---|
    | xlsform | `<name>.xlsx` for ODK, Kobo, SurveyCTO, and compiled `<name>.xml` |
    | printed | `<name>-<language>.html`, which prints |
    | codebook | `codebook-<language>.html` and `.csv` |
    | ddi | `<name>-ddi.xml`, DDI-Codebook 2.5 |
    | frictionless | `datapackage.json` |
    | cspro | `<name>.dcf`, CSPro 8 |
    | flow | `flow-<language>.svg` |

    Raises
    ------
    QuestionnaireError
        A check finds an error; nothing is written.
    OptionError
        There is no such kind.
    """
    wanted = list(only) or list(KINDS)
    for kind in wanted:
        if kind not in KINDS:
            raise OptionError(
                "There is no output {kind!r}. {hint}", kind=kind, hint=nearest(kind, KINDS)
            )
    form.require_sound()
    target = Path(folder)
    return [path for kind in wanted for path in _WRITERS[kind](form, target)]


def _xlsform(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.xlsform import write_both

    return list(write_both(form, folder / f"{form.name}.xlsx"))


def _printed(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.printed import printed_form

    return [
        write_text(printed_form(form, each), folder / f"{form.name}-{each}.html")
        for each in form.languages
    ]


def _codebook(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.codebook import codebook
    from nsm.questionnaire.outputs.printed import codebook_page

    found = []
    for each in form.languages:
        found.append(write_text(codebook_page(form, each), folder / f"codebook-{each}.html"))
        found.append(write_table(codebook(form, each), folder / f"codebook-{each}.csv"))
    return found


def _ddi(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.ddi import ddi

    return [write_text(ddi(form), folder / f"{form.name}-ddi.xml")]


def _frictionless(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.datapackage import datapackage

    made = datapackage(form, form.languages[0])
    return [write_text(_json(made), folder / "datapackage.json")]


def _cspro(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.cspro import dictionary

    return [write_text(_json(dictionary(form)), folder / f"{form.name}.dcf")]


def _flow(form: Questionnaire, folder: Path) -> list[Path]:
    from nsm.questionnaire.outputs.flowchart import flowchart

    return [
        write_text(flowchart(form, each), folder / f"flow-{each}.svg") for each in form.languages
    ]


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


_WRITERS: dict[str, Callable[[Questionnaire, Path], list[Path]]] = {
    "xlsform": _xlsform,
    "printed": _printed,
    "codebook": _codebook,
    "ddi": _ddi,
    "frictionless": _frictionless,
    "cspro": _cspro,
    "flow": _flow,
}
