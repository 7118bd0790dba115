"""What `benchmark.py training` and `benchmark.py embeddings` measure: training steps on random numbers, with each
technique and without.

    python scripts/training_steps.py recompute --layers 12 --hidden-size 312 --batch-size 32 --length 256

runs some steps with one technique and prints a JSON object of figures as its last line. Each technique has a process of
its own, so that the memory it reports is its own.
"""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Annotated, NamedTuple

import numpy as np
import tyro

from common.attention_pattern import FULL, AttentionPattern
from common.command_line import UserError, check_at_least, parse_flags, run
from common.options import TrainingOptions
from common.process import start_tensorflow

from own_process import figures_of
from process_memory import peak, resident


class Case(NamedTuple):
    """flags: those of train.py, after `--ema-momentum 0`. parts: batches that the examples of a step are read in."""

    flags: str = ""
    parts: int = 1


#: The techniques by name. Each is compared with "plain": AdamW with clipping, and nothing else.
CASES = {
    "plain": Case(),
    "ema": Case("--ema-momentum 0.999"),
    "lookahead": Case("--lookahead-steps 5"),
    "lazy": Case("--lazy-embeddings"),
    "lazy+ema": Case("--lazy-embeddings --ema-momentum 0.999"),
    "adafactor": Case("--optimizer adafactor"),
    "layer-decay": Case("--layer-decay 0.9"),
    # What accumulation costs is its distance from steps as small as its batches.
    "quarter-batches": Case(parts=4),
    "accumulation": Case("--accumulation-steps 4", parts=4),
    "recompute": Case("--recompute"),
    "recompute+accumulation": Case("--recompute --accumulation-steps 4", parts=4),
    "fgm": Case("--fgm 0.5"),
    "r-drop": Case("--r-drop 4"),
    "flooding": Case("--flooding 0.1"),
    "bfloat16": Case("--mixed-precision bfloat16"),
    "float16": Case("--mixed-precision float16"),
}
#: Of the table of embeddings.
EMBEDDING_CASES = {name: CASES[name] for name in ("plain", "lazy", "ema", "lazy+ema")}

#: Of the vocabulary of Chinese checkpoints.
TOKENS = 21_128
#: Heads of checkpoints 312 wide, whatever the width.
HEADS = 12
#: Kinds of tokens that the network tells apart.
LABELS = 9
#: Steps that are not counted: the first one builds the graph.
WARM_UP = 2

#: Token ids below are those of special tokens.
_SPECIAL = 5
_LEARNING_RATE = 1e-4
_SIZE_OF_TABLE, _ROWS_OF_BATCH = (TOKENS, 312), 32 * 128


@dataclass
class Size:
    """Train a small BERT from nothing for a few steps with one technique, on random tokens."""

    case: Annotated[str, tyro.conf.Positional]
    """The technique: a name of CASES in this script."""
    layers: int = 4
    """Transformer layers."""
    hidden_size: int = 312
    """Their width, a multiple of their 12 heads."""
    batch_size: int = 32
    """Examples of a step, a multiple of 4."""
    length: int = 128
    """Tokens of an example."""
    steps: int = 5
    """Steps that are counted, after two that are not."""

    def __post_init__(self):
        if self.case not in CASES:
            raise UserError(f"{self.case!r}: no such case - choose among {', '.join(CASES)}")
        check_at_least(self, layers=1, hidden_size=HEADS, batch_size=4, length=3, steps=1)
        for name, factor in (("hidden_size", HEADS), ("batch_size", 4)):
            if getattr(self, name) % factor:
                raise UserError(f"--{name.replace('_', '-')} {getattr(self, name)}: must be a multiple of {factor}")

    def figures(self) -> dict[str, float]:
        """What `measure` returns, measured in a process of its own."""
        size = [f"--{name.replace('_', '-')}={value}" for name, value in vars(self).items() if name != "case"]
        return figures_of("training_steps.py", self.case, *size)


def options_of(case: Case, **options: object) -> TrainingOptions:
    """What train.py would train a case with. options: fields that the flags leave alone."""
    return parse_flags(TrainingOptions, case.flags.split(), default=TrainingOptions(ema_momentum=0, **options))


def random_tokens(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Token ids int32, as frequent as words are: the n-th token one n-th as often as the first (Zipf). Special tokens
    and padding do not occur."""
    shares = 1 / np.arange(1, TOKENS - _SPECIAL + 1)
    return _SPECIAL + generator.choice(len(shares), shape, p=shares / shares.sum()).astype(np.int32)


def measure(size: Size) -> dict[str, float]:
    """`seconds` of a step (the median), `peak_bytes` of this process, and `added_bytes`: what the peak adds to what was
    there when the network was built, before the optimizer had any state. A step reads `batch_size` examples, in as many
    batches as its case says."""
    start_tensorflow()
    from common.generators import training_dataset
    from common.keras_compat import keras, prepare
    from common.optimizers import build_optimizer

    case = CASES[size.case]
    options = options_of(case, epochs=1, batch_size=size.batch_size // case.parts)
    prepare(1, options.mixed_precision)
    model = token_tagger(size)
    built = resident()

    begun, seconds = [], []
    clock = keras.callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: begun.append(time.perf_counter()),
        on_batch_end=lambda batch, logs: seconds.append(time.perf_counter() - begun[-1]),
    )
    generator = np.random.default_rng(1)
    batches = (WARM_UP + size.steps) * case.parts
    examples = random_tokens(generator, (batches * options.batch_size, size.length))

    def collate(batch: list[np.ndarray], generator: np.random.Generator) -> dict[str, np.ndarray]:
        tokens = np.stack(batch)
        return {"token_ids": tokens, "segment_ids": np.zeros_like(tokens), "labels": tokens % LABELS}

    model.compile(build_optimizer(options, _LEARNING_RATE, batches), options)
    model.optimizer.build(model.trainable_variables)  # as train.py does; the graph would be built twice without
    dataset = training_dataset(examples, [size.length] * len(examples), collate, options.batch_size, 1, range(1), model)
    model.fit(dataset, steps_per_epoch=batches, verbose=0, callbacks=[clock])
    of_steps = np.reshape(seconds, (-1, case.parts)).sum(1)[WARM_UP:]
    return {"seconds": median(of_steps.tolist()), "peak_bytes": peak(), "added_bytes": peak() - built}


def token_tagger(size, attention: AttentionPattern = FULL, **settings):
    """A BERT of random weights with a label for each token, as a TrainingModel. size: has `layers`, `hidden_size` and
    `length`. settings: further ones of its config."""
    from common.encoders.bert import BertEncoder
    from common.tokenizers import WordPieceTokenizer
    from common.tokenizers.vocabulary import SPECIAL_TOKENS

    tokenizer = WordPieceTokenizer(
        [*SPECIAL_TOKENS, *(f"token{index}" for index in range(TOKENS - len(SPECIAL_TOKENS)))]
    )
    config = {
        "hidden_size": size.hidden_size,
        "num_hidden_layers": size.layers,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * size.hidden_size,
        "max_position_embeddings": size.length,
        "vocab_size": len(tokenizer),
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        **settings,
    }
    return tagger(BertEncoder(tokenizer, config, size.length, attention=attention))


def tagger(encoder):
    """An encoder with a label for each token, as a TrainingModel."""
    from common.keras_compat import keras, tf
    from common.losses import Distribution, masked_mean
    from common.optimizers.training_model import TrainingModel

    encoding = encoder.network()
    states = keras.layers.Dropout(encoder.dropout, name="head_dropout")(encoding.output[0])
    logits = keras.layers.Dense(LABELS, name="head", dtype="float32")(states)

    def loss(batch, logits):
        is_token = batch["token_ids"] > 0
        errors = tf.nn.sparse_softmax_cross_entropy_with_logits(batch["labels"], logits)
        compared = Distribution(logits, "softmax", tf.cast(is_token, tf.float32))
        return [masked_mean("loss", errors, is_token, [compared])]

    return TrainingModel(keras.Model(encoding.input, logits), loss)


def embedding_updates() -> dict[str, Callable[[], None]]:
    """For each of EMBEDDING_CASES an update of a table of embeddings, 21,128 x 312, with the gradient of a batch of 32
    x 128 tokens, the next one at each call. Nothing else is computed."""
    start_tensorflow()
    from common.keras_compat import seed_everything, tf
    from common.optimizers import build_optimizer

    seed_everything(1)
    generator = np.random.default_rng(1)
    values = tf.constant(generator.normal(size=(_ROWS_OF_BATCH, _SIZE_OF_TABLE[1])), tf.float32)
    batches = [tf.constant(random_tokens(generator, (_ROWS_OF_BATCH,))) for _ in range(8)]

    def updates(case: Case) -> Callable[[], None]:
        table = tf.Variable(tf.random.normal(_SIZE_OF_TABLE), name="embeddings")
        optimizer = build_optimizer(options_of(case), _LEARNING_RATE, 1000)
        optimizer.build([table])

        @tf.function
        def update(rows):
            optimizer.apply_gradients([(tf.IndexedSlices(values, rows, tf.constant(_SIZE_OF_TABLE)), table)])

        following = itertools.cycle(batches)
        return lambda: update(next(following))

    return {name: updates(case) for name, case in EMBEDDING_CASES.items()}


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Prints the figures, and returns them."""
    figures = measure(parse_flags(Size, argv))
    print(json.dumps(figures))
    return figures


if __name__ == "__main__":
    run(main)
