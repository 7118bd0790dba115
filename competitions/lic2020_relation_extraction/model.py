"""The model: half-pointer subject tagging, then object tagging under conditional layer normalisation.

kexue.fm/archives/7321, with 7161 (powers of sigmoids) and 7124 (conditional layer normalisation).

    states, residual = encoder(sentence)                                   once per sentence
    subject start, end       = sigmoid(states W) ** 2                      (length, 2)
    c                        = residual[first] + residual[last]            for each subject, concatenated
    object start, end        = sigmoid(f(conditional_norm(residual, c))) ** 4   (length, classes, 2)

This is the file to change: features, network, loss and the way from scores to spans.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import pad_features
from common.keras_compat import keras, tf
from common.layers import ConditionalLayerNormalization, RelativePosition
from common.losses import Distribution, logit_adjustment, masked_mean, powered_logits, powered_sigmoid_cross_entropy
from common.optimizers.training_model import TrainingModel
from common.tokenizers import Encoding, windows

from augmentation import EntityReplacement
from labels import Span, label
from task import Example, Schema

# Exponents of the sigmoids: they lower the initial probability to how rare each kind of tag is.
SUBJECT_POWER, OBJECT_POWER = 2, 4


# Features


@dataclass
class Window:
    """A piece of a sentence that the encoder reads at once: nearly always the whole of it.

    example: index of its sentence. whole: the window is all of it. arrays: inputs of the encoder. subjects: for each
    labelled subject, as first and last token (inclusive), its objects as (first token, last token, class id).
    """

    example: int
    whole: bool
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    subjects: dict[Span, list[tuple[int, int, int]]]


def sentence_windows(texts: Sequence[str], encoder: Encoder) -> list[Window]:
    """Every sentence as one window, or as several where it is longer than the encoder reads; unlabelled."""
    found = []
    for index, text in enumerate(texts):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        found += [
            Window(index, len(parts) == 1, part, arrays, {})
            for part, arrays in zip(parts, encoder.features(text, parts))
        ]
    return found


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, schema: Schema
) -> tuple[list[Window], Counter[str]]:
    """Windows with token labels, and what was lost on the way: triples by reason, and sentences that are of no use
    without them.

    A sentence without triples in gold is kept, it teaches silence; one whose triples were all lost is not, it would
    teach wrong.
    """
    found, lost = [], Counter()
    for window_group in _by_example(sentence_windows([example.text for example in examples], encoder)):
        example = examples[window_group[0].example]
        spans, unlabelled = label(example.text, example.triples, schema)
        lost += unlabelled
        for subject, objects in spans.items():
            for span, class_id in objects:
                if not _tag(window_group, subject, span, class_id):
                    lost["triple across windows or inside a token"] += 1
        if example.triples and not any(window.subjects for window in window_group):
            lost["sentence left out: none of its triples could be labelled"] += 1
        else:
            found += window_group
    return found, lost


def _by_example(all_windows: list[Window]) -> list[list[Window]]:
    groups: list[list[Window]] = []
    for window in all_windows:
        if groups and groups[-1][0].example == window.example:
            groups[-1].append(window)
        else:
            groups.append([window])
    return groups


def _tag(window_group: list[Window], subject: Span, span: Span, class_id: int) -> bool:
    """Add an object to every window that holds it and its subject; whether any does."""
    tagged = False
    for window in window_group:
        subject_tokens, object_tokens = window.encoding.token_span(*subject), window.encoding.token_span(*span)
        if subject_tokens and object_tokens:
            window.subjects.setdefault(subject_tokens, []).append((*object_tokens, class_id))
            tagged = True
    return tagged


def adjustment_for(labelled: Sequence[Window], classes: int, strength: float) -> np.ndarray:
    """`logit_adjustment` for what labelled windows have: for each subject it is asked at each token whether an object
    of a class begins."""
    begins = [
        class_id
        for window in labelled
        for tags in window.subjects.values()
        for class_id, _ in {(tag[2], tag[0]) for tag in tags}
    ]
    decisions = sum(len(window.subjects) * len(window.encoding) for window in labelled)
    return logit_adjustment(strength, np.bincount(begins, minlength=classes), decisions)


# Training batches


def replace_entities(
    batch: list[Window],
    examples: Sequence[Example],
    replacement: EntityReplacement,
    encoder: Encoder,
    schema: Schema,
    share: float,
    generator: np.random.Generator,
) -> list[Window]:
    """The batch with other entities in about `share` of its sentences. Those that need several windows stay as they
    are."""
    replaced = []
    for window in batch:
        if window.whole and generator.random() < share:
            example = replacement(examples[window.example], generator)
            if example is not examples[window.example]:
                others, _ = labelled_windows([example], encoder, schema)
                window = others[0] if len(others) == 1 else window
        replaced.append(window)
    return replaced


def collate(
    batch: list[Window], generator: np.random.Generator, classes: int, most_subjects: int = 4
) -> dict[str, np.ndarray]:
    """Windows as the inputs of the training network.

    All subjects of a sentence are trained at once (`most_subjects` of them), since the encoder, which is most of the
    work, is shared. A span that is no subject, and so has no objects, joins them: often an object of the sentence, for
    that is what a tagger takes for a subject by mistake. `subjects` and `object_labels` have a row for each such span,
    not for each window.
    """
    inputs = pad_features([window.arrays for window in batch])
    spans = [
        (row, *span) for row, window in enumerate(batch) for span in _training_spans(window, generator, most_subjects)
    ]
    length = inputs["token_ids"].shape[1]
    inputs["subject_labels"] = np.zeros((len(batch), length, 2), np.int8)
    inputs["subjects"] = np.array(spans, np.int32)
    inputs["object_labels"] = np.zeros((len(spans), length, classes, 2), np.int8)
    for row, window in enumerate(batch):
        for first, last in window.subjects:
            inputs["subject_labels"][row, first, 0] = inputs["subject_labels"][row, last, 1] = 1
    for labels, (row, *span) in zip(inputs["object_labels"], spans):
        for first, last, class_id in batch[row].subjects.get(tuple(span), ()):
            labels[first, class_id, 0] = labels[last, class_id, 1] = 1
    return inputs


def _training_spans(window: Window, generator: np.random.Generator, most_subjects: int) -> list[Span]:
    subjects = sorted(window.subjects)
    generator.shuffle(subjects)
    objects = sorted(
        {(first, last) for tags in window.subjects.values() for first, last, _ in tags} - window.subjects.keys()
    )
    if objects and generator.random() < 0.6:
        negative = objects[generator.integers(len(objects))]
    else:
        first = int(generator.integers(len(window.encoding)))
        negative = (first, min(first + int(generator.integers(8)), len(window.encoding) - 1))
    negatives = [] if negative in window.subjects else [negative]
    return [tuple(span) for span in subjects[:most_subjects]] + negatives


# Network


class Networks(NamedTuple):
    """Three views of one set of weights.

    training: inputs of `collate` -> its own loss; its weights are all there are.
    subjects: inputs of the encoder -> [residual (batch, length, size), subject probabilities (batch, length, 2)].
    objects: residual, subjects int (n, 3), each a row of the batch with the first and last token of a span in it
        -> object probabilities (n, length, classes, 2); those at padding mean nothing.
    """

    training: keras.Model
    subjects: keras.Model
    objects: keras.Model


def build_networks(encoder: Encoder, classes: int, adjustment: np.ndarray | float = 0.0) -> Networks:
    """adjustment: of what the loss sees of each class, float (classes,); prediction needs to know nothing of it."""
    encoding = encoder.network()
    states, residual = encoding.output
    states = keras.layers.Dropout(encoder.dropout, name="subject_dropout")(states)
    subject_logits = keras.layers.Dense(2, name="subject_tags", dtype="float32")(states)

    object_head = _object_head(residual, classes, encoder.dropout)
    subject_labels = keras.Input((None, 2), dtype="int8", name="subject_labels")
    subjects = keras.Input((3,), dtype="int32", name="subjects")
    object_labels = keras.Input((None, classes, 2), dtype="int8", name="object_labels")
    object_logits = object_head([residual, subjects])

    token_mask = encoding.input["token_ids"] > 0
    subject_errors = powered_sigmoid_cross_entropy(subject_labels, subject_logits, SUBJECT_POWER)
    # While a probability sigmoid(f) ** power is small, its logarithm rises by `power` where f rises by 1: f gets its
    # part of the adjustment.
    adjusted_logits = object_logits + np.reshape(adjustment, [-1, 1]) / OBJECT_POWER
    object_errors = powered_sigmoid_cross_entropy(object_labels, adjusted_logits, OBJECT_POWER)
    object_mask = tf.gather(token_mask, subjects[:, 0])
    terms = [
        masked_mean(
            "subject_loss",
            tf.reduce_mean(subject_errors, -1),
            token_mask,
            [_tags(subject_logits, SUBJECT_POWER, token_mask[..., None])],
        ),
        masked_mean(
            "object_loss",
            tf.reduce_sum(tf.reduce_mean(object_errors, -1), -1),
            object_mask,
            [_tags(adjusted_logits, OBJECT_POWER, object_mask[..., None, None])],
        ),
    ]

    training = TrainingModel(
        [*encoding.inputs, subject_labels, subjects, object_labels], [subject_logits, object_logits], terms
    )
    return Networks(
        training,
        keras.Model(encoding.input, [residual, tf.sigmoid(subject_logits) ** SUBJECT_POWER]),
        keras.Model(object_head.inputs, tf.sigmoid(object_head.output) ** OBJECT_POWER),
    )


def _tags(logits, power: int, mask) -> Distribution:
    # Half, since the loss is the mean of starts and ends.
    return Distribution(powered_logits(logits, power), "sigmoid", tf.cast(mask, tf.float32) / 2)


def _object_head(residual, classes: int, dropout: float) -> keras.Model:
    """Any such residual, subjects -> object logits (n, length, classes, 2)."""
    residual = keras.Input(residual.shape[1:], dtype=residual.dtype, name="residual")
    subjects = keras.Input((3,), dtype="int32", name="subjects")
    sentences = tf.gather(residual, subjects[:, 0])
    edges = [tf.gather(sentences, subjects[:, edge], batch_dims=1) for edge in (1, 2)]
    state = ConditionalLayerNormalization(name="object_normalization")([sentences, tf.concat(edges, axis=-1)])
    state = RelativePosition(residual.shape[-1], name="distance_to_subject")(state, subjects[:, 1:])
    state = keras.layers.SpatialDropout1D(dropout, name="object_dropout")(state)
    logits = keras.layers.Dense(2 * classes, name="object_tags", dtype="float32")(state)
    logits = keras.layers.Reshape((-1, classes, 2), name="object_logits")(logits)
    return keras.Model([residual, subjects], logits, name="object_head")
