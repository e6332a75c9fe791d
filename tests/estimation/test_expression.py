from __future__ import annotations

import pandas as pd
import pytest

from nsm.errors import ConditionError, NsmError, OptionError
from nsm.estimation import Survey, mean, quantile, total
from nsm.estimation.expression import parse_statistic

READ = {
    "total(pay)": total("pay"),
    "total(pay) / total(hours)": total("pay") / total("hours"),
    "mean(pay, where=\"sex == 'F'\") - mean(pay, where=\"sex == 'M'\")": mean(
        "pay", where="sex == 'F'"
    )
    - mean("pay", where="sex == 'M'"),
    "100 * total('age >= 15') / (total(hours) - 1)": 100
    * total("age >= 15")
    / (total("hours") - 1),
    "-median(pay)": -quantile("pay", 0.5),
    "quantile(pay, 0.25, rule='hf7')": quantile("pay", 0.25, rule="hf7"),
}


@pytest.mark.parametrize("text", READ)
def test_text_is_the_statistic_it_says(text: str, people: pd.DataFrame) -> None:
    survey = Survey(people, weight="w", stratum="stratum", psu="psu")
    one, other = survey.estimate(text).table, survey.estimate(READ[text]).table
    pd.testing.assert_frame_equal(one, other)


def test_names_and_proportions(people: pd.DataFrame) -> None:
    survey = Survey(people, weight="w", stratum="stratum", psu="psu")
    table = survey.estimate({"country": "proportion(origin)", "wage": "mean(pay)"}).table
    assert list(table["variable"]) == ["country"] * 4 + ["wage"]
    assert list(table["category"])[:4] == ["DOM", "HTI", "USA", "VEN"]
    women = survey.estimate("proportion(origin, where=\"sex == 'F'\")").table
    direct = survey.proportion("origin", where="sex == 'F'").table
    assert list(women["estimate"]) == pytest.approx(list(direct["estimate"]))
    assert list(women["n"]) == list(direct["n"])


HOSTILE = [
    "__import__('os').system('true')",
    "total(pay).__class__",
    "[total(pay) for _ in ()]",
    "(lambda: total('pay'))()",
    "total(*['pay'])",
    "open('x')",
    "total(pay) if 1 else 0",
    "total(pay) ** 99999999",
    "total(f'{pay}')",
    "total(pay); 1",
    "total(",
    "",
    "1 + 1",
    "True",
    "total(pay) + 'x'",
    "proportion(sex) + 1",
    "total(pay)" + " + total(pay)" * 200,
    "(" * 300 + "1" + ")" * 300,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_else_is_read(text: str) -> None:
    with pytest.raises(NsmError):
        parse_statistic(text)


def test_messages() -> None:
    with pytest.raises(OptionError, match=r"no statistic 'totl'\. Did you mean 'total'"):
        parse_statistic("totl(pay)")
    with pytest.raises(ConditionError, match=r"cannot be read at character 7: 'total\(a\.b\)'"):
        parse_statistic("total(a.b)")
    with pytest.raises(OptionError, match=r"mean\(\) .* arguments that it does not know"):
        parse_statistic("mean(pay, wher='x')")
