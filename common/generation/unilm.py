"""A transformer that reads a text and writes another behind it, with keys and values kept (UniLM, Dong et al. 2019;
kexue.fm/archives/6933).

    [CLS] text [SEP] written [SEP]      segment 0 sees all of segment 0; each token of segment 1 also segment 1 up to itself

Keys and values are kept of the text, once for all that is written for it, and of what is written: a step costs one token.
"""

from typing import Any, NamedTuple

from common.command_line import UserError
from common.encoders.bert import BertEncoder
from common.generation.memory import Memory, attended, bias_of_texts, memory_of_nothing, memory_of_text, steps_of
from common.keras_compat import keras, tf

#: The families that write.
WRITERS = ("albert", "bert", "roformer")

_ATTENTION = "MultiHeadSelfAttention"


class Block(NamedTuple):
    """The layers of one block; `use`: for the how-manieth time they are used, since an ALBERT has one for all."""

    attention: Any
    attention_norm: Any
    feed_forward: Any
    feed_forward_norm: Any
    use: int


class CachedUniLM:
    """`transformer` is that of bert4keras, with a head of the masked language model. options: further ones of
    `BertEncoder.transformer`. Raises UserError, which begins with `flag`, for a family that does not write."""

    def __init__(self, encoder: BertEncoder, flag: str, **options: Any):
        if encoder.model not in WRITERS:
            raise UserError(
                f"{flag}: writes with checkpoints of {', '.join(WRITERS)}, and this is one of {encoder.model} - take another"
            )
        self.transformer = encoder.transformer(application="unilm", with_mlm="linear", **options)
        self._layers, self._end_id = self.transformer.layers, encoder.tokenizer.end_id
        self.blocks = [self._block(index, encoder.model) for index in range(self.transformer.num_hidden_layers)]
        last = self.blocks[-1]
        #: Of tokens and segments, the states.
        self.body = keras.Model(
            self.transformer.model.inputs, last.feed_forward_norm.get_output_at(last.use), name="unilm"
        )
        seen = [block.attention.get_input_at(block.use)[0] for block in self.blocks]
        self._reading = keras.Model(self.transformer.model.inputs, [*seen, self.body.output])
        self._rotations = self._rotations_of(encoder) if encoder.model == "roformer" else None

    def _block(self, index: int, model: str) -> Block:
        name, use = ("Transformer", index) if model == "albert" else (f"Transformer-{index}", 0)
        parts = (_ATTENTION, f"{_ATTENTION}-Norm", "FeedForward", "FeedForward-Norm")
        return Block(*(self._layers[f"{name}-{part}"] for part in parts), use)

    def _rotations_of(self, encoder: BertEncoder):
        """Of all places, float32 (1, places, size of a key)."""
        places = tf.zeros([1, encoder.config["max_position_embeddings"], self.transformer.hidden_size])
        return tf.cast(self._layers["Embedding-Rotary-Position"](places), tf.float32)

    def read(self, tokens) -> tuple[dict[str, Any], list[Memory], Any]:
        """What is kept of texts, what is kept of what is written for them, which is nothing yet, and the states of the
        texts, float (texts, longest, n). tokens: int32 (texts, longest), with special tokens, 0 at padding."""
        *seen, states = self._reading([tokens, tf.zeros_like(tokens)], training=False)
        lengths = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), 1)
        rotation = None if self._rotations is None else self._rotations[:, : tf.shape(tokens)[1]]
        text = {
            "memory": [memory_of_text(block.attention, x, rotation) for block, x in zip(self.blocks, seen)],
            "bias": bias_of_texts(lengths, tf.shape(tokens)[1]),
            "length": lengths,
        }
        count = tf.shape(tokens)[0]
        return text, [memory_of_nothing(block.attention, count, states.dtype) for block in self.blocks], states

    def write(self, text: dict[str, Any], written: list[Memory], tokens) -> tuple[Any, list[Memory]]:
        """The states after one token more of each row, float (texts, width, n), and what is kept of the rows then. tokens:
        int32 (texts, width); the first ones do not matter: the first step reads the last token of the text, [SEP]."""
        steps = steps_of(written[0])
        places = text["length"] - 1 + steps
        x = self._embedded(tf.where(steps == 0, self._end_id, tokens), tf.minimum(steps, 1), places)
        rotation = None if self._rotations is None else tf.gather(self._rotations[0], places)[:, None]
        kept = []
        for block, of_text, of_written in zip(self.blocks, text["memory"], written):
            seen, of_written = attended(block.attention, x, of_text, text["bias"], of_written, rotation)
            kept.append(of_written)
            x = block.attention_norm(x + seen)
            x = block.feed_forward_norm(x + block.feed_forward(x))
        return tf.reshape(x, tf.concat([tf.shape(tokens), x.shape[-1:]], 0)), kept

    def _embedded(self, ids, segment, places):
        """float (texts * width, n); see `attended`."""
        layers = self._layers
        x = layers["Embedding-Token"](ids) + layers["Embedding-Segment"](tf.fill(tf.shape(ids), segment))
        if "Embedding-Position" in layers:
            x += tf.cast(tf.gather(layers["Embedding-Position"].embeddings, places), x.dtype)[:, None]
        x = layers["Embedding-Norm"](tf.reshape(x, [-1, x.shape[-1]]))
        return layers["Embedding-Mapping"](x) if "Embedding-Mapping" in layers else x

    def logits(self, states):
        """Of the next token, float32 (..., tokens)."""
        hidden = self._layers["MLM-Norm"](self._layers["MLM-Dense"](states))
        return self._layers["MLM-Bias"](self._layers["Embedding-Token"](hidden, mode="dense"))
