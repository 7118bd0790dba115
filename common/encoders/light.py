"""The light encoder: characters mixed with words, then gated dilated convolutions or a BiLSTM.

Trains from nothing on a CPU. Every character token also gets the embedding of the jieba word around it, of its place in that word
and of the word's part of speech (SYSTEMS.md sections 4 and 6, "mixed char-word embedding"): without pretraining, this is where
knowledge of the language comes from.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.keras_compat import keras, tf
from common.layers import GatedDilatedConvolution, IdDropout
from common.options import EncoderOptions
from common.tokenizers import Encoding, WordPieceTokenizer, WordVocabulary, build_vocabulary, segment, word_positions

_DILATIONS = (1, 2, 4, 8, 16, 1, 1)
_BILSTM_LAYERS = 2
_WORD_SIZE = 64
_WORD_MIN_COUNT = 3
_WORD_DROPOUT = 0.15


@dataclass
class LightSettings:
    """What the network is built from; stored in encoder.json."""

    architecture: str
    hidden_size: int
    word_size: int
    layers: int
    dropout: float
    max_length: int


class LightEncoder:
    def __init__(self, tokenizer: WordPieceTokenizer, words: WordVocabulary, settings: LightSettings):
        self.tokenizer, self.words, self.settings = tokenizer, words, settings
        self.size = settings.hidden_size
        self.max_length = settings.max_length
        self.dropout = settings.dropout

    @classmethod
    def from_texts(cls, texts: Iterable[str], options: EncoderOptions) -> "LightEncoder":
        """Vocabularies of the characters that occur at least twice in `texts`, and the words that do three times."""
        texts = list(texts)
        layers = options.layers or (len(_DILATIONS) if options.encoder == "dgcnn" else _BILSTM_LAYERS)
        settings = LightSettings(options.encoder, options.hidden_size, _WORD_SIZE, layers, options.dropout, options.max_length)
        return cls(WordPieceTokenizer(build_vocabulary(texts)), WordVocabulary.build(texts, min_count=_WORD_MIN_COUNT), settings)

    def save(self, folder: Path) -> dict[str, Any]:
        self.tokenizer.save(folder / "vocab.txt")
        self.words.save(folder / "words.json")
        return asdict(self.settings)

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> "LightEncoder":
        tokenizer = WordPieceTokenizer.from_file(folder / "vocab.txt")
        return cls(tokenizer, WordVocabulary.load(folder / "words.json"), LightSettings(**settings))

    def features(self, text: str, windows: list[Encoding]) -> list[dict[str, np.ndarray]]:
        """For each window `token_ids`, `word_ids` and `word_positions`, int32 (length,)."""
        words = segment(text)
        return [
            {
                "token_ids": window.ids,
                "word_ids": self.words.word_ids(text, window.offsets, words),
                "word_positions": word_positions(text, window.offsets, words),
            }
            for window in windows
        ]

    def network(self) -> keras.Model:
        settings = self.settings
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "word_ids", "word_positions")}
        sizes = {"token_ids": len(self.tokenizer), "word_ids": len(self.words), "word_positions": 5}
        mask = inputs["token_ids"] > 0
        ids = {**inputs, "word_ids": IdDropout(_WORD_DROPOUT, unknown=1, name="word_dropout")(inputs["word_ids"])}
        tables = {name: _embedding(rows, settings.word_size if name == "word_ids" else settings.hidden_size, name) for name, rows in sizes.items()}
        embedded = {name: table(ids[name]) for name, table in tables.items()}
        # The one big table is narrow, and is widened after the look-up: it is most of the weights, and most of the optimizer's work.
        embedded["word_ids"] = keras.layers.Dense(settings.hidden_size, use_bias=False, name="word_projection")(embedded["word_ids"])
        state = sum(embedded.values())
        state = keras.layers.LayerNormalization(name="embedding_normalization")(state)
        state = keras.layers.Dropout(settings.dropout, name="embedding_dropout")(state)
        if settings.architecture == "dgcnn":
            state = state * tf.cast(mask, state.dtype)[:, :, None]
            for layer in range(settings.layers):
                dilation = _DILATIONS[layer % len(_DILATIONS)]
                state = GatedDilatedConvolution(dilation, gate_dropout=0.1, name=f"convolution_{layer}")(state, mask)
        else:
            for layer in range(settings.layers):
                lstm = keras.layers.LSTM(settings.hidden_size // 2, return_sequences=True, name=f"lstm_{layer}")
                state = keras.layers.Bidirectional(lstm, name=f"bilstm_{layer}")(state, mask=mask)
                state = keras.layers.Dropout(settings.dropout, name=f"bilstm_dropout_{layer}")(state)
        states = keras.layers.LayerNormalization(name="final_normalization")(state)
        return keras.Model(inputs, [states, state], name="light_encoder")


def _embedding(rows: int, size: int, name: str) -> keras.layers.Embedding:
    # A new initializer for each table: one that is shared gives tf_keras tables of equal values.
    return keras.layers.Embedding(rows, size, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.05), name=name.removesuffix("s"))
