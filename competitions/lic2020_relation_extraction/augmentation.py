"""Other names in the same sentences: so that a model that starts from nothing learns how relations are told, not who is
who.

Every epoch, in some of the sentences, entities are replaced by others of their type from the training set, wherever
they occur. No TensorFlow.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from task import Example, Schema, Triple

# The schema tells a singer from an actor and a novel from a film; sentences do not, and a larger pool has more to
# offer.
_SAME_KIND = {
    "娱乐人物": "人物",
    "历史人物": "人物",
    "图书作品": "作品",
    "影视作品": "作品",
    "文学作品": "作品",
    "电视综艺": "作品",
    "音乐专辑": "作品",
    "歌曲": "作品",
    "企业": "机构",
    "企业/品牌": "机构",
}
# A type with fewer different values than this is a closed list (climates, languages): its values are knowledge, not
# names.
_SMALLEST_POOL = 30


class EntityReplacement:
    """Replaces entities of labelled examples by others of the same type.

    rate: probability that an entity is replaced, for each of those that have a type with enough values and are no part
    of another entity of the sentence.
    """

    def __init__(self, examples: Iterable[Example], schema: Schema, rate: float = 0.5):
        self.schema, self.rate = schema, rate
        values: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            for value, kind in self._entities(example.triples).items():
                values[kind].add(value)
        self.pools: dict[str, Sequence[str]] = {
            kind: sorted(pool) for kind, pool in values.items() if len(pool) >= _SMALLEST_POOL
        }

    def __call__(self, example: Example, generator: np.random.Generator) -> Example:
        """The example with some other entities, or itself."""
        entities = self._entities(example.triples)
        replaced = {}
        for value, kind in entities.items():
            nested = any(value != other and (value in other or other in value) for other in entities)
            if value and not nested and kind in self.pools and generator.random() < self.rate:
                replaced[value] = self.pools[kind][generator.integers(len(self.pools[kind]))]
        if not replaced:
            return example
        pattern = re.compile("|".join(map(re.escape, sorted(replaced, key=len, reverse=True))))
        text = pattern.sub(lambda match: replaced[match.group()], example.text)
        triples = tuple(
            Triple(
                replaced.get(triple.subject, triple.subject),
                triple.predicate,
                tuple((slot, replaced.get(value, value)) for slot, value in triple.object),
            )
            for triple in example.triples
        )
        return Example(text, triples, example.line)

    def _entities(self, triples: Iterable[Triple]) -> dict[str, str]:
        """Value -> kind of all subjects and objects; the first of several types counts."""
        found: dict[str, str] = {}
        for triple in triples:
            predicate = self.schema.predicates[triple.predicate]
            for value, kind in (
                (triple.subject, predicate.subject_type),
                *((value, predicate.object_types[slot]) for slot, value in triple.object),
            ):
                found.setdefault(value, _SAME_KIND.get(kind, kind))
        return found
