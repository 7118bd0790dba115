"""Recompute, also called gradient checkpointing (Chen et al. 2016; kexue.fm/archives/7367): memory for time.

A backward pass needs what the forward pass computed, and keeps all of it: of the attention alone heads * length^2
numbers for each example and layer, several times over. Here attentions, feed-forward layers and normalisations keep
only their inputs, and each is computed again when its turn comes in the backward pass. Loss and gradients are the same,
dropout included: hidden dropout stands between these layers, and that of attention weights gets the same seed twice.

When to use it: a transformer on long texts, or the batch, does not fit in memory. It changes nothing else, so leave it
out where there is memory.

Cost of a training step, for a BERT of 12 layers, 312 wide, and 32 texts of 256 tokens in float32: 1.15 times the time
(the last product of a layer is not needed again) for a third of the resident memory: 2.7 GB instead of 8.2, or 2.0
instead of 7.5 beyond the built network. Without attention dropout 2.7 GB instead of 6.3. Measured on two cores of an
AMD EPYC with other work on both, each case in a process of its own: `python scripts/training_steps.py recompute
--layers 12 --length 256`, and the same with plain.
"""

from collections.abc import Callable
from typing import Any

from common.keras_compat import keras, tf

from bert4keras import layers  # isort: skip - after keras_compat, which tells it the Keras to use

_RECOMPUTED = (layers.MultiHeadAttention, layers.GatedAttentionUnit, layers.FeedForward, layers.LayerNormalization)


def recompute(model: keras.Model) -> None:
    """Have the transformer layers of a model, also those of models in it, compute their insides again in the backward
    pass instead of keeping them.

    Changes how the layers of this model are called, from now on and wherever they are used; weights and names stay.
    Doing it again changes nothing. Works under every precision and `tf.distribute` strategy; saves memory in a
    `tf.function`, as `fit` makes one.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, _RECOMPUTED):
            # Nothing random may happen in what runs twice: an attention of ours draws the seed of its dropout in
            # `call`, and attends with it.
            method = "attend" if hasattr(layer, "attend") else "call"
            if method == "call" and getattr(layer, "attention_dropout", None):
                raise ValueError(
                    f"{layer.name}: its dropout cannot be repeated - build it with common.encoders, or without attention dropout"
                )
            if method not in vars(layer):
                setattr(layer, method, _recomputed(getattr(layer, method)))


def _recomputed(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function of a tensor or a list of them, which keeps only these for its gradients. Masks and the like may
    be among them."""

    @tf.autograph.experimental.do_not_convert
    def call_and_forget(inputs, *args, **kwargs):
        tensors = tf.nest.flatten(inputs)
        places = [place for place, tensor in enumerate(tensors) if tensor.dtype.is_floating]

        # TensorFlow's own makes the second computation depend on the incoming gradient: without that it would be merged
        # with the first one, or run right after it.
        @tf.recompute_grad
        def segment(*floats):
            replaced = dict(zip(places, floats))
            given = [replaced.get(place, tensor) for place, tensor in enumerate(tensors)]
            return call(tf.nest.pack_sequence_as(inputs, given), *args, **kwargs)

        return segment(*[tensors[place] for place in places])

    return call_and_forget
