from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nsm.errors import DesignError, OptionError
from nsm.estimation import Survey

DESIGNS: dict[str, dict[str, Any]] = {
    "ht": {"joint": True},
    "yg": {"joint": True, "joint_variance": "yg"},
    "overton": {"pps": "overton", "probability": "pp"},
    "overton_yg": {"pps": "overton", "probability": "pp", "joint_variance": "yg"},
    "hartley_rao": {"pps": "hartley-rao", "probability": "pp"},
    "brewer": {"pps": "brewer", "probability": "pp"},
}


@pytest.fixture(scope="module")
def sample(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "estimation" / "pps_sample.csv")


@pytest.fixture(scope="module")
def joint(reference: Path) -> np.ndarray:
    return pd.read_csv(reference / "estimation" / "joint.csv").to_numpy()


@pytest.mark.parametrize("name", DESIGNS)
def test_agrees_with_r(name: str, sample: pd.DataFrame, joint: np.ndarray, reference: Path) -> None:
    expected = pd.read_csv(reference / "estimation" / "pps.csv")
    expected = expected[expected["design"] == name]
    options = dict(DESIGNS[name])
    if options.pop("joint", False):
        options["joint"] = joint
    s = Survey(sample, **options)
    made = pd.concat([s.total("pay").table, s.mean("pay").table, s.ratio("pay", "hours").table])
    for column in ("estimate", "se"):
        np.testing.assert_allclose(made[column], expected[column], rtol=1e-10)


def test_joint_probabilities_of_simple_sampling_give_its_variance() -> None:
    n, population = 5, 20
    p, pair = n / population, n * (n - 1) / (population * (population - 1))
    joint = np.full((n, n), pair)
    np.fill_diagonal(joint, p)
    table = pd.DataFrame({"y": [3.0, 8, 1, 9, 4], "N": population})
    plain = Survey(table, fpc="N").total("y").table
    for kind in ("ht", "yg"):
        made = Survey(table, joint=joint, joint_variance=kind).total("y").table
        assert made["estimate"][0] == pytest.approx(plain["estimate"][0])
        assert made["se"][0] == pytest.approx(plain["se"][0])


def test_a_matrix_may_be_indexed_by_psu(sample: pd.DataFrame, joint: np.ndarray) -> None:
    table = sample.assign(psu=[f"p{k:02}" for k in range(len(sample))])
    labeled = pd.DataFrame(joint, index=table["psu"], columns=table["psu"])
    shuffled = table.sample(frac=1, random_state=1)
    one = Survey(table, psu="psu", joint=joint).total("pay").table
    other = Survey(shuffled, psu="psu", joint=labeled).total("pay").table
    pd.testing.assert_frame_equal(one, other)


def test_what_is_no_probability_matrix_is_refused(sample: pd.DataFrame, joint: np.ndarray) -> None:
    with pytest.raises(DesignError, match="3 x 3 probabilities; the sample has 12 PSUs"):
        Survey(sample, joint=joint[:3, :3])
    with pytest.raises(DesignError, match="not symmetric"):
        Survey(sample, joint=joint * np.linspace(0.9, 1, 12))
    with pytest.raises(DesignError, match="outside"):
        Survey(sample, joint=-joint)
    with pytest.raises(DesignError, match="above that of one of its units"):
        Survey(sample, joint=np.where(np.eye(12) > 0, joint, 0.99))
    with pytest.raises(OptionError, match="needs the inclusion probabilities"):
        Survey(sample, weight="pay", pps="brewer")
    with pytest.raises(OptionError, match="joint_variance='sen' is not known"):
        Survey(sample, joint=joint, joint_variance="sen")
    with pytest.raises(DesignError, match=r"'hours' is missing or not between 0 and 1 in 12 rows"):
        Survey(sample, probability="hours", pps="brewer")
