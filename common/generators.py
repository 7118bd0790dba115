"""Batches: which examples go together, in which order, and how they become padded arrays.

The order of an epoch depends on (seed, epoch) alone, so training can resume at any epoch and see what it would have
seen. Examples of similar length share a batch, since padding costs as much as text. No example is ever left out.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from common.batch_parts import Arrays, piece, split_rows

# Batches that are sorted by length together: many enough to save padding, few enough to keep batches random.
_WINDOW = 50

#: Tokens of a batch in prediction, padding included: more are no faster on a processor.
BATCH_TOKENS = 4096
#: What a batch costs beside its tokens, in tokens: its calls take as long as an encoder takes for 50 to 140 of them.
BATCH_COST = 100

#: A batch and a number of parts -> the parts, for the replicas of a training.
Split = Callable[[Any, int], list[Any]]


def training_order(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Batches of one training epoch, as arrays of indices into `lengths`.

    Shuffles everything, sorts windows of 50 batches by length, cuts them, and shuffles the batches. Every index
    occurs once and there are always ceil(n / batch_size) batches, only one of which may be smaller.
    """
    lengths = np.asarray(lengths)
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), _WINDOW * batch_size):
        window = order[start : start + _WINDOW * batch_size]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[first : first + batch_size] for first in range(0, len(window), batch_size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def prediction_order(lengths: Sequence[int], batch_tokens: int, batch_cost: int = BATCH_COST) -> list[np.ndarray]:
    """Batches for prediction, as arrays of indices into `lengths`: everything once, longest first (a batch that does
    not fit in memory fails at once).

    A batch has at most `batch_tokens` tokens, padding included, or one row. Of all ways to cut the sorted rows into
    such batches this is the cheapest, where a batch costs its tokens and `batch_cost` more: few rows of very different
    length are padded as little as many of the same.
    """
    lengths = np.asarray(lengths, dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    longest = np.maximum(lengths[order], 1)
    least, begins = np.zeros(len(order) + 1), np.zeros(len(order) + 1, np.int64)
    for end in range(1, len(order) + 1):
        first = max(0, end - max(1, batch_tokens // int(longest[end - 1])))
        tokens = np.arange(end - first, 0, -1) * longest[first:end]  # of the batch from each of these rows to `end`
        costs = least[first:end] + np.where(tokens <= batch_tokens, tokens, np.inf)
        costs[-1] = least[end - 1] + tokens[-1]
        begins[end] = first + costs.argmin()
        least[end] = costs.min() + batch_cost
    batches, end = [], len(order)
    while end:
        batches.append(order[begins[end] : end])
        end = begins[end]
    return batches[::-1]


def pad(rows: Sequence[np.ndarray], value: int = 0) -> np.ndarray:
    """Rows (length, ...) of different length as one array (rows, longest row, ...), filled up on the right with
    `value`. It has their dtype; but unsigned integers, in which the ids of a training set are held, become int32."""
    like = np.asarray(rows[0]) if rows else np.zeros(0, np.int32)
    kind = np.int32 if like.dtype.kind == "u" else like.dtype
    padded = np.full((len(rows), max(map(len, rows), default=0), *like.shape[1:]), value, dtype=kind)
    for row, target in zip(rows, padded):
        target[: len(row)] = row
    return padded


def pad_features(rows: Sequence[Arrays]) -> Arrays:
    """Feature dicts of several examples, each name -> (length, ...), as one dict of padded arrays (rows, longest,
    ...)."""
    return {name: pad([row[name] for row in rows]) for name in rows[0]}


def epoch_batches(
    examples: Sequence[Any],
    lengths: Sequence[int],
    collate: Callable[[list[Any], np.random.Generator], Arrays],
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Arrays]:
    """The collated batches of one training epoch.

    `collate` gets the examples of a batch and a random generator that depends on (seed, epoch, batch) alone: whatever
    it draws (negatives, crops, masks) is drawn again in a resumed run.
    """
    for number, batch in enumerate(training_order(lengths, batch_size, seed, epoch)):
        yield collate([examples[index] for index in batch], np.random.default_rng((seed, epoch, number)))


def grouped(
    batches: Iterator[Arrays], size: int, denominators: Callable[[Arrays], np.ndarray]
) -> Iterator[tuple[Arrays, Arrays]]:
    """Batches for gradient accumulation: each with the denominators of its whole group, and whether it is the last one
    of it.

    denominators: of the loss terms for one batch, (terms,). The last group may be smaller than `size`.
    """
    while group := list(itertools.islice(batches, size)):
        total = np.sum([np.asarray(denominators(batch)) for batch in group], axis=0)
        for number, batch in enumerate(group, start=1):
            yield batch, {"denominators": total, "is_last": np.array(number == len(group))}


def _grouped_parts(batch: Arrays, group: Arrays, split: Split, count: int, denominators) -> list[tuple[Arrays, Arrays]]:
    """The parts of a batch of a group, each with the group. What several parts have of a batch counts but once: the
    denominators are so many times as large."""
    parts = split(batch, count)
    whole = np.asarray(denominators(batch))
    times = np.where(whole > 0, sum(np.asarray(denominators(part)) for part in parts) / np.maximum(whole, 1), 1)
    group = {**group, "denominators": group["denominators"] * times.astype(np.float32)}
    return [(part, group) for part in parts]


def training_dataset(
    examples, lengths, collate, batch_size: int, seed: int, epochs: range, model, split: Split = split_rows
):
    """The `epoch_batches` of all epochs as a `batch_dataset` for `model.fit(...,
    steps_per_epoch=steps_per_epoch(...))`."""
    return batch_dataset(partial(epoch_batches, examples, lengths, collate, batch_size, seed), epochs, model, split)


def batch_dataset(batches_of: Callable[[int], Iterator[Any]], epochs: range, model, split: Split = split_rows):
    """The batches of all epochs, each given by its number, as a prefetching `tf.data.Dataset` for `model.fit`.

    model: any compiled functional keras.Model, for which a batch is a pair: its inputs by name, and labels, an array or
    a structure of arrays. Or a compiled TrainingModel, for which it is one dict of inputs and labels; with gradient
    accumulation its batches come `grouped`. Inputs have the shapes and dtypes of the model's, everything else those of
    the first batch, any number in each of its axes. Batches are made while it computes.

    split: a batch in so many parts. Under a strategy of several replicas each of them reads one, and what comes out is
    a distributed dataset.
    """
    from common.keras_compat import tf  # here, so that the arithmetic above works without TensorFlow

    inputs = {one.name: tf.TensorSpec(one.shape, one.dtype) for one in getattr(model, "network", model).inputs}
    first = next(batches_of(0))
    signature = tf.nest.map_structure(lambda values: tf.TensorSpec([None] * values.ndim, values.dtype), first)
    if isinstance(signature, tuple):  # for Keras' own training step
        signature = ({name: inputs[name] for name in signature[0]}, *signature[1:])
    else:
        signature = {name: inputs.get(name, spec) for name, spec in signature.items()}
    groups = getattr(model, "accumulation_steps", 1)
    if groups > 1:
        group = {"denominators": tf.TensorSpec((None,), tf.float32), "is_last": tf.TensorSpec((), tf.bool)}
        signature = (signature, group)

    def generate() -> Iterator[Any]:
        for epoch in epochs:
            batches = batches_of(epoch)
            yield from grouped(batches, groups, model.denominators) if groups > 1 else batches

    def parts(begin: int, end: int) -> Iterator[Any]:
        for element in generate():
            if groups == 1:
                yield from split(element, replicas)[begin:end]
            else:
                yield from _grouped_parts(*element, split, replicas, model.denominators)[begin:end]

    def dataset(generate: Callable[[], Iterator[Any]]):
        return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(max(4, groups))

    def of_worker(context):
        own = piece(replicas, context.input_pipeline_id, context.num_input_pipelines)
        return dataset(partial(parts, *own))

    strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    return dataset(generate) if replicas == 1 else strategy.distribute_datasets_from_function(of_worker)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    return -(-examples // batch_size)
