"""Networks of LSTMs: one that attends to the text and copies (kexue.fm/archives/5861), and two that write a title from
both ends at once (Zhang et al. 2019; kexue.fm/archives/6877).

    h       = encoder(text)                                       (length, n)
    m       = the maximum of h over the text
    s       = LSTM(LSTM(embedding(title so far)))                 normalised before, between and after, scaled and shifted by m
    c       = attention(s, partner's s)                           of two: the partner's states up to the same step
    o       = leaky relu(W [s, c, attention(s, h)])
    y       = o E^T + b                                           E the embeddings of the title's tokens
    p       = copy head(o, y, h)

In the training of two the partner must not be gold: past the middle it would have read what is still to be written. So
there are two stages. In the first c is zero, and the sides learn apart. Then each side's titles for the training texts
are written down, and in the second stage these stand in for the partner, as its hypotheses will in decoding.
"""

import numpy as np

from common.decoders import State
from common.encoders import Encoder
from common.generation.steps import Steps
from common.keras_compat import keras, tf
from common.layers import ConditionalLayerNormalization

from copying import Attention, CopyHead, matches_of_titles
from features import NOTHING, SIDES, WritingOptions

LAYERS = 2


class TitleEmbedding(keras.layers.Layer):
    """Vectors of the tokens of a title, and logits of the next token from the same table.

    Call with ids, int (...), any that features.py makes: returns (..., size). Tokens that only a text has, and NOTHING,
    look like unknown ones. With logits=True call it with states (..., size): returns float32 (..., vocabulary).
    """

    def __init__(self, vocabulary_size: int, size: int, unknown_id: int, **kwargs):
        super().__init__(**kwargs, autocast=False)
        self.vocabulary_size, self.size, self.unknown_id = vocabulary_size, size, unknown_id

    def build(self, input_shape):
        # Not cast to 16 bits at once, or the gradient of the look-up would have a row for each token of the vocabulary.
        initializer = keras.initializers.RandomNormal(stddev=0.05)
        self.table = self.add_weight(
            "embeddings", (self.vocabulary_size, self.size), initializer=initializer, experimental_autocast=False
        )
        self.bias = self.add_weight("bias", (self.vocabulary_size,), initializer="zeros", experimental_autocast=False)
        super().build(input_shape)

    def call(self, inputs, logits=False):
        if logits:
            return tf.matmul(tf.cast(inputs, tf.float32), self.table, transpose_b=True) + self.bias
        known = tf.where((inputs >= 0) & (inputs < self.vocabulary_size), inputs, self.unknown_id)
        return tf.cast(tf.gather(self.table, known), self.compute_dtype)


class LstmDecoder:
    """Reads a title as far as it is written: as a whole in training, or a token at a time, with the same result. What
    it says has the dtype of the embeddings, but it computes in float32: an LSTM adds up over all steps."""

    def __init__(self, name: str, size: int):
        self.size = size
        self.lstms = [
            keras.layers.LSTM(size, return_sequences=True, dtype="float32", name=f"{name}_lstm_{layer}")
            for layer in range(LAYERS)
        ]
        self.norms = [
            ConditionalLayerNormalization(name=f"{name}_normalization_{layer}") for layer in range(LAYERS + 1)
        ]

    def __call__(self, embedded, condition):
        """States (batch, steps, size) of titles (batch, steps, n) given whole. condition: (batch, n), the text as one
        vector."""
        states = self.norms[0]([embedded, condition])
        for lstm, norm in zip(self.lstms, self.norms[1:]):
            states = norm([lstm(states), condition])
        return tf.cast(states, embedded.dtype)

    def no_memory(self, rows):
        """What is remembered before the first token, for so many rows."""
        return [[tf.zeros([rows, self.size])] * 2 for _ in self.lstms]

    def step(self, embedded, condition, memory):
        """States (batch, width, size) after one more token of `width` titles for each text, and what is remembered
        then, for batch * width rows."""
        states, remembered = self.norms[0]([embedded, condition]), []
        shape = tf.concat([tf.shape(embedded)[:2], [self.size]], 0)
        for lstm, norm, kept in zip(self.lstms, self.norms[1:], memory):
            rows, kept = lstm.cell(tf.reshape(states, [-1, states.shape[-1]]), kept)
            states = norm([tf.reshape(rows, shape), condition])
            remembered.append(kept)
        return tf.cast(states, embedded.dtype), remembered


class Side:
    """The layers that write in one direction, apart from those that the directions share. `partner` attends to the other
    side, if there is one."""

    def __init__(self, prefix: str, encoder: Encoder):
        self.decoder, self.source = LstmDecoder(f"{prefix}decoder", encoder.size), Attention(f"{prefix}source")
        self.partner = Attention(f"{prefix}partner")
        self.output = keras.layers.Dense(encoder.size, activation=tf.nn.leaky_relu, name=f"{prefix}output")
        self.title_dropout, self.output_dropout = (
            keras.layers.Dropout(encoder.dropout, name=f"{prefix}{part}_dropout") for part in ("title", "output")
        )


class LstmNetwork(Steps):
    """An encoder, embeddings of titles, one or two sides, and the head. See model.py for what all networks offer."""

    def __init__(self, encoder: Encoder, options: WritingOptions, prefixes: tuple[str, ...]):
        self.tokenizer = encoder.tokenizer
        vocabulary_size, unknown_id = len(self.tokenizer), self.tokenizer.unknown_id
        self.encoding = encoder.network()
        self.embedding = TitleEmbedding(vocabulary_size, encoder.size, unknown_id, name="title_embedding")
        self.sides = [Side(prefix, encoder) for prefix in prefixes]
        self.head = CopyHead(self.tokenizer, encoder.size, options)
        self.training = self._training_network()
        self.reading = keras.Model(self.encoding.input, self.encoding.output[0])

    def _read(self, inputs):
        """What decoding needs to know of texts."""
        mask = inputs["token_ids"] > 0
        states = self.reading({name: inputs[name] for name in self.reading.input}, training=False)
        return {
            "head": self.head.text(states, inputs["copy_ids"]),
            "memory": [side.source.memory(states) for side in self.sides],
            "mask": mask,
            "condition": text_vector(states, mask),
        }


class CopyLstm(LstmNetwork):
    """Writes from left to right."""

    def __init__(self, encoder: Encoder, options: WritingOptions):
        super().__init__(encoder, options, ("",))

    def _training_network(self) -> keras.Model:
        copy_ids, before = (keras.Input((None,), dtype="int32", name=name) for name in ("copy_ids", "title_before"))
        states, mask = self.encoding.output[0], self.encoding.input["token_ids"] > 0
        [side] = self.sides
        written = side.decoder(side.title_dropout(self.embedding(before)), text_vector(states, mask))
        outputs = side.output(tf.concat([written, side.source(written, side.source.memory(states), mask)], -1))
        outputs = side.output_dropout(outputs)
        text, match = self.head.text(states, copy_ids), matches_of_titles(copy_ids, before)
        scores, _ = self.head.scores(outputs, self.embedding(outputs, logits=True), text, match)
        return keras.Model([*self.encoding.inputs, copy_ids, before], {"title": scores})

    def first_state(self, inputs) -> State:
        copy_ids, [side] = inputs["copy_ids"], self.sides
        rows = {"lstm": side.decoder.no_memory(tf.shape(copy_ids)[0]), "head": self.head.memory(copy_ids)}
        return State(self._read(inputs), rows)

    def next_state(self, state: State, tokens):
        (text, rows), [side] = state, self.sides
        written, lstm = side.decoder.step(self.embedding(tokens), text["condition"], rows["lstm"])
        outputs = side.output(tf.concat([written, side.source(written, text["memory"][0], text["mask"])], -1))
        logits = self.embedding(outputs, logits=True)
        values, head = self.head.step(outputs, logits, text["head"], rows["head"], tokens)
        return values, State(text, {"lstm": lstm, "head": head})


class Switch(keras.layers.Layer):
    """Lets its input pass when it is on, and zeros when it is off. It is a weight, so that a run knows its stage."""

    def build(self, input_shape):
        self.on = self.add_weight("on", (), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        return inputs * tf.cast(self.on, inputs.dtype)


class Bidirectional(LstmNetwork):
    """Writes from both ends, each side seeing what the other has written."""

    def __init__(self, encoder: Encoder, options: WritingOptions):
        self.switch = Switch(name="partner_switch")
        super().__init__(encoder, options, tuple(f"{side}_" for side in SIDES))

    def see_partners(self) -> None:
        """Begins the second stage."""
        self.switch.on.assign(1.0)

    def _training_network(self) -> keras.Model:
        names = ["copy_ids", *(f"{side}_{kind}" for kind in ("before", "partner") for side in SIDES)]
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
        copy_ids = inputs["copy_ids"]
        states, mask = self.encoding.output[0], self.encoding.input["token_ids"] > 0
        condition, text = text_vector(states, mask), self.head.text(states, copy_ids)
        # What each side is as a partner: it reads its own earlier title, and nothing of its partner.
        partners = [
            side.decoder(self.embedding(inputs[f"{name}_partner"]), condition) for name, side in zip(SIDES, self.sides)
        ]
        scores = {}
        for name, side, other, partner in zip(SIDES, self.sides, reversed(SIDES), reversed(partners)):
            before, read = inputs[f"{name}_before"], inputs[f"{other}_partner"]
            written = side.decoder(side.title_dropout(self.embedding(before)), condition)
            steps, places = tf.range(tf.shape(before)[1]), tf.range(tf.shape(read)[1])
            visible = (places <= steps[:, None]) & (read != NOTHING)[:, None]
            seen = self.switch(side.partner(written, side.partner.memory(partner), visible))
            attended = side.source(written, side.source.memory(states), mask)
            outputs = side.output_dropout(side.output(tf.concat([written, seen, attended], -1)))
            match = matches_of_titles(copy_ids, before, backwards=name == "backward")
            scores[name], _ = self.head.scores(outputs, self.embedding(outputs, logits=True), text, match)
        return keras.Model([*self.encoding.inputs, *inputs.values()], scores)

    def first_state(self, inputs) -> State:
        text, both = self._read(inputs), tf.repeat(inputs["copy_ids"], 2, axis=0)
        count, (keys, _) = tf.shape(both)[0], text["memory"][0]
        nothing = tf.zeros([count, 0, keys.shape[-1]], keys.dtype)
        rows = {
            "lstm": self.sides[0].decoder.no_memory(count),
            "head": self.head.memory(both),
            "partner": (nothing, nothing),
            "visible": tf.zeros([count, 0], tf.bool),
        }
        return State(text, rows)

    def step_pairs(self, state: State, tokens: np.ndarray) -> tuple[np.ndarray, State]:
        log_probabilities, state = self._next(state, tf.constant(tokens, tf.int32))
        return log_probabilities.numpy(), state

    def next_state(self, state: State, tokens):
        """tokens: int (texts, 2, width). Returns log-probabilities (texts, 2, width, width, vocabulary), [text, side,
        own title, partner's]."""
        (text, rows), width = state, tf.shape(tokens)[2]
        places = tf.reshape(tf.range(tf.size(tokens)), tf.shape(tokens))
        of_side = [tf.reshape(places[:, number], [-1]) for number in (0, 1)]
        after, written = [], []
        for number, (side, other) in enumerate(zip(self.sides, reversed(self.sides))):
            own, read = self.take(rows, of_side[number]), tokens[:, number]
            states, lstm = side.decoder.step(self.embedding(read), text["condition"], own["lstm"])
            # The other side attends with its own layer to what this one has read.
            added = other.partner.memory(tf.reshape(states, [-1, 1, states.shape[-1]]))
            partner = tuple(tf.concat([old, new], 1) for old, new in zip(own["partner"], added))
            # A title that has ended is no longer read.
            visible = tf.concat([own["visible"], tf.reshape(read != self.tokenizer.end_id, [-1, 1])], 1)
            after.append({"lstm": lstm, "head": own["head"], "partner": partner, "visible": visible})
            written.append(states)
        log_probabilities = []
        for number, (side, mine, other) in enumerate(zip(self.sides, after, reversed(after))):
            # Each title with each of the partner's: (texts, own * partner's, n).
            seen = side.partner(tf.repeat(written[number], width, axis=0), other["partner"], other["visible"])
            seen = tf.transpose(tf.reshape(seen, [-1, width, width, side.partner.width]), [0, 2, 1, 3])
            seen = self.switch(tf.reshape(seen, [-1, width * width, side.partner.width]))
            attended = side.source(written[number], text["memory"][number], text["mask"])
            pairs = [tf.repeat(part, width, axis=1) for part in (written[number], attended)]
            outputs = side.output(tf.concat([pairs[0], seen, pairs[1]], -1))
            logits, backwards = self.embedding(outputs, logits=True), SIDES[number] == "backward"
            values, mine["head"] = self.head.step(
                outputs, logits, text["head"], mine["head"], tokens[:, number], backwards
            )
            log_probabilities.append(tf.reshape(values, [-1, width, width, tf.shape(values)[-1]]))
        rows = tf.nest.map_structure(lambda *arrays: tf.dynamic_stitch(of_side, arrays), *after)
        return tf.stack(log_probabilities, 1), State(text, rows)


def text_vector(states, mask):
    """The maximum of the states (batch, length, size) where the mask is 1, (batch, size)."""
    return tf.reduce_max(tf.where(tf.expand_dims(mask, 2), states, -1e4), 1)
