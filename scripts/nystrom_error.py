"""How far Nystrom attention is from full attention, for 16, 32 and 64 landmarks.

    python scripts/nystrom_error.py                                          # random queries and keys
    python scripts/nystrom_error.py --pretrained BERT --input TEXTS          # those of a trained network, too

The error is |found - exact| / |exact| over all tokens and heads of a layer, the norms being those of all values
together; beside it that of a mean over all values, which needs no attention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from common.attention_pattern import AttentionPattern
from common.command_line import UserError, check_at_least, parse_flags, run, table
from common.process import start_tensorflow
from common.texts import Texts
from common.tokenizers import Encoding

LANDMARKS = (16, 32, 64)
_HEADS, _SIZE = 12, 26


@dataclass
class Config:
    """Print the error of Nystrom attention."""

    pretrained: Path | None = None
    """Folder of a checkpoint, or its name on the hub, whose queries and keys are looked at. Default: random ones only."""
    input: Path | None = None
    """Texts that it reads: files of lines or JSON, as scripts/pretrain.py takes them."""
    length: int = 512
    """Tokens of a text, which is made of as many lines as it takes."""
    texts: int = 8
    """How many texts."""

    def __post_init__(self):
        check_at_least(self, length=3, texts=1)
        if (self.pretrained is None) != (self.input is None):
            raise UserError("--pretrained and --input: belong together - give both, or neither")


def main(argv: Sequence[object] | None = None) -> dict[str, float]:
    """Prints a table; returns its figures by name."""
    config = parse_flags(Config, argv)
    start_tensorflow()
    generator = np.random.default_rng(1)
    shape = (config.texts, _HEADS, config.length, _SIZE)
    vectors = [generator.normal(size=shape).astype(np.float32) for _ in range(3)]
    layers = {"random": (vectors[0] / _SIZE**0.5, *vectors[1:], np.ones(shape[::2], bool))}
    if config.pretrained is not None:
        layers |= layers_of(config)
    rows: list[list[str]] = []
    figures: dict[str, float] = {}
    for name, arguments in layers.items():
        found = errors(*arguments)
        rows.append([name, *(f"{error:.3f}" for error in found.values())])
        figures |= {f"{name}, {kind}": error for kind, error in found.items()}
    print(table(["queries and keys", *(f"{count} landmarks" for count in LANDMARKS), "mean of all"], rows))
    return figures


def errors(queries, keys, values, mask) -> dict[str, float]:
    """For each number of landmarks, and for a mean over all tokens. Arguments: see `local_attention`."""
    from common.keras_compat import tf
    from common.layers import masked_softmax, nystrom_attention

    def error(found) -> float:
        parts = [np.transpose(one, [0, 2, 1, 3])[mask] for one in (found - exact, exact)]
        return float(np.linalg.norm(parts[0]) / np.linalg.norm(parts[1]))

    visible = mask[:, None, None]
    scores = tf.matmul(queries, keys, transpose_b=True)
    exact = tf.matmul(masked_softmax(scores, visible), values).numpy()
    found = {
        f"{count} landmarks": error(nystrom_attention(queries, keys, values, mask, landmarks=count).numpy())
        for count in LANDMARKS
    }
    return found | {"mean": error(tf.matmul(masked_softmax(tf.zeros_like(scores), visible), values).numpy())}


def layers_of(config: Config) -> dict[str, tuple[np.ndarray, ...]]:
    """Of each layer of the network the arguments of its attention, while it reads the texts with full attention."""
    from common.encoders import transformers
    from common.encoders.bert import BertEncoder
    from common.encoders.hub import local_folder
    from common.generators import pad_features
    from common.keras_compat import tf
    from common.layers import masked_softmax

    seen = []

    def watched(queries, keys, values, mask, leading, landmarks, drop):
        seen.append((queries, keys, values, mask.numpy()))
        return tf.matmul(masked_softmax(tf.matmul(queries, keys, transpose_b=True), mask[:, None, None]), values)

    encoder = BertEncoder.from_checkpoint(
        local_folder(config.pretrained), config.length, AttentionPattern("nystrom", landmarks=1)
    )
    inputs = pad_features([encoder.features(text, [tokens])[0] for text, tokens in texts_of(config, encoder)])
    network = encoder.network()
    with patch.dict(transformers.ATTENTIONS, nystrom=watched):
        network(inputs)  # not in a graph, so that what it computes can be kept
    return {f"layer {number} of {len(seen)}": arguments for number, arguments in enumerate(seen, 1)}


def texts_of(config: Config, encoder) -> list[tuple[str, Encoding]]:
    """Lines joined to texts of as many tokens as a window has, and these."""
    joined, found = "", []
    for text in Texts([config.input]):
        joined += text
        if len(encoder.tokenizer.tokenize(joined)) >= encoder.max_length:
            found.append((joined, encoder.tokenizer.encode(joined, encoder.max_length)))
            joined = ""
        if len(found) == config.texts:
            return found
    raise UserError(f"--input {config.input}: has no {config.texts} texts of {encoder.max_length} tokens - give more")


if __name__ == "__main__":
    run(main)
