"""Read and check the frame, and put its areas into strata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nsm.errors import ConfigError, Phrase
from nsm.files import write_table
from nsm.frame import Frame, strata_table
from nsm.frame.checks import all_findings
from nsm.frame.findings import cases_table, findings_table
from nsm.frame.rollup import prior_column
from nsm.project.project import Made
from nsm.totals import Memory

if TYPE_CHECKING:
    import numpy as np

    from nsm.project.project import Project
    from nsm.project.settings import Concentration


def make(project: Project, folder: Path) -> Made:
    """Write `areas.parquet` (with strata), `strata.csv`, `findings.csv` and their `cases.csv`."""
    settings = project.settings.frame
    frame = Frame.read(project.source(settings.source))
    frame.require_sound(settings.size)
    language, found = project.settings.survey.language, all_findings(frame)
    findings = findings_table(found, language)
    frame = prepared(project, frame)
    write_table(frame.table, folder / "areas.parquet")
    write_table(strata_table(frame), folder / "strata.csv")
    write_table(findings, folder / "findings.csv")
    write_table(cases_table(found, language), folder / "cases.csv")
    strata = frame.table["stratum"].nunique()
    return Made(
        {
            "areas": len(frame),
            "strata": strata,
            "findings": int(findings["count"].sum()) if len(findings) else 0,
            "hash": frame.hash,
        },
        Phrase(
            "{areas:,} areas, {strata} strata, {findings} findings",
            areas=len(frame),
            strata=strata,
            findings=len(findings),
        ),
    )


def prepared(project: Project, frame: Frame) -> Frame:
    """Return a frame with strata, expected counts and classes of prior prevalence.

    A prior whose age is given is drawn toward the mean of its municipality first.
    """
    settings = project.settings.frame
    if settings.aging is not None:
        frame = frame.shrink(settings.aging.age, settings.aging.persistence)
    wanted = settings.concentration
    frame = frame.concentration(_cuts(wanted, frame), within=list(wanted.within))
    expected = expected_counts(frame, dict(settings.expected))
    prior_class = frame.table["stratum"].str.rsplit("-", n=1).str[-1]
    return frame.replaced(table=frame.table.assign(**expected, prior_class=prior_class))


def _cuts(wanted: Concentration, frame: Frame) -> list[float]:
    """Return the borders of the classes of prior prevalence, given or by a rule."""
    if bool(wanted.cuts) == bool(wanted.rule):
        raise ConfigError(
            "[frame.concentration] needs either cuts or a rule that finds them. Write one of both."
        )
    if wanted.cuts:
        return list(wanted.cuts)
    from nsm.allocation import stratify

    prior = frame.table[prior_column(frame) or "prior"].to_numpy(dtype=float)
    made = stratify(prior, rule=wanted.rule, strata=wanted.strata, cv=wanted.cv)
    return [float(cut) for cut in made.boundaries]


def expected_counts(frame: Frame, expressions: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the expected counts of each area, from expressions of the frame's columns.

    Raises
    ------
    ConfigError
        A name is that of a column of the frame.
    """
    table = Memory(frame.table, "the frame")
    taken = [name for name in expressions if name in frame.table.columns]
    if taken:
        raise ConfigError(
            "[frame.expected] names columns that the frame has: {names}. Choose other names.",
            names=taken,
        )
    return {name: table.number(text).values for name, text in expressions.items()}


def stratified(project: Project) -> Frame:
    """Return the frame with the strata and expected counts of this stage."""
    import pandas as pd

    frame = Frame.read(project.source(project.settings.frame.source))
    return frame.replaced(table=pd.read_parquet(project.results("frame", "areas.parquet")))
