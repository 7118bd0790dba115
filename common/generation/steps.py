"""What common.decoders asks of a model, out of two functions of tensors."""

from functools import cached_property
from typing import Any

import numpy as np

from common.decoders import State, take_rows
from common.keras_compat import tf


class Steps:
    """`start`, `step` and `take`, which common.decoders asks of a model, out of `first_state(inputs)` and
    `next_state(state, tokens)`, which compute with tensors.

    In `next_state` tokens are (texts, width), log-probabilities (texts, width, vocabulary) or (texts * width,
    vocabulary), and arrays of State.rows have texts * width rows: what is written for a text stands side by side, where
    training has the steps of one.
    """

    def start(self, inputs: dict[str, np.ndarray]) -> State:
        return self._first({name: tf.constant(value) for name, value in inputs.items()})

    def step(self, state: State, tokens: np.ndarray) -> tuple[np.ndarray, State]:
        texts = len(tf.nest.flatten(state.inputs)[0])
        log_probabilities, state = self._next(state, tf.constant(np.reshape(tokens, (texts, -1)), tf.int32))
        values = log_probabilities.numpy()
        return values.reshape(-1, values.shape[-1]), state

    def take(self, structure: Any, indices: Any) -> Any:
        return take_rows(structure, indices, tf.gather)

    # One graph for arrays of all lengths; otherwise TensorFlow would compile one for each.

    @cached_property
    def _first(self):
        return tf.function(self.first_state, autograph=False, reduce_retracing=True)

    @cached_property
    def _next(self):
        return tf.function(self.next_state, autograph=False, reduce_retracing=True)
