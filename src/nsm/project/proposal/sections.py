"""The sections on what will be known and how: background to questionnaire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nsm.publication import Drawn, Section, Shown
from nsm.publication.style import INK, RULE, STEPS, WIDTH, blank, drawing, notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nsm.project.proposal.page import Words


def background(page: Words) -> Section:
    """Say what is known before the survey."""
    frame, settings = page.material.frame, page.settings
    expected = {name: float(frame.table[name].sum()) for name in settings.frame.expected}
    said = ", ".join(
        f"{page.variable(name).lower()}: {page.number(value)}" for name, value in expected.items()
    )
    paragraphs = [
        page.say(
            "{name} is to be made in {year}. Its frame has {areas} areas with {households} "
            "households. From what is known before the survey it expects: {expected}.",
            name=page.text(settings.survey.name),
            year=str(settings.survey.year),
            areas=len(frame.table),
            households=float(frame.table[settings.frame.size].sum()),
            expected=said,
        ),
        page.say(
            "Migrants are few, live close together and are partly hidden. General household "
            "surveys meet too few of them. This survey draws whole areas, more where migrants are "
            "expected, and screens everybody who sleeps there."
        ),
    ]
    own = page.prices.texts.get("background")
    return Section(
        page.say("Background"), "\n\n".join([*paragraphs, *([page.text(own)] if own else [])])
    )


def objectives(page: Words) -> Section:
    """Say what is to be known, how well, where."""
    plan = page.material.plan
    goals = plan.precision[plan.precision["target"].notna()]
    table = pd.DataFrame(
        {
            "domain": [
                page.domain(d, v) for d, v in zip(goals["domain"], goals["value"], strict=True)
            ],
            "variable": [page.variable(y) for y in goals["variable"]],
            "total": goals["total"].to_numpy(),
            "target": goals["target"].to_numpy(),
        }
    )
    text = page.say(
        "To estimate how many immigrants and descendants live in the country, where and how, each "
        "number with its margin of error. Targets are coefficients of variation (CV): standard "
        "error over estimate. There are {count} targets.",
        count=len(goals),
    )
    shown = Shown(table, {"target": "percent", "total": "integer"})
    return Section(
        page.say("Objectives and domains"), text, tables={page.say("Targets of precision"): shown}
    )


def design(page: Words) -> Section:
    """Strata, allocation, selection."""
    plan, quantities = page.material.plan, page.material.quantities
    method = page.settings.selection.method
    text = page.say(
        "**{areas} areas** are drawn in {strata} strata, with probability proportional to their "
        "households ({method} selection, rule `{rule}`), and taken whole: about {households} "
        "households are screened and {interviews} persons interviewed. Another {reserve} areas are "
        "in reserve. The fieldwork of this allocation costs {cost}.{best}",
        best=_best(page),
        areas=quantities["areas"],
        strata=quantities["strata"],
        method=page.say(method),
        rule=plan.rule,
        households=quantities["households"],
        interviews=quantities["interviews"],
        reserve=quantities["reserve_areas"],
        cost=page.money(plan.cost),
    )
    columns = {"population": "areas", "n": "drawn", "probability": "fraction"}
    strata = plan.table[["stratum", *columns]].rename(columns=columns)
    caption = page.say("Areas drawn, by stratum")
    picture = page.say("Allocation to strata, beside a proportional one")
    return Section(
        page.say("Design and sample"),
        text,
        tables={caption: Shown(strata, {"fraction": "percent2"})},
        figures={**_map(page), picture: Drawn(plan.plot("allocation", page.language), picture)},
    )


def _best(page: Words) -> str:
    """Return how near the plan is to the cheapest there can be, where that is known."""
    gap = page.material.plan.gap
    if gap is None:
        return ""
    return " " + page.say(
        "No allocation that meets all targets costs less by more than {gap}.",
        gap=page.number(max(gap, 0.0), "percent2"),
    )


def _map(page: Words) -> dict[str, Drawn]:
    if page.material.frame.boundaries is None:
        return {}
    caption = page.say("Areas drawn, by region")
    return {caption: Drawn(_sample_map(page, caption), caption)}


def _sample_map(page: Words, title: str) -> Figure:
    from nsm.publication.maps import outlines

    region = page.material.region
    shapes = outlines(page.material.frame, region)
    count = page.material.areas.groupby(region).size()
    shapes["drawn"] = shapes[region].astype("str").map(count).fillna(0).astype(int)
    classes = pd.qcut(shapes["drawn"].rank(method="first"), min(len(STEPS) - 1, len(shapes)))
    with drawing():
        figure = blank(WIDTH, 4.6)
        axes = figure.add_subplot()
        colors = [STEPS[code] for code in classes.cat.codes]
        shapes.plot(ax=axes, color=colors, edgecolor="white", linewidth=0.8)
        for point, drawn in zip(
            shapes.geometry.representative_point(), shapes["drawn"], strict=True
        ):
            words = page.number(drawn)
            box = {"facecolor": "white", "edgecolor": RULE, "boxstyle": "round,pad=0.2"}
            axes.text(point.x, point.y, words, ha="center", va="center", color=INK, bbox=box)
        axes.set_axis_off()
        axes.set_title(title)
        if page.settings.survey.synthetic:
            notice(figure, page.language)
    return figure


def questionnaire(page: Words) -> Section:
    """Contents and length of the form."""
    form, lengths = page.material.form, page.material.lengths
    asked = [q for q in form.every_question if not q.silent]
    parts = pd.Series([q.sections[-1] for q in asked]).value_counts(sort=False)
    table = parts.rename_axis("section").reset_index(name="questions")
    table["section"] = [_section_words(page, str(name)) for name in table["section"]]
    tables = {page.say("Questions, by section"): Shown(table)}
    if len(lengths):
        minutes = Shown(lengths[["route", "questions", "words", "minutes"]], {"minutes": "decimal"})
        tables[page.say("Length of the interview, by route")] = minutes
    text = page.say(
        "The form has {questions} questions in {languages} languages, and is compiled for tablets "
        "(XLSForm). Lengths are estimated from the words that are read and the kind of answer; a "
        "pilot replaces them.",
        questions=len(asked),
        languages=len(form.languages),
    )
    return Section(page.say("Questionnaire"), text, tables=tables)


def _section_words(page: Words, name: str) -> str:
    form = page.material.form
    language = page.language if page.language in form.languages else form.languages[0]
    try:
        return str(form.text(name, language)) or name
    except KeyError:
        return name


def indicators(page: Words) -> Section:
    """List what the survey will deliver."""
    rows = [
        {
            "indicator": page.text(table.title),
            "statistics": ", ".join(page.variable(name) for name in table.statistics),
            "by": ", ".join(page.column(c) for c in table.by),
        }
        for table in page.settings.estimation.tables.values()
    ]
    text = page.say(
        "Every number is delivered with standard error, CV, confidence interval, design effect and "
        "cases, and with the verdict of the quality rule `{rule}`: publishable, with caution, or "
        "not. Cells with fewer than {cases} cases are not shown.",
        rule=page.settings.publication.rule,
        cases=page.settings.publication.minimum_cases,
    )
    caption = page.say("Tables to be delivered")
    return Section(
        page.say("Indicators to be delivered"), text, tables={caption: pd.DataFrame(rows)}
    )
