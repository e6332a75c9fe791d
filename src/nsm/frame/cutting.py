"""Cut a polygon into pieces of given shares, by chords parallel to the axes.

A simple polygon cut along *one* chord gives two simple polygons, so every piece of a tree of such
cuts is contiguous by construction, and pieces share exact borders. A ring is a list of (x, y)
without repetition of the first point, counter-clockwise. Whole coordinates stay whole.

Where a chord meets a slanting edge, its end is rounded to the grid; `seams` keeps that point, so
that the polygon on the other side of the edge takes it too (`match`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]
Ring = list[Point]
Seams = dict[tuple[Point, Point], Point]

_BISECTIONS = 40
_CLOSE = 0.02
_SCANNED = 17


class Chord(NamedTuple):
    """A chord x = `at` (or y = `at` if `across`), from edge `i` at `a` to edge `j` at `b`."""

    across: bool
    at: float
    i: int
    a: float
    j: int
    b: float


def area(ring: Ring) -> float:
    """Return the signed area of a ring: positive if counter-clockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in _edges(ring)) / 2


def partition(
    ring: Ring, weights: Sequence[float], seams: Seams, *, first: int = 0, aspect: float = 1.0
) -> list[Ring]:
    """Cut `ring` into one piece for each weight, with areas in proportion to the weights.

    The list is halved again and again, so neighbors in the list stay near each other.

    Parameters
    ----------
    first
        The first so many pieces form a core that is kept together where it can be.
    aspect
        Length of a unit of y over that of a unit of x.
    """
    if len(weights) == 1:
        return [ring]
    at = _halfway(weights, first)
    total = sum(weights)
    one, other = cut(ring, sum(weights[:at]) / total, seams, aspect=aspect)
    return [
        *partition(one, weights[:at], seams, first=min(first, at), aspect=aspect),
        *partition(other, weights[at:], seams, first=max(0, first - at), aspect=aspect),
    ]


def _halfway(weights: Sequence[float], first: int) -> int:
    """Return where to halve the list: between core and rest if both are large, else by weight."""
    total = sum(weights)
    if 0 < first < len(weights):
        core = sum(weights[:first]) / total
        if core >= 0.2 or first == len(weights) - 1:
            return first
    sums = [0.0]
    for weight in weights:
        sums.append(sums[-1] + weight)
    at = min(range(1, len(weights)), key=lambda k: abs(sums[k] / total - 0.5))
    return max(at, first + 1) if 0 < first < len(weights) else at


def cut(ring: Ring, share: float, seams: Seams, *, aspect: float = 1.0) -> tuple[Ring, Ring]:
    """Cut `ring` along the chord that comes nearest to `share` with compact pieces.

    Returns
    -------
    The piece with about `share` of the area, and the other.
    """
    whole = area(ring)
    width, height = _extent(ring)
    best: tuple[float, Ring, Ring, Chord] | None = None
    for across in sorted((False, True), key=lambda a: (height * aspect > width) != a):
        for scanned in (False, True):
            for chord in _candidates(ring, across=across, share=share, scanned=scanned):
                one, other = _divide(ring, chord)
                best = _better(best, (one, other, chord), share * whole, whole, aspect)
            if best is not None and best[0] < _CLOSE:
                return _keep(ring, best, seams)
    if best is None:
        raise ValueError("A ring too small for its grid cannot be cut.")
    return _keep(ring, best, seams)


def match(rings: Iterable[Ring], seams: Seams) -> list[Ring]:
    """Give neighbors the same points on the borders that they share."""
    resolved = [with_seams(ring, seams) for ring in rings]
    columns: dict[float, set[float]] = defaultdict(set)
    rows: dict[float, set[float]] = defaultdict(set)
    for ring in resolved:
        for x, y in ring:
            columns[x].add(y)
            rows[y].add(x)
    ordered = [{k: sorted(v) for k, v in lines.items()} for lines in (columns, rows)]
    return [_with_crossings(ring, *ordered) for ring in resolved]


def _edges(ring: Ring) -> list[tuple[Point, Point]]:
    return list(pairwise([*ring, ring[0]]))


def _extent(ring: Ring) -> tuple[float, float]:
    xs, ys = zip(*ring, strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


def _turned(ring: Ring) -> Ring:
    """Exchange x and y, and keep the order of the points (so the orientation flips)."""
    return [(y, x) for x, y in ring]


def _area_below(ring: Ring, at: float) -> float:
    """Area of the part with x < `at`: the integral of min(x, at) dy around the ring."""
    total = 0.0
    for (x0, y0), (x1, y1) in _edges(ring):
        if x0 <= at and x1 <= at:
            total += (x0 + x1) / 2 * (y1 - y0)
        elif x0 >= at and x1 >= at:
            total += at * (y1 - y0)
        else:
            inside, outside = (x0, x1) if x0 < at else (x1, x0)
            fraction = (at - inside) / (outside - inside)
            total += (fraction * (inside + at) / 2 + (1 - fraction) * at) * (y1 - y0)
    return abs(total)


def _candidates(ring: Ring, *, across: bool, share: float, scanned: bool) -> list[Chord]:
    """Chords at the places that give `share` on either side, or at regular places."""
    turned = _turned(ring) if across else ring
    xs = sorted({x for x, _ in turned})
    if scanned:
        step = (xs[-1] - xs[0]) / (_SCANNED + 1)
        places = [xs[0] + k * step for k in range(1, _SCANNED + 1)]
    else:
        places = [_place(turned, xs, part) for part in (share, 1 - share)]
    free = {p for p in (_off_vertices(place, xs) for place in places) if p is not None}
    return [chord for place in sorted(free) for chord in _chords(turned, place, across=across)]


def _place(ring: Ring, xs: list[float], share: float) -> float:
    wanted = share * abs(area(ring))
    # The integral counts from x = 0: shift it so that it counts from the ring's own edge.
    shifted = [(x - xs[0], y) for x, y in ring]
    low, high = 0.0, float(xs[-1] - xs[0])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _area_below(shifted, middle) < wanted else (low, middle)
    return xs[0] + high


def _off_vertices(place: float, xs: list[float]) -> float | None:
    """Return the place nearest to `place` where no vertex lies: whole if the ring is whole."""
    if not all(isinstance(x, int) for x in xs):
        k = bisect_left(xs, place)
        if 0 < k < len(xs):
            return (xs[k - 1] + xs[k]) / 2 if place in {xs[k - 1], xs[k]} else place
        return None
    known, start = set(xs), round(place)
    for distance in range(int(xs[-1] - xs[0]) + 1):
        for found in (start - distance, start + distance):
            if xs[0] < found < xs[-1] and found not in known:
                return found
    return None


def _chords(ring: Ring, at: float, *, across: bool) -> list[Chord]:
    crossings: list[tuple[float, int]] = []
    for k, ((x0, y0), (x1, y1)) in enumerate(_edges(ring)):
        if (x0 < at) != (x1 < at):
            y = y0 + (at - x0) * (y1 - y0) / (x1 - x0)
            crossings.append((round(y) if isinstance(at, int) else y, k))
    crossings.sort()
    pairs = zip(crossings[::2], crossings[1::2], strict=False)
    return [
        Chord(across, at, *((i, a, j, b) if i < j else (j, b, i, a)))
        for (a, i), (b, j) in pairs
        if a != b
    ]


def _ends(chord: Chord) -> tuple[Point, Point]:
    if chord.across:
        return (chord.a, chord.at), (chord.b, chord.at)
    return (chord.at, chord.a), (chord.at, chord.b)


def _divide(ring: Ring, chord: Chord) -> tuple[Ring, Ring]:
    a, b = _ends(chord)
    one = [a, *ring[chord.i + 1 : chord.j + 1], b]
    other = [b, *ring[chord.j + 1 :], *ring[: chord.i + 1], a]
    return one, other


def _better(
    best: tuple[float, Ring, Ring, Chord] | None,
    found: tuple[Ring, Ring, Chord],
    wanted: float,
    whole: float,
    aspect: float,
) -> tuple[float, Ring, Ring, Chord] | None:
    one, other, chord = found
    part = area(one)
    if not 0 < part < whole:
        return best
    if abs(part - wanted) > abs(whole - part - wanted):
        one, other, part = other, one, whole - part
    miss = abs(part - wanted) / min(wanted, whole - wanted)
    score = miss + 0.001 * (_length(one, aspect) + _length(other, aspect))
    return (score, one, other, chord) if best is None or score < best[0] else best


def _length(ring: Ring, aspect: float) -> float:
    """How many times longer than wide the box around the ring is, at most 20."""
    width, height = _extent(ring)
    sides = sorted((width, height * aspect))
    return min(sides[1] / sides[0], 20.0) if sides[0] > 0 else 20.0


def _keep(ring: Ring, best: tuple[float, Ring, Ring, Chord], seams: Seams) -> tuple[Ring, Ring]:
    _, one, other, chord = best
    for k, point in zip((chord.i, chord.j), _ends(chord), strict=True):
        p, q = ring[k], ring[(k + 1) % len(ring)]
        if p[0] != q[0] and p[1] != q[1]:
            seams[p, q] = seams[q, p] = point
    return one, other


def with_seams(ring: Ring, seams: Seams) -> Ring:
    """Insert the points that cuts of neighbors have left on the edges of a ring."""
    out: Ring = []
    for p, q in _edges(ring):
        out.extend(_chain(p, q, seams))
    return out


def _chain(p: Point, q: Point, seams: Seams) -> Ring:
    point = seams.get((p, q))
    if point is None:
        return [p]
    return [*_chain(p, point, seams), *_chain(point, q, seams)]


def _with_crossings(
    ring: Ring, columns: dict[float, list[float]], rows: dict[float, list[float]]
) -> Ring:
    out: Ring = []
    for (x0, y0), (x1, y1) in _edges(ring):
        out.append((x0, y0))
        if x0 == x1:
            out.extend((x0, y) for y in _between(columns[x0], y0, y1))
        elif y0 == y1:
            out.extend((x, y0) for x in _between(rows[y0], x0, x1))
    return out


def _between(values: list[float], start: float, end: float) -> list[float]:
    low, high = min(start, end), max(start, end)
    found = values[bisect_right(values, low) : bisect_left(values, high)]
    return found if start < end else found[::-1]
