"""The model: two pointers into a passage and a gate that says whether it holds an answer (kexue.fm/archives/5409).

    states          = encoder(question, passage)                           (length, size)
    gate            = sigmoid(attention pooling of the passage's states . w + b)
    start, end      = gate * sigmoid(states W + b)                         at each token of the passage
    v(first, last)  = start[first] * end[last]

This is the file to change: features, network and loss.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import pad_features
from common.keras_compat import keras, tf
from common.layers import AttentionPooling
from common.losses import Distribution, batch_mean, focal_loss, masked_marginal_cross_entropy, where_possible
from common.optimizers.training_model import TrainingModel
from common.tokenizers import PairWindow, pair_windows

from labels import answer_spans
from task import Example

# The probability of a start or an end before training. Without it the many places without an answer drown the few with
# one in the first steps (Lin et al. 2017, who introduced the focal loss).
_PRIOR = 0.01

# Features


@dataclass
class Window:
    """A question with a part of a passage, nearly always the whole of it when the encoder reads long texts.

    passage: its index in the question. arrays: inputs of the encoder. answers: first and last token (inclusive) of each
    answer that lies in it.
    """

    passage: int
    pair: PairWindow
    arrays: dict[str, np.ndarray]
    answers: list[tuple[int, int]]


class Lengths(NamedTuple):
    """Tokens of a question that are read at most, and tokens between the beginnings of neighbouring windows."""

    question: int
    stride: int


class Evidence(NamedTuple):
    """What a question is trained on: for each passage with an answer the windows that hold one, for each passage
    without an answer all windows."""

    positives: list[list[Window]]
    negatives: list[list[Window]]


def question_windows(examples: Sequence[Example], encoder: Encoder, lengths: Lengths) -> list[list[Window]]:
    """The windows of all passages of every question, unlabelled. Every token of every passage is in one of them."""
    groups = []
    for example in examples:
        asked = encoder.tokenizer.tokenize(example.question).take(slice(lengths.question))
        group = []
        for number, passage in enumerate(example.passages):
            tokens = encoder.tokenizer.tokenize(passage.text)
            pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, lengths.stride)
            arrays = encoder.pair_features(example.question, asked, passage.text, tokens, pairs)
            group += [Window(number, pair, inputs, []) for pair, inputs in zip(pairs, arrays) if pair.is_context.any()]
        groups.append(group)
    return groups


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, lengths: Lengths
) -> tuple[list[Evidence], Counter[str]]:
    """The evidence of every question that has any, and what was lost on the way, by reason."""
    evidence, lost = [], Counter()
    for example, group in zip(examples, question_windows(examples, encoder, lengths)):
        positives, negatives = [], []
        for number in range(len(example.passages)):
            windows = [window for window in group if window.passage == number]
            spans = answer_spans(example, number)
            for window in windows:
                places = [window.pair.encoding.token_span(*span) for span in spans or ()]
                window.answers = [place for place in places if place]
            holding = [window for window in windows if window.answers]
            if holding:
                positives.append(holding)
            elif spans == [] and windows:
                negatives.append(windows)
            else:
                lost[_why(spans, windows)] += 1
        if positives or negatives:
            evidence.append(Evidence(positives, negatives))
        else:
            lost["question left out: none of its passages can be used"] += 1
    return evidence, lost


def _why(spans, windows) -> str:
    if not windows:
        return "blank passage"
    return "answer not in its passage" if spans is None else "answer across windows or inside a token"


# Training batches


class Sampling(NamedTuple):
    """Passages of a question that an epoch sees, with and without an answer; the share of its batches in which longer
    passages are cut to pieces, and the fewest tokens of such a piece, which has at most twice as many."""

    positives: int
    negatives: int
    crop_share: float
    crop_length: int


def collate(batch: list[Evidence], generator: np.random.Generator, sampling: Sampling) -> dict[str, np.ndarray]:
    """Passages of the questions, others each time, as the inputs of the training network, a row for each."""
    rows = []
    for positives, negatives in batch:
        for windows in _some(positives, sampling.positives, generator) + _some(
            negatives, sampling.negatives, generator
        ):
            rows.append(windows[generator.integers(len(windows))])
    # Whole batches are cut, to one length: a single passage left whole would make the cutting of the others pointless.
    if generator.random() < sampling.crop_share:
        length = int(generator.integers(sampling.crop_length, 2 * sampling.crop_length + 1))
        rows = [_crop(window, length, generator) for window in rows]
    inputs = pad_features([window.arrays for window in rows])
    inputs["labels"] = np.zeros((*inputs["token_ids"].shape, 2), np.int8)
    for labels, window in zip(inputs["labels"], rows):
        for first, last in window.answers:
            labels[first, 0] = labels[last, 1] = 1
    return inputs


def _some(passages: list, count: int, generator: np.random.Generator) -> list:
    return [passages[index] for index in generator.permutation(len(passages))[:count]]


def _crop(window: Window, length: int, generator: np.random.Generator) -> Window:
    """A piece of so many tokens (and never less than an answer) of the passage, with an answer if there is one, and the
    question before it."""
    if window.answers:
        first, last = window.answers[generator.integers(len(window.answers))]
    else:
        places = window.pair.context_places
        first = last = int(generator.integers(places.start, places.stop))
    pair, kept = window.pair.crop(first, last, length, generator)
    moved = {old: new for new, old in enumerate(kept.tolist())}
    arrays = {name: values[kept] for name, values in window.arrays.items()}
    inside = [(moved[a], moved[b]) for a, b in window.answers if a in moved and b in moved]
    return replace(window, pair=pair, arrays=arrays, answers=inside)


# Network


class Networks(NamedTuple):
    """Two views of one set of weights.

    training: inputs of `collate` -> its own loss; its weights are all there are.
    reading: inputs of the encoder -> logarithms of the probabilities (batch, length, 2) of start and end; those outside
    of the passage mean nothing.
    """

    training: keras.Model
    reading: keras.Model


def build_networks(encoder: Encoder) -> Networks:
    encoding = encoder.pair_network()
    # Neither padding nor the question, nor the [SEP] at the end.
    in_passage = (encoding.input["segment_ids"] > 0) & (encoding.input["token_ids"] != encoder.tokenizer.end_id)
    states = keras.layers.SpatialDropout1D(encoder.dropout, name="pointer_dropout")(encoding.output[0])
    pooled = AttentionPooling(name="passage_pooling")(states, in_passage)
    gate = keras.layers.Dense(1, name="gate", dtype="float32")(pooled)[:, 0]
    prior = keras.initializers.Constant(np.log(_PRIOR / (1 - _PRIOR)))
    pointers = keras.layers.Dense(2, name="pointers", dtype="float32", bias_initializer=prior)(states)
    # A product of probabilities as a sum of logarithms, which stays exact where it is tiny.
    log_probabilities = tf.math.log_sigmoid(pointers) + tf.math.log_sigmoid(gate)[:, None, None]

    labels = keras.Input((None, 2), dtype="int8", name="labels")
    losses = focal_loss(labels, log_probabilities) * tf.cast(in_passage, tf.float32)[..., None]
    holds = tf.reduce_max(tf.cast(labels, tf.float32), [1, 2])
    gate_loss = tf.nn.sigmoid_cross_entropy_with_logits(holds, gate)

    # Which of the places in a passage is right: what the focal loss, which asks of each place by itself, is slow to
    # teach from nothing.
    place_losses = [
        masked_marginal_cross_entropy(labels[..., edge], pointers[..., edge], in_passage) for edge in (0, 1)
    ]
    # The focal loss is summed over the passage, not averaged: a passage twice as long has no more answers.
    errors = tf.reduce_sum(losses, [1, 2]) / 2 + gate_loss + sum(place_losses) / 2
    one = tf.ones_like(gate)
    distributions = [
        Distribution(where_possible(in_passage, pointers[..., edge]), "softmax", one / 2) for edge in (0, 1)
    ]
    terms = [batch_mean("answer_loss", errors, labels, [*distributions, Distribution(gate, "sigmoid", one)])]
    training = TrainingModel([*encoding.inputs, labels], log_probabilities, terms)
    return Networks(training, keras.Model(encoding.input, log_probabilities))
