from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
from scipy.stats import beta, norm

import nsm
from nsm.allocation import sample_size_steps
from nsm.errors import AllocationError, NsmError, OptionError


def test_cochran_4_4_and_4_7() -> None:
    # Sec. 4.4: n0 = 4 x 0.25 / 0.05^2 = 400, and 400 / (1 + 399 / 3200) = 356.
    two = 2 * norm.cdf(2) - 1
    assert nsm.sample_size("proportion", p=0.5, margin=0.05, confidence=two) == 400
    assert nsm.sample_size("proportion", p=0.5, margin=0.05, confidence=two, population=3200) == 356
    # Sec. 4.6: S^2 = 85.6, 10 % of a total of 19.09 x 430: n0 = 90.1 / (1 + n0 / N).
    z = norm.ppf(0.975)
    n0 = (z * 9.25 / 1.909) ** 2
    assert nsm.sample_size("mean", sd=9.25, margin=1.909, population=430) == -(
        -n0 / (1 + n0 / 430) // 1
    )


def test_total_is_the_mean_times_the_population() -> None:
    mean = nsm.sample_size("mean", sd=12, margin=0.5, population=10_000)
    assert nsm.sample_size("total", sd=12, margin=5_000, population=10_000) == mean
    assert nsm.sample_size("mean", sd=12, mean=30, cv=0.02) == 400


@pytest.mark.parametrize("interval", ["wilson", "logit", "exact"])
def test_other_intervals_have_the_margin(interval: str) -> None:
    p, margin = 0.04, 0.02
    n = nsm.sample_size("proportion", p=p, margin=margin, interval=interval)

    def half(n: int) -> float:
        if interval == "exact":
            low = beta.ppf(0.025, n * p, n - n * p + 1)
            return float(beta.ppf(0.975, n * p + 1, n - n * p) - low) / 2
        z = norm.ppf(0.975)
        if interval == "wilson":
            return float(z * sqrt(p * (1 - p) / n + z**2 / 4 / n**2) / (1 + z**2 / n))
        from scipy.special import expit, logit

        reach = z / sqrt(n * p * (1 - p))
        return float(expit(logit(p) + reach) - expit(logit(p) - reach)) / 2

    assert half(n) <= margin + 1e-12 < half(n - 1)


def test_deff_response_and_eligibility_multiply() -> None:
    plain = nsm.sample_size("proportion", p=0.3, margin=0.01)
    more = nsm.sample_size("proportion", p=0.3, margin=0.01, deff=2, response=0.8, eligibility=0.5)
    assert more == pytest.approx(plain * 5, rel=1e-3)


def test_change_with_overlap() -> None:
    apart = nsm.sample_size("change", p=0.5, margin=0.05)
    assert apart == pytest.approx(2 * 0.25 * (1.959964 / 0.05) ** 2, abs=1)
    assert nsm.sample_size("change", p=0.5, margin=0.05, overlap=1, correlation=0.6) == (
        pytest.approx(0.4 * apart, abs=1)
    )
    # Power 0.8 at 5 %: (1.96 + 0.84)^2 (p q + p2 q2) / d^2, the textbook 388.
    assert nsm.sample_size("change", p=0.5, p2=0.4, difference=0.1) == 385
    assert nsm.sample_size("change", sd=10, difference=2, power=0.9) == 526


def test_domain_and_screening() -> None:
    inside = nsm.sample_size("proportion", p=0.3, margin=0.05)
    domain = nsm.sample_size("domain", p=0.3, margin=0.05, share=0.1)
    assert domain == pytest.approx(10 * inside, rel=0.01)
    assert nsm.sample_size("domain", sd=3, margin=0.5, share=0.1) == pytest.approx(1383, abs=2)
    assert nsm.sample_size("screening", cases=400, prevalence=0.05, response=0.8) == 10_000
    assert nsm.sample_size("screening", p=0.3, margin=0.05, prevalence=0.05) == pytest.approx(
        20 * inside, rel=0.01
    )


def test_steps_say_how() -> None:
    steps = sample_size_steps("proportion", p=0.5, margin=0.05, deff=2, response=0.5)
    assert steps["n"].round(1).tolist() == [384.1, 768.3, 768.3, 1537.0]


REFUSED: dict[str, tuple[tuple[str, dict[str, Any]], type[NsmError], str]] = {
    "kind": (("meen", {}), OptionError, "no sample size for 'meen'. Did you mean 'mean'"),
    "unknown": (("mean", {"sde": 1}), OptionError, "no option 'sde'. Did you mean 'sd'"),
    "missing": (("mean", {"sd": 1}), OptionError, "needs margin="),
    "zero": (("mean", {"sd": 0, "margin": 1}), OptionError, "sd is 0; it must be above 0"),
    "p": (("proportion", {"p": 1.0, "margin": 0.1}), OptionError, "p is 1.0; it must be below 1"),
    "response": (("mean", {"sd": 1, "margin": 1, "response": 0}), OptionError, "response is 0"),
    "deff": (("mean", {"sd": 1, "margin": 1, "deff": -1}), OptionError, "deff is -1"),
    "confidence": (
        ("mean", {"sd": 1, "margin": 1, "confidence": 95}),
        OptionError,
        "confidence is 95",
    ),
    "total": (("total", {"sd": 1, "margin": 1}), OptionError, "needs population="),
    "interval": (
        ("proportion", {"p": 0.5, "margin": 0.1, "interval": "wilsn"}),
        OptionError,
        "no interval 'wilsn'. Did you mean 'wilson'",
    ),
    "overlap": (
        ("change", {"p": 0.5, "margin": 0.1, "overlap": 2}),
        OptionError,
        "overlap must be",
    ),
    "share": (("domain", {"p": 0.5, "margin": 0.1, "share": 2}), OptionError, "share is 2"),
    "too many": (
        ("mean", {"sd": 10, "margin": 0.1, "population": 100, "response": 0.5}),
        AllocationError,
        "200 units would have to be selected, but the population has 100",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    (kind, options), error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        nsm.sample_size(kind, **options)
