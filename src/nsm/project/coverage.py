"""Strata in which nothing is sampled: said below every table of estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nsm.frame.description import label
from nsm.language import translate

if TYPE_CHECKING:
    from nsm.project.settings import Settings, TableSettings

_LANGUAGES = ("es", "en")


def labelled(settings: Settings) -> Settings:
    """Return the settings whose tables name the strata that [allocation] take_none leaves out."""
    left_out = settings.allocation.take_none
    if not left_out:
        return settings
    strata = ", ".join(left_out)
    said = {
        language: translate(
            "Nothing was sampled in the strata {strata}: all figures are of the rest.", language
        ).format(strata=strata)
        for language in _LANGUAGES
    }

    def noted(table: TableSettings) -> TableSettings:
        own = {lang: label(table.note, lang) if table.note else "" for lang in _LANGUAGES}
        return replace(table, note={k: f"{own[k]} {said[k]}".strip() for k in _LANGUAGES})

    tables = {name: noted(table) for name, table in settings.estimation.tables.items()}
    return replace(settings, estimation=replace(settings.estimation, tables=tables))
