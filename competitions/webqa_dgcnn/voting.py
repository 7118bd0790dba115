"""From what single passages say to one answer (kexue.fm/archives/5409), and the search of the voting's settings on dev.

No TensorFlow.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from common.dev_search import Found, search

from metric import compare, format
from task import Example, Gold


class Candidate(NamedTuple):
    """A string of a passage, the index of its first character there, and the probabilities that an answer begins and
    ends where it does."""

    text: str
    passage: int
    start: int
    start_probability: float
    end_probability: float

    @property
    def probability(self) -> float:
        return self.start_probability * self.end_probability


class Rules(NamedTuple):
    """threshold: both probabilities of a candidate that may vote are above it. exponent: of a vote."""

    threshold: float = 0.1
    exponent: float = 2.0

    def but(self, threshold: float | None, exponent: float | None) -> "Rules":
        """With what is not None instead."""
        return Rules(
            self.threshold if threshold is None else threshold, self.exponent if exponent is None else exponent
        )


#: What is tried of each, those of the original first: of equally good rules the first are taken.
GRID = ((0.1, 0.0, 0.05, 0.2, 0.3), (2.0, 1.0, 1.5, 3.0))


def vote(found: Sequence[Candidate], rules: Rules = Rules(), allow_empty: bool = False) -> str:
    """The answer to submit: the string with the highest sum(v ** exponent) / (1 + sum(v)).

    v is the probability of a candidate; each passage has one vote for a string, its most probable one. With an exponent
    of 2 one sure passage outweighs several unsure ones. Strings are the same if the official metric formats them alike;
    the most probable spelling is returned. Where nothing is above the threshold all candidates vote, since an empty
    answer is worth nothing; or none with `allow_empty`, and the answer is empty.
    """
    found = [
        candidate for candidate in found if _form(candidate.text)
    ]  # what is nothing but punctuation is never right
    sure = [
        candidate
        for candidate in found
        if min(candidate.start_probability, candidate.end_probability) > rules.threshold
    ]
    votes: dict[str, dict[int, float]] = defaultdict(dict)
    spellings: dict[str, Candidate] = {}
    for candidate in sure or ([] if allow_empty else found):
        form = _form(candidate.text)
        votes[form][candidate.passage] = max(candidate.probability, votes[form].get(candidate.passage, 0.0))
        if form not in spellings or candidate.probability > spellings[form].probability:
            spellings[form] = candidate
    if not votes:
        return ""
    scores = {
        form: sum(v**rules.exponent for v in each.values()) / (1 + sum(each.values())) for form, each in votes.items()
    }
    return spellings[max(scores, key=scores.get)].text


_form = lru_cache(maxsize=2**17)(format)  # the search asks for the same strings again with all rules


def search_rules(
    examples: Sequence[Example],
    found: Sequence[Sequence[Candidate]],
    threshold: float | None,
    exponent: float | None,
    seed: int,
) -> Found:
    """The rules with the highest official score; what is not None stays as it is. `found` are the candidates of each
    example."""
    tried = [*dict.fromkeys(Rules(*both).but(threshold, exponent) for both in product(*GRID))]
    counts = np.array([_counts(examples, found, rules) for rules in tried])
    return search(tried, counts, lambda total: float((total[0] + total[1]) / 2 / total[2]) if total[2] else 0.0, seed)


def _counts(examples, found, rules) -> np.ndarray:
    """Right or not, F1, and 1 for each question, float (questions, 3)."""
    gold = map(Gold.of, examples)
    answers = [(example.id, vote(candidates, rules)) for example, candidates in zip(examples, found)]
    return np.array([(one.correct, one.f1, 1) for one in compare(gold, answers)])
