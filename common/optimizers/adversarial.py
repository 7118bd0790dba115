"""FGM: learning from embeddings that were moved against the model (Miyato et al. 2017; kexue.fm/archives/7234).

    delta = epsilon g / |g|,   g the gradient of the loss for the whole table of token embeddings
    step  = gradient(table) + gradient(table + delta)

When: fine-tuning on few examples; epsilon 0.5 is usual for a checkpoint. Cost: a second pass forwards and backwards,
twice the time; no memory but a copy of the rows that are moved.
"""

import contextlib
from collections.abc import Iterator, Sequence

from common.keras_compat import keras, tf
from common.optimizers.replicas import sum_over_replicas

#: Embeddings of places and of kinds say nothing of the text.
_NO_TOKENS = ("position", "distance", "segment", "types")


def is_token_embedding(variable: tf.Variable) -> bool:
    """Whether a variable is a table with a row for each token, character or word, told from its name."""
    return variable.name.endswith("embeddings:0") and not any(part in variable.name.lower() for part in _NO_TOKENS)


def token_embeddings(model: keras.Model) -> list[tf.Variable]:
    """The trainable tables of a model that have a row for each token, character or word."""
    return [variable for variable in model.trainable_variables if is_token_embedding(variable)]


def summed_by_row(gradient):
    """The same gradient with each row once: IndexedSlices name a row as often as the batch holds it."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    return tf.IndexedSlices(
        tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows)), rows, gradient.dense_shape
    )


@contextlib.contextmanager
def perturbed(tables: Sequence[tf.Variable], gradients: Sequence, epsilon: float) -> Iterator[None]:
    """Inside the block each table is moved by epsilon g / |g|; afterwards it has the values it had, bit for bit.

    gradients: dense or IndexedSlices, None for a table without one. In a replica of a `tf.distribute` strategy g is the
    sum over the replicas, so that all move alike.
    """
    moved = []
    for table, gradient in zip(tables, gradients):
        if gradient is not None:
            gradient = summed_by_row(sum_over_replicas(gradient))
            values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
            rows = gradient.indices if isinstance(gradient, tf.IndexedSlices) else None
            before = tf.identity(table) if rows is None else tf.gather(table, rows)
            _assign(table, rows, before + epsilon * tf.math.divide_no_nan(values, tf.norm(values)))
            moved.append((table, rows, before))
    try:
        yield
    finally:
        for table, rows, before in moved:
            _assign(table, rows, before)


def _assign(table, rows, values) -> None:
    """Rows of a table, or all of it, in every replica: variables are written outside of them."""

    def write(variable, rows, values):
        return variable.assign(values) if rows is None else variable.scatter_update(tf.IndexedSlices(values, rows))

    def everywhere(strategy, table, rows, values):
        return strategy.extended.update(table, write, args=(rows, values), group=False)

    tf.distribute.get_replica_context().merge_call(everywhere, args=(table, rows, values))
