"""What all three networks share: attention with a memory, and the last layer, in which the words of a title come out of
the vocabulary or out of the text.

    logits      = (y + e^s * present + t) / 2        prior of kexue.fm/archives/5861: y are logits of the vocabulary,
                                                     present says which characters the text has, s and t are learned
                                                     for each character
    generated   = gate * softmax(logits)
    copied      = (1 - gate) * sum of pointer(j) over the places j of a character in the text       (See et al. 2017)
    pointer(j)  = softmax(q . k_j / sqrt(size) + b . match(j))

`match` is what makes copying learnable from few examples: does place j follow, in the text, the one, two or three
characters that were written last, and is its character already in the title? The network only learns how much that
counts, which it decides anew at each step.

Characters that the vocabulary lacks are copied too: in each text they get ids from the vocabulary's size on.
"""

from typing import NamedTuple

from common.keras_compat import keras, tf
from common.layers import masked_softmax
from common.losses import Distribution, LossTerm, masked_mean
from common.tokenizers import WordPieceTokenizer

from features import NOTHING, WritingOptions

#: How many of the tokens written last are looked for in the text.
LOOK_BACK = 3
#: Logarithms of probabilities, float32: `generated` (batch, steps, vocabulary) and, where there is a pointer, `copied`
#: from each place of the text (batch, steps, length).
Scores = dict[str, tf.Tensor]

_IMPOSSIBLE = -1e30
# The least probability that R-Drop compares: logarithms of 0 differ by nan.
_LEAST = 1e-30
# The self-terminating layer lets nothing but the end have a share of more than (1 - this) to the power of the steps.
_LEAST_END = 1e-2
# The first bias of a self-terminating layer: titles have some twenty tokens.
_STAYS = 3.0


class Attention:
    """Heads of scaled products (8 of 16: kexue.fm/archives/5861), whose keys and values can be kept, as decoding needs
    it: `memory` once for a text, then a call for a step."""

    def __init__(self, name: str, heads: int = 8, size: int = 16):
        self.heads, self.size, self.width = heads, size, heads * size
        self.query, self.key, self.value = (
            keras.layers.Dense(self.width, name=f"{name}_{part}") for part in ("query", "key", "value")
        )

    def memory(self, states):
        """Keys and values of states (batch, length, n), each float (batch, length, width)."""
        return self.key(states), self.value(states)

    def __call__(self, states, memory, mask):
        """states: (batch, steps, n). mask: bool, (batch, length) or (batch, steps, length), what may be seen. Returns
        (batch, steps, width); zeros for a step that may see nothing."""
        queries, keys, values = (self._split(part) for part in (self.query(states), *memory))
        scores = tf.matmul(queries / self.size**0.5, keys, transpose_b=True)
        mask = (mask if mask.shape.rank == 3 else mask[:, None])[:, None]
        weights = masked_softmax(scores, mask) * tf.cast(mask, scores.dtype)
        attended = tf.transpose(tf.matmul(weights, values), [0, 2, 1, 3])
        return tf.reshape(attended, tf.concat([tf.shape(attended)[:2], [self.width]], 0))

    def _split(self, states):
        """(batch, length, width) -> (batch, heads, length, size)."""
        parts = tf.reshape(states, tf.concat([tf.shape(states)[:2], [self.heads, self.size]], 0))
        return tf.transpose(parts, [0, 2, 1, 3])


# What the pointer knows of each place


def matches(copy_ids, previous, written, backwards: bool = False):
    """Float (batch, steps, length, LOOK_BACK + 1).

    copy_ids: int (batch, length), the text, NOTHING where nothing can be copied. previous: int (batch, steps,
    LOOK_BACK), the tokens written last, the very last first. written: bool (batch, steps, length), whether the token of
    a place is already written. The k-th feature is 1 where the k tokens written last stand just before the place, or
    just after it for a title that is written backwards; the last is `written`.
    """
    # Two that are nothing are not the same. (expand_dims here and below: of x[..., None] TensorFlow 2.21 loses the new
    # axis in some graphs of known shapes, and == is then False without a word.)
    known = tf.where(copy_ids == NOTHING, NOTHING - 1, copy_ids)
    features = []
    for distance in range(1, LOOK_BACK + 1):
        shift = [[0, 0], [0, distance]] if backwards else [[0, 0], [distance, 0]]
        padded = tf.pad(known, shift, constant_values=NOTHING - 1)
        neighbours = padded[:, distance:] if backwards else padded[:, :-distance]
        same = tf.equal(neighbours[:, None], tf.expand_dims(previous[:, :, distance - 1], 2))
        features.append(same & features[-1] if features else same)
    return tf.cast(tf.stack([*features, written], -1), tf.float32)


def matches_of_titles(copy_ids, before, backwards: bool = False):
    """`matches` at all steps of titles given whole. before: int (batch, steps), the token written before each."""
    steps = tf.shape(before)[1]
    previous = [tf.pad(before, [[0, 0], [back, 0]], constant_values=NOTHING)[:, :steps] for back in range(LOOK_BACK)]
    same = tf.cast(tf.equal(tf.expand_dims(before, 2), copy_ids[:, None]), tf.int32)
    return matches(copy_ids, tf.stack(previous, -1), tf.cumsum(same, 1) > 0, backwards)


def no_trail(copy_ids):
    """The trail of titles of which nothing is written yet: `previous` and `written` of `matches`, without steps."""
    batch, length = tf.shape(copy_ids)[0], tf.shape(copy_ids)[1]
    return tf.fill([batch, LOOK_BACK], NOTHING), tf.fill([batch, length], False)


def matches_of_trail(copy_ids, trail, tokens, backwards: bool = False):
    """`matches` after one more token for each of `width` titles of each text, which stand where the steps are, and the
    trail then. tokens: int (batch, width). The trail has batch * width rows, copy_ids has batch."""
    previous, written = trail
    same = tf.equal(tf.expand_dims(tokens, 2), copy_ids[:, None])
    previous = tf.concat([tf.reshape(tokens, [-1, 1]), previous[:, :-1]], 1)
    written |= tf.reshape(same, tf.shape(written))
    by_text = tf.reshape(previous, tf.concat([tf.shape(tokens), [LOOK_BACK]], 0)), tf.reshape(written, tf.shape(same))
    return matches(copy_ids, *by_text, backwards), (previous, written)


def present_tokens(copy_ids, vocabulary_size: int):
    """Which tokens of the vocabulary stand in the text, float (batch, vocabulary). Never as large as (batch, length,
    vocabulary)."""
    ones = tf.ones_like(copy_ids, tf.float32)
    return tf.minimum(_sum_by_token(ones[:, None], copy_ids, vocabulary_size)[:, 0], 1.0)


def _sum_by_token(values, copy_ids, size):
    """Values (batch, steps, length) added up over the places that hold the same token, (batch, steps, size). Ids from
    `size` on are left out."""
    batch, steps = tf.shape(values)[0], tf.shape(values)[1]
    outside = (copy_ids == NOTHING) | (copy_ids >= size)
    segments = tf.where(outside, -1, copy_ids + size * tf.range(batch)[:, None])  # negative segments are dropped
    flat = tf.reshape(tf.transpose(values, [0, 2, 1]), [-1, steps])
    sums = tf.math.unsorted_segment_sum(flat, tf.reshape(segments, [-1]), batch * size)
    return tf.transpose(tf.reshape(sums, [batch, size, steps]), [0, 2, 1])


# The last layer


class CopyPrior(keras.layers.Layer):
    """(y + e^s * present + t) / 2. Call with logits y (batch, steps, vocabulary) and present (batch, vocabulary)."""

    def build(self, input_shape):
        self.scale = self.add_weight("scale_bias", (input_shape[-1],), initializer="zeros")
        self.offset = self.add_weight("offset_bias", (input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def call(self, logits, present):
        return (logits + (tf.exp(self.scale) * present + self.offset)[:, None]) / 2


class Text(NamedTuple):
    """What the head knows of a batch of texts. copy_ids: int (batch, length), see `matches`. keys: (batch, length,
    size), for the pointer. present: (batch, vocabulary), for the prior."""

    copy_ids: tf.Tensor
    keys: tf.Tensor
    present: tf.Tensor


class CopyHead:
    """Turns states and logits into `Scores`. Its layers belong to the network that is built with it."""

    def __init__(self, tokenizer: WordPieceTokenizer, size: int, options: WritingOptions):
        self.vocabulary_size, self.size = len(tokenizer), size
        # What no title has is never generated, so that no probability is lost to it.
        never = {tokenizer.pad_id, tokenizer.unknown_id, tokenizer.start_id, tokenizer.mask_id} - {None}
        self.never = tf.reduce_sum(tf.one_hot(sorted(never), len(tokenizer), on_value=_IMPOSSIBLE, off_value=0.0), 0)
        self.is_end = tf.range(len(tokenizer)) == tokenizer.end_id
        self.prior = None if options.copy == "none" else CopyPrior(name="copy_prior", dtype="float32")
        self.stop = None
        if options.self_terminating:
            bias = keras.initializers.Constant(_STAYS)
            self.stop = keras.layers.Dense(1, name="stop", dtype="float32", bias_initializer=bias)
        self.points = options.copy == "pointer"
        self.query = keras.layers.Dense(size, name="pointer_query")
        self.key = keras.layers.Dense(size, use_bias=False, name="pointer_key")
        self.weights = keras.layers.Dense(LOOK_BACK + 1, name="match_weights", dtype="float32")
        self.gate = keras.layers.Dense(1, name="copy_gate", dtype="float32")

    def text(self, states, copy_ids) -> Text:
        """states: (batch, length, n), of the encoder."""
        return Text(copy_ids, self.key(states), present_tokens(copy_ids, self.vocabulary_size))

    def scores(self, states, logits, text: Text, match, log_alive=None) -> tuple[Scores, tf.Tensor]:
        """states: (batch, steps, n). logits: (batch, steps, vocabulary). match: see `matches`. log_alive: (batch,
        steps), the logarithm of the probability that a title has not ended before each step; None for titles given
        whole. Returns the scores, and log_alive after each step, which changes in a self-terminating layer only."""
        logits = tf.cast(logits, tf.float32) + self.never
        if self.prior is not None:
            logits = self.prior(logits, text.present)
        if self.stop is not None:
            stays = tf.math.log_sigmoid(self.stop(states)[..., 0]) + tf.math.log(1 - _LEAST_END)
            log_alive = tf.cumsum(stays, 1) if log_alive is None else log_alive + stays
            logits = tf.where(self.is_end, _IMPOSSIBLE, logits)
        scores = {"generated": tf.nn.log_softmax(logits)}
        if self.points:
            can_copy = text.copy_ids != NOTHING
            pointer = tf.cast(tf.matmul(self.query(states) / self.size**0.5, text.keys, transpose_b=True), tf.float32)
            pointer += tf.einsum("bsf,bslf->bsl", self.weights(states), match)
            pointer = tf.nn.log_softmax(tf.where(can_copy[:, None], pointer, _IMPOSSIBLE))
            # A text without any token to copy leaves all to the vocabulary.
            gate = tf.where(tf.reduce_any(can_copy, 1)[:, None, None], self.gate(states), -_IMPOSSIBLE)
            scores["generated"] += tf.math.log_sigmoid(gate)
            scores["copied"] = pointer + tf.math.log_sigmoid(-gate)
        if self.stop is not None:
            alive = tf.expand_dims(log_alive, 2)
            scores = {name: values + alive for name, values in scores.items()}
            scores["generated"] = tf.where(self.is_end, tf.math.log(-tf.math.expm1(alive)), scores["generated"])
        return scores, log_alive

    def memory(self, copy_ids):
        """What `step` remembers of titles of which nothing is written yet, one for each text."""
        return {"trail": no_trail(copy_ids), "log_alive": tf.zeros(tf.shape(copy_ids)[:1])}

    def step(self, states, logits, text: Text, memory, tokens, backwards: bool = False):
        """The `distribution` after one more token of `width` titles for each text, and what is remembered then.

        tokens: int (batch, width). memory: for batch * width titles. states and logits: as in `scores`, of one step of
        each title, or of several that are possible, side by side.
        """
        match, trail = matches_of_trail(text.copy_ids, memory["trail"], tokens, backwards)
        match = tf.repeat(match, tf.shape(states)[1] // tf.shape(tokens)[1], axis=1)
        log_alive = tf.reshape(memory["log_alive"], tf.shape(tokens))
        scores, log_alive = self.scores(states, logits, text, match, log_alive)
        return distribution(text.copy_ids, scores), {"trail": trail, "log_alive": tf.reshape(log_alive, [-1])}


def distribution(copy_ids, scores: Scores, least: float = 0.0):
    """The logarithms of all probabilities, float (batch, steps, vocabulary and the tokens of these texts that it
    lacks).

    least: what a smaller probability counts as, such as the 0 of a token that is never written.
    """
    generated, copied = scores["generated"], scores.get("copied")
    if copied is None:
        return generated
    size = tf.maximum(generated.shape[-1], tf.reduce_max(copy_ids) + 1)
    generated = tf.pad(tf.exp(generated), [[0, 0], [0, 0], [0, size - generated.shape[-1]]])
    return tf.math.log(tf.maximum(generated + _sum_by_token(tf.exp(copied), copy_ids, size), least))


def log_probabilities(targets, copy_ids, scores: Scores):
    """The logarithm of the probability of each target, float (batch, steps). targets: int (batch, steps); what
    NOTHING gets means nothing."""
    generated, copied = scores["generated"], scores.get("copied")
    in_vocabulary = (targets >= 0) & (targets < generated.shape[-1])
    generated = tf.gather(generated, tf.where(in_vocabulary, targets, 0), batch_dims=2)
    generated = tf.where(in_vocabulary, generated, _IMPOSSIBLE)
    if copied is None:
        return generated
    is_there = tf.equal(copy_ids[:, None], tf.expand_dims(targets, 2))
    copied = tf.reduce_logsumexp(tf.where(is_there, copied, _IMPOSSIBLE), -1)
    largest = tf.stop_gradient(tf.maximum(generated, copied))
    return largest + tf.math.log(tf.exp(generated - largest) + tf.exp(copied - largest))


def title_loss(name: str, targets, copy_ids, scores: Scores, share: float = 1.0) -> LossTerm:
    """The mean of -log p over what can be written, times `share`: a token that the vocabulary lacks can only be
    copied."""
    can_write = targets != NOTHING
    if "copied" not in scores:
        can_write &= targets < scores["generated"].shape[-1]
    weights = share * tf.cast(can_write, tf.float32)
    compared = Distribution(distribution(copy_ids, scores, _LEAST), "softmax", weights)
    return masked_mean(name, -share * log_probabilities(targets, copy_ids, scores), can_write, [compared])
