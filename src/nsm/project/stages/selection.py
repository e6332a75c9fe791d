"""Draw the areas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import Phrase
from nsm.project.project import Made
from nsm.project.stages.frame import stratified
from nsm.selection import Sample, draw, permanent_numbers
from nsm.selection.methods import method_of

if TYPE_CHECKING:
    from nsm.frame import Frame
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write the sample (`sample.parquet`, receipt, strata) and its areas as GeoJSON."""
    settings = project.settings.selection
    frame = listed(project)
    sample = drawn(project, frame)
    sample.save(folder)
    if frame.boundaries is not None:
        shapes = frame.boundaries.merge(
            sample.table[[frame.key, "stratum", "role", "probability"]], on=frame.key
        )
        shapes.to_file(folder / "sample.geojson", driver="GeoJSON")
    main = sample.main
    certain = int(main["certainty"].sum())
    facts = {
        "areas": len(main),
        "certain": certain,
        "reserve": len(sample.table) - len(main),
        "seed": sample.receipt["seed"],
        "method": settings.method,
        "frame": frame.hash,
    }
    return Made(
        facts,
        Phrase(
            "{areas:,} areas ({certain} certain), {reserve} in reserve",
            areas=len(main),
            certain=certain,
            reserve=facts["reserve"],
        ),
    )


def listed(project: Project) -> Frame:
    """Return the frame that is drawn from, with permanent random numbers if they are asked for."""
    frame, seed = stratified(project), project.settings.selection.permanent
    if seed is None:
        return frame
    numbers = permanent_numbers(frame.table[frame.key], seed)
    return frame.replaced(table=frame.table.assign(permanent_number=numbers))


def drawn(project: Project, frame: Frame) -> Sample:
    """Return the sample that the settings and the allocation ask for.

    Parameters
    ----------
    frame
        As `listed` gives it.
    """
    settings = project.settings.selection
    plan = pd.read_csv(project.results("allocation", "plan.csv"), dtype={"stratum": str})
    return draw(
        frame,
        plan,
        method=settings.method,
        size=None if method_of(settings.method).equal else project.settings.frame.size,
        seed=project.settings.survey.seed if settings.seed is None else settings.seed,
        sort=list(settings.order),
        spread=list(settings.spread),
        balance=list(settings.balance),
        prn=None if settings.permanent is None else "permanent_number",
        start=settings.start,
        reserve=settings.reserve,
    )
