"""What the annotators of the training part do with a name of the knowledge base: how often they label it, beside which
characters (its link probability), and as which entity (its commonness). No TensorFlow.

"Behaviour modelling" in kexue.fm/archives/6919. Counts of a training text are taken out of what the network sees of
that very text. Left in, they would tell it the label: a name that stands in one text alone would be "always labelled"
exactly where it is labelled. That is not enough: who knows a name and its total can tell from what is left whether this
text had a label. So training sees counts thinned at random, anew in each epoch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.runs.directory import Run
from common.submission import atomic_write, json_bytes
from common.tokenizers import longest_matches

from knowledge_base import KnowledgeBase, NameMatch
from task import NIL, Example, Mention

#: In how many contexts a name is counted (see `_keys`), and the number of the one that says most.
CONTEXTS, LONGEST = 5, 1
_FILE = "priors.json"


@dataclass
class Priors:
    """Counts over texts, by the keys of `_keys`: how often each was found and how often it was labelled; and as what
    each name was labelled.

    nil_share: how many of the mentions whose name the knowledge base has are NIL all the same; known of a total alone.
    """

    found: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    entities: dict[str, Counter[str]] = field(default_factory=dict)
    nil_share: float | None = None

    @classmethod
    def of_text(cls, example: Example, knowledge_base: KnowledgeBase) -> "Priors":
        """What one labelled text shows. Mentions of no name of the knowledge base have no key."""
        priors = cls()
        labelled = {(mention.offset, mention.end): mention.entity for mention in example.mentions}
        matches = knowledge_base.matches(example.text)
        longest = set(longest_matches(matches, len(example.text)))
        for match in matches:
            keys = [key for at, key in enumerate(_keys(example.text, match)) if at != LONGEST or match in longest]
            priors.found.update(keys)
            entity = labelled.get((match.start, match.end))
            if entity is not None:
                priors.labelled.update(keys)
                priors.entities.setdefault(match.name, Counter())[entity] += 1
        return priors

    @classmethod
    def total(cls, texts: Iterable["Priors"]) -> "Priors":
        """The sum of what texts show."""
        priors = cls()
        for text in texts:
            priors.found.update(text.found)
            priors.labelled.update(text.labelled)
            for name, entities in text.entities.items():
                priors.entities.setdefault(name, Counter()).update(entities)
        # Neither 0 nor 1: what training does not show may happen.
        nil = sum(entities[NIL] for entities in priors.entities.values())
        priors.nil_share = (nil + 1) / (sum(entities.total() for entities in priors.entities.values()) + 2)
        return priors

    def counts(self, text: str, match: NameMatch, own: "Priors | None" = None) -> np.ndarray:
        """In each context, how often the name was labelled and how often it was not, int (CONTEXTS, 2). `own`: what this
        text itself shows, to be taken out."""
        own = own or Priors()
        labelled = [
            (self.labelled[key] - own.labelled[key], self.found[key] - own.found[key]) for key in _keys(text, match)
        ]
        return np.array([(yes, found - yes) for yes, found in labelled])

    def entity_counts(self, name: str, choices: Sequence[str], own: "Priors | None" = None) -> np.ndarray:
        """How often mentions of the name were labelled as each of the choices, int (choices,)."""
        all_, mine = (priors.entities.get(name, Counter()) if priors else Counter() for priors in (self, own))
        return np.array([all_[choice] - mine[choice] for choice in choices])

    def is_mostly_labelled(self, name: str) -> bool:
        """Whether the name is labelled in at least half of the places where it is among the longest names; a name never
        found is."""
        key = f"{name}\nlongest"
        return self.labelled[key] * 2 >= self.found[key]

    def write(self, folder: Path) -> None:
        """Into the folder of a run."""
        atomic_write(folder / _FILE, json_bytes(vars(self)))

    @classmethod
    def read(cls, run: Run) -> "Priors":
        """What `write` left there. Raises UserError when it is missing or damaged."""
        match run.read_json(_FILE):
            case {
                "found": dict(found),
                "labelled": dict(labelled),
                "entities": dict(entities),
                "nil_share": float(nil),
            }:
                are_counts = all(map(_are_counts, (found, labelled, *entities.values())))
                if are_counts and 0 < nil < 1 and all(count <= found.get(key, 0) for key, count in labelled.items()):
                    entities = {name: Counter(counts) for name, counts in entities.items()}
                    return cls(Counter(found), Counter(labelled), entities, nil)
        raise UserError(f"{run.path / _FILE}: holds no counts of names - train the run again")


def _are_counts(values: Any) -> bool:
    return isinstance(values, dict) and all(type(value) is int and 0 <= value < 2**31 for value in values.values())


def _keys(text: str, match: NameMatch) -> list[str]:
    """The keys under which a place is counted: the name; the name where it is among the longest of its text; the name
    after this character, before that one, and between the two."""
    start, end, name = match
    before, after = text[start - 1 : start] or "^", text[end : end + 1] or "$"
    return [f"{name}\n{context}" for context in ("", "longest", f"{before}_", f"_{after}", f"{before}_{after}")]


def thinned(counts: np.ndarray, generator: np.random.Generator | None) -> np.ndarray:
    """Of counts int (names, ...) between half and all at random, a share for each name; all of them without a
    generator."""
    if generator is None:
        return counts
    shares = generator.uniform(0.5, 1.0, len(counts))
    return generator.binomial(counts, shares.reshape(-1, *[1] * (counts.ndim - 1)))


def count_features(counts: np.ndarray) -> np.ndarray:
    """Counts int (names, CONTEXTS, 2) as float32 (names, 2 * CONTEXTS): log odds of being labelled, with half a place
    added on either side, and how much there is to tell from."""
    odds = np.log(counts[..., 0] + 0.5) - np.log(counts[..., 1] + 0.5)
    return np.concatenate([odds / 3, np.log1p(counts.sum(-1)) / 3], -1).astype(np.float32)


def log_priors(entity_counts: np.ndarray, nil_share: float) -> np.ndarray:
    """log p(choice | the name is a mention), float32 (choices,), NIL being the last, with one mention added: of which
    NIL has its share, and each candidate as much as any other."""
    candidates = len(entity_counts) - 1
    shares = np.array([(1 - nil_share) / candidates] * candidates + [nil_share])
    return np.log((entity_counts + shares) / (entity_counts.sum() + 1)).astype(np.float32)


def link_by_priors(examples: Sequence[Example], knowledge_base: KnowledgeBase, priors: Priors) -> list[list[Mention]]:
    """What counting alone reaches, without any network, the line to beat: the longest names of each text, save those
    that training labels too seldom (`is_mostly_labelled`), each as its commonest entity there, or as the first of the
    knowledge base where training never labelled it."""
    predictions = []
    for text in (example.text for example in examples):
        kept = [match for match in knowledge_base.matches(text) if priors.is_mostly_labelled(match.name)]
        mentions = []
        for start, end, name in longest_matches(kept, len(text)):
            commonest = priors.entities.get(name, Counter()).most_common(1)
            entity = commonest[0][0] if commonest else knowledge_base.candidates(name)[0]
            mentions.append(Mention(text[start:end], start, entity))
        predictions.append(mentions)
    return predictions
