"""AdamW (Loshchilov and Hutter 2019) with all that is configured by name, lazy for embeddings, and composed with
Lookahead and a moving average.

    weight <- weight - rate weight_decay weight - rate Adam(gradient),      rate = schedule(step) multiplier(weight)

Order of things in a step: clipping, Adam and weight decay at the rate of the weight, Lookahead, moving average.

Lazy (see `variable_settings`): Adam keeps moving an embedding by its momentum long after the batch that held it, and
lets its moments decay; lazy Adam does neither. The bias correction counts all steps, as Adam's.
"""

from common.keras_compat import keras, tf
from common.optimizers.variable_settings import VariableSettings


@keras.utils.register_keras_serializable("common")
class AdamW(VariableSettings, keras.optimizers.AdamW):
    """Adam with decoupled weight decay; the arguments are those of `VariableSettings` and of `keras.optimizers.AdamW`,
    of which `amsgrad` is refused.

    Without `lazy`, updates are those of `keras.optimizers.AdamW` bit for bit.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.amsgrad:
            raise ValueError("amsgrad: not supported - take keras.optimizers.AdamW")

    def update_step(self, gradient, variable):
        index, rate = self._index_of(variable), self._rate(variable)
        first, second = self._momentums[index], self._velocities[index]
        step = tf.cast(self.iterations + 1, variable.dtype)
        powers = [tf.pow(tf.cast(beta, variable.dtype), step) for beta in (self.beta_1, self.beta_2)]
        corrected_rate = rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        is_sparse = isinstance(gradient, tf.IndexedSlices)
        if self.lazy and is_sparse:
            self._move_rows(gradient, variable, first, second, corrected_rate)
            return
        self._decay(variable, rate)
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
