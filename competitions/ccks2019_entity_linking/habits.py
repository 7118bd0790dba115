"""What the annotators of the training part do with a name: how often they label it, beside which characters, and as
which entity ("behaviour modelling": kexue.fm/archives/6919).

Counts of a training text are taken out of what the network sees of that very text. Left in, they would tell it the
label: a name that stands in one text alone would be "always labelled" exactly where it is labelled. That is not enough:
who knows a name and its total can tell from what is left whether this text had a label. So training sees counts thinned
at random, anew in each epoch.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common.tokenizers import longest_matches

from knowledge_base import NameMatch
from task import NIL, Mention

#: In how many ways a name is counted (see `_keys`), and the number of the one that says most.
WAYS, LONGEST = 5, 1


@dataclass
class Habits:
    """Counts over texts, by the keys of `_keys`: how often each was found and how often it was labelled; and as what
    each name was labelled.

    nil_share: how many of the mentions whose name the knowledge base has are NIL all the same; known of a total alone.
    """

    found: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    entities: dict[str, Counter[str]] = field(default_factory=dict)
    nil_share: float | None = None

    @classmethod
    def of_text(cls, text: str, matches: Sequence[NameMatch], mentions: Sequence[Mention]) -> "Habits":
        """What one text shows. Mentions of no name of the knowledge base have no key."""
        habits = cls()
        labelled = {(mention.offset, mention.end): mention.entity for mention in mentions}
        longest = set(longest_matches(matches, len(text)))
        for match in matches:
            keys = [key for way, key in enumerate(_keys(text, match)) if way != LONGEST or match in longest]
            habits.found.update(keys)
            entity = labelled.get((match.start, match.end))
            if entity is not None:
                habits.labelled.update(keys)
                habits.entities.setdefault(match.name, Counter())[entity] += 1
        return habits

    @classmethod
    def total(cls, texts: Iterable["Habits"]) -> "Habits":
        """The sum of what texts show."""
        habits = cls()
        for text in texts:
            habits.found.update(text.found)
            habits.labelled.update(text.labelled)
            for name, entities in text.entities.items():
                habits.entities.setdefault(name, Counter()).update(entities)
        # Neither 0 nor 1: what training does not show may happen.
        nil = sum(entities[NIL] for entities in habits.entities.values())
        habits.nil_share = (nil + 1) / (sum(entities.total() for entities in habits.entities.values()) + 2)
        return habits

    def counts(self, text: str, match: NameMatch, own: "Habits | None" = None) -> np.ndarray:
        """In each way, how often the name was labelled and how often it was not, int (WAYS, 2). `own`: habits of this
        text, to be taken out."""
        own = own or Habits()
        labelled = [
            (self.labelled[key] - own.labelled[key], self.found[key] - own.found[key]) for key in _keys(text, match)
        ]
        return np.array([(yes, found - yes) for yes, found in labelled])

    def labels_most(self, name: str) -> bool:
        """Whether the name is labelled in at least half of the places where it is among the longest names; a name never
        found is."""
        key = f"{name}\nlongest"
        return self.labelled[key] * 2 >= self.found[key]

    def entity_counts(self, name: str, choices: Sequence[str], own: "Habits | None" = None) -> np.ndarray:
        """How often mentions of the name were labelled as each of the choices, int (choices,)."""
        all_, mine = (habits.entities.get(name, Counter()) if habits else Counter() for habits in (self, own))
        return np.array([all_[choice] - mine[choice] for choice in choices])

    def as_json(self) -> dict[str, Any]:
        return vars(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Habits":
        entities = {name: Counter(counts) for name, counts in value["entities"].items()}
        return cls(Counter(value["found"]), Counter(value["labelled"]), entities, value["nil_share"])


def _keys(text: str, match: NameMatch) -> list[str]:
    """The keys under which a place is counted: the name; the name where it is among the longest of its text; the name
    after this character, before that one, and between the two."""
    start, end, name = match
    before, after = text[start - 1 : start] or "^", text[end : end + 1] or "$"
    return [f"{name}\n{way}" for way in ("", "longest", f"{before}_", f"_{after}", f"{before}_{after}")]


def thinned(counts: np.ndarray, generator: np.random.Generator | None) -> np.ndarray:
    """Of counts int (names, ...) between half and all at random, a share for each name; all of them without a
    generator."""
    if generator is None:
        return counts
    shares = generator.uniform(0.5, 1.0, len(counts))
    return generator.binomial(counts, shares.reshape(-1, *[1] * (counts.ndim - 1)))


def count_features(counts: np.ndarray) -> np.ndarray:
    """Counts int (names, WAYS, 2) as float32 (names, 2 * WAYS): log odds of being labelled, with half a place added on
    either side, and how much there is to tell from."""
    odds = np.log(counts[..., 0] + 0.5) - np.log(counts[..., 1] + 0.5)
    return np.concatenate([odds / 3, np.log1p(counts.sum(-1)) / 3], -1).astype(np.float32)


def log_priors(entity_counts: np.ndarray, nil_share: float) -> np.ndarray:
    """log p(choice | the name is a mention), float32 (choices,), NIL being the last, with one mention added: of which
    NIL has its share, and each candidate as much as any other."""
    candidates = len(entity_counts) - 1
    shares = np.array([(1 - nil_share) / candidates] * candidates + [nil_share])
    return np.log((entity_counts + shares) / (entity_counts.sum() + 1)).astype(np.float32)
