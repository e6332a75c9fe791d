"""The groups and repeats of a form, from its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from nsm.questionnaire.adopt.workbook import Line


@dataclass
class Part:
    """A group, repeat or the whole form while it is read."""

    kind: str
    line: Line
    parts: list[Part | Line] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return its name."""
        return self.line["name"]

    @property
    def repeats(self) -> bool:
        """Whether it holds a repeat."""
        return any(isinstance(p, Part) and (p.kind == "repeat" or p.repeats) for p in self.parts)


def tree(lines: list[Line]) -> Part:
    """Put rows into the groups and repeats around them."""
    root = Part("form", Line(0, {}))
    open_parts = [root]
    for line in lines:
        kind = line["type"].replace("_", " ").lower()
        if kind in {"begin group", "begin repeat"}:
            part = Part(kind.split()[1], line)
            open_parts[-1].parts.append(part)
            open_parts.append(part)
        elif kind in {"end group", "end repeat"}:
            if len(open_parts) > 1:
                open_parts.pop()
        elif line["name"]:
            open_parts[-1].parts.append(line)
    return root
