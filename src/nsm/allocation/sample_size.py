"""How many units a mean, proportion, total, domain, change or rare group needs.

The size for simple random sampling with replacement comes first; then the design effect, the finite
population, the share that answers and the share that is eligible.

References
----------
Cochran (1977), ch. 4; Valliant, Dever & Kreuter (2018), ch. 3 and 4; Newcombe (1998), Statistics in
Medicine 17, 857-872 (intervals of a proportion).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf, sqrt
from typing import Any

import pandas as pd

from nsm.errors import AllocationError, OptionError, nearest

_ENOUGH = 1e12


def sample_size(kind: str, **options: Any) -> int:
    """Return the number of units to select.

    Parameters
    ----------
    kind
        - `mean`: `sd`, and `margin` (half width of the interval) or `cv` with `mean`;
        - `total`: the same with `population`; `margin` is of the total;
        - `proportion`: `p`, and `margin` or `cv`; `interval` is `wald`, `wilson`, `logit` or
        `exact`;
        - `domain`: as `proportion` or `mean` (with `sd`) inside a domain that holds `share` of the
        units;
        - `change`: units in each of two rounds, for `p` and `p2` or `sd` and `sd2`, with the
        `overlap` of
          both samples and the `correlation` in it; `margin` of the change, or `difference` to be
          detected with `power`;
        - `screening`: units to be screened for `cases` members of a group of `prevalence` per
        unit, or for
          a `p` and `margin` inside the group.
    **options
        For all: `population` (infinite), `deff` (1), `response` (1), `eligibility` (1),
        `confidence` (0.95).

    Raises
    ------
    OptionError
        An option is missing, unknown or out of range.
    AllocationError
        No size is enough.

    Examples
    --------
    Cochran (1977), sec. 4.4: a share of about one half within 5 points, in an island of 3,200.

    >>> sample_size("proportion", p=0.5, margin=0.05, population=3200, confidence=0.9545)
    356
    """
    return int(sample_size_steps(kind, **options)["n"].iloc[-1])


def sample_size_steps(kind: str, **options: Any) -> pd.DataFrame:
    """Return how a sample size comes about: `step, n`, the last row being the number to select.

    The arguments are those of `sample_size`.
    """
    if kind not in _KINDS:
        raise OptionError(
            "There is no sample size for {kind!r}. {hint}", kind=kind, hint=nearest(kind, _KINDS)
        )
    common = {name: options.pop(name, default) for name, default in _COMMON.items()}
    _check_common(common)
    rule, known = _KINDS[kind]
    for name in options:
        if name not in known:
            raise OptionError(
                "{kind!r} has no option {option!r}. {hint}",
                kind=kind,
                option=name,
                hint=nearest(name, [*known, *_COMMON]),
            )
    base = rule(options, common)
    population = common["population"]
    designed = base * common["deff"]
    lost = 1.0 if kind in {"proportion", "screening"} or "p" in options else 0.0
    finite = designed / (1 + (designed - lost) / population) if population < inf else designed
    if kind == "domain":
        finite /= options["share"]
    if kind == "screening":
        finite /= options["prevalence"]
    asked = finite / common["response"] / common["eligibility"]
    if asked > population * (1 + 1e-9):
        raise AllocationError(
            "{n} units would have to be selected, but the population has {population}. Ask for "
            "less precision, or raise response.",
            n=ceil(asked),
            population=population,
        )
    steps = [
        ("simple random sample", base),
        ("with the design effect", designed),
        ("in the finite population and domain", finite),
        ("to be selected", float(ceil(asked - 1e-9))),
    ]
    return pd.DataFrame(steps, columns=["step", "n"])


_COMMON: dict[str, float] = {
    "population": inf,
    "deff": 1.0,
    "response": 1.0,
    "eligibility": 1.0,
    "confidence": 0.95,
}


def _check_common(common: dict[str, float]) -> None:
    for name in ("response", "eligibility"):
        if not 0 < common[name] <= 1:
            raise OptionError(
                "{option} is {value}; it must be above 0 and at most 1.",
                option=name,
                value=common[name],
            )
    for name in ("population", "deff"):
        if not common[name] > 0:
            raise OptionError(
                "{option} is {value}; it must be above 0.", option=name, value=common[name]
            )
    if not 0 < common["confidence"] < 1:
        raise OptionError(
            "confidence is {value}; it must be between 0 and 1.", value=common["confidence"]
        )


def _need(options: dict[str, Any], *names: str) -> list[float]:
    """Return options that must be there, above 0."""
    for name in names:
        if name not in options:
            raise OptionError("This sample size needs {option}=.", option=name)
        if not options[name] > 0:
            raise OptionError(
                "{option} is {value}; it must be above 0.", option=name, value=options[name]
            )
    return [float(options[name]) for name in names]


def _share(options: dict[str, Any], name: str) -> float:
    value = _need(options, name)[0]
    if not value < 1:
        raise OptionError("{option} is {value}; it must be below 1.", option=name, value=value)
    return value


def normal_quantile(confidence: float) -> float:
    """Return z, so that a normal variable lies within z of its mean with this confidence."""
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + confidence) / 2)


def _mean(options: dict[str, Any], common: dict[str, float]) -> float:
    (sd,) = _need(options, "sd")
    if "cv" in options:
        cv, mean = _need(options, "cv", "mean")
        return (sd / mean / cv) ** 2
    (margin,) = _need(options, "margin")
    return (normal_quantile(common["confidence"]) * sd / margin) ** 2


def _total(options: dict[str, Any], common: dict[str, float]) -> float:
    if common["population"] == inf:
        raise OptionError("A total needs population=.")
    if "margin" in options:
        options = options | {"margin": options["margin"] / common["population"]}
    return _mean(options, common)


def _proportion(options: dict[str, Any], common: dict[str, float]) -> float:
    p = _share(options, "p")
    if "cv" in options:
        (cv,) = _need(options, "cv")
        return (1 - p) / p / cv**2
    (margin,) = _need(options, "margin")
    z = normal_quantile(common["confidence"])
    interval = options.get("interval", "wald")
    if interval == "wald":
        return p * (1 - p) * (z / margin) ** 2
    if interval not in _WIDTHS:
        raise OptionError(
            "There is no interval {interval!r}. {hint}",
            interval=interval,
            hint=nearest(interval, ["wald", *_WIDTHS]),
        )
    return _least(lambda n: _WIDTHS[interval](p, n, common["confidence"]), margin)


def _least(width: Callable[[float], float], margin: float) -> float:
    """Return the least n whose interval has half the width `margin`; width falls with n."""
    below, above = 1e-9, 1.0
    while width(above) > margin:
        above *= 2
        if above > _ENOUGH:
            raise AllocationError("No sample size gives a margin of {margin}.", margin=margin)
    for _ in range(200):
        middle = (below + above) / 2
        if width(middle) > margin:
            below = middle
        else:
            above = middle
    return above


def _wilson(p: float, n: float, confidence: float) -> float:
    z = normal_quantile(confidence)
    return z / (1 + z**2 / n) * sqrt(p * (1 - p) / n + z**2 / (4 * n**2))


def _logit(p: float, n: float, confidence: float) -> float:
    from scipy.special import expit, logit

    reach = normal_quantile(confidence) / sqrt(n * p * (1 - p))
    return float(expit(logit(p) + reach) - expit(logit(p) - reach)) / 2


def _exact(p: float, n: float, confidence: float) -> float:
    """Return half the width of the Clopper-Pearson interval at n p cases."""
    from scipy.stats import beta

    tail, cases = (1 - confidence) / 2, n * p
    low = beta.ppf(tail, cases, n - cases + 1)
    return float(beta.ppf(1 - tail, cases + 1, n - cases) - low) / 2


_WIDTHS: dict[str, Callable[[float, float, float], float]] = {
    "wilson": _wilson,
    "logit": _logit,
    "exact": _exact,
}


def _domain(options: dict[str, Any], common: dict[str, float]) -> float:
    share = _need(options, "share")[0]
    if share > 1:
        raise OptionError("{option} is {value}; it must be at most 1.", option="share", value=share)
    inner = common | {"population": common["population"] * share}
    return _proportion(options, inner) if "p" in options else _mean(options, inner)


def _change(options: dict[str, Any], common: dict[str, float]) -> float:
    if "p" in options:
        one = _share(options, "p")
        other = _share(options, "p2") if "p2" in options else one
        first, second = sqrt(one * (1 - one)), sqrt(other * (1 - other))
    else:
        first = _need(options, "sd")[0]
        second = _need(options, "sd2")[0] if "sd2" in options else first
    overlap, correlation = options.get("overlap", 0.0), options.get("correlation", 0.0)
    unit = change_variance(first, second, overlap, correlation)
    z = normal_quantile(common["confidence"])
    if "difference" in options:
        (difference,) = _need(options, "difference")
        power = _share(options, "power") if "power" in options else 0.8
        return unit * ((z + normal_quantile(2 * power - 1)) / difference) ** 2
    (margin,) = _need(options, "margin")
    return unit * (z / margin) ** 2


def change_variance(first: float, second: float, overlap: float, correlation: float) -> float:
    """Return the variance of a difference of two rounds whose SDs or SEs are given.

    A share `overlap` of the units is in both, where their values have this correlation.

    References
    ----------
    Kish (1965), sec. 12.4.
    """
    if not (0 <= overlap <= 1 and -1 <= correlation <= 1):
        raise OptionError(
            "overlap must be from 0 to 1 and correlation from -1 to 1; they are {overlap} and "
            "{correlation}.",
            overlap=overlap,
            correlation=correlation,
        )
    return first**2 + second**2 - 2 * overlap * correlation * first * second


def _screening(options: dict[str, Any], common: dict[str, float]) -> float:
    _need(options, "prevalence")
    if "cases" in options:
        return _need(options, "cases")[0] / common["deff"]  # cases are counted, not designed for
    return _proportion(options, common)


_Rule = Callable[[dict[str, Any], dict[str, float]], float]
_KINDS: dict[str, tuple[_Rule, tuple[str, ...]]] = {
    "mean": (_mean, ("sd", "mean", "margin", "cv")),
    "total": (_total, ("sd", "mean", "margin", "cv")),
    "proportion": (_proportion, ("p", "margin", "cv", "interval")),
    "domain": (_domain, ("p", "sd", "mean", "margin", "cv", "interval", "share")),
    "change": (
        _change,
        ("p", "p2", "sd", "sd2", "overlap", "correlation", "margin", "difference", "power"),
    ),
    "screening": (_screening, ("prevalence", "cases", "p", "margin", "cv", "interval")),
}
