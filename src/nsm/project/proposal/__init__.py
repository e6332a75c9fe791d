"""The proposal of a project: what it promises, how, when and for how much."""

from nsm.project.proposal.write import Proposed, propose

__all__ = ["Proposed", "propose"]
