"""The project: from `survey.toml` to published estimates, stage by stage."""

from __future__ import annotations

from nsm.project.project import STAGES, Project, State, find_project

__all__ = ["STAGES", "Project", "State", "find_project"]
