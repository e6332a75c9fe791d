"""Rules of rehearsed answers, from a TOML file such as `examples/eni-do/answers.toml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from nsm.condition import Condition, parse
from nsm.simulation.section import Section, read_toml

KINDS = ("shares", "share", "median", "value", "text")
ONE_KIND = "{file}: {key} must be given, or one of {kinds}, and no other of them beside it."


@dataclass(frozen=True)
class Case:
    """How some of those who are asked answer; one of the first five is given.

    Parameters
    ----------
    where
        Of whom: a condition on earlier answers and on what is known of persons. None: all others.
    shares
        Code -> share.
    share
        Chance of yes, 0-1.
    median, spread
        A number around a value, log-normal with this standard deviation.
    value
        The answer is this.
    text
        The answer in words, with `{line}` and other answers in braces.
    least, most, step
        Limits of numbers, and to what they are rounded.
    """

    where: Condition | None
    shares: Mapping[str, float] | None = None
    share: float | None = None
    median: Condition | None = None
    value: Condition | None = None
    text: str | None = None
    spread: float = 0.0
    least: Condition | None = None
    most: Condition | None = None
    step: int = 1


@dataclass(frozen=True)
class AnswerRule:
    """How a question is answered: the first case whose condition is true.

    Parameters
    ----------
    code, not_given
        The form's code for an answer that is not given, and the share of those asked.
    lost
        Share of those asked whose answer the interviewer does not write down: a mistake.
    """

    cases: tuple[Case, ...]
    code: int | None = None
    not_given: float = 0.0
    lost: float = 0.0


@dataclass(frozen=True)
class Teams:
    """Who works in the field.

    Parameters
    ----------
    number, interviewers
        Teams; interviewers in each.
    careless, times
        Share of the interviewers who lose answers, and how many times as many.
    """

    number: int
    interviewers: int
    careless: float = 0.0
    times: float = 1.0


@dataclass(frozen=True)
class AnswerRules:
    """How the questions of a form are answered, and by whom they are asked."""

    questions: Mapping[str, AnswerRule]
    teams: Teams

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> AnswerRules:
        """Read the rules; a key of `answers` names a question, or several with blanks between.

        Raises
        ------
        FileError, ConfigError, ConditionError
        """
        whole = read_toml(path)
        answers, teams = whole.part("answers"), whole.part("teams")
        whole.close()
        questions: dict[str, AnswerRule] = {}
        for names in answers.values:
            rule = _rule(answers.part(names))
            questions |= dict.fromkeys(names.split(), rule)
        staff = Teams(
            number=teams.whole("number", low=1),
            interviewers=teams.whole("interviewers", low=1),
            careless=teams.share("careless", 0.0),
            times=teams.number("times", 1.0),
        )
        teams.close()
        return cls(questions, staff)


def _rule(part: Section) -> AnswerRule:
    code = part.get("code", None)
    lost, not_given = part.share("lost", 0.0), part.share("not_given", 0.0)
    if not_given and code is None:
        part.refuse("not_given", "{file}: {key} needs the form's code for it: give `code`.")
    cases = part.parts("cases") if "cases" in part else [part]
    rule = AnswerRule(tuple(map(_case, cases)), code, not_given, lost)
    for below in {id(each): each for each in (*cases, part)}.values():
        below.close()
    return rule


def _case(part: Section) -> Case:
    given = [key for key in KINDS if key in part]
    if len(given) != 1:
        part.refuse(given[1] if given else KINDS[0], ONE_KIND, kinds=list(KINDS))
    return Case(
        where=_condition(part, "where"),
        shares=part.shares("shares") if "shares" in part else None,
        share=part.share("share") if "share" in part else None,
        median=_condition(part, "median"),
        value=_condition(part, "value"),
        text=part.text("text") if "text" in part else None,
        spread=part.number("spread", 0.0),
        least=_condition(part, "least"),
        most=_condition(part, "most"),
        step=part.whole("step", 1, low=1),
    )


def _condition(part: Section, key: str) -> Condition | None:
    """Read a condition or a value, which may be a number."""
    said = part.get(key, None)
    return None if said is None else parse(str(said))
