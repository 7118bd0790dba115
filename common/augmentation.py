"""Training examples changed at random, other ones in each epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from common.tokenizers import segment
from common.tokenizers.parts_of_speech import dictionary_tag
from common.tokenizers.words import normal_form, rarity

# Words without which a question asks for something else: those with one of these characters.
_TURNING = frozenset("不没未无非别除最")
# How often other words are left out, by the first letter of their tag in jieba's dictionary: u auxiliaries, p
# prepositions, c conjunctions, d adverbs and y particles most often; r pronouns, question words among them, a little
# more often than the rest.
_DROPPED = dict.fromkeys("upcdy", 0.7) | {"r": 0.3}
_DROPPED_OTHERWISE = 0.25
# Question words that jieba's dictionary calls conjunctions and adverbs.
_QUESTION_WORDS = frozenset({"何时", "几时", "为何", "如何"})


def with_other_examples(
    batch: Sequence[Any],
    examples: Sequence[Any],
    share: float,
    replace: Callable[[Any, np.random.Generator], Any],
    windows_of: Callable[[Any], list[Any]],
    generator: np.random.Generator,
) -> list[Any]:
    """The batch with changed examples in about `share` of its windows; one whose example needs several windows, before
    or after, stays as it is.

    batch: windows with `example`, an index into `examples`, and `whole`, whether they are all of it. replace: another
    example in place of one, or itself. windows_of: the labelled windows of an example.
    """
    changed = []
    for window in batch:
        if window.whole and generator.random() < share:
            example = replace(examples[window.example], generator)
            if example is not examples[window.example]:
                others = windows_of(example)
                window = others[0] if len(others) == 1 else window
        changed.append(window)
    return changed


def keywords(question: str, generator: np.random.Generator) -> str:
    """The question as it is typed into a search engine: without punctuation and without some of its words, function
    words more often than others.

    What turns a question round stays (negations, 除, 最), and so does the word that is rarest in jieba's dictionary. A
    blank between two words stays one where they would become another word or number. A question without any word stays
    as it is.
    """
    words = [(start, question[start:end]) for start, end in segment(question)]
    words = [(start, word) for start, word in words if any(character.isalnum() for character in word)]
    if not words:
        return question
    rarest = max(words, key=lambda place: rarity(normal_form(place[1])))
    kept = [place for place in words if generator.random() >= _dropped(place[1]) or place == rarest]
    text, end = "", 0
    for start, word in kept:
        blank = " " if text and start > end and (text[-1] + word[0]).isascii() else ""
        text, end = text + blank + word, start + len(word)
    return text


def _dropped(word: str) -> float:
    if not _TURNING.isdisjoint(word):
        return 0.0
    tag = "r" if word in _QUESTION_WORDS else dictionary_tag(word)[:1]
    return _DROPPED.get(tag, _DROPPED_OTHERWISE)
