"""One BERT that reads the text and writes the title through bert4keras (Dong et al. 2019; kexue.fm/archives/6933).

    [CLS] text [SEP] title [SEP]        segment 0 sees all of segment 0; each token of segment 1 sees segment 0, and segment 1 up to itself
    h       = BERT(tokens, segments)
    y       = masked language model head(h)
    p       = copy head(h, y, h of the text)            of the token after each place from the first [SEP] on

In decoding keys and values are kept of the text, once for all titles of a text, and of what is written of each title: a
step costs one token.
"""

from common.command_line import UserError
from common.decoders import State
from common.encoders.bert import BertEncoder
from common.keras_compat import keras, tf

from copying import CopyHead, Steps, matches_of_titles
from features import WritingOptions

_HIDDEN = -1e9
_ATTENTION = "MultiHeadSelfAttention"
_PARTS = (_ATTENTION, f"{_ATTENTION}-Norm", "FeedForward", "FeedForward-Norm")


class UniLM(Steps):
    """See model.py for what all networks offer."""

    def __init__(self, encoder: BertEncoder, options: WritingOptions):
        if encoder.model != "bert":
            raise UserError(
                f"--model unilm: writes with BERT checkpoints, and this is one of {encoder.model} - take another, or --model copy_lstm"
            )
        self.tokenizer = encoder.tokenizer
        transformer = encoder.transformer(application="unilm", with_mlm="linear")
        self.layers, self.model = transformer.layers, transformer.model
        self.heads, self.head_size = transformer.num_attention_heads, transformer.attention_head_size
        names = [f"Transformer-{index}" for index in range(transformer.num_hidden_layers)]
        self.blocks = [{part: self.layers[f"{name}-{part}"] for part in _PARTS} for name in names]
        hidden = self.blocks[-1]["FeedForward-Norm"].output
        self.head = CopyHead(encoder.tokenizer, encoder.size, options)
        self.training = self._training_network(keras.Model(self.model.inputs, hidden, name="unilm"))
        seen = [block[_ATTENTION].input[0] for block in self.blocks]
        self.reading = keras.Model(self.model.inputs, [*seen, hidden])

    def _training_network(self, bert: keras.Model) -> keras.Model:
        names = ("token_ids", "segment_ids", "copy_ids", "title_before")
        inputs = [keras.Input((None,), dtype="int32", name=name) for name in names]
        token_ids, segment_ids, copy_ids, before = inputs
        states = bert([token_ids, segment_ids])
        # The text stands first, and its last token predicts the first one of the title.
        lengths = tf.reduce_sum(tf.cast((token_ids > 0) & (segment_ids == 0), tf.int32), 1)
        places = lengths[:, None] - 1 + tf.range(tf.shape(before)[1])
        written = tf.gather(states, tf.minimum(places, tf.shape(states)[1] - 1), batch_dims=1)
        text, match = self.head.text(states[:, : tf.shape(copy_ids)[1]], copy_ids), matches_of_titles(copy_ids, before)
        scores, _ = self.head.scores(written, self._logits(written), text, match)
        return keras.Model(inputs, {"title": scores})

    def first_state(self, inputs) -> State:
        tokens, copy_ids = inputs["token_ids"], inputs["copy_ids"]
        *seen, states = self.reading([tokens, tf.zeros_like(tokens)], training=False)
        text = {
            "head": self.head.text(states, copy_ids),
            "memory": [self._memory(block[_ATTENTION], x) for block, x in zip(self.blocks, seen)],
            "bias": tf.where(tokens > 0, 0.0, _HIDDEN)[:, None, None],
            "length": tf.reduce_sum(tf.cast(tokens > 0, tf.int32), 1),
        }
        nothing = tf.zeros([tf.shape(tokens)[0], self.heads, 0, self.head_size], states.dtype)
        rows = {
            "memory": [(nothing, nothing)] * len(self.blocks),
            "bias": tf.zeros([tf.shape(tokens)[0], 0]),
            "head": self.head.memory(copy_ids),
        }
        return State(text, rows)

    def next_state(self, state: State, tokens):
        text, rows = state
        # The first token of a title is predicted from the text's last, [SEP]: it is read once more, as part of the
        # text, and what it leaves is hidden.
        begins = tokens == self.tokenizer.start_id
        known = tf.where(tokens < len(self.tokenizer), tokens, self.tokenizer.unknown_id)
        ids = tf.where(begins, self.tokenizer.end_id, known)
        x = self.layers["Embedding-Token"](ids) + self.layers["Embedding-Segment"](tf.where(begins, 0, 1))
        place = text["length"] - 1 + tf.shape(rows["bias"])[1]
        x += tf.cast(tf.gather(self.layers["Embedding-Position"].embeddings, place), x.dtype)[:, None]
        x = self.layers["Embedding-Norm"](x)
        if "Embedding-Mapping" in self.layers:
            x = self.layers["Embedding-Mapping"](x)
        bias = tf.concat([rows["bias"], tf.reshape(tf.where(begins, _HIDDEN, 0.0), [-1, 1])], 1)
        memory = []
        for block, of_text, of_title in zip(self.blocks, text["memory"], rows["memory"]):
            attended, of_title = self._attended(block[_ATTENTION], x, of_text, text["bias"], of_title, bias)
            memory.append(of_title)
            x = block[f"{_ATTENTION}-Norm"](x + attended)
            x = block["FeedForward-Norm"](x + block["FeedForward"](x))
        values, head = self.head.step(x, self._logits(x), text["head"], rows["head"], tokens)
        return values, State(text, {"memory": memory, "bias": bias, "head": head})

    def _memory(self, attention, x):
        """Keys (texts, heads, size, length) and values (texts, heads, length, size) of a whole text."""
        keys, values = self._split(attention.k_dense(x)), self._split(attention.v_dense(x))
        return tf.transpose(keys, [0, 2, 3, 1]), _swapped(values)

    def _attended(self, attention, x, of_text, text_bias, of_title, title_bias):
        """What the next token of each title, x (texts, width, n), gets from its text and from its title with itself;
        and keys and values of the title then, each (texts * width, heads, steps, size)."""
        new = (
            tf.reshape(dense(x), [-1, self.heads, 1, self.head_size])
            for dense in (attention.k_dense, attention.v_dense)
        )
        keys, values = (tf.concat(both, 2) for both in zip(of_title, new))
        query = self._split(attention.q_dense(x)) / self.head_size**0.5
        # Products by matmul: on a CPU einsum adds up 16 bits in 16 bits.
        scores = tf.cast(_swapped(tf.matmul(_swapped(query), of_text[0])), tf.float32) + text_bias
        own = tf.cast(tf.linalg.matvec(keys, tf.reshape(query, [-1, self.heads, self.head_size])), tf.float32)
        own += title_bias[:, None]
        by_text = tf.reshape(own, tf.concat([tf.shape(scores)[:3], [-1]], 0))
        weights = tf.cast(tf.nn.softmax(tf.concat([scores, by_text], 3)), x.dtype)
        of_own = tf.reshape(weights[..., tf.shape(scores)[3] :], tf.shape(own))
        seen = _swapped(tf.matmul(_swapped(weights[..., : tf.shape(scores)[3]]), of_text[1]))
        seen += tf.reshape(tf.linalg.matvec(values, of_own, transpose_a=True), tf.shape(seen))
        joined = tf.reshape(seen, tf.concat([tf.shape(x)[:2], [self.heads * self.head_size]], 0))
        return attention.o_dense(joined), (keys, values)

    def _split(self, states):
        """(batch, steps, heads * size) -> (batch, steps, heads, size)"""
        return tf.reshape(states, tf.concat([tf.shape(states)[:2], [self.heads, self.head_size]], 0))

    def _logits(self, states):
        hidden = self.layers["MLM-Norm"](self.layers["MLM-Dense"](states))
        return self.layers["MLM-Bias"](self.layers["Embedding-Token"](hidden, mode="dense"))


def _swapped(array):
    """Steps and heads, or titles and heads, in the other order: (batch, a, b, size) -> (batch, b, a, size)."""
    return tf.transpose(array, [0, 2, 1, 3])
