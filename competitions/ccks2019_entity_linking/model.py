"""The networks: which pieces of a text are mentions, and which entity each of them means; and their loss.

kexue.fm/archives/6919.

    mentions    states      = convolutions(encoder(text) + what spots and priors say of each token)
                start, end  = a half pointer on the states, for mentions of any name
                context     = f(states[first], states[last]) + start[first] + end[last]     for each spot
                name score  = g(shape, priors and rivals of the spot) + dropout(context)

    entities    states      = pair encoder(description of a candidate, text)
                score       = h(mean of the states over the mention, their maximum over the text) + w log p(candidate | name)
                p(entity)   = softmax over all candidates of a mention, NIL among them

f, g and h are small networks. The dropout leaves out all that a text says of a name.
"""

from typing import Any, NamedTuple

from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.layers import GatedDilatedConvolution, IdDropout
from common.losses import (
    Distribution,
    LossTerm,
    batch_mean,
    masked_marginal_cross_entropy,
    masked_mean,
    where_possible,
)

from candidates import SPOT_FEATURES, TOKEN_FEATURES
from features import PAIR

_EDGE_BIAS = -2.0
_CONTEXT_DROPOUT = 0.5


class Networks(NamedTuple):
    """Three views of one set of weights.

    training: inputs of `collate` -> logits by name, as `loss` takes them; its weights are all there are.
    mentions: inputs of `mention_inputs` -> logits [edges (batch, length, 2), names (spots,)].
    entities: rows of `PairReader` -> logits (rows,).
    """

    training: keras.Model
    mentions: keras.Model
    entities: keras.Model


def build_network(encoder: Encoder, token_dropout: float = 0.0) -> Networks:
    """token_dropout: share of the tokens that the mention network cannot read in training; prediction needs to know
    nothing of it."""
    mentions, entities = _mention_network(encoder, token_dropout), _entity_network(encoder)
    pairs = {
        name: keras.Input(one.shape[1:], dtype=one.dtype, name=PAIR + name) for name, one in entities.input.items()
    }
    edge_logits, name_logits = mentions.output
    outputs = {"edge_logits": edge_logits, "name_logits": name_logits, "entity_logits": entities(pairs)}
    return Networks(keras.Model([*mentions.inputs, *pairs.values()], outputs), mentions, entities)


def _mention_network(encoder: Encoder, token_dropout: float) -> keras.Model:
    encoding = encoder.network()
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    inputs = {**encoding.input, "token_ids": token_ids}
    # Names are learned by heart otherwise, together with what their training texts say of them: 0.6 points of F1.
    readable = IdDropout(token_dropout, unknown=encoder.tokenizer.unknown_id, name="token_dropout")(token_ids)
    encoded = encoding({**inputs, "token_ids": readable})[0]
    dictionary = keras.Input((None, TOKEN_FEATURES), name="dictionary")
    places = keras.Input((3,), dtype="int32", name="name_places")
    features = keras.Input((SPOT_FEATURES,), name="name_features")

    is_token = token_ids > 0
    known = keras.layers.Dense(encoder.size, activation="relu", name="dictionary_hidden")(dictionary)
    states = encoded + keras.layers.Dense(encoder.size, name="dictionary_projection")(known)
    states *= tf.cast(is_token, states.dtype)[:, :, None]
    for layer, dilation in enumerate((1, 2)):
        states = GatedDilatedConvolution(dilation, name=f"mention_convolution_{layer}")(states, is_token)
    states = keras.layers.Dropout(encoder.dropout, name="mention_dropout")(states)
    bias = keras.initializers.Constant(_EDGE_BIAS)
    edges = keras.layers.Dense(2, bias_initializer=bias, name="edges", dtype="float32")(states)

    # Priors and shape say most of it, and are read apart from what the text says, which is often left out: a network
    # that sees both together learns texts by heart instead (F1 0.82).
    prior = features
    for layer, size in enumerate((64, 32)):
        prior = keras.layers.Dense(size, activation="relu", name=f"prior_hidden_{layer}", dtype="float32")(prior)
    prior = keras.layers.Dense(1, name="prior_score", dtype="float32")(prior)

    row, first, last = tf.unstack(places, axis=1)
    begin, end = tf.stack([row, first], 1), tf.stack([row, last], 1)
    both = tf.concat([tf.gather_nd(states, begin), tf.gather_nd(states, end)], 1)
    context = keras.layers.Dense(encoder.size, activation="relu", name="context_hidden")(both)
    context = keras.layers.Dropout(encoder.dropout, name="context_hidden_dropout")(context)
    context = keras.layers.Dense(1, use_bias=False, name="context_score", dtype="float32")(context)
    context += tf.gather_nd(edges[..., :1], begin) + tf.gather_nd(edges[..., 1:], end)
    context = keras.layers.Dropout(_CONTEXT_DROPOUT, name="context_dropout", dtype="float32")(context)
    inputs |= {"dictionary": dictionary, "name_places": places, "name_features": features}
    return keras.Model(inputs, [edges, (prior + context)[:, 0]], name="mentions")


def _entity_network(encoder: Encoder) -> keras.Model:
    encoding = encoder.pair_network()
    mention = keras.Input((None,), name="mention")
    in_text = keras.Input((None,), dtype="int8", name="in_text")
    log_prior = keras.Input((1,), name="log_prior")

    states = keras.layers.Dropout(encoder.dropout, name="entity_dropout")(encoding.output[0])
    share = mention / tf.reduce_sum(mention, 1, keepdims=True)
    meant = tf.matmul(tf.cast(share, states.dtype)[:, None], states)[:, 0]
    seen = tf.reduce_max(tf.where(in_text[:, :, None] > 0, states, tf.cast(-1e4, states.dtype)), 1)
    hidden = keras.layers.Dense(encoder.size, activation="relu", name="entity_hidden")(tf.concat([meant, seen], 1))
    hidden = keras.layers.Dropout(encoder.dropout, name="entity_hidden_dropout")(hidden)
    score = keras.layers.Dense(1, use_bias=False, name="entity_score", dtype="float32")(hidden)
    weight = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="prior_weight", dtype="float32")
    inputs = {**encoding.input, "mention": mention, "in_text": in_text, "log_prior": log_prior}
    return keras.Model(inputs, (score + weight(log_prior))[:, 0], name="entities")


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> list[LossTerm]:
    """The loss of a batch of `collate`: edges of mentions token by token, spots and queries each by itself."""
    edges, names = outputs["edge_logits"], outputs["name_logits"]
    is_token, is_choice = tf.cast(batch["token_ids"] > 0, tf.float32), batch["choices"] >= 0
    edge_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(batch["edge_labels"], tf.float32), edges)
    name_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(batch["name_labels"], tf.float32), names)
    entities = tf.gather(outputs["entity_logits"], tf.maximum(batch["choices"], 0))
    entity_errors = masked_marginal_cross_entropy(batch["right"], entities, is_choice)
    edge_opinion = Distribution(edges, "sigmoid", is_token[:, :, None])
    name_opinion = Distribution(names, "sigmoid", tf.ones_like(names))
    entity_opinion = Distribution(where_possible(is_choice, entities), "softmax", tf.ones_like(entities[:, 0]))
    return [
        masked_mean("edge_loss", tf.reduce_sum(edge_errors, -1), is_token, [edge_opinion]),
        batch_mean("name_loss", name_errors, batch["name_labels"], [name_opinion]),
        batch_mean("entity_loss", entity_errors, batch["choices"], [entity_opinion]),
    ]
