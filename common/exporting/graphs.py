"""A network as a graph that runs without this repository: a SavedModel, and a file of TensorFlow Lite."""

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.exporting.text import TextReader
from common.generators import Arrays
from common.keras_compat import keras, tf
from common.process import quiet_standard_error

#: What a network reads that needs nothing but a text.
TEXT_INPUTS = {"token_ids", "segment_ids"}
#: The signature for the inputs of the network; that for texts -> TEXT_INPUTS; and that for texts -> outputs.
NETWORK, TOKENS, TEXTS = "serving_default", "tokens", "texts"


class Graph(tf.Module):
    """A network, its outputs by name, as the functions of a SavedModel.

    reader: adds TOKENS and, where the network reads TEXT_INPUTS alone, TEXTS; of_pairs: for a question and a context in
    place of a text. shape: that of `token_ids`, where it is fixed, and then all inputs begin with it.
    """

    def __init__(
        self,
        network: keras.Model,
        reader: TextReader | None = None,
        of_pairs: bool = False,
        shape: tuple[int | None, ...] = (None, None),
    ):
        super().__init__()
        # Not the network, of which Keras would save each layer with functions of its own.
        self._variables, self._reader = network.weights, reader
        fixed = shape != (None, None)
        specs = {
            one.name: tf.TensorSpec([*shape, *one.shape[2:]] if fixed else one.shape, one.dtype)
            for one in network.inputs
        }
        self._signatures = {NETWORK: _function(lambda **inputs: outputs_of(network, inputs), specs)}
        if reader is not None:
            names = ("questions", "contexts") if of_pairs else ("texts",)
            texts = dict.fromkeys(names, tf.TensorSpec([None], tf.string))
            read = reader.pairs if of_pairs else reader
            self._signatures[TOKENS] = _function(lambda **texts: read(**texts), texts)
            if set(specs) == TEXT_INPUTS:
                self._signatures[TEXTS] = _function(lambda **texts: outputs_of(network, read(**texts)), texts)

    def save(self, folder: Path) -> list[str]:
        """Write a SavedModel; returns the names of its signatures."""
        tf.saved_model.save(self, str(folder), dict(self._signatures))
        return [*self._signatures]


def _function(call: Callable[..., Any], specs: dict[str, tf.TensorSpec]) -> Any:
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def outputs_of(network: keras.Model, inputs: dict[str, Any]) -> dict[str, tf.Tensor]:
    """What a network says without dropout, by name, however its outputs are nested."""
    return dict(_named(network(inputs, training=False)))


def _named(outputs: Any, *path: str) -> Iterator[tuple[str, tf.Tensor]]:
    if hasattr(outputs, "_asdict"):
        outputs = outputs._asdict()
    elif isinstance(outputs, Sequence):
        outputs = {str(number): one for number, one in enumerate(outputs)}
    if isinstance(outputs, dict):
        for name, one in outputs.items():
            yield from _named(one, *path, name)
    else:
        yield "_".join(path) or "outputs", outputs


def convert_to_lite(network: keras.Model, length: int) -> bytes:
    """A network of an encoder's inputs as a file of TensorFlow Lite: one text at a time, padded to `length` tokens. (With
    shapes that are open its masks would need operations of TensorFlow itself, which few interpreters have.) Raises
    UserError where it cannot be converted."""
    with tempfile.TemporaryDirectory() as folder, quiet_standard_error():
        Graph(network, shape=(1, length)).save(Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[NETWORK])
        try:
            return converter.convert()
        except Exception as error:  # of many kinds
            problem = str(error).splitlines()[0]
    raise UserError(f"--format tflite: the network cannot be converted ({problem:.200}) - take --format savedmodel")


def run_lite(content: bytes, inputs: Arrays) -> Arrays:
    """What a file of TensorFlow Lite says."""
    with warnings.catch_warnings(), quiet_standard_error():
        warnings.filterwarnings("ignore", ".*tf.lite.Interpreter", UserWarning)
        interpreter = tf.lite.Interpreter(model_content=content)
        return interpreter.get_signature_runner(NETWORK)(**inputs)
