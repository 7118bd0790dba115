"""A small network over vectors that fit into memory: learned in seconds, without a run to resume."""

from collections.abc import Callable, Iterator

import numpy as np

from common.keras_compat import keras, seed_layers, tf

_BLOCK = 4096  # rows that are predicted at a time


def train_epochs(
    model: keras.Model,
    losses: Callable[[tf.Tensor, dict[str, tf.Tensor]], dict[str, tf.Tensor]],
    rows: np.ndarray,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> Iterator[dict[str, float]]:
    """After each epoch the means of what `losses` says of (x, outputs): float (batch,) or scalars by name, of which "loss" is
    minimised by Adam, its rate falling to nothing along a cosine. rows: float32 (rows, size), the input and the target.
    Order and all that is drawn depend on the seed alone, where `seed_everything` was called before. Raises
    FloatingPointError where the loss is no number."""
    batches = -(-len(rows) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * batches)
    optimizer = keras.optimizers.Adam(schedule)
    data = tf.constant(rows, tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int32)], autograph=False)
    def step(places):
        x = tf.gather(data, places)
        with tf.GradientTape() as tape:
            found = {name: tf.reduce_mean(values) for name, values in losses(x, model(x, training=True)).items()}
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(found["loss"], variables), variables))
        return found

    optimizer.build(model.trainable_variables)
    generator = np.random.default_rng(seed)
    for epoch in range(epochs):
        seed_layers(model, seed, epoch)
        order = generator.permutation(len(rows)).astype(np.int32)
        found = [step(tf.constant(places)) for places in np.array_split(order, batches)]
        means = {name: float(np.mean([of_batch[name].numpy() for of_batch in found])) for name in found[0]}
        if not np.isfinite(means["loss"]):
            raise FloatingPointError("loss")
        yield means


def predicted(model: keras.Model, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What the model says of rows, float32 (rows, size), without dropout or drawing: arrays by name."""
    blocks = [model(tf.constant(rows[first : first + _BLOCK], tf.float32)) for first in range(0, len(rows), _BLOCK)]
    return {name: np.concatenate([block[name].numpy() for block in blocks]) for name in blocks[0]}
