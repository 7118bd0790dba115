"""From a trained network to titles: the search of ids, in batches, and from ids to a title as a reader wants it. No
TensorFlow.

What a network says of a token depends on what it has written before. So the search is a part of `Predictor.score`, once
for each of the settings.
"""

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np

from common.decoders import (
    Directed,
    Hypothesis,
    Rules,
    beam_search,
    by_consensus,
    common_subsequence_f1,
    sample,
    synchronous_beam_search,
)
from common.decoders.synchronous import DIRECTIONS
from common.encoders import Encoder
from common.generators import Arrays, prediction_order
from common.runs.values import Between
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.joining import joined

from features import Article, collate_articles, read_article
from metric import score
from task import Example, shortened

#: Length penalties that are tried on dev.
LENGTH_PENALTIES = (0.0, 0.5, 1.0, 1.5)
#: The most hypotheses of a beam, and the most titles that vote: more fill the memory.
MOST = 1000
#: What a title is cut to when the network writes nothing that can be seen, in characters of the text.
_FALLBACK = 24

#: More than elsewhere (see common.generators): a batch is called once for each token of its longest title.
BATCH_TOKENS = 16384
_BATCH_COST = 3000


class Settings(NamedTuple):
    """beam_width: hypotheses of the beam; 1 is greedy search. votes: titles that are drawn, with this temperature; then
    the title that is most like all of them and the beam's wins, instead of the most probable one. The others are those
    of common.decoders.Rules."""

    beam_width: Annotated[int, Between(1, MOST)] = 1
    length_penalty: Annotated[float, Between(0, 1000)] = 1.0
    min_length: Annotated[int, Between(0, 10**4)] = 1
    no_repeat_ngram: Annotated[int, Between(0, 10**4)] = 0
    votes: Annotated[int, Between(0, MOST)] = 0
    temperature: Annotated[float, Between(0.01, 100)] = 0.7

    def __str__(self) -> str:
        changed = {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}
        return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changed.items()) or "greedy search"


def grid(beam_width: int, votes: int) -> list[Settings]:
    """What is tried on dev: greedy search, a beam with each of LENGTH_PENALTIES, unless it is greedy too, and a vote,
    unless there are none."""
    beams = [Settings(beam_width, penalty) for penalty in LENGTH_PENALTIES if beam_width > 1]
    return [Settings(), *beams, *([Settings(beam_width, votes=votes)] if votes else [])]


class Candidate(NamedTuple):
    """A title, the logarithm of its probability, its score in the search, whether it has an end, and whether it is cut
    because no judge would read all of it."""

    title: str
    log_probability: float
    score: float
    finished: bool
    cut: bool = False

    def record(self) -> dict[str, Any]:
        return {**self._asdict(), "probability": math.exp(self.log_probability)}


class Predictor:
    """Writes titles, whatever the length, order and number of the texts. network: see model.py."""

    def __init__(self, network: Any, encoder: Encoder, max_title_length: int, batch_tokens: int = BATCH_TOKENS):
        self.network, self.encoder = network, encoder
        self.max_title_length, self.batch_tokens = max_title_length, batch_tokens

    def __call__(self, examples: Sequence[Example], settings: Settings) -> list[str]:
        """The title of each text, in order."""
        return self.decode(examples, self.score(self.features(examples), [settings]), settings)

    def features(self, examples: Sequence[Example]) -> list[Article]:
        """What `score` reads."""
        return [read_article(example.text, self.encoder) for example in examples]

    def score(self, articles: Sequence[Article], settings: Sequence[Settings]) -> dict[Settings, list[list[Candidate]]]:
        """Under each of the settings the titles that are found for each article, best first."""
        found = {}
        for one in settings:
            unvoted = one._replace(votes=0)
            if unvoted not in found:
                found[unvoted] = self._candidates(articles, self._searched(articles, one))
            if one.votes:
                drawn = self.samples(articles, one, one.votes, one.temperature)
                found[one] = [_elected([*some, *more]) for some, more in zip(found[unvoted], drawn)]
        return found

    def candidates(self, examples: Sequence[Example], settings: Settings) -> list[list[Candidate]]:
        """The titles that are found for each text, that of the submission first."""
        return self.score(self.features(examples), [settings])[settings]

    def decode(
        self, examples: Sequence[Example], scores: dict[Settings, list[list[Candidate]]], settings: Settings
    ) -> list[str]:
        """The best title of each text, in order."""
        return [candidates[0].title for candidates in scores[settings]]

    def samples(
        self,
        articles: Sequence[Article],
        settings: Settings,
        count: int,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 1,
    ) -> list[list[Candidate]]:
        """`count` titles of each article that common.decoders.sample draws, in the order in which they were drawn. Of
        the settings only the rules count."""
        drawing = count, temperature, top_k, top_p, seed
        found = self._in_batches(articles, settings, lambda *given, numbers: sample(*given, *drawing, numbers))
        return self._candidates(articles, found)

    def both_titles(self, articles: Sequence[Article]) -> list[tuple[list[int], list[int]]]:
        """What each side of a bidirectional network writes by itself, for each article: ids, with the start, in the
        order in which it writes."""
        start, (forward, backward) = self.encoder.tokenizer.start_id, DIRECTIONS
        found = [{one.direction: one.tokens for one in both} for both in self._searched(articles, Settings())]
        return [([start, *both.get(forward, ())], [start, *both.get(backward, ())[::-1]]) for both in found]

    def _searched(self, articles: Sequence[Article], settings: Settings) -> list[list[Hypothesis | Directed]]:
        return self._in_batches(articles, settings, lambda *given, numbers: search(*given, settings.beam_width))

    def _in_batches(self, articles: Sequence[Article], settings: Settings, find: Callable[..., list]) -> list:
        """What `find(network, inputs, rules, numbers=...)` makes of articles, for each article, in order. Articles of
        similar length share batches. What is drawn for one depends on its text alone, by these numbers."""
        tokenizer, (_, length_penalty, min_length, no_repeat_ngram, *_) = self.encoder.tokenizer, settings
        ends = tokenizer.start_id, tokenizer.end_id
        rules = Rules(*ends, self.max_title_length, min_length, length_penalty, no_repeat_ngram)
        found: list = [None] * len(articles)
        for batch in prediction_order([len(article.encoding) for article in articles], self.batch_tokens, _BATCH_COST):
            some = [articles[index] for index in batch]
            numbers = [zlib.crc32(article.text.encode("utf-8", "surrogatepass")) for article in some]
            for index, one in zip(batch, find(self.network, collate_articles(some), rules, numbers=numbers)):
                found[index] = one
        return found

    def _candidates(
        self, articles: Sequence[Article], found: Sequence[Sequence[Hypothesis | Directed]]
    ) -> list[list[Candidate]]:
        return [
            [self._candidate(hypothesis, article) for hypothesis in hypotheses]
            for article, hypotheses in zip(articles, found)
        ]

    def _candidate(self, hypothesis: Hypothesis | Directed, article: Article) -> Candidate:
        # One token that was copied may be a word of thousands of letters, or a run of emoji.
        title = title_of(hypothesis.tokens, article, self.encoder.tokenizer)
        short = shortened(title)
        return Candidate(short, hypothesis.log_probability, hypothesis.score, hypothesis.finished, short != title)


def search(network: Any, inputs: Arrays, rules: Rules, width: int) -> list[list[Hypothesis | Directed]]:
    """The `width` best titles for each text, best first; of a network that writes from both ends, of each side. inputs:
    of `collate_articles`."""
    if hasattr(network, "step_pairs"):
        return synchronous_beam_search(network, inputs, rules, width, count=2 * width)
    return beam_search(network, inputs, rules, width, count=width)


def _elected(candidates: list[Candidate]) -> list[Candidate]:
    order = by_consensus([candidate.title.lower() for candidate in candidates], common_subsequence_f1)
    return [candidates[index] for index in order]


def counts(examples: Sequence[Example], titles: Sequence[str]) -> list[tuple[float, float]]:
    """The rouge-l of each title, and 1."""
    return [(score(example.title, title).rouge_l, 1.0) for example, title in zip(examples, titles)]


def rouge_l(total: np.ndarray) -> float:
    """Of such counts, added up."""
    return float(total[0] / total[1])


# From ids to titles


def title_of(ids: Sequence[int], article: Article, tokenizer: WordPieceTokenizer) -> str:
    """The title that ids (tokens of the vocabulary, or of the text alone) stand for; never blank, and with the capitals
    and blanks of the text that its words come from.

    The longest runs of tokens that stand in the text one after the other are cut from there. What is left over is
    joined as WordPiece says, with a blank only between two words of letters or digits.
    """
    surfaces = {number: surface for surface, number in article.unknown.items()}
    offsets = article.encoding.offsets.tolist()
    title = ""
    for first, count, place in _runs(list(ids), article.arrays["copy_ids"].tolist()):
        token = surfaces.get(ids[first]) or tokenizer.vocabulary[ids[first]]
        start, end = offsets[place] if place is not None else (0, 0)
        piece = article.text[start:end] or token.removeprefix("##")
        title = joined(title, piece, not token.startswith("##"))
        for index in range(place + 1, place + count) if place is not None else ():
            blank = " " if offsets[index][0] > offsets[index - 1][1] else ""
            # Several tokens may share a character.
            title += blank + article.text[max(offsets[index][0], offsets[index - 1][1]) : offsets[index][1]]
    title = " ".join(title.split())
    begins = " ".join(article.text.split())[:_FALLBACK].strip() if len(article.encoding) > 2 else ""
    return title or begins or "无题"


def _runs(ids: list[int], copy_ids: list[int]) -> list[tuple[int, int, int | None]]:
    """ids cut into (first, count, place in the text): the longest run that the text has from each point on, the first
    such place; None for a token that the text does not have."""
    places = defaultdict(list)
    for place, token in enumerate(copy_ids):
        places[token].append(place)
    runs, first = [], 0
    while first < len(ids):
        lengths = {place: _common(ids[first:], copy_ids[place:]) for place in places.get(ids[first], ())}
        place = max(lengths, key=lengths.get, default=None)
        runs.append((first, lengths.get(place, 1), place))
        first += runs[-1][1]
    return runs


def _common(one: list[int], other: list[int]) -> int:
    """How many tokens both begin with."""
    return next((index for index, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
