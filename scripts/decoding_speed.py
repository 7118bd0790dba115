"""What `benchmark.py decoding` measures: a unilm of random weights, made-up texts for it, and the same network without
a memory."""

import random
from collections.abc import Sequence

import numpy as np

from common.decoders import State
from common.encoders.bert import BertEncoder
from common.generators import pad
from common.keras_compat import keras, seed_everything, tf
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.vocabulary import SPECIAL_TOKENS

# Of competitions/seq2seq_titling, which must be on the path.
from copying import distribution, matches_of_titles
from decode import Candidate, Predictor, Settings
from features import Article, WritingOptions, read_article
from unilm import UniLM

#: Tokens of a text, with special ones, and of a title, without.
SOURCE, TARGET = 256, 24
#: Heads of checkpoints of this size, whatever the width.
HEADS = 12

_CHARACTERS = [chr(0x4E00 + index) for index in range(5000)]
# BERT's weights are drawn to train well. Several times as large, they make some tokens more probable than others, as
# training does.
_SCALE = 5.0


class WithoutMemory:
    """A UniLM as a model of common.decoders that keeps nothing but the tokens written: bert4keras' own forward pass
    reads the text and all of them again for each token, as the originals do. One graph for all shapes, and logits of
    the last place alone: faster than the originals are.
    """

    def __init__(self, network: UniLM):
        self.tokenizer, self.head = network.tokenizer, network.head
        self.bert = network.training.get_layer("unilm")
        self.logits = keras.Model(self.bert.output, network.cached.transformer.model.output)
        self._next = tf.function(self._log_probabilities, reduce_retracing=True)

    def start(self, inputs: dict[str, np.ndarray]) -> State:
        return State(inputs, np.zeros((len(inputs["token_ids"]), 0), np.int32))

    def step(self, state: State, tokens: np.ndarray) -> tuple[np.ndarray, State]:
        written = np.concatenate([state.rows, tokens[:, None]], 1)
        width = len(tokens) // len(state.inputs["token_ids"])
        texts, copy_ids = (np.repeat(state.inputs[name], width, 0) for name in ("token_ids", "copy_ids"))
        # The start is not read: the first token is predicted from the text's last.
        titles = np.where(written < len(self.tokenizer), written, self.tokenizer.unknown_id)[:, 1:]
        read = pad([np.concatenate([text[text > 0], title]) for text, title in zip(texts, titles)])
        arrays = (read, (texts > 0).sum(1).astype(np.int32), copy_ids, written)
        return self._next(*map(tf.constant, arrays)).numpy(), State(state.inputs, written)

    def _log_probabilities(self, read, lengths, copy_ids, written):
        segment_ids = tf.cast(tf.range(tf.shape(read)[1]) >= lengths[:, None], tf.int32)
        states = self.bert([read, segment_ids], training=False)
        last = tf.gather(states, lengths + tf.shape(written)[1] - 2, batch_dims=1)[:, None]
        text = self.head.text(states[:, : tf.shape(copy_ids)[1]], copy_ids)
        scores, _ = self.head.scores(last, self.logits(last), text, matches_of_titles(copy_ids, written)[:, -1:])
        return distribution(copy_ids, scores)[:, 0]


def random_network(layers: int, hidden_size: int) -> tuple[UniLM, BertEncoder]:
    """The same every time, with an encoder that reads SOURCE tokens and leaves room for TARGET. hidden_size: a multiple
    of HEADS."""
    seed_everything(1)
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *_CHARACTERS])
    config = {
        "hidden_size": hidden_size,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * hidden_size,
        "max_position_embeddings": SOURCE + TARGET,
        "vocab_size": len(tokenizer),
        "type_vocab_size": 2,
        "hidden_act": "gelu",
    }
    encoder = BertEncoder(tokenizer, config, SOURCE)
    network = UniLM(encoder, WritingOptions("unilm"))
    for weight in network.cached.transformer.model.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(_SCALE * weight)
    return network, encoder


def random_articles(count: int, encoder: BertEncoder) -> list[Article]:
    """The same every time, of SOURCE tokens each."""
    rng = random.Random(1)
    return [read_article("".join(rng.choices(_CHARACTERS, k=SOURCE - 2)), encoder) for _ in range(count)]


def write(
    network: UniLM | WithoutMemory,
    encoder: BertEncoder,
    articles: Sequence[Article],
    batch: int,
    beam: int,
    length: int = TARGET,
) -> list[Candidate]:
    """The title of each text, of exactly `length` tokens."""
    settings = Settings(beam, min_length=length)
    found = Predictor(network, encoder, length, batch * SOURCE).score(articles, [settings])[settings]
    return [candidates[0] for candidates in found]


def check_equal(found: Sequence[Candidate], expected: Sequence[Candidate]) -> None:
    """Raises RuntimeError unless the titles, as far as there are both, are the same, and their log-probabilities to
    1e-3."""
    for one, other in zip(found, expected):
        difference = abs(one.log_probability - other.log_probability)
        if one.title != other.title or not difference < 1e-3:
            raise RuntimeError(
                f"the titles depend on memory or batch: {one.title} and {other.title}, log-probabilities {difference:g} apart"
            )
