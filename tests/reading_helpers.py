"""What the tests of the two contests whose networks point at answers in a text share, reading comprehension and WebQA.
Loads TensorFlow."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.generators import Arrays, training_dataset
from common.keras_compat import keras
from common.optimizers import build_optimizer
from common.options import EncoderOptions, TrainingOptions

#: All that the tests of features and of decoding write.
CHARACTERS = "谁写了顾南许青白鹿远山的灯于二月在云桥出版社，。？天地人和"


def bert_encoder(max_length: int) -> BertEncoder:
    """An encoder for features only, whose vocabulary knows CHARACTERS."""
    return BertEncoder.from_texts(
        [CHARACTERS * 2] * 2, EncoderOptions(encoder="bert", hidden_size=8, max_length=max_length)
    )


def light_encoder(texts: Iterable[str], **options: Any) -> LightEncoder:
    return LightEncoder.from_texts(
        [*texts] * 2, EncoderOptions(**{"hidden_size": 8, "layers": 3, "max_length": 40, "dropout": 0.1, **options})
    )


def make_wild(network: keras.Model, deviation: float = 0.3) -> None:
    """Makes the weights so large that the network has opinions."""
    generator = np.random.default_rng(1)
    network.set_weights([weight + generator.normal(0, deviation, weight.shape) for weight in network.get_weights()])


def padded(arrays: Arrays, rows: int = 0, columns: int = 0) -> Arrays:
    """With so many rows and columns more than there are."""
    return {
        name: np.pad(values, [(0, rows), (0, columns), *[(0, 0)] * (values.ndim - 2)])
        for name, values in arrays.items()
    }


def learn_by_heart(
    network: keras.Model, items: Sequence[Any], lengths: Sequence[int], collate: Callable[..., Arrays], epochs: int = 60
) -> None:
    """All of them in one batch, again and again."""
    batches = training_dataset(items, lengths, collate, len(items), 1, range(epochs), network)
    network.compile(build_optimizer(TrainingOptions(epochs=1, ema_momentum=0), 5e-3, epochs))
    losses = network.fit(batches, steps_per_epoch=1, epochs=epochs, verbose=0).history["loss"]
    assert np.mean(losses[-5:]) < 0.1 * losses[0]
