"""From text to answers: types, codes for labels, and reasons instead of codes for missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nsm.frame.findings import Finding, finding
from nsm.questionnaire.model import Question
from nsm.questionnaire.questionnaire import Questionnaire

YES = {"1", "1.0", "true", "yes", "sí", "si", "oui", "wi"}
NO = {"0", "0.0", "false", "no", "non"}
NOTHING = {"##n/a##", "-999999999", "n/a"}  # Survey Solutions: not asked, not answered
REASONS = ("table", "key", "question", "code", "reason")


def answers(
    form: Questionnaire,
    question: Question,
    column: pd.Series,
    keys: pd.Series,
    labels: Mapping[str, str],
) -> tuple[pd.Series, pd.DataFrame, list[Finding]]:
    """Return a column as answers.

    Parameters
    ----------
    keys
        The key of each row, for findings: answers themselves are never shown.
    labels
        Code -> label, as the file carries them.

    Returns
    -------
    The answers, null where missing; the reasons for missing that were recorded, as `key, code,
    reason`; and what could not be read.
    """
    text = _text(column)
    text, problems = _as_codes(form, question, text, labels, keys)
    text = text.astype("str")  # a column without answers has lost its type
    text, reasons = _reasons(form, question, text, keys)
    held, unreadable = _typed(question, text)
    problems += finding(
        "D105",
        "error",
        f"{question.table}.{question.name}",
        list(keys[unreadable]),
        "{count} answers cannot be read as {kind} and are left blank.",
        kind=question.type,
    )
    return held, reasons, problems


def _text(column: pd.Series) -> pd.Series:
    """Return a column as text without blanks around it, null where blank."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = column.dt.strftime("%Y-%m-%dT%H:%M:%S")
        return moments.astype("str")
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype("Int64").astype("str")
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.astype("str")
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.astype("Float64")
        whole = numbers.notna() & (numbers == numbers.round()).fillna(value=False)
        text = numbers.astype("str")
        return text.mask(whole, numbers.where(whole).astype("Int64").astype("str"))
    text = column.astype("str").str.strip()
    return text.mask((text == "") | text.str.lower().isin(NOTHING))


def _as_codes(
    form: Questionnaire,
    question: Question,
    text: pd.Series,
    labels: Mapping[str, str],
    keys: pd.Series,
) -> tuple[pd.Series, list[Finding]]:
    """Replace labels by codes, where the file holds labels or another program's codes."""
    codes = [*form.codes(question), *form.missing_codes(question)]
    if not codes and question.kind == "boolean":  # computed
        return text.map(lambda t: _yes_no(t, {"1", "0"}), na_action="ignore"), []
    if not codes or question.type == "many":
        return text, []
    known = {str(code) for code in codes}
    where = f"{question.table}.{question.name}"
    own = _by_label(form, question, codes)
    spoken = {code: own.get(_folded(label), "") for code, label in labels.items()}
    strange = [code for code in spoken if not spoken[code] and code not in known]
    problems = finding(
        "D107",
        "error",
        where,
        [f"{code}: {labels[code]}" for code in strange],
        "{count} labels of the file belong to no code of the questionnaire.",
    )
    present = text.dropna()
    if labels and any(spoken.values()):
        return text.map({code: spoken[code] or code for code in labels}).fillna(text), problems
    if question.type == "boolean":
        return text.map(lambda t: _yes_no(t, known), na_action="ignore"), problems
    unknown = ~present.isin(known)
    if not unknown.any():
        return text, problems
    plain = present[unknown].map(_plain_number)
    as_label = present[unknown].map(lambda t: own.get(_folded(t), ""))
    read = plain.where(plain.isin(known), as_label.where(as_label != ""))
    said = as_label[as_label != ""]
    problems += finding(
        "D106",
        "info",
        where,
        list(keys[said.index]),
        "{count} answers came as labels and were turned into codes.",
    )
    return text.mask(read.reindex(text.index).notna(), read.reindex(text.index)), problems


def _by_label(form: Questionnaire, question: Question, codes: list[Any]) -> dict[str, str]:
    """Return label, in any language, -> code; a label that two codes share stands for neither."""
    found: dict[str, str] = {}
    for language in form.languages:
        for code in codes:
            label = _folded(form.label(question, code, language))
            found[label] = str(code) if found.get(label, str(code)) == str(code) else ""
    return found


def _folded(label: str) -> str:
    return " ".join(label.lower().split())


def _plain_number(text: str) -> str:
    return text.removesuffix(".0")


def _yes_no(text: str, known: set[str]) -> str:
    plain = _plain_number(text.lower())
    if plain in known:
        return plain
    return "1" if plain in YES else "0" if plain in NO else text


def _reasons(
    form: Questionnaire, question: Question, text: pd.Series, keys: pd.Series
) -> tuple[pd.Series, pd.DataFrame]:
    """Turn codes for missing into blanks, and keep the reason."""
    missing = {str(code): str(code) for code in form.missing_codes(question)}
    missing |= {str(code): reason for code, reason in question.missing.items()}
    if not missing:
        return text, pd.DataFrame(columns=["key", "code", "reason"])
    plain = text.str.replace(r"\.0$", "", regex=True)
    if question.type == "many":
        said = plain.str.split().str[0]
        plain = plain.where(~said.isin(missing), said)
    hit = plain.isin(missing)
    found = pd.DataFrame({"key": keys[hit], "code": plain[hit], "reason": plain[hit].map(missing)})
    return text.mask(hit), found


def _typed(question: Question, text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the answers in the type of the question, and where they could not be read."""
    held: pd.Series
    match question.kind:
        case "boolean":
            held = text.map({"1": True, "0": False}).astype("boolean")
        case "number":
            numbers = pd.to_numeric(text, errors="coerce")
            whole = question.type in {"integer", "one", "position"}
            if whole or (numbers.dropna() % 1 == 0).all():
                held = numbers.where(numbers % 1 == 0).astype("Int64")
            else:
                held = numbers.astype("Float64")
        case "date":
            read = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=False)
            held = _local(read)
        case _:
            return text.astype("str"), pd.Series(data=False, index=text.index)
    return held, text.notna() & held.isna()


def _local(moments: pd.Series) -> pd.Series:
    """Return moments without their time zone: the hour on the clock of the device."""
    if isinstance(moments.dtype, pd.DatetimeTZDtype):
        return moments.dt.tz_localize(None)
    return moments.astype("datetime64[us]")
