"""Linear-chain conditional random field over many labels (kexue.fm/archives/5542 and 7196)."""

import numpy as np

from common.decoders.viterbi import check_transitions, predecessor_groups
from common.keras_compat import keras, tf
from common.layers.masks import mask_by_time

# The logarithm of 0 that can be calculated with, and the sum below which another one counts as it.
_IMPOSSIBLE, _TINY = -1e30, 1e-30


class ConditionalRandomField(keras.layers.Layer):
    """Scores of labels after labels, learnt, with illegal ones excluded: p(labels) = exp(score(labels)) / sum over all
    legal paths.

    The score of a path is the sum of its emissions and of the transitions between them; the beginning and the end have
    none of their own.

    legal: bool (labels, labels), legal[i, j] says that j may follow i. starts: bool (labels,), labels that may begin a
    sequence.
    learning_rate_multiplier: the weight is stored divided by it and used multiplied by it. Adam moves a weight by the
    learning rate, whatever the gradient's scale, so the transitions learn that much faster: at the 2e-5 of a BERT they
    would not move (kexue.fm/archives/7196).

    Call with emissions float (batch, length, labels). Returns them as float32: the layer stands in the network so that
    its weight is found, saved and trained. The loss is `negative_log_likelihood`, and `transition_scores` is what
    `common.decoders.viterbi` needs.
    """

    def __init__(self, legal, starts, learning_rate_multiplier: float = 100.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.legal, self.starts = np.array(legal, bool), np.array(starts, bool)
        check_transitions(self.legal, self.starts)
        self.learning_rate_multiplier = learning_rate_multiplier
        self._few_labels, self._few_predecessors, self._groups = predecessor_groups(self.legal)

    def build(self, input_shape):
        if input_shape[-1] != len(self.starts):
            raise ValueError(f"A CRF of {len(self.starts)} labels got emissions of {input_shape[-1]}.")
        self.transitions = self.add_weight("transitions", self.legal.shape, initializer="zeros")
        super().build(input_shape)

    def call(self, emissions, labels=None, token_mask=None):
        emissions = tf.cast(emissions, tf.float32)
        return emissions if labels is None else self._negative_log_likelihood(labels, emissions, token_mask)

    def negative_log_likelihood(self, labels, emissions, token_mask):
        """-log p(labels) as float32 (batch,), exact; 0 for a sequence without tokens, inf for labels that are illegal.

        labels: int (batch, length). emissions: float (batch, length, labels). token_mask: (batch, length), 1 at the
        tokens, which come first, 0 at padding, where neither labels nor emissions count. Works on Keras tensors as well
        as on values.

        Exact to the digits of float32 for emissions of any size (tested to 1e8), however unlikely the path: every label
        has the sum over its own predecessors. The one limit: the transition scores of what may follow a label may
        differ by about 60. Beyond it the matrix product over predecessors is too small for float32 and is rounded up;
        the loss stays a number.
        """
        return self(emissions, labels=labels, token_mask=token_mask)

    def transition_scores(self) -> np.ndarray:
        """Scores float32 (labels, labels) by the weights of this moment, -inf where illegal. Keep no copy of them
        across training."""
        return np.where(
            self.legal, self.transitions.numpy() * np.float32(self.learning_rate_multiplier), -np.inf
        ).astype(np.float32)

    def get_config(self):
        return {
            **super().get_config(),
            "legal": self.legal.tolist(),
            "starts": self.starts.tolist(),
            "learning_rate_multiplier": self.learning_rate_multiplier,
        }

    def _negative_log_likelihood(self, labels, emissions, token_mask):
        token_mask = tf.cast(token_mask, tf.bool)
        labels = tf.where(token_mask, tf.cast(labels, tf.int32), 0)
        transitions = self.transitions * self.learning_rate_multiplier
        # Measured from the right path, the sum over all paths is the loss itself: no difference of two large numbers.
        pairs = tf.stack([labels[:, :-1], labels[:, 1:]], -1)
        right = tf.gather(emissions, labels, batch_dims=2) + tf.pad(tf.gather_nd(transitions, pairs), [[0, 0], [1, 0]])
        relative = tf.where(token_mask[:, :, None], emissions - right[:, :, None], 0.0)
        loss = self._log_partition(relative, transitions, token_mask)
        illegal = token_mask[:, 1:] & ~tf.gather_nd(tf.constant(self.legal), pairs)
        illegal_start = token_mask[:, 0] & ~tf.gather(tf.constant(self.starts), labels[:, 0])
        return tf.where(illegal_start | tf.reduce_any(illegal, 1), np.inf, tf.where(token_mask[:, 0], loss, 0.0))

    def _log_partition(self, emissions, transitions, token_mask):
        """log of the sum over all paths, float32 (batch,), by the forward algorithm.

        alpha_t(j), the logarithm of the sum over all paths that end in label j at token t, is

            emission_t(j) + log sum_i exp(alpha_(t-1)(i) + transition(i, j))

        Labels with the same predecessors have one matrix product for it, scaled by its largest factors, so that no
        (batch, labels, labels) is made; a label with a few predecessors, often all of them unlikely ones, has a sum of
        its own.
        """
        few_scores, blocks = self._few_scores(transitions), self._blocks(transitions)
        unreachable = np.flatnonzero(~self.legal.any(0))
        order = np.concatenate([self._few_labels, *(labels for _, labels in self._groups), unreachable])

        def step(alpha, inputs):
            emission, is_token = inputs
            sums = [tf.reduce_logsumexp(tf.gather(alpha, self._few_predecessors, axis=1) + few_scores, -1)]
            for (predecessors, _), (highest, rest) in zip(self._groups, blocks):
                logarithms = tf.gather(alpha, predecessors, axis=1) + highest
                largest = tf.reduce_max(logarithms, 1, keepdims=True)
                products = tf.exp(logarithms - largest) @ rest
                sums.append(tf.math.log(tf.maximum(products, _TINY)) + largest)
            sums.append(tf.fill([tf.shape(alpha)[0], len(unreachable)], _IMPOSSIBLE))
            return tf.where(is_token, emission + tf.gather(tf.concat(sums, 1), np.argsort(order), axis=1), alpha)

        by_time = tf.transpose(emissions, [1, 0, 2])
        first = tf.where(self.starts, by_time[0], _IMPOSSIBLE)
        alphas = tf.scan(step, (by_time[1:], mask_by_time(token_mask)[1:, :, None]), first)
        return tf.reduce_logsumexp(tf.concat([first[None], alphas], 0)[-1], -1)

    def _few_scores(self, transitions):
        """Scores of the labels with few predecessors after each of them, float32 (m, w); one that only fills up its row
        is impossible."""
        scores = tf.gather_nd(
            transitions, np.stack(np.broadcast_arrays(self._few_predecessors, self._few_labels[:, None]), -1)
        )
        filling = self._few_predecessors == self._few_predecessors[:, :1]
        filling[:, 0] = False
        return tf.where(filling, _IMPOSSIBLE, scores)

    def _blocks(self, transitions):
        """Of each group the highest score after each predecessor, float32 (p,), and exp(score - highest), float32 (p,
        labels)."""
        blocks = []
        for predecessors, labels in self._groups:
            scores = tf.gather(tf.gather(transitions, predecessors), labels, axis=1)
            highest = tf.reduce_max(scores, 1)
            blocks.append((highest, tf.exp(scores - highest[:, None])))
        return blocks
