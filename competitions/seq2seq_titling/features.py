"""Texts and titles as numbers. A title is a list of ids: tokens of the vocabulary, or tokens that only its text has,
from the vocabulary's size on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import pad, pad_features
from common.tokenizers import Encoding, WordPieceTokenizer

from task import Example

#: Stands in id arrays where there is no token: padding, special tokens, and what cannot be known.
NOTHING = -1


@dataclass(frozen=True)
class Article:
    """A text as the networks read it.

    encoding: its tokens, with special ones. arrays: inputs of the encoder, each (length, ...), and `copy_ids` int32
    (length,): what each place would add to a title, NOTHING for special tokens. unknown: the ids of tokens that the
    vocabulary lacks.
    """

    text: str
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    unknown: dict[str, int]


class Pair(NamedTuple):
    """An article and the ids of its title, int32 (length,). ended: the end of the title is within the limit. partners:
    what bidirectional.py itself writes from each end, the start first."""

    article: Article
    title: np.ndarray
    ended: bool
    partners: tuple[list[int], list[int]] | None = None


def read_article(text: str, encoder: Encoder) -> Article:
    """The beginning of a text, as much as the encoder takes."""
    tokenizer = encoder.tokenizer
    encoding = tokenizer.encode(text, encoder.max_length)
    (arrays,) = encoder.features(text, [encoding])
    copy_ids, unknown = encoding.ids.copy(), {}
    copy_ids[[0, -1]] = NOTHING
    for place in np.flatnonzero(encoding.ids == tokenizer.unknown_id):
        start, end = encoding.offsets[place]
        copy_ids[place] = unknown.setdefault(text[start:end].lower(), len(tokenizer) + len(unknown))
    return Article(text, encoding, arrays | {"copy_ids": copy_ids}, unknown)


def title_ids(title: str, article: Article, encoder: Encoder) -> np.ndarray:
    """The tokens of a title, int32 (length,). What the vocabulary lacks has the id that it has in the text, or NOTHING
    if it is not there."""
    tokens = encoder.tokenizer.tokenize(title)
    ids = tokens.ids.copy()
    for place in np.flatnonzero(ids == encoder.tokenizer.unknown_id):
        start, end = tokens.offsets[place]
        ids[place] = article.unknown.get(title[start:end].lower(), NOTHING)
    return ids


def _is_cut(article: Article, max_length: int) -> bool:
    """Whether the end of a text is not read. What follows the last token of a shorter text is blank, or cannot be
    seen."""
    return len(article.encoding) == max_length and article.encoding.offsets[-1, 1] < len(article.text.rstrip())


def labelled_pairs(
    examples: Sequence[Example], encoder: Encoder, max_title_length: int
) -> tuple[list[Pair], Counter[str]]:
    """Articles with their titles, and what was lost on the way, by reason."""
    pairs, lost = [], Counter()
    for example in examples:
        article = read_article(example.text, encoder)
        ids = title_ids(example.title, article, encoder)
        if not len(ids):
            lost["blank title: left out"] += 1
            continue
        lost["text longer than --max-length: its end is not read"] += int(_is_cut(article, encoder.max_length))
        lost["title longer than --max-title-length: its end is not learned"] += int(len(ids) > max_title_length)
        lost["character of a title that neither vocabulary nor text has: not learned"] += int((ids == NOTHING).sum())
        pairs.append(Pair(article, ids[:max_title_length], len(ids) <= max_title_length))
    return pairs, +lost


def collate_articles(articles: Sequence[Article]) -> dict[str, np.ndarray]:
    """The inputs of a network for a batch of texts, padded."""
    arrays = pad_features([article.arrays for article in articles])
    return arrays | {"copy_ids": pad([article.arrays["copy_ids"] for article in articles], NOTHING)}


def title_arrays(
    told: Sequence[np.ndarray], pairs: Sequence[Pair], tokenizer: WordPieceTokenizer
) -> dict[str, np.ndarray]:
    """`before`, what stands before each token, and `targets`, the tokens: start a b, and a b end. int32 (titles,
    longest + 1), NOTHING where there is none. told: the titles that are said to stand before."""
    start, end = np.int32(tokenizer.start_id), np.int32(tokenizer.end_id)
    return {
        "before": pad([np.append(start, title).astype(np.int32) for title in told], NOTHING),
        "targets": pad(
            [np.append(pair.title, end if pair.ended else NOTHING).astype(np.int32) for pair in pairs], NOTHING
        ),
    }


def with_random_tokens(pairs: Sequence[Pair], rate: float, generator: np.random.Generator) -> list[np.ndarray]:
    """The titles as the network is told they were written: in half of the examples this share of the tokens is replaced
    by tokens of the same text or title, so that it learns to go on after a mistake (exposure bias). The targets
    stay."""
    told = []
    for article, title, *_ in pairs:
        if rate and generator.random() < 0.5:
            pool = np.concatenate([title, article.arrays["copy_ids"]])
            pool = pool[pool != NOTHING]
            replaced = generator.random(len(title)) < rate
            if len(pool):
                title = np.where(replaced, pool[generator.integers(0, len(pool), len(title))], title)
        told.append(title)
    return told
