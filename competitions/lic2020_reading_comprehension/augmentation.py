"""Questions as they are typed into a search engine: what is left of a sentence when the common words are gone. No TensorFlow."""

import numpy as np

from common.tokenizers import segment
from common.tokenizers.words import normal_form, rarity


def keywords(question: str, generator: np.random.Generator) -> str:
    """The question without punctuation and without some of its words: one that is common in jieba's dictionary more often than a rare one.

    At least the rarest word stays. A question without any word stays as it is.
    """
    words = [question[start:end] for start, end in segment(question)]
    words = [word for word in words if any(character.isalnum() for character in word)]
    if not words:
        return question
    rarities = np.array([rarity(normal_form(word)) for word in words])
    kept = generator.random(len(words)) < rarities
    kept[rarities.argmax()] = True
    return "".join(word for word, keep in zip(words, kept) if keep)
