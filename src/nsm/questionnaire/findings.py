"""Findings of the checks: a stable code, a place, what is wrong, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nsm.errors import NsmError, preview
from nsm.language import translate, worded

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("code", "severity", "where", "count", "message", "examples")

# Code -> severity, title. Errors keep a questionnaire from being built.
CODES = {
    "Q101": ("error", "A name is used twice"),
    "Q102": ("error", "A name that the data formats cannot hold"),
    "Q103": ("error", "A reserved word as a name"),
    "Q104": ("error", "Names that differ in upper and lower case only"),
    "Q201": ("error", "A condition uses a name that does not exist"),
    "Q202": ("error", "A condition uses a later question"),
    "Q203": ("error", "A condition reaches into a roster"),
    "Q204": ("error", "A text shows a name that is not in its reach"),
    "Q205": ("error", "A code list that does not exist"),
    "Q206": ("error", "A roster that does not exist"),
    "Q207": ("error", "A condition that cannot be read"),
    "Q208": ("error", "A condition that forms cannot express"),
    "Q209": ("error", "An unknown key, type or value in the source"),
    "Q301": ("error", "Questions that depend on each other in a circle"),
    "Q302": ("error", "A question that nobody reaches"),
    "Q303": ("warning", "A condition that is always true"),
    "Q304": ("info", "A condition too large to decide"),
    "Q305": ("error", "A rule that refuses every answer"),
    "Q306": ("warning", "A rule that refuses nothing"),
    "Q401": ("error", "A condition uses a code that is not in the list"),
    "Q402": ("error", "A code stands twice in a list"),
    "Q403": ("error", "Codes that overlap"),
    "Q404": ("error", "A code for missing answers that is also an answer"),
    "Q405": ("error", "One name for code lists or texts that differ"),
    "Q406": ("warning", "A code list that no question uses"),
    "Q407": ("error", "A code that is not in the standard classification"),
    "Q408": ("error", "A code list without codes, or a question that needs one"),
    "Q501": ("error", "Values of different types are compared"),
    "Q502": ("error", "A range that cannot be met"),
    "Q503": ("error", "A condition compares with a number out of range"),
    "Q601": ("error", "A text is missing in a language"),
    "Q602": ("error", "The languages of a text show different names"),
    "Q603": ("warning", "A text that is too long"),
    "Q604": ("warning", "A text that belongs to nothing"),
    "Q605": ("warning", "A text that was not translated"),
    "Q701": ("error", "An indicator's variable is not collected"),
    "Q702": ("error", "An indicator's variable is not collected in its whole universe"),
    "Q703": ("warning", "A variable without the reference period its indicator needs"),
    "Q704": ("error", "An indicator that is not known"),
    "Q711": ("error", "A variable for weighting is not collected"),
    "Q712": ("error", "A variable for calibration is not asked of everybody"),
    "Q801": ("error", "A sensitive question without protocol"),
    "Q802": ("warning", "An interview that takes too long"),
    "Q803": ("info", "A question without concept or standard"),
    "Q804": ("error", "A proxy may answer a sensitive question"),
    "Q901": ("error", "Something in a form that has no word here"),
    "Q902": ("warning", "Something in a form that is left out"),
    "X101": ("error", "A crosswalk's target that does not exist"),
    "X102": ("error", "A target with several rows"),
    "X103": ("error", "Targets without a row"),
    "X104": ("error", "A status that is none"),
    "X105": ("error", "A loss that is not explained"),
    "X106": ("error", "A rule that cannot be read"),
    "X107": ("error", "A source that does not exist"),
    "X108": ("error", "Source codes without a place"),
    "X109": ("error", "Source codes that do not exist"),
    "X110": ("error", "Codes that the target does not have"),
    "X111": ("error", "A rule called full that reaches some codes only"),
}


class Finding:
    """One finding; its message is a template with its values, so that it can be translated.

    Parameters
    ----------
    code
        One of `CODES`.
    where
        Module, question and language, as they apply: `roster.age (en)`.
    message
        What is wrong and the way out, with values as `{names}`; lists show their first five.
    """

    def __init__(self, code: str, where: str, message: str, **values: object) -> None:
        self.code = code
        self.where = where
        self.message = message
        self.values = values

    @property
    def severity(self) -> str:
        """Return `error`, `warning` or `info`."""
        return CODES[self.code][0]

    @property
    def examples(self) -> list[object]:
        """The first values of the first list in the message."""
        lists = (v for v in self.values.values() if isinstance(v, list | tuple))
        return list(next(lists, ()))[:5]

    @property
    def count(self) -> int:
        """How often it was found."""
        lists = [v for v in self.values.values() if isinstance(v, list | tuple)]
        return len(lists[0]) if lists else 1

    def text(self, language: str = "en") -> str:
        """Write the message in a language."""
        shown: dict[str, object] = {}
        for name, value in self.values.items():
            if isinstance(value, NsmError):
                shown[name] = value.render(lambda text: translate(text, language))
            else:
                shown[name] = preview(value) if isinstance(value, list | tuple) else value
        return worded(self.message, shown, language)


def _listed(finding: Finding) -> str:
    return ", ".join(str(example) for example in finding.examples)


def table(findings: Iterable[Finding], language: str = "en") -> pd.DataFrame:
    """Return findings as a table, errors first, then by code and place."""
    import pandas as pd

    order = {"error": 0, "warning": 1, "info": 2}
    rows = [
        (f.code, f.severity, f.where, f.count, f.text(language), _listed(f))
        for f in sorted(findings, key=lambda f: (order[f.severity], f.code, f.where))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"count": "int64"})
