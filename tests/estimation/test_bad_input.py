"""What is wrong is refused by name, and nothing is estimated from nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from nsm.errors import (
    ColumnError,
    ConditionError,
    DesignError,
    FileError,
    NsmError,
    OptionError,
    ValueInColumnError,
)
from nsm.estimation import Survey, gini, mean, poverty_rate, quantile, ratio, total

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}
WEIGHTS: dict[str, Any] = {
    "negative": -1.0,
    "infinite": np.inf,
    "minus infinite": -np.inf,
    "missing": np.nan,
}


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        {
            "w": 10.0,
            "stratum": np.repeat(["a", "b"], 20),
            "psu": np.tile(np.repeat(np.arange(5), 4), 2),
            "sex": pd.Categorical(np.tile(["M", "F"], 20), categories=["M", "F", "X"]),
            "y": rng.normal(10, 2, 40),
            "g": np.tile(["p", "q", "r", "s"], 10),
        }
    )


@pytest.mark.parametrize("case", WEIGHTS)
@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_weights_that_are_no_weights(case: str, engine: str, table: pd.DataFrame) -> None:
    table.loc[[3, 7], "w"] = WEIGHTS[case]
    data = duckdb.from_df(table) if engine == "duckdb" else table
    with pytest.raises(
        ValueInColumnError, match=r"'w' .*is negative, infinite or missing in 2 rows"
    ):
        Survey(data, **DESIGN).total("y")


def test_weights_that_are_text(table: pd.DataFrame) -> None:
    words = table.assign(w=["ten" if k == 4 else "10" for k in range(40)])
    with pytest.raises(ValueInColumnError, match=r"'w' of .* is str, not a number"):
        Survey(words, **DESIGN)
    with pytest.raises(NsmError, match="not a number"):
        Survey(duckdb.from_df(words), **DESIGN).total("y")


def test_weights_that_are_all_zero(table: pd.DataFrame) -> None:
    with pytest.raises(DesignError, match="All weights 'w' of the table are 0"):
        Survey(table.assign(w=0), **DESIGN)


def test_zero_weights_stay_in_the_design(table: pd.DataFrame) -> None:
    zeros = table.assign(w=np.where(table["psu"] == 0, 0.0, 10.0))
    row = Survey(zeros, **DESIGN).total("y").table.iloc[0]
    assert row["n"] == 32
    assert row["df"] == 6  # as in R: PSUs without weight give no degrees of freedom
    dropped = Survey(zeros[zeros["w"] > 0], **DESIGN).total("y").table.iloc[0]
    assert row["se"] > dropped["se"]


STATISTICS: dict[str, Callable[[Survey, Any], Any]] = {
    "mean": lambda s, o: s.mean("y", **o),
    "ratio": lambda s, o: s.ratio("y", "w", **o),
    "proportion": lambda s, o: s.proportion("g", **o),
    "quantile": lambda s, o: s.quantile("y", [0.1, 0.5], **o),
    "variance": lambda s, o: s.variance("y", **o),
    "gini": lambda s, o: s.estimate(gini("y"), **o),
    "poverty": lambda s, o: s.estimate(poverty_rate("y"), **o),
}


@pytest.mark.parametrize("case", STATISTICS)
@pytest.mark.parametrize("kind", ["taylor", "replicates"])
def test_a_domain_with_nobody_has_no_estimate(case: str, kind: str, table: pd.DataFrame) -> None:
    s = Survey(table, **DESIGN)
    s = s.replicate("jkn") if kind == "replicates" else s
    made = STATISTICS[case](s, {"where": "y > 1000"}).table
    assert len(made) >= 1
    assert (made[["n", "cases", "psus"]] == 0).all(axis=None)
    empty = made[["estimate", "se", "cv", "lower", "upper", "deff"]]
    assert empty.isna().all(axis=None)
    assert (made["note"] == "no unit in the domain").all()


def test_a_total_of_nobody_is_zero_without_a_false_error(table: pd.DataFrame) -> None:
    s = Survey(table, **DESIGN)
    for row in (
        s.total("y", where="y > 1000").table.iloc[0],
        s.count(where="y > 1000").table.iloc[0],
    ):
        assert row["estimate"] == 0
        assert np.isnan(row["se"])
        assert row["note"] == "no unit in the domain"


def test_a_label_that_nobody_has_gives_no_row_and_breaks_nothing(table: pd.DataFrame) -> None:
    made = Survey(table, **DESIGN).mean("y", by="sex").table
    assert "X" not in set(made.loc[made["n"] > 0, "sex"])


def test_a_quantile_of_one_unit_has_no_false_interval(table: pd.DataFrame) -> None:
    alone = Survey(table, **DESIGN).quantile("y", where=f"y == {float(table['y'].iloc[0])!r}").table
    assert alone["estimate"][0] == pytest.approx(table["y"].iloc[0])
    assert np.isnan(alone["lower"][0]) or alone["df"][0] <= 0


REPLICATES: dict[str, tuple[dict[str, Any], str]] = {
    "no such column": ({"replicates": "x_*"}, "No column of .* fits 'x_\\*'"),
    "one lacks": ({"replicates": ["r_1", "r_9"]}, "no column 'r_9'"),
    "too few rscales": (
        {"replicates": "r_*", "rscales": [1.0, 1.0]},
        "rscales has 2 numbers for 3",
    ),
    "jkn alone": ({"replicates": "r_*", "replication": "jkn"}, "needs rscales="),
    "fay alone": ({"replicates": "r_*", "replication": "fay"}, "needs rho="),
    "unknown": ({"replicates": "r_*", "replication": "bootstraps"}, "Did you mean 'bootstrap'"),
}


@pytest.mark.parametrize("case", REPLICATES)
def test_replicate_columns_that_do_not_match(case: str, table: pd.DataFrame) -> None:
    options, message = REPLICATES[case]
    columns = table.assign(r_1=9.0, r_2=11.0, r_3=10.0)
    with pytest.raises(NsmError, match=message):
        Survey(columns, weight="w", **options)


def test_a_replicate_weight_that_is_missing(table: pd.DataFrame) -> None:
    columns = table.assign(r_1=9.0, r_2=11.0)
    columns.loc[5, "r_2"] = np.nan
    with pytest.raises(NsmError, match=r"Replicate weight 'r_2' of .* is missing or infinite"):
        Survey(columns, weight="w", replicates="r_*").total("y")


def square(change: Callable[[np.ndarray], None]) -> np.ndarray:
    joint = np.full((4, 4), 1 / 6)
    np.fill_diagonal(joint, 0.5)
    change(joint)
    return joint


def _set(place: tuple[int, int], value: float) -> Callable[[np.ndarray], None]:
    return lambda m: m.__setitem__(place, value)


JOINT = {
    "not symmetric": (square(_set((0, 1), 0.3)), "is not symmetric"),
    "negative": (square(_set((2, 2), -0.5)), "outside"),
    "above 1": (square(_set((2, 2), 1.5)), "outside"),
    "missing": (square(_set((1, 1), np.nan)), "joint="),
    "zero": (square(lambda m: m.__setitem__(([0, 1], [1, 0]), 0.0)), "outside"),
    "above one of its own": (
        square(lambda m: m.__setitem__(([0, 1], [1, 0]), 0.6)),
        "above that of one of its units",
    ),
    "too small": (np.full((3, 3), 0.5), "3 x 3 probabilities; the sample has 4 PSUs"),
    "a vector": (np.full(4, 0.5), "joint= has"),
}


@pytest.mark.parametrize("case", JOINT)
def test_joint_probabilities_that_are_none(case: str) -> None:
    matrix, message = JOINT[case]
    t = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "w": 2.0, "psu": range(4)})
    with pytest.raises(DesignError, match=message):
        Survey(t, weight="w", psu="psu", joint=matrix)


DESIGNS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "missing column": ({"psu": "psuu"}, ColumnError, "Did you mean 'psu'"),
    "missing stratum": ({"stratum": "blank"}, DesignError, "'blank' is missing in 1 rows"),
    "fpc below the sample": ({"fpc": "few"}, DesignError, "population smaller than the sample"),
    "fpc that varies": ({"fpc": "varies"}, DesignError, "several values inside"),
    "fpc negative": ({"fpc": "minus"}, ValueInColumnError, "negative"),
    "fpc mixed": ({"fpc": "mixed"}, DesignError, "mixes fractions"),
    "too many stages": ({"fpc": ["few", "few"]}, OptionError, "2 columns for 1 stage"),
    "unknown policy": ({"single_psu": "ajust"}, OptionError, "Did you mean 'adjust'"),
    "pps alone": ({"pps": "brewer"}, OptionError, "give probability="),
    "unknown pps": ({"pps": "brewr", "probability": "p"}, OptionError, "Did you mean 'brewer'"),
    "no probability": ({"pps": "brewer", "probability": "y"}, DesignError, "not between 0 and 1"),
}


@pytest.mark.parametrize("case", DESIGNS)
def test_designs_that_are_none(case: str, table: pd.DataFrame) -> None:
    options, error, message = DESIGNS[case]
    table = table.assign(
        blank=["" if k == 3 else "x" for k in range(40)],
        few=2,
        varies=np.arange(40) + 20,
        minus=-1,
        mixed=np.where(table["stratum"] == "a", 0.5, 50.0),
        p=0.5,
    )
    with pytest.raises(error, match=message):
        Survey(table, **{**DESIGN, **options}).total("y")


CALLS: dict[str, tuple[Callable[[Survey], Any], type[Exception], str]] = {
    "unknown column": (lambda s: s.mean("yy"), ColumnError, "Did you mean 'y'"),
    "text as a number": (lambda s: s.mean("g"), ValueInColumnError, "not a number"),
    "unknown domain": (lambda s: s.mean("y", by="sexo"), ColumnError, "Did you mean 'sex'"),
    "condition": (lambda s: s.mean("y", where="y >"), ConditionError, "column"),
    "hostile condition": (
        lambda s: s.mean("y", where="__import__('os').system('true')"),
        ConditionError,
        "__import__",
    ),
    "level": (lambda s: s.mean("y", level=95), OptionError, "not between 0 and 1"),
    "deff": (lambda s: s.mean("y", deff="kish"), OptionError, "not 'with'"),
    "df": (lambda s: s.mean("y", df="domains"), OptionError, "Did you mean 'domain'"),
    "interval": (lambda s: s.mean("y", interval="logit"), OptionError, "does not serve a mean"),
    "order": (lambda s: s.quantile("y", 50), OptionError, "between 0 and 1"),
    "no statistic": (lambda s: s.estimate([]), OptionError, "list is empty"),
    "a number": (lambda s: s.estimate(3), NsmError, "is not a statistic"),
    "hostile statistic": (
        lambda s: s.estimate("__import__('os').system('true')"),
        NsmError,
        "cannot be read",
    ),
    "missing total": (
        lambda s: s.with_columns({"z": np.where(np.arange(40) < 3, np.nan, 1.0)}).total("z"),
        NsmError,
        "3 units of .* miss it",
    ),
    "unknown label of a contrast": (
        lambda s: s.mean("y", by="sex").contrast({"M": 1, "W": -1}),
        OptionError,
        "'W' names 0 rows",
    ),
    "short contrast": (lambda s: s.mean("y").contrast([1, 2]), OptionError, "needs as many"),
}


@pytest.mark.parametrize("case", CALLS)
def test_calls_that_are_none(case: str, table: pd.DataFrame) -> None:
    call, error, message = CALLS[case]
    with pytest.raises(error, match=message):
        call(Survey(table, **DESIGN))


def test_files_that_are_none(tmp_path: Any) -> None:
    (tmp_path / "x.parquet").write_text("not a parquet file")
    with pytest.raises(FileError, match=r"x\.parquet"):
        Survey(tmp_path / "x.parquet", weight="w")
    for name in ("https://example.org/x.parquet", "/vsicurl/x.csv", str(tmp_path)):
        with pytest.raises(FileError):
            Survey(name, weight="w")
    with pytest.raises(FileError):
        Survey(tmp_path / "none.csv", weight="w")


def test_statistics_over_nothing_known_say_so(table: pd.DataFrame) -> None:
    s = Survey(table.assign(z=np.nan), **DESIGN)
    for statistic in (mean("z"), ratio("z", "y"), quantile("z")):
        row = s.estimate(statistic).table.iloc[0]
        assert row[["estimate", "se"]].isna().all()
        assert row["n"] == 0
        assert row["note"] in {"no unit in the denominator", "no unit in the domain"}
    assert s.estimate(total("z", missing="zero")).table["estimate"][0] == 0
