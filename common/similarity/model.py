"""A BERT that writes a similar question behind the one it reads, and whose vector of what it reads finds the similar ones
(SimBERT; kexue.fm/archives/7427).

    [CLS] question [SEP] other question [SEP]       segment 0 sees all of segment 0, segment 1 also itself so far (UniLM)
    states = transformer(tokens, segments)
    logits = masked language model head(states)     of the token after each place of segment 1
    vector = dense(state of [CLS]), or the mean of the states of segment 0; of length 1

[CLS] and the others of segment 0 see nothing of segment 1, so the vector is the same whether anything is written or not.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.decoders import State
from common.encoders import load_encoder
from common.encoders.bert import BertEncoder
from common.encoders.bert_config import LONGEST_WINDOW
from common.generation.steps import Steps
from common.generation.unilm import CachedUniLM
from common.generators import BATCH_TOKENS
from common.keras_compat import keras, set_precision, tf
from common.losses import Distribution, LossTerm, batch_mean, masked_mean, where_possible
from common.prediction import in_batches, one_trace
from common.runs.callbacks import load_best
from common.runs.directory import Run
from common.similarity import Loss, Pooling
from common.similarity.rows import readings

#: Of cosines, before the softmax.
SCALE = 30.0
#: The same in CoSENT.
COSENT_SCALE = 20.0

_LONGEST_PUBLISHED = 128  # tokens of a question


class SimilarityNetwork(Steps):
    """`training`: keras.Model, what `rows.collate` makes -> `vectors` float32 (rows, size) and `logits` float32 (rows,
    written, tokens). `reading`: `token_ids`, `segment_ids` -> the vectors alone. Its weights are those of the first.

    For common.decoders it is a model of inputs `token_ids`, int32 (texts, longest), with special tokens.
    """

    def __init__(self, encoder: BertEncoder, pooling: Pooling):
        self.encoder = encoder
        options = {"with_pool": "linear"} if pooling == "cls" else {}
        self.cached = CachedUniLM(encoder, f"--pretrained {encoder.model}", **options)
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids")}
        states = self.cached.body([*inputs.values()])
        vectors = self._vectors(states, inputs["segment_ids"], inputs["token_ids"], pooling)
        places = keras.Input((None,), dtype="int32", name="places")
        logits = self.cached.logits(tf.gather(states, places, batch_dims=1))
        self.reading = keras.Model(inputs, {"vectors": vectors})
        self.training = keras.Model(inputs | {"places": places}, {"vectors": vectors, "logits": logits})

    @classmethod
    def of(cls, run: Run) -> "SimilarityNetwork":
        """That of a run of `similar_questions.py train`, with its best weights. Raises UserError where it is damaged."""
        set_precision(run.mixed_precision)
        network = cls(load_encoder(run.path), run.setting("pooling", Pooling))
        load_best(run, network.learning(run.setting("loss", Loss))[0])
        return network

    @classmethod
    def published(cls, folder: Path, pooling: Pooling, writes: bool) -> "SimilarityNetwork":
        """That of a checkpoint in a folder, whose tasks others have trained. writes: it is to write. Raises UserError for
        one that cannot be read, or has no part that is needed."""
        encoder = BertEncoder.from_checkpoint(folder, LONGEST_WINDOW)
        encoder.max_length = min(encoder.max_length // 2, _LONGEST_PUBLISHED)
        if writes and not encoder.has("head"):
            raise UserError(
                f"--pretrained {folder}: has no head of a masked language model, which writes - take a SimBERT, or teach it by `train --pretrained`"
            )
        if pooling == "cls" and not encoder.has("pooler"):
            raise UserError(f"--pretrained {folder}: has no layer behind [CLS] - add --pooling mean, or take a SimBERT")
        return cls(encoder, pooling)

    @property
    def fingerprint(self) -> str:
        """Tells the vectors of different weights apart: SHA-256 in hexadecimal."""
        found = hashlib.sha256()
        for values in self.reading.get_weights():
            found.update(np.ascontiguousarray(values))
        return found.hexdigest()

    def learning(self, kind: Loss) -> tuple[keras.Model, Callable[..., Sequence[LossTerm]]]:
        """What learns, and its loss."""
        return (self.training, loss) if kind == "simbert" else (self.reading, scored_loss)

    def vectors_of(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (texts, size), of length 1."""
        rows = readings(texts, self.encoder.tokenizer, self.encoder.max_length)
        vectors = np.zeros((len(texts), self.encoder.size), np.float32)
        for batch, outputs in in_batches(one_trace(self.reading), rows, BATCH_TOKENS):
            vectors[batch] = outputs["vectors"].numpy()
        return vectors

    def first_state(self, inputs) -> State:
        text, written, _ = self.cached.read(inputs["token_ids"])
        return State(text, written)

    def next_state(self, state: State, tokens):
        states, written = self.cached.write(state.inputs, state.rows, tokens)
        return tf.nn.log_softmax(self.cached.logits(states)), State(state.inputs, written)

    def _vectors(self, states, segments, tokens, pooling):
        if pooling == "cls":
            pooled = self.cached.transformer.layers["Pooler-Dense"](states[:, 0])
        else:
            read = tf.cast((segments == 0) & (tokens > 0), tf.float32)[..., None]
            pooled = tf.reduce_sum(tf.cast(states, tf.float32) * read, 1) / tf.reduce_sum(read, 1)
        return tf.math.l2_normalize(tf.cast(pooled, tf.float32), -1)


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """The cross entropy of what is written, and that of which row reads what another one writes."""
    logits, labels = tf.cast(outputs["logits"], tf.float32), batch["labels"]
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    written = tf.cast(labels >= 0, tf.float32)
    alike = similarity_loss(outputs["vectors"], batch["groups"])
    return [
        masked_mean("writing", values, written, [Distribution(logits, "softmax", written)]),
        batch_mean("similarity", alike, batch["token_ids"]),
    ]


def similarity_loss(vectors, groups):
    """The cross entropy of finding the partner of each row, row 2i of 2i + 1 and the other way round, among all rows but
    itself and the others of its group, by scaled cosines. vectors: float32 (rows, size), of length 1. groups: int
    (rows,). Returns float32 (rows,)."""
    rows = tf.range(tf.shape(vectors)[0])
    partner = rows + 1 - 2 * (rows % 2)
    is_partner = partner[:, None] == rows
    others = (groups[:, None] != groups) | is_partner
    scores = where_possible(others, SCALE * tf.matmul(vectors, vectors, transpose_b=True))
    return tf.nn.sparse_softmax_cross_entropy_with_logits(partner, scores)


def scored_loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """That of a batch of scored pairs."""
    value, pairs = cosent_loss(outputs["vectors"], batch["scores"]), tf.cast(tf.shape(batch["scores"])[0], tf.float32)
    return [LossTerm("cosent", value * pairs, pairs)]


def cosent_loss(vectors, scores):
    """log(1 + sum of exp(20 (cos(k, l) - cos(i, j)))) over all pairs of which (i, j) is more alike than (k, l), and
    nothing else: what is compared in prediction is what is trained (CoSENT; kexue.fm/archives/8847).

    vectors: float32 (rows, size), of length 1; rows 2i and 2i + 1 are a pair. scores: float (pairs,). Returns a float32
    scalar, 0 where all scores are the same.
    """
    cosines = COSENT_SCALE * tf.reduce_sum(vectors[0::2] * vectors[1::2], -1)
    differences = cosines - cosines[:, None]  # (more alike, less alike)
    counted = where_possible(scores[:, None] > scores, differences)
    return tf.reduce_logsumexp(tf.concat([[0.0], tf.reshape(counted, [-1])], 0))
