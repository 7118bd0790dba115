"""A vocabulary from a corpus, for training without a checkpoint."""

from collections import Counter
from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase, digits

from common.tokenizers.normalization import Normalizer, has_surrogate, is_isolated
from common.tokenizers.wordpiece import END, MASK, PAD, START, UNKNOWN

SPECIAL_TOKENS = (PAD, UNKNOWN, START, END, MASK)
_SIGMAS = "σς"


def build_vocabulary(
    texts: Iterable[str], min_count: int = 2, max_size: int | None = None, lowercase: bool = True
) -> list[str]:
    """Character-level WordPiece vocabulary: [PAD] [UNK] [CLS] [SEP] [MASK], then pieces by (-count, piece).

    Every piece is one normalised character: as the beginning of a word ("a", "中") or as its continuation ("##a";
    ideographs and punctuation are always words of their own and have none), each counted as it occurs. So no token
    covers more than one character, and no entity boundary falls inside a token.

    One exception: WordPiece turns a whole word into a single [UNK] when any of its characters is unknown, or when it
    has more than 200. Letters and digits, and everything else that can stand inside a word, are therefore kept in
    both forms whatever `min_count` says; there are few of them. Boundaries can then be lost only inside words with a
    character the corpus does not contain at all (or that `max_size` excluded, or a lone surrogate). An ideograph or
    punctuation mark seen less than `min_count` times becomes an [UNK] of its own: no boundary is lost.

    max_size: upper limit of the length, special tokens included; a-z, 0-9 and their continuations are always in
        (and A-Z for lowercase=False). ValueError when they do not fit.
    The same texts in any order give the same vocabulary.
    """
    normalizer = Normalizer(lowercase)
    words: Counter[str] = Counter()
    for text in texts:
        words.update(normalizer.normalize(text).text.split())

    counts: Counter[str] = Counter()
    for word, count in words.items():
        counts[word[0]] += count
        for character in word[1:]:
            counts["##" + character] += count

    always = _both_forms(ascii_lowercase + digits + ("" if lowercase else ascii_uppercase))
    inside_words = {piece[-1] for piece in counts if not is_isolated(piece[-1])}
    if inside_words.intersection(_SIGMAS):  # one capital letter, lower-cased by its place in the word
        inside_words.update(_SIGMAS)
    kept = {piece for piece, count in counts.items() if count >= min_count} | _both_forms(inside_words)
    optional = sorted(
        (piece for piece in kept - always if not has_surrogate(piece)),
        key=lambda piece: (-counts[piece], piece),
    )
    if max_size is not None:
        room = max_size - len(SPECIAL_TOKENS) - len(always)
        if room < 0:
            raise ValueError(f"max_size is {max_size}, but special tokens, letters and digits take {max_size - room}")
        optional = optional[:room]
    return [*SPECIAL_TOKENS, *sorted(always.union(optional), key=lambda piece: (-counts[piece], piece))]


def _both_forms(characters: Iterable[str]) -> set[str]:
    return {form for character in characters for form in (character, "##" + character)}


def is_lower_case(vocabulary: Iterable[str], told: object = None) -> bool:
    """Whether a vocabulary is for text in lower case.

    told: `do_lower_case` of a config; what is no bool says nothing. One without capital letters is for lower case even
    where a config says otherwise, as that of bert-base-chinese does: capitals would all be unknown. Without a word of
    it, a capital letter in one of a hundred tokens that have letters is enough: the uncased vocabularies have 0 or 1.
    """
    words = [token.removeprefix("##") for token in vocabulary if token[:1] not in ("[", "<")]
    capitals = sum(word != word.lower() for word in words)
    lower = sum(word != word.upper() for word in words)
    return told is True or capitals == 0 or (told is not False and 100 * capitals < lower)
