"""The LSTM with ordered neurons (ON-LSTM: Shen et al. 2019; kexue.fm/archives/6621): a recurrent network that finds out by
itself which words belong together.

The cell is cut into levels. What is written at one step fills the lower levels only, as many as it is worth, and what
the upper levels hold stays for long. Where much of the cell is wiped out, a phrase ends: see common.analysis.trees.

    cumax(x) = cumsum(softmax(x))
    F = cumax(..) from left to right, I = the same from right to left         master gates, an element for each level
    w = F I,  forgotten = F - w (1 - f),  written = I - w (1 - i)
    c = forgotten c + written tanh(..),  h = o tanh(c)

The paper has I = 1 - cumax(..). Here, as in the post, the sum runs from the right: 1 - I is then the sum of the softmax
*before* a level, and the first level can always be written.
"""

from typing import NamedTuple

from common.keras_compat import keras, tf
from common.layers.dropout import Dropout
from common.layers.masks import mask_by_time


class OrderedNeuronsLSTM(keras.layers.Layer):
    """units: size of the states, a multiple of `levels`, each of which has units / levels neurons in a row. backwards:
    read from the last token to the first. dropconnect: share of the recurrent weights that are zero in a training
    step, the same ones for all texts of the batch and all steps (Merity et al. 2018).

    Call with x float (batch, length, size) and token_mask (batch, length): 1 at tokens, 0 at padding. Returns the states
    float32 (batch, length, units), zero at padding; with `return_distances` also float32 (batch, length), 0 at padding:
    1 - the mean of F, how much is wiped out before a token is read. No gradient goes through these. Padding may stand
    anywhere, also before the tokens: its steps leave cell and state as they are.

    Computed in float32: what a cell adds up over hundreds of steps would be lost in 16 bits. Inputs of all steps are
    projected together, so that a step has one product with a matrix (units, 2 levels + 4 units); the gradient is written
    out, and has one such product too. The columns are F, I, then tanh(..), f, i, o.
    """

    def __init__(
        self,
        units: int,
        levels: int,
        backwards: bool = False,
        dropconnect: float = 0.0,
        return_distances: bool = False,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        if levels < 1 or units < 1 or units % levels:
            raise ValueError(
                f"Each level has the same number of neurons: {units} units are no multiple of {levels} levels."
            )
        self.units, self.levels, self.backwards = units, levels, backwards
        self.dropconnect, self.return_distances = dropconnect, return_distances

    def build(self, input_shape):
        columns = 2 * self.levels + 4 * self.units
        self.kernel = self.add_weight("kernel", (input_shape[-1], columns), initializer="glorot_uniform")
        self.recurrent = self.add_weight("recurrent_kernel", (self.units, columns), initializer="orthogonal")
        self.bias = self.add_weight("bias", (columns,), initializer="zeros")
        self.dropped = Dropout(self.dropconnect, dtype=self.dtype_policy, name=f"{self.name}_dropconnect")
        super().build(input_shape)

    def call(self, inputs, token_mask, training=None):
        by_time = tf.transpose(inputs, [1, 0, 2])
        mask = mask_by_time(token_mask)[:, :, None]
        projected = tf.nn.bias_add(tf.tensordot(by_time, self.kernel, 1), self.bias)
        if self.backwards:
            projected, mask = tf.reverse(projected, [0]), tf.reverse(mask, [0])
        recurrent = self.dropped(tf.convert_to_tensor(self.recurrent), training=training)
        states, forgets = _recurrence(projected, mask, recurrent, self.levels)
        results = [tf.where(mask, states, 0.0)]
        if self.return_distances:
            results.append(tf.stop_gradient(tf.where(mask, 1 - tf.reduce_mean(forgets, -1, keepdims=True), 0.0)))
        if self.backwards:
            results = [tf.reverse(result, [0]) for result in results]
        results = [tf.transpose(result, [1, 0, 2]) for result in results]
        return (results[0], results[1][:, :, 0]) if self.return_distances else results[0]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "levels": self.levels,
            "backwards": self.backwards,
            "dropconnect": self.dropconnect,
            "return_distances": self.return_distances,
        }


class _Gates(NamedTuple):
    """Of some rows: the softmaxes of the master gates (rows, 2, levels); the master gates, F and I, (rows, 2, levels, 1);
    the others (rows, levels, units / levels)."""

    shares: tf.Tensor
    masters: tf.Tensor
    candidate: tf.Tensor
    forget: tf.Tensor
    input: tf.Tensor
    output: tf.Tensor

    @classmethod
    def of(cls, sums, levels: int) -> "_Gates":
        """sums: (rows, 2 levels + 4 units)."""
        units = (sums.shape[-1] - 2 * levels) // 4
        masters, candidate, others = tf.split(sums, [2 * levels, units, 3 * units], -1)
        shares = _softmax(tf.reshape(masters, [-1, 2, levels]))
        masters = _cumulated(shares)[..., None]
        candidate = tf.reshape(tf.tanh(candidate), [-1, levels, units // levels])
        others = tf.reshape(tf.sigmoid(others), [-1, 3, levels, units // levels])
        return cls(shares, masters, candidate, *tf.unstack(others, axis=1))

    def kept_and_written(self):
        """F (1 - I (1 - f)) and I (1 - F (1 - i)), as above, (rows, levels, units / levels)."""
        master_forget, master_input = tf.unstack(self.masters, axis=1)
        overlap = master_forget * master_input
        return master_forget - overlap * (1 - self.forget), master_input - overlap * (1 - self.input)


def _softmax(values):
    """Over the last axis, of values that are few: TensorFlow's takes ten times as long for them on a CPU."""
    powers = tf.exp(values - tf.reduce_max(values, -1, keepdims=True))
    return powers / tf.reduce_sum(powers, -1, keepdims=True)


def _cumulated(pair, reverse: bool = False):
    """(rows, 2, levels): the first summed up from left to right, the second from right to left, or reversely."""
    first, second = tf.unstack(pair, axis=1)
    return tf.stack([tf.cumsum(first, -1, reverse=reverse), tf.cumsum(second, -1, reverse=not reverse)], 1)


def _recurrence(projected, mask, recurrent, levels: int):
    """States float32 (length, batch, units) and master forget gates (length, batch, levels), through which no gradient
    goes.

    projected: float32 (length, batch, 2 levels + 4 units). mask: bool (length, batch, 1). recurrent: (units, 2 levels +
    4 units).

    TensorFlow's own gradient has a product for the recurrent weights in each step, and keeps every value on a stack. Here
    it is one product for all steps, and what does not go from step to step is calculated for all of them at once.
    """

    @tf.custom_gradient
    def recur(projected, recurrent):
        sums, cells, states = _steps(projected, mask, recurrent, levels)
        gates = _Gates.of(_rows(sums), levels)
        forgets = tf.reshape(gates.masters[:, 0], [*tf.unstack(tf.shape(projected)[:2]), levels])

        def gradient(of_states, _):
            of_sums = _steps_back(of_states, gates, cells, mask, recurrent)
            return of_sums, tf.matmul(_rows(_before(states)), _rows(of_sums), transpose_a=True)

        return (states, forgets), gradient

    return recur(projected, recurrent)


def _steps(projected, mask, recurrent, levels: int):
    """What goes into the gates (length, batch, 2 levels + 4 units), cells (length, batch, levels, units / levels) and
    states (length, batch, units)."""
    units, (length, batch) = recurrent.shape[0], tf.unstack(tf.shape(projected)[:2])

    def step(time, cell, state, *written):
        sums = projected[time] + tf.matmul(state, recurrent)
        gates = _Gates.of(sums, levels)
        kept, taken = gates.kept_and_written()
        new_cell = kept * cell + taken * gates.candidate
        new_state = tf.reshape(gates.output * tf.tanh(new_cell), [-1, units])
        is_token = mask[time]
        cell, state = tf.where(is_token[..., None], new_cell, cell), tf.where(is_token, new_state, state)
        values = (sums, cell, state)
        return time + 1, cell, state, *(array.write(time, value) for array, value in zip(written, values))

    shapes = (projected.shape[1:], (projected.shape[1], levels, units // levels), (projected.shape[1], units))
    arrays = [tf.TensorArray(tf.float32, length, element_shape=shape) for shape in shapes]
    beginning = (tf.zeros([batch, levels, units // levels]), tf.zeros([batch, units]))
    done = tf.while_loop(lambda time, *_: time < length, step, (0, *beginning, *arrays), maximum_iterations=length)
    return [array.stack() for array in done[3:]]


def _steps_back(of_states, gates: _Gates, cells, mask, recurrent):
    """The gradient of what goes into the gates, of that of the states."""
    length, batch, levels, neurons = *tf.unstack(tf.shape(of_states)[:2]), *cells.shape[2:]
    is_token = tf.cast(mask, tf.float32)
    factors = _factors(gates, _rows(cells, 2), _rows(_before(cells), 2), _rows(is_token)[..., None])
    shares, from_cell, from_state, kept = (
        tf.reshape(values, [length, batch, *values.shape[1:]]) for values in (gates.shares, *factors)
    )
    to_state = tf.transpose(recurrent)

    def step(time, of_cell, of_state, written):
        of_state += of_states[time]
        by_state = tf.reshape(of_state, [-1, 1, levels, neurons]) * from_state[time]
        of_cell += by_state[:, 0]
        by_cell = of_cell[:, None] * from_cell[time]
        of_shares, share = _cumulated(tf.reduce_sum(by_cell[:, :2], -1), reverse=True), shares[time]
        of_masters = share * (of_shares - tf.reduce_sum(share * of_shares, -1, keepdims=True))
        parts = (of_masters, by_cell[:, 2:], by_state[:, 1])
        of_sums = tf.concat([tf.reshape(part, [batch, -1]) for part in parts], -1)
        of_state = tf.matmul(of_sums, to_state) + of_state * (1 - is_token[time])
        return time - 1, of_cell * kept[time], of_state, written.write(time, of_sums)

    array = tf.TensorArray(tf.float32, length, element_shape=(None, recurrent.shape[1]))
    beginning = (tf.zeros([batch, levels, neurons]), tf.zeros([batch, recurrent.shape[0]]))
    done = tf.while_loop(lambda time, *_: time >= 0, step, (length - 1, *beginning, array), maximum_iterations=length)
    return done[-1].stack()


def _factors(gates: _Gates, cells, before, is_token):
    """By what the gradient of a cell is multiplied for F, I, tanh(..), f and i (rows, 5, levels, neurons), that of a
    state for the cell and o (rows, 2, levels, neurons), and that of a cell for the one before. Padding has 0, 0 and 1."""
    _, masters, candidate, forget, input_, output = gates
    master_forget, master_input = tf.unstack(masters, axis=1)
    after, overlap = tf.tanh(cells), master_forget * master_input
    kept, written = gates.kept_and_written()
    from_cell = [
        before * (1 - master_input * (1 - forget)) - candidate * master_input * (1 - input_),
        candidate * (1 - master_forget * (1 - input_)) - before * master_forget * (1 - forget),
        written * (1 - candidate * candidate),
        before * overlap * forget * (1 - forget),
        candidate * overlap * input_ * (1 - input_),
    ]
    from_state = [output * (1 - after * after), after * output * (1 - output)]
    by_token = is_token[:, None]
    return tf.stack(from_cell, 1) * by_token, tf.stack(from_state, 1) * by_token, tf.where(is_token > 0, kept, 1.0)


def _before(values):
    """The values of the step before each, zero before the first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], 0)


def _rows(values, inner: int = 1):
    """(length, batch, ..) with `inner` further axes as (length x batch, ..)."""
    return tf.reshape(values, [-1, *values.shape[-inner:]])
