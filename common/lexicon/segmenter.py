"""A segmenter that a dictionary alone has trained: a tagger on stretches of ideographs. Runs of letters and digits are
words, and so is each other character.

Importing this module starts TensorFlow.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from common.decoders.viterbi import viterbi
from common.generators import pad, prediction_order
from common.keras_compat import keras, tf
from common.layers import Dropout, GatedDilatedConvolution
from common.lexicon.pseudo_sentences import BEGIN, END, INSIDE, SINGLE, UNKNOWN, characters_of, cut_at
from common.losses import LossTerm, masked_mean
from common.prediction import one_trace
from common.runs.callbacks import load_best
from common.runs.directory import Run
from common.runs.values import Between
from common.tokenizers.normalization import IDEOGRAPHS

#: The dictionary in a run.
WORDS = "words.json"

_STRETCH = re.compile(f"([{IDEOGRAPHS}]+)")
_OTHER = re.compile(rf"[^\W_{IDEOGRAPHS}]+|\s+|.", re.DOTALL)
_DILATIONS = (1, 2, 4)
_BATCH_TOKENS = 8192
_LABELS = 4
# After a label, those that may follow it; the first may be these.
_LEGAL = {BEGIN: (INSIDE, END), INSIDE: (INSIDE, END), END: (BEGIN, SINGLE), SINGLE: (BEGIN, SINGLE)}
_STARTS = np.isin(range(_LABELS), (BEGIN, SINGLE))
_ENDS = np.isin(range(_LABELS), (END, SINGLE))
_NEVER = -1e4  # added to a logarithm of a probability


def build_network(characters: int, size: int, layers: int, dropout: float) -> keras.Model:
    """token_ids int32 (batch, length), 0 at padding -> `logits` float32 (batch, length, 4) of BEGIN, INSIDE, END and
    SINGLE. characters: ids there are."""
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(characters, size, name="character_embedding")
    state = Dropout(dropout, name="embedding_dropout")(embedding(ids))
    state *= tf.cast(ids > 0, state.dtype)[:, :, None]
    for layer in range(layers):
        dilation = _DILATIONS[layer % len(_DILATIONS)]
        state = GatedDilatedConvolution(dilation, name=f"convolution_{layer}")(state, ids > 0)
    state = keras.layers.LayerNormalization(name="normalization")(state)
    logits = keras.layers.Dense(_LABELS, dtype="float32", name="logits")(state)
    return keras.Model(ids, {"logits": logits})


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """The cross entropy of the labels."""
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["labels"], outputs["logits"])
    return [masked_mean("labels", values, batch["token_ids"] > 0)]


def word_ends(logits: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Which characters of each sentence end a word on the most probable legal path, bool (length,). logits: float
    (batch, longest, 4)."""
    logits = logits - logits.max(-1, keepdims=True)
    scores = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    rows = np.flatnonzero(lengths)
    scores[rows, lengths[rows] - 1] += np.where(_ENDS, 0, _NEVER)
    transitions = np.full((_LABELS, _LABELS), -np.inf)
    for label, following in _LEGAL.items():
        transitions[label, list(following)] = 0
    return [_ENDS[path] for path in viterbi(scores, transitions, _STARTS, lengths)]


class Segmenter:
    """Cuts texts into words. characters: whose places, from 2 on, are their ids."""

    def __init__(self, network: keras.Model, characters: Sequence[str]):
        self._network = one_trace(network)
        self._ids = {character: number for number, character in enumerate(characters, UNKNOWN + 1)}

    @classmethod
    def of(cls, run: Run) -> "Segmenter":
        """That of a run of scripts/train_segmenter.py, with its best weights. Raises UserError where it is damaged."""
        characters = characters_of(run.read_json(WORDS, dict[str, float]))
        size, layers = (run.setting(name, Annotated[int, Between(1, 4096)]) for name in ("hidden_size", "layers"))
        network = build_network(len(characters) + UNKNOWN + 1, size, layers, dropout=0.0)
        load_best(run, network)
        return cls(network, characters)

    def cut(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text, blanks among them; together they are the text."""
        pieces = [_STRETCH.split(text) for text in texts]  # every other one is a stretch of ideographs
        stretches = [piece for of_text in pieces for piece in of_text[1::2]]
        words = iter(self._cut_stretches(stretches))
        return [
            [
                word
                for place, piece in enumerate(of_text)
                for word in (next(words) if place % 2 else _OTHER.findall(piece))
            ]
            for of_text in pieces
        ]

    def _cut_stretches(self, stretches: Sequence[str]) -> list[list[str]]:
        rows = [
            np.array([self._ids.get(character, UNKNOWN) for character in stretch], np.int32) for stretch in stretches
        ]
        found: list[list[str]] = [[]] * len(rows)
        for batch in prediction_order([len(row) for row in rows], _BATCH_TOKENS):
            padded = pad([rows[index] for index in batch])
            lengths = np.array([len(rows[index]) for index in batch])
            for index, ends in zip(batch, word_ends(self._network(padded)["logits"].numpy(), lengths)):
                found[index] = cut_at(stretches[index], ends)
        return found
