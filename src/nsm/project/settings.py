"""`survey.toml`, read into frozen settings: every key known, every value of its type."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from nsm.errors import ConfigError, nearest
from nsm.files import library, local_path

LANGUAGES = ("es", "en")


@dataclass(frozen=True)
class SurveySettings:
    """What the survey is."""

    name: Mapping[str, str]
    country: str
    year: int
    seed: int
    language: str = "es"
    synthetic: bool = False
    notice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Concentration:
    """Strata by prior prevalence: classes of it, inside the classes of other columns.

    `cuts` are the borders; without them `rule` finds those of `strata` classes (the rules of
    `nsm.stratify`; some need the `cv` that a sample of areas is to have of the expected migrants).
    """

    cuts: tuple[float, ...] = ()
    within: tuple[str, ...] = ()
    rule: str = ""
    strata: int = 5
    cv: float | None = None


@dataclass(frozen=True)
class Aging:
    """An old prior: its years, and the share of an area's deviation that is left after each."""

    age: float
    persistence: float


@dataclass(frozen=True)
class Persons:
    """A census file of persons, of which `nsm frame build` makes the areas.

    `counts` names new columns and the condition of the rows that each counts ("" for all); `carry`
    the columns that are the same in all rows of an area.
    """

    source: str
    counts: Mapping[str, str]
    key: str = "area"
    carry: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrameSettings:
    """The sampling frame and its strata."""

    source: str
    size: str
    concentration: Concentration
    expected: Mapping[str, str] = field(default_factory=dict)
    aging: Aging | None = None
    persons: Persons | None = None


@dataclass(frozen=True)
class AllocationSettings:
    """How many areas, where.

    The size is that of the targets in `precision`, or `n` areas, or what a `budget` pays; `y`,
    `power` and `importance` are what some rules need. `take_none` names strata in which nothing is
    drawn. `strata` names a table of strata (as `nsm.allocate` takes it) in the place of the one
    made of the areas, for two stages or moments from a former round.
    `prior_error` by variable; `prior_error_in` by column, value of it and variable.
    """

    precision: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rule: str = "bethel"
    n: int | None = None
    budget: float | None = None
    y: str | None = None
    power: float = 0.5
    importance: float = 1.0
    minimum: int = 2
    take_none: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    area_cost: float = 1.0
    screening_cost: float = 0.0
    interview_cost: float = 0.0
    prior_error: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    prior_error_in: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]] = field(
        default_factory=dict
    )
    response: float = 1.0
    currency: str = ""
    strata: str = ""


@dataclass(frozen=True)
class SelectionSettings:
    """How the areas are drawn.

    `order` sorts the list of a systematic sample; `spread` and `balance` name the columns that
    other methods need. `permanent` is the seed of permanent random numbers, the same in all surveys
    that are coordinated, and `start` where this one begins on their circle.
    """

    method: str = "systematic"
    order: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()
    permanent: int | None = None
    start: float = 0.0
    reserve: float = 0.0
    seed: int | None = None


@dataclass(frozen=True)
class QuestionnaireSettings:
    """The form."""

    source: str


@dataclass(frozen=True)
class SimulatedField:
    """A rehearsal: the answers of a synthetic population.

    `answers` names the rules by which it answers what its description does not hold.
    """

    population: str
    truth: str = ""
    scenario: str = "recorded"
    answers: str | None = None


@dataclass(frozen=True)
class FieldSettings:
    """Where the answers come from: a folder with one file a table, or a rehearsal.

    `native_fraction` is the fraction of dwellings whose natives have the individual interview.
    """

    source: str | None = None
    simulation: SimulatedField | None = None
    native_fraction: float = 1.0


@dataclass(frozen=True)
class WeightingSettings:
    """The recipe: steps on dwellings, then on persons, then on interviews."""

    dwellings: tuple[Mapping[str, Any], ...] = ()
    persons: tuple[Mapping[str, Any], ...] = ()
    interviews: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class SeriesSettings:
    """A statistic as a series of the global SDG data: its codes there, and 100 for percent."""

    code: str
    unit: str = "NUMBER"
    scale: float = 1.0


@dataclass(frozen=True)
class TableSettings:
    """A table of estimates.

    `of` is `persons` (all who were screened) or `interviews`; `gap` names two labels of the one
    column in `by`: each statistic's difference between them is added. `columns` are those of `by`
    (or `variable`) whose labels stand side by side where the table is printed, the others are its
    rows. `note` stands below it. `series` names the SDG series of its statistics, for SDMX.
    """

    title: Mapping[str, str]
    statistics: Mapping[str, str]
    by: tuple[str, ...] = ()
    where: str | None = None
    of: str = "persons"
    margins: bool = False
    gap: tuple[str, ...] = ()
    planned: bool = False
    columns: tuple[str, ...] = ()
    note: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, SeriesSettings] = field(default_factory=dict)


@dataclass(frozen=True)
class EstimationSettings:
    """What is estimated."""

    headline: str
    tables: Mapping[str, TableSettings]
    derived: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetSettings:
    """A national goal of an indicator; `better` is `higher` or `lower`, where it is known."""

    value: float
    year: int
    better: str = ""


@dataclass(frozen=True)
class IndicatorSettings:
    """The indicators that are computed and published.

    `codes` are codes or families, `all` for every one of the registry; none are computed if it is
    empty. `by` are disaggregations, each a list of columns; everyone comes first. `gap` names two
    labels of the column `gap_on`, whose difference is estimated. `planned` are the domains that the
    sample was designed for, `targets` national goals by code, `registry` a TOML of the country's
    own indicators.
    """

    registry: str = ""
    codes: tuple[str, ...] = ()
    by: tuple[tuple[str, ...], ...] = ()
    gap: tuple[str, ...] = ()
    gap_on: str = "status"
    planned: tuple[str, ...] = ()
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)


@dataclass(frozen=True)
class PublicationSettings:
    """How it is published.

    `formats` are those of the tables: `csv, parquet, excel, html, latex, spss, stata, sdmx,
    package`. `previous` is the folder of the round before, a project that has been run.
    """

    rule: str = "eclac2023"
    formats: tuple[str, ...] = ("csv", "parquet", "excel")
    languages: tuple[str, ...] = LANGUAGES
    minimum_cases: int = 10
    previous: str | None = None


@dataclass(frozen=True)
class Settings:
    """A whole `survey.toml`."""

    survey: SurveySettings
    frame: FrameSettings
    allocation: AllocationSettings
    selection: SelectionSettings
    questionnaire: QuestionnaireSettings
    field: FieldSettings
    weighting: WeightingSettings
    estimation: EstimationSettings
    publication: PublicationSettings = PublicationSettings()
    indicators: IndicatorSettings = IndicatorSettings()


@dataclass(frozen=True)
class Source:
    """A value of the file, and where it stands: for messages."""

    file: Path
    place: tuple[str, ...] = ()

    def inside(self, key: str) -> Source:
        """Return the place of a key below."""
        return Source(self.file, (*self.place, key))

    def __str__(self) -> str:
        return ".".join(self.place) or "the file"


def read_settings(path: str | Path) -> Settings:
    """Read and check a `survey.toml`.

    Raises
    ------
    FileError
        It is not there.
    ConfigError
        It is no TOML, or a key is unknown or missing, or a value has another type, or an expression
        cannot be read.
    """
    from nsm.project.coverage import labelled
    from nsm.project.expressions import check

    file = local_path(path)
    if file.is_dir():
        file = local_path(file / "survey.toml")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "{file} is not TOML: {reason}", file=str(file), reason=str(error)
        ) from error
    settings: Settings = _made(Settings, content, Source(file))
    check(settings, file.name)
    return labelled(settings)


def resolve(folder: Path, name: str) -> Path:
    """Return a path named in the settings: inside the project, or data that nsm brings.

    Raises
    ------
    FileError
        It is neither, or not local.
    """
    local_path(name, exists=False)  # an address is refused before it looks like a folder
    beside = local_path(folder / name, exists=False)
    if beside.exists():
        return beside
    if name.split("/", 1)[0] in {"frames", "questionnaires"}:
        return library(name)
    return local_path(folder / name)


def _made(kind: type, value: Any, source: Source) -> Any:
    """Make a settings object of a table."""
    if not isinstance(value, Mapping):
        raise _wrong(source, value, "a table")
    hints = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise ConfigError(
                "{file}: {place} has an unknown key {key!r}. {hint}",
                file=source.file.name,
                place=_section(source),
                key=key,
                hint=nearest(key, fields),
            )
    made = {}
    for name, f in fields.items():
        if name in value:
            made[name] = _typed(hints[name], value[name], source.inside(name))
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ConfigError(
                "{file}: {place} misses the key {key!r}.",
                file=source.file.name,
                place=_section(source),
                key=name,
            )
    return kind(**made)


def _typed(hint: Any, value: Any, source: Source) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        inner = next(a for a in arguments if a is not type(None))
        return _typed(inner, value, source)
    if dataclasses.is_dataclass(hint):
        return _made(typing.cast("type", hint), value, source)
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(source, value, "a list")
        return tuple(
            _typed(arguments[0], v, source.inside(str(i + 1))) for i, v in enumerate(value)
        )
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise _wrong(source, value, "a table")
        return {k: _typed(arguments[1], v, source.inside(k)) for k, v in value.items()}
    return _plain(hint, value, source)


def _plain(hint: Any, value: Any, source: Source) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise _wrong(source, value, words[hint])
    return value


def _section(source: Source) -> str:
    return f"[{'.'.join(source.place)}]" if source.place else "survey.toml"


def _wrong(source: Source, value: Any, wanted: str) -> ConfigError:
    return ConfigError(
        "{file}: {place} is {value!r}; it must be {wanted}.",
        file=source.file.name,
        place=str(source),
        value=value,
        wanted=wanted,
    )
