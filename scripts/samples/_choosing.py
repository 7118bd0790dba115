"""How the generators of the question answering samples choose topics, facts and phrasings."""

import random

from samples._reading_phrasings import LISTS, QUESTION_WORDS, Fact
from samples._reading_world import Record
from samples._tables import fill

#: In dev and test, the share of choices that fall on a phrasing that train does not have.
UNSEEN_PHRASINGS = 0.58


class Chooser:
    """Chooses for one split, so that each phrasing, fact and topic is used about as often as the others. `uses` counts
    them."""

    def __init__(self, rng: random.Random, split: str):
        self.rng, self.split = rng, split
        self.uses: dict[str, int] = {}

    def rarity(self, name: str) -> float:
        return (1 + self.uses.get(name, 0)) ** -3

    def use(self, name: str) -> str:
        self.uses[name] = self.uses.get(name, 0) + 1
        return name

    def topic(self, topics: list[Record]) -> Record:
        topic = self.rng.choices(topics, [self.rarity(f"topic {topic['name']}") for topic in topics])[0]
        self.use(f"topic {topic['name']}")
        return topic

    def phrasing(self, everywhere: tuple[str, ...], held_out: tuple[str, ...]) -> str:
        """Rather a rarely used one; dev and test repeat only every second of those of all splits."""
        if self.split != "train":
            everywhere = held_out if self.rng.random() < UNSEEN_PHRASINGS and held_out else everywhere[::2]
        return self.use(self.rng.choices(everywhere, [self.rarity(phrasing) for phrasing in everywhere])[0])

    def keys(self, domain: str, keys: list[str], count: int, purpose: str) -> list[str]:
        """So many of the facts, rather rarely used ones, in random order."""
        left, chosen = list(keys), []
        while left and len(chosen) < count:
            key = self.rng.choices(left, [self.rarity(f"{purpose} {domain} {key}") for key in left])[0]
            left.remove(key)
            chosen.append(key)
        return chosen

    def question(self, fact: Fact, bindings: Record) -> str:
        """With the plain name or as the texts write it; sometimes in lower case, with an opening word or a question
        mark."""
        rng = self.rng
        name = bindings["name"] if rng.random() < 0.5 else bindings["query"]
        if name.isascii() and rng.random() < 0.4:
            name = name.lower()
        question = fill(self.phrasing(fact.questions, fact.held_out()), bindings | {"name": name})
        if QUESTION_WORDS.search(question):
            please = LISTS["please"][0] if rng.random() < 0.08 else ""
            question = please + question + rng.choices(("", *LISTS["question_mark"]), (65, 28, 7))[0]
        return question
