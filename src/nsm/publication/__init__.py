"""Publication: which numbers may be printed, and the tables, pictures and reports with them."""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Drawn": "report",
    "Headline": "report",
    "Meta": "report",
    "Section": "report",
    "Shown": "grid",
    "flag": "quality",
    "interval_chart": "charts",
    "protect": "disclosure",
    "write_report": "report",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 (the same names, once)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'nsm.publication' has no attribute {name!r}")
    value = getattr(import_module(f"nsm.publication.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
