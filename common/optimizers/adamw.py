"""AdamW with warm-up and linear decay, weight-decay exclusions and a moving average of the weights (SYSTEMS.md 8.5, 16.6)."""

import contextlib
from collections.abc import Iterator

from common.keras_compat import keras, tf

#: Parts of variable names that weight decay leaves alone: decaying a scale, an offset or a rare row only loses it.
NO_WEIGHT_DECAY = ("bias", "gamma", "beta", "embeddings")


class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from 0 to `peak` in `warmup_steps`, then falls linearly to 0 at `total_steps`."""

    def __init__(self, peak: float, warmup_steps: int, total_steps: int):
        self.peak, self.warmup_steps, self.total_steps = peak, warmup_steps, total_steps

    def __call__(self, step):
        # Steps count from 0, and the first update must not be lost: step 0 already has one share of the warm-up.
        step = tf.cast(step, tf.float32)
        rising = (step + 1) / max(self.warmup_steps, 1)
        falling = (self.total_steps - step) / max(self.total_steps - self.warmup_steps, 1)
        return self.peak * tf.clip_by_value(tf.minimum(rising, falling), 0.0, 1.0)

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps, "total_steps": self.total_steps}


class AdamW(keras.optimizers.AdamW):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), and an exponential moving average of the weights.

    average <- m average + (1 - m) weight after every step, m = min(ema_momentum, (1 + step) / (10 + step)): the average starts as
    the weights themselves and forgets its beginning quickly, so it is of use after a hundred steps already, where a fixed 0.999
    still holds a third of the initial weights after a thousand.

    `with optimizer.averaged_weights(): ...` puts the averages into the model and the trained weights back, bit for bit.
    """

    def __init__(self, learning_rate, weight_decay: float = 0.01, ema_momentum: float = 0.0, jit_compile=False, **kwargs):
        # No XLA: compiling each variable's update costs more than it ever gains on a CPU.
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            use_ema=ema_momentum > 0,
            ema_momentum=ema_momentum,
            jit_compile=jit_compile,
            **kwargs,
        )
        self.exclude_from_weight_decay(var_names=NO_WEIGHT_DECAY)

    def build(self, var_list):
        super().build(var_list)
        self._averaged = list(var_list)

    def _update_model_variables_moving_average(self, var_list):
        if not self.use_ema:
            return
        step = tf.cast(self.iterations, tf.float32)
        momentum = tf.minimum(self.ema_momentum, (1 + step) / (10 + step))

        def update(average, variable):
            average.assign(momentum * average + (1 - momentum) * variable)

        for variable in var_list:
            average = self._model_variables_moving_average[self._index_dict[self._var_key(variable)]]
            self._distribution_strategy.extended.update(average, update, args=(variable,), group=False)

    def finalize_variable_values(self, var_list):
        """Keras would overwrite the trained weights at the end of `fit`; evaluation swaps the averages in by itself."""

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """The model computes with the averaged weights inside the block. Does nothing without a moving average."""
        if not (self.use_ema and getattr(self, "_averaged", None)):
            yield
            return
        trained = [variable.numpy() for variable in self._averaged]
        for variable, average in zip(self._averaged, self._model_variables_moving_average):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, value in zip(self._averaged, trained):
                variable.assign(value)
