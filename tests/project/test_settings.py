"""What is wrong in survey.toml is named, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nsm.cli import cli
from nsm.cli.app import call
from nsm.errors import ConfigError, FileError, NsmError
from nsm.project import Project


@pytest.fixture
def folder(small_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    return small_project(tmp_path / "small")


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[selection]", "[selecton]", "unknown key 'selecton'. Did you mean 'selection'?"),
        ("reserve = 0.1", "reserv = 0.1", r"\[selection\] has an unknown key 'reserv'"),
        ("seed = 20270115", 'seed = "20270115"', "seed is '20270115'; it must be a whole number"),
        ("seed = 20270115", "seed = 1.5", "seed is 1.5; it must be a whole number"),
        ("seed = 20270115", "seed = true", "seed is True; it must be a whole number"),
        ('country = "DOM"', "", r"\[survey\] misses the key 'country'"),
        ('order = ["zone", "district"]', 'order = "zone"', "order is 'zone'; it must be a list"),
        ("[survey]", "[survey", "is not TOML"),
    ],
)
def test_a_wrong_key_or_value_is_named(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, old, new)
    with pytest.raises(ConfigError, match=said):
        Project(folder)
    assert not (folder / "results").exists()


SURVEY = Path(__file__).parents[2] / "examples" / "eni-do" / "survey.toml"
HOSTILE = (
    "__import__('os').system('true')",
    "().__class__.__mro__[1].__subclasses__()",
    "total(pay).__class__",
    "[total(pay) for _ in ()]",
    "(lambda: total('pay'))()",
    "eval('1')",
    "exec('import os')",
    "open('/etc/passwd')",
    "getattr(age, 'x')",
    "total(pay) if age else 0",
    "total(f'{pay}')",
    "total(pay); import os",
    "(x := 1)",
    "age @ age",
    "9**9**9**9",
    "total(age" + ")" * 300,
    "(" * 400 + "age" + ")" * 400,
    "\uff45\uff56\uff41\uff4c(age)",
    "age\u202e == 1",
    "`rm -rf .`",
    "{age}",
    "age.str.len()",
)
PLACES = {
    "statistics.immigrants": 'immigrants = "total(immigrant)", descendants',
    "derived.immigrant": "\"status == 'immigrant'\"",
    "where": 'where = "age >= 15"',
    "propensity": 'cells = ["dwelling_type", "door_language", "prior_class"]',
}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_hostile_expressions_are_refused_before_anything_runs(
    tmp_path: Path, place: str, text: str
) -> None:
    folder = _settings_alone(tmp_path)
    old = PLACES[place]
    quoted = json.dumps(text, ensure_ascii=False)
    new = {
        "statistics.immigrants": f"immigrants = {quoted}, descendants",
        "derived.immigrant": quoted,
        "where": f"where = {quoted}",
        "propensity": f"propensity = {quoted}",
    }[place]
    change(folder, old, new)
    with pytest.raises(ConfigError, match=rf"survey\.toml: .*{place}.* cannot be used"):
        Project(folder)


def _settings_alone(folder: Path) -> Path:
    """Reading the settings needs nothing beside them."""
    (folder / "survey.toml").write_text(SURVEY.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("text", HOSTILE)
def test_the_command_line_refuses_a_hostile_expression_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    folder = _settings_alone(tmp_path)
    change(folder, PLACES["where"], f"where = {json.dumps(text, ensure_ascii=False)}")
    assert call(cli, ["--lang", "es", "estimate", "-C", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "no se puede usar" in said
    assert "Traceback" not in said
    assert not (folder / "results").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('source = "frame"', 'source = "https://example.org/frame"', "not a local file"),
        ('source = "frame"', 'source = "no-such-frame"', "does not exist"),
        ('size = "households"', 'size = "housholds"', "Did you mean 'households'"),
    ],
)
def test_a_wrong_source_is_named(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, old, new)
    with pytest.raises(NsmError, match=said):
        Project(folder).run(["frame"])
    assert not (folder / "results").exists()


def broken(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Project:
    file = folder / "frame" / "areas.parquet"
    change(pd.read_parquet(file)).to_parquet(file, index=False)
    return Project(folder)


def test_a_repeated_area_is_named(folder: Path) -> None:
    project = broken(folder, lambda t: pd.concat([t, t.iloc[[7]]], ignore_index=True))
    area = pd.read_parquet(folder / "frame" / "areas.parquet")["area"].iloc[7]
    with pytest.raises(NsmError, match=area):
        project.run(["frame"])
    assert not (folder / "results").exists()


def test_negative_households_are_counted(folder: Path) -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[[3, 5], "households"] = -1
        return table

    with pytest.raises(NsmError, match="households"):
        broken(folder, spoil).run(["frame"])
    assert not (folder / "results").exists()


def test_a_missing_column_is_named(folder: Path) -> None:
    with pytest.raises(NsmError, match="households"):
        broken(folder, lambda t: t.drop(columns="households")).run(["frame"])
    assert not (folder / "results").exists()


def test_a_folder_without_settings_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        Project(tmp_path)
