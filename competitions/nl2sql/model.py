"""Network and loss: one pass over a question and all columns of its table, and two heads to find the values of
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
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays
from common.keras_compat import keras, tf
from common.layers import AttentionPooling, GatedDilatedConvolution
from common.losses import Distribution, LossTerm, batch_mean, logit_adjustment, masked_mean
from common.optimizers.training_model import TrainingModel

from cues import CUE_COUNT
from labels import COUNTS, NOT_SELECTED, SELECTIONS, TAG_COUNT, Labels, count_class
from matching import FEATURE_COUNT
from task import CONNECTIONS, OPERATORS

_DILATIONS = (1, 2, 4, 1)


class Networks(NamedTuple):
    """Two views of one set of weights.

    training: inputs of `features.collate_labelled` -> its own loss; its weights are all there are.
    reading: inputs of `features.collate` -> logits by name: `selections` (batch, columns, SELECTIONS), `connection`
        (batch, 3), `selected_count` and `condition_count` (batch, COUNTS), `value_columns` (batch, tokens, columns),
        and that of the head: `edges` (batch, tokens, OPERATORS, 2) or `tags` (batch, tokens, TAG_COUNT).
    """

    training: keras.Model
    reading: keras.Model


def adjustments_for(labels: Sequence[Labels], strength: float) -> Arrays:
    """`logit_adjustment` for what labels have, (classes,) by name. Aggregations are weighed against each other only:
    most columns are not selected, and a network that takes both for equally frequent would select too many."""
    selected = [[one for one in row.selections if one != NOT_SELECTED] for row in labels]
    found = {
        "selections": ([one for row in selected for one in row], NOT_SELECTED),
        "connection": ([row.connection for row in labels], len(CONNECTIONS)),
        "selected_count": ([count_class(len(row)) for row in selected], COUNTS),
        "condition_count": ([count_class(row.conditions) for row in labels], COUNTS),
    }
    adjustments = {
        name: logit_adjustment(strength, np.bincount(numbers, minlength=classes))
        for name, (numbers, classes) in found.items()
    }
    return adjustments | {"selections": np.append(adjustments["selections"], np.float32(0))}


def build_networks(
    encoder: Encoder, head: str, size: int, adjustments: Mapping[str, np.ndarray] = MappingProxyType({})
) -> Networks:
    """head: "span_column" or "tagging". size: of the question as it is read for a column. adjustments: of what the loss
    sees of an output, (classes,) by name; prediction needs to know nothing of them."""
    encoding, dropout = encoder.network(), encoder.dropout
    matches = keras.Input((None, None, FEATURE_COUNT), name="matches")
    layout = keras.Input((None, 3), dtype="int32", name="columns")
    question = keras.Input((None,), dtype="int32", name="question")
    said = keras.Input((None, CUE_COUNT), name="cues")
    inputs = {**encoding.input, "matches": matches, "columns": layout, "cues": said, "question": question}
    in_question, is_column = question > 0, layout[..., 2] > 0

    drop = keras.layers.SpatialDropout1D(dropout, name="states_dropout")
    states = drop(keras.layers.Dense(size, name="states")(encoding.output[0]))
    asked = _asked(states, in_question) + keras.layers.Dense(size, name="cue_part")(said)
    names = _means(states, layout[..., 0], layout[..., 1]) + keras.layers.Embedding(3, size, name="types")(
        layout[..., 2]
    )
    read = _read(asked, names, matches, in_question, is_column, size, dropout)

    pairs = in_question[:, :, None] & is_column[:, None]
    largest = _largest(read, pairs, 2)  # for each token, of all columns
    everything = tf.concat([asked, largest, tf.cast(said, asked.dtype)], -1)
    asking = _pooled(everything, in_question, "question_pooling")
    outputs = {
        "selections": _selections(
            tf.concat([read, _beside(said, read)], -1), names, in_question, is_column, size, dropout
        ),
        "connection": _float32_dense(len(CONNECTIONS), "connection_logits")(asking),
        "selected_count": _float32_dense(COUNTS, "selected_count_logits")(asking),
        "condition_count": _float32_dense(COUNTS, "condition_count_logits")(asking),
    }
    adjusted = {name: logits + adjustments.get(name, 0.0) for name, logits in outputs.items()}
    whole = ("connection", "selected_count", "condition_count")
    labels = {"selections": keras.Input((None,), dtype="int32", name="selections")}
    labels |= {name: keras.Input((), dtype="int32", name=name) for name in whole}
    selecting = tf.cast(is_column, tf.float32)
    select_errors = (
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels["selections"], adjusted["selections"]) * selecting
    )
    selected = Distribution(adjusted["selections"], "softmax", selecting)
    # Summed over columns, not averaged: a table twice as wide has no more selected columns.
    terms = [batch_mean("selection_loss", tf.reduce_sum(select_errors, 1), question, [selected])]
    for name in whole:
        errors = tf.nn.sparse_softmax_cross_entropy_with_logits(labels[name], adjusted[name])
        terms.append(
            batch_mean(
                f"{name}_loss", errors, question, [Distribution(adjusted[name], "softmax", tf.ones_like(errors))]
            )
        )
    # Of each token as the edge of a value, or inside of one: which columns the value is compared with.
    outputs["value_columns"] = _float32_dense(1, "value_columns_logits")(read)[..., 0]
    if head == "span_column":
        edges = _float32_dense(2 * len(OPERATORS), "edges_logits")(everything)
        outputs["edges"] = tf.reshape(edges, tf.concat([tf.shape(edges)[:2], [len(OPERATORS), 2]], 0))
        labels["marks"] = keras.Input((None, 4), dtype="int32", name="marks")
        terms += _span_losses(labels["marks"], outputs, in_question, is_column)
    else:
        outputs["tags"] = _float32_dense(TAG_COUNT, "tags_logits")(everything)
        labels["tags"] = keras.Input((None,), dtype="int32", name="tags")
        labels["tag_columns"] = keras.Input((None, None), dtype="int8", name="tag_columns")
        terms += _tagging_losses(labels, outputs, in_question, pairs)
    training = TrainingModel([*inputs.values(), *labels.values()], outputs, terms)
    return Networks(training, keras.Model(inputs, outputs))


def _asked(states, in_question):
    """The states of the question: the tokens after the first [CLS]. (batch, tokens of the question, size)"""
    return states[:, 1 : 1 + tf.shape(in_question)[1]]


def _means(states, begins, ends):
    """Means of the states [begin, end) for each column, (batch, columns, size); 0 where the range is empty."""
    sums = tf.pad(tf.cumsum(tf.cast(states, tf.float32), axis=1), [[0, 0], [1, 0], [0, 0]])
    totals = tf.gather(sums, ends, batch_dims=1) - tf.gather(sums, begins, batch_dims=1)
    lengths = tf.cast(tf.maximum(ends - begins, 1), tf.float32)
    return tf.cast(totals / lengths[..., None], states.dtype)


def _read(asked, names, matches, in_question, is_column, size, dropout):
    """The question as it is read for each column, (batch, tokens, columns, size)."""
    dense = keras.layers.Dense
    pairs = in_question[:, :, None] & is_column[:, None]
    inside = tf.cast(pairs, asked.dtype)[..., None]  # or convolutions would see how far a batch was padded
    state = dense(size, name="question_part")(asked)[:, :, None] + dense(size, name="column_part")(names)[:, None]
    product = dense(size, name="question_factor")(asked)[:, :, None] * dense(size, name="column_factor")(names)[:, None]
    state = tf.nn.relu(state + product + dense(size, name="match_part")(matches))
    state = keras.layers.LayerNormalization(name="pair_normalization")(state) * inside
    for number, dilation in enumerate(_DILATIONS):
        convolution = GatedDilatedConvolution(dilation, gate_dropout=0.1, name=f"reading_{number}")
        state = _over_questions(state, pairs, convolution)
        if number % 2 == 0:  # what other columns make of the same token
            both = tf.concat([state, _beside(_largest(state, pairs, 2), state)], -1)
            state = (state + dense(size, activation="relu", name=f"others_{number}")(both)) * inside
    return keras.layers.LayerNormalization(name="reading_normalization")(
        keras.layers.Dropout(dropout, name="reading_dropout")(state)
    )


def _rows(state, pairs):
    """(batch, tokens, columns, size) as (batch * columns, tokens, size), and its mask."""
    by_column = tf.transpose(state, [0, 2, 1, 3])
    shape = tf.shape(by_column)
    rows = tf.reshape(by_column, [shape[0] * shape[1], shape[2], state.shape[-1]])
    return rows, tf.reshape(tf.transpose(pairs, [0, 2, 1]), [shape[0] * shape[1], shape[2]]), shape


def _over_questions(state, pairs, layer):
    """A layer along the question, for each column by itself."""
    rows, mask, shape = _rows(state, pairs)
    return tf.transpose(tf.reshape(layer(rows, mask), shape), [0, 2, 1, 3])


def _largest(state, pairs, axis):
    """The largest of the states in the mask `pairs` (batch, tokens, columns) along an axis of them; 0 where there is
    none."""
    hidden = tf.where(pairs[..., None], state, tf.cast(-1e4, state.dtype))
    return tf.where(tf.reduce_any(pairs, axis)[..., None], tf.reduce_max(hidden, axis), tf.cast(0, state.dtype))


def _pooled(states, mask, name):
    """A mean by attention and the largest values of states (batch, length, size) in the mask, (batch, 2 * size)."""
    largest = tf.reduce_max(tf.where(mask[..., None], states, tf.cast(-1e4, states.dtype)), 1)
    return tf.concat(
        [
            AttentionPooling(name=name)(states, mask),
            tf.where(tf.reduce_any(mask, 1)[:, None], largest, tf.cast(0, states.dtype)),
        ],
        -1,
    )


def _beside(said, read):
    """What is known of tokens repeated for each column."""
    return tf.broadcast_to(tf.cast(said, read.dtype)[:, :, None], tf.concat([tf.shape(read)[:3], [said.shape[-1]]], 0))


def _selections(read, names, in_question, is_column, size, dropout):
    pairs = in_question[:, :, None] & is_column[:, None]
    rows, mask, shape = _rows(read, pairs)
    pooled = tf.reshape(_pooled(rows, mask, "column_pooling"), [shape[0], shape[1], 2 * read.shape[-1]])
    column = tf.concat([pooled, _largest(read, pairs, 1), names], -1)
    column = keras.layers.Dense(size, activation="relu", name="selection_hidden")(
        keras.layers.Dropout(dropout, name="selection_dropout")(column)
    )
    hidden = tf.where(is_column[..., None], column, tf.cast(-1e4, column.dtype))
    others = tf.broadcast_to(tf.reduce_max(hidden, 1, keepdims=True), tf.shape(column))
    return _float32_dense(SELECTIONS, "selections_logits")(tf.concat([column, others], -1))


def _span_losses(marks, outputs, in_question, is_column):
    """Of where values of each operator begin and end, and of the columns of each value. marks: padded with -1."""
    numbers = tf.broadcast_to(tf.range(tf.shape(marks)[0])[:, None], tf.shape(marks)[:2])
    column, operator, first, last = tf.unstack(marks, axis=-1)
    is_mark = column >= 0
    edges = outputs["edges"]
    right = [_marked(tf.stack([numbers, edge, operator], -1), is_mark, tf.shape(edges)[:3]) for edge in (first, last)]
    inside = tf.cast(in_question, tf.float32)[..., None, None]
    edge_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.stack(right, -1), edges) * inside

    # Every value against every column: those that other marks give to the same span are right, too.
    same = (
        (first[:, :, None] == first[:, None])
        & (last[:, :, None] == last[:, None])
        & is_mark[:, :, None]
        & is_mark[:, None]
    )
    columns = tf.one_hot(column, tf.shape(is_column)[1])
    right_columns = tf.minimum(tf.matmul(tf.cast(same, tf.float32), columns), 1.0)
    logits = sum(tf.gather(outputs["value_columns"], tf.maximum(edge, 0), batch_dims=1) for edge in (first, last))
    column_errors = tf.nn.sigmoid_cross_entropy_with_logits(right_columns, logits)
    asked = tf.cast(is_mark[:, :, None] & is_column[:, None], tf.float32)
    return [
        batch_mean(
            "edge_loss", tf.reduce_sum(edge_errors, [1, 2, 3]), in_question, [Distribution(edges, "sigmoid", inside)]
        ),
        _column_loss(column_errors, logits, asked),
    ]


def _column_loss(errors, logits, mask) -> LossTerm:
    return masked_mean(
        "column_loss", len(OPERATORS) * errors, mask, [Distribution(logits, "sigmoid", len(OPERATORS) * mask)]
    )


def _marked(places, is_mark, shape):
    """1 at the places (batch, marks, rank) that are marks, 0 elsewhere."""
    places = tf.boolean_mask(places, is_mark)
    return tf.minimum(tf.scatter_nd(places, tf.ones(tf.shape(places)[:1]), shape), 1.0)


def _tagging_losses(labels, outputs, in_question, pairs):
    tagged = tf.cast(labels["tags"] > 0, tf.float32)[..., None] * tf.cast(pairs, tf.float32)
    inside = tf.cast(in_question, tf.float32)
    tag_errors = tf.nn.sparse_softmax_cross_entropy_with_logits(labels["tags"], outputs["tags"]) * inside
    column_errors = tf.nn.sigmoid_cross_entropy_with_logits(
        tf.cast(labels["tag_columns"], tf.float32), outputs["value_columns"]
    )
    return [
        batch_mean(
            "tag_loss", tf.reduce_sum(tag_errors, 1), in_question, [Distribution(outputs["tags"], "softmax", inside)]
        ),
        _column_loss(column_errors, outputs["value_columns"], tagged),
    ]


def _float32_dense(units: int, name: str) -> keras.layers.Dense:
    return keras.layers.Dense(units, dtype="float32", name=name)
