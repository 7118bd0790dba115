"""What the three examples have in common: their flags, a text as the inputs of an encoder, and the training."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.encoders import Encoder
from common.generators import Arrays, steps_per_epoch, training_dataset
from common.keras_compat import keras
from common.optimizers import TrainingModel, build_optimizer
from common.options import EncoderOptions, TrainingOptions
from common.tokenizers import Encoding

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
SEED = 1


@dataclass
class Config:
    """Train an example on a sample of the repository, and look at texts that it has not seen."""

    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)


def defaults(epochs: int, **encoder: Any) -> Config:
    """Those of an example. encoder: what it learns best with when there is no checkpoint."""
    training = TrainingOptions(epochs=epochs, batch_size=16, warmup=0.1, ema_momentum=0)
    return Config(EncoderOptions(**encoder), training)


def read_sample(contest: str, name: str) -> list[dict[str, Any]]:
    with (COMPETITIONS / contest / "sample" / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_text(encoder: Encoder, text: str) -> tuple[Encoding, Arrays]:
    """[CLS] text [SEP] with the place of each token in the text, and the same as inputs of the network."""
    encoding = encoder.tokenizer.encode(text, encoder.max_length)
    return encoding, encoder.features(text, [encoding])[0]


def fit(network: keras.Model, loss: Callable, rows: Sequence[Any], collate: Callable, config: Config) -> None:
    """Train on the rows. loss: see `TrainingModel`. collate: some rows -> a batch; a row begins with its `Encoding`."""
    training = config.training
    steps = steps_per_epoch(len(rows), training.batch_size)
    model = TrainingModel(network, loss)
    model.compile(build_optimizer(training, config.encoder.learning_rate(light=2e-3), steps), training)
    lengths = [len(row[0]) for row in rows]
    epochs = range(training.epochs)
    batches = training_dataset(rows, lengths, lambda batch, _: collate(batch), training.batch_size, SEED, epochs, model)
    model.fit(batches, steps_per_epoch=steps, epochs=training.epochs, verbose=2)
