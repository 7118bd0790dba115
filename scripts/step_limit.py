"""How near a training step comes to the time of its matrix products alone: `benchmark.py light-step`.

    python scripts/step_limit.py light --layers 7 --width 128

prints a JSON object of figures as its last line: of a light encoder or a small BERT with a label for each token, on
random tokens, with one computing thread, as train.py would train it. Steps and plain products take turns.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from common.options import EncoderOptions, TrainingOptions
from common.process import start_tensorflow

from training_steps import LABELS, Size, random_tokens, tagger, token_tagger

_WARM_UP = 3
_CHARACTERS, _WORDS = 4000, 7000  # of a contest of some thousand texts
_PRODUCTS = 50


class Shape(NamedTuple):
    """Layers and width of a network, and the texts that a step learns from, and their tokens."""

    layers: int
    width: int
    texts: int
    tokens: int


def measure(
    network: Literal["light", "bert"], shape: Shape, precision: str, steps: int, rounds: int
) -> dict[str, float]:
    """`seconds` of processor time of a step, `gigaflops` a CPU second that plain products of the same shape reach, and
    the `share` of the step that its products would take at that rate, in 32 bits both; medians."""
    start_tensorflow()
    from common.keras_compat import prepare, tf
    from common.optimizers import build_optimizer

    for limit in (
        tf.config.threading.set_intra_op_parallelism_threads,
        tf.config.threading.set_inter_op_parallelism_threads,
    ):
        limit(1)
    prepare(1, precision)
    model = light_tagger(shape) if network == "light" else token_tagger(Size("plain", *shape))
    options = TrainingOptions()
    model.compile(build_optimizer(options, 1e-4, 1000), options)
    model.optimizer.build(model.trainable_variables)
    batch = random_batch(model, shape)
    step = tf.function(model.train_step)
    for _ in range(_WARM_UP):
        step(batch)

    tokens = shape.texts * shape.tokens
    rows, kernel = tf.ones((tokens, shape.width)), tf.ones((shape.width, 4 * shape.width))
    product = tf.function(lambda: tf.matmul(rows, kernel))
    product()
    taken, rates = [], []
    for _ in range(rounds):
        taken.append(cpu_seconds(lambda: step(batch), steps))
        rates.append(8 * tokens * shape.width**2 / cpu_seconds(product, _PRODUCTS))
    operations = 3 * forward_operations(model, network, shape)  # and twice as many for the two gradients
    shares = [operations / (seconds * rate) for seconds, rate in zip(taken, rates)]
    return {
        "seconds": statistics.median(taken),
        "gigaflops": statistics.median(rates) / 1e9,
        "share": statistics.median(shares),
    }


def cpu_seconds(action: Callable[[], Any], times: int) -> float:
    """Processor time of one of several calls."""
    begun = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - begun) / times


def light_tagger(shape: Shape) -> Any:
    """The default light encoder of random weights with a label for each token, as a TrainingModel."""
    from common.encoders.light import LightEncoder, LightSettings
    from common.tokenizers import WordPieceTokenizer, WordVocabulary
    from common.tokenizers.vocabulary import SPECIAL_TOKENS

    options = EncoderOptions()
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *(chr(0x4E00 + index) for index in range(_CHARACTERS))])
    words = WordVocabulary([f"word{index}" for index in range(_WORDS)])
    settings = LightSettings("dgcnn", shape.width, options.word_size, shape.layers, options.dropout, shape.tokens)
    return tagger(LightEncoder(tokenizer, words, settings))


def random_batch(model: Any, shape: Shape) -> dict[str, Any]:
    """A batch for it, without padding."""
    from common.keras_compat import tf

    tokens = random_tokens(np.random.default_rng(1), (shape.texts, shape.tokens))
    most = {"token_ids": _CHARACTERS, "word_ids": _WORDS, "word_positions": 4, "segment_ids": 1}
    inputs = {one.name: tokens for one in model.network.inputs}
    if "word_ids" in inputs:
        inputs = {name: 1 + values % most[name] for name, values in inputs.items()}
    else:
        inputs["segment_ids"] = np.zeros_like(tokens)
    return {name: tf.constant(values) for name, values in {**inputs, "labels": tokens % LABELS}.items()}


def forward_operations(model: Any, network: str, shape: Shape) -> float:
    """Additions and multiplications of the products of a forward pass: of every kernel at every token, and of the
    attention of a BERT."""
    tokens = shape.texts * shape.tokens
    kernels = sum(np.prod(weight.shape) for weight in model.trainable_variables if "kernel" in weight.name)
    attention = 2 * shape.tokens * shape.width * shape.layers if network == "bert" else 0
    return 2.0 * tokens * (kernels + attention)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("network", choices=["light", "bert"])
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--texts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--mixed-precision", choices=["no", "bfloat16", "float16"], default="no")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    flags = parser.parse_args()
    shape = Shape(flags.layers, flags.width, flags.texts, flags.tokens)
    print(json.dumps(measure(flags.network, shape, flags.mixed_precision, flags.steps, flags.rounds)))
