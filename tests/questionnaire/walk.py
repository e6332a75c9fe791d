"""Random interviews: answers that follow the form, as a person would give them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from nsm.condition.logic import holds
from nsm.condition.rows import Python
from nsm.questionnaire import Question, Questionnaire, Section
from nsm.questionnaire.reach import LINK, Reach

Row = dict[str, Any]
START = datetime(2027, 1, 15, 8)  # noqa: DTZ001  # the clock of a device


class Interview:
    """One submission: the answers outside rosters, and the rows of each roster."""

    def __init__(self, form: Questionnaire, rng: np.random.Generator, **given: Any) -> None:
        self.form, self.rng, self.given = form, rng, given
        self.reach = Reach(form)
        self.refusals = [rule for rule in form.rules if rule.severity == "error"]
        self.row: Row = {q.name: None for q in form.every_question if not q.rosters}
        self.rosters: dict[str, list[Row]] = {
            self.reach.roster(name): [] for name in self.reach.rosters
        }
        for section in form.contents:
            self.section(section, self.row)

    def engine(self, row: Row) -> Python:
        linked = {}
        for roster, rows in self.rosters.items():
            for link, pointer in self.reach.links(roster).items():
                position = row.get(pointer)
                other = rows[position - 1] if position and position <= len(rows) else {}
                names = self.reach.own((roster,))
                linked |= {f"{link}{LINK}{name}": other.get(name) for name in names}
        return Python({**self.row, **row, **linked}, self.rosters)

    def section(self, section: Section, row: Row) -> None:
        repeats = section.kind == "roster"
        if repeats and section.ask is not None and not holds(self.engine(row), section.ask.tree):
            return
        if section.kind != "roster":
            for part in section.contents:
                self.part(part, row)
            return
        rows = self.rosters[self.reach.roster(section.name)]
        if section.of is None:
            count = section.count.evaluate(self.engine(row).row) if section.count else 2
            for _ in range(int(count or 0)):
                rows.append(dict.fromkeys(self.reach.own((section.name,))))
                for part in section.contents:
                    self.part(part, rows[-1])
        else:
            for each in rows:
                for part in section.contents:
                    self.part(part, each)

    def part(self, part: Question | Section, row: Row) -> None:
        if isinstance(part, Section):
            self.section(part, row)
        elif part.held:
            row[part.name] = self.answer(part, row)

    def answer(self, question: Question, row: Row) -> Any:
        engine = self.engine(row)
        if not holds(engine, question.asked.tree):
            return None
        if question.name in self.given:
            return self.given[question.name]
        if question.type == "position":
            return len(self.rosters[self.reach.roster(question.rosters[-1])])
        if question.cases:
            cases = (code for code, case in question.cases if holds(engine, case.tree))
            return next(cases, question.otherwise)
        if question.value is not None:
            return question.value.evaluate(engine.row, self.rosters)
        for _ in range(200):
            found = self.free(question)
            row[question.name] = found
            if not self.refused(question, row):
                return found
        if question.required:
            raise AssertionError(f"no answer to {question.name} is let through: {row}")
        return None

    def refused(self, question: Question, row: Row) -> bool:
        engine = self.engine(row)
        if question.filter is not None and row[question.name] is not None:
            codes = {c.code: c.attributes for c in self.form.lists[str(question.list)].codes}
            chosen = engine.row | dict(codes[row[question.name]])
            if not holds(Python(chosen, self.rosters), question.filter.tree):
                return True
        return any(
            holds(engine, rule.when.tree) for rule in self.refusals if rule.at == question.name
        )

    def free(self, question: Question) -> Any:
        rng = self.rng
        if not question.required and rng.random() < 0.3:
            return None
        codes = self.form.codes(question)
        if question.type == "boolean":
            return bool(rng.integers(2))
        if question.type == "many":
            kept = [str(code) for code in codes if rng.random() < 0.4] or [str(codes[0])]
            return " ".join(kept)
        if codes:
            few = codes[:4] if len(codes) > 30 else codes
            found = few[rng.integers(len(few))]
            return found if isinstance(found, str) else int(found)
        low, high = question.range
        low = 0 if low is None else low
        high = low + 100 if high is None else high
        if question.kind == "number":
            near = (low, min(high, low + 60)), (max(low, high - 40), high), (low, high)
            least, most = near[rng.choice(3, p=[0.5, 0.3, 0.2])]
            return int(rng.integers(least, most + 1))
        if question.type in {"start", "today"}:
            return START
        if question.type == "end":
            return START + timedelta(minutes=45)
        if question.kind == "date":
            return START + timedelta(days=int(rng.integers(30)))
        return f"text {rng.integers(1000)}"


def interviews(form: Questionnaire, count: int, seed: int = 1, **given: Any) -> list[Interview]:
    """Return interviews in dwellings of their own."""
    rng = np.random.default_rng(seed)
    return [
        Interview(
            form,
            rng,
            area=f"{n // 10:013d}",
            dwelling=f"{n // 10:013d}-{n % 10:03d}",
            household_number=1,
            **given,
        )
        for n in range(count)
    ]
