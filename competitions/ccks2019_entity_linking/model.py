"""The model: which pieces of a text are mentions, and which entity each of them means (kexue.fm/archives/6919).

    mentions    states      = convolutions(encoder(text) + what dictionary and habits say of each token)
                start, end  = a half pointer on the states, for mentions of any name
                context     = f(states[first], states[last]) + start[first] + end[last]     for each name of the knowledge base
                name score  = g(shape, habits and rivals of the name) + dropout(context)

    entities    states      = pair encoder(description of a candidate, text)
                score       = h(mean of the states over the mention, their maximum over the text) + w log p(candidate | name)
                p(entity)   = softmax over all candidates of a mention, NIL among them

f, g and h are small networks. The dropout leaves out all that a text says of a name.

This is the file to change: features, networks and loss.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays, pad, pad_features
from common.keras_compat import keras, tf
from common.layers import GatedDilatedConvolution, IdDropout
from common.losses import Distribution, batch_mean, masked_marginal_cross_entropy, masked_mean, where_possible
from common.optimizers.training_model import TrainingModel
from common.tokenizers import Encoding, pair_windows, windows

from habits import LONGEST, WAYS, count_features, log_priors, thinned
from knowledge_base import KnowledgeBase
from names import NAME_FEATURES, SHAPE_FEATURES, TOKEN_FEATURES, Name, name_features, token_features
from task import NIL, Mention

#: Prefix of the inputs of the second encoder, in the network that trains both.
PAIR = "pair_"
_EDGE_BIAS = -2.0
_CONTEXT_DROPOUT = 0.5
_NO_NAME = Name(0, 1, (), False, np.zeros(SHAPE_FEATURES), [], [], np.zeros((WAYS, 2)), np.zeros(1), 1.0)


# Features


@dataclass
class Window:
    """A piece of a text that the encoder reads at once: nearly always the whole of it.

    example: index of its text. arrays: inputs of the encoder. names: those of the text. places: (index, first, last
    token) of the names that lie in it, both tokens inclusive. labels: spans (first, last) of the gold mentions in it.
    """

    example: int
    encoding: Encoding
    arrays: Arrays
    names: Sequence[Name]
    places: list[tuple[int, int, int]]
    labels: set[tuple[int, int]]


def text_windows(texts: Sequence[str], names: Sequence[Sequence[Name]], encoder: Encoder) -> list[Window]:
    """Every text as one window, or as several where it is longer than the encoder reads; unlabelled."""
    found = []
    for index, text in enumerate(texts):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        for part, arrays in zip(parts, encoder.features(text, parts)):
            places = [
                (at, *span) for at, name in enumerate(names[index]) if (span := part.token_span(name.start, name.end))
            ]
            found.append(Window(index, part, arrays, names[index], places, set()))
    return found


def label_windows(all_windows: Sequence[Window], mentions: Sequence[Sequence[Mention]]) -> Counter[str]:
    """Puts the gold mentions of each text into its windows; returns how many could not be, by reason."""
    lost: Counter[str] = Counter()
    held: set[tuple[int, Mention]] = set()
    for window in all_windows:
        for mention in mentions[window.example]:
            span = window.encoding.token_span(mention.offset, mention.end)
            if span:
                window.labels.add(span)
                held.add((window.example, mention))
    missing = sum(len({(index, mention) for mention in of_text} - held) for index, of_text in enumerate(mentions))
    if missing:
        lost["mention across windows or inside a token"] = missing
    return lost


class Question(NamedTuple):
    """A mention whose entity is asked for. right: index of that entity in `name.choices`."""

    example: int
    name: Name
    right: int


def questions(
    all_windows: Sequence[Window], mentions: Sequence[Sequence[Mention]]
) -> tuple[list[list[Question]], Counter[str]]:
    """For each text the gold mentions that have candidates, and how many have not the right one, by reason."""
    named: list[dict[tuple[int, int], Name]] = [{} for _ in mentions]
    for window in all_windows:
        names = (window.names[at] for at, _, _ in window.places)
        named[window.example] |= {(name.start, name.end): name for name in names}
    found, lost = [], Counter()
    for index, of_text in enumerate(mentions):
        asked = []
        for mention in of_text:
            name = named[index].get((mention.offset, mention.end))
            if name and mention.entity in name.choices:
                asked.append(Question(index, name, name.choices.index(mention.entity)))
            elif mention.entity != NIL:
                lost["entity not among the candidates of its name"] += 1
        found.append(asked)
    return found, lost


class PairReader:
    """Inputs of the entity network: what a candidate is, before the text around a mention.

    description_length: tokens of a description that are read, at most half of a window.
    """

    def __init__(self, encoder: Encoder, knowledge_base: KnowledgeBase, description_length: int):
        self.encoder, self.knowledge_base, self.description_length = encoder, knowledge_base, description_length
        # About 3 KB each: the same pairs come again in every epoch.
        self._read = lru_cache(2**16)(self._read)

    def __call__(self, text: str, name: Name, entity: str) -> Arrays:
        """Inputs of the encoder, each (length, ...), and `mention` float32 (length,), 1 at its tokens."""
        return self._read(text, name.start, name.end, entity)

    def _read(self, text: str, start: int, end: int, entity: str) -> Arrays:
        tokenizer = self.encoder.tokenizer
        description = described(self.knowledge_base, entity, self.description_length)
        asked = tokenizer.tokenize(description).take(slice(self.description_length))
        tokens = tokenizer.tokenize(text)
        first, last = tokens.token_span(start, end)
        room = self.encoder.max_length - min(len(asked), (self.encoder.max_length - 3) // 2) - 3
        begin = max(0, min((first + last) // 2 - room // 2, len(tokens) - room))
        tokens = tokens.take(slice(begin, begin + room))
        (pair,) = pair_windows(tokenizer, asked, tokens, self.encoder.max_length, room)
        (arrays,) = self.encoder.pair_features(description, asked, text, tokens, [pair])
        inside = np.zeros(len(tokens), np.float32)
        inside[first - begin : last - begin + 1] = 1
        return arrays | {
            "mention": pair.lay_out(np.zeros(pair.asked, np.float32), inside),
            "in_text": pair.is_context.astype(np.int8),
        }


def described(knowledge_base: KnowledgeBase, entity: str, max_length: int) -> str:
    """An entity in words: its names, its types and the beginning of its description; not empty for NIL either."""
    if entity == NIL:
        return NIL
    found = knowledge_base.entities([entity], max_length)[entity]
    return f"{'、'.join(dict.fromkeys([found.subject, *found.names]))}（{'、'.join(found.types)}）{found.description}"


# Training batches


def collate(
    batch: Sequence[Window],
    asked: Sequence[Question],
    texts: Sequence[str],
    read: PairReader,
    max_candidates: int,
    generator: np.random.Generator,
) -> Arrays:
    """Windows and questions as the inputs of the training network.

    Those of `mention network` and `entity network` (with PAIR before the names of the latter); `edge_labels` int8
    (batch, length, 2), `name_labels` int8 (names,); `choices` int32 (questions, most candidates), the rows of each
    question's candidates, -1 for none, and `right` int8 of the same shape. Of more than `max_candidates` the right one
    and a random choice of others take part.
    """
    inputs = mention_inputs(batch, generator)
    inputs["edge_labels"] = np.zeros((*inputs["token_ids"].shape, 2), np.int8)
    for labels, window in zip(inputs["edge_labels"], batch):
        for first, last in window.labels:
            labels[first, 0] = labels[last, 1] = 1
    inputs["name_labels"] = np.array(
        [(first, last) in window.labels for window in batch for _, first, last in window.places], np.int8
    )

    rows, choices, right = [], [], []
    for question in asked:
        others = np.delete(np.arange(len(question.name.choices)), question.right)
        others = generator.permutation(others)[: max_candidates - 1]
        drawn = [question.right, *others.tolist()]
        choices.append(np.arange(len(rows), len(rows) + len(drawn), dtype=np.int32))
        right.append(np.array([1] + [0] * len(others), np.int8))
        (counts,) = thinned(question.name.entity_counts[None], generator)
        priors = log_priors(counts, question.name.nil_share)
        rows += [pair_row(texts[question.example], question.name, at, priors[at], read) for at in drawn]
    if not asked:  # the entity network has to read something; -1 says that it does not count
        rows, choices, right = (
            [pair_row("。", _NO_NAME, 0, 0.0, read)],
            [np.array([-1], np.int32)],
            [np.array([0], np.int8)],
        )
    pairs = pad_features(rows)
    return (
        inputs
        | {PAIR + name: values for name, values in pairs.items()}
        | {"choices": pad(choices, -1), "right": pad(right)}
    )


def mention_inputs(batch: Sequence[Window], generator: np.random.Generator | None = None) -> Arrays:
    """Inputs of the mention network: those of the encoder, `dictionary` float32 (batch, length, TOKEN_FEATURES), and of
    the names of all windows `name_places` int32 (names, 3), row of the batch, first and last token, and `name_features`
    float32 (names, NAME_FEATURES).

    generator: thins the habits, in training.
    """
    places, features, dictionary = [], [np.zeros((0, NAME_FEATURES), np.float32)], []
    for row, window in enumerate(batch):
        counts = np.array([name.counts for name in window.names], np.int64).reshape(-1, WAYS, 2)
        of_counts = count_features(thinned(counts, generator))
        features.append(name_features(window.names, of_counts)[[at for at, _, _ in window.places]])
        places += [(row, first, last) for _, first, last in window.places]
        dictionary.append(token_features(len(window.encoding), window.places, of_counts[:, LONGEST], window.names))
    return pad_features([window.arrays for window in batch]) | {
        "dictionary": pad(dictionary),
        "name_places": np.array(places, np.int32).reshape(-1, 3),
        "name_features": np.concatenate(features),
    }


def pair_row(text: str, name: Name, choice: int, log_prior: float, read: PairReader) -> Arrays:
    """One row of the entity network: what `read` gives, and `log_prior` float32 (1,)."""
    return read(text, name, name.choices[choice]) | {"log_prior": np.array([log_prior], np.float32)}


# Networks


class Networks(NamedTuple):
    """training: inputs of `collate` -> its own loss; its weights are all there are.
    mentions: windows -> [edges (batch, length, 2), names (names,)], logits.
    entities: rows of `pair_row` -> logits (rows,).
    """

    training: keras.Model
    mentions: keras.Model
    entities: keras.Model


def build_networks(encoder: Encoder, token_dropout: float = 0.0) -> Networks:
    """token_dropout: share of the tokens that the mention network cannot read in training; prediction needs to know
    nothing of it."""
    mentions, entities = _mention_network(encoder, token_dropout), _entity_network(encoder)
    pair_inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=PAIR + name)
        for name, tensor in entities.input.items()
    }
    edge_labels = keras.Input((None, 2), dtype="int8", name="edge_labels")
    name_labels = keras.Input((), dtype="int8", name="name_labels")
    choices = keras.Input((None,), dtype="int32", name="choices")
    right = keras.Input((None,), dtype="int8", name="right")

    edges, names = mentions.output
    is_token = tf.cast(mentions.input["token_ids"] > 0, tf.float32)
    edge_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(edge_labels, tf.float32), edges)
    edge_distribution = Distribution(edges, "sigmoid", is_token[:, :, None])
    name_errors = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(name_labels, tf.float32), names)
    logits = tf.gather(entities(pair_inputs), tf.maximum(choices, 0))
    entity_errors = masked_marginal_cross_entropy(right, logits, choices >= 0)
    entity_distribution = Distribution(where_possible(choices >= 0, logits), "softmax", tf.ones_like(logits[:, 0]))

    terms = [
        masked_mean("edge_loss", tf.reduce_sum(edge_errors, -1), is_token, [edge_distribution]),
        batch_mean("name_loss", name_errors, name_labels, [Distribution(names, "sigmoid", tf.ones_like(names))]),
        batch_mean("entity_loss", entity_errors, choices, [entity_distribution]),
    ]

    inputs = [*mentions.inputs, *pair_inputs.values(), edge_labels, name_labels, choices, right]
    return Networks(TrainingModel(inputs, [edges, names, logits], terms), mentions, entities)


def _mention_network(encoder: Encoder, token_dropout: float) -> keras.Model:
    encoding = encoder.network()
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    inputs = {**encoding.input, "token_ids": token_ids}
    # Names are learned by heart otherwise, together with what their training texts say of them: 0.6 points of F1.
    readable = IdDropout(token_dropout, unknown=encoder.tokenizer.unknown_id, name="token_dropout")(token_ids)
    encoded = encoding({**inputs, "token_ids": readable})[0]
    dictionary = keras.Input((None, TOKEN_FEATURES), name="dictionary")
    places = keras.Input((3,), dtype="int32", name="name_places")
    features = keras.Input((NAME_FEATURES,), name="name_features")

    is_token = token_ids > 0
    told = keras.layers.Dense(encoder.size, activation="relu", name="dictionary_hidden")(dictionary)
    states = encoded + keras.layers.Dense(encoder.size, name="dictionary_projection")(told)
    states *= tf.cast(is_token, states.dtype)[:, :, None]
    for layer, dilation in enumerate((1, 2)):
        states = GatedDilatedConvolution(dilation, name=f"mention_convolution_{layer}")(states, is_token)
    states = keras.layers.Dropout(encoder.dropout, name="mention_dropout")(states)
    edges = keras.layers.Dense(
        2, bias_initializer=keras.initializers.Constant(_EDGE_BIAS), name="edges", dtype="float32"
    )(states)

    # Habits and shape say most of it, and are told apart from what the text says, which is often left out: a network
    # that sees both together learns texts by heart instead (F1 0.82).
    habit = features
    for layer, size in enumerate((64, 32)):
        habit = keras.layers.Dense(size, activation="relu", name=f"habit_{layer}", dtype="float32")(habit)
    habit = keras.layers.Dense(1, name="habit_score", dtype="float32")(habit)

    row, first, last = tf.unstack(places, axis=1)
    both = [tf.gather_nd(states, tf.stack([row, at], 1)) for at in (first, last)]
    context = keras.layers.Dense(encoder.size, activation="relu", name="context_hidden")(tf.concat(both, 1))
    context = keras.layers.Dropout(encoder.dropout, name="context_hidden_dropout")(context)
    context = keras.layers.Dense(1, use_bias=False, name="context_score", dtype="float32")(context)
    context += tf.gather_nd(edges[..., :1], tf.stack([row, first], 1)) + tf.gather_nd(
        edges[..., 1:], tf.stack([row, last], 1)
    )
    names = (habit + keras.layers.Dropout(_CONTEXT_DROPOUT, name="context_dropout", dtype="float32")(context))[:, 0]
    return keras.Model(
        {**inputs, "dictionary": dictionary, "name_places": places, "name_features": features},
        [edges, names],
        name="mentions",
    )


def _entity_network(encoder: Encoder) -> keras.Model:
    encoding = encoder.pair_network()
    mention = keras.Input((None,), name="mention")
    in_text = keras.Input((None,), dtype="int8", name="in_text")
    log_prior = keras.Input((1,), name="log_prior")

    states = keras.layers.Dropout(encoder.dropout, name="entity_dropout")(encoding.output[0])
    share = mention / tf.reduce_sum(mention, 1, keepdims=True)
    meant = tf.matmul(tf.cast(share, states.dtype)[:, None], states)[:, 0]
    seen = tf.reduce_max(tf.where(in_text[:, :, None] > 0, states, tf.cast(-1e4, states.dtype)), 1)
    hidden = keras.layers.Dense(encoder.size, activation="relu", name="entity_hidden")(tf.concat([meant, seen], 1))
    hidden = keras.layers.Dropout(encoder.dropout, name="entity_hidden_dropout")(hidden)
    told = keras.layers.Dense(1, use_bias=False, name="entity_score", dtype="float32")(hidden)
    prior = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="prior_weight", dtype="float32")(
        log_prior
    )
    return keras.Model(
        {**encoding.input, "mention": mention, "in_text": in_text, "log_prior": log_prior},
        (told + prior)[:, 0],
        name="entities",
    )
