"""`nsm select`: draw the areas, look at a draw before it is made, prove one that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nsm.cli import tables
from nsm.cli.app import Session, pass_session
from nsm.cli.stages import run_stages
from nsm.errors import OptionError

if TYPE_CHECKING:
    import pandas as pd

    from nsm.frame import Frame
    from nsm.project import Project
    from nsm.selection import Sample


@click.command("select")
@click.option("--force", is_flag=True, help="Run it even if it is fresh.")
@click.option("--dry-run", is_flag=True, help="Draw and show, but write no sample.")
@click.option("--verify", is_flag=True, help="Draw the sample again and compare, area by area.")
@pass_session
def select(session: Session, *, force: bool, dry_run: bool, verify: bool) -> None:
    r"""Draw the areas, with those in reserve.

    Method, order and seed stand in [selection] of survey.toml. --verify draws again from the
    receipt of the sample: the exit code is 1 if the frame is another one or an area differs.

    \b
    Example:
        nsm select --dry-run
        nsm select
        nsm select --verify
    """
    if dry_run and verify:
        raise OptionError("Give --dry-run or --verify, not both.")
    project = session.project()
    if verify:
        _verify(session, project)
        return
    from nsm.project.stages.selection import drawn, listed
    from nsm.selection import Sample

    if dry_run:
        run_stages(session, project, ("allocation",))
        frame = listed(project)
        sample = drawn(project, frame)
    else:
        run_stages(session, project, ("selection",), force=force)
        frame = listed(project)
        sample = Sample.load(project.results("selection"))
    balance = sample.balance(frame, _known(project, frame))
    facts = _facts(sample) | {"written": not dry_run}
    shown = {**facts, "strata": sample.strata, "balance": balance}
    session.show(shown, lambda: _said(session, facts, sample, balance))
    if dry_run:
        session.say("Nothing was written. The draw: nsm select")


def _known(project: Project, frame: Frame) -> list[str]:
    """Return what the sample should repeat of the frame: size, population, expected counts."""
    settings = project.settings.frame
    names = [settings.size, "population", *settings.expected]
    return [name for name in dict.fromkeys(names) if name in frame.table.columns]


def _facts(sample: Sample) -> dict[str, Any]:
    main = sample.main
    return {
        "areas": len(main),
        "certain": int(main["certainty"].sum()),
        "reserve": len(sample.table) - len(main),
        "excluded": sample.excluded["stratum"].tolist(),
        "method": sample.receipt["method"],
        "seed": sample.receipt["seed"],
        "frame": sample.receipt["frame_hash"],
    }


def _said(session: Session, facts: dict[str, Any], sample: Sample, balance: pd.DataFrame) -> str:
    strata = {
        "stratum": "Stratum",
        "population": "Areas",
        "n": "n",
        "certain": "Certain",
        "reserve": "Reserve",
    }
    totals = {
        "variable": "Column",
        "total": "Frame",
        "estimate": "Sample, weighted",
        "deviation": "Deviation",
    }
    parts = [
        tables.listed(session, sample.strata, strata),
        tables.listed(session, balance, totals, {"deviation": "+.1%"}),
    ]
    if facts["excluded"]:
        parts.append(
            session.words(
                "Excluded coverage: nothing is drawn in {strata}; all totals are of the rest.",
                strata=", ".join(facts["excluded"]),
            )
        )
    return "\n\n".join(
        [
            *parts,
            session.words(
                "{areas:,} areas ({certain} certain), {reserve} in reserve; {method}, seed {seed}",
                **{k: facts[k] for k in ("areas", "certain", "reserve", "method", "seed")},
            ),
        ]
    )


def _verify(session: Session, project: Project) -> None:
    from nsm.project.stages.selection import listed
    from nsm.selection import Sample

    sample = Sample.load(project.results("selection"))
    sample.verify(listed(project))
    facts = {"verified": True, **_facts(sample), "versions": sample.receipt["versions"]}
    session.show(
        facts,
        lambda: session.words(
            "The sample is the one that seed {seed} draws from this frame: {areas:,} areas.",
            seed=facts["seed"],
            areas=facts["areas"],
        ),
    )
