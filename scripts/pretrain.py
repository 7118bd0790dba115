"""Pretrain an encoder on texts: a masked language model with whole-word masks.

python scripts/pretrain.py --input TEXTS --output FOLDER                                                  # a light encoder from nothing
python scripts/pretrain.py --input TEXTS --output FOLDER --encoder bert --layers 4 --hidden-size 312      # a BERT from nothing
python scripts/pretrain.py --input TEXTS --output FOLDER --pretrained BERT                                # go on with a checkpoint

A contest then starts from FOLDER by --pretrained, or from a light encoder by --pretrained-light.
"""

import math
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from common.command_line import UserError, check_above, check_at_least, check_below_one, run
from common.encoders import Encoder, build_encoder, load_encoder, save_encoder
from common.generators import Arrays, batch_dataset
from common.new_folder import check_new, new_folder
from common.options import EncoderOptions, RunPlace, TrainingOptions
from common.prediction import one_trace
from common.pretraining.corpus import Corpus, write_corpus
from common.pretraining.rows import MaskedRows
from common.process import start_tensorflow
from common.runs.directory import PRETRAINING, Evaluation, Run, create_run, parse_training_flags
from common.texts import Texts

_CORPUS = "corpus"
_SHOWN_ERRORS, _AROUND = 50, 12
FIGURES = ("accuracy", "perplexity")


@dataclass
class Config:
    """Pretrain an encoder on texts, of which it has to say hidden words. What comes out a contest can start from."""

    input: tuple[Path, ...] = ()
    """Files and folders with texts, packed or not: one on each line, or JSON of any contest, in which every string of
    10 Chinese characters is a text. One in 100 is for dev."""
    output: Path | None = None
    """Folder to be made: a BERT checkpoint for --pretrained, or a light encoder for --pretrained-light."""
    fields: tuple[str, ...] = ()
    """Keys of JSON whose strings are the texts, and no others."""
    steps: int | None = None
    """Training steps. Default: as many as --epochs passes through the texts take."""
    save_steps: int = 500
    """After so many steps dev is evaluated, and what continuing needs is saved."""
    mask_share: float = 0.15
    """Share of the tokens that are hidden, whole words at a time."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(dropout=0.1))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=1))
    run: RunPlace = field(default_factory=RunPlace)

    def __post_init__(self):
        check_at_least(self, steps=1, save_steps=1)
        check_above(self, mask_share=0)
        check_below_one(self, "mask_share")
        if self.output is None and not self.run.resume:
            raise UserError("--output: is missing - name the folder that is to be made")
        if not self.input and not self.run.resume:
            raise UserError("--input: is missing - name files or folders with texts")
        if self.encoder.word_vectors:
            raise UserError("--word-vectors: are not trained, and pretraining is to learn them - leave it out")
        if self.training.lazy_embeddings:
            raise UserError(
                "--lazy-embeddings: every token is a possible answer, and so moves in each step - leave it out"
            )

    @property
    def learning_rate(self) -> float:
        """What suits it where no --learning-rate is given."""
        return 1e-4 if self.encoder.pretrained else 1e-3


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Pretrains; returns the `run` folder, the `output` folder, and `accuracy` and `perplexity` on dev."""
    config, resumed = parse_training_flags(Config, PRETRAINING, argv)
    check_new(config.output)
    training, texts = config.training, Texts(() if resumed else config.input, config.fields)

    start_tensorflow()  # now that flags and files have been looked at
    from common.encoders.saving import save_pretrained
    from common.keras_compat import keras, prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.pretraining.model import build_network, loss
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable

    prepare(config.run.seed, training.mixed_precision, training.devices)
    encoder = encoder_of(config, resumed, texts)
    network, part = build_network(encoder)
    open_rows = partial(masked_rows, encoder=encoder, config=config, inputs=network.input_names)
    write = partial(write_run, encoder=encoder, texts=texts, check=open_rows)
    kept = resumed or create_run(PRETRAINING, config.run.output_dir, config.run.run_name, config, write=write)
    rows = open_rows(kept.path)
    steps = config.steps or rows.steps_of_a_pass * training.epochs
    part_steps = min(config.save_steps, steps)
    parts = -(-steps // part_steps)
    print(f"texts     {rows}")
    print(f"network   {network.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")
    print(f"run       {kept.path}: {parts} parts of {part_steps} steps\n")

    model = TrainingModel(network, loss)
    options = replace(training, epochs=parts)
    model.compile(build_optimizer(options, config.learning_rate, part_steps), options)
    evaluate = partial(evaluation, network, rows, encoder)
    keep = KeepRun(kept, evaluate, config.run.seed, FIGURES, training.early_stopping_patience)
    epochs = range(keep.resume(model), parts)

    def batches_of(number: int) -> Iterator[Arrays]:
        return map(rows.batch, range(number * part_steps, (number + 1) * part_steps))

    batches, callbacks = batch_dataset(batches_of, epochs, model), [keep, Progress(keep, "part")]
    with resumable(kept):
        model.fit(batches, steps_per_epoch=part_steps, **keep.remaining(epochs), callbacks=callbacks, verbose=0)
    load_best(kept, model)
    with new_folder(config.output) as folder:
        save_pretrained(encoder, part, folder)
    best = {name: keep.best[name] for name in FIGURES}
    flag = "--pretrained-light" if isinstance(part, keras.Model) else "--pretrained"
    print(f"\nbest dev accuracy {best['accuracy']:.4f}, perplexity {best['perplexity']:.2f}; kept in {config.output}")
    print(f"next: python competitions/CONTEST/train.py {flag} {shlex.quote(str(config.output))}")
    return {"run": kept.path, "output": config.output, **best}


def encoder_of(config: Config, resumed: Run | None, texts: Texts) -> Encoder:
    """That of the run, but for the weights of a checkpoint before there is a state."""
    from_weights = config.encoder.pretrained or config.encoder.pretrained_light
    if resumed and (resumed.last_state.is_file() or not from_weights):
        return load_encoder(resumed.path)
    encoder = build_encoder(config.encoder, texts)
    if config.encoder.pretrained_light:
        encoder.settings.fixed_words = False  # here words are to be learned, all of them
    return encoder


def write_run(folder: Path, encoder: Encoder, texts: Texts, check: Callable[[Path], MaskedRows]) -> None:
    """What a run begins with: the encoder, and the tokens of all texts. check: raises UserError where they are too
    few."""
    save_encoder(encoder, folder)
    (folder / _CORPUS).mkdir()
    write_corpus(folder / _CORPUS, tqdm(texts, unit=" texts", leave=False, disable=not sys.stderr.isatty()), encoder)
    check(folder)


def masked_rows(folder: Path, encoder: Encoder, config: Config, inputs: Sequence[str]) -> MaskedRows:
    """The rows of the corpus in the folder of a run."""
    train, dev = (Corpus(folder / _CORPUS, part) for part in ("train", "dev"))
    return MaskedRows(train, dev, encoder, inputs, config.mask_share, config.training.batch_size, config.run.seed)


def evaluation(network: Any, rows: MaskedRows, encoder: Encoder) -> Evaluation:
    """How many of the hidden tokens of dev are said right, and the perplexity of all of them; the first wrong ones."""
    from scipy.special import log_softmax  # here: it is slow to load, and --help needs none

    traced, vocabulary = one_trace(network), encoder.tokenizer.vocabulary
    right, losses, errors = [], [], []
    for batch in rows.dev_batches():
        asked = batch["labels"] >= 0
        inputs = {name: batch[name] for name in network.input_names}
        logits, labels = traced(inputs)["logits"].numpy()[asked].astype(np.float32), batch["labels"][asked]
        said = logits.argmax(-1)
        losses.append(-log_softmax(logits, axis=-1)[np.arange(len(labels)), labels])
        right.append(said == labels)
        for row, place, label, word in zip(np.nonzero(asked)[0], batch["hidden_places"][asked], labels, said):
            if label != word and len(errors) < _SHOWN_ERRORS:
                around = batch["token_ids"][row][max(0, place - _AROUND) : place + _AROUND]
                text = "".join(vocabulary[token] for token in around)
                errors.append({"text": text, "right": vocabulary[label], "said": vocabulary[word]})
    loss = float(np.concatenate(losses).mean())
    return Evaluation(
        {"accuracy": float(np.concatenate(right).mean()), "perplexity": math.exp(min(loss, 100))}, [], errors
    )


if __name__ == "__main__":
    run(main)
