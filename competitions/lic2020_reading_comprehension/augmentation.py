"""Training questions and contexts made more like what a search engine sees. No TensorFlow.

Queries have few function words, and the pages that they find often repeat the question without answering it there.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from common.tokenizers import segment
from common.tokenizers.parts_of_speech import dictionary_tag
from common.tokenizers.words import normal_form, rarity

from labels import answer_spans
from task import Answer, Example

_SENTENCE_END = re.compile("[。！？!?；;]")
# Probabilities that a word is left out: auxiliaries, prepositions, conjunctions, adverbs and particles; pronouns, question words among them.
_DROPPED = dict.fromkeys("upcdy", 0.7) | {"r": 0.3}
_DROPPED_OTHERWISE = 0.25
_TAILS = ("？", "?", " ", "")


@dataclass(frozen=True)
class SearchStyle:
    """Changes labelled examples at random.

    keywords: probability that only some words of the question are left. echoes: probability that the question, or some words of it, is
    put into the context as a sentence that answers nothing.
    """

    keywords: float
    echoes: float

    def __call__(self, example: Example, generator: np.random.Generator) -> Example:
        """The example changed, or itself."""
        question = example.question
        if generator.random() < self.echoes:
            repeated = keywords(question, generator) if generator.random() < 0.5 else question.rstrip("？?")
            example = with_sentence(example, repeated + _TAILS[generator.integers(len(_TAILS))], generator)
        if generator.random() < self.keywords:
            example = replace(example, question=keywords(question, generator))
        return example


def keywords(question: str, generator: np.random.Generator) -> str:
    """The question without punctuation and without some of its words: function words more often than others.

    At least the word that is rarest in jieba's dictionary stays. A question without any word stays as it is.
    """
    words = [question[start:end] for start, end in segment(question)]
    words = [word for word in words if any(character.isalnum() for character in word)]
    if not words:
        return question
    kept = [generator.random() >= _DROPPED.get(dictionary_tag(word)[:1], _DROPPED_OTHERWISE) for word in words]
    kept[int(np.argmax([rarity(normal_form(word)) for word in words]))] = True
    return "".join(word for word, keep in zip(words, kept) if keep)


def with_sentence(example: Example, sentence: str, generator: np.random.Generator) -> Example:
    """The example with this sentence before one of those in its context, but not within an answer. All starts are known in the result, which
    has no other answers than those that occur in the context before."""
    context, spans = example.context, answer_spans(example)
    places = [0, *(match.end() for match in _SENTENCE_END.finditer(context))]
    places = [place for place in places if not any(start < place < end for start, end in spans)]
    place = places[generator.integers(len(places))]
    answers = tuple(Answer(context[start:end], start + len(sentence) * (start >= place)) for start, end in spans)
    return replace(example, context=context[:place] + sentence + context[place:], answers=answers)
