"""What perturbed masking found of a text, and how its tokens become words and a tree."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from common.analysis.perturbed_masking import (
    between_words,
    learned_threshold,
    split_tree,
    threshold_of_share,
    word_sizes,
    words_of,
)
from common.analysis.trees import Brackets
from common.tokenizers import Encoding

Keep = Literal["strong", "weak"]


class Rule(NamedTuple):
    """Which neighbours are kept together: those whose impact is at least the threshold, or for "weak" at most."""

    threshold: float
    keep: Keep

    def __str__(self) -> str:
        return f"impact of {self.threshold:.4g} and {'more' if self.keep == 'strong' else 'less'}"


class Read(NamedTuple):
    """A text, its tokens, which of these continue the word before them by the vocabulary, and what was found: impacts
    between neighbours (n - 1, 2), or between all (n, n)."""

    text: str
    tokens: Encoding
    continued: np.ndarray
    adjacent: np.ndarray
    matrix: np.ndarray | None

    def pull(self, keep: Keep) -> np.ndarray:
        """How much neighbours hold together, float (n - 1,): their impact, or for "weak" what it is below 0; infinity
        inside of what the vocabulary says is one word."""
        impact = self.adjacent.mean(1)
        return np.where(self.continued, np.inf, impact if keep == "strong" else -impact)

    def sizes(self, rule: Rule) -> list[int]:
        """How many tokens each word has."""
        least = rule.threshold if rule.keep == "strong" else -rule.threshold
        return word_sizes(self.tokens.offsets, self.pull(rule.keep) >= least)

    def words(self, rule: Rule) -> list[str]:
        """Without blanks around them."""
        return [word.strip() for word in words_of(self.text, self.tokens.offsets, self.sizes(rule))]

    def tree(self, rule: Rule) -> Brackets:
        """Of these words."""
        return split_tree(between_words(self.matrix, self.sizes(rule)))


def rule_of_share(found: Sequence[Read], share: float, keep: Keep) -> Rule:
    """That by which this share of the neighbours in texts that the vocabulary does not join is kept together."""
    pulls = (one.pull(keep) for one in found)
    least = threshold_of_share([pull[np.isfinite(pull)] for pull in pulls], share)
    return Rule(abs(least), keep)


def learned_rule(found: Sequence[Read], together: Sequence[np.ndarray], keep: Keep) -> Rule:
    """The one whose words are best. together: of each text which neighbours are of one word, bool (n - 1,)."""
    least = learned_threshold([one.pull(keep) for one in found], together)
    return Rule(abs(least), keep)
