"""The phrasings of the relation extraction sample, and what they say.

{braces} are the bindings that `_relation_world.py` gives a topic. What a phrasing says is not written in it: a triple
of facts.tsv holds as soon as a sentence names its subject and its object. {actors}, {singers}, ... are lists.

Each topic has six parts, and a sentence is [lead] + opening|indirect|noun verb + verbs + clauses + [tail]:
    opening   names the topic, which is then understood as the subject of what follows
    indirect  names the topic, but what follows has to name its subject again
    noun      a noun phrase that ends in the topic and needs a verb
    verb      follows with the topic left out; a few say nothing about relations
    clause    follows with a subject of its own
    tail      says nothing about the relations; it brings in bystanders: people, works, dates and numbers of the right types
The phrasings of dev and test only use the cue words of the others in other constructions and surroundings, as
paraphrases do.
"""

from samples._names import NAMES
from samples._tables import of, read_lists, read_pairs, rows

FOLDER = "lic2020_relation_extraction"
LISTS = read_lists(f"{FOLDER}/words.tsv", NAMES)
#: In the order in which they follow each other; a sentence begins with one of the first three.
PARTS = ("opening", "indirect", "noun", "verb", "clause", "tail")

_topics = list(rows(f"{FOLDER}/topics.tsv", "topic", "weight", "named by", "taken up by"))
#: How often sentences are about a topic, what names the topic in its openings, and how it is taken up again.
WEIGHTS = {row["topic"]: row.number("weight") for row in _topics}
TOPIC = {row["topic"]: row["named by"] for row in _topics}
AGAIN = {row["topic"]: row["taken up by"] for row in _topics}

_pairs = read_pairs(f"{FOLDER}/phrasings.tsv", "topic", "part")
PHRASINGS = {topic: {part: of(_pairs, topic, part) for part in PARTS} for topic in WEIGHTS}

#: predicate -> (subject type, slot -> type), from the official schema, in the order in which sentences tell things.
SCHEMA = {
    row["predicate"]: (row["subject type"], dict(row.keyed("object types")))
    for row in rows(f"{FOLDER}/schema.tsv", "predicate", "subject type", "object types")
}
#: topic -> (predicate, subject, object): holds when a sentence about the topic has both bindings.
FACTS: dict[str, list[tuple[str, str, str]]] = {topic: [] for topic in WEIGHTS}
#: topic -> object -> slot -> binding: the slots an object has besides @value, where the sentence has their bindings.
SLOTS: dict[str, dict[str, dict[str, str]]] = {topic: {} for topic in WEIGHTS}
for _row in rows(f"{FOLDER}/facts.tsv", "topic", "predicate", "subject", "object", "slots?"):
    if _row["topic"] not in WEIGHTS or _row["predicate"] not in SCHEMA:
        raise _row.error("topics.tsv has no such topic, or schema.tsv no such predicate")
    FACTS[_row["topic"]].append((_row["predicate"], _row["subject"], _row["object"]))
    SLOTS[_row["topic"]].setdefault(_row["object"], {}).update(_row.keyed("slots"))

#: Bindings that may stand in several parts of a sentence; any other would say the same thing twice.
REPEATABLE = {"form", "form1", "form2", "directed_form1", "it", "screen", "job", "work_kind"}
#: Bindings that list others: {actors} becomes {actor1}, {actor2} and {actor3}. At most so many of them.
PLURALS = {
    "actors": ("actor", 4),
    "actors_slashed": ("actor", 4),
    "singers": ("singer", 2),
    "authors": ("author", 2),
    "founders": ("founder", 3),
}
