"""What an optimizer does with each variable by its name: its learning rate, whether it is decayed, and whether only the
rows are moved that a batch holds. With it come clipping by the true norm, Lookahead and the moving average.

    rate of a variable = schedule(step) multiplier(variable),      weight <- weight - rate weight_decay weight

Lazy (kexue.fm/archives/6869): a step moves the rows of an embedding that the batch holds, as the optimizer would, and
leaves all others alone with their moments. When: many rare rows, as words and entities. Cost: less than none, since a
step no longer passes over the whole table.
"""

from collections.abc import Mapping, Sequence

from common.command_line import UserError
from common.keras_compat import tf
from common.optimizers.adversarial import is_token_embedding
from common.optimizers.layerwise import layer_multipliers
from common.optimizers.lookahead import Lookahead
from common.optimizers.moving_average import ExponentialMovingAverage

#: Parts of variable names that weight decay leaves alone: decaying a scale, an offset or a rare row only loses it.
NO_WEIGHT_DECAY = ("bias", "gamma", "beta", "embeddings")


class VariableSettings(ExponentialMovingAverage, Lookahead):
    """Mixin of a `tf_keras` optimizer, whose `update_step` asks it for `_rate` and `_decay`:
    `class AdamW(VariableSettings, keras.optimizers.AdamW)`.

    multipliers: part of a variable's name -> factor of its learning rate, and so of its weight decay too; the first
    that fits counts.
    layer_decay: below 1, further factors for the layers of a transformer (see `layerwise`). no_weight_decay: parts of
    names (regular expressions).
    lazy: a sparse gradient (`tf.IndexedSlices`) moves only its own rows, and these are not decayed. A table of tokens
    whose gradient is dense, since the network also writes with it, ends in a UserError; tables of positions, all of
    whose rows are used anyway, are updated as without. The rest is that of the two mixins and of the optimizer.

    Norms for clipping are those of the true gradient: Keras takes the norm of a sparse one before it sums what belongs
    to the same row, and so clips by a wrong one where a batch holds a token twice.
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

    def _rate(self, variable):
        """The learning rate of a variable in this step, a scalar."""
        return tf.cast(self.learning_rate, variable.dtype) * self._factors[self._index_of(variable)]

    def _decay(self, variable, rate) -> None:
        if self.weight_decay and self._use_weight_decay(variable):
            variable.assign_sub(variable * self.weight_decay * rate)

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
