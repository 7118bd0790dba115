"""Lookahead: k steps of any optimizer, and part of the way back (Zhang et al. 2019; kexue.fm/archives/6869).

    slow <- slow + alpha (fast - slow),  fast <- slow       after every k-th step; the fast weights are those the inner optimizer moves

The slow weights start as the weights. (The original starts them at zero and looks back at its first step already, which
halves pretrained weights.)

When: an optimizer that swings, from a high learning rate or small batches; k = 5 and alpha = 0.5 are the paper's. Cost:
the memory of one more copy of the weights, and one pass over them in every k-th step.
"""

import contextlib
from contextlib import AbstractContextManager

from common.keras_compat import tf
from common.optimizers.swapping import swapped


class Lookahead:
    """Mixin of a `tf_keras` optimizer: `class LookaheadSGD(Lookahead, keras.optimizers.SGD)`.

    lookahead_steps: k; 0 is off and keeps no slow weights. lookahead_alpha: share of the way that remains, above 0 and
    up to 1. Slow weights are made by `build`, out of the values that the variables have then: load a checkpoint before.
    A step that a `LossScaleOptimizer` skips counts as one of the k, as it does for schedules; if it is the k-th, the
    next k-th looks back.

    `with optimizer.averaged_weights(): ...` puts the slow weights into the model and the trained ones back, bit for
    bit.
    """

    def __init__(self, *args, lookahead_steps: int = 0, lookahead_alpha: float = 0.5, **kwargs):
        super().__init__(*args, **kwargs)
        self.lookahead_steps, self.lookahead_alpha = lookahead_steps, lookahead_alpha

    def build(self, var_list):
        if self.lookahead_steps and not getattr(self, "_built", False):
            self._fast = list(var_list)
            self._slow = [
                self.add_variable_from_reference(variable, "slow", initial_value=variable) for variable in var_list
            ]
        super().build(var_list)

    def _internal_apply_gradients(self, grads_and_vars):
        iterations = super()._internal_apply_gradients(grads_and_vars)
        if self.lookahead_steps:
            variables = [variable for _, variable in grads_and_vars]
            tf.__internal__.distribute.interim.maybe_merge_call(
                self._look_back_in_time, self._distribution_strategy, variables
            )
        return iterations

    def _looks_back_after(self, iterations):
        """Whether the slow weights are due after so many steps."""
        return iterations % self.lookahead_steps == 0

    def _look_back_in_time(self, strategy, variables) -> None:
        def look_back(slow, fast):
            slow.assign_add(self.lookahead_alpha * (fast - slow))
            fast.assign(slow)

        def look_back_everywhere():
            for variable in variables:
                slow = self._slow[self._index_dict[self._var_key(variable)]]
                strategy.extended.update(slow, look_back, args=(variable,), group=False)

        tf.cond(self._looks_back_after(self.iterations), look_back_everywhere, lambda: None)

    def averaged_weights(self) -> AbstractContextManager[None]:
        """The model computes with the slow weights inside the block. Does nothing where Lookahead is off or before the
        first `build`."""
        if not (self.lookahead_steps and getattr(self, "_built", False)):
            return contextlib.nullcontext()
        return swapped(self._fast, self._slow)

    def get_config(self):
        return {
            **super().get_config(),
            "lookahead_steps": self.lookahead_steps,
            "lookahead_alpha": self.lookahead_alpha,
        }
