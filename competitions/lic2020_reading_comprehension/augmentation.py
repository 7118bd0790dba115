"""Questions as they are typed into a search engine: few function words, and no punctuation. No TensorFlow."""

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


def keywords(question: str, generator: np.random.Generator) -> str:
    """The question without punctuation and without some of its words: function words more often than others.

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
