"""Crosswalks: how the variables of one questionnaire become those of another.

A crosswalk is a table, one row for each target variable:

| column | content |
|---|---|
| target | a variable of the target questionnaire |
| source | the variable that it is made of; blank if it is made of several, or impossible |
| rule | `copy`; `HTI: 1; DOM: 0`; `value: hours * 4`; or `cases: old: age >= 65; young: age < 65` |
| status | `full`, `partial` (some codes or people are lost) or `impossible` |
| note | why |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from nsm.condition import Condition, parse
from nsm.condition.tree import And, Compare, In, Missing, Not, Or, Selected
from nsm.errors import ConditionError, InputError, QuestionnaireError, nearest
from nsm.files import require_columns
from nsm.questionnaire.compare import matched
from nsm.questionnaire.findings import Finding, table
from nsm.questionnaire.model import Question

if TYPE_CHECKING:
    import pandas as pd

    from nsm.questionnaire.questionnaire import Questionnaire

COLUMNS = ("target", "source", "rule", "status", "note")
FULL, PARTIAL, IMPOSSIBLE = "full", "partial", "impossible"
STATUS = (FULL, PARTIAL, IMPOSSIBLE)
COPY = "copy"
_TESTS = (And, Or, Not, Compare, In, Missing, Selected)


@dataclass(frozen=True)
class Rule:
    """A rule that was read: exactly one of its fields says something."""

    copy: bool = False
    codes: Mapping[str, str] | None = None
    value: Condition | None = None
    cases: tuple[tuple[str, Condition], ...] = ()

    def needs(self, source: str) -> list[str]:
        """Return the columns that it reads."""
        return _needs(self, source)


def read_rule(text: str) -> Rule:
    """Read a rule.

    Raises
    ------
    ConditionError, QuestionnaireError
        It cannot be read.
    """
    said = text.strip()
    head, mark, rest = said.partition(":")
    if said == COPY:
        return Rule(copy=True)
    if mark and head.strip() == "value":
        return Rule(value=parse(rest.strip()))
    if mark and head.strip() == "cases":
        return Rule(cases=tuple((code, parse(when)) for code, when in _pairs(rest)))
    return Rule(codes=dict(_pairs(said)))


def _pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for part in text.split(";"):
        code, mark, rest = part.partition(":")
        if not mark or not code.strip() or not rest.strip():
            raise QuestionnaireError(
                "A rule is `copy`, `code: code; ...`, `value: ...` or `cases: code: condition; "
                "...`, not {rule!r}.",
                rule=text,
            )
        found.append((code.strip(), rest.strip()))
    return found


def draft_crosswalk(source: Questionnaire, target: Questionnaire) -> pd.DataFrame:
    """Return a crosswalk to begin with: what matches is copied, the rest waits for a decision.

    A target whose source lacks some of its codes is `partial`; one without source is `impossible`,
    with a note that says so.
    """
    import pandas as pd

    pairs = matched(source, target)
    rows = []
    for question in _wanted(target):
        name = pairs.get(question.name)
        if name is None:
            rows.append((question.name, "", "", IMPOSSIBLE, "no source"))
            continue
        ours = {str(code) for code in target.results(question)}
        theirs = [str(code) for code in source.results(source.questions[name])]
        if (not ours and not theirs) or set(theirs) == ours:
            rows.append((question.name, name, COPY, FULL, ""))
        else:
            kept = [f"{code}: {code}" for code in theirs if code in ours]
            lost = sorted(ours ^ set(theirs))
            note = f"codes differ: {', '.join(lost)}"
            status = PARTIAL if kept else IMPOSSIBLE
            rows.append((question.name, name if kept else "", "; ".join(kept), status, note))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def _wanted(form: Questionnaire) -> list[Question]:
    """Return the variables that a crosswalk owes: all that hold an answer or a result."""
    device = {"start", "end", "today", "position"}
    return [q for q in form.questions.values() if q.held and q.type not in device]


def check_crosswalk(
    crosswalk: pd.DataFrame, source: Questionnaire, target: Questionnaire, language: str = "en"
) -> pd.DataFrame:
    """Return what is missing or wrong in a crosswalk.

    Returns
    -------
    Findings: `code, severity, where, count, message, examples`. Complete means: every target has
    one row; every code of a source is mapped once, to a code of the target; what is called full
    reaches every code of the target; what is impossible says why.

    Raises
    ------
    ColumnError
    """
    require_columns(crosswalk, list(COLUMNS), "The crosswalk")
    rows = crosswalk[list(COLUMNS)].fillna("").astype("str").to_dict("records")
    found = list(_complete(rows, target))
    for row in rows:
        if row["target"] in target.questions:
            found += _row(row, source, target)
    return table(found, language)


def _complete(rows: list[dict[Any, str]], target: Questionnaire) -> Iterator[Finding]:
    said = [row["target"] for row in rows]
    for name in dict.fromkeys(said):
        if name not in target.questions:
            yield Finding(
                "X101",
                name,
                "The target questionnaire has no variable {name!r}. {hint}",
                name=name,
                hint=nearest(name, target.questions),
            )
    twice = sorted({name for name in said if said.count(name) > 1})
    if twice:
        yield Finding(
            "X102", "crosswalk", "These targets have several rows: {names}. Keep one.", names=twice
        )
    lacking = [q.name for q in _wanted(target) if q.name not in said]
    if lacking:
        yield Finding(
            "X103",
            "crosswalk",
            "{count} targets have no row: {names}. Give each a rule, or call it impossible.",
            names=lacking,
            count=len(lacking),
        )


def _row(row: Mapping[Any, str], source: Questionnaire, target: Questionnaire) -> Iterator[Finding]:
    name, status = row["target"], row["status"]
    if status not in STATUS:
        yield Finding(
            "X104",
            name,
            "The status {status!r} is none. {hint}",
            status=status,
            hint=nearest(status, STATUS),
        )
    if status == IMPOSSIBLE:
        if row["rule"] or not row["note"]:
            yield Finding("X105", name, "What is impossible has no rule, and a note that says why.")
        return
    if status == PARTIAL and not row["note"]:
        yield Finding("X105", name, "What is partial has a note that says what is lost.")
    try:
        rule = read_rule(row["rule"])
    except (ConditionError, QuestionnaireError) as error:
        yield Finding("X106", name, "The rule cannot be read. {reason}", reason=error)
        return
    unknown = [each for each in _needs(rule, row["source"]) if each not in source.questions]
    if unknown or not _needs(rule, row["source"]):
        yield Finding(
            "X107",
            name,
            "The source questionnaire has no variable {names}. {hint}",
            names=unknown or [row["source"]],
            hint=nearest(unknown[0] if unknown else "", source.questions),
        )
        return
    yield from _codes(rule, row, source, target)


def _needs(rule: Rule, source: str) -> list[str]:
    conditions = [case for _, case in rule.cases]
    conditions += [rule.value] if rule.value is not None else []
    if conditions:
        return sorted({name for condition in conditions for name in condition.all_names})
    return [source] if source else []


def _codes(
    rule: Rule, row: Mapping[Any, str], source: Questionnaire, target: Questionnaire
) -> Iterator[Finding]:
    """Find source codes without a place, and target codes that nothing reaches."""
    question = target.questions[row["target"]]
    ours = [str(code) for code in target.results(question)]
    theirs = (
        [str(code) for code in source.results(source.questions[row["source"]])]
        if (row["source"] in source.questions)
        else []
    )
    if rule.codes is not None:
        yield from _mapped(rule.codes, theirs, row["target"])
    made = _makes(rule, theirs)
    strange = [code for code in made if ours and code not in ours]
    if strange:
        yield Finding(
            "X110",
            row["target"],
            "The rule gives codes that the target does not have: {codes}.",
            codes=strange,
        )
    unreached = [code for code in ours if made and code not in made]
    if unreached and row["status"] == FULL:
        yield Finding(
            "X111",
            row["target"],
            "Nothing becomes {codes}, so the rule is partial, not full.",
            codes=unreached,
        )


def _mapped(codes: Mapping[str, str], theirs: list[str], where: str) -> Iterator[Finding]:
    left = [code for code in theirs if code not in codes]
    if left:
        yield Finding(
            "X108",
            where,
            "These codes of the source go nowhere: {codes}. Map each of them once.",
            codes=left,
        )
    unknown = [code for code in codes if theirs and code not in theirs]
    if unknown:
        yield Finding(
            "X109", where, "The source does not have these codes: {codes}.", codes=unknown
        )


def _makes(rule: Rule, theirs: list[str]) -> list[str]:
    if rule.codes is not None:
        return list(dict.fromkeys(rule.codes.values()))
    if rule.cases:
        return list(dict.fromkeys(code for code, _ in rule.cases))
    return theirs if rule.copy else []


def harmonize(
    data: Any, crosswalk: pd.DataFrame, source: Questionnaire, target: Questionnaire
) -> Any:
    """Make the target's variables from data of the source.

    Parameters
    ----------
    data
        A table of the source: pandas, Polars, pyarrow, DuckDB, Spark.

    Returns
    -------
    The table of the same kind with the target's variables in place of the source's, beside its
    keys. Variables that another table holds, and impossible ones, are left out; codes without a
    place become missing.

    Raises
    ------
    QuestionnaireError
        The crosswalk has errors (see `check_crosswalk`).
    """
    import narwhals as nw

    from nsm.condition.tables import frame

    found = check_crosswalk(crosswalk, source, target)
    wrong = found[found["severity"] == "error"]
    if len(wrong):
        raise QuestionnaireError(
            "The crosswalk has {count} errors. First: {where}: {message}",
            count=len(wrong),
            where=str(wrong["where"].iloc[0]),
            message=str(wrong["message"].iloc[0]),
        )
    whole = frame(data)
    have = list(whole.collect_schema().names())
    made: dict[str, nw.Expr] = {}
    for row in crosswalk.fillna("").to_dict("records"):
        if row["status"] == IMPOSSIBLE:
            continue
        rule = read_rule(str(row["rule"]))
        if set(_needs(rule, str(row["source"]))) <= set(have):
            numbers = target.questions[str(row["target"])].kind in {"number", "boolean"}
            made[str(row["target"])] = made_by(whole, rule, str(row["source"]), numbers=numbers)
    keys = [name for name in have if name not in source.questions]
    columns = [nw.col(name) for name in keys if name not in made]
    return whole.select(*columns, *(e.alias(name) for name, e in made.items())).to_native()


def made_by(whole: Any, rule: Rule, source: str, *, numbers: bool) -> Any:
    """Return the expression that a rule makes of a table; codes are numbers if asked for."""
    import narwhals as nw

    if rule.value is not None and isinstance(rule.value.tree, _TESTS):
        yes, no = (rule.value.where(whole, truth=truth) for truth in (True, False))
        return nw.when(yes).then(nw.lit(value=True)).when(no).then(nw.lit(value=False))
    if rule.value is not None:
        return rule.value.value_expr(whole)
    if rule.copy:
        return nw.col(source)
    tests = [(code, condition.where(whole)) for code, condition in rule.cases]
    if rule.codes is not None:
        text = nw.col(source).cast(nw.String)
        tests = [(to, text == code) for code, to in rule.codes.items()]

    def chosen(rest: Any, each: tuple[str, Any]) -> Any:
        code, test = each
        value = nw.lit(_number(code) if numbers else code)
        return nw.when(test).then(value).otherwise(rest)

    kind = nw.Float64 if numbers else nw.String
    return reduce(chosen, reversed(tests), nw.lit(None, kind))


def _number(code: str) -> float:
    try:
        return float(code)
    except ValueError as error:
        raise InputError("The code {code!r} is no number.", code=code) from error
