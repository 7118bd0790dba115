"""Batches of pairs of questions, each pair in both orders: the first question is read, the second one written
(kexue.fm/archives/7427). No TensorFlow."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from common.generators import Arrays, pad, pad_features, training_order
from common.similarity.questions import Pair
from common.tokenizers import WordPieceTokenizer

_DRAW = 1  # keeps the pairs of an epoch apart from the order of its batches


class Written(NamedTuple):
    """A question that is read, and one that is written behind it: [CLS] read [SEP] written [SEP]."""

    token_ids: np.ndarray
    segment_ids: np.ndarray

    @classmethod
    def of(cls, read: np.ndarray, written: np.ndarray) -> "Written":
        """read, written: ids of each with its special tokens."""
        segments = np.repeat([0, 1], [len(read), len(written) - 1]).astype(np.uint8)
        return cls(np.concatenate([read, written[1:]]), segments)


class PairBatches:
    """Batches of `batch_size` pairs of one group each. Every text is in a pair of each epoch, with another one each time.

    groups: of two texts or more. max_length: of a text, in tokens with its special ones.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        tokenizer: WordPieceTokenizer,
        max_length: int,
        batch_size: int,
        seed: int,
    ):
        self._texts = [[tokenizer.encode(text, max_length).ids for text in group] for group in groups]
        self._batch_size, self._seed = batch_size, seed

    def __len__(self) -> int:
        """Pairs of an epoch."""
        return sum(-(-len(group) // 2) for group in self._texts)

    def epoch(self, epoch: int) -> Iterator[Arrays]:
        """The batches of `collate`; they depend on (seed, epoch) alone."""
        generator = np.random.default_rng((self._seed, epoch, _DRAW))
        pairs = [pair for number, texts in enumerate(self._texts) for pair in _pairs(number, len(texts), generator)]
        lengths = [sum(len(self._texts[number][place]) for place in places) for number, places in pairs]
        for batch in training_order(lengths, self._batch_size, self._seed, epoch):
            yield self._collated([pairs[index] for index in batch])

    def _collated(self, pairs: Sequence[tuple[int, tuple[int, int]]]) -> Arrays:
        texts = [(number, *(self._texts[number][place] for place in places)) for number, places in pairs]
        both = [(number, Written.of(*order)) for number, one, other in texts for order in ((one, other), (other, one))]
        return collate([row for _, row in both]) | {"groups": np.array([number for number, _ in both], np.int32)}


def _pairs(group: int, size: int, generator: np.random.Generator) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each text with the next one in a random order; of an odd number the last one with the first."""
    order = generator.permutation(size).tolist()
    return ((group, (order[first], order[(first + 1) % size])) for first in range(0, size, 2))


def collate(rows: Sequence[Written]) -> Arrays:
    """`token_ids`, `segment_ids` int32 (rows, length); `places` int32 (rows, written), before each written token, and
    `labels` of the same shape, that token, -1 where there is none."""
    written = [np.flatnonzero(row.segment_ids) for row in rows]
    return {
        "token_ids": pad([row.token_ids for row in rows]),
        "segment_ids": pad([row.segment_ids for row in rows]),
        "places": pad([(places - 1).astype(np.int32) for places in written]),
        "labels": pad([row.token_ids[places].astype(np.int32) for row, places in zip(rows, written)], -1),
    }


def readings(texts: Sequence[str], tokenizer: WordPieceTokenizer, max_length: int) -> list[Arrays]:
    """`token_ids` and `segment_ids` (length,) of questions that are read alone."""
    ids = [tokenizer.encode(text, max_length).ids for text in texts]
    return [{"token_ids": tokens, "segment_ids": np.zeros(len(tokens), np.uint8)} for tokens in ids]


class ScoredBatches:
    """Batches of `batch_size` pairs: `token_ids` and `segment_ids` int32 (2 * pairs, length), rows 2i and 2i + 1 being
    pair i, and `scores` float32 (pairs,)."""

    def __init__(
        self, pairs: Sequence[Pair], tokenizer: WordPieceTokenizer, max_length: int, batch_size: int, seed: int
    ):
        self._rows = [readings(pair[:2], tokenizer, max_length) for pair in pairs]
        self._scores = np.array([pair.score for pair in pairs], np.float32)
        self._batch_size, self._seed = batch_size, seed

    def __len__(self) -> int:
        return len(self._rows)

    def epoch(self, epoch: int) -> Iterator[Arrays]:
        """They depend on (seed, epoch) alone."""
        lengths = [max(len(row["token_ids"]) for row in rows) for rows in self._rows]
        for batch in training_order(lengths, self._batch_size, self._seed, epoch):
            features = pad_features([row for index in batch for row in self._rows[index]])
            yield features | {"scores": self._scores[batch]}
