"""A functional network computed layer by layer, with some of its layers' outputs replaced on the way: what Keras does when
it calls one, except that somebody else may have a say in between. Nothing of the network is changed, copied or traced,
so nothing has to be put back, whatever happens meanwhile."""

import inspect
from collections.abc import Callable
from typing import Any

from common.keras_compat import keras, tf

#: Given a layer, its arguments, and its keyword arguments: its outputs, or `CALL_IT`.
Instead = Callable[[keras.layers.Layer, tuple, dict[str, Any]], Any]

#: What `Instead` says of a layer that is to be called as it is.
CALL_IT = object()


def replay(network: keras.Model, inputs: Any, instead: Instead) -> Any:
    """The outputs of a functional network without dropout, in the structure of its outputs.

    inputs: a dict by the names of the inputs, or a list of arrays, as the network itself takes them. instead: asked
    before each layer is called, also in functional networks inside of this one, in an order that is always the same.
    Raises ValueError for a network that is not functional, since nobody knows what its layers are called with.
    """
    if not _is_functional(network):
        raise ValueError(f"{network.name} is no functional network: its layers cannot be called one by one")
    known: dict[int, Any] = {}
    for place, tensor in zip(network.inputs, _by_place(network, inputs)):
        known[id(place)] = tf.cast(tensor, place.dtype)
    for depth in sorted(network._nodes_by_depth, reverse=True):
        for node in network._nodes_by_depth[depth]:
            if node.is_input:
                continue
            # `map_arguments` takes values away from lists, one for each use.
            arguments, named = node.map_arguments({str(at): _Always(value) for at, value in known.items()})
            outputs = _called(node.layer, arguments, named, instead)
            for place, value in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(outputs)):
                known[id(place)] = value
    found = [known[id(place)] for place in network.outputs]
    return tf.nest.pack_sequence_as(network._nested_outputs, found)


class _Always:
    """Stands where Keras has a list with one item for each use."""

    def __init__(self, value: Any):
        self.value = value

    def pop(self) -> Any:
        return self.value


def _called(layer: keras.layers.Layer, arguments: tuple, named: dict[str, Any], instead: Instead) -> Any:
    outputs = instead(layer, arguments, named)
    if outputs is not CALL_IT:
        return outputs
    if _is_functional(layer):
        return replay(layer, arguments[0], instead)
    if "training" in inspect.signature(layer.call).parameters:
        named = {**named, "training": False}
    return layer(*arguments, **named)


def _is_functional(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth")


def _by_place(network: keras.Model, inputs: Any) -> list[Any]:
    """The inputs in the order of `network.inputs`."""
    if isinstance(inputs, dict):
        names = sorted(network.input) if isinstance(network.input, dict) else [one.name for one in network.inputs]
        return [inputs[name] for name in names]
    return tf.nest.flatten(inputs)
