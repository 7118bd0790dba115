"""Hide whole words of rows, other ones each time they are read (Cui et al. 2019; Liu et al. 2019).

Of the tokens 15 % are hidden, word by word: most become [MASK], some another token, some stay what they are, and the
network has to say what stood there. An input that tells the word around a token says of hidden ones that it knows none.
"""

from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays
from common.pretraining.corpus import WORD_POSITIONS

_BEGINS, _ENDS = (1, 4), (3, 4)  # places in a word: see `token_words`
_AS_MASK, _AS_OTHER = 0.8, 0.1  # shares of the hidden tokens
NONE = -1


class Masks(NamedTuple):
    """What stands in for hidden tokens. mask_id: [MASK]. others: ids of tokens that one may be exchanged for. unknown:
    of each input that says which token it is, the id that says nothing. never: ids that nobody is asked for."""

    mask_id: int
    others: np.ndarray
    unknown: dict[str, int]
    never: np.ndarray

    @classmethod
    def of(cls, encoder: Encoder) -> "Masks":
        tokenizer = encoder.tokenizer
        special = [
            index
            for index, token in enumerate(tokenizer.vocabulary)
            if token[:1] == "[" and token[-1:] == "]" and len(token) > 2
        ]
        others = np.setdiff1d(np.arange(len(tokenizer)), special)
        unknown = {name: value for name, value in encoder.unknown_ids.items() if name != "token_ids"}
        return cls(tokenizer.mask_id, others, unknown, np.array([tokenizer.unknown_id]))


def word_numbers(positions: np.ndarray) -> np.ndarray:
    """Numbers its words through all rows, from 0; the tokens of a word share a number.

    positions: integers (rows, length), places in words. Returns integers of that shape; what is no word has the number
    of the one before it, or -1.
    """
    before = np.pad(positions[:, :-1], ((0, 0), (1, 0)))
    begins = np.isin(positions, _BEGINS) | ((positions > 0) & ((before == 0) | np.isin(before, _ENDS)))
    return begins.reshape(-1).cumsum().reshape(positions.shape) - 1


def hidden_tokens(eligible: np.ndarray, words: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Which tokens are hidden, bool (rows, length): whole words in random order, until a row has hidden `share` of its
    eligible tokens, at least one."""
    rows = np.broadcast_to(np.arange(len(words))[:, None], words.shape)[eligible]
    sizes = np.bincount(words[eligible], minlength=words.max(initial=0) + 1)
    row_of = np.zeros(len(sizes), np.int64)
    row_of[words[eligible]] = rows
    order = np.lexsort((generator.random(len(sizes)), row_of))
    order = order[sizes[order] > 0]
    before = sizes[order].cumsum() - sizes[order]
    first = np.unique(row_of[order], return_index=True, return_inverse=True)
    within = before - before[first[1]][first[2]]
    wanted = np.maximum(1, np.round(share * eligible.sum(1)))
    chosen = np.zeros(len(sizes), bool)
    chosen[order] = within < wanted[row_of[order]]
    return chosen[words] & eligible


def mask_rows(rows: Arrays, masks: Masks, share: float, generator: np.random.Generator) -> Arrays:
    """The inputs of a network, and what it shall say.

    rows: integers (rows, length) by name, `word_positions` among them. Adds `hidden_places` int32 (rows, hidden), where
    the hidden tokens are, and `labels`, what stood there, -1 where a row has fewer.
    """
    tokens, positions = rows["token_ids"], rows[WORD_POSITIONS]
    hidden = hidden_tokens((positions > 0) & ~np.isin(tokens, masks.never), word_numbers(positions), share, generator)
    draws = generator.random(tokens.shape)
    others = masks.others[generator.integers(len(masks.others), size=tokens.shape)]
    replaced = hidden & (draws < _AS_MASK + _AS_OTHER)
    inputs = {
        name: np.where(replaced, masks.unknown[name], values) if name in masks.unknown else values
        for name, values in rows.items()
    }
    inputs["token_ids"] = np.where(replaced, np.where(draws < _AS_MASK, masks.mask_id, others), tokens).astype(np.int32)

    counts = hidden.sum(1)
    places = np.zeros((len(tokens), max(1, counts.max(initial=0))), np.int32)
    labels = np.full(places.shape, NONE, np.int32)
    taken = np.arange(places.shape[1]) < counts[:, None]
    places[taken] = np.nonzero(hidden)[1]
    labels[taken] = tokens[hidden]
    return inputs | {"hidden_places": places, "labels": labels}
