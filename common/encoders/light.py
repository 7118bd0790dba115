"""The light encoder: characters mixed with words, then gated dilated convolutions, a BiLSTM or an ON-LSTM.

Trains from nothing on a CPU. Every character token also gets the embedding of the jieba word around it and of its
place in that word ("mixed char-word embedding": kexue.fm/archives/5409 and 6919): without pretraining, this is where
knowledge of the language comes from, all the more with word vectors trained elsewhere. A question and a context are
read as a pair, in which the question acts on the context, and parts of speech are shown too: a question asks for a kind
of word.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from common.command_line import UserError, check_at_least, check_at_most, check_below_one
from common.keras_compat import keras, tf
from common.layers import (
    AttentionPooling,
    ConditionalLayerNormalization,
    GatedDilatedConvolution,
    IdDropout,
    OrderedNeuronsLSTM,
    mask_by_time,
    masked_softmax,
)
from common.options import LARGEST_ENCODER, NEURONS_OF_A_LEVEL, EncoderOptions, check_hidden_size
from common.runs.files import bytes_of_weights, check_plain, file_of_run
from common.runs.values import settings_from_json
from common.runs.weights import assign, load_arrays
from common.tokenizers import (
    Encoding,
    PairWindow,
    WordPieceTokenizer,
    WordVocabulary,
    build_vocabulary,
)
from common.tokenizers.overlap import SHARED_KINDS, overlap
from common.tokenizers.parts_of_speech import PART_OF_SPEECH_COUNT, parts_of_speech_under
from common.tokenizers.word_vectors import read_word_vectors, word_vector_size
from common.tokenizers.words import token_words

_DILATIONS = (1, 2, 4, 8, 16, 1, 1)
_QUESTION_DILATIONS = (1, 2, 1)
_RECURRENT_LAYERS = 2
_WORD_MIN_COUNT = 3
_MOST_WORDS = 100_000
_WORD_DROPOUT = 0.15
_DEVIATION = 0.05  # of the values in a new embedding


@dataclass
class LightSettings:
    """What the network is built from; stored in encoder.json. fixed_words: word vectors came from a file or from a
    pretrained encoder, and are not trained."""

    architecture: Literal["dgcnn", "bilstm", "on_lstm"]
    hidden_size: int
    word_size: int
    layers: int
    dropout: float
    max_length: int
    fixed_words: bool = False

    def __post_init__(self):
        check_at_least(self, hidden_size=1, word_size=1, layers=1, max_length=3)
        check_below_one(self, "dropout")
        check_at_most(self, **LARGEST_ENCODER)
        check_hidden_size(self.architecture, self.hidden_size)


class LightEncoder:
    """See common.encoders. word_table: fixed word vectors, float32 (words, word_size), and pretrained: a file of weights
    that new networks begin with; later they come with the weights."""

    def __init__(
        self,
        tokenizer: WordPieceTokenizer,
        words: WordVocabulary,
        settings: LightSettings,
        word_table: np.ndarray | None = None,
        pretrained: Path | None = None,
    ):
        self.tokenizer, self.words, self.settings = tokenizer, words, settings
        self.word_table, self.pretrained = word_table, pretrained
        self.size = settings.hidden_size
        self.max_length = settings.max_length
        self.dropout = settings.dropout
        self.unknown_ids = {"token_ids": tokenizer.unknown_id, "word_ids": 1}
        self._word_kind = np.min_scalar_type(len(words))
        self._side = lru_cache(maxsize=64)(self._side_features)  # a question is asked of twenty passages

    @classmethod
    def from_texts(cls, texts: Iterable[str], options: EncoderOptions) -> "LightEncoder":
        """Vocabularies of the characters that occur at least twice in `texts`, and the words that do three times, or
        those of the file of word vectors. texts are gone through twice. Raises UserError for a file that is not what it
        should be."""
        if options.word_vectors:
            words, table = _fixed_words(options.word_vectors, texts)
            word_size = table.shape[1]
        else:
            words, table = WordVocabulary.build(texts, _WORD_MIN_COUNT, _MOST_WORDS), None
            word_size = options.word_size or word_vector_size(len(words.words))
        layers = options.layers or (len(_DILATIONS) if options.encoder == "dgcnn" else _RECURRENT_LAYERS)
        settings = LightSettings(
            options.encoder,
            options.hidden_size,
            word_size,
            layers,
            options.dropout,
            options.max_length,
            fixed_words=table is not None,
        )
        return cls(WordPieceTokenizer(build_vocabulary(texts)), words, settings, table)

    def beginning_with(self, weights: Path, options: EncoderOptions) -> "LightEncoder":
        """The same encoder, whose networks begin with the weights in a file that `save_arrays` wrote of any network on
        it. Dropout and longest window are those of the flags. Word vectors stay as they are: the few words of a contest
        would move away from all others, which its test has."""
        settings = replace(self.settings, dropout=options.dropout, max_length=options.max_length, fixed_words=True)
        return LightEncoder(self.tokenizer, self.words, settings, pretrained=weights)

    def save(self, folder: Path) -> dict[str, Any]:
        self.tokenizer.save(folder / "vocab.txt")
        self.words.save(folder / "words.json")
        return asdict(self.settings)

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> "LightEncoder":
        """Raises UserError for settings that no run of ours has, and ValueError for vocabularies that none has."""
        source = folder / "encoder.json"
        checked = settings_from_json(LightSettings, settings, source)
        tokenizer = WordPieceTokenizer.from_file(folder / "vocab.txt")
        check_plain(file_of_run(folder, "words.json"))
        words = WordVocabulary.load(folder / "words.json")
        tables = len(tokenizer) * checked.hidden_size + len(words) * checked.word_size
        if 4 * (tables + checked.layers * checked.hidden_size**2) > bytes_of_weights(folder):  # and more, of 4 bytes
            raise UserError(f"{source}: asks for more weights than the run has - use the version that trained the run")
        return cls(tokenizer, words, checked)

    def features(self, text: str, windows: list[Encoding]) -> list[dict[str, np.ndarray]]:
        """For each window `token_ids`, `word_ids` and `word_positions`, integers (length,)."""
        return [{"token_ids": window.ids} | self._word_features(text, window) for window in windows]

    def pair_features(
        self, question: str, asked: Encoding, context: str, tokens: Encoding, windows: list[PairWindow]
    ) -> list[dict[str, np.ndarray]]:
        """For each window of `pair_windows` the inputs for one text, `parts_of_speech` and `segment_ids` (0 in the
        question, 1 in the context) integers (length,), and what the two texts share (see `Overlap`): `shared` integers
        (length,), `coverage` float32 (length, 2). Encodings are without special tokens."""
        common = overlap(question, asked, context, tokens)
        of_question, of_context = self._side(question, asked), self._side(context, tokens)
        values = {name: (of_question[name], of_context[name]) for name in of_question} | {
            "shared": (common.found.astype(np.uint8), common.shared.astype(np.uint8)),
            "coverage": (np.zeros((len(asked), 2), np.float32), common.coverage),
        }
        return [
            {"token_ids": window.encoding.ids, "segment_ids": window.segment_ids}
            | {name: window.lay_out(*both) for name, both in values.items()}
            for window in windows
        ]

    def _side_features(self, text: str, tokens: Encoding) -> dict[str, np.ndarray]:
        parts = parts_of_speech_under(token_words(text, tokens))
        return self._word_features(text, tokens) | {"parts_of_speech": parts.astype(np.uint8)}

    def _word_features(self, text: str, tokens: Encoding) -> dict[str, np.ndarray]:
        words = token_words(text, tokens)
        ids = self.words.ids_under(words).astype(self._word_kind)
        return {"word_ids": ids, "word_positions": words.positions.astype(np.uint8)}

    def network(self) -> keras.Model:
        inputs = _text_inputs()
        mask = inputs["token_ids"] > 0
        state = keras.layers.LayerNormalization(name="embedding_normalization")(self._embedded(inputs))
        state = keras.layers.Dropout(self.dropout, name="embedding_dropout")(state)
        states = keras.layers.LayerNormalization(name="final_normalization")(state := self._stack(state, mask))
        return self._begun(keras.Model(inputs, [states, state], name="light_encoder"))

    def pair_network(self) -> keras.Model:
        """The question acts on the context at the start, where every token gets what is most like it in the question
        (Chen et al. 2017) and the whole question as one vector (kexue.fm/archives/5409); half-way, by attention to the
        question as convolutions have read it; and at the end, in the normalisation. States of the question itself mean
        nothing."""
        size = self.size
        inputs = _text_inputs() | {
            "parts_of_speech": keras.Input((None,), dtype="int32", name="parts_of_speech"),
            "segment_ids": keras.Input((None,), dtype="int32", name="segment_ids"),
            "shared": keras.Input((None,), dtype="int32", name="shared"),
            "coverage": keras.Input((None, 2), name="coverage"),
        }
        in_context = inputs["segment_ids"] > 0
        in_question = (inputs["token_ids"] > 0) & ~in_context
        embedded = self._embedded(inputs)
        shared = _embedding(SHARED_KINDS, size, "shared")(inputs["shared"])

        asked, asked_mask = _beginning(embedded, in_question), _beginning(in_question, in_question)
        question = keras.layers.LayerNormalization(name="question_normalization")(
            asked + _beginning(shared, in_question)
        )
        question = keras.layers.SpatialDropout1D(self.dropout, name="question_dropout")(question)
        question = _masked(question, asked_mask)
        for layer, dilation in enumerate(_QUESTION_DILATIONS):
            question = GatedDilatedConvolution(dilation, name=f"question_convolution_{layer}")(question, asked_mask)
        question = keras.layers.LayerNormalization(name="question_final_normalization")(question)
        pooled = AttentionPooling(name="question_pooling")(question, asked_mask)

        similar = keras.layers.Dense(size, activation="relu", name="alignment")
        aligned = _attend(similar(embedded), similar(asked), asked, asked_mask)
        state = sum(
            [
                embedded + shared,
                keras.layers.Dense(size, name="aligned_question")(aligned),
                keras.layers.Dense(size, name="coverage_projection")(inputs["coverage"]),
                keras.layers.Dense(size, name="pooled_question")(pooled)[:, None],
            ]
        )
        state = keras.layers.LayerNormalization(name="embedding_normalization")(state)
        state = keras.layers.SpatialDropout1D(self.dropout, name="embedding_dropout")(state)

        def meet(state):
            queries, keys = (
                keras.layers.Dense(size, name="queries")(state),
                keras.layers.Dense(size, name="keys")(question),
            )
            state += keras.layers.Dense(size, name="attended_question")(_attend(queries, keys, question, asked_mask))
            return keras.layers.LayerNormalization(name="meeting_normalization")(state)

        state = self._stack(state, in_context, meet)
        # The question scales and shifts the last states too: a linear head on them is then bilinear in context and
        # question.
        states = ConditionalLayerNormalization(name="final_normalization")([state, pooled])
        return self._begun(keras.Model(inputs, [states, state], name="light_pair_encoder"))

    def _begun(self, network: keras.Model) -> keras.Model:
        """The network with those of the pretrained weights that are called as its own are: of a pair, which has layers
        of its own, the others."""
        if self.pretrained:
            found = dict(load_arrays(self.pretrained, "model"))
            known = [weight for weight in network.weights if weight.name in found]
            assign(known, [(weight.name, found[weight.name]) for weight in known], self.pretrained)
        return network

    def _embedded(self, inputs):
        """What is known of each token by itself as one vector, (batch, length, size): the inputs below, as far as there
        are any."""
        sizes = {
            "token_ids": len(self.tokenizer),
            "word_ids": len(self.words),
            "word_positions": 5,
            "parts_of_speech": PART_OF_SPEECH_COUNT,
        }
        ids = {**inputs, "word_ids": IdDropout(_WORD_DROPOUT, unknown=1, name="word_dropout")(inputs["word_ids"])}
        embedded = {
            name: (self._word_embedding() if name == "word_ids" else _embedding(rows, self.size, name))(ids[name])
            for name, rows in sizes.items()
            if name in inputs
        }
        # The one big table is narrow, and is widened after the look-up: it is most of the weights, and most of the
        # optimizer's work.
        embedded["word_ids"] = keras.layers.Dense(self.size, use_bias=False, name="word_projection")(
            embedded["word_ids"]
        )
        return sum(embedded.values())

    def _word_embedding(self) -> keras.layers.Embedding:
        rows, size = len(self.words), self.settings.word_size
        if not self.settings.fixed_words:
            return _embedding(rows, size, "word_ids")
        # Weights that are not trained are saved and loaded with all others: a run needs the file no more.
        values = {} if self.word_table is None else {"weights": [self.word_table]}
        return keras.layers.Embedding(
            rows, size, embeddings_initializer="zeros", trainable=False, name="word_ids_embedding", **values
        )

    def _stack(self, state, mask, halfway: Callable = lambda state: state):
        """The layers; `halfway` changes the state after half of them."""
        settings = self.settings
        if settings.architecture == "dgcnn":
            state = _masked(state, mask)
        for layer in range(settings.layers):
            if settings.architecture == "dgcnn":
                dilation = _DILATIONS[layer % len(_DILATIONS)]
                state = GatedDilatedConvolution(dilation, gate_dropout=0.1, name=f"convolution_{layer}")(state, mask)
            else:
                name = settings.architecture
                state = (_read_by_bilstm if name == "bilstm" else _read_by_on_lstm)(state, mask, layer)
                state = keras.layers.Dropout(settings.dropout, name=f"{name}_dropout_{layer}")(state)
            if layer == settings.layers // 2:
                state = halfway(state)
                if settings.architecture == "dgcnn":  # or the next convolution sees how far the batch was padded
                    state = _masked(state, mask)
        return state


def _read_by_bilstm(state, mask, layer: int):
    # In float32 always: what a cell adds up over hundreds of steps would be lost in 16 bits. By time, since Keras turns
    # masks round as bools: see `mask_by_time`.
    units, options = state.shape[-1] // 2, {"return_sequences": True, "time_major": True, "dtype": "float32"}
    lstm = keras.layers.LSTM(units, **options, name=f"lstm_{layer}")
    bilstm = keras.layers.Bidirectional(lstm, dtype="float32", name=f"bilstm_{layer}")
    return tf.transpose(bilstm(tf.transpose(state, [1, 0, 2]), mask=mask_by_time(mask)), [1, 0, 2])


def _read_by_on_lstm(state, mask, layer: int):
    units = state.shape[-1] // 2
    directions = [
        OrderedNeuronsLSTM(units, units // NEURONS_OF_A_LEVEL, backwards, name=f"on_lstm_{direction}_{layer}")
        for direction, backwards in (("forwards", False), ("backwards", True))
    ]
    return tf.concat([lstm(state, mask) for lstm in directions], -1)


def _fixed_words(path: Path, texts: Iterable[str]) -> tuple[WordVocabulary, np.ndarray]:
    """The words of the texts that a file has vectors for, then its first ones, since other texts will have other words;
    and the table of their vectors, float32 (words, size), with 0 for padding and the mean for unknown words."""
    in_texts = WordVocabulary.build(texts, min_count=1).ids
    skipped: Counter[str] = Counter()
    words, vectors = read_word_vectors(path, in_texts, skipped=skipped)
    known = sum(word in in_texts for word in words)
    print(
        f"vectors   {len(words)} words of size {vectors.shape[1]}, {known} of the {len(in_texts)} words of the texts among them  ({path})"
    )
    for reason, count in sorted(skipped.items()):
        print(f"          {count} x {reason}")
    # As large as a learned table begins: files differ in scale a hundredfold, and large values drown those of the
    # characters, which they are added to. One factor for all, since a word that is longer than others is so for a
    # reason: it is rare, or has one sense.
    vectors = vectors / np.abs(vectors).max()
    vectors *= _DEVIATION / np.sqrt(np.mean(np.square(vectors), dtype=np.float64))
    return WordVocabulary(words), np.concatenate([np.zeros_like(vectors[:1]), vectors.mean(0, keepdims=True), vectors])


def _text_inputs() -> dict[str, tf.Tensor]:
    return {
        name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "word_ids", "word_positions")
    }


def _masked(state, mask):
    return state * tf.cast(mask, state.dtype)[:, :, None]


def _beginning(values, mask):
    """The first columns of `values`, as many as the longest row of the mask has: questions stand at the beginning."""
    return values[:, : tf.reduce_max(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1))]


def _attend(queries, keys, values, mask):
    """For each query a mean of the values (batch, keys, size), weighed by the softmax of scaled products over the keys
    in the mask."""
    scores = tf.matmul(queries / queries.shape[-1] ** 0.5, keys, transpose_b=True)
    return tf.matmul(masked_softmax(scores, mask[:, None]), values)


def _embedding(rows: int, size: int, name: str) -> keras.layers.Embedding:
    # A new initializer for each table: one that is shared gives tf_keras tables of equal values.
    return keras.layers.Embedding(
        rows, size, embeddings_initializer=keras.initializers.RandomNormal(stddev=_DEVIATION), name=f"{name}_embedding"
    )
