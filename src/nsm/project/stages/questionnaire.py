"""Check the questionnaire, and compile it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nsm.errors import Phrase
from nsm.files import write_table
from nsm.project.project import Made
from nsm.questionnaire import Questionnaire

if TYPE_CHECKING:
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write the form for ODK and Kobo (`form.xlsx`) and the findings."""
    form = Questionnaire.read(project.source(project.settings.questionnaire.source))
    findings = form.check()
    write_table(findings, folder / "findings.csv")
    form.to_xlsform(str(folder / "form.xlsx"))
    questions = len(form.questions)
    return Made(
        {"questions": questions, "languages": list(form.languages), "findings": len(findings)},
        Phrase(
            "{questions} questions, {languages} languages, {findings} findings",
            questions=questions,
            languages=len(form.languages),
            findings=len(findings),
        ),
    )
