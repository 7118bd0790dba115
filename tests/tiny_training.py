"""A training so small that it can be repeated and killed many times: what a folder's train.py does, on a few rows of
numbers.

As a script, `tiny_training.py FOLDER 12 40 7` trains the run FOLDER/whole without a break, and FOLDER/killed in as many
attempts as there are numbers, and one more: each attempt kills itself (SIGKILL) at that number of its events, which are
training steps and steps of writing files, and leaves a copy of the run as FOLDER/after-0, FOLDER/after-1, ...
"""

import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from common.generators import pad, steps_per_epoch, training_dataset
from common.keras_compat import keras, seed_everything, tf
from common.layers import IdDropout
from common.losses import Distribution, batch_mean, powered_sigmoid_cross_entropy
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import TrainingOptions
from common.runs.callbacks import KeepRun, Progress
from common.runs.directory import Evaluation, Run, create_run, open_run

TASK, SEED, EPOCHS, BATCH_SIZE = "tiny", 5, 4, 4
EXAMPLES = [np.arange(2, 4 + index % 5, dtype=np.int32) + index % 3 for index in range(11)]
LENGTHS = [len(example) for example in EXAMPLES]
TECHNIQUES = {"ema_momentum": 0.7, "lookahead_steps": 3, "lazy_embeddings": True}
#: With all others too that change a step.
ALL_TECHNIQUES = {
    **TECHNIQUES,
    "schedule": "0.5:1,1:0.1",
    "accumulation_steps": 2,
    "fgm": 0.1,
    "r_drop": 1.0,
    "flooding": 0.6,
}
#: The same with the other optimizer.
ALL_WITH_ADAFACTOR = {**ALL_TECHNIQUES, "optimizer": "adafactor"}


@dataclass
class Settings:
    epochs: int = EPOCHS


def new_run(folder: Path, name: str = "whole") -> Run:
    return create_run(TASK, folder, name, Settings(), {}, lambda path: None)


def build() -> TrainingModel:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    state = keras.layers.Embedding(12, 4, name="table")(IdDropout(0.3, unknown=1, name="id_dropout")(tokens))
    state = keras.layers.Dropout(0.2, name="dropout")(tf.reduce_mean(state, 1))
    return TrainingModel(keras.Model(tokens, keras.layers.Dense(1, name="dense")(state)[:, 0]), loss)


def loss(batch, logits):
    labels, compared = batch["labels"], [Distribution(logits, "sigmoid", tf.ones_like(logits))]
    return [batch_mean("label_loss", powered_sigmoid_cross_entropy(labels, logits, 2), labels, compared)]


def collate(batch, generator) -> dict[str, np.ndarray]:
    return {"tokens": pad(batch), "labels": generator.integers(0, 2, len(batch)).astype(np.int32)}


def wavering(model: keras.Model) -> Evaluation:
    """A score that depends on every bit of the weights, and goes up and down."""
    total = sum(float(np.abs(weight).sum(dtype=np.float64)) for weight in model.get_weights())
    return Evaluation(
        {"f1": abs(np.sin(100 * total)), "predicted": 3, "gold": 4, "correct": 2},
        [{"total": total}],
        [{"missed": total}],
    )


def train(run: Run, epochs: int = EPOCHS, evaluate=wavering, patience: int = 0, callbacks=(), weights_seed: int = SEED):
    """Trains a run to its end, from wherever it stands; returns the model and the KeepRun."""
    seed_everything(weights_seed)
    model = build()
    steps = steps_per_epoch(len(EXAMPLES), BATCH_SIZE)
    options = TrainingOptions(epochs=epochs, **TECHNIQUES)
    model.compile(build_optimizer(options, 0.05, steps), options)
    keep = KeepRun(run, lambda: evaluate(model), SEED, ["f1"], patience)
    to_come = range(keep.resume(model), epochs)
    batches = training_dataset(EXAMPLES, LENGTHS, collate, BATCH_SIZE, SEED, to_come, model)
    model.fit(
        batches,
        steps_per_epoch=steps,
        **keep.remaining(to_come),
        callbacks=[keep, Progress(keep), *callbacks],
        verbose=0,
    )
    return model, keep


class KillAt(keras.callbacks.Callback):
    """Counts training steps and steps of writing files, and ends the process without warning at the given one."""

    def __init__(self, number: int):
        super().__init__()
        self.left = number
        for module, name in ((os, "replace"), (os, "fsync"), (h5py.Group, "create_dataset"), (Path, "write_bytes")):
            setattr(module, name, self.counted(getattr(module, name)))

    def counted(self, function):
        def call(*arguments, **options):
            self.event()
            result = function(*arguments, **options)
            self.event()
            return result

        return call

    def event(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_train_batch_begin(self, batch, logs=None):
        self.event()


def attempt(run: Run, number: int) -> bool:
    """Trains in a process of its own; whether it was killed. TensorFlow has not computed anything yet here, so it can
    be forked."""
    child = os.fork()
    if not child:
        train(run, callbacks=[KillAt(number)])
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise SystemExit(f"the training ended with status {status}")
    return False


def main(folder: Path, numbers: list[int]) -> None:
    attempt(new_run(folder), 0)
    killed = new_run(folder, "killed")
    for index, number in enumerate(numbers):
        print(attempt(open_run(killed.path, TASK), number), flush=True)
        shutil.copytree(killed.path, folder / f"after-{index}")
    attempt(open_run(killed.path, TASK), 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
