"""Two LSTMs that write a title from both ends at once, each seeing what the other has written.

Zhang et al. 2019; kexue.fm/archives/6877.

    s       = LSTM(LSTM(title so far))          for each direction, as in copy_lstm.py
    c       = attention(s, partner's s)         the partner's states up to the same step
    o       = leaky relu(W [s, c, attention(s, h)])

In training the partner must not be gold: past the middle it would have read what is still to be written. So there are
two stages. In the first c is zero, and the sides learn apart. Then each side's titles for the training texts are
written down, and in the second stage these stand in for the partner, as its hypotheses will in decoding.
"""

from collections.abc import Sequence

import numpy as np

from common.decoders import Directed, Rules, State, synchronous_beam_search
from common.decoders.synchronous import DIRECTIONS
from common.encoders import Encoder
from common.generators import pad
from common.keras_compat import keras, tf
from common.optimizers.training_model import TrainingModel

from attention import Attention
from copying import CopyHead, longer_trail, matches_of_titles, matches_of_trail, no_trail
from decoding import Steps
from features import NOTHING, Pair, collate_articles, title_arrays
from lstm import LstmDecoder, TitleEmbedding, text_vector
from options import WritingOptions

#: The sides, in the order of DIRECTIONS.
SIDES = ("forward", "backward")


class Switch(keras.layers.Layer):
    """Lets its input pass when it is on, and zeros when it is off. It is a weight, so that a run knows its stage."""

    def build(self, input_shape):
        self.on = self.add_weight("on", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        return inputs * tf.cast(self.on, inputs.dtype)


class Side:
    """The layers of one direction."""

    def __init__(self, name: str, size: int):
        self.backwards = name == "backward"
        self.decoder = LstmDecoder(name, size)
        self.source, self.partner = Attention(f"{name}_source"), Attention(f"{name}_partner")
        self.output = keras.layers.Dense(size, activation=tf.nn.leaky_relu, name=f"{name}_output")


class Bidirectional(Steps):
    """The network; see model.py for what all three offer."""

    def __init__(self, encoder: Encoder, options: WritingOptions):
        tokenizer, size = encoder.tokenizer, encoder.size
        self.tokenizer, self.dropout = tokenizer, encoder.dropout
        self.encoding = encoder.network()
        self.embedding = TitleEmbedding(len(tokenizer), size, tokenizer.unknown_id, name="title_embedding")
        self.sides = [Side(name, size) for name in SIDES]
        self.switch = Switch(name="partner_switch")
        self.head = CopyHead(tokenizer, size, options)
        self.training = self._training_network()
        self.reading = keras.Model(self.encoding.input, self.encoding.output[0])

    def _training_network(self) -> keras.Model:
        copy_ids = keras.Input((None,), dtype="int32", name="copy_ids")
        titles = {
            f"{kind}_{name}": keras.Input((None,), dtype="int32", name=f"{kind}_{name}")
            for kind in ("before", "targets", "partner")
            for name in SIDES
        }
        states, mask = self.encoding.output[0], self.encoding.input["token_ids"] > 0
        condition, text = text_vector(states, mask), self.head.text(states, copy_ids)
        # What each side is as a partner: it reads its own earlier title, and nothing of its partner.
        partners = [
            side.decoder(self.embedding(titles[f"partner_{name}"]), condition) for side, name in zip(self.sides, SIDES)
        ]
        log_probabilities, terms = [], []
        for side, name, partner, other in zip(self.sides, SIDES, reversed(partners), reversed(SIDES)):
            before, targets, read = titles[f"before_{name}"], titles[f"targets_{name}"], titles[f"partner_{other}"]
            embedded = keras.layers.Dropout(self.dropout, name=f"{name}_title_dropout")(self.embedding(before))
            written = side.decoder(embedded, condition)
            steps, places = tf.range(tf.shape(before)[1]), tf.range(tf.shape(read)[1])
            visible = (places <= steps[:, None]) & (read != NOTHING)[:, None]
            seen = self.switch(side.partner(written, side.partner.memory(partner), visible))
            outputs = side.output(
                tf.concat([written, seen, side.source(written, side.source.memory(states), mask)], -1)
            )
            outputs = keras.layers.Dropout(self.dropout, name=f"{name}_output_dropout")(outputs)
            match = matches_of_titles(copy_ids, before, side.backwards)
            scores, _ = self.head.scores(outputs, self.embedding(outputs, logits=True), text, match)
            log_probabilities.append(self.head.log_probabilities_of(targets, scores, text))
            terms.append(self.head.loss(f"{name}_loss", targets, log_probabilities[-1], scores, text, share=0.5))
        return TrainingModel([*self.encoding.inputs, copy_ids, *titles.values()], log_probabilities, terms)

    def training_batch(self, pairs: Sequence[Pair], told: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        arrays = collate_articles([pair.article for pair in pairs])
        for name, step in zip(SIDES, (1, -1)):
            # A title that is cut has no end to begin with from behind; the piece that is left has both.
            turned = [pair._replace(title=pair.title[::step], ended=pair.ended or step < 0) for pair in pairs]
            for kind, values in title_arrays([title[::step] for title in told], turned, self.tokenizer).items():
                arrays[f"{kind}_{name}"] = values
            partners = [pair.partners[max(-step, 0)] if pair.partners else [NOTHING] for pair in pairs]
            arrays[f"partner_{name}"] = pad([np.array(partner, np.int32) for partner in partners], NOTHING)
        return arrays

    def see_partners(self) -> None:
        """Begins the second stage."""
        self.switch.on.assign(1.0)

    def both_titles(self, inputs: dict[str, np.ndarray], rules: Rules) -> list[tuple[list[int], list[int]]]:
        """For each text the title that each side writes by itself, with the start, in the order in which it writes."""
        found = [
            {one.direction: one.tokens for one in both}
            for both in synchronous_beam_search(self, inputs, rules, width=1, count=2)
        ]
        forward, backward = DIRECTIONS
        return [
            ([rules.start_id, *both.get(forward, ())], [rules.start_id, *both.get(backward, ())[::-1]])
            for both in found
        ]

    def search(self, inputs: dict[str, np.ndarray], rules: Rules, width: int) -> list[list[Directed]]:
        return synchronous_beam_search(self, inputs, rules, width, count=2 * width)

    def first_state(self, inputs) -> State:
        copy_ids, mask = inputs["copy_ids"], inputs["token_ids"] > 0
        states = self.reading({name: inputs[name] for name in self.reading.input}, training=False)
        text = {
            "head": self.head.text(states, copy_ids),
            "memory": [side.source.memory(states) for side in self.sides],
            "mask": mask,
            "condition": text_vector(states, mask),
        }
        rows = 2 * tf.shape(copy_ids)[0]
        keys = tf.zeros([rows, 0, self.sides[0].partner.width], states.dtype)
        memory = {
            "lstm": self.sides[0].decoder.no_memory(rows),
            "trail": no_trail(tf.repeat(copy_ids, 2, axis=0)),
            "partner": (keys, keys),
            "visible": tf.zeros([rows, 0], tf.bool),
        }
        return State(text, memory)

    def step_pairs(self, state: State, tokens: np.ndarray) -> tuple[np.ndarray, State]:
        log_probabilities, state = self._next(state, tf.constant(tokens, tf.int32))
        return log_probabilities.numpy(), state

    def next_state(self, state: State, tokens):
        """tokens: int (texts, 2, width). Returns log-probabilities (texts, 2, width, width, vocabulary), [text, side,
        own title, partner's]."""
        text, rows = state
        copy_ids, width = text["head"].copy_ids, tf.shape(tokens)[2]
        both = tf.nest.map_structure(
            lambda array: tf.reshape(array, tf.concat([[-1, 2, width], tf.shape(array)[1:]], 0)), rows
        )
        mine = [tf.nest.map_structure(lambda array: _rows_of(array, index), both) for index in (0, 1)]
        # A title that has ended is no longer read.
        visible = [
            tf.concat([own["visible"], _flat(tokens[:, index] != self.tokenizer.end_id)[:, None]], 1)
            for index, own in enumerate(mine)
        ]
        after, written = [], []
        for index, (side, own) in enumerate(zip(self.sides, mine)):
            states, lstm = side.decoder.step(self.embedding(tokens[:, index]), text["condition"], own["lstm"])
            # The other side attends with its own layer to what this one has read.
            added = self.sides[1 - index].partner.memory(_flat(states)[:, None])
            partner = tuple(tf.concat([old, new], 1) for old, new in zip(own["partner"], added))
            trail = longer_trail(own["trail"], tokens[:, index], copy_ids)
            after.append({"lstm": lstm, "trail": trail, "partner": partner, "visible": visible[index]})
            written.append(states)
        log_probabilities = []
        for index, side in enumerate(self.sides):
            other = after[1 - index]
            seen = side.partner(tf.repeat(written[index], width, axis=0), other["partner"], other["visible"])
            seen = self.switch(tf.transpose(tf.reshape(seen, [-1, width, width, side.partner.width]), [0, 2, 1, 3]))
            own = [written[index], side.source(written[index], text["memory"][index], text["mask"])]
            pairs = [_repeated(part, width) for part in own]
            outputs = side.output(tf.concat([pairs[0], _flat_pairs(seen), pairs[1]], -1))
            match = _repeated(matches_of_trail(copy_ids, after[index]["trail"], width, side.backwards), width)
            scores, _ = self.head.scores(outputs, self.embedding(outputs, logits=True), text["head"], match)
            values = self.head.distribution(scores, text["head"])
            log_probabilities.append(tf.reshape(values, [-1, width, width, tf.shape(values)[-1]]))
        rows = tf.nest.map_structure(lambda *arrays: _joined(arrays, width), *after)
        return tf.stack(log_probabilities, 1), State(text, rows)


def _flat(array):
    """(texts, width, ...) -> (texts * width, ...)"""
    return tf.reshape(array, tf.concat([[-1], tf.shape(array)[2:]], 0))


def _rows_of(array, side):
    """(texts, 2, width, ...) -> (texts * width, ...), of one side."""
    return _flat(array[:, side])


def _joined(arrays, width):
    """Rows (texts * width, ...) of both sides in one array, (texts * 2 * width, ...)."""
    sides = [tf.reshape(array, tf.concat([[-1, width], tf.shape(array)[1:]], 0)) for array in arrays]
    joined = tf.stack(sides, 1)
    return tf.reshape(joined, tf.concat([[-1], tf.shape(joined)[3:]], 0))


def _repeated(array, width):
    """Of each title of a text `width` copies, one for each title of the partner: (texts, width, ...) -> (texts, width *
    width, ...)."""
    return tf.repeat(array, width, axis=1)


def _flat_pairs(array):
    """(texts, width, width, size) -> (texts, width * width, size)"""
    return tf.reshape(array, [tf.shape(array)[0], -1, array.shape[-1]])
