"""A trained network over many examples, in batches of similar length. No TensorFlow until there is a network."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from common.candidates import Keep
from common.encoders import Encoder, load_encoder
from common.generators import Arrays, pad_features, prediction_order
from common.options import PredictionOptions
from common.runs.directory import Run

if TYPE_CHECKING:
    from common.keras_compat import keras


#: Examples whose features and scores are held at once: enough to sort by length, and some hundred megabytes at most.
ROUND = 1000

Example, Network = TypeVar("Example"), TypeVar("Network")


def open_network(
    trained: Run, options: PredictionOptions, build: Callable[[Run, Encoder], Network]
) -> tuple[Network, Encoder]:
    """A network with the best weights of a run, and its encoder. build: what makes it of both, before its weights are
    loaded; of several views of one set of weights `training` has them all. Raises UserError where the run is damaged."""
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    set_precision(options.mixed_precision or trained.mixed_precision)
    encoder = load_encoder(trained.path)
    network = build(trained, encoder)
    load_best(trained, getattr(network, "training", network))
    return network, encoder


def rounds(examples: Sequence[Example], size: int = ROUND) -> Iterator[Sequence[Example]]:
    """The examples in slices, each to be predicted before the next one is looked at: what is held between text and
    answer then does not grow with their number."""
    return (examples[begin : begin + size] for begin in range(0, len(examples), size))


def answered(
    predictor: Any,
    examples: Sequence[Example],
    settings: Any,
    choose: Callable[[Example, Any], Any],
    keep: Keep | None = None,
) -> Iterator[tuple[Sequence[Example], list[Any]]]:
    """The examples in rounds, each with what the `Predictor` of a contest says of them.

    keep: takes the candidates of each round. choose: the prediction for an example out of its candidates, which then
    decides: it chooses what the predictor would.
    """
    for part in rounds(examples):
        if keep is None:
            yield part, predictor(part, settings)
        else:
            found = predictor.candidates(part, settings)
            keep(part, found)
            yield part, [choose(*one) for one in zip(part, found)]


def one_trace(network: "keras.Model") -> Callable[[Any], Any]:
    """The network without dropout as one graph for all shapes: without a signature TensorFlow compiles anew for every
    batch length.

    Takes what the network was built with, a dict or a list of arrays, and returns its outputs as tensors. Compiled once
    for a network, however often it is asked for.
    """
    from common.keras_compat import tf

    if "_one_trace" not in vars(network):
        inputs = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), network.input)
        # No lambda: TensorFlow takes those of all networks for one, and warns that it is compiled again and again.
        call = partial(network, training=False)
        # Past Keras, which would take an attribute for a part of the network.
        vars(network)["_one_trace"] = tf.function(call, input_signature=[inputs], autograph=False)
    return vars(network)["_one_trace"]


def in_batches(
    traced: Callable[[Any], Any], rows: Sequence[Arrays], batch_tokens: int
) -> Iterator[tuple[np.ndarray, Any]]:
    """The rows (inputs of an encoder, each name -> (length, ...)) through a network of `one_trace`: indices into `rows`
    with the outputs for them, which are padded. Every row once, longest first (see `prediction_order`)."""
    from common.keras_compat import tf

    for batch in prediction_order([len(row["token_ids"]) for row in rows], batch_tokens):
        features = pad_features([rows[index] for index in batch])
        yield batch, traced({name: tf.constant(value) for name, value in features.items()})


def in_groups(
    traced: Callable[[Any], Any], groups: Sequence[Sequence[Arrays]], batch_tokens: int
) -> list[list[np.ndarray]]:
    """Groups of rows (the windows of a question, for instance) through a network of one output, (batch, length, ...),
    in batches that all groups share: for each row of each group its output without padding, (length, ...)."""
    rows = [row for group in groups for row in group]
    found: list[np.ndarray | None] = [None] * len(rows)
    for batch, outputs in in_batches(traced, rows, batch_tokens):
        for index, values in zip(batch, outputs.numpy()):
            found[index] = values[: len(rows[index]["token_ids"])]
    following = iter(found)
    return [[next(following) for _ in group] for group in groups]
