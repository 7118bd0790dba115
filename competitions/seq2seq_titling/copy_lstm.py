"""An encoder, an LSTM that attends to it, and a head that copies (kexue.fm/archives/5861).

h       = encoder(text)                                       (length, n)
m       = the maximum of h over the text
s       = LSTM(LSTM(embedding(title so far)))                 normalised before, between and after, scaled and shifted by m
o       = leaky relu(W [s, attention(s, h)])
y       = o E^T + b                                           E the embeddings of the title's tokens
p       = copy head(o, y, h)
"""

from collections.abc import Sequence

import numpy as np

from common.decoders import State
from common.encoders import Encoder
from common.keras_compat import keras, tf
from common.optimizers.training_model import TrainingModel

from attention import Attention
from copying import CopyHead, longer_trail, matches_of_titles, matches_of_trail, no_trail
from decoding import Steps
from features import Pair, collate_articles, title_arrays
from lstm import LstmDecoder, TitleEmbedding, text_vector
from options import WritingOptions


class CopyLstm(Steps):
    """The network; see model.py for what all three offer."""

    def __init__(self, encoder: Encoder, options: WritingOptions):
        tokenizer, size = encoder.tokenizer, encoder.size
        self.tokenizer = tokenizer
        self.encoding = encoder.network()
        self.embedding = TitleEmbedding(len(tokenizer), size, tokenizer.unknown_id, name="title_embedding")
        self.decoder = LstmDecoder("decoder", size)
        self.attention = Attention("source")
        self.output = keras.layers.Dense(size, activation=tf.nn.leaky_relu, name="output")
        self.head = CopyHead(tokenizer, size, options)
        self.dropout = encoder.dropout
        self.training = self._training_network()
        self.reading = keras.Model(self.encoding.input, self.encoding.output[0])

    def _training_network(self) -> keras.Model:
        copy_ids, before, targets = (
            keras.Input((None,), dtype="int32", name=name) for name in ("copy_ids", "before", "targets")
        )
        states, mask = self.encoding.output[0], self.encoding.input["token_ids"] > 0
        embedded = keras.layers.Dropout(self.dropout, name="title_dropout")(self.embedding(before))
        written = self.decoder(embedded, text_vector(states, mask))
        outputs = self.output(tf.concat([written, self.attention(written, self.attention.memory(states), mask)], -1))
        outputs = keras.layers.Dropout(self.dropout, name="output_dropout")(outputs)
        text = self.head.text(states, copy_ids)
        scores, _ = self.head.scores(
            outputs, self.embedding(outputs, logits=True), text, matches_of_titles(copy_ids, before)
        )
        log_probabilities = self.head.log_probabilities_of(targets, scores, text)
        terms = [self.head.loss("title_loss", targets, log_probabilities, scores, text)]
        return TrainingModel([*self.encoding.inputs, copy_ids, before, targets], log_probabilities, terms)

    def training_batch(self, pairs: Sequence[Pair], told: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        return collate_articles([pair.article for pair in pairs]) | title_arrays(told, pairs, self.tokenizer)

    def first_state(self, inputs) -> State:
        copy_ids = inputs["copy_ids"]
        states, mask = (
            self.reading({name: inputs[name] for name in self.reading.input}, training=False),
            inputs["token_ids"] > 0,
        )
        text = {
            "head": self.head.text(states, copy_ids),
            "memory": self.attention.memory(states),
            "mask": mask,
            "condition": text_vector(states, mask),
        }
        rows = {
            "lstm": self.decoder.no_memory(tf.shape(copy_ids)[0]),
            "trail": no_trail(copy_ids),
            "alive": tf.zeros(tf.shape(copy_ids)[:1]),
        }
        return State(text, rows)

    def next_state(self, state: State, tokens):
        text, rows = state
        copy_ids, width = text["head"].copy_ids, tf.shape(tokens)[1]
        written, memory = self.decoder.step(self.embedding(tokens), text["condition"], rows["lstm"])
        outputs = self.output(tf.concat([written, self.attention(written, text["memory"], text["mask"])], -1))
        trail = longer_trail(rows["trail"], tokens, copy_ids)
        match = matches_of_trail(copy_ids, trail, width)
        alive = tf.reshape(rows["alive"], tf.shape(tokens))
        scores, alive = self.head.scores(outputs, self.embedding(outputs, logits=True), text["head"], match, alive)
        rows = {"lstm": memory, "trail": trail, "alive": tf.reshape(alive, [-1])}
        return self.head.distribution(scores, text["head"]), State(text, rows)
