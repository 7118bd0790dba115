"""The part of speech of the word around each token, from jieba's dictionary: it tells names, places, times and numbers,
which are what answers are, also where training never showed the word.

A look-up, without the context: jieba's tagger (`jieba.posseg`) would choose among several parts of speech, at ten times
the cost.
"""

from functools import cache, lru_cache

import numpy as np

from common.tokenizers.segmentation import Ranges, jieba_segmenter
from common.tokenizers.words import TokenWords, normal_form

# Of words outside of the dictionary: numbers by their digits (the last: five and more), what begins with a digit or a
# Latin letter, blanks and punctuation, and others by their characters (the last: four and more), since a name mostly
# has two or three.
_OTHERS = ("1", "2", "3", "4", "5", "7天", "iphone", " ", "，", "龖", "龖龖", "龖龖龖", "龖龖龖龖")
# jieba's tags, as far as they are kept apart; another one counts as the longest of these that it begins with.
_TAGS = "a b c d e f g h i j k l m mq n nr nrt ns nt nz o p q r s t u v vn x y z".split()

#: Ids of parts of speech, 0 for special tokens and padding included: the `input_dim` of an embedding.
PART_OF_SPEECH_COUNT = 1 + len(_OTHERS) + len(_TAGS)


def parts_of_speech(text: str, offsets: np.ndarray, words: Ranges | None = None) -> np.ndarray:
    """Part of speech of the word that covers each token's first character, int32 (n,); 0 for special tokens (empty
    range).

    offsets: integers (n, 2), as in `Encoding.offsets`. words: `segment(text)`, to save a second segmentation.
    ValueError for offsets outside the text.
    """
    return parts_of_speech_under(TokenWords(text, offsets, words))


def parts_of_speech_under(tokens: TokenWords) -> np.ndarray:
    """The same of tokens whose words are known."""
    ids = np.array([*map(_part_of_speech, tokens.text_words.strings), 0], np.int32)
    return ids[tokens.covering]


def dictionary_tag(word: str) -> str:
    """jieba's tag of a word in its dictionary ("n", "nr", "v", "uj", ...), "" for another word."""
    return _dictionary().get(word) or _dictionary().get(normal_form(word), "")


@lru_cache(maxsize=2**16)
def _part_of_speech(word: str) -> int:
    form = normal_form(word)
    tag = dictionary_tag(word)
    if tag:
        kept = max((known for known in _TAGS if tag.startswith(known)), key=len, default="x")
        return 1 + len(_OTHERS) + _TAGS.index(kept)
    return 1 + _OTHERS.index(_like(form))


def _like(form: str) -> str:
    """The example of `_OTHERS` that a word in normal form is like."""
    if form.isdigit():
        return _OTHERS[min(len(form), 5) - 1]
    if form[:1].isdigit():
        return "7天"
    if form.isspace() or not form:
        return " "
    if not any(character.isalnum() for character in form):
        return "，"
    return "iphone" if form.isascii() else "龖" * min(len(form), 4)


@cache
def _dictionary() -> dict[str, str]:
    """Word -> tag."""
    with jieba_segmenter().get_dict_file() as lines:
        fields = lines.read().decode("utf-8").split()
    return dict(zip(fields[::3], fields[2::3]))
