"""`nsm indicators`: the registry, what can be computed, and how large a survey must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nsm.cli.app import Session, pass_session

if TYPE_CHECKING:
    from nsm.indicators import Indicator
    from nsm.project import Project


@click.group("indicators")
def indicators() -> None:
    r"""Look into indicators: definitions, coverage, precision.

    \b
    Example:
        nsm indicators list
        nsm indicators show 8.5.2
    """


def registry_of(session: Session, own: str | None) -> dict[str, Indicator]:
    """Return the registry, with the country's own from a file or from the project."""
    from nsm.errors import FileError
    from nsm.indicators import read_registry

    if own is not None:
        return read_registry(own)
    try:
        project = session.project()
    except FileError:
        return read_registry()
    return project_registry(project)


def project_registry(project: Project) -> dict[str, Indicator]:
    """Return the registry of a project."""
    from nsm.indicators import read_registry

    own = project.settings.indicators.registry
    return read_registry(project.source(own) if own else None)


@indicators.command("list")
@click.option("--registry", type=click.Path(), help="TOML of the country's own indicators.")
@click.option("--family", help="Only this family.")
@pass_session
def list_(session: Session, registry: str | None, family: str | None) -> None:
    r"""List the indicators: code, class, name.

    \b
    Example:
        nsm indicators list --family sdg --lang es
    """
    from nsm.errors import OptionError, nearest
    from nsm.indicators import listed

    known = registry_of(session, registry)
    if family is not None:
        names = {one.family for one in known.values()}
        if family not in names:
            raise OptionError(
                "There is no family {family!r}. {hint}", family=family, hint=nearest(family, names)
            )
        known = {code: one for code, one in known.items() if one.family == family}
    table = listed(known, session.language)
    session.show(table, lambda: _lined(table, ["code", "class", "name"]))


@indicators.command("show")
@click.argument("code")
@click.option("--registry", type=click.Path(), help="TOML of the country's own indicators.")
@pass_session
def show(session: Session, code: str, registry: str | None) -> None:
    r"""Show the definition of one indicator.

    \b
    Example:
        nsm indicators show 8.6.1
    """
    from nsm.indicators import described
    from nsm.indicators.registry import chosen

    (one,) = chosen(registry_of(session, registry), [code])
    facts = described(one, session.language)
    session.show(facts, lambda: "\n".join(f"{session.words(k)}: {v}" for k, v in facts.items()))


@indicators.command("coverage")
@click.argument("codes", nargs=-1)
@click.option("--registry", type=click.Path(), help="TOML of the country's own indicators.")
@click.option("--form", type=click.Path(), help="A questionnaire; that of the project if left out.")
@click.option("--data", type=click.Path(), help="A table of persons; the project's if left out.")
@click.pass_context
def coverage(
    context: click.Context,
    codes: tuple[str, ...],
    registry: str | None,
    form: str | None,
    data: str | None,
) -> None:
    r"""Say which indicators form and data allow, and what is missing.

    Ends with 1 if one of the named CODES cannot be computed.

    \b
    Example:
        nsm indicators coverage 8.5.2 8.6.1
    """
    from nsm.indicators import coverage as covered

    session = context.ensure_object(Session)
    known = registry_of(session, registry)
    given = _given(session, form, data)
    table = covered(known, codes=codes, language=session.language, **given)
    session.show(table, lambda: _said(session, table))
    looked = table[["data", "questionnaire"]].astype(object)
    if codes and (looked == False).to_numpy().any():  # noqa: E712 (null is not looked at)
        context.exit(1)


def _given(session: Session, form: str | None, data: str | None) -> dict[str, Any]:
    """Return the form and the columns to look at."""
    from nsm.indicators.coverage import columns_of
    from nsm.questionnaire import Questionnaire

    if form is not None or data is not None:
        return {
            "form": None if form is None else Questionnaire.read(form),
            "columns": None if data is None else {"": columns_of(data)},
        }
    project = session.project()
    folder = project.folder / "results" / "weighting"
    files = {name: folder / f"{name}.parquet" for name in ("persons", "interviews", "selected")}
    columns = {name: columns_of(file) for name, file in files.items() if file.exists()}
    derived = list(project.settings.estimation.derived)
    return {
        "form": Questionnaire.read(project.source(project.settings.questionnaire.source)),
        "columns": {k: [*v, *derived] for k, v in columns.items()} if columns else None,
        "derived": derived,
    }


def _said(session: Session, table: Any) -> str:
    words = {True: session.words("yes"), False: session.words("no"), None: "-"}
    shown = table.assign(
        data=[words.get(v, "-") for v in table["data"]],
        questionnaire=[words.get(v, "-") for v in table["questionnaire"]],
        missing=table["missing"].where(table["missing"] != "", table["not_asked"]),
    )
    titles = {c: session.words(c) for c in ("data", "questionnaire", "missing")}
    columns = ["code", *titles.values(), "name"]
    return _lined(shown.rename(columns=titles), columns, head=True)


def _lined(table: Any, columns: list[str], *, head: bool = False) -> str:
    """Return columns of text, each as wide as its longest cell; the last one as it is."""
    rows = [[str(cell) for cell in row] for row in table[columns].to_numpy()]
    if head:
        rows.insert(0, list(columns))
    widths = [max(len(row[k]) for row in rows) for k in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
