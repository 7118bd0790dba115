"""AdamW (Loshchilov and Hutter 2019) with all that is configured by name, lazy for embeddings, and composed with
Lookahead and a moving average.

    weight <- weight - rate weight_decay weight - rate Adam(gradient),      rate = schedule(step) multiplier(weight)

Order of things in a step: clipping, Adam and weight decay at the rate of the weight, Lookahead, moving average.

Lazy (kexue.fm/archives/6869): Adam keeps moving an embedding by its momentum long after the batch that held it, and
lets its moments decay. Lazy Adam moves the rows that the batch holds, as Adam would, and leaves all others alone with
their moments; the bias correction counts all steps, as Adam's. When: many rare rows, as words and entities. Cost: less
than none, since a step no longer passes over the whole table.
"""

from collections.abc import Mapping, Sequence

from common.command_line import UserError
from common.keras_compat import keras, tf
from common.optimizers.adversarial import is_token_embedding
from common.optimizers.layerwise import layer_multipliers
from common.optimizers.lookahead import Lookahead
from common.optimizers.moving_average import ExponentialMovingAverage

#: Parts of variable names that weight decay leaves alone: decaying a scale, an offset or a rare row only loses it.
NO_WEIGHT_DECAY = ("bias", "gamma", "beta", "embeddings")


@keras.utils.register_keras_serializable("common")
class AdamW(ExponentialMovingAverage, Lookahead, keras.optimizers.AdamW):
    """Adam with decoupled weight decay.

    multipliers: part of a variable's name -> factor of its learning rate, and so of its weight decay too; the first
    that fits counts.
    layer_decay: below 1, further factors for the layers of a transformer (see `layerwise`). no_weight_decay: parts of
    names (regular expressions).
    lazy: a sparse gradient (`tf.IndexedSlices`) moves only its own rows, and these are not decayed. A table of tokens
    whose gradient is dense, since the network also writes with it, ends in a UserError; tables of positions, all of
    whose rows are used anyway, are updated as by Adam. The rest is that of `keras.optimizers.AdamW` and of the two
    mixins. `amsgrad` is refused.

    Without `lazy`, updates are those of `keras.optimizers.AdamW` bit for bit. Norms for clipping are those of the true
    gradient: Keras takes the norm of a sparse one before it sums what belongs to the same row, and so clips by a wrong
    one where a batch holds a token twice.
    """

    def __init__(
        self,
        learning_rate,
        weight_decay: float = 0.01,
        multipliers: Mapping[str, float] | None = None,
        layer_decay: float = 1.0,
        lazy: bool = False,
        no_weight_decay: Sequence[str] = NO_WEIGHT_DECAY,
        jit_compile: bool = False,
        **kwargs,
    ):
        # No XLA: compiling each variable's update costs more than it ever gains on a CPU.
        super().__init__(learning_rate, weight_decay=weight_decay, jit_compile=jit_compile, **kwargs)
        if self.amsgrad:
            raise ValueError("amsgrad: not supported - take keras.optimizers.AdamW")
        self.multipliers, self.layer_decay, self.lazy, self.no_weight_decay = (
            dict(multipliers or {}),
            layer_decay,
            lazy,
            list(no_weight_decay),
        )
        self.exclude_from_weight_decay(var_names=self.no_weight_decay)

    def build(self, var_list):
        if not getattr(self, "_built", False):
            by_layer = layer_multipliers(var_list, self.layer_decay) if self.layer_decay != 1 else [1.0] * len(var_list)
            self._factors = [factor * self._multiplier(variable.name) for factor, variable in zip(by_layer, var_list)]
        super().build(var_list)

    def _multiplier(self, name: str) -> float:
        return next((factor for part, factor in self.multipliers.items() if part in name), 1.0)

    def _clip_gradients(self, grads):
        return super()._clip_gradients(super()._deduplicate_sparse_grad(grads))

    def _deduplicate_sparse_grad(self, grads):
        """Done before clipping."""
        return grads

    def _apply_weight_decay(self, variables):
        """Done by `update_step`, which knows the rate of a variable."""

    def _internal_apply_gradients(self, grads_and_vars):
        for gradient, variable in grads_and_vars:
            if self.lazy and is_token_embedding(variable) and not isinstance(gradient, tf.IndexedSlices):
                raise _dense_gradient(variable)
        return super()._internal_apply_gradients(grads_and_vars)

    def update_step(self, gradient, variable):
        index = self._index_of(variable)
        first, second = self._momentums[index], self._velocities[index]
        rate = tf.cast(self.learning_rate, variable.dtype) * self._factors[index]
        step = tf.cast(self.iterations + 1, variable.dtype)
        powers = [tf.pow(tf.cast(beta, variable.dtype), step) for beta in (self.beta_1, self.beta_2)]
        corrected_rate = rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        is_sparse = isinstance(gradient, tf.IndexedSlices)
        if self.lazy and is_sparse:
            self._move_rows(gradient, variable, first, second, corrected_rate)
            return
        if self.weight_decay and self._use_weight_decay(variable):
            variable.assign_sub(variable * self.weight_decay * rate)
        if is_sparse:
            first.assign_add(-first * (1 - self.beta_1))
            first.scatter_add(tf.IndexedSlices(gradient.values * (1 - self.beta_1), gradient.indices))
            second.assign_add(-second * (1 - self.beta_2))
            second.scatter_add(tf.IndexedSlices(tf.square(gradient.values) * (1 - self.beta_2), gradient.indices))
        else:
            first.assign_add((gradient - first) * (1 - self.beta_1))
            second.assign_add((tf.square(gradient) - second) * (1 - self.beta_2))
        variable.assign_sub((first * corrected_rate) / (tf.sqrt(second) + self.epsilon))

    def _move_rows(self, gradient, variable, first, second, corrected_rate) -> None:
        rows, values = gradient.indices, gradient.values
        mean, square = tf.gather(first, rows), tf.gather(second, rows)
        mean += (values - mean) * (1 - self.beta_1)
        square += (tf.square(values) - square) * (1 - self.beta_2)
        first.scatter_update(tf.IndexedSlices(mean, rows))
        second.scatter_update(tf.IndexedSlices(square, rows))
        variable.scatter_sub(tf.IndexedSlices((mean * corrected_rate) / (tf.sqrt(square) + self.epsilon), rows))

    def _is_averaged_by_rows(self, variable) -> bool:
        return self.lazy and is_token_embedding(variable)

    def _moved_rows(self, gradient, variable):
        if not self.lookahead_steps:
            return gradient.indices
        # When Lookahead looks back, rows move that earlier batches held.
        every = tf.range(variable.shape[0], dtype=gradient.indices.dtype)
        return tf.cond(self._looks_back_after(self.iterations + 1), lambda: every, lambda: gradient.indices)

    def get_config(self):
        rates = {"multipliers": dict(self.multipliers), "layer_decay": self.layer_decay}
        return {**super().get_config(), **rates, "lazy": self.lazy, "no_weight_decay": list(self.no_weight_decay)}


def _dense_gradient(variable) -> UserError:
    error = UserError(
        f"--lazy-embeddings: every batch moves all rows of {variable.name}, since the network also writes with this table - leave the flag out"
    )
    # Else autograph makes a page of this line.
    error.ag_pass_through = True
    return error
