"""Train a language model on texts, from nothing or from a GPT2_ML.

python scripts/train_writer.py --input TEXTS                                                    # a small one from nothing
python scripts/train_writer.py --input TEXTS --pretrained GPT2_ML --recompute --batch-size 1    # go on with a checkpoint

scripts/write_text.py then writes with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common.command_line import UserError, check_at_least, check_at_most, check_below_one, run
from common.encoders.hub import local_folder
from common.generation.rows import rows_of, train_and_dev
from common.generators import Arrays, pad, steps_per_epoch, training_dataset
from common.options import LARGEST_ENCODER, RunPlace, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import WRITING, Evaluation, Run, begin_run, describe_file, parse_training_flags
from common.texts import Texts
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.joining import with_tokens

if TYPE_CHECKING:
    from common.generation.language_model import LanguageModel

FIGURES = ("log_probability", "perplexity")
_SHOWN_ERRORS = 50


@dataclass
class Config:
    """Train a language model on texts, of which it has to say each token by those before it."""

    input: tuple[Path, ...] = ()
    """Files and folders with texts, packed or not: one on each line, or JSON of any contest, in which every string of
    10 Chinese characters is a text. One in 20 is for dev, at most 1000."""
    fields: tuple[str, ...] = ()
    """Keys of JSON whose strings are the texts, and no others."""
    pretrained: Path | None = None
    """Folder of a GPT2_ML to go on with, or its name on the Hugging Face hub, OWNER/NAME. Default: train from nothing."""
    hidden_size: int = 256
    """Size of a model from nothing."""
    layers: int = 4
    """Layers of a model from nothing."""
    dropout: float = 0.1
    """Dropout of a model from nothing; a checkpoint brings its own."""
    max_length: int = 256
    """Longest row, in tokens: a longer text goes on in the next one. A model from nothing has so many positions, and
    writes no longer texts."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=8, batch_size=16))
    run: RunPlace = field(default_factory=RunPlace)

    def __post_init__(self):
        check_at_least(self, hidden_size=1, layers=1, max_length=3)
        check_at_most(self, **{name: LARGEST_ENCODER[name] for name in ("hidden_size", "layers", "max_length")})
        check_below_one(self, "dropout")
        if not self.input and not self.run.resume:
            raise UserError("--input: is missing - name files or folders with texts")
        if self.training.lazy_embeddings:
            raise UserError(
                "--lazy-embeddings: every token is a possible answer, and so moves in each step - leave it out"
            )
        if self.training.r_drop and not self.pretrained and not self.dropout:
            raise UserError(
                f"--r-drop {self.training.r_drop}: compares two dropouts of a batch, and there is none - leave it out, or raise --dropout"
            )

    @property
    def learning_rate(self) -> float:
        """What suits it where no --learning-rate is given."""
        return 2e-5 if self.pretrained else 1e-3


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and FIGURES on dev."""
    config, resumed = parse_training_flags(Config, WRITING, argv)
    training, seed = config.training, config.run.seed
    texts = Texts(config.input, config.fields)
    data = {f"input {number}": describe_file(file) for number, file in enumerate(texts.files, 1)}
    train, dev = train_and_dev(texts)

    start_tensorflow()  # now that flags and files have been looked at
    from common.generation.training import Predictability, loss, training_network
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable

    prepare(seed, training.mixed_precision, training.devices)
    model = model_of(config, resumed, train)
    rows, dev_rows = (checked_rows(part, model, config.max_length) for part in (train, dev))
    network = training_network(model.transformer())
    kept = begin_run(resumed, WRITING, config, data, model.save)
    steps = steps_per_epoch(len(rows), training.batch_size)
    print(f"texts     {len(train):,} to train on, {sum(map(len, rows)):,} tokens; {len(dev):,} for dev")
    print(f"network   {network.count_params():,} weights, {len(model.tokenizer)} tokens in the vocabulary")
    print(f"run       {kept.path}: {training.epochs} epochs of {steps} steps\n")

    unknown_id = model.tokenizer.unknown_id
    trained = TrainingModel(network, partial(loss, unknown_id=unknown_id))
    trained.compile(build_optimizer(training, config.learning_rate, steps), training)
    evaluate = partial(evaluation, Predictability(network, unknown_id), dev_rows, model.tokenizer)
    keep = KeepRun(kept, evaluate, seed, FIGURES, training.early_stopping_patience)
    epochs = range(keep.resume(trained), training.epochs)
    batches = training_dataset(rows, [*map(len, rows)], collate, training.batch_size, seed, epochs, trained)
    callbacks = [keep, Progress(keep)]
    with resumable(kept):
        trained.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=callbacks, verbose=0)
    load_best(kept, trained)
    best = {name: keep.best[name] for name in FIGURES}
    print(f"\nbest dev perplexity {best['perplexity']:.2f}; kept in {kept.path}")
    print(f'next: python scripts/write_text.py --run {kept.path} --prompt "..."')
    return {"run": kept.path, **best}


def model_of(config: Config, resumed: Run | None, texts: Sequence[str]) -> "LanguageModel":
    """That of the run, but for the weights of a checkpoint before there is a state."""
    from common.generation.language_model import LanguageModel

    if resumed and (resumed.last_state.is_file() or not config.pretrained):
        return LanguageModel.load(resumed.path)
    if config.pretrained:
        model = LanguageModel.from_checkpoint(local_folder(config.pretrained))
        if config.max_length > model.positions:
            raise UserError(
                f"--max-length {config.max_length}: must be at most the {model.positions} positions of the checkpoint"
            )
        return model
    return LanguageModel.from_texts(texts, config.hidden_size, config.layers, config.dropout, config.max_length)


def checked_rows(texts: Sequence[str], model: "LanguageModel", max_length: int) -> list[np.ndarray]:
    """Raises UserError where there are none."""
    rows = rows_of(texts, model.tokenizer, max_length)
    if not rows:
        raise UserError("--input: has texts without any token - are they the right files?")
    return rows


def collate(rows: Sequence[np.ndarray], generator: np.random.Generator) -> Arrays:
    return {"token_ids": pad(rows)}


def evaluation(predict: Any, rows: Sequence[np.ndarray], tokenizer: WordPieceTokenizer) -> Evaluation:
    """The mean log-probability of a token of dev, its perplexity, and the rows that are least expected."""
    losses, counts = predict(rows)
    mean = float(losses.sum() / max(counts.sum(), 1))
    means = losses / np.maximum(counts, 1)
    worst = [
        {
            "text": with_tokens("", [tokenizer.vocabulary[token] for token in rows[index]]),
            "perplexity": math.exp(min(means[index], 100)),
        }
        for index in np.argsort(-means, kind="stable")[:_SHOWN_ERRORS]
    ]
    return Evaluation({"log_probability": -mean, "perplexity": math.exp(min(mean, 100))}, [], worst)


if __name__ == "__main__":
    run(main)
