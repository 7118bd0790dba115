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
from common.generation.memory import attended, bias_of_texts, memory_of_nothing, memory_of_text, steps_of
from common.generation.steps import Steps
from common.keras_compat import keras, tf

from copying import CopyHead, matches_of_titles
from features import WritingOptions

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
        lengths = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), 1)
        attentions = [block[_ATTENTION] for block in self.blocks]
        text = {
            "head": self.head.text(states, copy_ids),
            "memory": [memory_of_text(*both) for both in zip(attentions, seen)],
            "bias": bias_of_texts(lengths, tf.shape(tokens)[1]),
            "length": lengths,
        }
        nothing = [memory_of_nothing(attention, tf.shape(tokens)[0], states.dtype) for attention in attentions]
        return State(text, {"memory": nothing, "head": self.head.memory(copy_ids)})

    def next_state(self, state: State, tokens):
        text, rows = state
        # The first token of a title is predicted from the text's last, [SEP], which is read in the first step.
        steps = steps_of(rows["memory"][0])
        known = tf.where(tokens < len(self.tokenizer), tokens, self.tokenizer.unknown_id)
        ids = tf.where(steps == 0, self.tokenizer.end_id, known)
        segments = tf.fill(tf.shape(ids), tf.minimum(steps, 1))
        x = self.layers["Embedding-Token"](ids) + self.layers["Embedding-Segment"](segments)
        places = text["length"] - 1 + steps
        x += tf.cast(tf.gather(self.layers["Embedding-Position"].embeddings, places), x.dtype)[:, None]
        x = self.layers["Embedding-Norm"](tf.reshape(x, [-1, x.shape[-1]]))
        if "Embedding-Mapping" in self.layers:
            x = self.layers["Embedding-Mapping"](x)
        memory = []
        for block, of_text, of_title in zip(self.blocks, text["memory"], rows["memory"]):
            seen, of_title = attended(block[_ATTENTION], x, of_text, text["bias"], of_title)
            memory.append(of_title)
            x = block[f"{_ATTENTION}-Norm"](x + seen)
            x = block["FeedForward-Norm"](x + block["FeedForward"](x))
        x = tf.reshape(x, tf.concat([tf.shape(tokens), x.shape[-1:]], 0))
        values, head = self.head.step(x, self._logits(x), text["head"], rows["head"], tokens)
        return values, State(text, {"memory": memory, "head": head})

    def _logits(self, states):
        hidden = self.layers["MLM-Norm"](self.layers["MLM-Dense"](states))
        return self.layers["MLM-Bias"](self.layers["Embedding-Token"](hidden, mode="dense"))
