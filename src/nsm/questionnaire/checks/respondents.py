"""The people who are asked: protection where it hurts, and their time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nsm.questionnaire.findings import Finding

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

# Protocols: what has to be arranged before a sensitive question may be asked.
PROTOCOLS = ("private", "one_woman", "one_person", "child", "consent")
# Concepts that can endanger a person, whatever the form says of them.
SENSITIVE = ("violence", "documents", "forced_labour", "self_identification", "trafficking")


def check_respondents(form: Questionnaire) -> Iterator[Finding]:
    """Find sensitive questions without protocol, and what comes from nowhere."""
    for question in form.every_question:
        where = f"{question.module}.{question.name}"
        about = question.about
        concept = str(about.get("concept", ""))
        sensitive = about.get("sensitive") or concept.startswith(SENSITIVE)
        if sensitive and not question.silent and about.get("protocol") not in PROTOCOLS:
            yield Finding(
                "Q801",
                where,
                "A sensitive question needs a `protocol`: {known}.",
                known=list(PROTOCOLS),
            )
        if sensitive and about.get("proxy"):
            yield Finding(
                "Q804",
                where,
                "Nobody answers a sensitive question for another. Take `proxy` away.",
            )
        if question.held and not (about.get("concept") and about.get("standard")):
            yield Finding(
                "Q803",
                where,
                "The question has no {missing}, by which others could compare it.",
                missing="concept" if not about.get("concept") else "standard",
            )


def check_length(form: Questionnaire) -> Iterator[Finding]:
    """Find routes through the form that take too long."""
    from nsm.questionnaire.length import routes

    most = (form.options.get("limits") or {}).get("minutes")
    if most is None:
        return
    for route, row in routes(form).set_index("route").iterrows():
        if row["minutes"] > most:
            yield Finding(
                "Q802",
                f"survey.yaml: {route}",
                "The interview of {route!r} takes about {minutes} minutes; the limit is {most}.",
                route=str(route),
                minutes=round(float(row["minutes"])),
                most=most,
            )
