"""Estimates of many indicators by many columns, with few passes over the microdata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from nsm.errors import ColumnError, NsmError, OptionError, Phrase
from nsm.estimation import Estimates, Survey
from nsm.estimation.estimates import tidy
from nsm.estimation.expression import parse_statistic
from nsm.estimation.statistic import Statistic, Total
from nsm.indicators.registry import IS_PROXY, MODULE, PROXY, Indicator, checked, chosen

By = Sequence[str | Sequence[str]]
Surveys = Survey | Mapping[str, Survey]
NEEDS_MODULE = "from a module of the questionnaire"


class Failure(NamedTuple):
    """An indicator that could not be computed by a disaggregation, and why."""

    code: str
    by: tuple[str, ...]
    reason: str | Phrase | NsmError


@dataclass(frozen=True)
class Computed(Estimates):
    """Estimates of indicators: `variable` is their code, `note` says what is a proxy.

    Parameters
    ----------
    failures
        What could not be computed; the rest stands.
    """

    failures: tuple[Failure, ...] = ()


class Piece(NamedTuple):
    """Indicators of one survey and universe, estimated together."""

    made: Estimates
    indicators: tuple[Indicator, ...]


def compute(
    survey: Surveys,
    codes: Sequence[str] = (),
    *,
    by: By = ((),),
    registry: Mapping[str, Indicator] | None = None,
    declared: bool = False,
    deff: str | None = "with",
) -> Computed:
    """Estimate indicators by disaggregations.

    Indicators of one universe share a pass over the microdata.

    Parameters
    ----------
    survey
        Of persons, weighted. Or those of several phases by name: `{"persons": all who were
        screened, "interviews": those who were interviewed}`; each indicator says whose it is.
    codes
        All that are estimated from persons, if empty.
    by
        Disaggregations, each a column or several: `[(), "sex", ("status", "sex")]`.
    registry
        As `read_registry` gives it.
    declared
        Whether an indicator is left out of a disaggregation that its definition does not name; one
        that names none is in all.
    deff
        As of `Survey.estimate`.

    Returns
    -------
    One table: a column for each column of `by`, null in the rows that it does not divide. What
    cannot be computed is in `failures`, and does not stop the rest. Rows of one disaggregation and
    universe have their covariance; others have none.

    Raises
    ------
    OptionError
        A code is unknown.
    ColumnError
        Nothing can be computed.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> t = pd.DataFrame({"status": ["immigrant", "native"] * 2, "psu": [1, 1, 2, 2], "w": 10.0})
    >>> found = compute(nsm.Survey(t, weight="w", psu="psu"), ["immigrants", "8.6.1"])
    >>> found.table[["variable", "estimate"]].to_numpy().tolist()
    [['immigrants', 20.0]]
    >>> found.failures[0].code, str(found.failures[0].reason)
    ('8.6.1', "The survey has no column 'age', 'employed', 'attends', 'training'.")
    """
    wanted = chosen(checked(registry), codes)
    failures: list[Failure] = []
    survey = _lightened(survey, wanted, by)
    pieces = [
        piece
        for keys in _sets(by)
        for piece in _pieces(survey, _of(wanted, keys, declared=declared), keys, failures, deff)
    ]
    if not pieces:
        reason = failures[0].reason if failures else "-"
        raise ColumnError(
            "None of the {count} indicators can be computed from this survey. First: {reason}",
            count=len(wanted),
            reason=reason,
        )
    return joined(pieces, [one.code for one in wanted], failures)


def _sets(by: By) -> list[tuple[str, ...]]:
    sets = [(keys,) if isinstance(keys, str) else tuple(keys) for keys in by]
    return list(dict.fromkeys(sets)) or [()]


def _lightened(survey: Surveys, wanted: Iterable[Indicator], by: By) -> Surveys:
    """Leave out rows without weight, once for all passes."""
    names = {name for one in wanted for name in one.variables}
    names |= {name for keys in _sets(by) for name in keys}
    if isinstance(survey, Mapping):
        return {key: one.active(names & set(one.table.columns)) for key, one in survey.items()}
    return survey.active(names & set(survey.table.columns))


def _of(
    wanted: Iterable[Indicator], keys: tuple[str, ...], *, declared: bool
) -> Sequence[Indicator]:
    return [
        one
        for one in wanted
        if not (declared and keys and one.disaggregations) or set(keys) <= set(one.disaggregations)
    ]


def survey_of(survey: Surveys, one: Indicator) -> Survey:
    """Return the survey that an indicator is estimated from.

    Raises
    ------
    OptionError
        There is none of those persons.
    """
    if not isinstance(survey, Mapping):
        return survey
    if one.of not in survey:
        raise OptionError(
            "There is no survey of {of!r}; there are {known}.", of=one.of, known=sorted(survey)
        )
    return survey[one.of]


def require(survey: Survey, names: Iterable[str]) -> None:
    """Refuse columns that the survey does not have.

    Raises
    ------
    ColumnError
        It names them.
    """
    known = set(survey.table.columns)
    missing = [name for name in names if name not in known]
    if missing:
        raise ColumnError("The survey has no column {columns}.", columns=missing)


def _pieces(
    survey: Surveys,
    wanted: Iterable[Indicator],
    keys: tuple[str, ...],
    failures: list[Failure],
    deff: str | None,
) -> Iterator[Piece]:
    groups: dict[tuple[int, str], tuple[Survey, list[Indicator]]] = {}
    for one in wanted:
        try:
            if not one.computable:
                raise OptionError(
                    "The indicator {code!r} is not estimated from persons.", code=one.code
                )
            source = survey_of(survey, one)
            require(source, [*one.variables, *keys])
        except NsmError as error:
            failures.append(Failure(one.code, keys, error))
            continue
        groups.setdefault((id(source), one.universe), (source, []))[1].append(one)
    for source, members in groups.values():
        yield from _estimated(source, members, keys, failures, deff)


def _estimated(
    source: Survey,
    members: Sequence[Indicator],
    keys: tuple[str, ...],
    failures: list[Failure],
    deff: str | None,
) -> Iterator[Piece]:
    """Estimate indicators of one universe together; one by one where one of them fails."""
    try:
        made = source.estimate(
            {one.code: _statistic(one) for one in members},
            by=list(keys),
            where=members[0].universe or None,
            deff=deff,
        )
        yield Piece(made, tuple(members))
    except NsmError as error:
        if len(members) == 1:
            failures.append(Failure(members[0].code, keys, error))
            return
        for one in members:
            yield from _estimated(source, [one], keys, failures, deff)


def is_share(one: Indicator) -> bool:
    """Whether it is the mean of a condition, which is a proportion."""
    return one.unit == "fraction" and one.statistic.startswith("mean(")


def _statistic(one: Indicator) -> str | Statistic:
    """Return what is estimated; the cases of a share are the units that have what it counts."""
    if not is_share(one):
        return one.statistic
    made = parse_statistic(one.statistic)
    if not isinstance(made, Statistic) or not isinstance(made.operands[0], Total):
        return one.statistic
    return replace(made, numerator=made.operands[0].term)


def joined(pieces: Sequence[Piece], order: Sequence[str], failures: list[Failure]) -> Computed:
    """Put pieces under each other: by disaggregation, then in the order of the indicators."""
    by = tuple(dict.fromkeys(name for piece in pieces for name in piece.made.by))
    rank = {code: k for k, code in enumerate(order)}
    sets = list(dict.fromkeys(piece.made.by for piece in pieces))
    tables = []
    for number, (made, indicators) in enumerate(pieces):
        labels = {one.code: _label(one) for one in indicators}
        shares = {one.code for one in indicators if is_share(one)}
        mean = made.table["statistic"].eq("mean") & made.table["variable"].isin(shares)
        table = made.table.assign(
            statistic=made.table["statistic"].mask(mean, "proportion"),
            note=pd.Series(
                [_noted(labels[v], n) for v, n in made.table[["variable", "note"]].to_numpy()],
                dtype=object,
            ),
            _piece=number,
            _row=np.arange(len(made.table)),
            _set=sets.index(made.by),
            **{name: None for name in by if name not in made.by},
        )
        tables.append(table.astype(dict.fromkeys(by, object)))
    whole = pd.concat(tables, ignore_index=True)
    whole["_rank"] = whole["variable"].map(rank)
    whole = whole.sort_values(["_set", "_rank"], kind="stable").reset_index(drop=True)
    places = whole[["_piece", "_row"]].to_numpy()
    return Computed(
        tidy(whole, by),
        by,
        pieces[0].made.level,
        max(piece.made.unknown for piece in pieces),
        lambda rows: _covariance(pieces, places[rows]),
        tuple(failures),
    )


def _label(one: Indicator) -> str | None:
    if one.kind == PROXY:
        return f"{IS_PROXY} {one.proxy_of}".rstrip()
    return NEEDS_MODULE if one.kind == MODULE else None


def _noted(label: str | None, note: str | None) -> str | None:
    return "; ".join(text for text in (label, note) if isinstance(text, str)) or None


def _covariance(pieces: Sequence[Piece], places: np.ndarray) -> np.ndarray:
    """Return the covariance of rows of one piece (rows, rows)."""
    numbers = np.unique(places[:, 0])
    if len(numbers) != 1:
        raise OptionError(
            "These rows are of {count} universes or disaggregations, and have no covariance. "
            "Compare indicators of one universe, by one disaggregation.",
            count=len(numbers),
        )
    made = pieces[int(numbers[0])].made
    if made.covariances is None:
        return np.diag(made.table["se"].to_numpy(float)[places[:, 1]] ** 2)
    return made.covariances(places[:, 1])
