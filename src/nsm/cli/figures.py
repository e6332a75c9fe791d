"""`nsm indicators estimate|gaps|need|targets`: numbers of indicators, from any household survey."""

from __future__ import annotations

import click

from nsm.cli.app import Session, pass_session
from nsm.cli.indicators import indicators, registry_of
from nsm.cli.sources import MAPPING, keys_of, lined, show_computed, surveys_of

REGISTRY = "TOML of the country's own indicators."
BY = "Column to divide by; several that cross with commas. May be repeated."


@indicators.command("estimate")
@click.argument("codes", nargs=-1)
@click.option("--by", multiple=True, metavar="COLUMNS", help=BY)
@click.option("--survey", "mapping", type=click.Path(), help=MAPPING)
@click.option("--registry", type=click.Path(), help=REGISTRY)
@pass_session
def estimate(
    session: Session,
    codes: tuple[str, ...],
    *,
    by: tuple[str, ...],
    mapping: str | None,
    registry: str | None,
) -> None:
    r"""Estimate indicators by any columns; all that can be computed if no CODES are given.

    For looking into the data: nothing is hidden. `nsm publish` writes what may be published.

    \b
    Example:
        nsm indicators estimate 8.5.2 8.6.1 --by status --by status,sex
        nsm indicators estimate insured --by nativity --survey nhanes.toml
    """
    from nsm.indicators import compute

    known = registry_of(session, registry)
    found = compute(surveys_of(session, mapping), codes, by=keys_of(by), registry=known)
    show_computed(session, found)


@indicators.command("gaps")
@click.argument("codes", nargs=-1)
@click.option("--between", nargs=2, default=("immigrant", "native"), help="Two labels.")
@click.option("--on", default="status", help="The column that has both labels.")
@click.option("--by", default="", metavar="COLUMNS", help="Domains; several columns with commas.")
@click.option("--survey", "mapping", type=click.Path(), help=MAPPING)
@click.option("--registry", type=click.Path(), help=REGISTRY)
@pass_session
def gaps_(
    session: Session,
    codes: tuple[str, ...],
    between: tuple[str, str],
    on: str,
    *,
    by: str,
    mapping: str | None,
    registry: str | None,
) -> None:
    r"""Estimate gaps between two groups, such as immigrants and natives, with standard errors.

    \b
    Example:
        nsm indicators gaps employment_rate 8.6.1
        nsm indicators gaps insured --between foreign_born native_born --on nativity
    """
    from nsm.indicators import gaps

    keys = [name.strip() for name in by.split(",") if name.strip()]
    source, known = surveys_of(session, mapping), registry_of(session, registry)
    show_computed(session, gaps(source, codes, between=between, on=on, by=keys, registry=known))


@indicators.command("need")
@click.argument("code")
@click.option("--cv", type=float, help="Wanted coefficient of variation, a fraction.")
@click.option("--se", type=float, help="Wanted standard error, instead of a CV.")
@click.option("--by", default="", metavar="COLUMNS", help="Domains; several columns with commas.")
@click.option("--household", default="household", help="Column of the households' key.")
@click.option("--persons", type=float, help="Persons in a household, where no column says it.")
@click.option("--response", type=float, default=1.0, help="Share of households that answer.")
@click.option("--survey", "mapping", type=click.Path(), help=MAPPING)
@click.option("--registry", type=click.Path(), help=REGISTRY)
@pass_session
def need_(
    session: Session,
    code: str,
    *,
    by: str,
    mapping: str | None,
    registry: str | None,
    **wanted: float | str | None,
) -> None:
    r"""Say how many more households a survey must add for a wanted precision, by domain.

    In new areas, and in the areas that it has; a dash where those cannot give it.

    \b
    Example:
        nsm indicators need 8.5.2 --cv 0.15 --by status
        nsm indicators need insured --cv 0.05 --by nativity --survey nhanes.toml --persons 2.5
    """
    from nsm.indicators import need

    keys = [name.strip() for name in by.split(",") if name.strip()]
    source, known = surveys_of(session, mapping), registry_of(session, registry)
    table = need(source, code, by=keys, registry=known, **wanted)  # type: ignore[arg-type]  # click
    more = ("households", "wanted_se", "more_households", "more_households_same_areas")
    rows = table.assign(category=table.get("category"))
    session.show(table, lambda: lined(session, rows, [*keys, "category"], more))


@indicators.command("targets")
@pass_session
def targets(session: Session) -> None:
    r"""Say how far the national goals of survey.toml are, and whether the last change helps.

    \b
    Example:
        nsm indicators targets
    """
    from nsm.project.goals import goals

    table, failures = goals(session.project())
    for code, reason in failures.items():
        click.echo(f"{code}: {reason.render(session.words)}", err=True)
    more = ("target", "year", "distance", "needed", "change", "p_toward", "verdict")
    session.show(table, lambda: lined(session, table, ["variable"], more))
