"""Random conditions, and random rows with blanks."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

NUMBERS = ("age", "hours", "pay")
TEXTS = ("sex", "country")
CODES = ("M", "F", "HTI", "DOM")
DAYS = (date(2020, 2, 29), date(2026, 12, 31), date(2027, 1, 15))
INNER_NUMBERS = ("line", "years")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

number = st.sampled_from(["0", "1", "2", "15", "0.5", "-1"])
code = st.sampled_from([f'"{c}"' for c in CODES])
day = st.sampled_from([f'date("{d}")' for d in DAYS])


def computed(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        names | number,
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        max_leaves=4,
    )


def tests(numbers: tuple[str, ...], texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Simple conditions on numbers, texts, a day, a flag and a list."""
    values = computed(st.sampled_from(numbers))
    compared = st.builds("{} {} {}".format, values, st.sampled_from(COMPARISONS), values)
    named = st.sampled_from(texts)
    equal = st.builds("{} {} {}".format, named, st.sampled_from(("==", "!=")), code | named)
    listed = st.builds(
        "{} {} ({})".format,
        named,
        st.sampled_from(("in", "not in")),
        st.lists(code, min_size=1, max_size=3).map(", ".join),
    )
    among = st.builds(
        "{} in ({})".format, values, st.lists(number, min_size=1, max_size=3).map(", ".join)
    )
    blank = st.builds(
        "{} is {}missing".format, values | named | st.just("arrived"), st.sampled_from(("", "not "))
    )
    return compared | equal | listed | among | blank


own = tests(NUMBERS, TEXTS) | st.one_of(
    st.builds("arrived {} {}".format, st.sampled_from(COMPARISONS), day),
    st.sampled_from(["employed", "employed == true", "employed != false", "true", "false"]),
    st.sampled_from([f'selected(papers, "{c}")' for c in "abc"]),
    st.just("papers is missing"),
)


def logic(leaf: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner)
            | st.builds("not ({})".format, inner)
        ),
        max_leaves=5,
    )


conditions = logic(own)

# Inside a roster: the row's own names, and one from outside.
inner = logic(tests((*INNER_NUMBERS, "age"), ("gender",)))
aggregates = st.one_of(
    st.just("count(members)"),
    st.builds("count(members, {})".format, inner),
    st.builds(
        "{}(members, {}, {})".format,
        st.sampled_from(("min", "max", "sum")),
        st.sampled_from(INNER_NUMBERS),
        inner,
    ),
)
over_rosters = st.one_of(
    st.builds("any(members, {})".format, inner),
    st.builds("{} {} {}".format, aggregates, st.sampled_from(COMPARISONS), number),
    st.builds("not any(members, {})".format, inner),
)

_amount = st.none() | st.sampled_from([0, 1, 2, 15, 40]) | st.sampled_from([0.5, -1.0])
_text = st.none() | st.sampled_from(CODES) | st.sampled_from(["", " "])

rows = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.none() | st.sampled_from([0, 1, 14, 15, 40]),
            "hours": _amount,
            "pay": _amount,
            "sex": _text,
            "country": _text,
            "arrived": st.none() | st.sampled_from(DAYS),
            "employed": st.none() | st.booleans(),
            "papers": st.none() | st.sampled_from(["", "a", "b", "a b", "ab c"]),
        }
    ),
    min_size=1,
    max_size=6,
)
members = st.lists(
    st.fixed_dictionaries(
        {
            "household": st.integers(0, 3),
            "line": st.sampled_from([1, 2, 3]),
            "years": _amount,
            "gender": _text,
        }
    ),
    max_size=8,
)
