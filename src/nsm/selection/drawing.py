"""Unit by unit: Brewer's and Tillé's procedures and the randomized pivotal method."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BATCH = 4096


def brewer(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one unit after the other by Brewer's procedure; return positions in order.

    At each draw unit k has a chance proportional to p (a - p) / (a - p m), with a = n minus the
    probabilities of those drawn and m the draws to come, this one included. Candidates come with
    chances p and are kept with the ratio to the largest possible factor.

    References
    ----------
    Brewer (1975), Australian Journal of Statistics 17, 166-172; Tillé (2006), sec. 6.3.
    """
    n = round(p.sum())
    cumulated = np.cumsum(p)
    sizes = p.tolist()
    by_size = np.argsort(-p, kind="stable").tolist()
    taken = bytearray(len(p))
    rest, largest = float(n), 0
    candidates = _candidates(cumulated, rng)
    for draws in range(n, 0, -1):
        while taken[by_size[largest]]:
            largest += 1
        top = sizes[by_size[largest]]
        bound = (rest - top) / (rest - top * draws) if draws > 1 else 1.0
        while True:
            unit, u = next(candidates)
            if taken[unit]:
                continue
            size = sizes[unit]
            if draws == 1 or u * bound * (rest - size * draws) <= rest - size:
                break
        taken[unit] = 1
        rest -= sizes[unit]
    return np.flatnonzero(np.frombuffer(taken, dtype=np.uint8))


def _candidates(cumulated: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Yield units with chances proportional to size, each with a uniform number."""
    last = len(cumulated) - 1
    while True:
        units = np.searchsorted(cumulated, rng.random(_BATCH) * cumulated[-1], side="right")
        yield from zip(np.minimum(units, last).tolist(), rng.random(_BATCH).tolist(), strict=True)


def tille(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave out one unit after the other by Tillé's elimination; return positions in order.

    With i units to keep, unit k is left out with chance 1 - p(k|i) / p(k|i+1), where p(k|i) are the
    probabilities of a sample of i. That chance is 0 for units certain at i + 1 and one number for
    all others but those that are certain no more, so a step costs little.

    References
    ----------
    Tillé (1996), Biometrika 83, 238-241; Tillé (2006), sec. 6.2.
    """
    order = np.argsort(-p, kind="stable")
    sizes = p[order]
    rest = np.append(np.cumsum(sizes[::-1])[::-1], 0.0).tolist()  # total of the units from k on
    values = sizes.tolist()
    n = round(p.sum())
    certain = _certain_counts(sizes, n)
    pool: list[int] = []  # units still in that are not certain
    for keep, u in zip(range(len(p) - 1, n - 1, -1), rng.random(len(p) - n), strict=True):
        before, after = certain[keep + 1], certain[keep]
        scale = (keep - after) / rest[after]
        fresh = [1 - scale * values[k] for k in range(after, before)]
        share = 1 - sum(fresh)
        if pool and u < share:
            place = min(int(u / share * len(pool)), len(pool) - 1)
            pool[place] = pool[-1]
            pool.pop()
            pool.extend(range(after, before))
        else:
            gone = after + _pick(u - share, fresh)
            pool.extend(k for k in range(after, before) if k != gone)
    return np.sort(order[pool])


def _pick(u: float, chances: list[float]) -> int:
    for place, chance in enumerate(chances):
        u -= chance
        if u < 0:
            return place
    return len(chances) - 1


def _certain_counts(sizes: np.ndarray, n: int) -> list[int]:
    """Return for i = 0 ... N how many of the units, largest first, are certain in a sample of i."""
    rest = np.append(np.cumsum(sizes[::-1])[::-1], 0.0)
    counts, count = [0] * (len(sizes) + 1), 0
    for i in range(n, len(sizes) + 1):
        while count < i and (i - count) * sizes[count] >= rest[count] * (1 - 1e-12):
            count += 1
        counts[i] = count
    return counts


def tille_joint(p: np.ndarray) -> np.ndarray:
    """Return the joint probabilities of Tillé's elimination: products of the chances to stay."""
    n = round(p.sum())
    order = np.argsort(-p, kind="stable")
    sizes = p[order]
    certain = _certain_counts(sizes, n)
    rest = np.append(np.cumsum(sizes[::-1])[::-1], 0.0)
    joint = np.ones((len(p), len(p)))
    upper = np.ones(len(p))
    for keep in range(len(p) - 1, n - 1, -1):
        lower = np.ones(len(p))
        count = certain[keep]
        if count < len(p):
            lower[count:] = (keep - count) * sizes[count:] / rest[count]
        out = 1 - lower / upper
        joint *= 1 - out[:, None] - out[None, :]
        upper = lower
    np.fill_diagonal(joint, upper)
    back = np.argsort(order)
    return joint[np.ix_(back, back)]


def pivotal(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let units in random order duel for their probability until none is left undecided.

    References
    ----------
    Deville & Tillé (1998), Biometrika 85, 89-101 (sec. 4.3, random order).
    """
    order = rng.permutation(len(p))
    u = rng.random(len(p)).tolist()
    q = p.tolist()
    drawn = np.zeros(len(p), dtype=bool)
    holder, chance = -1, 0.0
    for unit, toss in zip(order.tolist(), u, strict=True):
        if holder < 0:
            holder, chance = unit, q[unit]
            continue
        total = chance + q[unit]
        if total < 1:
            if toss * total < q[unit]:
                holder = unit
            chance = total
        else:
            winner, loser = holder, unit
            if toss * (2 - total) < 1 - chance:
                winner, loser = unit, holder
            drawn[winner] = True
            holder, chance = loser, total - 1
    if holder >= 0 and chance > 0.5:
        drawn[holder] = True
    return np.flatnonzero(drawn)
