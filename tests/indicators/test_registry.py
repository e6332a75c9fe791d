"""The registry: definitions that hold together, and a country's own over them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nsm.errors import ConfigError
from nsm.indicators import described, listed, read_registry
from nsm.indicators.registry import _variables, families

REGISTRY = read_registry()
OFFICIAL = [
    *("8.3.1", "8.5.1", "8.5.2", "8.6.1", "8.7.1", "5.2.1", "5.2.2", "16.2.3"),
    *("10.7.1", "10.7.1-median", "10.7.1-fourth-quintile"),
]


@pytest.mark.parametrize("code", REGISTRY)
def test_every_definition_holds_together(code: str) -> None:
    one = REGISTRY[code]
    assert set(one.name) == set(one.definition) == {"en", "es"}
    assert one.family in families()
    assert one.source
    assert one.version or one.unit in {"persons", "years", "fraction", "ratio"}
    if one.kind == "outside":
        assert not one.computable
    elif code != "17.18.1-proxy":
        assert one.computable
    if one.computable:
        assert set(one.variables) == set(_variables(replace(one, variables=()), "x"))
        assert one.unit
    assert (one.kind == "proxy") == bool(one.proxy_of)


def test_what_the_survey_promises_is_there() -> None:
    assert all(REGISTRY[code].kind == "module" for code in OFFICIAL)
    for code in ("16.2.2", "4.b.1", "10.7.2", "17.18.1"):
        assert REGISTRY[code].kind == "outside"
        assert REGISTRY[f"{code}-proxy"].proxy_of == code
    assert sum(one.computable for one in REGISTRY.values()) >= 40


def test_a_proxy_is_never_named_without_saying_so() -> None:
    assert (
        REGISTRY["16.2.2-proxy"].title("es").endswith("(aproximación, no es el indicador oficial)")
    )
    names = listed(REGISTRY, "en").set_index("code")["name"]
    assert names["16.2.2-proxy"].endswith("(proxy, not the official indicator)")


def test_a_definition_is_shown_in_words() -> None:
    facts = described(REGISTRY["8.6.1"], "es")
    assert facts["class"] == "necesita un módulo"
    assert facts["universe"] == "age >= 15 and age <= 24"
    assert "proxy of" not in facts


def test_a_country_changes_one_without_code(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[employment_rate]\nuniverse = "age >= 14 and hours >= 1"\nclass = "proxy"\n'
        '[mine]\nname = {en = "Mine"}\ndefinition = {en = "x"}\nstatistic = "mean(age)"\n',
        encoding="utf-8",
    )
    found = read_registry(own)
    assert found["employment_rate"].variables == ("age", "hours", "employed")
    assert found["employment_rate"].statistic == "mean(employed)"
    assert found["employment_rate"].title("es").startswith("Tasa de ocupación (aproximación")
    assert found["mine"].title("es") == "Mine"
    assert found["mine"].variables == ("age",)
    assert read_registry()["employment_rate"].universe == "age >= 15"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[immigrants]\nuniverze = 'x'\n", "'universe'"),
        ("[new]\nname = {en = 'x'}\n", "definition"),
        ("[immigrants]\nclass = 'direkt'\n", "direct"),
        ("[immigrants]\nof = 'people'\n", "persons"),
        ("[immigrants]\nuniverse = 'age >='\n", "universe"),
        ("[immigrants]\nstatistic = 'meen(age)'\n", "mean"),
        ("[immigrants]\nvariables = 'age'\n", "wrong type"),
        ("immigrants = 3\n", "no table"),
        ("[immigrants\n", "TOML"),
    ],
)
def test_a_wrong_registry_is_refused(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_registry(own)
