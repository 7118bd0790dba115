"""An exponential moving average of the weights, which is evaluated and saved.

    average <- m average + (1 - m) weight      after every step, m = min(ema_momentum, (1 + step) / (10 + step)), steps counted from 0

The average starts as the weights themselves and forgets its beginning quickly, so it is of use after a hundred steps
already, where a fixed 0.999 still holds a third of the initial weights after a thousand. What it takes of all the
states it has seen sums to one: there is no bias to correct.

When: always, from some hundred steps on. Cost: the memory of one more copy of the weights, and one pass over them in
every step.

Rows of embeddings that stand still (`AdamW(lazy=True)`) cost nothing. A weight that steps i to j leave alone has the
average M average + (1 - M) weight after them, with M = m_i ... m_j. So each row keeps the sum of log m up to where its
average stands, and catches up just before it moves.
"""

import contextlib
from contextlib import AbstractContextManager

from common.keras_compat import tf
from common.optimizers.swapping import swapped


class ExponentialMovingAverage:
    """Mixin of a `tf_keras` optimizer: `class AveragedSGD(ExponentialMovingAverage, keras.optimizers.SGD)`.

    ema_momentum: below 1; 0 is off and keeps no average. Keras' own average (`use_ema`) is refused: `fit` puts it into
    the weights at its end. Averages are made by `build`, out of the values that the variables have then: load a
    checkpoint before.

    `with optimizer.averaged_weights(): ...` puts the averages into the model and the trained weights back, bit for bit.
    """

    def __init__(self, *args, ema_momentum: float = 0.0, use_ema: bool = False, **kwargs):
        if use_ema:
            raise ValueError("use_ema: this optimizer keeps an average of its own - give ema_momentum alone")
        super().__init__(*args, ema_momentum=ema_momentum, **kwargs)

    def build(self, var_list):
        if self.ema_momentum and not getattr(self, "_built", False):
            self._trained = list(var_list)
            self._averages = [
                self.add_variable_from_reference(variable, "average", initial_value=variable) for variable in var_list
            ]
            tables = [index for index, variable in enumerate(var_list) if self._is_averaged_by_rows(variable)]
            # float64: the sums grow without end, and their differences count. The mapping is no variable, so nothing
            # tracks it.
            self._log_momenta_of_rows = self._no_dependency(
                {
                    index: self.add_variable(var_list[index].shape[:1], tf.float64, name=f"log_momenta_of_rows_{index}")
                    for index in tables
                }
            )
            if tables:
                self._log_momenta = self.add_variable([], tf.float64, name="log_momenta")
        super().build(var_list)

    def _is_averaged_by_rows(self, variable) -> bool:
        """Whether most rows of a variable stand still in most steps."""
        return False

    def _moved_rows(self, gradient, variable):
        """The rows, int (rows,), that the next step may move of a variable that is averaged by rows."""
        return tf.range(variable.shape[0])

    def _internal_apply_gradients(self, grads_and_vars):
        if not self.ema_momentum:
            return super()._internal_apply_gradients(grads_and_vars)
        tables = [pair for pair in grads_and_vars if self._index_of(pair[1]) in self._log_momenta_of_rows]
        others = [
            variable for _, variable in grads_and_vars if self._index_of(variable) not in self._log_momenta_of_rows
        ]
        moved = [(variable, self._moved_rows(gradient, variable)) for gradient, variable in tables]
        merge_call = tf.__internal__.distribute.interim.maybe_merge_call
        merge_call(self._catch_up, self._distribution_strategy, moved)
        iterations = super()._internal_apply_gradients(grads_and_vars)
        merge_call(self._follow, self._distribution_strategy, others)
        return iterations

    def _index_of(self, variable) -> int:
        return self._index_dict[self._var_key(variable)]

    def _catch_up(self, strategy, moved) -> None:
        """Before a step: of rows that it moves, the averages take in the weights that stood still until now."""

        def catch_up(average, variable, before, now, rows):
            values = _caught_up(tf.gather(average, rows), tf.gather(variable, rows), tf.gather(before, rows), now)
            average.scatter_update(tf.IndexedSlices(values, rows))
            before.scatter_update(tf.IndexedSlices(tf.fill(tf.shape(rows), now), rows))

        for variable, rows in moved:
            index = self._index_of(variable)
            others = (variable, self._log_momenta_of_rows[index], self._log_momenta, rows)
            strategy.extended.update(self._averages[index], catch_up, args=others, group=False)

    def _follow(self, strategy, variables) -> None:
        """After a step: all other averages take in the new weights."""
        step = tf.cast(self.iterations - 1, tf.float32)
        momentum = tf.minimum(self.ema_momentum, (1 + step) / (10 + step))

        def follow(average, variable):
            average.assign(momentum * average + (1 - momentum) * variable)

        for variable in variables:
            strategy.extended.update(self._averages[self._index_of(variable)], follow, args=(variable,), group=False)
        if self._log_momenta_of_rows:
            self._log_momenta.assign_add(tf.math.log(tf.cast(momentum, tf.float64)))

    def averaged_weights(self) -> AbstractContextManager[None]:
        """The model computes with the averaged weights inside the block; without an average, with Lookahead's slow ones
        if there are."""
        if not self.ema_momentum:
            return getattr(super(), "averaged_weights", contextlib.nullcontext)()
        if not getattr(self, "_built", False):
            return contextlib.nullcontext()
        averages = list(self._averages)
        for index, before in self._log_momenta_of_rows.items():
            averages[index] = _caught_up(averages[index], self._trained[index], before, self._log_momenta)
        return swapped(self._trained, averages)


def _caught_up(averages, weights, before, now):
    """Averages of rows (rows, ...) that stood at `weights` while the sum of log m went from `before` (rows,) to
    `now`."""
    kept = tf.reshape(tf.cast(tf.exp(now - before), averages.dtype), [-1] + [1] * (len(averages.shape) - 1))
    return kept * averages + (1 - kept) * weights
