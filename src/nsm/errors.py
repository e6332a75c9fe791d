"""Errors that a user can mend, and the warnings that their results carry.

Every message says what is wrong, where, how often with the first cases, and what to do. An error
keeps its template and its values, so that the command line can say it in the user's language.

```
NsmError
├── InputError                what was given cannot be used
│   ├── FileError             a file that is missing, remote, or not what its name says
│   ├── ColumnError           a column that is not in a table
│   ├── KeyColumnError        a key that is missing, repeated or unknown
│   ├── ValueInColumnError    values that a column may not hold
│   ├── OptionError           an argument or option out of its range
│   ├── ConfigError           `survey.toml` or another description
│   └── ConditionError        a condition that cannot be read
├── FrameError                a sampling frame
├── AllocationError           a target or size that cannot be had
├── SelectionError            a sample that cannot be drawn or verified
├── QuestionnaireError        a questionnaire that cannot be built
├── FieldworkError            answers that do not fit the sample or the form
├── DesignError               a design that does not fit its data
│   ├── SingletonStratumError
│   └── MissingValueError     values that a statistic needs and does not have
├── WeightingError            a weighting step that cannot be taken
│   └── CalibrationError      controls that cannot be met
├── PublicationError          a table, rule or label that cannot be published
├── SimulationError           a population or a simulated survey that cannot be made
└── ProjectError              a stage that cannot run yet
```
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Self

PREVIEWED = 5


def preview(values: Iterable[object], most: int = PREVIEWED) -> str:
    """Give the first few values, quoted, with a mark where more follow.

    >>> preview(["a", "b"])
    "'a', 'b'"
    """
    first = list(islice(iter(values), most + 1))
    text = ", ".join(repr(getattr(v, "item", lambda v=v: v)()) for v in first[:most])
    return text + (" ..." if len(first) > most else "")


class Phrase(str):  # noqa: SLOT000 (a text with attributes, made by the hundred)
    """A text that can be said again in another language: a template, and its values by name.

    >>> Phrase("{count:,} areas", count=1200)
    '1,200 areas'
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """Write the text in the language of the template."""
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        return _phrase, (self.template, self.values)

    def said(self, translate: Callable[[str], str]) -> str:
        """Return the text through `translate`."""
        return translate(self.template).format(**self.values)


def _phrase(template: str, values: dict[str, object]) -> Phrase:
    return Phrase(template, **values)


def nearest(name: object, known: Collection[object]) -> Phrase:
    """Name the known word nearest to `name`, as the end of a message.

    >>> nearest("wieght", ["weight", "psu"])
    "Did you mean 'weight'?"
    >>> nearest("x", ["b", "a"])
    "Known: 'a', 'b'."
    """
    words = sorted(str(k) for k in known)
    close = get_close_matches(str(name), words, n=1)
    if close:
        return Phrase("Did you mean {word!r}?", word=close[0])
    return Phrase("Known: {words}.", words=preview(words, most=30))


def _shown(value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, Phrase):
        return value.said(translate)
    if isinstance(value, NsmError):
        return value.render(translate)
    if isinstance(value, list | tuple | set | frozenset):
        return preview(value)
    return value


def _rebuild(kind: type[NsmError], template: str, values: dict[str, object]) -> NsmError:
    return kind(template, **values)


class NsmError(Exception):
    """An error that its reader can mend.

    Parameters
    ----------
    template
        The message, with its values as `{names}`. Sequences show their first five members.
    values
        What the names stand for; they become attributes of the error.
    """

    def __init__(self, template: str, **values: object) -> None:
        self.template = template
        self.details = values
        vars(self).update(values)
        super().__init__(self.render())

    def render(self, translate: Callable[[str], str] = str) -> str:
        """Write the message, through `translate` where another language is wanted."""
        shown = {name: _shown(value, translate) for name, value in self.details.items()}
        return translate(self.template).format(**shown)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        return _rebuild, (type(self), self.template, self.details)


class InputError(NsmError):
    """What was given cannot be used."""


class FileError(InputError):
    """A file that is missing, remote, or not what its name says."""


class ColumnError(InputError):
    """A column that is not in a table."""


class KeyColumnError(InputError):
    """A key that is missing, repeated or unknown."""


class ValueInColumnError(InputError):
    """Values that a column may not hold."""


class OptionError(InputError):
    """An argument or option out of its range."""


class ConfigError(InputError):
    """A key or value of `survey.toml` or another description that cannot be used."""


class ConditionError(InputError):
    """A condition that cannot be read, with the place where reading stopped."""


class FrameError(NsmError):
    """A sampling frame that cannot be used as asked."""


class AllocationError(NsmError):
    """A target or size that cannot be had."""


class SelectionError(NsmError):
    """A sample that cannot be drawn or verified."""


class QuestionnaireError(NsmError):
    """A questionnaire that cannot be read or built."""


class FieldworkError(NsmError):
    """Answers that do not fit the sample or the questionnaire."""


class DesignError(NsmError):
    """A sampling design that does not fit its data."""


class SingletonStratumError(DesignError):
    """Strata with one sampled PSU, whose variance cannot be estimated."""


class MissingValueError(DesignError):
    """Missing values inside the domain of a statistic that needs them all."""


class WeightingError(NsmError):
    """A weighting step that cannot be taken."""


class CalibrationError(WeightingError):
    """Controls that cannot be met."""


class PublicationError(NsmError):
    """A table, rule or label that cannot be published."""


class SimulationError(NsmError):
    """A population or a simulated survey that cannot be made as described."""


class ProjectError(NsmError):
    """A project whose stage cannot run yet."""


class NsmWarning(UserWarning):
    """The result stands, and its reader must know this."""
