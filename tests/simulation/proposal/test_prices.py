"""Price lists, budgets, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsm.errors import ConfigError, FileError
from nsm.language import translate
from nsm.simulation.proposal import (
    Prices,
    budget,
    completed,
    disbursed,
    read_prices,
    shared,
    totals,
)

LIST = """
[budget]
currency = "$"
contingency = 0.1
exchange = {USD = 2.0}
[team]
teams = 2
interviewers = 3
households = 10
interviews = 5
[training]
days = 4
[calendar]
start = 2027-01-11
[[phases]]
key = "before"
name = "Before"
weeks = 2
[[phases]]
key = "field"
name = {en = "Field", es = "Campo"}
weeks = "areas / 10"
[chapters]
work = {en = "Work", es = "Trabajo"}
[funders]
state = "State"
donor = "Donor"
[quantities]
visits = "areas * 3"
[[lines]]
code = "A"
chapter = "work"
item = "Visit"
unit = "visit"
price = 7.5
quantity = "visits + 1"
phase = "field"
funder = "state"
[[lines]]
code = "B"
chapter = "work"
item = "Office"
unit = "month"
price = 100
quantity = 2
phase = "before"
funder = "donor"
in_kind = true
"""


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    return read(tmp_path, LIST)


def read(folder: Path, text: str) -> Prices:
    file = folder / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return read_prices(file)


def test_a_budget_is_price_times_quantity(prices: Prices) -> None:
    quantities = completed(prices, {"areas": 20.0})
    lines = budget(prices, quantities)
    assert lines["quantity"].tolist() == [61.0, 2.0]
    assert lines["amount"].tolist() == [457.5, 200.0]
    assert totals(lines, 0.1) == pytest.approx(
        {"lines": 457.5, "contingency": 45.75, "money": 503.25, "in_kind": 200.0, "whole": 703.25}
    )


@pytest.mark.parametrize("by", ["chapter", "phase", "funder"])
def test_parts_add_up_to_the_whole(prices: Prices, by: str) -> None:
    lines = budget(prices, completed(prices, {"areas": 20.0}))
    table = shared(prices, lines, by)
    whole = totals(lines, prices.contingency)
    for column in ("contingency", "in_kind", "whole"):
        assert table[column].sum() == pytest.approx(whole[column])
    assert disbursed(prices, lines)[["state", "donor"]].to_numpy().sum() == pytest.approx(657.5)


def test_the_example_has_a_list_that_can_be_read() -> None:
    root = Path(__file__).parents[3]
    prices = read_prices(root / "examples" / "eni-do" / "prices.toml")
    assert {"es", "en"} == set(prices.lines[0].item)
    assert "sintétic" in prices.texts["background"]["es"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("price = 7.5\n", "", "lines\\[1\\].price is missing: line 'A' has no price"),
        ("price = 7.5", 'price = "x"', "must be a number"),
        ('phase = "field"', 'phase = "filed"', "'filed', which is not known. .*'field'"),
        ('funder = "donor"', 'funder = "none"', "Known: 'donor', 'state'"),
        ('code = "B"', 'code = "A"', "codes 'A' twice"),
        ('"visits + 1"', '"visits > 1"', "parentheses"),
        ("start = 2027-01-11", 'start = "soon"', "must be a date"),
        ("[budget]", "[budget]\ncontingncy = 0.2", "no meaning here"),
        ("teams = 2", "teams = 0", "1 or more"),
        ("[budget]", "[planning]\noverlap = 1.5\n[budget]", "overlap"),
        ("[budget]", "[existing_survey]\nname = 'x'\nhouseholds = 5\n[budget]", "deff is missing"),
    ],
)
def test_a_bad_list_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in LIST
    with pytest.raises(ConfigError, match=said) as caught:
        read(tmp_path, LIST.replace(old, new))
    assert translate(caught.value.template, "es") != caught.value.template


def test_no_lines_no_budget(tmp_path: Path) -> None:
    start = LIST.index("[[lines]]")
    with pytest.raises(ConfigError, match="a budget needs prices"):
        read(tmp_path, "lines = []\n" + LIST[:start])
    with pytest.raises(FileError):
        read_prices(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ('"vists + 1"', "names 'vists', which is not known. Did you mean 'visits'"),
        ('"visits + "', "cannot be read"),
        ('"visits - 1000"', "0 or more"),
        ('"visits / (areas - 20)"', "is nan; it must"),
    ],
)
def test_a_quantity_that_cannot_be_had_is_named(tmp_path: Path, new: str, said: str) -> None:
    prices = read(tmp_path, LIST.replace('"visits + 1"', new))
    with pytest.raises(ConfigError, match=said):
        budget(prices, completed(prices, {"areas": 20.0}))


def test_a_quantity_of_the_plan_is_not_given_again(prices: Prices) -> None:
    with pytest.raises(ConfigError, match="'visits', which comes from the plan"):
        completed(prices, {"areas": 1.0, "visits": 2.0})
