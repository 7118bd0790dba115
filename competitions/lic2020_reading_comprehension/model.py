"""The model: two pointers into the context, softmax over its positions (kexue.fm/archives/7321).

    states          = encoder(question, context)                           (length, size)
    start, end      = softmax over the context of states W + b             over all windows of a question together
    p(first, last)  = start[first] * end[last]

This is the file to change: features, network and loss.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import pad, pad_features
from common.keras_compat import keras, tf
from common.losses import Distribution, batch_mean, masked_marginal_cross_entropy, where_possible
from common.optimizers.training_model import TrainingModel
from common.tokenizers import PairWindow, pair_windows

from augmentation import keywords
from labels import answer_spans
from task import Example

# Features


@dataclass
class Window:
    """A question with a part of its context, nearly always the whole of it when the encoder reads long texts.

    example: index of the question. arrays: inputs of the encoder. answers: first and last token (inclusive) of each
    answer that lies in it.
    """

    example: int
    pair: PairWindow
    arrays: dict[str, np.ndarray]
    answers: list[tuple[int, int]]


class Lengths(NamedTuple):
    """Tokens of a question that are read at most, and tokens between the beginnings of neighbouring windows."""

    question: int
    stride: int


def question_windows(examples: Sequence[Example], encoder: Encoder, lengths: Lengths) -> list[list[Window]]:
    """The windows of every question, unlabelled; at least one each. Every token of every context is in one of them."""
    groups = []
    tokenized = cache(encoder.tokenizer.tokenize)  # many questions are about one context
    for index, example in enumerate(examples):
        asked = encoder.tokenizer.tokenize(example.question).take(slice(lengths.question))
        tokens = tokenized(example.context)
        pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, lengths.stride)
        arrays = encoder.pair_features(example.question, asked, example.context, tokens, pairs)
        groups.append([Window(index, pair, inputs, []) for pair, inputs in zip(pairs, arrays)])
    return groups


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, lengths: Lengths
) -> tuple[list[list[Window]], Counter[str]]:
    """The windows of every question that has an answer among them, with their labels, and what was lost on the way, by
    reason."""
    groups, lost = [], Counter()
    for example, group in zip(examples, question_windows(examples, encoder, lengths)):
        for span in answer_spans(example, lost):
            places = [window.pair.encoding.token_span(*span) for window in group]
            for window, place in zip(group, places):
                window.answers += [place] if place else []
            if not any(places):
                lost["answer across windows or inside a token"] += 1
        if any(window.answers for window in group):
            groups.append(group)
        else:
            lost["question left out: none of its answers could be labelled"] += 1
    return groups, lost


# Training batches


def shorten_questions(
    batch: list[list[Window]],
    examples: Sequence[Example],
    encoder: Encoder,
    lengths: Lengths,
    share: float,
    generator: np.random.Generator,
) -> list[list[Window]]:
    """The batch with only keywords left of about `share` of its questions. `examples` are those that the windows came
    from."""
    shortened = []
    for group in batch:
        if generator.random() < share:
            example = examples[group[0].example]
            others, _ = labelled_windows(
                [replace(example, question=keywords(example.question, generator))], encoder, lengths
            )
            group = others[0] if others else group
        shortened.append(group)
    return shortened


def collate(batch: list[list[Window]], generator: np.random.Generator, crop_length: int) -> dict[str, np.ndarray]:
    """Questions as the inputs of the training network, which has a row for each window: `windows` int (questions, most
    windows) tells which rows belong to a question, -1 for none.

    With `crop_length` a question is trained on a piece of about this many tokens of the context around one of its
    answers, another one each time: that is faster, and harder to learn by heart. Without it, on all its windows.
    """
    groups = [[_crop(group, crop_length, generator)] if crop_length else group for group in batch]
    rows = [window for group in groups for window in group]
    inputs = pad_features([window.arrays for window in rows])
    ends = np.cumsum([len(group) for group in groups])
    inputs["windows"] = pad(
        [np.arange(end - len(group), end, dtype=np.int32) for group, end in zip(groups, ends)], value=-1
    )
    inputs["in_context"] = pad([window.pair.is_context.astype(np.int8) for window in rows])
    inputs["labels"] = np.zeros((*inputs["in_context"].shape, 2), np.int8)
    for labels, window in zip(inputs["labels"], rows):
        for first, last in window.answers:
            labels[first, 0] = labels[last, 1] = 1
    return inputs


def _crop(group: list[Window], length: int, generator: np.random.Generator) -> Window:
    """About `length` tokens of the context (three to five quarters, and never less than the answer) around an answer,
    with the question before them."""
    choices = [(window, answer) for window in group for answer in window.answers]
    window, (first, last) = choices[generator.integers(len(choices))]
    length = int(generator.integers(length * 3 // 4, length * 5 // 4 + 1))
    pair, kept = window.pair.crop(first, last, length, generator)
    moved = {old: new for new, old in enumerate(kept.tolist())}
    arrays = {name: values[kept] for name, values in window.arrays.items()}
    inside = [(moved[a], moved[b]) for a, b in window.answers if a in moved and b in moved]
    return replace(window, pair=pair, arrays=arrays, answers=inside)


# Network


class Networks(NamedTuple):
    """Two views of one set of weights.

    training: inputs of `collate` -> its own loss; its weights are all there are.
    reading: inputs of the encoder -> logits (batch, length, 2) of start and end; those outside of the context mean
    nothing.
    """

    training: keras.Model
    reading: keras.Model


def build_networks(encoder: Encoder) -> Networks:
    encoding = encoder.pair_network()
    states = keras.layers.SpatialDropout1D(encoder.dropout, name="pointer_dropout")(encoding.output[0])
    logits = keras.layers.Dense(2, name="pointers", dtype="float32")(states)

    windows = keras.Input((None,), dtype="int32", name="windows")
    in_context = keras.Input((None,), dtype="int8", name="in_context")
    labels = keras.Input((None, 2), dtype="int8", name="labels")
    errors, distributions, half = [], [], tf.fill(tf.shape(windows)[:1], 0.5)
    for edge in (0, 1):
        right, scores, inside = (
            _by_question(values, windows) for values in (labels[..., edge], logits[..., edge], in_context)
        )
        errors.append(masked_marginal_cross_entropy(right, scores, inside))
        distributions.append(Distribution(where_possible(inside, scores), "softmax", half))

    inputs = [*encoding.inputs, windows, in_context, labels]
    training = TrainingModel(inputs, logits, [batch_mean("edge_loss", sum(errors) / 2, windows, distributions)])
    return Networks(training, keras.Model(encoding.input, logits))


def _by_question(values, windows):
    """Values (rows, length) of the windows of each question one after the other, (questions, most windows * length);
    zeros where there is no window."""
    rows = tf.gather(values, tf.maximum(windows, 0))
    rows = tf.where((windows >= 0)[..., None], rows, tf.zeros_like(rows))
    return tf.reshape(rows, (tf.shape(windows)[0], -1))
