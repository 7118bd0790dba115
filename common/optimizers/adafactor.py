"""AdaFactor (Shazeer and Stern 2018; kexue.fm/archives/7302): of a matrix the second moments in two vectors, and no
first moments, with all that is configured by name and composed as AdamW is.

    share   = t^-0.8                                              t the number of the step, from 1: no bias to correct
    rows    <- rows + share (mean of g^2 + 1e-30 over columns - rows),       columns likewise by the means over rows
    step    = g / sqrt(rows columns^T / mean(columns)),           of a vector g / sqrt(all its second moments)
    step    <- step / max(1, root mean square of step)
    weight <- weight - rate weight_decay weight - rate step,      rate = schedule(t) multiplier(weight)

Of a tensor with more axes the last two are factored. When: the two moments of Adam do not fit, as those of a network
with a billion weights. Cost: what is known of a weight is what is known of its row and its column; and a step without
momentum swings more. The moving average is a copy of the weights too: --ema-momentum 0 saves its memory.

The paper has a schedule of its own, and multiplies it by max(1e-3, root mean square of the weight). Neither is here:
--learning-rate, --schedule and --layer-decay are the rate of a weight. A step is not larger than 1 on average, as one
of Adam, so a rate that suits AdamW is of the right size; times 0.02, as large as the weights of a BERT are, it would
teach nothing, and one flag would mean two things.

Lazy (see `variable_settings`): rows that a batch does not hold keep their moment, as they keep their place in any case.
Those that it holds are the matrix whose columns and root mean square are taken; the first gradient of a row is its
whole moment.
"""

from common.keras_compat import keras, tf
from common.optimizers.variable_settings import VariableSettings

_FORGETTING, _LEAST_SQUARE, _LARGEST_STEP = 0.8, 1e-30, 1.0


class _Optimizer(keras.optimizers.Optimizer):
    """What Keras leaves to each of its optimizers: it begins with a learning rate, and is made again with it."""

    def __init__(self, learning_rate, name: str = "Adafactor", **kwargs):
        super().__init__(name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)

    def get_config(self):
        return {**super().get_config(), "learning_rate": self._serialize_hyperparameter(self._learning_rate)}


@keras.utils.register_keras_serializable("common")
class Adafactor(VariableSettings, _Optimizer):
    """AdaFactor with decoupled weight decay; the arguments are those of `VariableSettings`.

    It remembers rows + columns numbers of a matrix. (`keras.optimizers.Adafactor` keeps their product beside them, as
    large as the matrix.)
    """

    def build(self, var_list):
        super().build(var_list)
        if not getattr(self, "_built", False):
            self._built = True
            self._moments = [self._moments_of(variable) for variable in var_list]

    def _moments_of(self, variable) -> list[tf.Variable]:
        """Of rows and columns, or of a vector all."""
        add, shape = self.add_variable_from_reference, variable.shape
        if len(shape) < 2:
            return [add(variable, "moment")]
        return [add(variable, "rows", shape[:-1]), add(variable, "columns", [*shape[:-2], shape[-1]])]

    def update_step(self, gradient, variable):
        rate, moments = self._rate(variable), self._moments[self._index_of(variable)]
        share = tf.pow(tf.cast(self.iterations + 1, variable.dtype), -_FORGETTING)
        if isinstance(gradient, tf.IndexedSlices):
            if self.lazy and len(variable.shape) == 2:
                step = rate * _clipped(_step_of_rows(gradient, *moments, share))
                variable.scatter_sub(tf.IndexedSlices(step, gradient.indices))
                return
            gradient = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
        self._decay(variable, rate)
        squares = tf.square(gradient) + _LEAST_SQUARE
        if len(moments) == 1:
            moments[0].assign_add(share * (squares - moments[0]))
            step = gradient * tf.math.rsqrt(moments[0])
        else:
            for moment, axis in zip(moments, (-1, -2)):
                moment.assign_add(share * (tf.reduce_mean(squares, axis) - moment))
            step = _over_root(gradient, *moments)
        variable.assign_sub(rate * _clipped(step))


def _step_of_rows(gradient, rows, columns, share):
    """The step of the rows that a batch holds, whose moments take in its gradient."""
    squares = tf.square(gradient.values) + _LEAST_SQUARE
    before = tf.gather(rows, gradient.indices)
    now = before + tf.where(before > 0, share, 1.0) * (tf.reduce_mean(squares, 1) - before)
    rows.scatter_update(tf.IndexedSlices(now, gradient.indices))
    # A batch may hold none.
    held = tf.cast(tf.maximum(tf.size(gradient.indices), 1), squares.dtype)
    columns.assign_add(share / held * tf.reduce_sum(squares - columns, 0))
    return _over_root(gradient.values, now, columns)


def _over_root(gradient, rows, columns):
    """The gradient (..., rows, columns) over the root of its second moments. Factor by factor: their product may be
    less than float32 has, where row and column had no gradient."""
    columns = tf.math.rsqrt(columns) * tf.sqrt(tf.reduce_mean(columns, -1, keepdims=True))
    return gradient * tf.math.rsqrt(rows)[..., None] * columns[..., None, :]


def _clipped(step):
    return step / tf.maximum(1.0, tf.sqrt(tf.reduce_mean(tf.square(step))) / _LARGEST_STEP)
