"""Vectors out of small codebooks: VQ-VAE (van den Oord et al. 2017; kexue.fm/archives/6760).

    e = the code nearest to z,    what goes on is z + stop(e - z): e forwards, and backwards the gradient goes to z as it is
    codebook loss    |stop(z) - e|^2        moves the codes to the vectors
    commitment loss  |z - stop(e)|^2        keeps the vectors near to their codes

Codes may also be moving averages of the vectors that chose them, which is k-means over batches and needs no rate. A code
that nothing chooses gets no gradient and stays away for ever; here it is put where a vector of the batch is.
"""

from typing import Literal, NamedTuple

from common.keras_compat import keras, tf

_DEAD = 0.03  # of an equal share of the vectors: a code that is used less is revived
_FIRST_USE = 1e-4  # vectors: so little that what the first batch does not choose is dead, and goes where vectors are


class Quantized(NamedTuple):
    """vectors: float (..., codebooks, size), codes forwards, gradients to the inputs backwards. codes: int64 (...,
    codebooks). loss: float (..., codebooks), of codebook and commitment. perplexity: float (codebooks,), how many codes
    would be used as evenly as those of this batch, from 1 to all."""

    vectors: tf.Tensor
    codes: tf.Tensor
    loss: tf.Tensor
    perplexity: tf.Tensor


class VectorQuantization(keras.__internal__.layers.BaseRandomLayer):
    """codebooks: so many parts of a vector have codes of their own, `codes` each: a vector becomes that many symbols.
    learning: how codes follow the vectors, by the gradient of the codebook loss, or as moving averages, without one.
    commitment: weight of the commitment loss. decay: share of the former averages, and of the former use, that a batch
    leaves. revive: dead codes are put to vectors of the batch.

    Call with z float (batch, codebooks, size); returns `Quantized`. In training the use of the codes is counted, and
    averages and dead codes move. Computed in float32.
    """

    def __init__(
        self,
        codebooks: int,
        codes: int,
        learning: Literal["gradient", "average"] = "average",
        commitment: float = 0.25,
        decay: float = 0.99,
        revive: bool = True,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if codebooks < 1 or codes < 1:
            raise ValueError(f"There must be codes to choose from: {codebooks} codebooks of {codes}.")
        if learning not in ("gradient", "average"):
            raise ValueError(f'learning must be "gradient" or "average", and is "{learning}".')
        self.codebooks, self.codes, self.learning = codebooks, codes, learning
        self.commitment, self.decay, self.revive = commitment, decay, revive

    def build(self, input_shape):
        super().build(input_shape)
        if input_shape[-2] != self.codebooks:
            raise ValueError(f"{self.codebooks} codebooks got vectors of {input_shape[-2]} parts.")
        shape = (self.codebooks, self.codes, input_shape[-1])
        learned = self.learning == "gradient"
        initializer = keras.initializers.RandomUniform(-1 / self.codes, 1 / self.codes)
        self.codebook = self.add_weight("codebook", shape, initializer=initializer, trainable=learned)
        first = keras.initializers.Constant(_FIRST_USE)
        self.use = self.add_weight("use", shape[:2], initializer=first, trainable=False)
        if not learned:
            self.sums = self.add_weight("sums", shape, initializer="zeros", trainable=False)
            self.sums.assign(_FIRST_USE * self.codebook)

    def call(self, z, training=None):
        codebook = tf.convert_to_tensor(self.codebook)
        codes = tf.argmin(squared_distances(z, codebook), -1)
        chosen = codes_in(codebook, codes)
        loss = self.commitment * _squares(z - tf.stop_gradient(chosen))
        if self.learning == "gradient":
            loss += _squares(tf.stop_gradient(z) - chosen)
        is_chosen = tf.one_hot(codes, self.codes, dtype=z.dtype)  # (batch, codebooks, codes)
        if training:
            self._learn(tf.stop_gradient(z), is_chosen)
        return Quantized(z + tf.stop_gradient(chosen - z), codes, loss, perplexity(tf.reduce_mean(is_chosen, 0)))

    def _learn(self, z, is_chosen):
        counts = tf.reduce_sum(is_chosen, 0)
        use = self.decay * self.use + (1 - self.decay) * counts
        codebook, sums = tf.convert_to_tensor(self.codebook), None
        if self.learning == "average":
            sums = self.decay * self.sums + (1 - self.decay) * tf.einsum("bgk,bgd->gkd", is_chosen, z)
            # What has decayed to nothing stays where it is.
            codebook = tf.where(use[..., None] > 1e-30, tf.math.divide_no_nan(sums, use[..., None]), codebook)
        if self.revive:
            use, codebook, sums = self._revived(z, use, codebook, sums)
        self.use.assign(use)
        self.codebook.assign(codebook)
        if sums is not None:
            self.sums.assign(sums)

    def _revived(self, z, use, codebook, sums):
        """The same with dead codes at vectors of the batch, drawn for each, and of average use."""
        even = tf.reduce_mean(use, -1, keepdims=True)
        dead = use < _DEAD * even
        seed = self._random_generator.make_seed_for_stateless_op()
        rows = tf.random.stateless_uniform(tf.shape(use), seed, 0, tf.shape(z)[0], tf.int32)
        vectors = tf.gather(tf.transpose(z, [1, 0, 2]), rows, batch_dims=1)
        use = tf.where(dead, even, use)
        codebook = tf.where(dead[..., None], vectors, codebook)
        return use, codebook, None if sums is None else tf.where(dead[..., None], vectors * even[..., None], sums)

    def get_config(self):
        names = ("codebooks", "codes", "learning", "commitment", "decay", "revive")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def squared_distances(z, codebook):
    """float (batch, codebooks, codes) between z (batch, codebooks, size) and codebook (codebooks, codes, size), by one
    product: |z|^2 - 2 z e + |e|^2."""
    products = tf.einsum("bgd,gkd->bgk", z, codebook)
    return _squares(z)[..., None] - 2 * products + _squares(codebook)


def codes_in(codebook, codes):
    """The vectors of codes int (batch, codebooks): float (batch, codebooks, size)."""
    count, size = codebook.shape[1:]
    first = count * tf.range(codebook.shape[0], dtype=codes.dtype)  # of each codebook, among the codes of all
    return tf.gather(tf.reshape(codebook, [-1, size]), codes + first)


def perplexity(shares):
    """exp(entropy) along the last axis: how many classes would be used as evenly as these shares, which add up to 1."""
    return tf.exp(-tf.reduce_sum(tf.math.xlogy(shares, shares), -1))


def _squares(vectors):
    return tf.reduce_sum(tf.square(vectors), -1)
