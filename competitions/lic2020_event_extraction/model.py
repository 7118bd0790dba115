"""The model: what happens, told by the text as a whole, and who takes part in it, told at its place.

kexue.fm/archives/7321, with a head of 8877.

    states         = encoder(text)                                              (length, size)
    type of event  = log sum exp over the text of states U                      (types)
    class scores   = states (R[role] + T[type]) + log sigmoid(type of event)    (length, 2, classes): begin and inside, or first and last

    crf             class scores are the emissions of B and I; the best legal path of labels
    global_pointer  span score = class score of its first token + of its last + rotary product of the two, for every span and class

This is the file to change: features, network, loss.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from common.decoders import bio_labels, bio_transitions
from common.encoders import Encoder
from common.generators import pad, pad_features
from common.keras_compat import keras, tf
from common.layers import ConditionalRandomField, GlobalPointer
from common.losses import Distribution, batch_mean, logit_adjustment
from common.optimizers.training_model import TrainingModel
from common.tokenizers import Encoding, windows

from augmentation import ArgumentReplacement
from labels import TRIGGER, Classes, label
from span_loss import factored_multilabel_cross_entropy
from task import Example

Head = Literal["crf", "global_pointer"]
#: (first token, last token, class id), both tokens inclusive
Tag = tuple[int, int, int]

# Types are rare and spans rarer: scores begin low, so that training need not learn that first, nor an untrained network
# find all spans there are.
_TYPE_BIAS, _EDGE_BIAS = -7.0, -4.0
# Less than any score, and still a number that can be calculated with: a label on [CLS], [SEP] or padding.
_IMPOSSIBLE = -1e4


# Features


@dataclass
class Window:
    """A piece of a text that the encoder reads at once: nearly always the whole of it.

    example: index of its text. whole: the window is all of it. arrays: inputs of the encoder. tags: its labels.
    """

    example: int
    whole: bool
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    tags: set[Tag]


def text_windows(texts: Sequence[str], encoder: Encoder) -> list[Window]:
    """Every text as one window, or as several where it is longer than the encoder reads; unlabelled."""
    found = []
    for index, text in enumerate(texts):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        found += [
            Window(index, len(parts) == 1, part, arrays, set())
            for part, arrays in zip(parts, encoder.features(text, parts))
        ]
    return found


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, classes: Classes
) -> tuple[list[Window], Counter[str]]:
    """Windows with their tags, and what was lost on the way: triggers and arguments by reason, and texts that are of no
    use without them.

    A text without events in gold is kept, it teaches silence; one whose labels were all lost is not, it would teach
    wrong.
    """
    found, lost = [], Counter()
    groups: dict[int, list[Window]] = {}
    for window in text_windows([example.text for example in examples], encoder):
        groups.setdefault(window.example, []).append(window)
    for index, group in groups.items():
        example = examples[index]
        labels, unlabelled = label(example.text, example.events, classes)
        lost += unlabelled
        for span, class_id in labels:
            token_spans = [(window, window.encoding.token_span(*span)) for window in group]
            for window, tokens in token_spans:
                if tokens:
                    window.tags.add((*tokens, class_id))
            if not any(tokens for _, tokens in token_spans):
                kind = "trigger" if classes.pairs[class_id][1] is TRIGGER else "argument"
                lost[f"{kind} across windows or inside a token"] += 1
        if example.events and not any(window.tags for window in group):
            lost["text left out: nothing of its events could be labelled"] += 1
        else:
            found += group
    return found, lost


def label_sequence(window: Window, classes: Classes) -> tuple[np.ndarray, list[Tag]]:
    """The labels of a window for the CRF, int32 (length,), and the tags that they cannot hold: of those that overlap
    one is held, and no trigger that overlaps an argument, since arguments are what is scored."""
    arguments = [tag for tag in window.tags if classes.pairs[tag[2]][1] is not TRIGGER]
    free = [tag for tag in window.tags if not any(tag[0] <= last and first <= tag[1] for first, last, _ in arguments)]
    labels, dropped = bio_labels({*arguments, *free}, len(window.encoding))
    return labels, sorted(window.tags.difference({*arguments, *free}) | set(dropped))


class Adjustment(NamedTuple):
    """What is added in training to the logits of event types, and to the scores of (type, role) classes, once for each
    span."""

    types: np.ndarray | float = 0.0
    classes: np.ndarray | float = 0.0


def adjustment_for(labelled: Sequence[Window], classes: Classes, strength: float) -> Adjustment:
    """`logit_adjustment` for what labelled windows have. A type is asked for in each window, and at each token whether
    a span of a class begins."""
    types = [number for window in labelled for number in {classes.types[class_id] for *_, class_id in window.tags}]
    begins = [
        class_id for window in labelled for class_id, _ in {(class_id, first) for first, _, class_id in window.tags}
    ]
    return Adjustment(
        logit_adjustment(strength, np.bincount(types, minlength=len(classes.event_types)), len(labelled)),
        logit_adjustment(
            strength, np.bincount(begins, minlength=len(classes)), sum(len(window.encoding) for window in labelled)
        ),
    )


# Training batches


def replace_arguments(
    batch: list[Window],
    examples: Sequence[Example],
    replacement: ArgumentReplacement,
    encoder: Encoder,
    classes: Classes,
    share: float,
    generator: np.random.Generator,
) -> list[Window]:
    """The batch with other arguments in about `share` of its texts. Those that need several windows stay as they
    are."""
    replaced = []
    for window in batch:
        if window.whole and generator.random() < share:
            example = replacement(examples[window.example], generator)
            if example is not examples[window.example]:
                others, _ = labelled_windows([example], encoder, classes)
                window = others[0] if len(others) == 1 else window
        replaced.append(window)
    return replaced


def collate(batch: list[Window], classes: Classes, head: Head) -> dict[str, np.ndarray]:
    """Windows as the inputs of the training network: those of the encoder, `type_labels` (batch, types), and for the
    CRF `labels` (batch, length), for the global pointer `tags` (tags of all windows, 4): row of the batch, class, first
    and last token."""
    inputs = pad_features([window.arrays for window in batch])
    inputs["type_labels"] = np.zeros((len(batch), len(classes.event_types)), np.int8)
    for row, window in enumerate(batch):
        inputs["type_labels"][row, [classes.types[class_id] for *_, class_id in window.tags]] = 1
    if head == "crf":
        inputs["labels"] = pad([label_sequence(window, classes)[0] for window in batch])
    else:
        tags = [
            (row, class_id, first, last)
            for row, window in enumerate(batch)
            for first, last, class_id in sorted(window.tags)
        ]
        inputs["tags"] = np.array(tags, np.int32).reshape(-1, 4)
    return inputs


# Network


class Networks(NamedTuple):
    """Two views of one set of weights.

    training: inputs of `collate` -> its own loss; its weights are all there are.
    scores: inputs of the encoder -> for the CRF emissions (batch, length, labels); for the global pointer [spans
        (batch, length, length), first and last (batch, length, classes)], whose sum is the score of a span. A label
        other than O and a span are impossible on [CLS], [SEP] and padding.
    crf: the layer that knows the transitions, None for the global pointer.
    """

    training: keras.Model
    scores: keras.Model
    crf: ConditionalRandomField | None


def build_networks(
    encoder: Encoder, classes: Classes, head: Head, transition_multiplier: float, adjustment: Adjustment = Adjustment()
) -> Networks:
    """adjustment: of what the loss sees; prediction needs to know nothing of it."""
    encoding = encoder.network()
    token_ids = encoding.input["token_ids"]
    is_token = token_ids > 0
    # The last token is [SEP] and the first [CLS]: text is what has a token on either side.
    is_text = tf.pad(is_token[:, 2:], [[0, 0], [1, 1]])
    states = keras.layers.Dropout(encoder.dropout, name="head_dropout")(encoding.output[0])

    type_labels = keras.Input((len(classes.event_types),), dtype="int8", name="type_labels")
    told = keras.layers.Dense(
        len(classes.event_types),
        bias_initializer=keras.initializers.Constant(_TYPE_BIAS),
        name="type_tags",
        dtype="float32",
    )(states)
    type_logits = tf.reduce_logsumexp(told + _unless(is_text)[:, :, None], 1)
    adjusted_types = type_logits + adjustment.types
    type_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(type_labels, tf.float32), adjusted_types)
    type_distribution = Distribution(adjusted_types, "sigmoid", tf.ones_like(adjusted_types))
    type_loss = batch_mean("type_loss", tf.reduce_sum(type_errors, -1), type_labels, [type_distribution])

    first, last = tf.unstack(ClassScores(classes, name="class_scores", dtype="float32")(states, type_logits), axis=2)
    if head == "crf":
        crf = ConditionalRandomField(*bio_transitions(len(classes)), transition_multiplier, name="crf")
        # Label ids alternate: 0 is O, then B and I of each class.
        tagged = tf.reshape(tf.stack([first, last], -1), [tf.shape(first)[0], -1, 2 * len(classes)])
        emissions = crf(tf.pad(tagged + _unless(is_text)[:, :, None], [[0, 0], [0, 0], [1, 0]]))
        targets = keras.Input((None,), dtype="int32", name="labels")
        offsets = np.zeros(1 + 2 * len(classes), np.float32)
        offsets[1::2] = adjustment.classes
        errors, scores = crf.negative_log_likelihood(targets, emissions + offsets, is_token), emissions
        distributions = [Distribution(emissions + offsets, "softmax", tf.cast(is_token, tf.float32))]
    else:
        crf = None
        spans = GlobalPointer(1, name="spans")(states, is_text)[:, 0]
        targets = keras.Input(batch_shape=(None, 4), dtype="int32", name="tags")
        scores, adjusted = [spans, first, last], [spans, first + adjustment.classes, last]
        errors = factored_multilabel_cross_entropy(*adjusted, targets)
        # Of the three parts of a score: an array of all scores would be larger than everything else.
        inside = tf.cast(is_text, tf.float32)[:, :, None]
        distributions = [Distribution(part, "sigmoid", inside) for part in adjusted]

    head_loss = batch_mean("head_loss", errors, type_labels, distributions)
    training = TrainingModel([*encoding.inputs, type_labels, targets], scores, [type_loss, head_loss])
    return Networks(training, keras.Model(encoding.input, scores), crf)


class ClassScores(keras.layers.Layer):
    """Scores of all (type, role) classes out of weights for types and weights for roles: a class that has three
    examples in training is known by those of its role in other types, and of its type in other roles.

    Call with states float (batch, length, size) and type_logits (batch, types). Returns float (batch, length, 2,
    classes). The log of the type's probability is added to the first of the two scores, so that a span begins where
    both its type and its role are likely.
    """

    def __init__(self, classes: Classes, **kwargs):
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape):
        # Each table has an initializer of its own: a shared one gives tf_keras equal values.
        def table(name: str, rows: int):
            initializer = keras.initializers.RandomNormal(stddev=0.5 * size**-0.5)
            return self.add_weight(name, (rows, 2, size), initializer=initializer)

        size = input_shape[-1]
        self.role_table = table("roles", len(self.classes.role_names))
        self.type_table = table("types", len(self.classes.event_types))
        self.bias = self.add_weight("bias", (2, len(self.classes)), initializer=keras.initializers.Constant(_EDGE_BIAS))
        super().build(input_shape)

    def call(self, states, type_logits):
        weights = tf.gather(self.role_table, self.classes.roles) + tf.gather(self.type_table, self.classes.types)
        scores = tf.einsum("bls,ces->blec", states, weights) + self.bias
        likely = tf.gather(tf.math.log_sigmoid(type_logits), self.classes.types, axis=1)
        return scores + tf.pad(likely[:, None, None], [[0, 0], [0, 0], [0, 1], [0, 0]])


def _unless(mask):
    """0 where the mask is true, `_IMPOSSIBLE` elsewhere."""
    return tf.where(mask, 0.0, _IMPOSSIBLE)
