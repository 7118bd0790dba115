"""The kinds of tables of the nl2sql sample: the columns, how tables write their headers, what stands in their cells and
how people ask for them.

kinds.tsv and columns.tsv hold them; the first column of a kind names the things of its rows. All names are invented or
plain words.
"""

from dataclasses import dataclass

from samples._names import NAMES
from samples._tables import Pair, Row, read_lists, rows

LISTS = read_lists("nl2sql/words.tsv", NAMES)
#: How questions are put. {np}: noun with its conditions before it. {c}: the conditions as a clause. {n}: noun. {m}: its
#: measure word. {s}: how a column is called. {v}, {a}, {b}: values. {e}: a thing by its name. {high}, {low}: adjectives
#: of a column. {verb}: what a thing did in a year. {ask}: what is asked, without its subject.
PHRASINGS = {row["name"]: row.pair("wordings") for row in rows("nl2sql/phrasings.tsv", "name", "wordings")}
CITIES, PROVINCES = ((LISTS[name], LISTS[f"{name}_kept"]) for name in ("city", "province"))
_COLUMNS = (
    "kind",
    "cells",
    "values",
    "units?",
    "adjectives?",
    "more?",
    "headers",
    "asks?",
    "clauses?",
    "modifiers?",
    "mentions?",
    "answer?",
)


@dataclass(frozen=True)
class Number:
    """Numbers from low to high, in the first of the `units` or, converted, in another; `adjectives`: of high and of low
    numbers."""

    low: float
    high: float
    digits: int = 0
    units: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    total: bool = False  # whether a sum of them makes sense
    years: bool = False  # one column for each of several years


@dataclass(frozen=True)
class Years:
    """Years in which something did what `verb` says, as numbers or as text."""

    verb: str
    low: int
    high: int


@dataclass(frozen=True)
class Column:
    """`values`: the words of text cells, or how to make cells (@name of a recipe). `asks`: questions after their
    subject that do not need the header.

    `clauses`, `modifiers`: how a condition on a text cell {v} reads as a clause, and before a noun. `answer`: what is
    asked for, see tail_... of phrasings.tsv.
    """

    headers: Pair
    values: Number | Years | str | Pair
    asks: Pair
    clauses: Pair
    modifiers: Pair
    mentions: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Kind:
    """Tables whose rows are each about one `noun`, counted with `measure`, that `name` names. `contexts`: why somebody
    asks."""

    key: str
    noun: str
    measure: str
    titles: Pair
    name: Column
    columns: tuple[Column, ...]
    contexts: Pair


def read_values(row: Row) -> Number | Years | str | Pair:
    """What the cells of a column are: numbers "low..high digits", years "low..high" with a verb, made by a recipe, or
    words."""
    if row["cells"] == "made":
        return f"@{row['values']}"
    if row["cells"] == "words":
        return row.pair("values", LISTS)
    numbers = row["values"].replace("..", " ").split()
    try:
        low, high, *digits = map(float, numbers)
    except ValueError:
        raise row.error(
            f"values is {row['values']!r} - it must be like 3..9.8, for numbers with the count of their decimals after a blank"
        ) from None
    if row["cells"] == "years":
        return Years(row["more"], int(low), int(high))
    if row["cells"] != "number":
        raise row.error(f"cells is {row['cells']!r} - it must be made, words, number or years")
    more = row["more"].split()
    return Number(
        low,
        high,
        int(digits[0]) if digits else 0,
        row.words("units"),
        row.words("adjectives"),
        "total" in more,
        "years" in more,
    )


def read_domains() -> tuple[dict[str, tuple[Kind, ...]], dict[str, tuple[Kind, ...]]]:
    """Domain -> kinds: of all splits, and of dev and test only."""
    columns: dict[str, list[Column]] = {}
    for row in rows("nl2sql/columns.tsv", *_COLUMNS):
        pairs = [row.pair(name) for name in ("headers", "asks", "clauses", "modifiers")]
        column = Column(pairs[0], read_values(row), *pairs[1:], row.words("mentions"), row["answer"])
        columns.setdefault(row["kind"], []).append(column)
    domains: tuple[dict[str, tuple[Kind, ...]], dict[str, tuple[Kind, ...]]] = ({}, {})
    for row in rows("nl2sql/kinds.tsv", "splits", "domain", "kind", "noun", "measure", "titles", "contexts"):
        if row["kind"] not in columns:
            raise row.error(f"columns.tsv has no columns of {row['kind']!r}")
        first, *others = columns[row["kind"]]
        kind = Kind(
            row["kind"], row["noun"], row["measure"], row.pair("titles"), first, tuple(others), row.pair("contexts")
        )
        some = domains[row.is_kept()]
        some[row["domain"]] = some.get(row["domain"], ()) + (kind,)
    return domains


#: Train has none of the new domains.
DOMAINS, NEW_DOMAINS = read_domains()
