"""The network that says what stood at hidden places, and its loss.

    states = encoder(tokens)                 (rows, length, size)
    logits = head(states at hidden places)   (rows, hidden, tokens); the last layer is the table of the embeddings

Only hidden places go through the head: with a vocabulary of 21,128 tokens a head on all of them would cost more than a
small encoder.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from common.command_line import UserError
from common.encoders import Encoder
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.keras_compat import keras, tf
from common.losses import Distribution, LossTerm, masked_mean
from common.pretraining.masking import NONE


def build_network(encoder: Encoder) -> tuple[keras.Model, Any]:
    """The network for batches of `mask_rows`: `logits` float (rows, hidden, tokens). Also the part that is the encoder:
    the transformer of bert4keras, with its head, or the network of a light encoder. Raises UserError for a checkpoint
    without such a head."""
    if isinstance(encoder, LightEncoder):
        part = network = encoder.network()
        states, head = network.output[0], _head(encoder, network)
        inputs = dict(zip(network.input_names, network.inputs))
    else:
        part, inputs, states, head = _of_transformer(encoder)
    places = keras.Input((None,), dtype="int32", name="hidden_places")
    logits = head(tf.gather(states, places, batch_dims=1))
    return keras.Model(inputs | {"hidden_places": places}, {"logits": logits}), part


def _of_transformer(encoder: BertEncoder):
    """The transformer with bert4keras' head of the masked language model, taken off to be put on fewer states."""
    if encoder.model == "electra":
        raise UserError(
            "--pretrained: is an ELECTRA, which has no masked language model to go on with - take a BERT, RoBERTa-wwm, MacBERT, ALBERT, NEZHA or RoFormer"
        )
    transformer = encoder.transformer(with_mlm="linear")
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids")}
    last = "Output-MLM-Dropout" if encoder.model == "roformer_v2" else "MLM-Dense"
    states = transformer.layers[last].input
    body = keras.Model(transformer.model.inputs, states, name="bert")
    head = keras.Model(states, transformer.model.output, name="masked_language_model")
    return transformer, inputs, body([*inputs.values()]), head


def _head(encoder: LightEncoder, network: keras.Model):
    """The same on a light encoder."""
    dense = keras.layers.Dense(encoder.size, activation="gelu", name="masked_dense")
    normalisation = keras.layers.LayerNormalization(name="masked_normalization")
    logits = TokenLogits(network.get_layer("token_ids_embedding"), name="masked_logits")
    return lambda states: logits(normalisation(dense(states)))


class TokenLogits(keras.layers.Layer):
    """Logits of all tokens by the table of their embeddings, float32."""

    def __init__(self, embedding: keras.layers.Embedding, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self._aside = SimpleNamespace(embedding=embedding)  # whose weights are not this layer's

    def build(self, shape):
        self.bias = self.add_weight("bias", (self._aside.embedding.input_dim,), initializer="zeros")

    def call(self, states):
        return tf.matmul(states, self._aside.embedding.embeddings, transpose_b=True) + self.bias


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """The cross entropy of what stood at hidden places."""
    logits, labels = tf.cast(outputs["logits"], tf.float32), batch["labels"]
    asked = tf.cast(labels != NONE, tf.float32)
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    return [masked_mean("masked", values, asked, [Distribution(logits, "softmax", asked)])]
