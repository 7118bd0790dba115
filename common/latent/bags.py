"""Vectors of texts learned from the texts alone: an encoder reads a text, and from one vector its words are to be told.

    vector = dense(attention pooling(encoder(text)))
    loss = -sum over the words of the text of log softmax(dense(vector)), divided by their number

The order of the words is read and need not be told, so that the vector has room for what the text is about.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.encoders import Encoder
from common.generators import BATCH_TOKENS, Arrays, pad_features, steps_per_epoch, training_dataset
from common.keras_compat import keras, tf
from common.layers import AttentionPooling
from common.losses import LossTerm, batch_mean
from common.optimizers import TrainingModel, build_optimizer
from common.options import TrainingOptions
from common.prediction import in_batches, one_trace


def build_bag_autoencoder(encoder: Encoder, words: int, size: int) -> keras.Model:
    """The inputs of a text -> `vectors` float32 (batch, size), and `logits` float32 (batch, words)."""
    encoding = encoder.network()
    tokens = next(one for one in encoding.inputs if one.name == "token_ids")
    pooled = AttentionPooling(name="pooling")(encoding.output[0], tokens > 0)
    vectors = keras.layers.Dense(size, dtype="float32", name="vector")(pooled)
    logits = keras.layers.Dense(words, dtype="float32", name="words")(vectors)
    return keras.Model(encoding.inputs, {"vectors": vectors, "logits": logits})


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """The cross entropy of the words of each text, each as probable as the others; 0 for a text without known words."""
    shares = tf.math.divide_no_nan(batch["bags"], tf.reduce_sum(batch["bags"], -1, keepdims=True))
    errors = -tf.reduce_sum(shares * tf.nn.log_softmax(outputs["logits"]), -1)
    return [batch_mean("words", errors, batch["token_ids"])]


def learned_vectors(
    encoder: Encoder, texts: Sequence[str], bags: Any, size: int, epochs: int, batch_size: int, seed: int
) -> np.ndarray:
    """float32 (texts, size), by an autoencoder that is trained on these texts. bags: a sparse matrix (texts, words) of scipy,
    0 or 1. What is longer than the encoder's window is cut off. `prepare` comes before."""
    rows = [read_text(encoder, text) for text in texts]
    network = build_bag_autoencoder(encoder, bags.shape[1], size)
    model = TrainingModel(network, loss)
    options = TrainingOptions(epochs=epochs, batch_size=batch_size, ema_momentum=0)
    steps = steps_per_epoch(len(rows), batch_size)
    model.compile(build_optimizer(options, 2e-3, steps), options)

    def collate(batch: list[int], generator: np.random.Generator) -> Arrays:
        held = bags[batch].toarray().astype(np.float32)
        return pad_features([rows[place] for place in batch]) | {"bags": held}

    lengths = [len(row["token_ids"]) for row in rows]
    batches = training_dataset(range(len(rows)), lengths, collate, batch_size, seed, range(epochs), model)
    model.fit(batches, steps_per_epoch=steps, epochs=epochs, verbose=0)
    vectors = np.zeros((len(rows), size), np.float32)
    inputs = {one.name: one for one in network.inputs}
    reader = one_trace(keras.Model(inputs, {"vectors": network.output["vectors"]}))
    for batch, outputs in in_batches(reader, rows, BATCH_TOKENS):
        vectors[batch] = outputs["vectors"].numpy()
    return vectors


def read_text(encoder: Encoder, text: str) -> Arrays:
    """[CLS] text [SEP] as inputs of the network."""
    return encoder.features(text, [encoder.tokenizer.encode(text, encoder.max_length)])[0]
