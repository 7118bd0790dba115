"""Masked rows of a corpus: the batch of each training step, and those of dev."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from common.command_line import UserError
from common.encoders import Encoder
from common.generators import Arrays
from common.pretraining.corpus import Corpus
from common.pretraining.masking import Masks, mask_rows

_DEV_ROWS = 512


class MaskedRows:
    """Rows of `encoder.max_length` tokens. A training step's depend on (seed, step) alone: each pass goes through the
    stream from another beginning, in another order, with other masks; those of dev are always the same.

    inputs: names of the inputs of the network. Raises UserError for a corpus that has not enough for a batch.
    """

    def __init__(
        self,
        train: Corpus,
        dev: Corpus,
        encoder: Encoder,
        inputs: Sequence[str],
        share: float,
        batch_size: int,
        seed: int,
    ):
        self.train, self.dev, self.inputs = train, dev, inputs
        self.length, self.masks, self.share, self.batch_size, self.seed = (
            encoder.max_length,
            Masks.of(encoder),
            share,
            batch_size,
            seed,
        )
        rows = train.tokens // self._room - 1  # a pass may begin at any token of the first row
        self.steps_of_a_pass = max(0, rows) // batch_size
        if not self.steps_of_a_pass or dev.tokens < self._room:
            raise UserError(
                f"--input: has {train.tokens:,} tokens to train on and {dev.tokens:,} for dev, too few for a batch of {batch_size} rows of {self.length} - give more texts, or lower --batch-size and --max-length"
            )
        self._order = lru_cache(maxsize=2)(self._order_of_pass)

    def __str__(self) -> str:
        return f"{self.train.texts:,} to train on, {self.train.tokens:,} tokens: {self.steps_of_a_pass:,} steps a pass; {self.dev.texts:,} for dev"

    @property
    def _room(self) -> int:
        return self.length - 2

    def batch(self, step: int) -> Arrays:
        """What the network reads in a training step, and `labels`."""
        number, place = divmod(step, self.steps_of_a_pass)
        starts = self._order(number)[place * self.batch_size : (place + 1) * self.batch_size]
        return self._masked(self.train, starts, np.random.default_rng((self.seed, 1, step)))

    def dev_batches(self) -> Iterator[Arrays]:
        """At most 512 rows of dev, masked."""
        starts = np.arange(min(self.dev.tokens // self._room, _DEV_ROWS)) * self._room
        for first in range(0, len(starts), self.batch_size):
            yield self._masked(self.dev, starts[first : first + self.batch_size], np.random.default_rng((0, first)))

    def _order_of_pass(self, number: int) -> np.ndarray:
        """The first tokens of the rows of a pass, in its order."""
        generator = np.random.default_rng((self.seed, 0, number))
        begin = generator.integers(self._room)
        rows = (self.train.tokens - begin) // self._room
        return begin + generator.permutation(rows) * self._room

    def _masked(self, corpus: Corpus, starts: np.ndarray, generator: np.random.Generator) -> Arrays:
        rows = mask_rows(corpus.read(starts, self.length), self.masks, self.share, generator)
        segments = np.zeros_like(rows["token_ids"])
        return {name: rows.get(name, segments) for name in (*self.inputs, "labels")}
