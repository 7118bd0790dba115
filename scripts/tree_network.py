"""The language model of learn_trees.py: ON-LSTMs one above the other, which say the next token.

    states = each ON-LSTM of the states below, normalised         (batch, length, size)
    logits = normalised(gelu(dense(states))) x embeddings         (batch, length, tokens)

Without the normalisations three layers learned how frequent words are, and no more: the states of each are smaller than
those below. Without the dense layer the last states would have to be embeddings of what follows, and the gates of their
layer would say that, instead of where phrases end. With one level both master gates are 1, and an ON-LSTM is an LSTM:
the plain one is the same network with one level.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from common.generators import Arrays, batch_dataset, epoch_batches, pad, prediction_order, steps_per_epoch
from common.keras_compat import keras, tf
from common.layers import Dropout, OrderedNeuronsLSTM
from common.losses import LossTerm, masked_mean
from common.optimizers import TrainingModel, build_optimizer
from common.options import TrainingOptions
from common.prediction import one_trace
from common.pretraining.model import TokenLogits
from common.runs.callbacks import KeepRun, Progress, load_best
from common.runs.directory import Evaluation, Run

#: Of a token on average. The first is maximised.
FIGURES = ("log_likelihood", "perplexity")

_BATCH_TOKENS = 4096


def build_network(tokens: int, size: int, layers: int, levels: int, dropconnect: float, dropout: float) -> keras.Model:
    """ids int32 (batch, length), 0 at padding -> `logits` float32 (batch, length, tokens) of the next token, and
    `distances` float32 (batch, length, layers)."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    embedding = keras.layers.Embedding(tokens, size, name="token_embedding")
    state, distances = Dropout(dropout, name="embedding_dropout")(embedding(ids)), []
    for number in range(1, layers + 1):
        lstm = OrderedNeuronsLSTM(
            size, levels, dropconnect=dropconnect, return_distances=True, name=f"ordered_neurons_{number}"
        )
        state, of_layer = lstm(state, ids > 0)
        distances.append(of_layer)
        state = keras.layers.LayerNormalization(name=f"normalization_{number}")(state)
        state = Dropout(dropout, name=f"dropout_{number}")(state)
    said = keras.layers.LayerNormalization(name="normalization")(
        keras.layers.Dense(size, activation="gelu", name="dense")(state)
    )
    logits = TokenLogits(embedding, name="next_token")(said)
    return keras.Model(ids, {"logits": logits, "distances": tf.stack(distances, -1)})


def loss(batch: dict[str, Any], outputs: dict[str, Any]) -> Sequence[LossTerm]:
    """The cross entropy of the next tokens."""
    labels = batch["labels"]
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs["logits"])
    return [masked_mean("next", values, labels > 0)]


def collate(rows: Sequence[np.ndarray], generator: np.random.Generator | None = None) -> Arrays:
    """What the network reads of rows of ids, and what follows each."""
    padded = pad(rows)
    return {"ids": padded[:, :-1], "labels": padded[:, 1:]}


def train(
    network: keras.Model,
    run: Run,
    rows: Sequence[np.ndarray],
    dev: Sequence[np.ndarray],
    options: TrainingOptions,
    seed: int,
) -> float:
    """Trains what is left to train of a run, leaves the network with its best weights, and returns their perplexity on
    dev. Raises FloatingPointError where there is none."""
    model = TrainingModel(network, loss)
    steps = steps_per_epoch(len(rows), options.batch_size)
    model.compile(build_optimizer(options, 1e-3, steps), options)
    lengths = [len(row) for row in rows]
    batches_of = partial(epoch_batches, rows, lengths, collate, options.batch_size, seed)
    keep = KeepRun(run, lambda: evaluation(model, dev), seed, FIGURES)
    epochs = range(keep.resume(model), options.epochs)
    batches = batch_dataset(batches_of, epochs, model)
    model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)
    load_best(run, model)
    return keep.best["perplexity"]


def evaluation(model: TrainingModel, dev: Sequence[np.ndarray]) -> Evaluation:
    """FIGURES on dev. Raises FloatingPointError where they are no numbers."""
    perplexity = perplexity_of(model, dev)
    if not np.isfinite(perplexity):
        raise FloatingPointError("perplexity")
    return Evaluation({"log_likelihood": -float(np.log(perplexity)), "perplexity": perplexity}, [], [])


def perplexity_of(model: TrainingModel, rows: Sequence[np.ndarray]) -> float:
    """Of the next tokens of all rows together."""
    if "_measure" not in vars(model):
        specs = {name: tf.TensorSpec((None, None), tf.int32) for name in ("ids", "labels")}
        vars(model)["_measure"] = tf.function(model.terms, input_signature=[specs], autograph=False)
    total = count = 0.0
    for batch in prediction_order([len(row) for row in rows], _BATCH_TOKENS):
        [term] = vars(model)["_measure"](collate([rows[index] for index in batch]))
        total, count = total + float(term.numerator), count + float(term.denominator)
    return float(np.exp(min(total / count, 100)))


def distances_of(network: keras.Model, rows: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Of each row of ids float32 (tokens, layers), without beginning and end."""
    reader = one_trace(keras.Model(network.input, network.output["distances"]))
    found: list[np.ndarray] = [np.zeros(0)] * len(rows)
    for batch in prediction_order([len(row) for row in rows], _BATCH_TOKENS):
        distances = reader(tf.constant(pad([rows[index] for index in batch]))).numpy()
        for index, values in zip(batch, distances):
            found[index] = values[1 : len(rows[index]) - 1]
    return iter(found)
