from __future__ import annotations

import numpy as np

from nsm import inclusion_probabilities
from nsm.selection.local_pivotal import local_pivotal
from nsm.selection.quality import spatial_balance


def test_the_sample_is_spread() -> None:
    g = np.random.default_rng(4)
    points = g.random((4000, 2))
    p = inclusion_probabilities(g.gamma(4, 1, 4000), 150)
    local, plain = [], []
    for seed in range(5):
        rng = np.random.Generator(np.random.PCG64(seed))
        drawn = local_pivotal(p, rng, points)
        assert len(drawn) == 150
        local.append(spatial_balance(p, points, drawn))
        chance = rng.choice(4000, 150, replace=False, p=p / p.sum())
        plain.append(spatial_balance(p, points, chance))
    assert np.mean(local) < 0.12
    assert np.mean(local) < 0.35 * np.mean(plain)
