"""The sections on doing it: fieldwork, calendar, training, budget, precision, risks, ethics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from nsm.allocation.compare import comparison
from nsm.project.evidence import PLAN
from nsm.project.what_if import PLANS, WORLDS
from nsm.publication import Drawn, Section, Shown
from nsm.publication.style import MARKERS, SERIES, SOFT, WIDTH, blank, drawing, notice
from nsm.simulation.proposal import disbursed, enlarged, gantt, shared

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nsm.project.proposal.page import Words

MILLION = 1e6


def fieldwork(page: Words) -> Section:
    """Teams, days and routes."""
    team, quantities = page.prices.team, page.material.quantities
    text = page.say(
        "{teams} teams of {interviewers} interviewers and a supervisor work {weeks} weeks: "
        "{team_days} team-days, {person_days} interviewer-days. An interviewer screens "
        "{households} households or makes {interviews} interviews in a day. Each region's areas "
        "form one path (nearest neighbor, improved by 2-opt) between the centers of areas; it is "
        "cut into as many pieces as the region has teams, with about equal work. A road is taken "
        "as {detour} times the straight line. In all, teams travel {km} km between areas. The "
        "route of each team is in `routes.csv`, for internal use.",
        teams=quantities["teams"],
        interviewers=team.interviewers,
        weeks=quantities["field_weeks"],
        team_days=quantities["team_days"],
        person_days=quantities["person_days"],
        households=page.number(team.households, "general"),
        interviews=page.number(team.interviews, "general"),
        detour=page.number(team.detour, "decimal2"),
        km=quantities["travel_km"],
    )
    table = page.material.workload
    formats = dict.fromkeys(("households", "interviews", "team_days", "km"), "integer")
    caption = page.say("Work by region")
    shown = Shown(table, {**formats, "days": "decimal"})
    return Section(page.say("Organization of fieldwork"), text, tables={caption: shown})


def timetable(page: Words) -> Section:
    """Phases, as a table and a Gantt picture."""
    table = page.material.calendar
    shown = table.assign(
        phase=[page.named("phase", str(k)) for k in table["phase"]],
        start=[day.isoformat() for day in table["start"]],
        end=[day.isoformat() for day in table["end"]],
    )
    text = page.say(
        "From {start} to {end}. Fieldwork lasts as long as the busiest team needs.",
        start=min(table["start"]).isoformat(),
        end=max(table["end"]).isoformat(),
    )
    caption = page.say("Calendar")
    picture = Drawn(gantt(page.prices, table, page.language), caption)
    return Section(
        page.say("Calendar"), text, tables={page.say("Phases"): shown}, figures={caption: picture}
    )


def training(page: Words) -> Section:
    """Who is trained, for how long, in what."""
    quantities = page.material.quantities
    text = page.say(
        "{interviewers} interviewers and {supervisors} supervisors are trained for {days} days: "
        "purpose and confidentiality; lists of areas and of places where people sleep that are no "
        "dwellings; screening of everybody by country of birth and that of the parents; the "
        "interview, with practice in each language; tablets and sending of data; what to do when "
        "somebody fears. Who does not pass the final exercise does not go to the field.",
        interviewers=quantities["interviewers"],
        supervisors=quantities["supervisors"],
        days=quantities["training_days"],
    )
    return Section(page.say("Training"), text)


def economy(page: Words) -> Section:
    """Show the budget, line by line and in sums."""
    material, prices = page.material, page.prices
    sums, lines = material.totals, material.lines
    other = [
        f"{currency} {page.number(sums['whole'] / rate)}"
        for currency, rate in prices.exchange.items()
    ]
    text = page.say(
        "The survey costs **{whole}**{other}: {money} in money, of which {contingency} are for "
        "contingencies ({share}), and {kind} in kind. Quantities follow from the plan; the sheet "
        "`budget.xlsx` computes them again when a price or a quantity is changed.",
        whole=page.money(sums["whole"]),
        other=f" ({', '.join(other)})" if other else "",
        money=page.money(sums["money"]),
        contingency=page.money(sums["contingency"]),
        share=page.percent(prices.contingency),
        kind=page.money(sums["in_kind"]),
    )
    shown = lines[["code", "item", "unit", "quantity", "price", "amount", "funder"]].assign(
        item=[page.text(t) for t in lines["item"]],
        unit=[page.text(t) for t in lines["unit"]],
        funder=[page.named("funder", f) for f in lines["funder"]],
        in_kind=[page.say("yes") if k else page.say("no") for k in lines["in_kind"]],
    )
    whole = bool((lines["price"] % 1 == 0).all())
    formats = {
        "quantity": "decimal",
        "price": "integer" if whole else "decimal",
        "amount": "integer",
    }
    tables = {
        page.say("Budget by line ({currency})", currency=prices.currency): Shown(shown, formats)
    }
    for by, caption in (
        ("chapter", "Budget by chapter"),
        ("phase", "Budget by phase"),
        ("funder", "Budget by funder"),
    ):
        table = shared(prices, lines, by)
        table[by] = [page.named(by, str(code)) for code in table[by]]
        tables[page.say(caption)] = Shown(table, dict.fromkeys(table.columns[1:], "integer"))
    wide = disbursed(prices, lines)
    wide["phase"] = [page.named("phase", str(code)) for code in wide["phase"]]
    wide = wide.rename(columns={f: page.named("funder", f) for f in prices.funders})
    caption = page.say("Who pays when, without contingencies")
    tables[caption] = Shown(wide, dict.fromkeys(wide.columns[1:], "integer"))
    tables[page.say("What one more unit costs")] = _unit_costs(page)
    return Section(page.say("Budget"), text, tables=tables)


def _unit_costs(page: Words) -> Shown:
    """Return what the allocation took for costs beside what the price list makes of them."""
    asked, found = page.settings.allocation, page.material.unit_costs
    rows = [
        (page.say("area"), found["areas"], asked.area_cost),
        (page.say("household"), found["households"], asked.screening_cost),
        (page.say("interview"), found["interviews"], asked.interview_cost),
    ]
    table = pd.DataFrame(rows, columns=["what", "price_list", "assumed"])
    note = page.say(
        "Where both are far apart, put the first into [allocation] of survey.toml and run again: "
        "the cheapest allocation may be another."
    )
    return Shown(table, dict.fromkeys(table.columns[1:], "integer"), note)


def precision(page: Words) -> Section:
    """Show what CV is expected, and what the simulations found."""
    plan = page.material.plan
    goals = plan.precision[plan.precision["target"].notna()]
    names = [page.domain(d, v) for d, v in zip(goals["domain"], goals["value"], strict=True)]
    table = pd.DataFrame(
        {
            "domain": names,
            "variable": [page.variable(y) for y in goals["variable"]],
            "target": goals["target"].to_numpy(),
            "expected": goals["cv"].to_numpy(),
        }
    )
    text, found = _evidence(page, goals)
    if found is not None:
        table = pd.concat([table, found], axis=1)
    formats = dict.fromkeys(
        ("target", "expected", "simulated", "bias", "coverage", "publishable"), "percent"
    )
    beside = comparison(plan)
    beside["allocation"] = [page.say(str(name)) for name in beside["allocation"]]
    curve = page.say("Precision against cost")
    instead = _instead(page, goals[goals["domain"] == "all"])
    return Section(
        page.say("Expected precision"),
        text,
        tables={
            page.say("Expected and simulated precision"): Shown(table, formats),
            page.say("Beside a proportional allocation"): Shown(
                beside, {"n": "integer", "cost": "integer", "worst": "decimal2"}
            ),
            **instead,
        },
        figures={curve: Drawn(_curve(page, curve), curve)},
    )


def _instead(page: Words, goals: pd.DataFrame) -> dict[str, Shown]:
    """Return what a household survey that is there would need, if the price list names one."""
    existing, frame = page.prices.existing, page.material.frame.table
    if existing is None or goals.empty or "population" not in frame.columns:
        return {}
    targets = goals.set_index("variable")
    persons = float(frame["population"].sum())
    table = enlarged(
        targets["total"],
        persons,
        target=targets["target"],
        size=persons / float(frame[page.settings.frame.size].sum()),
        deff=existing.deff,
        n=existing.households,
    )
    table["variable"] = [page.variable(y) for y in table["variable"]]
    caption = page.say("If {name} were enlarged instead", name=page.text(existing.name))
    note = page.say(
        "It has {households} households; its design effect for migrants is taken as {deff}.",
        households=existing.households,
        deff=page.number(existing.deff, "decimal"),
    )
    formats = {"share": "percent2", "cv": "percent", "target": "percent"}
    return {caption: Shown(table, {**formats, "needed": "integer", "more": "decimal"}, note)}


def _curve(page: Words, title: str) -> Figure:
    """Draw the CVs of the whole country against the cost of fieldwork, with the plan on them."""
    plan = page.material.plan
    curve, own = plan.curve(), plan.precision[plan.precision["domain"] == "all"]
    with drawing():
        figure = blank(WIDTH, 3.4)
        axes = figure.add_subplot()
        for k, row in enumerate(own.to_dict("records")):
            points = curve[(curve["domain"] == "all") & (curve["variable"] == row["variable"])]
            color, mark = SERIES[k % len(SERIES)], MARKERS[k % len(MARKERS)]
            words = page.variable(row["variable"])
            axes.plot(points["cost"] / MILLION, 100 * points["cv"], color=color, label=words)
            axes.plot(plan.cost / MILLION, 100 * row["cv"], mark, color=color, markersize=8)
        axes.axvline(plan.cost / MILLION, color=SOFT, linestyle=":", linewidth=1)
        axes.text(plan.cost / MILLION, axes.get_ylim()[1], f" {page.say('plan')}", va="top")
        axes.set_xlabel(
            page.say("Cost of fieldwork, {currency} million", currency=page.prices.currency)
        )
        axes.set_ylabel(page.say("CV (%)"))
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        axes.legend()
        axes.set_title(title)
        if page.settings.survey.synthetic:
            notice(figure, page.language)
    return figure


def _evidence(page: Words, goals: pd.DataFrame) -> tuple[str, pd.DataFrame | None]:
    """Return what is said of the simulations, and their columns beside the targets."""
    if page.material.evidence is None:
        return page.say(
            "Expected CVs come from the model of the allocation. They were **not** tried in "
            "simulations: run `nsm simulate`, then `nsm propose` again."
        ), None
    if page.material.evidence_is_stale:
        return page.say(
            "Expected CVs come from the model of the allocation. There are simulations, but of "
            "another plan, so they are not shown: run `nsm simulate` again."
        ), None
    table = page.material.evidence[0]
    own = table[table["scheme"] == PLAN].set_index(["domain", "variable"])
    rows = []
    for row in goals.to_dict("records"):
        key = "all" if row["domain"] == "all" else f"{row['domain']}={row['value']}"
        at = (key, row["variable"])
        one = own.loc[at] if at in own.index else None
        values = (
            ("simulated", "sd", "truth"),
            ("bias", "bias", "truth"),
            ("coverage", "coverage", ""),
            ("publishable", "publishable", ""),
        )
        rows.append(
            {
                name: float("nan") if one is None else one[a] / (one[b] if b else 1.0)
                for name, a, b in values
            }
        )
    runs = int(own["runs"].max())
    return page.say(
        "Expected CVs come from the model of the allocation. Beside them stands what {runs} "
        "simulated surveys found, from selection to weighted estimates, on the synthetic "
        "population; with {runs} surveys a simulated CV is known to about {error}.",
        runs=runs,
        error=page.percent((1 / (2 * (runs - 1))) ** 0.5),
    ), pd.DataFrame(rows)


def risks(page: Words) -> Section:
    """Show what may come otherwise, and what it would do."""
    title = page.say("Risks and their measured effect")
    measured = page.material.evidence is not None and not page.material.evidence_is_stale
    tables = _worlds(page) if measured else {}
    if not tables:
        return Section(
            title,
            page.say(
                "What happens if migrants are fewer, fewer households answer, the prior is old, "
                "hot spots are unknown or prices rise was **not** measured: run `nsm simulate` "
                "with `--what-if` for each of prevalence, response, prior, hotspots and costs, "
                "then `nsm propose` again."
            ),
        )
    text = page.say(
        "Each row is the same survey in another world, or made in another way, with the same "
        "random numbers; figures are for the whole country."
    )
    return Section(title, text, tables=tables)


def _worlds(page: Words) -> dict[str, Shown]:
    """Return a table for each variable that has a target: the plan, then each world."""
    assert page.material.evidence is not None  # noqa: S101 (asked before)
    found, load = page.material.evidence
    cost = load[load["quantity"] == "cost"].set_index("scheme")["mean"]
    words = {PLAN: "As planned.", **WORLDS, **PLANS}
    kept = found[(found["domain"] == "all") & found["scheme"].isin(words)]
    if set(kept["scheme"]) <= {PLAN}:
        return {}
    formats = dict.fromkeys(("cv", "bias", "coverage", "publishable"), "percent")
    formats |= {"cv_change": "decimal2", "cost_change": "decimal2"}
    tables = {}
    for variable in page.settings.frame.expected:
        rows = kept[kept["variable"] == variable]
        cv = rows["sd"] / rows["truth"]
        table = pd.DataFrame(
            {
                "world": [page.say(words[s]) for s in rows["scheme"]],
                "cv": cv,
                "cv_change": cv / float(cv[rows["scheme"] == PLAN].iloc[0]),
                "bias": rows["bias"] / rows["truth"],
                "coverage": rows["coverage"],
                "publishable": rows["publishable"],
                "cost_change": rows["scheme"].map(cost) / cost[PLAN],
            }
        )
        name = page.variable(variable)
        tables[page.say("If the world is otherwise: {name}", name=name)] = Shown(table, formats)
    return tables


def ethics(page: Words) -> Section:
    """Say what protects the persons."""
    paragraphs = [
        page.say(
            "Taking part is voluntary. Nobody is asked for a document to be seen, and no name is "
            "kept with an answer. Who takes part is told who asks, what for, and that answers are "
            "not given to any authority, in a language of their own."
        ),
        page.say(
            "Data stay on encrypted tablets and servers of the office. Sampled areas, seeds and "
            "routes are internal: the public report shows strata and regions only, and no cell "
            "with fewer than {cases} cases. Place and legal status never stand side by side.",
            cases=page.settings.publication.minimum_cases,
        ),
        page.say(
            "Communities and organizations of migrants are met before fieldwork. A person who "
            "fears may stop at any time; teams know where to send who needs help."
        ),
    ]
    own = page.prices.texts.get("ethics")
    return Section(
        page.say("Ethics and data protection"),
        "\n\n".join([*paragraphs, *([page.text(own)] if own else [])]),
    )
