"""Volunteers weighted by a reference survey: less bias, and always labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nsm.errors import OptionError, WeightingError
from nsm.estimation import Survey, mean, total
from nsm.estimation.point import evaluate
from nsm.weighting import Reference, volunteers
from nsm.weighting.report import step_table

SIZE = 20_000


def population(rng: np.random.Generator) -> pd.DataFrame:
    sex = rng.choice(["F", "M"], SIZE)
    age = rng.integers(15, 80, SIZE)
    online = (age < 40).astype(int)
    y = 10 + 5 * (sex == "M") - 0.1 * age + rng.normal(0, 2, SIZE)
    chance = 0.05 + 0.08 * online + 0.03 * (sex == "F")
    return pd.DataFrame({"sex": sex, "age": age, "young": online, "y": y, "chance": chance})


def pair(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, Survey]:
    rng = np.random.default_rng(seed)
    everyone = population(rng)
    willing = everyone[rng.random(SIZE) < everyone["chance"]].reset_index(drop=True)
    drawn = everyone.sample(1500, random_state=seed).assign(w=SIZE / 1500).reset_index(drop=True)
    return everyone, willing, Survey(drawn, weight="w")


TERMS = "sex + C(young) + sex:C(young)"


def test_bias_goes_and_intervals_cover() -> None:
    errors, ses, naive = [], [], []
    for seed in range(40):
        everyone, willing, reference = pair(seed)
        made = Reference(reference, TERMS).apply(volunteers(willing)).mean("y").table.iloc[0]
        errors.append(made["estimate"] - everyone["y"].mean())
        ses.append(made["se"])
        naive.append(willing["y"].mean() - everyone["y"].mean())
    assert abs(np.mean(naive)) > 0.2
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(40)
    assert np.mean(ses) == pytest.approx(np.std(errors), rel=0.3)


def test_totals_of_the_model_are_those_of_the_reference() -> None:
    _, willing, reference = pair(1)
    made = Reference(reference, TERMS).apply(volunteers(willing))
    one, other = (s.count(by=["sex", "young"]).table for s in (made, reference))
    np.testing.assert_allclose(one["estimate"], other["estimate"], rtol=1e-8)
    np.testing.assert_allclose(one["se"], other["se"], rtol=1e-6)


def test_scores_are_derivatives() -> None:
    _, willing, reference = pair(2)
    made = Reference(reference, "sex + age").apply(volunteers(willing.iloc[::8]))
    for statistic in (total("y"), mean("y")):
        point = evaluate(made, [statistic])
        scores = point.scores().value[:, 0]
        for k in (0, 5, 40):
            values = []
            for by in (1e-3, -1e-3):
                base = made.base.copy()
                base[k] += by
                weights = made.redone(base[:, None])[:, 0]
                values.append(evaluate(made.having(weight=weights), [statistic]).values[0, 0])
            assert (values[0] - values[1]) / 2e-3 == pytest.approx(scores[k], rel=1e-4)


def test_replicates_agree() -> None:
    _, willing, reference = pair(3)
    made = Reference(reference, "sex + age").apply(volunteers(willing))
    again = made.replicate("bootstrap", count=300, seed=1)
    one, other = (s.mean("y").table["se"][0] for s in (made, again))
    assert other == pytest.approx(one, rel=0.12)


def test_it_is_always_labelled(tmp_path: Path) -> None:
    _, willing, reference = pair(4)
    file = reference.save(tmp_path / "reference.parquet")
    made = Reference(str(file), TERMS).apply(volunteers(willing))
    made = made.rake({"sex": {"F": 10_000, "M": 10_000}})
    for table in (made.mean("y").table, made.count(by="sex").table):
        assert table["note"].str.startswith("non-probability sample").all()
    assert list(step_table(made)["step"][:2]) == [
        "non-probability sample",
        "non-probability: reference weights",
    ]
    again = Survey(made.save(tmp_path / "volunteers.parquet"))
    np.testing.assert_allclose(again.weights, made.weights, rtol=1e-10)
    assert again.mean("y").table["note"][0] == made.mean("y").table["note"][0]


def test_refusals(tmp_path: Path) -> None:
    _, willing, reference = pair(5)
    with pytest.raises(WeightingError, match="cannot be weighted by the reference"):
        Reference(reference.with_columns({"kind": np.zeros(1500)}), "C(kind)").apply(
            volunteers(willing.assign(kind=np.arange(len(willing)) % 2))
        )
    with pytest.raises(OptionError, match="is a survey or the file of one, not dict"):
        Reference({}, "sex").apply(volunteers(willing))
    with pytest.raises(OptionError, match="Save that survey and give its file"):
        Reference(reference, "sex").apply(volunteers(willing)).save(tmp_path / "v.parquet")
