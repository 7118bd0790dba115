"""Texts as the rows of tokens that a language model is trained by. No TensorFlow."""

from collections.abc import Iterable

import numpy as np

from common.command_line import UserError
from common.tokenizers import WordPieceTokenizer

_EVERY = 20  # one of so many texts is for dev
_MOST_DEV = 1000  # texts of dev


def train_and_dev(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Every twentieth text is for dev, up to a thousand of them; of fewer than twenty the last one. Raises UserError
    for fewer than two."""
    train: list[str] = []
    dev: list[str] = []
    for number, text in enumerate(texts, 1):
        (dev if number % _EVERY == 0 and len(dev) < _MOST_DEV else train).append(text)
    if not dev and train:
        dev.append(train.pop())
    if not train:
        raise UserError("--input: has fewer than two texts, one to train on and one for dev - give more")
    return train, dev


def rows_of(texts: Iterable[str], tokenizer: WordPieceTokenizer, max_length: int) -> list[np.ndarray]:
    """The tokens of each text with [SEP] behind them, in few bytes, at most `max_length` in a row. A longer text goes
    on in the next row, which begins with the last token of the one before: so each of its tokens but the first is
    predicted once."""
    rows = []
    for text in texts:
        tokens = np.append(tokenizer.tokenize(text).ids, tokenizer.end_id).astype(tokenizer.id_kind)
        starts = range(0, len(tokens) - 1, max_length - 1)
        rows += [tokens[start : start + max_length] for start in starts]
    return rows
