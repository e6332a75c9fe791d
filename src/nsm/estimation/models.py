"""Regression models of surveys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from nsm.errors import OptionError, nearest
from nsm.estimation.estimates import Estimates, tidy
from nsm.estimation.fit import Fit, fit
from nsm.estimation.formula import parse_formula, parse_terms
from nsm.estimation.intervals import Estimated, limits
from nsm.estimation.likelihood import Family, family_of
from nsm.estimation.matrix import Encoding, encode, is_category, numbers, require
from nsm.estimation.scored import complete
from nsm.estimation.significance import SignificanceTest, wald_statistic
from nsm.totals import Memory

if TYPE_CHECKING:
    from nsm.condition import Condition
    from nsm.estimation.survey import Survey

ALIASED = "a combination of the terms before"


@dataclass(frozen=True)
class Model:
    """A regression with the covariance of the survey's design.

    Parameters
    ----------
    formula
        As it was given.
    family
        `gaussian`, `binomial` or `poisson`, with identity, logit or log link.
    level
        Confidence level of limits.
    fitted
        The coefficients, and what their covariance is made from.
    encoding
        How rows become the matrix of the model.
    """

    formula: str
    family: str
    level: float
    fitted: Fit = field(repr=False)
    encoding: Encoding = field(repr=False)

    @property
    def n(self) -> int:
        """Unweighted number of units that it was fitted to."""
        return len(self.fitted.rows)

    @property
    def df(self) -> float:
        """Degrees of freedom of its tests: PSUs - strata - coefficients + 1."""
        return self.fitted.df

    @property
    def coefficients(self) -> np.ndarray:
        """The coefficients; null where one is a combination of others (terms,)."""
        found = np.full(len(self.fitted.names), np.nan)
        found[self.fitted.kept] = self.fitted.estimated
        return found

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the coefficients (terms, terms)."""
        size = len(self.fitted.names)
        found = np.full((size, size), np.nan)
        found[np.ix_(self.fitted.kept, self.fitted.kept)] = self.fitted.covariance
        return found

    @property
    def table(self) -> pd.DataFrame:
        """One row per coefficient: `term, estimate, se, t, p, lower, upper, df, note`."""
        estimate = self.coefficients
        se = np.sqrt(np.diag(self.covariance))
        df = np.full(len(se), self.df)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = estimate / se
            p = np.where(df > 0, 2 * special.stdtr(np.maximum(df, 1e-9), -np.abs(t)), np.nan)
        low, high = limits(Estimated(estimate, se, df, df), "t", self.level)
        return pd.DataFrame(
            {
                "term": self.fitted.names,
                "estimate": estimate,
                "se": se,
                "t": t,
                "p": p,
                "lower": low,
                "upper": high,
                "df": df,
                "note": [ALIASED if np.isnan(value) else None for value in estimate],
            }
        )

    @property
    def exponentiated(self) -> pd.DataFrame:
        """Odds ratios (binomial) or rate ratios (poisson): `term, estimate, lower, upper`."""
        table = self.table[["term", "estimate", "lower", "upper"]]
        return table.assign(**{name: np.exp(table[name]) for name in table.columns[1:]})

    @property
    def estimates(self) -> Estimates:
        """The coefficients as estimates, of which contrasts can be made."""
        fitted = self.fitted
        table = self.table.iloc[fitted.kept]
        se = table["se"].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            cv = np.where(table["estimate"] != 0, se / np.abs(table["estimate"]), np.nan)
        made = table.rename(columns={"term": "category"}).assign(
            variable=self.encoding.formula.response.text if self.encoding.formula.response else "",
            statistic="coefficient",
            order=np.nan,
            cv=cv,
            deff=np.nan,
            n=self.n,
            cases=self.n,
            psus=fitted.psus,
        )
        covariance = fitted.covariance
        return Estimates(
            tidy(made, ()), (), self.level, covariances=lambda rows: covariance[np.ix_(rows, rows)]
        )

    def contrast(
        self, weights: Mapping[str, float] | Sequence[float], *, name: str = "contrast"
    ) -> Estimates:
        """Estimate a linear combination of coefficients: term -> number, or one number per term."""
        return self.estimates.contrast(weights, name=name)

    def wald(self, terms: str | Sequence[str]) -> SignificanceTest:
        """Test whether all coefficients of some terms are 0.

        Parameters
        ----------
        terms
            Terms of the formula: `"origin"`, `"sex:age"`, `["sex", "sex:age"]`; `1` is the
            intercept.

        Returns
        -------
        Wald's F with as many denominator degrees of freedom as `df` (R's `regTermTest`).

        Raises
        ------
        OptionError
            A term is not in the model.
        DesignError
            There are more coefficients than the design can tell apart.
        """
        listed = [terms] if isinstance(terms, str) else list(terms)
        kept = self._places(listed)
        beta = self.fitted.estimated[kept]
        statistic = wald_statistic(beta, self.fitted.covariance[np.ix_(kept, kept)])
        return SignificanceTest.of_f(
            "Wald", statistic / len(kept), df1=len(kept), df2=self.df, note=" + ".join(listed)
        )

    def _places(self, terms: Sequence[str]) -> np.ndarray:
        """Return the places, among the estimated coefficients, of those of terms."""
        keys = [term.key for term in self.encoding.formula.terms]
        chosen = []
        for text in terms:
            for term in parse_terms(text):
                if term.factors and term.key not in keys:
                    raise OptionError(
                        "{term} is not a term of {formula!r}. {hint}",
                        term=str(term),
                        formula=self.formula,
                        hint=nearest(str(term), [str(t) for t in self.encoding.formula.terms]),
                    )
                chosen.append(keys.index(term.key) if term.factors else -1)
        kept = np.flatnonzero(np.isin(self.encoding.term[self.fitted.kept], chosen))
        if not len(kept):
            raise OptionError(
                "{formula!r} has no estimated coefficient of {terms}.",
                formula=self.formula,
                terms=list(terms),
            )
        return kept

    def predict(self, data: Any = None, *, kind: str = "response") -> pd.DataFrame:
        """Predict the mean of units.

        Parameters
        ----------
        data
            A table with the columns of the formula; the units of the model by default.
        kind
            `response`, or `link` for the linear predictor.

        Returns
        -------
        `estimate, se, lower, upper`, one row per unit; null where a column is missing. Limits of a
        response are those of its linear predictor, transformed.
        """
        if kind not in {"response", "link"}:
            raise OptionError(
                "kind={kind!r} is not known. {hint}",
                kind=kind,
                hint=nearest(kind, ("link", "response")),
            )
        table, rows, size = self.fitted.survey.table, self.fitted.rows, self.n
        place = np.arange(size)
        if data is not None:
            table = Memory(data, "the data")
            size = table.rows
            place = rows = _observed_rows(table, self.encoding)
        matrix = self.encoding.matrix(table, rows)[:, self.fitted.kept]
        eta = matrix @ self.fitted.estimated
        se = np.sqrt(np.einsum("ij,jk,ik->i", matrix, self.fitted.covariance, matrix))
        df = np.full(len(eta), self.df)
        low, high = limits(Estimated(eta, se, df, df), "t", self.level)
        family = self.fitted.family
        if kind == "response":
            low, high = (np.where(np.isnan(x), np.nan, family.mean(x)) for x in (low, high))
            se, eta = se * family.slope(eta), family.mean(eta)
        made = np.full((size, 4), np.nan)
        made[place] = np.column_stack([eta, se, low, high])
        return pd.DataFrame(made, columns=["estimate", "se", "lower", "upper"])

    def margins(
        self, column: str, values: Sequence[Any] | None = None, *, population: str = "joint"
    ) -> Estimates:
        """Estimate predictive margins: see `margins.margins`."""
        from nsm.estimation.margins import margins

        return margins(self, column, values, population=population)

    def _repr_html_(self) -> str:
        return self.table.to_html(index=False, float_format=lambda x: f"{x:,.4g}", na_rep="")

    def __str__(self) -> str:
        return self.table.to_string(index=False, float_format=lambda x: f"{x:,.4g}", na_rep="")


def glm(
    survey: Survey,
    formula: str,
    *,
    family: str = "gaussian",
    where: Condition | None = None,
    level: float = 0.95,
) -> Model:
    """Fit a generalized linear model; see `Survey.glm`."""
    known: Family = family_of(family)
    read = parse_formula(formula)
    if read.response is None:
        raise OptionError(
            "{formula!r} does not say what is explained: write it before the ~.", formula=formula
        )
    require(read.names, survey.table)
    if survey.pushed:
        survey = survey.in_memory((*read.names, *(() if where is None else where.names)))
    if is_category(read.response, survey.table):
        raise OptionError(
            "The response {column!r} is a category. Make a column of 1 and 0 from it, or give an "
            "indicator.",
            column=read.response.text,
        )
    rows = complete(survey, read.names, where)
    encoded = encode(read, survey.table, rows)
    y = numbers(read.response, survey.table, rows)
    fitted = fit(survey, rows, encoded.matrix, y, family=known, names=encoded.encoding.names)
    return Model(formula, family, level, fitted, encoded.encoding)


def _observed_rows(table: Memory, encoding: Encoding) -> np.ndarray:
    names = dict.fromkeys(name for f in encoding.formula.factors for name in f.inner.names)
    require(names, table)
    masks = [mask for name in names if (mask := table.observed(name)) is not None]
    return np.flatnonzero(np.logical_and.reduce(masks)) if masks else np.arange(table.rows)
