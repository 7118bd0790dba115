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
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from common.keras_compat import keras, tf
from common.losses import LossTerm, symmetric_divergence
from common.optimizers.accumulation import GradientAccumulator
from common.optimizers.adversarial import perturbed, token_embeddings
from common.optimizers.replicas import do_if_any, sum_over_replicas
from common.options import TrainingOptions


class TrainingModel(keras.Model):
    """A functional model of loss terms, which `fit` trains as the options say.

    inputs: of `keras.Model`. outputs: what the network says of a training batch, for who wants to see it. terms: what
    is minimised. Called, it returns `outputs`, `terms` (a numerator and a denominator for each) and `distributions`.
    Batches are dicts of inputs; with gradient accumulation pairs (inputs, group), as
    `common.generators.training_dataset` makes them. Logs have the mean of each term over the epoch, each batch weighted
    by its denominator, and their sum as `loss`.
    """

    def __init__(self, inputs, outputs, terms: Sequence[LossTerm], **kwargs: Any):
        distributions = [[(one.logits, one.weights) for one in term.distributions] for term in terms]
        numbers = [(term.numerator, term.denominator) for term in terms]
        super().__init__(inputs, {"outputs": outputs, "terms": numbers, "distributions": distributions}, **kwargs)
        self._activations = [[one.activation for one in term.distributions] for term in terms]
        self.accumulation_steps = 1
        # Keras makes weights of a model's attributes; these are none.
        self._aside = SimpleNamespace(
            means=[keras.metrics.Mean(name=term.name) for term in terms],
            divergence=keras.metrics.Mean(name="r_drop"),
            count=tf.function(keras.Model(inputs, [term.denominator for term in terms]), reduce_retracing=True),
        )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*self._aside.means, self._aside.divergence]

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

    def denominators(self, inputs: dict[str, Any]) -> tf.Tensor:
        """Of the terms for one batch, float32 (terms,); computed without the network."""
        # Keras gives a list of one output as that output.
        return tf.stack(tf.nest.flatten(self._aside.count(inputs)))

    def batch_loss(self, inputs: dict[str, Any], training: bool = False) -> tf.Tensor:
        """The sum of the terms for one batch, a float32 scalar, without any of the techniques."""
        return sum(_ratio(*term) for term in self(inputs, training=training)["terms"])

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
        inputs, group, _ = keras.utils.unpack_x_y_sample_weight(data)
        loss, gradients = self._gradients(inputs, group, log=True)
        if self._options.fgm:
            by_variable = {variable.ref(): gradient for variable, gradient in zip(self.trainable_variables, gradients)}
            tables = token_embeddings(self)
            with perturbed(tables, [by_variable[table.ref()] for table in tables], self._options.fgm):
                _, moved = self._gradients(inputs, group)
            gradients = [_add(*both) for both in zip(gradients, moved)]
        if group is None:
            self._apply(loss, *gradients)
        else:
            self._aside.accumulator.add([loss, *gradients])
            do_if_any(group["is_last"], lambda: self._apply(*self._aside.accumulator.take()))
        return self._logs()

    def _gradients(self, inputs, group, log: bool = False):
        """The loss of a batch, or its part in the loss of its group, and the gradients of the trainable variables."""
        with tf.GradientTape() as tape:
            terms, divergences = self._read(inputs)
            # All replicas together are one batch, whose means have one denominator.
            totals = (
                sum_over_replicas(tf.stack([count for _, count in terms])) if group is None else group["denominators"]
            )
            loss = sum(
                _ratio(number + self._options.r_drop / 4 * apart, total)
                for (number, _), apart, total in zip(terms, divergences, tf.unstack(totals, len(terms)))
            )
            scaled = self.optimizer.get_scaled_loss(loss) if self._scales_loss else loss
        if log:
            for mean, (number, count) in zip(self._aside.means, terms):
                mean.update_state(_ratio(number, count), count)
            if self._options.r_drop:
                self._aside.divergence.update_state(
                    sum(_ratio(apart, count) for apart, (_, count) in zip(divergences, terms))
                )
        gradients = tape.gradient(scaled, self.trainable_variables)
        return loss, self.optimizer.get_unscaled_gradients(gradients) if self._scales_loss else gradients

    def _read(self, inputs):
        """Numerator and denominator of each term, and how far two readings of the batch are apart in it: 0 without
        R-Drop."""
        first = self(inputs, training=True)
        if not self._options.r_drop:
            return first["terms"], [0.0] * len(first["terms"])
        second = self(inputs, training=True)
        terms = [((one + other) / 2, count) for (one, count), (other, _) in zip(first["terms"], second["terms"])]
        divergences = [
            sum(
                tf.reduce_sum(weights * symmetric_divergence(one, other, activation))
                for (one, weights), (other, _), activation in zip(*both, activations)
            )
            for *both, activations in zip(first["distributions"], second["distributions"], self._activations)
        ]
        return terms, divergences

    def _apply(self, loss, *gradients) -> None:
        if self._options.flooding:
            sign = tf.where(sum_over_replicas(loss) < self._options.flooding, -1.0, 1.0)
            gradients = [_times(gradient, sign) for gradient in gradients]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))

    def _logs(self) -> dict[str, tf.Tensor]:
        means = {mean.name: mean.result() for mean in self._aside.means}
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
