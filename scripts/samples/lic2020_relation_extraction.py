"""The sample of lic2020_relation_extraction, in the format of DuIE 2.0: train.json, dev.json, test.json, schema.json.

What a sentence says is labelled completely, by these rules, which are those of the contest's own data where it has one:

- A role played in a work also makes the player one of the actors of the work.
- A husband and a wife give two triples, one for each of them.
- A song on somebody's album is sung by them. A prize for a work says nothing about what the winner did in it.
- Names stand without title marks; takings have their unit, the word for an edition is no part of the period.
- Where a subject has several objects with slots, each slot stands nearest to the @value it belongs to.

Half of the entities and of the phrasings of dev and test do not occur in train: see UNSEEN.
"""

import random
from dataclasses import dataclass

from samples import Sample, json_lines
from samples._names import NAMES
from samples._relation_phrasings import (
    AGAIN,
    FACTS,
    LISTS,
    PARTS,
    PHRASINGS,
    PLURALS,
    REPEATABLE,
    SCHEMA,
    SLOTS,
    TOPIC,
    WEIGHTS,
)
from samples._relation_world import Record, World
from samples._tables import fill
from samples._templates import FULL_WIDTH, placeholders

COUNTS = {"train": 400, "dev": 100, "test": 60}
#: In dev and test, the share of choices that fall on a phrasing, and on a topic, that train does not have.
UNSEEN = {"phrasing": 0.6, "topic": 0.68}
LENGTHS = range(10, 151)
TRIPLES = range(1, 9)


def generate() -> Sample:
    taken: set[str] = set()
    seen, unseen = World("seen", taken, 1.0), World("unseen", taken, 0.4)
    used: dict[str, list[Record]] = {kind: [] for kind in PHRASINGS}  # the topics of train
    texts: set[str] = set()
    files, phrasings = {}, {}
    for split, count in COUNTS.items():
        writer = Writer(random.Random(f"relation {split}"), held_out=split != "train")
        lines = []
        for kind in writer.rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count):
            new = split == "train" or writer.rng.random() < UNSEEN["topic"]
            world = seen if split == "train" or not new else unseen
            sentence = writer.write(world.records[kind] if new else used[kind], world, texts)
            texts.add(sentence.line["text"])
            lines.append(sentence.line)
            if split == "train":
                used[kind].append(sentence.topic)
        phrasings[split] = writer.phrasings()
        files[f"{split}.json"] = json_lines({"text": line["text"]} if split == "test" else line for line in lines)
    files["schema.json"] = json_lines(
        {"object_type": types, "predicate": predicate, "subject_type": subject}
        for predicate, (subject, types) in SCHEMA.items()
    )
    return Sample(files, phrasings)


def predicates(kind: str, phrasing: str) -> set[str]:
    """What a phrasing says of its topic; of a list, what it says of the first."""
    named = {f"{PLURALS[name][0]}1" if name in PLURALS else name for name in placeholders(phrasing)} | {TOPIC[kind]}
    return {predicate for predicate, subject, value in FACTS[kind] if subject in named and value in named}


@dataclass(frozen=True)
class Sentence:
    """A line of train.json, and what it was made from."""

    line: dict
    topic: Record
    phrasings: list[str]


class Writer:
    """Writes the sentences of one split, using each phrasing about as often as the others."""

    def __init__(self, rng: random.Random, held_out: bool):
        self.rng, self.held_out = rng, held_out
        self.uses: dict[tuple[str, str], int] = {}

    def phrasings(self) -> set[str]:
        """Those used that say something, so neither leads nor tails."""
        return {phrasing for kind, phrasing in self.uses if predicates(kind, phrasing)}

    def write(self, topics: list[Record], world: World, texts: set[str]) -> Sentence:
        """A sentence that is not among the texts about one of the topics: of a few, the one with the rarest
        phrasings."""
        drafts: list[Sentence] = []
        while len(drafts) < 6:
            draft = self._draft(self.rng.choice(topics), world)
            if draft is not None and draft.line["text"] not in texts:
                drafts.append(draft)

        def rarity(draft: Sentence) -> float:
            return sum(self._rarity(draft.topic.kind, phrasing) for phrasing in draft.phrasings) / len(draft.phrasings)

        best = max(drafts, key=rarity)
        for phrasing in best.phrasings:
            self.uses[best.topic.kind, phrasing] = self.uses.get((best.topic.kind, phrasing), 0) + 1
        return best

    def _rarity(self, kind: str, phrasing: str) -> float:
        return (1 + self.uses.get((kind, phrasing), 0)) ** -2

    def _draft(self, topic: Record, world: World) -> Sentence | None:
        """None where the choices do not fit together."""
        kind, rng = topic.kind, self.rng
        bindings = topic.bindings | world.bystanders(rng)
        first = rng.choices(PARTS[:3], (45, 35, 20))[0]
        more = ["verb"] * (first == "noun") + rng.choices(
            ("verb", "clause"), (55, 45), k=rng.choices(range(4), (22, 35, 30, 13))[0]
        )
        more.sort(key=("verb", "clause").index)
        if kind == "person" and "clause" in more:  # after a relative, who is meant by what follows?
            more = more[: more.index("clause") + 1]

        chosen: list[tuple[str, str]] = []  # (part, phrasing)
        for part in [first] + more + ["tail"] * (rng.random() < 0.35):
            phrasing = self._choose(kind, part, bindings, [before for _, before in chosen])
            if phrasing is not None:
                chosen.append((part, phrasing))
        parts = [part for part, _ in chosen]
        if first not in parts or (first == "noun" and "verb" not in parts):
            return None

        order = list(SCHEMA)
        chosen.sort(
            key=lambda item: (PARTS.index(item[0]), max(map(order.index, predicates(kind, item[1])), default=0))
        )
        pieces = [self._lists(phrasing, bindings) for _, phrasing in chosen]
        if first == "noun":
            pieces[:2] = ["".join(pieces[:2])]
        elif "verb" in parts and (first == "indirect" or rng.random() < 0.15):
            pieces[1] = AGAIN[kind] + pieces[1]
        elif (
            kind == "person" and first == "indirect" and "clause" in parts
        ):  # not the relatives of the relative just named
            pieces[1] = "{name}" + ("" if pieces[1].startswith(LISTS["with"]) else LISTS["of"][0]) + pieces[1]
        line = label(kind, self._punctuate(pieces), bindings)
        return Sentence(self._restyle(line), topic, [phrasing for _, phrasing in chosen]) if acceptable(line) else None

    def _choose(self, kind: str, part: str, bindings: dict[str, str], before: list[str]) -> str | None:
        """A phrasing whose bindings there are and which does not repeat what was said, rather a rarely used one."""
        repeatable = REPEATABLE | {TOPIC[kind]}
        said = {name for text in before for name in placeholders(text)} - repeatable
        known = {name for text in before for name in predicates(kind, text)}
        fitting = [
            [
                phrasing
                for phrasing in phrasings
                if all(
                    f"{PLURALS[name][0]}2" in bindings if name in PLURALS else name in bindings
                    for name in placeholders(phrasing)
                )
                and not said & placeholders(phrasing)
                and not known & predicates(kind, phrasing)
            ]
            for phrasings in self._phrasings(kind, part)
        ]
        held_out = self.held_out and self.rng.random() < UNSEEN["phrasing"]
        candidates = fitting[held_out] or fitting[0]
        if not candidates:
            return None
        return self.rng.choices(candidates, [self._rarity(kind, phrasing) for phrasing in candidates])[0]

    def _phrasings(self, kind: str, part: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those of all splits, of which dev and test repeat only every second, and those of dev and test."""
        everywhere, held_out = PHRASINGS[kind][part]
        return everywhere[:: 2 if self.held_out and held_out else 1], held_out

    def _lists(self, phrasing: str, bindings: dict[str, str]) -> str:
        """The phrasing with its lists written out."""
        for name in sorted(placeholders(phrasing) & set(PLURALS)):
            element, most = PLURALS[name]
            there = sum(f"{element}{number}" in bindings for number in range(1, most + 1))
            items = [f"{{{element}{number}}}" for number in range(1, self.rng.randint(2, there) + 1)]
            joints = [(joint[0], joint[1:]) for joint in LISTS["joints"]]
            comma, last = (" / ", " / ") if name == "actors_slashed" else self.rng.choice(joints)
            phrasing = phrasing.replace(f"{{{name}}}", comma.join(items[:-1]) + last + items[-1])
        return phrasing

    def _punctuate(self, pieces: list[str]) -> str:
        rng = self.rng
        comma = rng.choices(LISTS["comma"], (86, 7, 7))[0]
        lead = rng.choice(LISTS["lead"]) if rng.random() < 0.12 else ""
        return lead + comma.join(pieces) + rng.choices(LISTS["ending"], (66, 28, 4, 2))[0]

    def _restyle(self, line: dict) -> dict:
        """Rarely other brackets, or full-width letters and digits, in the text and the labels alike."""
        if self.rng.random() < 0.06:
            line["text"] = line["text"].translate(
                dict(zip(map(ord, NAMES["title_mark"]), self.rng.choice(NAMES["other_marks"])))
            )
        if self.rng.random() < 0.03:
            line = translate(line, FULL_WIDTH)
        return line


def translate(value, table: dict[int, int]):
    """Every string of a JSON value translated, but not the keys."""
    if isinstance(value, dict):
        return {
            key: value[key] if key in ("predicate", "object_type", "subject_type") else translate(value[key], table)
            for key in value
        }
    if isinstance(value, list):
        return [translate(item, table) for item in value]
    return value.translate(table)


def label(kind: str, template: str, bindings: dict[str, str]) -> dict:
    """The sentence and everything it says, as a line of train.json."""
    named = placeholders(template)
    triples = []
    for predicate, subject, value in FACTS[kind]:
        if subject in named and value in named:
            subject_type, types = SCHEMA[predicate]
            slots = {slot: name for slot, name in SLOTS[kind].get(value, {}).items() if name in named} | {
                "@value": value
            }
            triples.append({
                "predicate": predicate,
                "object_type": {slot: types[slot] for slot in types if slot in slots},
                "subject_type": subject_type,
                "object": {slot: bindings[slots[slot]] for slot in types if slot in slots},
                "subject": bindings[subject],
            })  # fmt: skip
    unique = [triple for number, triple in enumerate(triples) if triple not in triples[:number]]
    return {"text": fill(template, bindings), "spo_list": unique}


def acceptable(line: dict) -> bool:
    """Whether the sentence has the right size and can be read in one way only."""
    return len(line["text"]) in LENGTHS and len(line["spo_list"]) in TRIPLES and slots_are_nearest(line)


def slots_are_nearest(line: dict) -> bool:
    """Whether each slot stands nearer to its @value than to any other of the same subject and predicate.

    By the gap between them as well as by the distance of their starts: decoders measure one or the other. A slot that
    stands in the text twice is refused, since nothing says from which of them to measure.
    """
    text, triples = line["text"], line["spo_list"]

    def distances(one: str, other: str) -> tuple[int, int]:
        a, b = text.index(one), text.index(other)
        return (b - a - len(one) if a < b else a - b - len(other)), abs(a - b)

    for triple in triples:
        rivals = [
            other["object"]["@value"]
            for other in triples
            if other is not triple
            and (other["subject"], other["predicate"]) == (triple["subject"], triple["predicate"])
        ]
        for slot, value in triple["object"].items():
            own = distances(value, triple["object"]["@value"])
            if (
                rivals
                and slot != "@value"
                and (
                    text.count(value) > 1
                    or any(rival <= mine for name in rivals for rival, mine in zip(distances(value, name), own))
                )
            ):
                return False
    return True
