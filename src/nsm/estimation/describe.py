"""A survey in words: what its design is, and which formula its variance will have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nsm.language import translate

if TYPE_CHECKING:
    from nsm.estimation.design import Design
    from nsm.estimation.survey import Survey

Line = tuple[str, dict[str, Any]]

ROWS = "{rows:,} rows."
TABLES = "Weights and variance come down from {count} table(s) above ({keys})."
STAGE = "Stage {k}: {units:,} units ({psu}) drawn in {strata:,} strata ({stratum}), {how}."
UNSTRATIFIED = "Stage {k}: {units:,} units ({psu}), not stratified, {how}."
ROW = "every row"
HOW = {
    "replacement": "with replacement, or as if",
    "fractions": "without replacement, fractions from {low:.3g} to {high:.3g}",
    "brewer": "with unequal probabilities without replacement, Brewer's approximation",
    "overton": "with unequal probabilities without replacement, Overton's approximation",
    "hartley-rao": "with unequal probabilities without replacement, Hartley-Rao approximation",
    "ht": "with known joint probabilities, Horvitz and Thompson's estimator",
    "yg": "with known joint probabilities, Yates and Grundy's estimator",
}
ULTIMATE = (
    "Stages after that are not looked at: the variance between the units of stage {k} holds "
    "theirs (ultimate cluster)."
)
CERTAINTY = (
    "{count:,} more units of stage 1 are certainties: their variance comes from the next stage, if "
    "any."
)
FIRST_PHASE = "First phase, of {rows:,} rows:"
SECOND_PHASE = "Second phase, given the first:"
GIVEN = "Weights: {column}."
DERIVED = "Weights: 1 / probability, from the design."
BOTH = "Weights: those of the first phase, over the fractions of the second."
STEP = "Weighting step: {name}; {part}."
PARTS = {
    "external": "totals known without error, so z becomes z - x'B",
    "sample": "totals estimated from the full sample, so z becomes x'B + f (z - x'B), x'B for "
    "units that leave",
    "model": "a response model, whose score is added to z",
    "fixed": "factors taken as fixed",
}
PHASE = (
    "It selects inside the sample, and adds a phase to the variance where a fraction is above 0."
)
TAYLOR = (
    "Variance: Taylor linearization, V = sum over strata of n / (n - 1) sum (1 - f) (z - mean z)^2"
    ", with z the weighted linearized total of a unit of the stage and f its fraction."
)
MULTISTAGE = "Each later stage adds its own, times the fractions drawn before it."
QUADRATIC = (
    "Variance: Taylor linearization, V = the sum over pairs of units of "
    "(p_ij - p_i p_j) / p_ij z_i z_j, with z weighted linearized values."
)
REPLICATED = (
    "Variance: {count:,} replicates ({method}), V = {scale:.4g} sum r (t_r - c)^2, with c {center};"
    " every weighting step is redone in each."
)
COLUMNS = (
    "Variance: {count:,} columns of replicate weights ({method}), V = {scale:.4g} sum r (t_r - c)^2"
    ", with c {center}."
)
CENTERS = {True: "the estimate", False: "the mean of the replicates"}
SINGLE = {
    "refuse": "Strata of one unit: {count:,}; estimation refuses, until they are collapsed or a "
    "policy is chosen (single_psu=).",
    "certainty": "Strata of one unit: {count:,}; they add no variance (certainty).",
    "adjust": "Strata of one unit: {count:,}; deviations are from the mean of all units (adjust).",
    "average": "Strata of one unit: {count:,}; they get the mean variance of the others (average).",
    "remove": "Strata of one unit: {count:,}; they are left out of the variance (remove).",
}
DEGREES = (
    "Degrees of freedom: {df:,} (units of stage 1 minus strata); of a domain, those that hold it."
)


TEXTS = (
    *(ROWS, TABLES, STAGE, UNSTRATIFIED, ROW, *HOW.values(), ULTIMATE, CERTAINTY, GIVEN, DERIVED),
    *(BOTH, FIRST_PHASE, SECOND_PHASE),
    *(STEP, *PARTS.values(), PHASE, TAYLOR, MULTISTAGE, QUADRATIC, REPLICATED, COLUMNS),
    *(*CENTERS.values(), *SINGLE.values(), DEGREES),
)


def describe(survey: Survey, language: str = "en") -> str:
    """Say in words what the design of a survey is, and which formula its variance will have."""
    return "\n".join(
        translate(text, language).format(
            **{name: _said(value, language) for name, value in values.items()}
        )
        for text, values in _lines(survey)
    )


def _said(value: Any, language: str) -> Any:
    """Translate what is text with its own values."""
    if isinstance(value, tuple):
        text, own = value
        return translate(text, language).format(**own)
    return value


def _lines(survey: Survey) -> Iterator[Line]:
    yield ROWS, {"rows": len(survey)}
    if len(survey.levels) > 1:
        keys = [step for step in survey.history if isinstance(step, str)]
        yield TABLES, {"count": len(survey.levels) - 1, "keys": ", ".join(keys)}
    if survey.design.phases:
        for text, phase in zip((FIRST_PHASE, SECOND_PHASE), survey.design.phases, strict=True):
            yield text, {"rows": len(phase.unit)}
            yield from _design(phase)
        yield BOTH, {}
    else:
        yield from _design(survey.design)
        column = survey.design.declaration.weight
        yield (GIVEN, {"column": column}) if column else (DERIVED, {})
    for step in survey.adjustments:
        yield STEP, {"name": step.name, "part": (PARTS[_part(step)], {})}
        if step.phase is not None:
            yield PHASE, {}
    yield from _variance(survey)


def _design(design: Design) -> Iterator[Line]:
    declared = design.declaration
    for k, stage in enumerate(design.stages):
        used = stage.multiplier > 0
        if k == 0 and declared.certainty and (used & (stage.fraction < 1)).any():
            used &= stage.fraction < 1
        strata = len(np.unique(stage.stratum[used])) if used.any() else 0
        yield from _stage(design, k, int(used.sum()), strata, _how(design, k, stage.fraction[used]))
    certain = design.stages[0].fraction >= 1
    if declared.certainty and certain.any():
        yield CERTAINTY, {"count": int(certain.sum())}
    if max(1, len(declared.psu)) > len(design.stages):
        yield ULTIMATE, {"k": len(design.stages)}


def _stage(
    design: Design, k: int, units: int, strata: int, how: tuple[str, dict[str, Any]]
) -> Iterator[Line]:
    declared = design.declaration
    psu: Any = declared.psu[k] if k < len(declared.psu) else (ROW, {})
    stratum = declared.stratum[k] if k < len(declared.stratum) else None
    values = {"k": k + 1, "units": units, "psu": psu, "how": how}
    if stratum is None:
        yield UNSTRATIFIED, values
    else:
        yield STAGE, {**values, "strata": strata, "stratum": stratum}


def _how(design: Design, k: int, fraction: np.ndarray) -> tuple[str, dict[str, Any]]:
    declared = design.declaration
    if k == 0 and declared.pps:
        return HOW[declared.pps], {}
    if design.stages[k].joint:
        return HOW[declared.joint_variance], {}
    if not (fraction > 0).any():
        return HOW["replacement"], {}
    return HOW["fractions"], {"low": float(fraction.min()), "high": float(fraction.max())}


def _part(step: Any) -> str:
    if step.cells is None:
        return "fixed"
    if step.external:
        return "external"
    return (
        "model" if (step.entry is not None and np.ptp(step.entry[step.entry > 0]) > 0) else "sample"
    )


def _variance(survey: Survey) -> Iterator[Line]:
    design, replication = survey.design, survey.replication
    if replication is not None:
        yield (
            COLUMNS if replication.factors is None else REPLICATED,
            {
                "count": replication.count,
                "method": replication.method,
                "scale": replication.scale,
                "center": (CENTERS[replication.mse], {}),
            },
        )
        if replication.factors is None:
            return
    elif design.form is not None or (design.stages and design.stages[0].joint):
        yield QUADRATIC, {}
    else:
        yield TAYLOR, {}
        if len(design.stages) > 1:
            yield MULTISTAGE, {}
        alone = sum(len(stage.alone) for stage in design.stages)
        if alone:
            yield SINGLE[design.declaration.single_psu], {"count": alone}
    df = design.psus - len(np.unique(design.stratum))
    yield DEGREES, {"df": df}
