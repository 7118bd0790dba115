"""Whether what was written says the same as the run it is from: it is loaded again, and both read the same texts."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.encoders import Encoder
from common.encoders.bert import BertEncoder
from common.exporting.graphs import NETWORK, TEXTS, TOKENS, outputs_of, run_lite
from common.generators import Arrays, pad_features
from common.keras_compat import keras, tf
from common.tokenizers import pair_windows

#: Of two outputs that count as equal: of the same weights, and of a converted network.
SAME_WEIGHTS, CONVERTED = 1e-5, 1e-4
#: Short and long, with all that tokenizers treat apart.
SAMPLES = ("2020年5月，Café ＡＢ１２ 在北京开业。", "你好", "x1²，" * 200, "")
#: Beside tokens a network reads so many columns, or so long a title; only these inputs have as much as the text.
_OTHERS, _ALONG_TOKENS = 3, {"dictionary", "pair_mention", "pair_in_text", "copy_ids"}
#: What the inputs of a second encoder begin with.
_PAIR = "pair_"
_IMPOSSIBLE = 1e9


def check_checkpoint(encoder: BertEncoder, transformer: Any, folder: Path) -> float:
    """How far the states of the checkpoint in a folder are from those of a transformer. Raises UserError where that is
    too far, or its tokenizer finds other tokens."""
    expected = network_of_transformer(encoder, transformer)
    with contextlib.redirect_stdout(io.StringIO()):  # it tells of a folder that will have another name
        again = BertEncoder.from_checkpoint(folder, encoder.max_length, encoder.attention)
    inputs = text_inputs(encoder)
    for name, values in text_inputs(again).items():
        if not np.array_equal(inputs[name], values):
            raise UserError(f"{folder}: its tokenizer finds other tokens than that of the run - report this")
    return _checked(outputs_of(expected, inputs), outputs_of(again.network(), inputs), SAME_WEIGHTS)


def check_saved_model(network: keras.Model, encoder: Encoder, of_pairs: bool, folder: Path) -> float:
    """The same of all signatures of a SavedModel."""
    signatures = tf.saved_model.load(str(folder)).signatures
    inputs = some_inputs(network, encoder)
    difference = _checked(outputs_of(network, inputs), signatures[NETWORK](**_tensors(inputs)), SAME_WEIGHTS)
    if TOKENS in signatures:
        texts = {"contexts" if of_pairs else "texts": tf.constant(SAMPLES)}
        if of_pairs:
            texts["questions"] = tf.fill([len(SAMPLES)], SAMPLES[0])
        tokens = pair_inputs(encoder) if of_pairs else text_inputs(encoder)
        _checked(tokens, signatures[TOKENS](**texts), 0)
        if TEXTS in signatures:
            difference = max(
                difference, _checked(outputs_of(network, tokens), signatures[TEXTS](**texts), SAME_WEIGHTS)
            )
    return difference


def check_lite(network: keras.Model, encoder: Encoder, content: bytes) -> float:
    """The same of a file of `convert_to_lite`, of each text by itself. Not of an empty one, of which everything is
    impossible: how far so is nothing to compare."""
    known = some_inputs(network, encoder)
    room = encoder.max_length - known["token_ids"].shape[1]
    padded = {name: np.pad(one, [(0, 0), (0, room)] + [(0, 0)] * (one.ndim - 2)) for name, one in known.items()}
    rows = [{name: values[row : row + 1] for name, values in padded.items()} for row in range(len(SAMPLES) - 1)]
    return max(_checked(outputs_of(network, row), run_lite(content, row), CONVERTED) for row in rows)


def watched(encoder: Encoder, method: str) -> list[Any]:
    """A list to which everything is added that a method of the encoder makes from now on."""
    made, make = [], getattr(encoder, method)

    def make_and_note(**options: Any) -> Any:
        made.append(make(**options))
        return made[-1]

    setattr(encoder, method, make_and_note)
    return made


def network_of_transformer(encoder: BertEncoder, transformer: Any) -> keras.Model:
    """`encoder.network()` with the weights of a transformer, which may be part of a larger network."""
    made = watched(encoder, "transformer")
    network = encoder.network()
    for name, layer in made[0].layers.items():
        if isinstance(layer, keras.layers.Layer):
            layer.set_weights(transformer.layers[name].get_weights())
    return network


def text_inputs(encoder: Encoder) -> Arrays:
    """What the network of the encoder reads for SAMPLES."""
    windows = [encoder.tokenizer.encode(text, encoder.max_length) for text in SAMPLES]
    return pad_features([encoder.features(text, [window])[0] for text, window in zip(SAMPLES, windows)])


def pair_inputs(encoder: Encoder) -> Arrays:
    """What its pair network reads for the first of SAMPLES and each of the others."""
    question, rows = SAMPLES[0], []
    asked = encoder.tokenizer.tokenize(question)
    for text in SAMPLES:
        tokens = encoder.tokenizer.tokenize(text)
        windows = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length)[:1]
        rows += encoder.pair_features(question, asked, text, tokens, windows)
    return pad_features(rows)


def some_inputs(network: keras.Model, encoder: Encoder) -> Arrays:
    """Arrays that the network of any contest can read: what its encoder reads, and ones for everything else."""
    text, pair = text_inputs(encoder), pair_inputs(encoder)
    names = {name.removeprefix(_PAIR) for name in network.input_names}
    known = pair if names >= set(pair) > set(text) else text
    return {one.name: _values(one, known) for one in network.inputs}


def _values(one: Any, known: Arrays) -> np.ndarray:
    if (name := one.name.removeprefix(_PAIR)) in known:
        return known[name]
    rows, length = known["token_ids"].shape
    open_size = length if one.name in _ALONG_TOKENS else _OTHERS
    shape = [rows, *(open_size if size is None else size for size in one.shape[1:])]
    return np.ones(shape, one.dtype.as_numpy_dtype)


def _tensors(arrays: Arrays) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in arrays.items()}


def _checked(expected: dict[str, Any], found: dict[str, Any], most: float) -> float:
    """The largest difference of two networks' outputs. Raises UserError where it is more than `most`."""
    difference = largest_difference(expected, found)
    if not difference <= most:
        raise UserError(
            f"what was written says something else than the run (by {difference:.1e}, and {most:.0e} is the most) - report this"
        )
    return difference


def largest_difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Infinity where names or shapes differ. What is nan in both is equal, and so is what is far below 0 in both, as the
    logits of what is impossible."""
    if set(one) != set(other):
        return np.inf
    return max(_difference(np.asarray(one[name]), np.asarray(other[name])) for name in one)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape or (np.isnan(one) != np.isnan(other)).any():
        return np.inf
    one, other = (np.maximum(np.nan_to_num(values.astype(np.float64)), -_IMPOSSIBLE) for values in (one, other))
    return float(np.abs(one - other).max(initial=0))
