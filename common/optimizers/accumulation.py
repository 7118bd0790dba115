"""Gradient accumulation: the step of a large batch in the memory of a small one (kexue.fm/archives/6794).

    loss of a group of batches = sum over the loss terms of  (sum of numerators) / (sum of denominators)

A mean over tokens is no mean of means: a batch with fewer tokens must count less. So each batch is divided by the
denominators of its whole group, which come with the batch (`common.generators`), since they depend on the data alone;
the gradients of a group then simply add up. A step is a step of the optimizer: schedules, bias correction, moving
average and Lookahead count groups. The last group of an epoch may be shorter, and is divided by what it has.

When: the batch you want does not fit into memory. Cost: the memory of one more copy of the weights. What mixes the
examples of a batch (negatives from the same batch, FGM's perturbation) still sees the small one.
"""

from collections.abc import Sequence

from common.keras_compat import tf
from common.optimizers.replicas import own, variable_of_each_replica


class GradientAccumulator:
    """Sums of gradients, or of other tensors of fixed shapes. Sparse gradients stay sparse: only rows that were there
    come back.

    Its variables are neither weights nor state of a run: all are zero wherever a run is saved, for a group ends with
    its epoch.
    """

    def __init__(self, shapes: Sequence[Sequence[int]]):
        self.sums = [variable_of_each_replica(tf.zeros(shape)) for shape in shapes]
        self.touched = {}

    def add(self, gradients: Sequence) -> None:
        """gradients: dense, IndexedSlices or None, float32; each of the same kind every time."""
        self.missing = [gradient is None for gradient in gradients]
        for index, (total, gradient) in enumerate(zip(self.sums, gradients)):
            if isinstance(gradient, tf.IndexedSlices):
                if index not in self.touched:
                    with tf.init_scope():
                        self.touched[index] = variable_of_each_replica(tf.zeros(total.shape[:1], tf.bool))
                own(total).scatter_add(gradient)
                own(self.touched[index]).scatter_update(
                    tf.IndexedSlices(tf.ones_like(gradient.indices, tf.bool), gradient.indices)
                )
            elif gradient is not None:
                own(total).assign_add(gradient)

    def take(self) -> list:
        """The sums, which are zero again afterwards."""
        return [None if missing else self._take(index) for index, missing in enumerate(self.missing)]

    def _take(self, index: int):
        total = own(self.sums[index])
        if index not in self.touched:
            gradient = tf.identity(total)
            total.assign(tf.zeros_like(total))
            return gradient
        touched = own(self.touched[index])
        rows = tf.where(touched)[:, 0]
        values = tf.gather(total, rows)
        total.scatter_update(tf.IndexedSlices(tf.zeros_like(values), rows))
        touched.assign(tf.zeros_like(touched))
        return tf.IndexedSlices(values, rows, tf.shape(total, rows.dtype))
