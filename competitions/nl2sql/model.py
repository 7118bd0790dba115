"""The network and its loss: one pass over a question and all columns of its table, and two heads to find the values of
conditions.

    x_t  = encoder([CLS] question [SEP] [CLS] column 1 [SEP] [CLS] column 2 [SEP] ...)_t, with the cues of t
    h_c  = mean of x over the name of column c, with its type
    z_tc = convolutions over t of relu(W x_t + U h_c + V match_tc + (A x_t)(B h_c)), columns seeing the largest of
           each other
    q_t  = [x_t, largest of z_tc over c, cues of t]

    aggregation of column c, or not selected:  softmax(MLP[pooled z_.c, largest of z_.c, h_c, and the largest of all this over columns])
    connection, number of selected columns, number of conditions:  softmax(W pooled q) each
    span_column:  sigmoid(W q_t), where a value of each operator begins and ends; the value from i to j is column c's with sigmoid(w z_ic + w z_jc)
    tagging:      softmax(W q_t) over BIO tags with operators; a tagged token is column c's with sigmoid(w z_tc)

The original is kexue.fm/archives/6771.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays
from common.keras_compat import keras, tf
from common.layers import AttentionPooling, GatedDilatedConvolution
from common.losses import Distribution, LossTerm, batch_mean, logit_adjustment, masked_mean

from features import NOT_SELECTED, SELECTIONS, TAG_COUNT, WHOLE, Labels, Mark, whole_classes
from schema_linking import CUE_COUNT, FEATURE_COUNT
from task import OPERATORS

_DILATIONS = (1, 2, 4, 1)


def build_network(encoder: Encoder, head: str, size: int, unconditioned: bool = False) -> keras.Model:
    """Inputs of `features.collate` -> logits by name: `selections` (batch, columns, SELECTIONS), each of WHOLE (batch,
    classes of `whole_classes`), `value_columns` (batch, tokens, columns), and that of the head: `edges` (batch, tokens, OPERATORS, 2) or
    `tags` (batch, tokens, TAG_COUNT).

    head: "span_column" or "tagging". size: of the question as it is read for a column. unconditioned: whether there are
    questions without a condition.
    """
    encoding, dropout = encoder.network(), encoder.dropout
    matches = keras.Input((None, None, FEATURE_COUNT), name="matches")
    columns = keras.Input((None, 3), dtype="int32", name="columns")
    question = keras.Input((None,), dtype="int32", name="question")
    cues = keras.Input((None, CUE_COUNT), name="cues")
    in_question, is_column = question > 0, columns[..., 2] > 0
    pairs = in_question[:, :, None] & is_column[:, None]

    drop = keras.layers.SpatialDropout1D(dropout, name="states_dropout")
    states = drop(keras.layers.Dense(size, name="states")(encoding.output[0]))
    # The question is the tokens after the first [CLS].
    asked = states[:, 1 : 1 + tf.shape(question)[1]] + keras.layers.Dense(size, name="cue_part")(cues)
    names = _means(states, columns[..., 0], columns[..., 1])
    names += keras.layers.Embedding(3, size, name="types")(columns[..., 2])
    read = _read(asked, names, matches, pairs, size, dropout)
    everything = tf.concat([asked, _largest(read, pairs, 2), tf.cast(cues, asked.dtype)], -1)
    asking = _pooled(everything, in_question, "question_pooling")
    outputs = {"selections": _selections(tf.concat([read, _beside(cues, read)], -1), names, pairs, is_column, dropout)}
    whole = whole_classes(unconditioned)
    outputs |= {name: _float32_dense(classes, f"{name}_logits")(asking) for name, classes in whole.items()}
    # Of each token as the edge of a value, or inside of one: which columns the value is compared with.
    outputs["value_columns"] = _float32_dense(1, "value_columns_logits")(read)[..., 0]
    if head == "span_column":
        edges = _float32_dense(2 * len(OPERATORS), "edges_logits")(everything)
        outputs["edges"] = tf.reshape(edges, tf.concat([tf.shape(edges)[:2], [len(OPERATORS), 2]], 0))
    else:
        outputs["tags"] = _float32_dense(TAG_COUNT, "tags_logits")(everything)
    inputs = {**encoding.input, "matches": matches, "columns": columns, "cues": cues, "question": question}
    return keras.Model(inputs, outputs)


def _means(states, begins, ends):
    """Means of the states [begin, end) for each column, (batch, columns, size); 0 where the range is empty."""
    sums = tf.pad(tf.cumsum(tf.cast(states, tf.float32), axis=1), [[0, 0], [1, 0], [0, 0]])
    totals = tf.gather(sums, ends, batch_dims=1) - tf.gather(sums, begins, batch_dims=1)
    lengths = tf.cast(tf.maximum(ends - begins, 1), tf.float32)
    return tf.cast(totals / lengths[..., None], states.dtype)


def _read(asked, names, matches, pairs, size: int, dropout: float):
    """The question as it is read for each column, (batch, tokens, columns, size)."""
    dense = keras.layers.Dense
    inside = tf.cast(pairs, asked.dtype)[..., None]  # or convolutions would see how far a batch was padded
    state = dense(size, name="question_part")(asked)[:, :, None] + dense(size, name="column_part")(names)[:, None]
    product = dense(size, name="question_factor")(asked)[:, :, None] * dense(size, name="column_factor")(names)[:, None]
    state = tf.nn.relu(state + product + dense(size, name="match_part")(matches))
    state = keras.layers.LayerNormalization(name="pair_normalization")(state) * inside
    for number, dilation in enumerate(_DILATIONS):
        convolution = GatedDilatedConvolution(dilation, gate_dropout=0.1, name=f"reading_{number}")
        rows, mask, shape = _by_column(state, pairs)
        state = tf.transpose(tf.reshape(convolution(rows, mask), shape), [0, 2, 1, 3])
        if number % 2 == 0:  # what other columns make of the same token
            both = tf.concat([state, _beside(_largest(state, pairs, 2), state)], -1)
            state = (state + dense(size, activation="relu", name=f"others_{number}")(both)) * inside
    return keras.layers.LayerNormalization(name="reading_normalization")(
        keras.layers.Dropout(dropout, name="reading_dropout")(state)
    )


def _selections(read, names, pairs, is_column, dropout: float):
    """Logits (batch, columns, SELECTIONS)."""
    rows, mask, shape = _by_column(read, pairs)
    pooled = tf.reshape(_pooled(rows, mask, "column_pooling"), [shape[0], shape[1], 2 * read.shape[-1]])
    column = tf.concat([pooled, _largest(read, pairs, 1), names], -1)
    column = keras.layers.Dense(names.shape[-1], activation="relu", name="selection_hidden")(
        keras.layers.Dropout(dropout, name="selection_dropout")(column)
    )
    others = tf.broadcast_to(_largest(column, is_column, 1)[:, None], tf.shape(column))
    return _float32_dense(SELECTIONS, "selections_logits")(tf.concat([column, others], -1))


def _by_column(state, pairs):
    """(batch, tokens, columns, size) as (batch * columns, tokens, size), its mask, and the shape (batch, columns,
    tokens, size)."""
    by_column = tf.transpose(state, [0, 2, 1, 3])
    shape = tf.shape(by_column)
    rows = tf.reshape(by_column, [shape[0] * shape[1], shape[2], state.shape[-1]])
    return rows, tf.reshape(tf.transpose(pairs, [0, 2, 1]), [shape[0] * shape[1], shape[2]]), shape


def _largest(state, mask, axis: int):
    """The largest of the states (..., size) in the mask (...) along an axis of it; 0 where there is none."""
    hidden = tf.where(mask[..., None], state, tf.cast(-1e4, state.dtype))
    return tf.where(tf.reduce_any(mask, axis)[..., None], tf.reduce_max(hidden, axis), tf.cast(0, state.dtype))


def _pooled(states, mask, name: str):
    """A mean by attention and the largest values of states (batch, length, size) in the mask, (batch, 2 * size)."""
    return tf.concat([AttentionPooling(name=name)(states, mask), _largest(states, mask, 1)], -1)


def _beside(known, read):
    """What is known of tokens repeated for each column."""
    return tf.broadcast_to(
        tf.cast(known, read.dtype)[:, :, None], tf.concat([tf.shape(read)[:3], [known.shape[-1]]], 0)
    )


def _float32_dense(units: int, name: str) -> keras.layers.Dense:
    return keras.layers.Dense(units, dtype="float32", name=name)


def loss(
    batch: dict[str, Any], outputs: dict[str, Any], adjustments: Mapping[str, np.ndarray] = MappingProxyType({})
) -> list[LossTerm]:
    """The loss of a batch of `collate_labelled` for the head that the outputs are of. adjustments: what it sees of
    classes beside their logits, float (classes,) by name of an output; prediction needs to know nothing of them."""
    is_column = tf.cast(batch["columns"][..., 2] > 0, tf.float32)
    logits = {name: outputs[name] + adjustments.get(name, 0.0) for name in ("selections", *WHOLE)}
    errors = {name: tf.nn.sparse_softmax_cross_entropy_with_logits(batch[name], logits[name]) for name in logits}
    # Summed over columns, not averaged: a table twice as wide has no more selected columns.
    selected = tf.reduce_sum(errors["selections"] * is_column, 1)
    opinions = [Distribution(logits["selections"], "softmax", is_column)]
    terms = [batch_mean("selection_loss", selected, batch["question"], opinions)]
    for name in WHOLE:
        opinions = [Distribution(logits[name], "softmax", tf.ones_like(errors[name]))]
        terms.append(batch_mean(f"{name}_loss", errors[name], batch["question"], opinions))
    of_head = _span_losses if "edges" in outputs else _tagging_losses
    return terms + of_head(batch, outputs, tf.cast(batch["question"] > 0, tf.float32), is_column)


def _span_losses(batch, outputs, in_question, is_column) -> list[LossTerm]:
    """Of where values of each operator begin and end, and of the columns of each value. Marks are padded with -1."""
    marks, edges = batch["marks"], outputs["edges"]
    numbers = tf.broadcast_to(tf.range(tf.shape(marks)[0])[:, None], tf.shape(marks)[:2])
    column, operator, first, last = tf.unstack(marks, len(Mark._fields), axis=-1)
    is_mark = column >= 0
    right = [_marked(tf.stack([numbers, edge, operator], -1), is_mark, tf.shape(edges)[:3]) for edge in (first, last)]
    inside = in_question[..., None, None]
    edge_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.stack(right, -1), edges) * inside
    opinions = [Distribution(edges, "sigmoid", inside)]
    edge_loss = batch_mean("edge_loss", tf.reduce_sum(edge_errors, [1, 2, 3]), batch["question"], opinions)

    # Every value against every column: those that other marks give to the same span are right, too.
    same = (first[:, :, None] == first[:, None]) & (last[:, :, None] == last[:, None])
    same &= is_mark[:, :, None] & is_mark[:, None]
    columns = tf.one_hot(column, tf.shape(is_column)[1])
    right_columns = tf.minimum(tf.matmul(tf.cast(same, tf.float32), columns), 1.0)
    logits = sum(tf.gather(outputs["value_columns"], tf.maximum(edge, 0), batch_dims=1) for edge in (first, last))
    return [
        edge_loss,
        _column_loss(right_columns, logits, tf.cast(is_mark, tf.float32)[:, :, None] * is_column[:, None]),
    ]


def _marked(places, is_mark, shape):
    """1 at the places (batch, marks, rank) that are marks, 0 elsewhere."""
    places = tf.boolean_mask(places, is_mark)
    return tf.minimum(tf.scatter_nd(places, tf.ones(tf.shape(places)[:1]), shape), 1.0)


def _tagging_losses(batch, outputs, in_question, is_column) -> list[LossTerm]:
    """Of the tag of each token, and of the columns of the tagged ones."""
    errors = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["tags"], outputs["tags"]) * in_question
    opinions = [Distribution(outputs["tags"], "softmax", in_question)]
    tagged = tf.cast(batch["tags"] > 0, tf.float32)[..., None] * in_question[..., None] * is_column[:, None]
    return [
        batch_mean("tag_loss", tf.reduce_sum(errors, 1), batch["question"], opinions),
        _column_loss(tf.cast(batch["tag_columns"], tf.float32), outputs["value_columns"], tagged),
    ]


def _column_loss(right, logits, mask) -> LossTerm:
    errors = tf.nn.sigmoid_cross_entropy_with_logits(right, logits)
    opinions = [Distribution(logits, "sigmoid", len(OPERATORS) * mask)]
    return masked_mean("column_loss", len(OPERATORS) * errors, mask, opinions)


def adjustments_for(labels: Sequence[Labels], strength: float) -> Arrays:
    """`logit_adjustment` for what labels have, (classes,) by name. Aggregations are weighed against each other only:
    most columns are not selected, and a network that takes both for equally frequent would select too many."""
    found = {name: (classes, [getattr(one, name) for one in labels]) for name, classes in WHOLE.items()}
    selected = [one for row in labels for one in row.selections if one != NOT_SELECTED]
    found["selections"] = NOT_SELECTED, selected
    adjustments = {
        name: logit_adjustment(strength, np.bincount(numbers, minlength=classes))
        for name, (classes, numbers) in found.items()
    }
    return adjustments | {"selections": np.append(adjustments["selections"], np.float32(0))}
