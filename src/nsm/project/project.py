"""The project: a folder with a `survey.toml`, and the stages that make a survey of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from nsm.errors import FileError, OptionError, Phrase, ProjectError, nearest
from nsm.files import content_hash, local_path
from nsm.project.lock import Record, joined, package_hash, read_lock, settings_hash, write_lock
from nsm.project.settings import Settings, read_settings, resolve

RESULTS = "results"
LOCK = "nsm.lock"
SCRATCH = ".nsm"
RUNNING = "running"  # locked while a run is at work

Progress = Callable[[str, Phrase | None], None]


@dataclass(frozen=True)
class StageKind:
    """A stage: what it is made from, and the module that makes it.

    Parameters
    ----------
    after
        Stages whose results it reads.
    sections
        Sections of `survey.toml` that it reads.
    """

    after: tuple[str, ...]
    sections: tuple[str, ...]


# In the order of the work.
STAGES: Mapping[str, StageKind] = {
    "frame": StageKind((), ("frame",)),
    "allocation": StageKind(("frame",), ("frame", "allocation", "selection")),
    "selection": StageKind(("frame", "allocation"), ("frame", "selection")),
    "questionnaire": StageKind((), ("questionnaire",)),
    "field": StageKind(("selection", "questionnaire"), ("frame", "questionnaire", "field")),
    "weighting": StageKind(("selection", "field"), ("weighting",)),
    "estimation": StageKind(("weighting",), ("estimation",)),
    "indicators": StageKind(("weighting",), ("estimation", "indicators")),
    "publication": StageKind(
        (
            "frame",
            "allocation",
            "selection",
            "questionnaire",
            "field",
            "weighting",
            "estimation",
            "indicators",
        ),
        ("estimation", "indicators", "publication"),
    ),
}


@dataclass(frozen=True)
class Made:
    """What a stage tells of itself: facts for the lock, a line for the terminal."""

    facts: Mapping[str, Any]
    line: Phrase


@dataclass(frozen=True)
class State:
    """Whether a stage is fresh, and if not, why."""

    stage: str
    fresh: bool
    why: str | Phrase


@dataclass(frozen=True)
class Project:
    """A survey project.

    Parameters
    ----------
    path
        Its `survey.toml`, or the folder that holds it.

    Examples
    --------
    >>> import nsm
    >>> project = nsm.Project("examples/eni-do/survey.toml")
    >>> project.settings.survey.country
    'DOM'
    """

    path: Path
    settings: Settings = field(repr=False)

    def __init__(self, path: str | Path = "survey.toml") -> None:
        file = local_path(path)
        if file.is_dir():
            file = local_path(file / "survey.toml")
        object.__setattr__(self, "path", file.resolve())
        object.__setattr__(self, "settings", read_settings(file))

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.path.parent

    def source(self, name: str) -> Path:
        """Return a file or folder that the settings name."""
        return resolve(self.folder, name)

    def results(self, stage: str, *names: str) -> Path:
        """Return the folder of a stage's results, or a file in it.

        Raises
        ------
        ProjectError
            The stage has not been run.
        """
        folder = self.folder / RESULTS / stage
        path = folder.joinpath(*names)
        if not path.exists():
            raise ProjectError(
                "Stage {stage!r} has not been run: {file} is not there. Run `nsm run {stage}` "
                "first.",
                stage=stage,
                file=path.relative_to(self.folder).as_posix(),
            )
        return path

    def facts(self, stage: str) -> Mapping[str, Any]:
        """Return what a stage told of itself."""
        records = read_lock(self.folder / LOCK)
        return records[stage].facts if stage in records else {}

    def states(self) -> list[State]:
        """Say of each stage whether it is fresh, in the order of the work."""
        records = read_lock(self.folder / LOCK)
        found: list[State] = []
        stale: set[str] = set()
        for name, kind in STAGES.items():
            above = [s for s in kind.after if s in stale]
            why = self._why(name, records)
            if not why and above:
                why = Phrase("{part} is stale", part=above[0])
            if why:
                stale.add(name)
            found.append(State(name, not why, why))
        return found

    def run(
        self, stages: Sequence[str] = (), *, force: bool = False, progress: Progress | None = None
    ) -> list[State]:
        """Run what is stale, in order, and all that it needs.

        Parameters
        ----------
        stages
            The stages that are wanted, with those before them; all if none is named.
        force
            Run the named stages even if they are fresh.
        progress
            Is told the stage and a line, when it starts (None) and when it ends.

        Returns
        -------
        The stages that were run, with the reason.
        """
        wanted = self._with_needs(stages)
        done = []
        with self._alone():
            self._tidy()
            for name in wanted:
                records = read_lock(self.folder / LOCK)
                forced = Phrase("asked for") if force and name in stages else ""
                why = self._why(name, records) or forced
                if not why:
                    continue
                if progress:
                    progress(name, None)
                line = self._make(name, records)
                done.append(State(name, fresh=True, why=why))
                if progress:
                    progress(name, line)
        return done

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other runs out of the project; the system frees a killed run's lock."""
        from filelock import FileLock, Timeout

        scratch = self.folder / SCRATCH
        scratch.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(scratch / RUNNING, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise ProjectError(
                "Another nsm run is at work in {folder}. Wait until it has ended.",
                folder=str(self.folder),
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _with_needs(self, stages: Sequence[str]) -> list[str]:
        for name in stages:
            if name not in STAGES:
                raise OptionError(
                    "There is no stage {stage!r}. {hint}", stage=name, hint=nearest(name, STAGES)
                )
        wanted = set(stages) or set(STAGES)
        for name in reversed(list(STAGES)):
            if name in wanted:
                wanted |= set(STAGES[name].after)
        return [name for name in STAGES if name in wanted]

    def _why(self, name: str, records: Mapping[str, Record]) -> str | Phrase:
        """Return why a stage is stale; nothing if it is fresh."""
        if name not in records:
            return Phrase("never run")
        record = records[name]
        parts = self._parts(name, records)
        changed = [part for part, value in parts.items() if record.parts.get(part) != value]
        if changed:
            return Phrase("{part} changed", part=changed[0])
        folder = self.folder / RESULTS / name
        for file, value in record.outputs.items():
            if not (folder / file).exists():
                return Phrase("{part} is missing", part=file)
            if content_hash(folder / file) != value:
                return Phrase("{part} was changed by hand", part=file)
        return ""

    def _parts(self, name: str, records: Mapping[str, Record]) -> dict[str, str]:
        kind = STAGES[name]
        parts = {"nsm": package_hash(), "[survey]": settings_hash(self.settings.survey)}
        for section in kind.sections:
            parts[f"[{section}]"] = settings_hash(getattr(self.settings, section))
        for file in self._files(name):
            parts[file] = content_hash(self.source(file))
        for above in kind.after:
            parts[f"stage {above}"] = records[above].key if above in records else "none"
        return parts

    def _files(self, name: str) -> Iterator[str]:
        """Give the files outside the results that a stage reads."""
        settings = self.settings
        if name == "frame":
            yield settings.frame.source
        if name == "allocation" and settings.allocation.strata:
            yield settings.allocation.strata
        if name in {"questionnaire", "field"}:
            yield settings.questionnaire.source
        if name == "field":
            if settings.field.source:
                yield settings.field.source
            yield from self._population_files()
        if name == "weighting":
            yield from self._margin_files()
        if name == "indicators" and settings.indicators.registry:
            yield settings.indicators.registry
        if name == "publication" and settings.publication.previous:
            yield f"{settings.publication.previous}/{LOCK}"

    def _population_files(self) -> Iterator[str]:
        """Give the description of the synthetic population, what it names, and the truth."""
        from nsm.simulation import named_files

        rehearsed = self.settings.field.simulation
        if rehearsed is None:
            return
        yield rehearsed.population
        folder = Path(rehearsed.population).parent
        for file in named_files(self.source(rehearsed.population)):
            yield (folder / file).as_posix()
        yield from filter(None, (rehearsed.truth, rehearsed.answers))

    def _margin_files(self) -> Iterator[str]:
        """Give the margins of the recipe that are files of the project, not of the fieldwork."""
        recipe = self.settings.weighting
        for step in (*recipe.dwellings, *recipe.persons, *recipe.interviews):
            given = step.get("margins")
            if isinstance(given, str) and (self.folder / given).exists():
                yield given

    def _make(self, name: str, records: Mapping[str, Record]) -> Phrase:
        """Make a stage beside its place, and move it there when it is whole."""
        parts = self._parts(name, records)
        scratch = self.folder / SCRATCH
        scratch.mkdir(mode=0o700, exist_ok=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=scratch) as temporary:
            folder = Path(temporary) / name
            folder.mkdir()
            made: Made = import_module(f"nsm.project.stages.{name}").make(self, folder)
            outputs = {
                file.relative_to(folder).as_posix(): content_hash(file)
                for file in sorted(folder.rglob("*"))
                if file.is_file()
            }
            final = self.folder / RESULTS / name
            final.parent.mkdir(exist_ok=True)
            if final.exists():
                final.rename(Path(temporary) / "old")
            folder.rename(final)
        record = Record(
            joined(parts), parts, outputs, made.facts, round(time.monotonic() - began, 2)
        )
        write_lock(self.folder / LOCK, {**records, name: record})
        self._tidy()
        return made.line

    def _tidy(self) -> None:
        """Remove what a killed run left behind."""
        for left in (self.folder / SCRATCH).iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)


def find_project(start: str | Path = ".") -> Path:
    """Return the `survey.toml` of a folder or of the nearest one above it.

    Raises
    ------
    FileError
        There is none.
    """
    here = Path(start).resolve()
    for folder in (here, *here.parents):
        if (folder / "survey.toml").exists():
            return folder / "survey.toml"
    raise FileError(
        "There is no survey.toml in {folder} or above it. Start a project with `nsm init`.",
        folder=str(here),
    )
