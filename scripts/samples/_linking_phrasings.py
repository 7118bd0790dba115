"""The kinds of entities of the entity linking sample, how texts mention them, and what the knowledge base says of them.

Phrasings are titles of pages, headlines and queries. In them {braces} are the entity of its kind itself ({film} under
"film") or one of its facts (its {director}), each a mention; {n}, {m}, {month}, {year}, {scene} and {praise} are no
mentions. Every phrasing tells which kind of entity is meant, by words that the descriptions of the kind share or imply,
so that namesakes of another kind are told apart; namesakes of the same kind need a fact. Common nouns stand in plain
words and are labelled by habit.
"""

from dataclasses import dataclass

from common.command_line import UserError

from samples._names import NAMES
from samples._tables import Pair, read_lists, read_pairs, rows, unknown_slot
from samples._templates import placeholders

FOLDER = "ccks2019_entity_linking"
LISTS = read_lists(f"{FOLDER}/words.tsv", NAMES)
#: What phrasings mention that is no entity.
PLAIN = {"n", "m", "month", "scene", "praise"}
#: Facts that are words.
WORD_FACTS = {"born", "year", "count", "genre"}


@dataclass(frozen=True)
class Kind:
    """`type` in the knowledge base. `weight`: how often texts are about one. `makers`: the kinds of those who make such
    a work.

    `summaries` are wordings of one predicate; `data`: the other predicates -> objects. What names a fact that an entity
    does not have is left out.
    """

    type: str
    weight: float
    makers: tuple[str, ...]
    genres: tuple[str, ...]
    phrasings: Pair
    summaries: tuple[str, ...]
    data: dict[str, str]


@dataclass(frozen=True)
class Ending:
    """What may follow a text about one of the `kinds`, or about any other if there are none. {site} is a mention of a
    site of a fitting type."""

    kinds: tuple[str, ...]
    tails: tuple[str, ...]
    site_types: tuple[str, ...]


def read_kinds() -> dict[str, Kind]:
    phrasings = read_pairs(f"{FOLDER}/phrasings.tsv", "kind")
    described = [
        (row["kind"], row["predicate"], row["text"])
        for row in rows(f"{FOLDER}/descriptions.tsv", "kind", "predicate", "text")
    ]
    kinds = {}
    for row in rows(f"{FOLDER}/kinds.tsv", "kind", "type", "weight", "makers?", "genres?"):
        name = row["kind"]
        told = [(predicate, text) for kind, predicate, text in described if kind == name]
        summaries = tuple(text for predicate, text in told if predicate in LISTS["summary"])
        if not summaries:
            raise row.error(f"descriptions.tsv has no {LISTS['summary'][0]} of {name!r}")
        data = {predicate: text for predicate, text in told if predicate not in LISTS["summary"]}
        kinds[name] = Kind(
            row["type"],
            row.number("weight"),
            row.words("makers"),
            row.words("genres"),
            phrasings.get((name,), ((), ())),
            summaries,
            data,
        )
    for kind in kinds.values():
        for phrasing in kind.phrasings[0] + kind.phrasings[1]:
            if unknown := placeholders(phrasing) - set(kinds) - PLAIN - WORD_FACTS:
                raise unknown_slot(phrasing, sorted(unknown)[0])
    return kinds


def read_nouns() -> dict[str, dict[str, str]]:
    """habit -> noun -> definition. All are in the knowledge base, but annotators label some always, some only as a word
    of its own (before a mark, a blank or the end of the text), some never."""
    nouns: dict[str, dict[str, str]] = {"always": {}, "sometimes": {}, "never": {}}
    for row in rows(f"{FOLDER}/nouns.tsv", "labelled", "noun", "definition"):
        if row["labelled"] not in nouns:
            raise row.error(f"labelled is {row['labelled']!r} - it must be {', '.join(nouns)}")
        nouns[row["labelled"]][row["noun"]] = row["definition"]
    return nouns


KINDS = read_kinds()
NOUNS = read_nouns()
#: The last one has no kinds and is that of all others.
ENDINGS = [
    Ending(row.words("kinds"), row.words("tails"), row.words("site types"))
    for row in rows(f"{FOLDER}/endings.tsv", "kinds?", "tails", "site types")
]
if not ENDINGS or ENDINGS[-1].kinds:
    raise UserError(f"{FOLDER}/endings.tsv: the last line must have no kinds, so that it is that of all others")


def ending(kind: str) -> Ending:
    return next(ending for ending in ENDINGS if kind in ending.kinds or not ending.kinds)
