"""Which names a place in the form can use.

A question sees the questions of its own row and of the rows and sections around it. It sees inside
a roster only through `count, any, min, max, sum`. Two passes over one roster are one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from nsm.condition import Kind, Scope
from nsm.questionnaire.model import Question, Rule, Section

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire

Chain = tuple[str, ...]
LINK = "__"


class Reach:
    """The names of a form, by where they can be used."""

    def __init__(self, form: Questionnaire) -> None:
        self.form = form
        self.rosters: dict[str, Section] = {s.name: s for s in form.sections if s.kind == "roster"}
        self.order = {q.name: n for n, q in enumerate(form.every_question)}

    def roster(self, name: str) -> str:
        """Return the roster whose rows `name` visits: itself, or the one it is a second pass of."""
        return self.rosters[name].of or name if name in self.rosters else name

    def chain(self, part: Question | Rule) -> Chain:
        """Return the rosters around a part, with second passes called by the first's name."""
        return self.canonical(part.rosters)

    def canonical(self, rosters: Chain) -> Chain:
        """Return a chain of rosters with second passes called by the first's name."""
        return tuple(self.roster(name) for name in rosters)

    @cached_property
    def _by_chain(self) -> dict[Chain, dict[str, Kind]]:
        found: dict[Chain, dict[str, Kind]] = {}
        for question in self.form.every_question:
            if question.held:
                found.setdefault(self.chain(question), {})[question.name] = question.kind
        return found

    def own(self, chain: Chain) -> Mapping[str, Kind]:
        """Return the names asked in exactly this chain of rosters."""
        return self._by_chain.get(chain, {})

    @cached_property
    def _links(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for name, section in self.rosters.items():
            found.setdefault(self.roster(name), {}).update(section.links)
        return found

    def links(self, roster: str) -> Mapping[str, str]:
        """Return link -> the question that holds the position of the linked row."""
        return self._links.get(roster, {})

    def scope(self, chain: Chain) -> Scope:
        """Return what a part inside these rosters can use."""
        if chain not in self._scopes:
            self._scopes[chain] = self._scope(chain)
        return self._scopes[chain]

    @cached_property
    def _scopes(self) -> dict[Chain, Scope]:
        return {}

    def _scope(self, chain: Chain) -> Scope:
        kinds: dict[str, Kind] = {}
        for depth in range(len(chain) + 1):
            kinds |= self.own(chain[:depth])
        if chain:
            inner = self.own(chain)
            for link in self.links(chain[-1]):
                kinds |= {f"{link}{LINK}{name}": kind for name, kind in inner.items()}
        rosters = {
            other[-1]: self.own(other)
            for other in self._by_chain
            if other and other[:-1] == chain[: len(other) - 1]
        }
        return Scope(kinds, rosters)

    def base(self, name: str) -> str:
        """Return the question behind a name: `mother__age` is an `age`."""
        return name.split(LINK, 1)[1] if LINK in name else name
