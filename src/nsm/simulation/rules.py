"""Rules of household formation, from the part `households` of a description."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nsm.simulation.section import Section

_HEADSHIP_AGES = (0, 15, 18, 21, 25, 35, 50, 65)


@dataclass(frozen=True)
class HouseholdRules:
    """How people live together.

    Parameters
    ----------
    headship
        Relative rate of being a head by sex and age class (2, 8); the classes start at 0, 15, 18,
        21, 25, 35, 50 and 65.
    partner
        Share of male and of female heads that look for a partner in the household.
    couple_gap, couple_spread, couple_most
        Years by which men are older than their partners: mean, standard deviation, and how far
        from what is wished a couple may be.
    mother_ages, father_ages
        Youngest and oldest age of a parent at the birth of a child.
    birth_spread
        Standard deviation of noise in pairing children with parents by age, in years.
    fathers_alone
        How far men without a partner stand behind in the queue for children.
    with_parents, grown_up_with_parents
        Share of persons under 18, and at 18 to 25, that look for parents in the household.
    """

    headship: np.ndarray
    partner: tuple[float, float]
    couple_gap: float
    couple_spread: float
    couple_most: float
    mother_ages: tuple[int, int]
    father_ages: tuple[int, int]
    birth_spread: float
    fathers_alone: float
    with_parents: float
    grown_up_with_parents: float

    @classmethod
    def of(cls, part: Section) -> HouseholdRules:
        """Read the rules; each has a default."""
        rate = part.part("headship", {})
        usual = [0.0005, 0.01, 0.08, 0.25, 0.6, 0.9, 1.1, 1.2]
        men = rate.numbers("M", len(_HEADSHIP_AGES), usual)
        women = rate.numbers("F", len(_HEADSHIP_AGES), [0.45 * v for v in usual])
        rate.close()
        mother = part.numbers("mother_ages", 2, [14, 48])
        father = part.numbers("father_ages", 2, [15, 65])
        out = cls(
            headship=np.maximum(np.array([men, women]), 1e-6),
            partner=(part.share("partner_men", 0.75), part.share("partner_women", 0.3)),
            couple_gap=part.number("couple_gap", 4),
            couple_spread=part.number("couple_spread", 4),
            couple_most=part.number("couple_most", 18),
            mother_ages=(int(mother[0]), int(mother[1])),
            father_ages=(int(father[0]), int(father[1])),
            birth_spread=part.number("birth_spread", 4),
            fathers_alone=part.number("fathers_alone", 2.0),
            with_parents=part.share("with_parents", 0.85),
            grown_up_with_parents=part.share("grown_up_with_parents", 0.7),
        )
        part.close()
        return out

    def headship_of(self, sex: np.ndarray, age: np.ndarray) -> np.ndarray:
        """Return the rate of being a head of each person."""
        return self.headship[sex, np.searchsorted(_HEADSHIP_AGES, age, side="right") - 1]

    @staticmethod
    def size_of(age: np.ndarray) -> np.ndarray:
        """Return how large a household a head of this age has, on the scale of its noise."""
        return -(((age - 44) / 16.0) ** 2)
