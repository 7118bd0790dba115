"""The model: half-pointer subject tagging, then object tagging under conditional layer normalisation (SYSTEMS.md section 2).

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
from common.losses import masked_mean, powered_sigmoid_cross_entropy
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

    example: index of its sentence. arrays: inputs of the encoder. subjects: for each labelled subject, as first and last token
    (inclusive), its objects as (first token, last token, class id).
    """

    example: int
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    subjects: dict[Span, list[tuple[int, int, int]]]


def sentence_windows(texts: Sequence[str], encoder: Encoder) -> list[Window]:
    """Every sentence as one window, or as several where it is longer than the encoder reads; unlabelled."""
    found = []
    for index, text in enumerate(texts):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        found += [Window(index, part, arrays, {}) for part, arrays in zip(parts, encoder.features(text, parts))]
    return found


def labelled_windows(examples: Sequence[Example], encoder: Encoder, schema: Schema) -> tuple[list[Window], Counter[str]]:
    """Windows with token labels, and what was lost on the way: triples by reason, and sentences that are of no use without them.

    A sentence without triples in gold is kept, it teaches silence; one whose triples were all lost is not, it would teach wrong.
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
    """The batch with other entities in about `share` of its sentences. Those that need several windows stay as they are."""
    replaced = []
    for window in batch:
        if generator.random() < share:
            others, _ = labelled_windows([replacement(examples[window.example], generator)], encoder, schema)
            window = others[0] if len(others) == 1 else window
        replaced.append(window)
    return replaced


def collate(batch: list[Window], generator: np.random.Generator, classes: int, most_subjects: int = 4) -> dict[str, np.ndarray]:
    """Windows as the padded inputs of the training network.

    All subjects of a sentence are trained at once (`most_subjects` of them), since the encoder, which is most of the work, is shared.
    One more span that is no subject, and so has no objects, joins each: often an object of the sentence, for that is what
    a tagger takes for a subject by mistake.
    """
    chosen = [_training_spans(window, generator, most_subjects) for window in batch]
    inputs = pad_features([window.arrays for window in batch])
    length, most = inputs["token_ids"].shape[1], max(map(len, chosen))
    inputs["subject_labels"] = np.zeros((len(batch), length, 2), np.int8)
    inputs["subjects"] = np.zeros((len(batch), most, 2), np.int32)
    inputs["subject_mask"] = np.zeros((len(batch), most), np.int8)
    inputs["object_labels"] = np.zeros((len(batch), most, length, classes, 2), np.int8)
    for row, (window, spans) in enumerate(zip(batch, chosen)):
        for first, last in window.subjects:
            inputs["subject_labels"][row, first, 0] = inputs["subject_labels"][row, last, 1] = 1
        for number, span in enumerate(spans):
            inputs["subjects"][row, number] = span
            inputs["subject_mask"][row, number] = 1
            for first, last, class_id in window.subjects.get(span, ()):
                inputs["object_labels"][row, number, first, class_id, 0] = 1
                inputs["object_labels"][row, number, last, class_id, 1] = 1
    return inputs


def _training_spans(window: Window, generator: np.random.Generator, most_subjects: int) -> list[Span]:
    subjects = sorted(window.subjects)
    generator.shuffle(subjects)
    objects = sorted({(first, last) for tags in window.subjects.values() for first, last, _ in tags} - window.subjects.keys())
    if objects and generator.random() < 0.6:
        negative = objects[generator.integers(len(objects))]
    else:
        first = int(generator.integers(len(window.encoding)))
        negative = (first, min(first + int(generator.integers(8)), len(window.encoding) - 1))
    return [tuple(span) for span in subjects[:most_subjects]] + [negative]


# Network


class Networks(NamedTuple):
    """Three views of one set of weights.

    training: inputs of `collate` -> its own loss; its weights are all there are.
    subjects: inputs of the encoder -> [residual (batch, length, size), subject probabilities (batch, length, 2)].
    objects: residual, token_mask (batch, length), subjects (batch, n, 2) -> object probabilities (batch, n, length, classes, 2).
    """

    training: keras.Model
    subjects: keras.Model
    objects: keras.Model


def build_networks(encoder: Encoder, classes: int) -> Networks:
    encoding = encoder.network()
    sentence = encoding.inputs
    token_mask = tf.cast(encoding.input["token_ids"] > 0, "float32")
    states, residual = encoding.output
    states = keras.layers.Dropout(encoder.dropout, name="subject_dropout")(states)
    subject_logits = keras.layers.Dense(2, name="subject_tags", dtype="float32")(states)

    object_head = _object_head(encoder, classes)
    subject_labels = keras.Input((None, 2), dtype="int8", name="subject_labels")
    subjects = keras.Input((None, 2), dtype="int32", name="subjects")
    subject_mask = keras.Input((None,), dtype="int8", name="subject_mask")
    object_labels = keras.Input((None, None, classes, 2), dtype="int8", name="object_labels")
    object_logits = object_head([residual, token_mask, subjects])

    subject_errors = tf.reduce_mean(powered_sigmoid_cross_entropy(subject_labels, subject_logits, SUBJECT_POWER), -1)
    subject_loss = masked_mean(subject_errors, token_mask)
    object_errors = tf.reduce_mean(powered_sigmoid_cross_entropy(object_labels, object_logits, OBJECT_POWER), -1)
    pair_mask = tf.cast(subject_mask, "float32")[:, :, None] * token_mask[:, None, :]
    object_loss = masked_mean(tf.reduce_sum(object_errors, -1), pair_mask)

    training = keras.Model([*sentence, subject_labels, subjects, subject_mask, object_labels], [subject_logits, object_logits])
    training.add_loss(subject_loss + object_loss)
    training.add_metric(subject_loss, name="subject_loss", aggregation="mean")
    training.add_metric(object_loss, name="object_loss", aggregation="mean")
    return Networks(
        training,
        keras.Model(encoding.input, [residual, tf.sigmoid(subject_logits) ** SUBJECT_POWER]),
        keras.Model(object_head.inputs, tf.sigmoid(object_head.output) ** OBJECT_POWER),
    )


def _object_head(encoder: Encoder, classes: int) -> keras.Model:
    """residual, token_mask, subjects -> object logits (batch, subjects, length, classes, 2)."""
    residual = keras.Input((None, encoder.size), name="residual")
    token_mask = keras.Input((None,), name="token_mask")
    subjects = keras.Input((None, 2), dtype="int32", name="subjects")
    edges = [tf.gather(residual, subjects[:, :, edge], batch_dims=1) for edge in (0, 1)]
    state = ConditionalLayerNormalization(name="object_normalization")([residual, tf.concat(edges, axis=-1)])
    state = RelativePosition(encoder.size, name="distance_to_subject")(state, subjects)
    state = keras.layers.Dropout(encoder.dropout, name="object_dropout")(state)
    logits = keras.layers.Dense(2 * classes, name="object_tags", dtype="float32")(state)
    shape = tf.shape(logits)
    return keras.Model([residual, token_mask, subjects], tf.reshape(logits, [shape[0], shape[1], shape[2], classes, 2]), name="object_head")
