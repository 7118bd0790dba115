"""From a trained network to the title of every text: in batches, by one of the searches of common.decoders."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.decoders import Hypothesis, Rules, by_consensus, common_subsequence_f1, sample
from common.encoders import Encoder
from common.generators import prediction_order

from features import Article, collate_articles
from search import Search
from titles import title_of


class Sampling(NamedTuple):
    """See common.decoders.sample."""

    count: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1


class Candidate(NamedTuple):
    """A title, the logarithm of its probability, its score in the search, and whether it has an end."""

    title: str
    log_probability: float
    score: float
    finished: bool


class Writer:
    """Writes titles, whatever the length, order and number of the texts. network: see model.py."""

    def __init__(self, network: Any, encoder: Encoder, max_title_length: int, batch_size: int = 32):
        self.network, self.encoder = network, encoder
        self.max_title_length, self.batch_size = max_title_length, batch_size

    def write(self, articles: Sequence[Article], search: Search) -> list[str]:
        """The title of each article, in order."""
        return [candidates[0].title for candidates in self.candidates(articles, search)]

    def candidates(self, articles: Sequence[Article], search: Search) -> list[list[Candidate]]:
        """The titles that a search finds for each article, best first."""
        rules = self._rules(search)
        found = self._titles(
            articles,
            self._in_batches(articles, lambda inputs, numbers: self.network.search(inputs, rules, search.width)),
        )
        if not search.votes:
            return found
        drawn = self.samples(articles, search, Sampling(search.votes, search.temperature))
        return [self._elected([*searched, *more]) for searched, more in zip(found, drawn)]

    @staticmethod
    def _elected(candidates: list[Candidate]) -> list[Candidate]:
        order = by_consensus([candidate.title.lower() for candidate in candidates], common_subsequence_f1)
        return [candidates[index] for index in order]

    def samples(self, articles: Sequence[Article], search: Search, sampling: Sampling) -> list[list[Candidate]]:
        """Titles of each article that are drawn, in the order in which they were. Of the search only the rules
        count."""
        rules = self._rules(search)
        found = self._in_batches(
            articles, lambda inputs, numbers: sample(self.network, inputs, rules, *sampling, numbers=numbers)
        )
        return self._titles(articles, found)

    def both_titles(self, articles: Sequence[Article]) -> list[tuple[list[int], list[int]]]:
        """What each side of a bidirectional network writes by itself, for each article, in order."""
        rules = self._rules(Search())
        return self._in_batches(articles, lambda inputs, numbers: self.network.both_titles(inputs, rules))

    def _rules(self, search: Search) -> Rules:
        tokenizer = self.encoder.tokenizer
        return Rules(
            tokenizer.start_id,
            tokenizer.end_id,
            self.max_title_length,
            min_length=search.min_length,
            length_penalty=search.length_penalty,
            no_repeat_ngram=search.no_repeat_ngram,
        )

    def _in_batches(
        self, articles: Sequence[Article], decode: Callable[[dict[str, np.ndarray], np.ndarray], list]
    ) -> list:
        """What `decode` finds for each article, in order. Articles of similar length share batches; `decode` gets their
        inputs and numbers."""
        found: list = [None] * len(articles)
        for batch in prediction_order([len(article.encoding) for article in articles], self.batch_size):
            for index, one in zip(batch, decode(collate_articles([articles[index] for index in batch]), batch)):
                found[index] = one
        return found

    def _titles(self, articles: Sequence[Article], found: Sequence[Sequence[Hypothesis]]) -> list[list[Candidate]]:
        tokenizer = self.encoder.tokenizer
        return [
            [
                Candidate(title_of(one.tokens, article, tokenizer), one.log_probability, one.score, one.finished)
                for one in hypotheses
            ]
            for article, hypotheses in zip(articles, found)
        ]
