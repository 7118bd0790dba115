"""What a pattern of attention buys where texts are long: a transformer tells the class of each text, from nothing or a
checkpoint.

    python scripts/long_texts.py --data-dir LAWS --max-length 2048 --attention local

LAWS has train.jsonl and dev.jsonl, with `text` and `label` on each line. A text is read up to --max-length tokens. The
last line on stdout is a JSON object: the best `accuracy` of all epochs on dev and the `macro_f1` of that epoch,
`seconds` of an epoch of training and of reading dev (medians), and `peak_bytes` of memory, with what TensorFlow itself
takes.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from common.command_line import UserError, parse_flags, run
from common.encoders import Encoder, build_encoder
from common.generators import Arrays, pad_features, prediction_order, steps_per_epoch, training_dataset
from common.options import EncoderOptions, TrainingOptions, check_combination
from common.process import start_tensorflow
from common.submission import field as field_of
from common.submission import read_json_lines

from process_memory import peak

SEED = 1
BATCH_TOKENS = 16_384


@dataclass
class Config:
    """Train a classifier of long texts, and measure time, memory and accuracy."""

    data_dir: Path
    """Folder with train.jsonl and dev.jsonl, a JSON object with text and label on each line."""
    encoder: EncoderOptions = field(
        default_factory=lambda: EncoderOptions(encoder="roformer", max_length=1024, dropout=0.1)
    )
    training: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=10, batch_size=8, warmup=0.1, ema_momentum=0)
    )

    def __post_init__(self):
        check_combination(self.encoder, self.training)


class Row(NamedTuple):
    """A text as the inputs of an encoder, and the number of its class."""

    arrays: Arrays
    kind: int

    def __len__(self) -> int:
        return len(self.arrays["token_ids"])


def main(argv: Sequence[object] | None = None) -> dict[str, Any]:
    """Prints each epoch and the figures; returns these."""
    config = parse_flags(Config, argv)
    texts = {part: read(config.data_dir / f"{part}.jsonl") for part in ("train", "dev")}
    kinds = sorted({kind for _, kind in texts["train"]})
    print(f"texts     {len(texts['train'])} to train on, {len(texts['dev'])} of dev, {len(kinds)} classes")

    start_tensorflow()  # now that the files have been looked at
    from common.keras_compat import prepare

    prepare(SEED, config.training.mixed_precision, config.training.devices)
    encoder = build_encoder(config.encoder, [text for text, _ in texts["train"]])
    rows = {part: rows_of(encoder, found, kinds) for part, found in texts.items()}
    history = fit(network_of(encoder, len(kinds)), rows, config)
    best = max(history, key=lambda epoch: epoch["accuracy"])
    seconds = {name: median(epoch[name] for epoch in history) for name in ("training_seconds", "dev_seconds")}
    figures = {"accuracy": best["accuracy"], "macro_f1": best["macro_f1"], **seconds, "peak_bytes": peak()}
    print(json.dumps(figures))
    return figures


def read(path: Path) -> list[tuple[str, str]]:
    """Texts and the names of their classes."""
    found = [
        tuple(field_of(record, key, str, f"{path}:{number}") for key in ("text", "label"))
        for number, record in read_json_lines(path)
    ]
    if not found:
        raise UserError(f"{path}: has no texts - give a JSON object with text and label on each line")
    return found


def rows_of(encoder: Encoder, texts: Sequence[tuple[str, str]], kinds: Sequence[str]) -> list[Row]:
    """A class that training does not have has the number -1, and is never told."""
    numbers = {kind: number for number, kind in enumerate(kinds)}
    rows = []
    for text, kind in texts:
        tokens = encoder.tokenizer.encode(text, encoder.max_length)
        rows.append(Row(encoder.features(text, [tokens])[0], numbers.get(kind, -1)))
    return rows


def collate(batch: Sequence[Row], generator: Any = None) -> Arrays:
    return pad_features([row.arrays for row in batch]) | {"kind": np.array([row.kind for row in batch])}


def network_of(encoder: Encoder, kinds: int) -> Any:
    """The class of a text, from a weighed mean of its tokens."""
    from common.keras_compat import keras
    from common.layers import AttentionPooling

    encoding = encoder.network()
    pooled = AttentionPooling(name="pooling")(encoding.output[0], encoding.input["token_ids"] > 0)
    pooled = keras.layers.Dropout(encoder.dropout, name="head_dropout")(pooled)
    return keras.Model(encoding.input, keras.layers.Dense(kinds, name="kinds", dtype="float32")(pooled))


def fit(network: Any, rows: dict[str, list[Row]], config: Config) -> list[dict[str, float]]:
    """Trains; returns the figures of each epoch."""
    from common.keras_compat import keras
    from common.losses import batch_mean
    from common.optimizers import TrainingModel, build_optimizer

    def loss(batch, logits):
        errors = keras.losses.sparse_categorical_crossentropy(batch["kind"], logits, from_logits=True)
        return [batch_mean("kind_loss", errors, batch["token_ids"])]

    training, history = config.training, []
    steps = steps_per_epoch(len(rows["train"]), training.batch_size)
    model = TrainingModel(network, loss)
    model.compile(build_optimizer(training, config.encoder.learning_rate(), steps), training)
    model.optimizer.build(model.trainable_variables)
    lengths, epochs = [len(row) for row in rows["train"]], range(training.epochs)
    batches = training_dataset(rows["train"], lengths, collate, training.batch_size, SEED, epochs, model)

    begun = time.perf_counter()

    def evaluate(epoch: int, logs: dict[str, float]) -> None:
        nonlocal begun
        trained = time.perf_counter()
        figures = scores(network, rows["dev"])
        begun, trained_for, read_for = time.perf_counter(), trained - begun, time.perf_counter() - trained
        history.append({**figures, "training_seconds": trained_for, "dev_seconds": read_for})
        told = f"accuracy {figures['accuracy']:.4f}  macro F1 {figures['macro_f1']:.4f}"
        print(
            f"epoch {epoch + 1}/{training.epochs}  loss {logs['loss']:.4f}  dev {told}  {trained_for:.1f} s", flush=True
        )

    watch = keras.callbacks.LambdaCallback(on_epoch_end=evaluate)
    model.fit(batches, steps_per_epoch=steps, epochs=training.epochs, verbose=0, callbacks=[watch])
    return history


def scores(network: Any, rows: Sequence[Row]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    told = np.empty(len(rows), int)
    for places in prediction_order([len(row) for row in rows], BATCH_TOKENS):
        batch = pad_features([rows[place].arrays for place in places])
        told[places] = network.predict_on_batch(batch).argmax(-1)
    gold = [row.kind for row in rows]
    return {
        "accuracy": float(accuracy_score(gold, told)),
        "macro_f1": float(f1_score(gold, told, average="macro", zero_division=0)),
    }


if __name__ == "__main__":
    run(main)
