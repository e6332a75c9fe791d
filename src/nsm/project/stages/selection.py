"""Draw the areas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nsm.errors import Phrase
from nsm.project.project import Made
from nsm.project.stages.frame import stratified
from nsm.selection import Sample, draw

if TYPE_CHECKING:
    from nsm.frame import Frame
    from nsm.project.project import Project


def make(project: Project, folder: Path) -> Made:
    """Write the sample (`sample.parquet`, receipt, strata) and its areas as GeoJSON."""
    settings = project.settings.selection
    frame = stratified(project)
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


def drawn(project: Project, frame: Frame) -> Sample:
    """Return the sample that the settings and the allocation ask for.

    Parameters
    ----------
    frame
        With strata, as the frame's stage made it.
    """
    settings = project.settings.selection
    plan = pd.read_csv(project.results("allocation", "plan.csv"), dtype={"stratum": str})
    return draw(
        frame,
        plan,
        method=settings.method,
        size=project.settings.frame.size,
        seed=project.settings.survey.seed if settings.seed is None else settings.seed,
        sort=list(settings.order),
        reserve=settings.reserve,
    )
