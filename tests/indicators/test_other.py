"""Any survey or census file, by a mapping to our columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nsm.errors import ColumnError, ConfigError, FileError, NsmError
from nsm.indicators import compute, read_other

TABLE = pd.DataFrame(
    {
        "w": [1.0, 3.0, 2.0, 2.0],
        "psu": [1, 2, 3, 4],
        "edad": [20, 30, 40, 50],
        "nac": ["DO", "HT", "DO", "VE"],
        "horas": [10, None, 45, 60],
    }
)
DESIGN = '[design]\nweight = "w"\npsu = "psu"\n'
COLUMNS = """[columns]
age = "edad"
birth_country = {from = "nac", rule = "DO: DOM; HT: HTI; VE: VEN"}
hours = {rule = "value: horas * 2"}
"""


def written(folder: Path, text: str) -> Path:
    TABLE.to_csv(folder / "encuesta.csv", index=False)
    file = folder / "encuesta.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_columns_follow_their_rules(tmp_path: Path) -> None:
    data = '[data]\nfile = "encuesta.csv"\nhome = "DOM"\nyear = 2022\n'
    survey = read_other(written(tmp_path, data + DESIGN + COLUMNS))
    found = compute(survey, ["immigrants", "mean_age"], by=[(), "nativity"]).table
    rows = found[found["nativity"].isna()].set_index("variable")["estimate"]
    assert rows["immigrants"] == pytest.approx(5.0)
    assert rows["mean_age"] == pytest.approx((20 + 90 + 80 + 100) / 8)
    assert survey.mean("hours").table["estimate"].iloc[0] == pytest.approx((20 + 180 + 240) / 5)


def test_a_census_has_no_sampling_error(tmp_path: Path) -> None:
    data = '[data]\nfile = "encuesta.csv"\nhome = "DOM"\n[design]\ncensus = true\n'
    survey = read_other(written(tmp_path, data + COLUMNS))
    row = compute(survey, ["immigrant_share"]).table.iloc[0]
    assert row["estimate"] == pytest.approx(0.5)
    assert row["se"] == 0


DATA = '[data]\nfile = "encuesta.csv"\n'


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (DESIGN, ConfigError, "'file'"),
        (DATA.replace("file", "fiel") + DESIGN, ConfigError, "'fiel'.*'file'"),
        (DATA, ConfigError, "neither weight nor census"),
        (DATA + DESIGN + "census = true\n", ConfigError, "no other key"),
        (DATA + DESIGN.replace("psu =", "psuu ="), ConfigError, "'psuu'.*'psu'"),
        (DATA + DESIGN + '[columns]\nage = "edat"\n', ColumnError, "'edat'.*'edad'"),
        (DATA + DESIGN + "[columns]\nage = 3\n", ConfigError, "a column or a rule"),
        (DATA + DESIGN + '[columns]\nage = {form = "edad"}\n', ConfigError, "'form'.*'from'"),
        (DATA + DESIGN + '[columns]\nage = {from = "edad", rule = "x"}\n', NsmError, "rule"),
        (DATA + DESIGN + "[colums]\n", ConfigError, "'colums'"),
        (DATA + DESIGN.replace('"w"', '"peso"'), ColumnError, "peso"),
        (DATA.replace("encuesta", "otra") + DESIGN, FileError, "otra"),
        ("[data\n", ConfigError, "not TOML"),
    ],
)
def test_a_wrong_mapping_is_named(
    tmp_path: Path, text: str, error: type[NsmError], said: str
) -> None:
    with pytest.raises(error, match=said):
        read_other(written(tmp_path, text))
