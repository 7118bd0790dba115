"""A segmenter that a dictionary alone has trained: a tagger on stretches of ideographs. Runs of letters and digits are
words, a number with 年, 月 or 日 behind it is one, and so is each other character.

Importing this module starts TensorFlow.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from scipy.special import log_softmax

from common.command_line import UserError
from common.decoders.viterbi import viterbi
from common.generators import pad, prediction_order
from common.keras_compat import in_precision, keras, tf
from common.layers import Dropout, GatedDilatedConvolution
from common.lexicon.pseudo_sentences import BEGIN, CHARACTERS, END, INSIDE, SINGLE, UNKNOWN, cut_at
from common.losses import LossTerm, masked_mean
from common.prediction import one_trace
from common.runs.callbacks import load_best
from common.runs.directory import Run
from common.runs.files import bytes_of_weights
from common.runs.values import Between
from common.runs.weights import named_values, save_arrays
from common.tokenizers.normalization import IDEOGRAPHS

_STRETCH = re.compile(rf"((?:(?<!\d)|(?![年月日]))[{IDEOGRAPHS}]+)")
_OTHER = re.compile(rf"\d+[年月日]|[^\W_{IDEOGRAPHS}]+|\s+|.", re.DOTALL)
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
    SINGLE. characters: how many are known."""
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding = keras.layers.Embedding(UNKNOWN + 1 + characters, size, name="character_embedding")
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
    scores = log_softmax(logits, axis=-1)
    rows = np.flatnonzero(lengths)
    scores[rows, lengths[rows] - 1] += np.where(_ENDS, 0, _NEVER)
    transitions = np.full((_LABELS, _LABELS), -np.inf)
    for label, following in _LEGAL.items():
        transitions[label, list(following)] = 0
    return [_ENDS[path] for path in viterbi(scores, transitions, _STARTS, lengths)]


class Segmenter:
    """Cuts texts into words. characters: whose places, from 2 on, are their ids. run: from which it comes."""

    def __init__(self, network: keras.Model, characters: Sequence[str], run: Run | None = None):
        self.network, self._run = network, run
        self._ids = {character: number for number, character in enumerate(characters, UNKNOWN + 1)}

    @classmethod
    def of(cls, run: Run) -> "Segmenter":
        """That of a run of scripts/train_segmenter.py, with its best weights, in float32 whatever else computes in.
        Raises UserError where it is damaged."""
        characters = run.read_json(CHARACTERS, list[str])
        size, layers = (run.setting(name, Annotated[int, Between(1, 4096)]) for name in ("hidden_size", "layers"))
        if 4 * (len(characters) * size + layers * size**2) > bytes_of_weights(run.path):  # and more, of 4 bytes
            raise UserError(f"{run.path}: its settings are for more weights than it has - train the run again")
        with in_precision("no"):
            network = build_network(len(characters), size, layers, dropout=0.0)
        load_best(run, network)
        return cls(network, characters, run)

    def is_of(self, run: Run) -> bool:
        """Whether it comes from this folder."""
        return self._run is not None and self._run.path == run.path

    def save(self, folder: Path) -> None:
        """Make a folder that is a run of it, with what is needed to cut."""
        folder.mkdir()
        kept = Run(folder, self._run.config)
        kept.write_json("config.json", kept.config)
        kept.write_json(CHARACTERS, list(self._ids))
        save_arrays(kept.best_weights, {"model": named_values(self.network.weights)})

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
        traced = one_trace(self.network)
        for batch in prediction_order([len(row) for row in rows], _BATCH_TOKENS):
            padded = pad([rows[index] for index in batch])
            lengths = np.array([len(rows[index]) for index in batch])
            for index, ends in zip(batch, word_ends(traced(padded)["logits"].numpy(), lengths)):
                found[index] = cut_at(stretches[index], ends)
        return found
