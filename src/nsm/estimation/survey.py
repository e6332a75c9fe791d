"""The survey: microdata, the design it was drawn by, and the weighting steps it went through."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nsm.errors import DesignError, FileError, KeyColumnError, ValueInColumnError
from nsm.estimation.design import Design, SinglePsu, compile_design, declare, probabilities
from nsm.estimation.influence import Adjustment, Repeat, taken
from nsm.estimation.replicate import Replication
from nsm.estimation.statistic import Missing, Proportions, count, mean, ratio, total
from nsm.files import local_path, read_table
from nsm.totals import ColumnFile, Memory, Pushdown, UnitIndex

if TYPE_CHECKING:
    import pandas as pd

    from nsm.estimation.estimate import Wanted
    from nsm.estimation.estimates import Estimates
    from nsm.estimation.models import Model
    from nsm.estimation.significance import SignificanceTest

By = str | Sequence[str] | None
IN_MEMORY_ROWS = 20_000_000
IN_MEMORY_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Level:
    """A table above that of the survey: areas above dwellings, dwellings above persons.

    Parameters
    ----------
    table
        Its rows, those without rows below too.
    unit
        Finest sampling unit of each row (rows,); of each combination of design columns where an
        engine holds the table.
    remaining
        Product of the fractions drawn down to each row, 0 if any was with replacement (rows,).
    link
        Row of the table above that holds each row (rows,); None at the top.
    """

    table: Memory | Pushdown
    unit: Any
    remaining: np.ndarray
    link: np.ndarray | None = None

    @property
    def held(self) -> Memory:
        """Its table, in memory."""
        return _in_memory(self.table)


class Survey:
    """Microdata with the design by which they were drawn.

    Parameters
    ----------
    data
        A pandas, Polars or pyarrow table, or the path of a local Parquet or CSV file. A file that
        `survey.save` wrote knows its design and its weighting steps: give nothing else.
    weight
        Column of weights. Without it they follow from `fpc` or `probability`.
    stratum, psu, fpc
        Columns, one for each stage, PSUs first. `fpc` holds population counts (>= 1) or fractions
        (<= 1); null, 0 or infinite means with replacement.
    certainty
        Column that marks self-representing PSUs, whose variance comes from the next stage.
    probability, pps
        Column with the inclusion probability of the PSUs, and how their variance without
        replacement is approximated: `brewer`, `overton`, `hartley-rao`.
    joint, joint_variance
        Matrix of joint inclusion probabilities of the PSUs in the order of their first rows, and
        the estimator: `ht` (Horvitz-Thompson) or `yg` (Yates-Grundy).
    replicates, replication, scale, rscales, rho, mse
        Columns of replicate weights (names, or a pattern such as `rw_*`), and how they were made:
        `brr`, `fay` (with `rho`), `jk1`, `jkn` (with `rscales`), `bootstrap`, `sdr`, `acs`,
        `custom` (with `scale`, `rscales`); `mse` centers at the estimate.
    single_psu
        What a stratum with one PSU means: `refuse`, `certainty`, `adjust`, `average`, `remove`.

    Raises
    ------
    ColumnError, DesignError, OptionError, ValueInColumnError
        What is declared is not in the data, or does not fit it.

    Examples
    --------
    >>> import nsm, pandas as pd
    >>> t = pd.DataFrame({"y": [1.0, 3.0, 2.0, 6.0], "psu": [1, 2, 3, 4], "w": [10, 10, 10, 10]})
    >>> nsm.Survey(t, weight="w", psu="psu").total("y").table[["estimate", "se"]].round(2)
       estimate     se
    0     120.0  43.2
    """

    levels: tuple[Level, ...]
    design: Design
    base: np.ndarray
    weight: Any
    adjustments: tuple[Adjustment, ...]
    replication: Replication | None
    history: tuple[Any, ...]

    def __init__(
        self,
        data: Any,
        *,
        weight: str | None = None,
        stratum: str | Sequence[str | None] | None = None,
        psu: str | Sequence[str] | None = None,
        fpc: str | Sequence[str | None] | None = None,
        certainty: str | None = None,
        probability: str | None = None,
        pps: str | None = None,
        joint: Any = None,
        joint_variance: str = "ht",
        replicates: str | Sequence[str] | None = None,
        replication: str | None = None,
        scale: float | None = None,
        rscales: Sequence[float] | None = None,
        rho: float | None = None,
        mse: bool = False,
        single_psu: SinglePsu = "refuse",
    ) -> None:
        if isinstance(data, str | os.PathLike) and not any(
            (weight, stratum, psu, fpc, certainty, probability, joint is not None, replicates)
        ):
            from nsm.estimation.saved import restore

            known = restore(local_path(data))
            if known is not None:
                vars(self).update(vars(known))
                return
        table = _opened(data)
        rows_are_units = psu is None or joint is not None or replicates is not None
        derived = weight is None and probability is None
        if rows_are_units or derived or certainty is not None:
            table = _in_memory(table)
        declaration = declare(
            weight,
            stratum,
            psu,
            fpc,
            certainty=certainty,
            probability=probability,
            pps=pps,
            joint_variance=joint_variance,
            single_psu=single_psu,
        )
        keys: Any = table
        if isinstance(table, Pushdown):
            keys = table.units([c for c in declaration.columns if c != weight])
        design = compile_design(keys, declaration)
        if pps in {"overton", "hartley-rao"} or joint is not None:
            from nsm.estimation.pps import with_joint

            design = with_joint(design, joint)
        weights = _weights(table, design)
        unit: Any = design.unit
        if isinstance(table, Pushdown):
            unit = UnitIndex(keys.table, design.unit)
        columns = None
        if replicates is not None:
            from nsm.estimation.replicate import from_columns

            columns = from_columns(
                _in_memory(table),
                replicates,
                replication or "custom",
                scale=scale,
                rscales=rscales,
                rho=rho,
                mse=mse,
            )
        vars(self).update(
            levels=(Level(table, unit, _drawn(design)[design.unit]),),
            design=design,
            base=weights,
            weight=weights,
            adjustments=(),
            replication=columns,
            history=(),
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A survey is frozen: {name!r} cannot be set.")

    def having(self, **fields: object) -> Self:
        """Return a copy with other fields; for the rooms that make surveys from surveys."""
        made = copy.copy(self)
        vars(made).update(fields)
        return made

    @property
    def table(self) -> Any:
        """Its rows: `Memory`, or `Pushdown` where an engine holds them."""
        return self.levels[-1].table

    @property
    def pushed(self) -> bool:
        """Whether an engine holds the table and makes the pass."""
        return isinstance(self.table, Pushdown)

    @property
    def weights(self) -> np.ndarray:
        """Weights, in the order of the rows (rows,)."""
        if isinstance(self.weight, str):
            return self.table.collect([self.weight]).number(self.weight).values
        return self.weight

    def in_memory(self, columns: Iterable[str] | None = None) -> Self:
        """Return the survey with its table in memory: these columns and those of its design."""
        if not self.pushed:
            return self
        declaration = self.design.declaration
        names = None if columns is None else [*declaration.columns, *columns]
        options = {k: v for k, v in vars(declaration).items() if v not in {None, ()}}
        return type(self)(self.table.collect(names), **options)

    @property
    def unit(self) -> Any:
        """Finest sampling unit of each row (rows,), or the index that finds it."""
        return self.levels[-1].unit

    def __len__(self) -> int:
        return self.table.size(self.weight)[1] if self.pushed else len(self.weight)

    def __repr__(self) -> str:
        return f"<Survey of {len(self):,} rows, {self.design.psus:,} PSUs>"

    def describe(self, language: str = "en") -> str:
        """Say in words what its design is, and which formula its variance will have."""
        from nsm.estimation.describe import describe

        return describe(self, language)

    def with_columns(self, columns: Mapping[str, np.ndarray]) -> Self:
        """Return the survey with more columns, each (rows,)."""
        last = self.levels[-1]
        level = Level(last.held.with_columns(columns), last.unit, last.remaining, last.link)
        return self.having(levels=(*self.levels[:-1], level))

    def link(self, level: int) -> np.ndarray:
        """Return, for each row, its row in the table of `level` (rows,)."""
        rows = np.arange(len(self))
        for k in range(len(self.levels) - 1, level, -1):
            above = self.levels[k].link
            rows = rows if above is None else above[rows]
        return rows

    def adjusted(self, adjustment: Adjustment) -> Self:
        """Return the survey after a weighting step on its rows."""
        last = self.levels[-1]
        position = len(self.adjustments)
        started = adjustment.started()
        chain = tuple(a.followed(position, started) for a in self.adjustments)
        remaining = last.remaining
        if adjustment.phase is not None:
            remaining = remaining * adjustment.phase.fraction
        level = Level(last.table, last.unit, remaining, last.link)
        return self.having(
            levels=(*self.levels[:-1], level),
            weight=self.weight * adjustment.factor,
            adjustments=(*chain, started),
        )

    def expand(self, data: Any, *, on: str) -> Self:
        """Return the survey of lower units, which take the upper ones' weights and their variance.

        Parameters
        ----------
        data
            A table or file of the lower units (persons of these households).
        on
            Key of the upper units, in both tables.

        Raises
        ------
        KeyColumnError
            A key is repeated above, or unknown below.
        """
        if self.pushed:
            return self.in_memory().expand(data, on=on)
        lower = _in_memory(_opened(data))
        above = self.table.series(on)
        repeated = above[above.duplicated()]
        if len(repeated):
            raise KeyColumnError(
                "{column!r} is repeated in {table}: {count} times ({keys}). It must name one unit.",
                column=on,
                table=self.table.name,
                count=len(repeated),
                keys=list(repeated),
            )
        import pandas as pd

        below = lower.series(on)
        link = pd.Index(above).get_indexer(pd.Index(below))
        lost = np.flatnonzero(link < 0)
        if len(lost):
            raise KeyColumnError(
                "{count} rows of {table} have a {column!r} that no unit above has: {keys}. Give "
                "them their unit, or leave them out on purpose.",
                count=len(lost),
                table=lower.name,
                column=on,
                keys=list(below.iloc[lost[:6]]),
            )
        last = self.levels[-1]
        level = Level(lower, last.unit[link], last.remaining[link], link)
        return self.having(
            levels=(*self.levels, level),
            weight=self.weight[link],
            adjustments=tuple(a.expanded(link) for a in self.adjustments),
            history=(*self.history, on),
        )

    def active(self, columns: Iterable[str]) -> Self:
        """Return the survey of the rows that have a weight, with some columns: the same estimates.

        The other rows stay in the levels above, where the variance sees them.
        """
        if self.pushed or not (self.weight == 0).any():
            return self
        import pandas as pd

        rows = np.flatnonzero(self.weight)
        held = {name: self.table.series(name).iloc[rows] for name in columns}
        table = Memory(pd.DataFrame(held).reset_index(drop=True), self.table.name)
        last = self.levels[-1]
        level = Level(table, last.unit[rows], last.remaining[rows], rows)
        return self.having(
            levels=(*self.levels, level),
            weight=self.weight[rows],
            adjustments=tuple(a.expanded(rows) for a in self.adjustments),
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the survey as a Parquet file that knows its design; see `saved.save`."""
        from nsm.estimation.saved import save

        return save(self, path)

    @staticmethod
    def two_phase(
        first: Survey, second: Any, *, on: str, method: str = "full", **design: Any
    ) -> Survey:
        """Return the survey of a sample of the sample of `first`; see `twophase.two_phase`."""
        from nsm.estimation.twophase import two_phase

        return two_phase(first, second, on=on, method=method, **design)

    def weighted(self, weighting: Any) -> Self:
        """Return the survey after the steps of an `nsm.Weighting`."""
        return weighting.apply(self)

    def replicate(
        self,
        method: str = "bootstrap",
        *,
        count: int | None = None,
        seed: int | None = None,
        rho: float = 0.5,
    ) -> Self:
        """Return the survey with replicates of its design; see `replicate.replicated`.

        Every weighting step, of before and after, is redone in each replicate.
        """
        from nsm.estimation.replicate import replicated

        if self.pushed and method == "sdr":
            return self.in_memory().replicate(method, count=count, seed=seed, rho=rho)
        made = replicated(self.design, method, count=count, seed=seed, rho=rho)
        return self.having(replication=made)

    def nonresponse(
        self, status: str = "disposition", *, cells: By = None, **options: Any
    ) -> Survey:
        """Return the survey of respondents; see `nsm.weighting.Nonresponse`."""
        from nsm.weighting import Nonresponse

        return Nonresponse(status, _listed(cells), **options).apply(self)

    def calibrate(self, margins: Any, **options: Any) -> Survey:
        """Return the survey whose totals are the known ones; see `nsm.weighting.Calibration`."""
        from nsm.weighting import Calibration

        return Calibration(margins, **options).apply(self)

    def poststratify(self, margins: Any, **options: Any) -> Survey:
        """Return the survey calibrated to one margin; see `nsm.weighting.Calibration`."""
        from nsm.weighting import poststratification

        return poststratification(margins, **options).apply(self)

    def rake(self, margins: Any, **options: Any) -> Survey:
        """Return the survey raked to margins; see `nsm.weighting.Calibration`."""
        from nsm.weighting import Calibration

        return Calibration(margins, "raking", **options).apply(self)

    def trim(self, **options: Any) -> Survey:
        """Return the survey with less unequal weights; see `nsm.weighting.Trimming`."""
        from nsm.weighting import Trimming

        return Trimming(**options).apply(self)

    def share(self, links: Any, **options: Any) -> Survey:
        """Return the survey of the units that these lead to; see `nsm.weighting.share`."""
        from nsm.weighting import share

        return share(self, links, **options)

    def redone(self, base: np.ndarray, repeat: Repeat | None = None) -> np.ndarray:
        """Redo every weighting step from other base weights.

        Parameters
        ----------
        base
            Base weights of the rows of the first table (rows there, replicates).
        repeat
            The replicates they belong to; None: the sample itself, slightly moved.

        Returns
        -------
        Final weights (rows, replicates).
        """
        weights = base
        for k, level in enumerate(self.levels):
            if level.link is not None:
                weights = taken(weights, level.link)
                repeat = None if repeat is None else repeat.take(level.link)
            for step in self.adjustments:
                if step.level == k:
                    weights = weights * step.refit(weights, repeat)
        return weights

    def estimate(
        self,
        statistics: Wanted,
        *,
        by: By = None,
        where: Any = None,
        margins: bool = False,
        interval: str | None = None,
        level: float = 0.95,
        df: str | float = "domain",
        deff: str | None = "with",
    ) -> Estimates:
        """Estimate statistics with their standard errors, by domain.

        Parameters
        ----------
        statistics
            One, several, or several with names: made by `nsm.total` and its kin, or written as
            text (`"total(a) / total(b)"`).
        by
            Columns whose labels, together, are the domains.
        where
            Condition that a unit must meet.
        margins
            Add the domains of every smaller set of `by`; the columns left out are null.
        interval
            `t` (default), `log` for totals; `logit` (default), `korn-graubard`, `wilson`, `normal`
            for proportions.
        level
            Confidence level.
        df
            Degrees of freedom: `domain` (PSUs minus strata that hold the domain), `design`, or a
            number.
        deff
            Design effect against simple random sampling `with` or `without` replacement; None saves
            the sums.
        """
        from nsm.estimation.estimate import estimate

        return estimate(
            self,
            statistics,
            by=_listed(by),
            where=_condition(where),
            margins=margins,
            interval=interval,
            level=level,
            df=df,
            deff=deff,
        )

    def total(
        self, y: str | Sequence[str], *, missing: Missing = "refuse", **options: Any
    ) -> Estimates:
        """Estimate totals.

        Parameters
        ----------
        y
            Numeric columns or expressions of columns, such as `"age >= 15"`.
        missing
            Of missing values in the domain: `refuse`, `zero`, or `exclude` (the observed only).
        options
            Those of `estimate`: `by, where, margins, interval, level, df, deff`.

        Returns
        -------
        Estimates in units of `y`, one row per column and domain.

        Raises
        ------
        ValueInColumnError
            A value is missing in a domain, or a column is no number.

        References
        ----------
        Särndal, Swensson & Wretman (1992), result 4.2.1.
        """
        return self.estimate([total(name, missing=missing) for name in _listed(y)], **options)

    def mean(self, y: str | Sequence[str], **options: Any) -> Estimates:
        """Estimate means over the units where `y` is observed.

        Parameters
        ----------
        y, options
            As in `total`.

        Returns
        -------
        Estimates in units of `y`; `n` counts the observed.

        References
        ----------
        Särndal, Swensson & Wretman (1992), result 5.7.1 (a ratio of totals, linearized).
        """
        return self.estimate([mean(name) for name in _listed(y)], **options)

    def ratio(self, y: str, x: str, **options: Any) -> Estimates:
        """Estimate the total of `y` over the total of `x`, where both are observed.

        Parameters
        ----------
        y, x, options
            As in `total`.

        Returns
        -------
        Estimates, one row per domain; null where no unit has an `x` other than 0.

        References
        ----------
        Särndal, Swensson & Wretman (1992), result 5.6.2.
        """
        return self.estimate(ratio(y, x), **options)

    def count(self, **options: Any) -> Estimates:
        """Estimate the number of units in the population.

        Parameters
        ----------
        options
            Those of `estimate`.

        Returns
        -------
        Estimates of the sum of weights, one row per domain.
        """
        return self.estimate(count(), **options)

    def proportion(self, column: str, **options: Any) -> Estimates:
        """Estimate the proportion of each category, over the units where it is observed.

        Parameters
        ----------
        column
            Labels, or a condition, whose categories are False and True.
        options
            Those of `estimate`; `interval` is `logit`, `korn-graubard`, `wilson`, `normal` or `t`.

        Returns
        -------
        Estimates between 0 and 1, one row per category and domain.

        References
        ----------
        Korn & Graubard (1998), Survey Methodology 24, 193-201 (intervals).
        """
        return self.estimate(Proportions(column), **options)

    def quantile(
        self,
        y: str | Sequence[str],
        orders: float | Sequence[float] = 0.5,
        *,
        rule: str = "math",
        interval: str = "mean",
        **options: Any,
    ) -> Estimates:
        """Estimate quantiles.

        Parameters
        ----------
        y, options
            As in `total`.
        orders
            Between 0 and 1.
        rule, interval
            In R's words; see `nsm.quantile`.

        Returns
        -------
        Estimates in units of `y`, one row per column, order and domain.

        Raises
        ------
        OptionError
            An order is not between 0 and 1, or a rule or interval is unknown.

        References
        ----------
        Woodruff (1952), JASA 47, 635-646.
        """
        from nsm.estimation.quantile import quantiles

        listed = [orders] if isinstance(orders, float | int) else list(orders)
        return self.estimate(quantiles(_listed(y), listed, rule=rule, interval=interval), **options)

    def variance(self, y: str, **options: Any) -> Estimates:
        """Estimate the population variance of `y`.

        Parameters
        ----------
        y, options
            As in `total`.

        Returns
        -------
        Estimates in squared units of `y`; their `se` is of the variance, not of the mean.
        """
        from nsm.estimation.rowwise import variance

        return self.estimate(variance(y), **options)

    def glm(
        self, formula: str, *, family: str = "gaussian", where: Any = None, level: float = 0.95
    ) -> Model:
        """Fit a regression with the covariance of the design.

        Parameters
        ----------
        formula
            Such as `employed ~ sex + C(origin)`; see `nsm.estimation.formula` for the language.
        family
            `gaussian`, `binomial` (logistic) or `poisson`, with its natural link.
        where
            Condition that a unit must meet.
        """
        from nsm.estimation.models import glm

        return glm(self, formula, family=family, where=_condition(where), level=level)

    def independence(
        self, x: str, y: str, *, statistic: str = "rao-scott-f", where: Any = None
    ) -> SignificanceTest:
        """Test whether two categories are independent.

        Parameters
        ----------
        x, y
            Columns of labels.
        statistic
            `rao-scott-f`, `rao-scott-chi2`, `wald` or `adjusted-wald`.
        where
            Condition that a unit must meet.

        Returns
        -------
        A test with `.statistic, .p, .df1, .df2`.

        References
        ----------
        Rao & Scott (1984), Annals of Statistics 12, 46-60.
        """
        from nsm.estimation.independence import independence

        return independence(self, x, y, statistic=statistic, where=_condition(where))

    def ttest(self, y: str, by: str | None = None, *, where: Any = None) -> SignificanceTest:
        """Test whether the means of two groups are equal, or (without `by`) whether one is 0.

        Parameters
        ----------
        y
            Numeric column.
        by
            Column of two groups.
        where
            Condition that a unit must meet.

        Returns
        -------
        A test with `.statistic, .p, .df1, .df2`.

        Raises
        ------
        OptionError
            `by` has not two groups.
        """
        from nsm.estimation.ranks import ttest

        return ttest(self, y, by, where=_condition(where))

    def rank_test(
        self, y: str, by: str, *, statistic: str = "wilcoxon", where: Any = None
    ) -> SignificanceTest:
        """Test whether groups have one distribution.

        Parameters
        ----------
        y
            Numeric column.
        by
            Column of groups.
        statistic
            The scores of ranks; see `nsm.estimation.ranks.rank_test`.
        where
            Condition that a unit must meet.

        Returns
        -------
        A test with `.statistic, .p, .df1, .df2`.

        References
        ----------
        Lumley & Scott (2013), Biometrika 100, 831-842.
        """
        from nsm.estimation.ranks import rank_test

        return rank_test(self, y, by, statistic=statistic, where=_condition(where))


def _listed(names: By) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def _condition(where: Any) -> Any:
    if where is None or not isinstance(where, str):
        return where
    from nsm.condition import parse

    return parse(where)


def _opened(data: Any) -> Memory | Pushdown:
    """Open a table in memory, a local file, or a table that an engine holds."""
    if isinstance(data, Memory | Pushdown):
        return data
    if isinstance(data, str | os.PathLike):
        path = local_path(data)
        if path.is_dir():
            raise FileError("{file} is a folder. Give the file of a table.", file=str(path))
        return _file(path)
    import narwhals as nw

    if isinstance(nw.from_native(data), nw.LazyFrame):
        return Pushdown(data)
    return Memory(data)


def _file(path: Path) -> Memory | Pushdown:
    """Read a file of moderate size into memory, by column if it can be; leave others to DuckDB."""
    from nsm.totals.duck import Database

    if path.stat().st_size <= IN_MEMORY_BYTES:
        if path.suffix.lower() != ".parquet":
            return Memory(_read(path), path.name)
        columns = read_parquet_columns(path)
        if columns.rows <= IN_MEMORY_ROWS:
            return Memory(columns, path.name)
    database = Database(path)
    return Pushdown(database.relation, path.name, database)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() == ".csv":
        from nsm.totals.duck import Database

        with Database(path) as database:
            return database.relation.df()
    return read_table(path)


def read_parquet_columns(path: Path) -> ColumnFile:
    """Return a Parquet file to be read by column.

    Raises
    ------
    FileError
        It is no Parquet file.
    """
    import pyarrow as pa

    try:
        return ColumnFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileError(
            "{file} cannot be read as {kind}: {reason}",
            file=str(path),
            kind="PARQUET",
            reason=str(error).splitlines()[0],
        ) from error


def _in_memory(table: Memory | Pushdown) -> Memory:
    return table.collect() if isinstance(table, Pushdown) else table


def _weights(table: Any, design: Design) -> Any:
    """Return the weights, given or derived.

    Raises
    ------
    DesignError, ValueInColumnError
        There are none, or they are negative, infinite, missing, or all zero.
    """
    declaration = design.declaration
    name = declaration.weight
    if isinstance(table, Pushdown):
        if name is None:
            return f"1 / {declaration.probability}"
        table.weights_sound(name)
        return name
    if name is None:
        if declaration.probability is not None:
            return 1 / probabilities(table, declaration, design.unit, design.units)[design.unit]
        drawn = _drawn(design)[design.unit]
        if (drawn <= 0).any():
            raise DesignError(
                "The survey has no weights. Give weight=, or fpc= (fractions or counts at every "
                "stage) "
                "or probability=, from which they follow."
            )
        return 1 / drawn
    values, observed = table.number(name)
    wrong = ~np.isfinite(values) | (values < 0)
    if observed is not None:
        wrong |= ~observed
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise ValueInColumnError(
            "Weight {column!r} is negative, infinite or missing in {count} rows of {table} (rows "
            "{rows}). A unit that does not count has weight 0.",
            column=name,
            count=len(rows),
            table=table.name,
            rows=[int(i) + 1 for i in rows[:6]],
        )
    if not values.any():
        raise DesignError("All weights {column!r} of {table} are 0.", column=name, table=table.name)
    return values


def _drawn(design: Design) -> np.ndarray:
    """Return the product of the fractions of all stages, by finest unit (units,)."""
    drawn = np.ones(design.units)
    for stage in design.stages:
        drawn = drawn * stage.fraction[stage.unit]
    return drawn
