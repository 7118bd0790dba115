"""One BERT that reads the text and writes the title through bert4keras (Dong et al. 2019; kexue.fm/archives/6933).

    [CLS] text [SEP] title [SEP]        segment 0 sees all of segment 0; each token of segment 1 sees segment 0, and segment 1 up to itself
    h       = BERT(tokens, segments)
    y       = masked language model head(h)
    p       = copy head(h, y, h of the text)            of the token after each place from the first [SEP] on

In decoding keys and values are kept of the text, once for all titles of a text, and of what is written of each title: a
step costs one token.
"""

from common.decoders import State
from common.encoders.bert import BertEncoder
from common.generation.steps import Steps
from common.generation.unilm import CachedUniLM
from common.keras_compat import keras, tf

from copying import CopyHead, matches_of_titles
from features import WritingOptions


class UniLM(Steps):
    """See model.py for what all networks offer."""

    def __init__(self, encoder: BertEncoder, options: WritingOptions):
        self.tokenizer = encoder.tokenizer
        self.cached = CachedUniLM(encoder, "--model unilm")
        self.head = CopyHead(encoder.tokenizer, encoder.size, options)
        self.training = self._training_network(self.cached.body)

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
        scores, _ = self.head.scores(written, self.cached.logits(written), text, match)
        return keras.Model(inputs, {"title": scores})

    def first_state(self, inputs) -> State:
        text, written, states = self.cached.read(inputs["token_ids"])
        text["head"] = self.head.text(states, inputs["copy_ids"])
        return State(text, {"memory": written, "head": self.head.memory(inputs["copy_ids"])})

    def next_state(self, state: State, tokens):
        text, rows = state
        known = tf.where(tokens < len(self.tokenizer), tokens, self.tokenizer.unknown_id)
        x, memory = self.cached.write(text, rows["memory"], known)
        values, head = self.head.step(x, self.cached.logits(x), text["head"], rows["head"], tokens)
        return values, State(text, {"memory": memory, "head": head})
