"""The network that a language model is trained as, its loss, and how well it predicts."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from common.generators import BATCH_TOKENS, pad, prediction_order
from common.keras_compat import keras, tf
from common.losses import Distribution, LossTerm, masked_mean


def training_network(transformer: Any) -> keras.Model:
    """`token_ids` int32 (batch, length), 0 at padding -> `logits` float32 (batch, length, tokens) of the token after
    each."""
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    return keras.Model({"token_ids": ids}, {"logits": transformer.model(ids)})


def loss(batch: dict[str, Any], outputs: dict[str, Any], unknown_id: int) -> Sequence[LossTerm]:
    """The cross entropy of all tokens of a row but the first, and but [UNK], which shall never be written."""
    values, asked, logits = _predicted(batch["token_ids"], outputs["logits"], unknown_id)
    return [masked_mean("token_loss", values, asked, [Distribution(logits, "softmax", tf.cast(asked, tf.float32))])]


def _predicted(ids, logits, unknown_id: int):
    """-log p of each token but the first (batch, length - 1), which of them count, and the logits they come from."""
    targets, logits = ids[:, 1:], tf.cast(logits[:, :-1], tf.float32)
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    return values, (targets > 0) & (targets != unknown_id), logits


class Predictability:
    """How well a network of `training_network` predicts rows: call it with them, integers (length,) each. Returns
    -log p of all tokens of each row that count, and how many these are, each float (rows,)."""

    def __init__(self, network: keras.Model, unknown_id: int):
        self._sums = tf.function(
            partial(self._sums_of, network, unknown_id),
            input_signature=[tf.TensorSpec((None, None), tf.int32)],
            autograph=False,
        )

    def __call__(self, rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        found = np.zeros((2, len(rows)))
        for batch in prediction_order([len(row) for row in rows], BATCH_TOKENS):
            found[:, batch] = [sums.numpy() for sums in self._sums(pad([rows[index] for index in batch]))]
        return found[0], found[1]

    @staticmethod
    def _sums_of(network: keras.Model, unknown_id: int, ids):
        logits = network({"token_ids": ids}, training=False)["logits"]
        values, asked, _ = _predicted(ids, logits, unknown_id)
        counted = tf.cast(asked, tf.float32)
        return tf.reduce_sum(values * counted, 1), tf.reduce_sum(counted, 1)
