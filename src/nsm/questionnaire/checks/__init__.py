"""All checks of a questionnaire."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from nsm.errors import NsmError
from nsm.questionnaire.checks import codes, coverage, flow, languages, names, references
from nsm.questionnaire.checks.respondents import check_length, check_respondents
from nsm.questionnaire.findings import Finding
from nsm.questionnaire.reach import Reach
from nsm.questionnaire.solve import Solver
from nsm.questionnaire.uses import uses

if TYPE_CHECKING:
    from nsm.questionnaire.questionnaire import Questionnaire


def findings(form: Questionnaire) -> list[Finding]:
    """Return everything found, in the order of the form.

    What decides over answers (reachability, coverage, length) runs only where names, codes and
    types are right.
    """
    reach = Reach(form)
    found = [*form.problems, *_static(form, reach)]
    if any(each.severity == "error" and each.code < "Q600" for each in found):
        return found
    solver = Solver(form, reach)
    found.extend(_forms(form))
    found.extend(flow.check_flow(form, solver))
    found.extend(flow.check_rules(form, solver))
    found.extend(coverage.check_indicators(form, solver))
    found.extend(coverage.check_weighting(form, solver))
    found.extend(check_length(form))
    return found


def _static(form: Questionnaire, reach: Reach) -> Iterator[Finding]:
    used = list(uses(form, reach))
    paths = flow.circles(reach, used)
    edges = {edge for path in paths for edge in pairwise(path)}
    yield from names.check_names(form, reach)
    yield from flow.check_circles(reach, paths)
    yield from references.check_references(form, reach, used, edges)
    yield from references.check_texts(form, reach)
    yield from codes.check_lists(form)
    yield from codes.check_answers(form)
    yield from languages.check_languages(form, reach)
    yield from check_respondents(form)


def _forms(form: Questionnaire) -> Iterator[Finding]:
    """Find what XPath cannot express."""
    from nsm.questionnaire.xlsform import sheets

    try:
        sheets(form)
    except NsmError as error:
        yield Finding("Q208", form.name, "{reason}", reason=error)
