"""The training step of every contest: loss terms, and the techniques that change how a step is made of them.

    loss     = sum over terms of numerator / denominator
    R-Drop   reads a batch twice with other dropout:  (loss_1 + loss_2) / 2 + alpha / 4 (KL(p_1 | p_2) + KL(p_2 | p_1))
    flooding minimises |loss - b| + b:  the gradient turns around where the loss has sunk below b
    FGM      see `adversarial`;   gradient accumulation  see `accumulation`;   recompute  see `recompute`

R-Drop (Liang et al. 2021; kexue.fm/archives/8496): when labels are few; alpha 4 with dropout 0.3 is usual. Costs a
second pass forwards, and backwards through both: nearly twice the time and memory. Flooding (Ishida et al. 2020;
kexue.fm/archives/7643): when the training loss goes to zero while dev gets worse; b is what remains, to be found by
trying. Costs nothing. With FGM the loss that is compared with b is that of the embeddings where they are.
"""

import contextlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from common.keras_compat import keras, tf
from common.losses import LossTerm, symmetric_divergence
from common.optimizers.accumulation import GradientAccumulator
from common.optimizers.adversarial import perturbed, token_embeddings
from common.optimizers.replicas import do_if_any, sum_over_replicas
from common.options import TrainingOptions

#: (batch, what the network says of it) -> the terms to minimise.
Loss = Callable[[dict[str, Any], Any], Sequence[LossTerm]]


class TrainingModel(keras.Model):
    """A network and its loss, which `fit` trains as the options say.

    network: a functional model. loss: called with a batch, a dict of arrays, and with the outputs of the network for
    those of its arrays that the network reads, by name; returns the same terms in the same order for every batch. Its
    denominators must come from the batch alone. Batches are such dicts; with gradient accumulation pairs (batch,
    group), as `common.generators.training_dataset` makes them. Logs have the mean of each term over the epoch, each
    batch weighted by its denominator, and their sum as `loss`. Its weights are those of the network.
    """

    def __init__(self, network: keras.Model, loss: Loss):
        super().__init__(autocast=False)
        self.network = network
        self.accumulation_steps = 1
        # Logs are of all replicas in each of them; Keras would add them up.
        self.distribute_reduction_method = "first"
        # Keras makes weights of a model's attributes; these are none.
        self._aside = SimpleNamespace(
            loss=loss,
            means={},
            divergence=keras.metrics.Mean(name="r_drop"),
            count=None,
        )

    def call(self, batch: dict[str, Any], training: bool | None = None):
        return self.network({name: batch[name] for name in self.network.input_names}, training=training)

    def terms(self, batch: dict[str, Any], training: bool = False) -> list[LossTerm]:
        """The loss of a batch, term by term, without any of the techniques."""
        return list(self._aside.loss(batch, self(batch, training=training)))

    def batch_loss(self, batch: dict[str, Any], training: bool = False) -> tf.Tensor:
        """The sum of the terms for one batch, a float32 scalar, without any of the techniques."""
        return sum(_ratio(term.numerator, term.denominator) for term in self.terms(batch, training))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self._aside.means.values(), self._aside.divergence]

    def compile(self, optimizer, options: TrainingOptions = TrainingOptions(), **kwargs: Any) -> None:
        """options: those that change the training step; `build_optimizer` reads the others."""
        super().compile(optimizer, **kwargs)
        self._options = options
        self.accumulation_steps = options.accumulation_steps
        if options.accumulation_steps > 1:
            self._aside.accumulator = GradientAccumulator(
                [(), *(variable.shape for variable in self.trainable_variables)]
            )
        if options.recompute:
            from common.optimizers.recompute import recompute

            recompute(self)

    def denominators(self, batch: dict[str, Any]) -> tf.Tensor:
        """Of the terms for one batch, float32 (terms,); computed without the network."""
        arrays = {name: tf.convert_to_tensor(batch[name]) for name in sorted(batch)}
        if self._aside.count is None:
            specs = {name: tf.TensorSpec([None] * one.shape.rank, one.dtype) for name, one in arrays.items()}
            self._look_at_loss(specs)
        return self._aside.count(*arrays.values())

    def fit(self, x: tf.data.Dataset, **kwargs: Any) -> keras.callbacks.History:
        # A distributed dataset has a spec for each replica.
        specs = tf.nest.map_structure(lambda one: getattr(one, "_value_specs", [one])[0], x.element_spec)
        if self._aside.count is None:
            self._look_at_loss(specs[0] if isinstance(specs, tuple) else specs)
        return super().fit(x, **kwargs)

    def _look_at_loss(self, batch: dict[str, tf.TensorSpec]) -> None:
        """Find out the names of the terms, and compile their denominators, for batches of this kind."""
        names: list[str] = []

        def count(*values):
            # Nothing feeds these, so that a denominator that hangs on what the network says is an error.
            unknown = tf.nest.map_structure(
                lambda output: tf.compat.v1.placeholder(output.dtype, output.shape), self.network.output
            )
            terms = self._aside.loss(dict(zip(sorted(batch), values)), unknown)
            names.extend(term.name for term in terms)
            return tf.stack([term.denominator for term in terms])

        whole = tf.compat.v1.wrap_function(count, [batch[name] for name in sorted(batch)])
        self._aside.count = whole.prune(whole.inputs[: len(batch)], whole.structured_outputs)
        with self.distribute_strategy.scope():
            # Before the graph of a step is made: a graph that makes variables is made twice.
            self._aside.means = {name: keras.metrics.Mean(name=name) for name in names}

    @property
    def state(self) -> list[tf.Variable]:
        """What training needs beside the weights to go on exactly: the optimizer's variables, and the loss scale of
        float16."""
        scale = self.optimizer._loss_scale._weights.values() if self._scales_loss else ()
        return [*self.optimizer.variables, *scale]

    def averaged_weights(self) -> contextlib.AbstractContextManager[None]:
        """The model computes with the averaged weights inside the block, where the optimizer keeps an average."""
        return (self.optimizer.inner_optimizer if self._scales_loss else self.optimizer).averaged_weights()

    @property
    def _scales_loss(self) -> bool:
        return isinstance(self.optimizer, keras.mixed_precision.LossScaleOptimizer)

    @tf.autograph.experimental.do_not_convert
    def train_step(self, data) -> dict[str, tf.Tensor]:
        batch, group, _ = keras.utils.unpack_x_y_sample_weight(data)
        loss, gradients = self._gradients(batch, group, log=True)
        if self._options.fgm:
            by_variable = {variable.ref(): gradient for variable, gradient in zip(self.trainable_variables, gradients)}
            tables = token_embeddings(self)
            with perturbed(tables, [by_variable[table.ref()] for table in tables], self._options.fgm):
                _, moved = self._gradients(batch, group)
            gradients = [_add(*both) for both in zip(gradients, moved)]
        if group is None:
            self._apply(loss, *gradients)
        else:
            self._aside.accumulator.add([loss, *gradients])
            do_if_any(group["is_last"], lambda: self._apply(*self._aside.accumulator.take()))
        return self._logs()

    def _gradients(self, batch, group, log: bool = False):
        """The loss of a batch, or its part in the loss of its group, and the gradients of the trainable variables."""
        with tf.GradientTape() as tape:
            terms, divergences = self._read(batch)
            # All replicas together are one batch, whose means have one denominator.
            totals = (
                sum_over_replicas(tf.stack([term.denominator for term in terms]))
                if group is None
                else group["denominators"]
            )
            loss = sum(
                _ratio(term.numerator + self._options.r_drop / 4 * apart, total)
                for term, apart, total in zip(terms, divergences, tf.unstack(totals, len(terms)))
            )
            scaled = self.optimizer.get_scaled_loss(loss) if self._scales_loss else loss
        if log:
            self._log(terms, divergences)
        gradients = tape.gradient(scaled, self.trainable_variables)
        return loss, self.optimizer.get_unscaled_gradients(gradients) if self._scales_loss else gradients

    def _read(self, batch) -> tuple[list[LossTerm], list[Any]]:
        """The terms, and how far two readings of the batch are apart in each: 0 without R-Drop."""
        first = self.terms(batch, training=True)
        if not self._options.r_drop:
            return first, [0.0] * len(first)
        second = self.terms(batch, training=True)
        terms = [one._replace(numerator=(one.numerator + other.numerator) / 2) for one, other in zip(first, second)]
        divergences = [
            sum(
                tf.reduce_sum(a.weights * symmetric_divergence(a.logits, b.logits, a.activation))
                for a, b in zip(one.distributions, other.distributions)
            )
            for one, other in zip(first, second)
        ]
        return terms, divergences

    def _log(self, terms: Sequence[LossTerm], divergences: Sequence[Any]) -> None:
        for mean, term in zip(self._aside.means.values(), terms):
            mean.update_state(_ratio(term.numerator, term.denominator), term.denominator)
        if self._options.r_drop:
            apart = [_ratio(divergence, term.denominator) for divergence, term in zip(divergences, terms)]
            self._aside.divergence.update_state(sum(apart))

    def _apply(self, loss, *gradients) -> None:
        if self._options.flooding:
            sign = tf.where(sum_over_replicas(loss) < self._options.flooding, -1.0, 1.0)
            gradients = [_times(gradient, sign) for gradient in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))

    def _logs(self) -> dict[str, tf.Tensor]:
        means = {name: mean.result() for name, mean in self._aside.means.items()}
        logs = {"loss": sum(means.values())} | (means if len(means) > 1 else {})
        if self._options.r_drop:
            logs["r_drop"] = self._aside.divergence.result()
            logs["loss"] += self._options.r_drop / 4 * logs["r_drop"]
        return logs


def _ratio(numerator, denominator):
    # What has nothing to count has a numerator of 0.
    return numerator / tf.maximum(denominator, 1.0)


def _add(one, other):
    """The sum of two gradients of a variable, sparse if both are."""
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, tf.IndexedSlices) and isinstance(other, tf.IndexedSlices):
        return tf.IndexedSlices(
            tf.concat([one.values, other.values], 0), tf.concat([one.indices, other.indices], 0), one.dense_shape
        )
    return tf.convert_to_tensor(one) + tf.convert_to_tensor(other)


def _times(gradient, factor):
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return None if gradient is None else gradient * factor
