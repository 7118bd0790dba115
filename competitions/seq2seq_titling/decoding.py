"""What the networks share as models of common.decoders: compiled graphs, and the titles of a text side by side."""

from functools import cached_property
from typing import Any

import numpy as np

from common.decoders import Hypothesis, Rules, State, beam_search, take_rows
from common.keras_compat import tf


class Steps:
    """`start`, `step` and `take` out of `first_state(inputs)` and `next_state(state, tokens)`, which compute with
    tensors.

    In `next_state` tokens are (texts, width), log-probabilities (texts, width, vocabulary), and arrays of State.rows
    have texts * width rows: the titles of a text stand side by side, where training has the steps of one title.
    """

    def start(self, inputs: dict[str, np.ndarray]) -> State:
        return self._first({name: tf.constant(value) for name, value in inputs.items()})

    def step(self, state: State, tokens: np.ndarray) -> tuple[np.ndarray, State]:
        texts = len(tf.nest.flatten(state.inputs)[0])
        log_probabilities, state = self._next(state, tf.constant(np.reshape(tokens, (texts, -1)), tf.int32))
        values = log_probabilities.numpy()
        return values.reshape(-1, values.shape[-1]), state

    def take(self, structure: Any, indices: np.ndarray) -> Any:
        return take_rows(structure, indices, tf.gather)

    def search(self, inputs: dict[str, np.ndarray], rules: Rules, width: int) -> list[list[Hypothesis]]:
        """The `width` best titles for each text, best first. inputs: of `collate_articles`."""
        return beam_search(self, inputs, rules, width, count=width)

    # One graph for arrays of all lengths; otherwise TensorFlow would compile one for each.

    @cached_property
    def _first(self):
        return tf.function(self.first_state, autograph=False, reduce_retracing=True)

    @cached_property
    def _next(self):
        return tf.function(self.next_state, autograph=False, reduce_retracing=True)
